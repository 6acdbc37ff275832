"""Writing to many connections at once, at the end of a turn of the event loop.

A write wakes whoever reads at the other end, and that costs more than the writing. When everything that one turn has
to say goes out in one go, a peer that has been woken finds the rest on its way; and the code that writes, down to the
driver, runs many times in a row instead of between all other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Outbox:
    """Collects what is to be done at the end of this turn, in the order in which it came."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def add(self, flush: Callable[[], None]) -> None:
        """Have this called, which writes what waits in one connection and must not raise."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(flush)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for flush in waiting:
            flush()
