"""Whether the hub still takes messages, and whether any is in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Drain:
    """Begun once, it never ends: a hub that drains goes out of service. To be used on the event loop only.

    For `notice_s` seconds whoever asks is told, and messages are taken as before: so long it may take until those who
    spread messages over several hubs have asked.
    """

    def __init__(self, notice_s: float = 0.0) -> None:
        self.notice_s = notice_s
        self.is_draining = False
        self.is_refusing = False
        """Whether new messages are refused."""
        self.is_retiring = False
        """Whether another process takes new connections in place of this one, which makes each answer a last one."""
        self.in_flight = 0
        """Messages that are being handled."""
        self.entries = 0
        """Messages that ever have begun to be."""
        self._idle = asyncio.Event()
        self._refusing = asyncio.Event()
        self._on_begin: list[Callable[[], None]] = []

    def begin(self) -> None:
        """Refuse new messages, once it was noticed. Those in flight go on."""
        if not self.is_draining:
            self.is_draining = self.is_retiring = True
            for callback in self._on_begin:
                callback()
            if self.notice_s:
                asyncio.get_running_loop().call_later(self.notice_s, self._refuse)
            else:
                self._refuse()

    def _refuse(self) -> None:
        self.is_refusing = True
        self._refusing.set()

    async def wait_refusing(self) -> None:
        """Wait until new messages are refused."""
        await self._refusing.wait()

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
