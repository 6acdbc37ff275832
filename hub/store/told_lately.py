"""What platforms were told lately of others, and what they answered: for people who look, and for nothing else.

The process that leads tells, see `hub.telling`. Of each platform the last hundred are kept for a week: in Redis, where
there is one, in a list for each platform, `ocpi-hub:{identity}:told:1:{platform id}`. While it is away they are lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from hub.observability import FilteringBoundLogger
from hub.store.redis import CacheUnreachable, RedisClient, answering

log: FilteringBoundLogger = structlog.get_logger()

MOST: Final = 100
"""Of one platform."""
_MOST_PLATFORMS: Final = 1000
"""In memory; those told last."""
_KEPT_S: Final = 7 * 86_400
_WRITE_AFTER_S: Final = 0.5
_AT_ONCE: Final = 500
_MOST_WAITING: Final = 20_000
_WRITE: Final = """
for i, key in ipairs(KEYS) do
    redis.call('LPUSH', key, ARGV[i + 2])
    redis.call('LTRIM', key, 0, ARGV[1] - 1)
    redis.call('EXPIRE', key, ARGV[2])
end
"""


class Telling(Struct, frozen=True, array_like=True):
    """One PUT of a ClientInfo."""

    at: datetime
    party: str
    """`NL*ABC`."""
    role: str
    status: str
    outcome: str
    """`delivered`, `refused`, `timeout`, `unreachable` or `failed`."""
    reason: str | None
    """Why it did not arrive."""
    correlation_id: str


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Telling).decode


class ToldLately:
    """The last tellings of each platform. Without Redis those of this process, which is the only one."""

    def __init__(self, client: RedisClient | None, identity: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._prefix = f"ocpi-hub:{{{identity}}}:told:1:"
        self._here: dict[str, deque[Telling]] = {}
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=_MOST_WAITING)
        self._writing: asyncio.Task[None] | None = None

    def note(self, platform_id: str, telling: Telling) -> None:
        """A platform was told of this, or was to be."""
        if self._client is None:
            self._keep(platform_id, telling)
            return
        self._waiting.append((self._prefix + platform_id, _encode(telling)))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon(), name="noting who was told what")

    async def of(self, platform_id: str) -> list[Telling]:
        """What is known of one platform, the last first.

        Raises:
            CacheUnreachable: nobody can tell.
        """
        if self._client is None:
            return [*self._here.get(platform_id, ())]
        async with answering():
            found = await self._client.lrange(self._prefix + platform_id, 0, MOST - 1)
        return [_decode(each) for each in found]

    async def stop(self) -> None:
        """Write what is left, if that can be done at once."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._write()

    def _keep(self, platform_id: str, telling: Telling) -> None:
        lately = self._here.pop(platform_id, None) or deque(maxlen=MOST)
        lately.appendleft(telling)
        self._here[platform_id] = lately
        if len(self._here) > _MOST_PLATFORMS:
            del self._here[next(iter(self._here))]

    async def _write_soon(self) -> None:
        await asyncio.sleep(_WRITE_AFTER_S)
        await self._write()

    async def _write(self) -> None:
        try:
            while self._waiting:
                lot = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
                keys, texts = zip(*lot, strict=True)
                async with answering():
                    await self._client.eval(_WRITE, len(keys), *keys, MOST, _KEPT_S, *texts)
        except CacheUnreachable as error:
            self._waiting.clear()
            log.debug("tellings_not_noted", reason=str(error))
