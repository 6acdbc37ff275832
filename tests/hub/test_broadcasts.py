"""Broadcasts where one has to look behind the hub's answers, or at its limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from hub.delivery_line import Room
from hub.limits import Buckets
from hub.setting_types import RateLimit
from loadtests.simulator import Answer, Behaviour, Partner
from routing.quirks import Quirks
from routing.vocabulary import Party, Version
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, location, partner, path_of, registered

EVSE = {"uid": "E1", "status": "AVAILABLE", "connectors": [], "last_updated": "2026-11-22T08:00:00Z"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with RunningHub(tmp_path) as running:
        yield running


@contextmanager
def taking_part(hub: RunningHub, *partners: Partner) -> Iterator[None]:
    with ExitStack() as stack:
        for each in partners:
            stack.enter_context(each.running())
            hub.registered(each)
            each.ledger.clear()
            each.received.clear()
        yield


def push(hub: RunningHub, cpo: Partner, location_id: str = "LOC1", **changes: object) -> Answer:
    body = location(cpo.party, location_id) | changes
    return cpo.put("locations", path_of(cpo.party, location_id), to=hub.hub.party, json=body)


def idle(hub: RunningHub) -> None:
    eventually(lambda: hub.hub.line.room.jobs == hub.hub.line.room.bytes == hub.hub.line.in_flight == 0)


def translations(hub: RunningHub, target: Version) -> int:
    """How many bodies were translated for this version."""
    lines = hub.hub.metrics.exposition().decode().splitlines()
    wanted = [line for line in lines if "translation_seconds_count" in line and f'target_version="{target}"' in line]
    return int(sum(float(line.rpartition(" ")[2]) for line in wanted))


def test_a_full_line_takes_none_of_a_broadcast_and_the_whole_of_it_later(hub: RunningHub) -> None:
    cpo, *emsps = partner(CPO), partner(EMSP), partner(EMSP)
    with taking_part(hub, cpo, *emsps):
        hub.hub.line.room = Room(most_jobs=3)
        with emsps[0].pausing(module="locations"):
            assert push(hub, cpo).status_code == 1000
            emsps[1].received.wait_for("locations")
            eventually(lambda: hub.hub.line.room.jobs == 1)
            hub.hub.line.room.take(1, 0)
            refused = push(hub, cpo, "LOC2")
        assert (refused.http_status, refused.status_code, refused.header("retry-after")) == (503, 3000, "5")
        hub.hub.line.room.give(1, 0)
        idle(hub)
        assert [len(each.received) for each in emsps] == [1, 1]

        assert push(hub, cpo, "LOC2").status_code == 1000
        idle(hub)
        assert [len(each.received) for each in emsps] == [2, 2]


def test_a_platform_that_broadcasts_too_much_is_asked_to_wait(hub: RunningHub) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    with taking_part(hub, cpo, emsp):
        hub.hub.limits._broadcasts = Buckets(RateLimit(0.1, 1))
        assert push(hub, cpo).status_code == 1000
        refused = push(hub, cpo)
        assert (refused.http_status, refused.header("retry-after")) == (429, "10")
        idle(hub)
        assert len(emsp.received) == 1


def test_receivers_that_are_alike_share_one_translation(hub: RunningHub) -> None:
    cpo, newer = partner(CPO), [partner(EMSP, Version.V2_3_0) for _ in range(3)]
    with taking_part(hub, cpo, *newer):
        assert push(hub, cpo).status_code == 1000
        idle(hub)
        assert [len(each.received) for each in newer] == [1, 1, 1]
        assert len({each.received[0].body for each in newer}) == 1
        assert translations(hub, Version.V2_3_0) == 1

        platform_id = hub.hub.directory.snapshot.parties[newer[0].party].platform_id
        hub.do(hub.hub.platforms.change(platform_id, quirks=Quirks(additive="keep")))
        assert push(hub, cpo).status_code == 1000
        idle(hub)
        assert translations(hub, Version.V2_3_0) == 3


def test_a_receiver_that_was_shown_an_object_before_gets_an_answer_of_its_own(hub: RunningHub) -> None:
    cpo, knowing, other = partner(CPO), partner(EMSP, Version.V2_1_1), partner(EMSP, Version.V2_1_1)
    with taking_part(hub, cpo, knowing):
        assert push(hub, cpo, evses=[EVSE]).status_code == 1000
        idle(hub)
        with taking_part(hub, other):
            knowing.received.clear()
            assert push(hub, cpo, evses=[EVSE], publish=False).status_code == 1000
            idle(hub)

            [got] = knowing.received
            assert [each["status"] for each in got.json().get("evses", [])] == ["REMOVED"]
            assert not other.received


def test_what_a_2_1_1_owner_pushes_to_everybody_is_remembered_although_nobody_gets_it(hub: RunningHub) -> None:
    cpo = partner(CPO, Version.V2_1_1)
    with taking_part(hub, cpo):
        body = {"id": "LOC1", "name": "Station", "last_updated": "2026-11-22T08:00:00Z"}
        assert cpo.put("locations", path_of(cpo.party, "LOC1"), json=body).status_code == 1000

        assert hub.do(hub.hub.knowledge.own_push("locations", cpo.party, "LOC1")) == body


def test_a_hub_that_is_told_to_end_first_finishes_what_it_has_accepted(tmp_path: Path) -> None:
    with ForkedHub(tmp_path) as hub, registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        emsp.behaves(Behaviour(delay_s=0.5))
        for number in range(2):
            body = {"name": f"{number}", "last_updated": "2026-11-22T08:00:00Z"}
            answer = cpo.patch("locations", path_of(cpo.party, "LOC1"), to=Party("EU", "HUB"), json=body)
            assert answer.status_code == 1000
        emsp.received.wait_for("locations")
        assert hub.stop() == 0

        assert [got.json()["name"] for got in emsp.received] == ["0", "1"]
        assert hub.log.read_text().count('"outcome":"refused"') == 2  # it has no such Location
