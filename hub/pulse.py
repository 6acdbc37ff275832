"""Feels once a second how a process does, so that what one message costs has nothing to do with it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from hub.observability import Metrics

_EVERY_S: Final = 1.0
_REMEMBERED: Final = 15
"""Beats: about as long as from one look at the metrics to the next, so that a short stall is seen by somebody."""


@asynccontextmanager
async def pulse(metrics: Metrics, in_flight: Callable[[], int], *, every_s: float = _EVERY_S) -> AsyncIterator[None]:
    """Keep the figures of this process up to date for as long as the block runs."""
    task = asyncio.create_task(_beat(metrics, in_flight, every_s), name="pulse")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _beat(metrics: Metrics, in_flight: Callable[[], int], every_s: float) -> None:
    loop = asyncio.get_running_loop()
    late: deque[float] = deque(maxlen=_REMEMBERED)
    while True:
        due = loop.time() + every_s
        await asyncio.sleep(every_s)
        late.append(max(loop.time() - due, 0.0))
        metrics.vitals.lag(max(late))
        metrics.vitals.in_flight(in_flight())
        metrics.vitals.tasks(len(asyncio.all_tasks()))
