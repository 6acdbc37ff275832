"""What would come of an agreement, asked before it is made, changed or ended: it comes true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from routing.vocabulary import Version
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.operator.test_problems import check_problem
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token

AGREEMENTS = "/api/v1/agreements"
TRIED = {"dry_run": "true"}
Json = dict[str, Any]


class Market(NamedTuple):
    """A hub where agreements are required, and two who have none."""

    hub: HubProcess
    cpo: Partner
    emsp: Partner

    def counted(self, number: int) -> None:
        """Wait until so many messages between the two are in the figures."""
        matrix = {"window": "24h", "party": str(self.cpo.party)}
        eventually(lambda: sum(each["n"] for each in self.traffic(matrix)) == number)

    def traffic(self, matrix: dict[str, str]) -> list[Json]:
        """The cells of it."""
        found: list[Json] = self.hub.operator.ask("GET", "/api/v1/traffic/matrix", params=matrix)["cells"]
        return found

    def would(self, method: str, path: str = AGREEMENTS, **terms: Any) -> Json:  # noqa: ANN401 - any terms
        """What would come of it."""
        more = {"json": terms} if method != "DELETE" else {}
        return self.hub.operator.ask(method, path, params=TRIED, **more)

    def pair(self) -> Json:
        """The two, as the API takes them."""
        return {"a": str(self.cpo.party), "b": str(self.emsp.party)}

    def push(self) -> int:
        """A location for the eMSP."""
        where = path_of(self.cpo.party, "LOC1")
        return self.cpo.put("locations", where, to=self.emsp.party, json=location(self.cpo.party)).status_code

    def hand_out(self) -> int:
        """A token for the CPO."""
        where = path_of(self.emsp.party, "UID1")
        return self.emsp.put("tokens", where, to=self.cpo.party, json=token(self.emsp.party, "UID1")).status_code


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    settings = {"agreements": "required", "rate_limit": "off"}
    parts = (partner(CPO), partner(EMSP, Version.V2_3_0))
    with ForkedHub(tmp_path_factory.mktemp("hub"), settings) as hub, registered(hub, *parts) as [cpo, emsp]:
        yield Market(hub, cpo, emsp)


def test_making_changing_and_ending_one_say_what_comes_true(market: Market) -> None:
    assert [market.push(), market.push(), market.hand_out()] == [4001] * 3
    market.counted(3)

    would = market.would("POST", **market.pair(), modules=["locations"])

    cpo_sees, emsp_sees = would["sights"]
    assert (cpo_sees["sees"], cpo_sees["before"], cpo_sees["after"]) == (str(market.emsp.party), None, "CONNECTED")
    assert (cpo_sees["name"], cpo_sees["versions"]) == (market.cpo.name, ["2.2.1"])
    assert not cpo_sees["new_credentials"]
    assert (emsp_sees["sees"], emsp_sees["after"]) == (str(market.cpo.party), "CONNECTED")
    assert emsp_sees["new_credentials"]
    counts = ("messages_24h", "would_be_refused", "would_go_through")
    assert [would[each] for each in counts] == [3, 0, 2]
    assert would["dry_run"]
    assert market.hub.operator.ask("GET", AGREEMENTS)["items"] == []
    assert market.push() == 4001

    made = market.hub.operator.ask("POST", AGREEMENTS, json={**market.pair(), "modules": ["locations"]})
    path = f"{AGREEMENTS}/{made['id']}"
    assert (market.push(), market.hand_out()) == (1000, 4000)
    market.counted(6)
    check_problem(market.hub.operator.api.post(AGREEMENTS, json=market.pair(), params=TRIED), 409)

    would = market.would("PATCH", path, modules=["tokens"])
    assert (would["modules"], would["would_be_refused"]) == (["tokens"], 1)
    would = market.would("DELETE", path)
    assert [(each["before"], each["after"]) for each in would["sights"]] == [("CONNECTED", None)] * 2
    assert would["would_be_refused"] == 1
    assert market.push() == 1000

    market.hub.operator.ask("DELETE", path)
    assert market.push() == 4001


def test_trying_it_out_is_neither_noted_nor_for_everybody(market: Market) -> None:
    noted = market.hub.operator.ask("GET", "/api/v1/audit")["items"]
    one, other = str(new_party()), str(new_party())

    would = market.would("POST", a=one, b=other)

    assert (would["sights"], would["messages_24h"]) == ([], 0)
    assert market.hub.operator.ask("GET", "/api/v1/audit")["items"] == noted
    check_problem(market.hub.operator.api.post(AGREEMENTS, json={"a": one, "b": one}, params=TRIED), 422)
    check_problem(market.hub.operator.api.delete(f"{AGREEMENTS}/{'0' * 32}", params=TRIED), 404)
