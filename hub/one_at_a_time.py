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
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, key: Hashable, within_s: float) -> AsyncIterator[None]:
        """Wait for this key to be free, in the order of asking, and hold it.

        Raises:
            ReceiverUnreachable: those before took too long.
        """
        if key in self._waiting:
            await self._wait(key, within_s)
        else:
            self._waiting[key] = deque()
        try:
            yield
        finally:
            self._leave(key)

    async def _wait(self, key: Hashable, within_s: float) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(mine)
        try:
            async with asyncio.timeout(within_s):
                await mine
        except (TimeoutError, asyncio.CancelledError) as error:
            if mine.done() and not mine.cancelled():
                self._leave(key)  # the turn came at the very moment of giving up
            if isinstance(error, asyncio.CancelledError):
                raise
            text = "The receiver still has not answered an earlier message about this object"
            raise ReceiverUnreachable(text) from error

    def _leave(self, key: Hashable) -> None:
        queue = self._waiting[key]
        while queue:
            following = queue.popleft()
            if not following.done():  # whoever gave up is in the queue as well
                following.set_result(None)
                return
        del self._waiting[key]

    def __len__(self) -> int:
        return len(self._waiting)
