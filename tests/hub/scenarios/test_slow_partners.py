"""A partner that becomes slow is an event, until it is fast again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.event_kinds import EventKind
from hub.figures.cells import COUNT, PARTNER_TIME, time_step
from hub.figures.flows import Flow
from hub.slowness import look_for_slowness
from hub.store.events import EventRecord
from tests.hub.running_hub import RunningHub

DAY = 86_400


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with RunningHub(tmp_path) as hub:
        yield hub


async def _answered(running: RunningHub, platform_id: str, ago: float, milliseconds: float) -> None:
    rings, now = running.hub.figures.rings, running.hub.figures.now
    flow = Flow("cpo", platform_id, "NL*CPO", "DE*MSP", "sessions", "PUT", True)
    cell = {COUNT: 40, PARTNER_TIME + time_step(int(milliseconds * 1000)): 40}
    await rings.merge({flow: cell}, int(now - ago) // 60, now)
    await rings.settle(now)


async def _look(running: RunningHub) -> list[EventRecord]:
    await look_for_slowness(running.hub)
    await running.hub.events._write()
    page = await running.hub.event_rows.page(
        is_open=None, kind=EventKind.PARTNER_SLOW, platform_id=None, limit=10, cursor=None
    )
    return list(page.items)


def test_a_slow_partner_is_one_event_that_closes_by_itself(running: RunningHub) -> None:
    platform_id = running.invite().platform_id
    running.do(_answered(running, platform_id, DAY, 200))
    assert running.do(_look(running)) == []

    running.do(_answered(running, platform_id, 0, 5000))
    for _ in range(2):
        [event] = running.do(_look(running))
        assert (event.platform_id, event.closed_at, event.facts["module"]) == (platform_id, None, "sessions")
    for _ in range(100):
        running.do(_answered(running, platform_id, 0, 200))

    [event] = running.do(_look(running))
    assert event.closed_at is not None
