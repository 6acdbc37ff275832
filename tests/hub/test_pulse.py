from __future__ import annotations

import asyncio
import time

import pytest

from hub.observability import Metrics
from hub.pulse import pulse

pytestmark = pytest.mark.anyio


def figure(metrics: Metrics, name: str) -> float:
    lines = metrics.exposition().decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


async def shown(metrics: Metrics, name: str, least: float) -> float:
    async with asyncio.timeout(10):
        while (value := figure(metrics, name)) < least:  # noqa: ASYNC110 - the metrics tell nobody when they change
            await asyncio.sleep(0.01)
    return value


async def test_messages_in_flight_are_counted_again_and_again() -> None:
    metrics, messages = Metrics(), 3
    async with pulse(metrics, lambda: messages, every_s=0.01):
        assert await shown(metrics, "ocpi_hub_messages_inflight", 1) == 3
        messages = 5
        assert await shown(metrics, "ocpi_hub_messages_inflight", 4) == 5


async def test_a_process_that_stood_still_says_for_how_long() -> None:
    metrics = Metrics()
    async with pulse(metrics, lambda: 0, every_s=0.01):
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - the stall itself
        assert 0.2 < await shown(metrics, "ocpi_hub_event_loop_lag_seconds", 0.2) < 5
