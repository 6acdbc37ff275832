"""One secret key replaces another while partners go on, on each store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from hub.cli import commands
from loadtests.hub_process import HubFailed, HubProcess
from loadtests.simulator import Json, Partner
from routing.vocabulary import Version
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub
from tests.partners import CPO, EMSP, partner, path_of, registered

OLD, NEW = "the-old-key-of-this-hub-0123456789", "the-new-key-of-this-hub-0123456789"
CARD: Json = {
    "uid": "CARD",
    "type": "RFID",
    "auth_id": "DEMSPC00000001",
    "issuer": "Roam",
    "valid": True,
    "whitelist": "ALLOWED",
    "last_updated": "2026-11-22T08:00:00Z",
}


class Keyed(NamedTuple):
    """A hub that may be started again with other keys, and its two partners; the eMSP is on 2.1.1."""

    hub: HubProcess
    cpo: Partner
    emsp: Partner
    ids: list[str]

    def restart(self, key: str, other: str = "") -> None:
        self.hub.stop()
        self.hub._environment |= {"HUB_SECRET_KEY": key, "HUB_OTHER_SECRET_KEY": other}
        self.hub.start()

    def push(self, uid: str) -> int:
        """Push a Token of the eMSP, which the hub keeps sealed, because 2.1.1 may read it back."""
        return self.emsp.put("tokens", path_of(self.emsp.party, uid), json=CARD | {"uid": uid}).status_code

    def messages_go_both_ways(self) -> None:
        assert self.push("CARD") == 1000
        assert self.cpo.get("tokens", to=self.emsp.party).status_code == 1000

    def rekeyed(self, key: str, other: str) -> str:
        """What `ocpi-hub rekey` says with these keys."""
        keys = {"HUB_SECRET_KEY": key, "HUB_OTHER_SECRET_KEY": other}
        done = CliRunner().invoke(commands, ["rekey"], env=self.hub._environment | keys)
        return done.output if done.exception is None else str(done.exception)


@pytest.fixture
def keyed(tmp_path: Path, store_urls: StoreUrls) -> Iterator[Keyed]:
    with (
        ForkedHub(tmp_path, {**store_urls._asdict(), "secret_key": OLD}) as hub,
        registered(hub, partner(CPO), partner(EMSP, Version.V2_1_1)) as [cpo, emsp],
    ):
        ids = [each["id"] for each in hub.operator.platforms()]
        yield Keyed(hub, cpo, emsp, ids)


def test_a_key_is_replaced_and_no_partner_notices(keyed: Keyed) -> None:
    named = keyed.hub.operator.ask("POST", "/api/v1/tokens", json={"name": "anna", "role": "auditor"})["token"]
    as_anna = {"authorization": f"Bearer {named}"}
    assert keyed.push("FIRST") == 1000

    keyed.restart(NEW, other=OLD)
    keyed.messages_go_both_ways()
    assert keyed.hub.operator.ask("GET", "/api/v1/audit/verification")["verifies"] is True
    assert keyed.hub.operator.ask("GET", "/api/v1/me", headers=as_anna)["name"] == "anna"

    said = keyed.rekeyed(NEW, OLD)
    assert said.startswith("Objects sealed with the new key: 1.")
    assert all(platform_id in said for platform_id in keyed.ids)
    with pytest.raises(HubFailed, match="HUB_OTHER_SECRET_KEY"):
        keyed.restart(NEW)

    keyed.restart(NEW, other=OLD)
    for platform_id in keyed.ids:
        keyed.hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/rotate")
    assert keyed.rekeyed(NEW, OLD).endswith("No partner needs the old key any more.\n")

    keyed.restart(NEW)
    keyed.messages_go_both_ways()
    assert keyed.hub.operator.ask("GET", "/api/v1/me", headers=as_anna)["name"] == "anna"


def test_keys_that_do_not_belong_together_change_nothing(tmp_path: Path) -> None:
    with ForkedHub(tmp_path, {"secret_key": OLD}) as hub:
        keyed = Keyed(hub, partner(CPO), partner(EMSP), [])
        assert "not the one this database was written with" in keyed.rekeyed("a-third-key-0123456789", NEW)
        assert "HUB_OTHER_SECRET_KEY is not set" in keyed.rekeyed(NEW, "")
        assert "it is HUB_SECRET_KEY itself" in keyed.rekeyed(OLD, OLD)
