"""What must not overlap for one object, although messages about it arrive at the same time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from routing.errors import ReceiverUnreachable


class OneAtATime:
    """A queue for each key, kept only as long as somebody is in it."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[asyncio.Future[None]] | None] = {}
        """None as long as nobody has waited for who holds the key."""

    @asynccontextmanager
    async def turn(self, key: Hashable, within_s: float) -> AsyncIterator[None]:
        """To be entered: waits for this key to be free, in the order of asking, and holds it.

        Raises:
            ReceiverUnreachable: those before took too long.
        """
        if not self.take(key):
            await self.wait(key, within_s)
        try:
            yield
        finally:
            self.leave(key)

    def take(self, key: Hashable) -> bool:
        """Hold this key until `leave`, if it is free, as nearly always. False where that takes a `wait`."""
        if key in self._waiting:
            return False
        self._waiting[key] = None
        return True

    async def wait(self, key: Hashable, within_s: float) -> None:
        """Wait for a key that is not free, and hold it until `leave`. Raises as `turn`."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._waiting[key]
        if queue is None:
            queue = self._waiting[key] = deque()
        queue.append(mine)
        try:
            async with asyncio.timeout(within_s):
                await mine
        except (TimeoutError, asyncio.CancelledError) as error:
            if mine.done() and not mine.cancelled():
                self.leave(key)  # the turn came at the very moment of giving up
            if isinstance(error, asyncio.CancelledError):
                raise
            text = "The receiver still has not answered an earlier message about this object"
            raise ReceiverUnreachable(text) from error

    def leave(self, key: Hashable) -> None:
        """Let the next one have this key."""
        queue = self._waiting[key]
        while queue:
            following = queue.popleft()
            if not following.done():  # whoever gave up is in the queue as well
                following.set_result(None)
                return
        del self._waiting[key]

    def __len__(self) -> int:
        return len(self._waiting)
