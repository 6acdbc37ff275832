"""What must not overlap for one object, although messages about it arrive at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from routing.errors import ReceiverUnreachable


class OneAtATime:
    """A queue for each key, kept only as long as somebody is in it."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, key: Hashable, within_s: float) -> AsyncIterator[None]:
        """Wait for this key to be free, in the order of asking, and hold it.

        Raises:
            ReceiverUnreachable: those before took too long.
        """
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = lock, users + 1
        try:
            await _acquire(lock, within_s)
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = lock, users - 1

    def __len__(self) -> int:
        return len(self._locks)


async def _acquire(lock: asyncio.Lock, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await lock.acquire()
    except TimeoutError as error:
        raise ReceiverUnreachable("The receiver still has not answered an earlier message about this object") from error
