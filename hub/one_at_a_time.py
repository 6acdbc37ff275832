"""What must not overlap for one object, although messages about it arrive at the same time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Hashable
from typing import Any

from routing.errors import ReceiverUnreachable


class Turn:
    """One turn. Not a generator: most wait for nobody, and would wait for that."""

    __slots__ = ("_key", "_queues", "_within_s")

    def __init__(self, queues: OneAtATime, key: Hashable, within_s: float) -> None:
        self._queues = queues
        self._key = key
        self._within_s = within_s

    def __aenter__(self) -> Coroutine[Any, Any, None]:
        return self._queues.enter(self._key, self._within_s)

    async def __aexit__(self, *_: object) -> None:
        self._queues.leave(self._key)


class OneAtATime:
    """A queue for each key, kept only as long as somebody is in it."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    def turn(self, key: Hashable, within_s: float) -> Turn:
        """To be entered: waits for this key to be free, in the order of asking, and holds it.

        Raises:
            ReceiverUnreachable: those before took too long.
        """
        return Turn(self, key, within_s)

    async def enter(self, key: Hashable, within_s: float) -> None:
        """Wait for this key to be free, and hold it until `leave`. Raises as `turn`."""
        if key in self._waiting:
            await self._wait(key, within_s)
        else:
            self._waiting[key] = deque()

    async def _wait(self, key: Hashable, within_s: float) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(mine)
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
