"""Whether the hub still takes messages, and whether any is in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Drain:
    """Begun once, it never ends: a hub that drains goes out of service. To be used on the event loop only."""

    def __init__(self) -> None:
        self.is_draining = False
        self.is_retiring = False
        """Whether another process takes new connections in place of this one, which makes each answer a last one."""
        self.in_flight = 0
        """Messages that are being handled."""
        self.entries = 0
        """Messages that ever have begun to be."""
        self._idle = asyncio.Event()
        self._on_begin: list[Callable[[], None]] = []

    def begin(self) -> None:
        """Refuse new messages from now on. Those in flight go on."""
        if not self.is_draining:
            self.is_draining = True
            for callback in self._on_begin:
                callback()

    def on_begin(self, callback: Callable[[], None]) -> None:
        """Have this called when draining begins."""
        self._on_begin.append(callback)

    def entered(self) -> None:
        """A message has begun to be handled."""
        self.in_flight += 1
        self.entries += 1

    def left(self) -> None:
        """A message that had entered is done."""
        self.in_flight -= 1
        if not self.in_flight:
            self._idle.set()

    async def wait_idle(self) -> None:
        """Wait until no message is in flight."""
        while self.in_flight:
            self._idle.clear()
            await self._idle.wait()
