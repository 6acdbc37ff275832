"""What a registration means for messages: before it, after it has changed, and after it was made again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from routing.vocabulary import Version
from tests.hub.scenarios.on_each_store.test_links_and_callbacks import cdr
from tests.partners import CPO, EMSP, location, partner, path_of, registered


@pytest.fixture
def mover() -> Iterator[Partner]:
    """A CPO that speaks two versions and is not registered yet."""
    one = partner(CPO)
    mover = Partner(
        "mover", one.parties, version=Version.V2_2_1, versions=(Version.V2_2, Version.V2_2_1, Version.V2_3_0)
    )
    with mover.running():
        yield mover


def test_who_is_only_invited_gets_no_message_through(hub: HubProcess, cpo: Partner, mover: Partner) -> None:
    invitation = hub.operator.invite("invited")

    for where in ("sender/locations", "receiver/tokens/NL/ABC/1", "sender/no-such-module"):
        answer = mover.get(f"{hub.url}/ocpi/2.2.1/{where}", to=cpo.party, token=invitation.token_a)
        assert (answer.http_status, answer.status_code) == (401, 2000)
    assert not cpo.received


def test_a_cdr_can_be_read_again_after_its_cpo_changed_the_version_and_changed_it_back(
    hub: HubProcess, mover: Partner
) -> None:
    emsp = partner(EMSP)
    with registered(hub, emsp):
        hub.operator.registered(mover)
        url = mover.post("cdrs", to=emsp.party, json=cdr(mover.party)).header("location") or ""

        mover.update(Version.V2_3_0)
        assert mover.get(url).http_status == 404  # on 2.3.0 there are no URLs of 2.2.1
        mover.update(Version.V2_2_1)

        assert mover.get(url).data == cdr(mover.party)


def test_a_cpo_that_left_and_came_back_reads_its_old_cdrs_and_goes_on_sending(hub: HubProcess, mover: Partner) -> None:
    emsp = partner(EMSP)
    with registered(hub, emsp):
        platform_id = hub.operator.registered(mover)
        url = mover.post("cdrs", to=emsp.party, json=cdr(mover.party)).header("location") or ""
        mover.unregister()
        assert emsp.get("locations", "LOC1", to=mover.party).status_code == 4003

        invitation = hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/invite", json={})
        mover.register(invitation["versions_url"], invitation["token_a"])

        assert mover.get(url).data == cdr(mover.party)
        path = path_of(mover.party, "LOC1")
        assert mover.put("locations", path, to=emsp.party, json=location(mover.party)).status_code == 1000
        assert emsp.received.wait_for("locations")
