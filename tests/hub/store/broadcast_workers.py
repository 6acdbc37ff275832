"""Processes as far as they have broadcasts in hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from hub.store.accepted_broadcasts import AcceptedBroadcasts, Orphan
from hub.store.broadcast_stream import BroadcastStream, Kept
from hub.store.redis import open_redis
from hub.store.vault import Vault
from routing.vocabulary import Secret

KEY: Final = Secret("secret-key-of-the-tests")
CLAIM_AFTER_S: Final = 0.3
CONTENT: Final = b'{"uid":"0102030405"}'
LOCATION: Final = "locations NL*CPO LOC1"
RECEIVERS: Final = ("DE*ONE", "DE*TWO")


class Worker(AcceptedBroadcasts):
    """One process, which notes at whom its broadcasts may begin, and what it takes over."""

    def __init__(self, url: str, name: str, key: Secret = KEY) -> None:
        redis = open_redis(url)
        self.redis: Any = redis
        super().__init__(BroadcastStream(redis, "test", name), Vault(key), claim_after_s=CLAIM_AFTER_S)
        self.begun: dict[str, list[str]] = {}
        self.orphans: list[Orphan] = []

    async def accepts(self, name: str, about: str = LOCATION) -> Kept:
        kept = await self.keep(name, CONTENT, about, f"ids of {name}")
        self.begun[name] = []
        self.take_up(kept, RECEIVERS, self.begun[name].extend)
        return kept

    def delivers(self, kept: Kept, *receivers: str) -> None:
        for receiver in receivers:
            self.done(kept, receiver)

    async def left(self) -> int:
        """How many broadcasts Redis has, and everything else it has of them."""
        entries = int(await self.redis.xlen("ocpi-hub:{test}:broadcasts:1:accepted"))
        others = [
            await self.redis.keys(f"ocpi-hub:{{test}}:broadcasts:*:{name}:*") for name in ("progress", "last", "named")
        ]
        return entries + sum(map(len, others))

    async def goes_on(self) -> None:
        """Look after everything, once."""
        self.orphans += await self.look_after()


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await is_so():  # noqa: ASYNC110 - nobody tells what Redis has
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(url: str, *names: str) -> AsyncIterator[list[Worker]]:
    workers = [Worker(url, name) for name in names]
    try:
        yield workers
    finally:
        for each in workers:
            await each.stop()
            await each.redis.aclose()


async def orphans_of(worker: Worker, *others: Worker) -> list[Orphan]:
    """What a worker takes over, while the others go on."""

    async def found() -> bool:
        for each in (worker, *others):
            await each.goes_on()
        return bool(worker.orphans)

    await eventually(found)
    return worker.orphans
