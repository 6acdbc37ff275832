"""A platform that makes very many calls out of few requests, within what it may: its operator hears of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from hub.amplification import ALARMING_CALLS, ALARMING_FACTOR
from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from routing.vocabulary import Party
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.translated import new_id, status
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered

HUB = Party("EU", "HUB")
RECEIVERS = 100
"""As many as count as one broadcast."""


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """One with the limits it has when nobody sets any."""
    with ForkedHub(tmp_path_factory.mktemp("hub")) as process:
        yield process


def figure(hub: HubProcess, name: str, platform_id: str) -> float:
    """One of the platform's, as the metrics have it."""
    start = f'ocpi_hub_{name}{{platform="{platform_id}"}} '
    lines = hub.operator.api.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


def test_a_platform_that_broadcasts_as_much_as_it_may_is_an_alarm_with_its_figures(hub: HubProcess) -> None:
    many = Partner("Many", {new_party("DE"): EMSP for _ in range(RECEIVERS)})
    with registered(hub, many, partner(CPO)) as [_, cpo]:
        platform_id, query = platform_of(hub, cpo), {"kind": EventKind.AMPLIFICATION, "state": "open"}

        def alarms() -> list[Json]:
            """Send some more, and see whether that was enough."""
            for _ in range(10):
                place = location(cpo.party, new_id("LOC"))
                pushed = cpo.put("locations", path_of(cpo.party, place["id"]), to=HUB, json=place)
                assert status(pushed) in {(200, 1000), (429, 2000)}
            found: list[Json] = hub.operator.ask("GET", "/api/v1/events", params=query)["items"]
            return found

        eventually(alarms, within_s=60)
        [event] = hub.operator.ask("GET", "/api/v1/events", params=query)["items"]
        requests, calls = (figure(hub, f"platform_{what}_total", platform_id) for what in ("requests", "calls"))

    assert (event["platform_id"], event["severity"], event["count"]) == (platform_id, "warning", 1)
    assert re.search(r": \d+ by \d+ requests within 60 seconds", event["sentence"])
    assert calls >= ALARMING_CALLS
    assert calls / requests >= ALARMING_FACTOR
    assert figure(hub, "platform_calls_total", platform_of(hub, many)) == 0
