"""When calls at partners must be answered: one look at all of them now and then, instead of a timer for each."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

TICK_S: Final = 0.05
"""Between two looks; a call that is late has at most that much more time."""


class Waiting(Protocol):
    """Something that does not wait for ever."""

    def expire(self) -> None:
        """What it waited for did not come in time."""


class Deadlines:
    """Those who wait, and until when, a time of the event loop. Nothing ticks while nobody waits."""

    def __init__(self) -> None:
        self._until: dict[Waiting, float] = {}
        self._ticking = False

    def set(self, waiting: Waiting, deadline: float) -> None:
        """Expire this one after the deadline, unless it is cleared first."""
        self._until[waiting] = deadline
        if not self._ticking:
            self._ticking = True
            self._tick_later(asyncio.get_running_loop())

    def clear(self, waiting: Waiting) -> None:
        """What this one waited for has come, or nobody wants it any more."""
        self._until.pop(waiting, None)

    def _tick_later(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(TICK_S, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for late in [waiting for waiting, deadline in self._until.items() if deadline <= now]:
            self.clear(late)
            late.expire()
        self._ticking = bool(self._until)
        if self._ticking:
            self._tick_later(loop)
