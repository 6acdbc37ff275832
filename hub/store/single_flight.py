"""Work that many ask for at once is done once for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

_PATIENCE_S = 0.5
LAST_WRITING_S = 3.0
"""At the end of a process, when several such writings go on side by side."""


class SingleFlight:
    """Calls share a run that begins after they were made, so each sees everything that happened before it."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        """Have the work done. A caller that gives up does not stop it for the others."""
        if self._next is None:
            self._next = asyncio.create_task(self._run_after(self._running))
        await asyncio.shield(self._next)

    async def stop(self) -> None:
        """End what is under way."""
        await cancelled([task for task in (self._running, self._next) if task is not None])

    async def _run_after(self, previous: asyncio.Task[None] | None) -> None:
        if previous is not None:
            await asyncio.wait([previous])
        self._running, self._next = self._next, None
        await self._work()


async def cancelled(tasks: Collection[asyncio.Task[Any]]) -> None:
    """End these tasks, however often it takes.

    `asyncio.wait_for` of Python 3.11, which the Redis client uses, loses a cancellation that comes together with
    the result it waits for.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_PATIENCE_S)
    await asyncio.gather(*tasks, return_exceptions=True)


async def last_written(writing: asyncio.Task[None] | None, ends: asyncio.Event) -> None:
    """Let what writes behind messages write what is left, for as long as a store that does not answer may keep a hub.

    `ends` tells it that this is the last time.
    """
    ends.set()
    if writing is not None:
        _, late = await asyncio.wait({writing}, timeout=LAST_WRITING_S)
        await cancelled(late or {writing})
