from __future__ import annotations

import asyncio

import pytest
import structlog

from hub import amplification
from hub.amplification import ALARMING_CALLS, WINDOW_S, Amplification
from hub.events import Events
from hub.observability import Metrics
from hub.store.database import Database
from hub.store.events import EventRows

pytestmark = pytest.mark.anyio


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amplification, "_TELL_EVERY_S", 0.01)


def no_events() -> Events:
    """Some that are never written."""
    return Events(EventRows(Database("sqlite+aiosqlite:///never-opened.db")))


async def traffic(one: Amplification, requests: int, calls: int) -> list[structlog.typing.EventDict]:
    """So many requests of a platform and calls because of it; the log lines about that."""
    with structlog.testing.capture_logs() as lines:
        for _ in range(requests):
            one.requested("a")
        for _ in range(calls):
            one.called("a")
        await asyncio.sleep(0.05)
    return [line for line in lines if line["event"] == "platform_causes_many_calls"]


async def test_the_metrics_show_what_each_platform_asks_and_what_that_leads_to() -> None:
    metrics = Metrics()
    one = Amplification(metrics, no_events())
    one.requested("a")
    one.called("b")
    one.close()

    text = metrics.exposition().decode()
    assert 'ocpi_hub_platform_requests_total{platform="a"} 1.0' in text
    assert 'ocpi_hub_platform_calls_total{platform="b"} 1.0' in text
    one.close()


async def test_a_platform_that_causes_many_calls_is_told_of_once_in_a_while() -> None:
    clock = Clock()
    one = Amplification(Metrics(), no_events(), clock)

    assert not await traffic(one, 10, ALARMING_CALLS - 1)
    [line] = await traffic(one, 0, 1)
    assert (line["platform_id"], line["requests"], line["calls"]) == ("a", 10, ALARMING_CALLS)
    assert line["factor"] == ALARMING_CALLS / 10
    assert not await traffic(one, 0, ALARMING_CALLS)

    clock.now += WINDOW_S
    assert not await traffic(one, 1, 1)
    assert await traffic(one, 1, ALARMING_CALLS)


async def test_a_platform_that_sends_many_messages_itself_is_no_alarm() -> None:
    assert not await traffic(Amplification(Metrics(), no_events(), Clock()), ALARMING_CALLS, ALARMING_CALLS)
