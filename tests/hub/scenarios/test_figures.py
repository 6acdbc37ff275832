"""Figures of messages at the operator API, of a hub that carried some: on each kind of store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from loadtests.simulator.misbehaviour import HTML
from routing.vocabulary import ModuleID, Party
from tests.conftest import StoreUrls
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.operator.people import somebody
from tests.hub.scenarios.conftest import platform_of
from tests.partners import CPO, EMSP, location, partner, registered

Json = dict[str, Any]
WITHIN_S = 20.0
MESSAGES = 30
FAILED = 3


class Talk(NamedTuple):
    """A CPO that sent an eMSP `MESSAGES` Locations, of which `FAILED` got no answer of OCPI."""

    hub: HubProcess
    cpo: Partner
    emsp: Partner
    sender: str
    receiver: str

    def ask(self, path: str, **query: Any) -> Json:  # noqa: ANN401 - query parameters
        found: Json = self.hub.operator.ask("GET", f"/api/v1/{path}", params=query)
        return found

    def once(self, path: str, holds: Callable[[Json], bool], **query: Any) -> Json:  # noqa: ANN401 - query parameters
        """What this path answers once that holds: figures of other processes are some seconds late."""
        deadline = time.monotonic() + WITHIN_S
        while not holds(found := self.ask(path, **query)):
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
        return found


@pytest.fixture(scope="module")
def talk(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    settings = {**stores._asdict(), "rate_limit": "100/s burst 200"}
    if stores.redis_url is not None:
        settings["workers"] = "2"
    with (
        ForkedHub(tmp_path_factory.mktemp("hub"), settings) as hub,
        registered(hub, partner(CPO), partner(EMSP)) as (cpo, emsp),
    ):
        path = "/".join((*cpo.party, "LOC1"))
        eventually(lambda: knows(cpo, emsp.party))
        for _ in range(MESSAGES - FAILED):
            assert cpo.put("locations", path, to=emsp.party, json=location(cpo.party)).status_code == 1000
        with emsp.behaving(HTML):
            for _ in range(FAILED):
                cpo.put("locations", path, to=emsp.party, json=location(cpo.party))
        yield Talk(hub, cpo, emsp, platform_of(hub, cpo), platform_of(hub, emsp))


def knows(viewer: Partner, party: Party) -> bool:
    """Whether the worker that this partner talks to knows the party."""
    infos = [each for page in viewer.pages(ModuleID.HUB_CLIENT_INFO) for each in page.data]
    return party in {Party(each["country_code"], each["party_id"]) for each in infos}


def test_the_health_of_a_platform_has_messages_failures_and_times(talk: Talk) -> None:
    path = f"platforms/{talk.receiver}/health"
    found = talk.once(path, lambda found: found["out"]["messages"] >= MESSAGES)

    out = found["out"]
    assert (out["messages"], out["ok_share"]) == (MESSAGES, 0.9)
    assert out["failed"] == {"partner": FAILED, "hub": 0, "refused": 0, "reasons": {"not_ocpi": FAILED}}
    assert out["hub"]["samples"] == out["partner"]["samples"] == MESSAGES
    assert 0 < out["partner"]["p50_ms"] <= out["partner"]["p95_ms"] <= out["partner"]["p99_ms"] < 5000
    assert found["in"]["messages"] == 0
    [kind] = found["kinds"]
    assert (kind["direction"], kind["module"], kind["method"]) == ("out", "locations", "PUT")
    assert (kind["messages"], kind["failed"]) == (MESSAGES, FAILED)
    assert found["usual"]["partner_p95_ms"] is None  # there was no day before
    assert (found["in_flight"], found["circuit"]["state"], found["circuit"]["opens_at"]) == (0, "closed", 5)
    assert set(found["unknown"]) == {"clock_difference_s", "certificate_end"}
    assert found["covers"]["complete"]


def test_what_a_platform_sent_is_apart_from_what_it_was_called_for(talk: Talk) -> None:
    found = talk.once(f"platforms/{talk.sender}/health", lambda found: found["in"]["messages"] >= MESSAGES, window="7d")

    assert (found["in"]["messages"], found["out"]["messages"]) == (MESSAGES, 0)
    assert found["rate_limit"]["burst"] == 200


def test_errors_come_with_an_example_and_what_to_do(talk: Talk) -> None:
    found = talk.once(f"platforms/{talk.receiver}/errors", lambda found: bool(found["items"]))

    [error] = found["items"]
    assert (error["reason"], error["count"], error["direction"], error["by"]) == ("not_ocpi", FAILED, "out", "partner")
    assert error["modules"] == ["locations"]
    assert error["advice"]
    message = talk.ask(f"messages/{error['example']}")
    assert (message["id"], message["failure"]) == (error["example"], "not_ocpi")


def test_an_engineer_sees_the_own_platform_without_what_others_took(talk: Talk) -> None:
    talk.once(f"platforms/{talk.sender}/health", lambda found: found["in"]["messages"] >= MESSAGES)
    with somebody(talk.hub, "partner", platform=talk.sender) as paul:
        own = paul.get(f"/api/v1/platforms/{talk.sender}/health").json()
        assert own["in"]["messages"] == MESSAGES
        assert own["in"]["partner"] is None
        assert {kind["partner"] for kind in own["kinds"]} == {None}
        assert paul.get(f"/api/v1/platforms/{talk.receiver}/health").status_code == 404
        assert paul.get("/api/v1/overview").status_code == 403


def test_a_row_of_the_list_says_how_a_platform_is_doing(talk: Talk) -> None:
    path = f"platforms/{talk.receiver}/health"
    talk.once(path, lambda found: found["out"]["messages"] >= MESSAGES)
    found = talk.ask("platforms", sort="worst")

    assert found["counts"] == {"CONNECTED": 2}
    assert [item["id"] for item in found["items"]] == [talk.receiver, talk.sender] or found["matched"] == 2
    row = next(item for item in found["items"] if item["id"] == talk.receiver)["health"]
    assert (row["messages_1h"], row["ok_share"], row["circuit"]) == (MESSAGES, 0.9, "closed")
    assert len(row["spark"]) == 24
    assert sum(row["spark"]) == MESSAGES
    assert (row["token_age_d"], row["why"]) == (0, "registered")
    assert row["p95_ms"] > 0
    assert row["since"]


@pytest.mark.parametrize("sort", ["created", "-last_seen", "token_age", "-p95_ms"])
def test_the_list_is_complete_in_every_order_page_by_page(talk: Talk, sort: str) -> None:
    first = talk.ask("platforms", sort=sort, limit=1)
    second = talk.ask("platforms", sort=sort, limit=1, cursor=first["next_cursor"])

    assert {each["id"] for each in (*first["items"], *second["items"])} == {talk.sender, talk.receiver}
    assert (first["matched"], second["next_cursor"]) == (2, None)


def test_the_overview_says_how_the_hub_is_and_who_fails_most(talk: Talk) -> None:
    found = talk.once("overview", lambda found: found["last_hour"]["messages"] >= MESSAGES)

    assert found["standing"] in {"ok", "needs_you"}
    assert found["sentence"].endswith(("Nothing needs you.", "Messages between the others go on."))
    assert found["platforms"] == {"CONNECTED": 2}
    hour = found["last_hour"]
    assert (hour["messages"], hour["failed"]["partner"], hour["translated_share"]) == (MESSAGES, FAILED, 0)
    [worst] = found["worst"]
    assert (worst["id"], worst["failed"], worst["reason"]) == (talk.receiver, FAILED, "not_ocpi")


@pytest.mark.parametrize(
    ("window", "step", "points"), [("1h", None, 60), ("24h", None, 96), ("7d", None, 84), ("24h", 300, 288)]
)
def test_messages_over_time_add_up(talk: Talk, window: str, step: int | None, points: int) -> None:
    query = {"window": window, **({} if step is None else {"step": step})}
    found = talk.once(
        "traffic/series", lambda found: sum(each["messages"] for each in found["points"]) >= MESSAGES, **query
    )

    assert len(found["points"]) == points
    assert sum(each["messages"] for each in found["points"]) == MESSAGES
    assert sum(each["failed"]["partner"] for each in found["points"]) == FAILED
    of_one = talk.ask("traffic/series", platform=talk.receiver, **query)["points"]
    assert sum(each["calls"] for each in of_one) == MESSAGES


@pytest.mark.parametrize("query", [{"window": "1h", "step": 90}, {"window": "7d", "step": 300}, {"step": 61}])
def test_a_step_that_is_not_kept_is_refused_with_one_that_is(talk: Talk, query: Json) -> None:
    answer = talk.hub.operator.api.get("/api/v1/traffic/series", params=query)

    assert answer.status_code == 422
    assert "such as" in answer.json()["detail"]


def test_the_matrix_says_who_talks_to_whom(talk: Talk) -> None:
    found = talk.once("traffic/matrix", lambda found: sum(cell["n"] for cell in found["cells"]) >= MESSAGES)

    sender, receiver = str(talk.cpo.party), str(talk.emsp.party)
    cell = {"sender": sender, "receiver": receiver, "n": MESSAGES, "errors": FAILED, "mostly": "not_ocpi"}
    assert found["cells"] == [cell]
    assert set(found["parties"]) == {sender, receiver}
    assert found["rest"] == {"n": 0, "errors": 0}
    assert talk.ask("traffic/matrix", module="cdrs")["cells"] == []
    countries = talk.ask("traffic/matrix", by="country", window="24h", order="errors")
    assert [(each["sender"], each["receiver"]) for each in countries["cells"]] == [(sender[:2], receiver[:2])]
    platforms = talk.ask("traffic/matrix", by="platform", window="7d")
    assert set(platforms["parties"]) == {talk.sender, talk.receiver}
    assert talk.ask("traffic/matrix", party=receiver.lower())["cells"] == [cell]
    one = talk.ask("traffic/matrix", top=1)
    assert (one["cells"], one["rest"]) == ([], {"n": MESSAGES, "errors": FAILED})


def test_the_hubs_own_health_has_each_process(talk: Talk) -> None:
    number = 1 if talk.hub.operator.ask("GET", "/api/v1/health")["redis"] is None else 3
    found = talk.once("health", lambda found: len(found["workers"]) == number)

    assert (found["ready"], found["reasons"], found["draining"]) == (True, [], False)
    assert found["database"]["ok"]
    assert found["leader"]["ok"]
    assert {worker["revision"] for worker in found["workers"]} <= {found["revision"], found["revision"] - 1}
    assert {worker["journal_dropped"] for worker in found["workers"]} == {0}
