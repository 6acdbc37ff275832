"""How many calls at one platform may be under way, so that one that hangs costs only those who call it."""

from __future__ import annotations

import asyncio
from collections import deque

from routing.errors import ReceiverUnreachable


class NotTried(ReceiverUnreachable):
    """The hub itself kept a call back. That says nothing about whether the partner is there."""


class NoSlot(NotTried):
    """Too many calls were under way at the platform already."""


class Bulkhead:
    """The slots of one platform, and a bounded queue of calls that wait for one.

    A call that never gets a slot was never sent. So it ends as a kind of ReceiverUnreachable ("Connection
    problem"), and not as ReceiverTimeout, which says that the message was forwarded. It is no overload of the hub
    either (HTTP 503): every other receiver can be called meanwhile.
    """

    WAITING_PER_SLOT = 8
    """Calls that may wait for each slot. At the limit they fail at once, as waiting would only end in a timeout."""

    def __init__(self) -> None:
        self.active = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def try_enter(self, slots: int) -> bool:
        """Take a slot if one is free now."""
        if self.active >= slots or self._waiting:
            return False
        self.active += 1
        return True

    async def enter(self, slots: int, deadline: float) -> None:
        """Wait for a slot until `deadline`, a time of the event loop.

        Raises:
            NoSlot: too many wait already, or no slot came free in time.
        """
        if len(self._waiting) >= slots * self.WAITING_PER_SLOT:
            raise NoSlot("Too many messages wait for the receiver")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except BaseException as error:
            self._give_up(turn, slots)
            if isinstance(error, TimeoutError):
                raise NoSlot("The receiver is busy with earlier messages") from error
            raise

    def leave(self, slots: int) -> None:
        """Give the slot back, to the one who waits longest."""
        self.active -= 1
        while self._waiting and self.active < slots:
            turn = self._waiting.popleft()
            if not turn.done():  # else its call has just been given up
                self.active += 1
                turn.set_result(None)

    def _give_up(self, turn: asyncio.Future[None], slots: int) -> None:
        if not turn.cancelled():  # the slot and the end of the wait came together
            self.leave(slots)
        elif turn in self._waiting:
            self._waiting.remove(turn)
