"""Buckets that all processes of a hub give out of, in Redis. No message waits for it.

Each process gives out of its own copy of a bucket, and tells Redis afterwards what that was: `EVERY_S` after it told
before, at once after a pause, and before its time when a bucket drains fast. One script takes it from the shared
buckets, refills them by the time of Redis, and answers what is left; that replaces the copies. What several processes
gave out at once, and together was too much, stays in the bucket as a debt that all of them wait for. So the rate is
kept in the long run, and in the short run exceeded by what the others can give out before they hear of it.

Libraries for this, such as `limits`, ask their store about each request and wait for the answer.

While Redis does not answer, every process gives out of its own buckets alone. What it gave out then is not told
later: a debt as long as the outage would hit platforms that did nothing wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import structlog

from hub.limits import Buckets
from hub.observability import FilteringBoundLogger
from hub.store.redis import CacheUnreachable, RedisClient, answering
from hub.store.single_flight import cancelled

log: FilteringBoundLogger = structlog.get_logger()

EVERY_S: Final = 0.15
_SOONEST_S: Final = 0.005
"""Between two tellings, however fast a bucket drains."""
_SILENT_S: Final = 1.0
"""How long Redis is not told again after it did not answer."""
_SOON_S: Final = 0.5
_AT_ONCE: Final = 200
"""Buckets of one script: it keeps others of Redis waiting for less than a millisecond."""

_TAKE: Final = """
local time = redis.call('TIME')
local now, levels = time[1] + time[2] / 1000000, {}
for i = 1, #KEYS do
    local given, rate, burst = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    local level, held = burst, redis.call('GET', KEYS[i])
    if held then
        local tokens, at = string.match(held, '^(%S+) (%S+)$')
        level = math.min(burst, tonumber(tokens) + math.max(0, now - tonumber(at)) * rate)
    end
    level = level - given
    local full_in_ms = math.max(1, math.ceil((burst - level) / rate * 1000))
    redis.call('SET', KEYS[i], string.format('%.6f %.6f', level, now), 'PX', full_in_ms)
    levels[i] = string.format('%.6f', level)
end
return levels
"""


class _Given(NamedTuple):
    name: str
    """Of the limit."""
    buckets: Buckets
    key: str
    tokens: float


class SharedBuckets:
    """Keeps these buckets, by the name of their limit, the same in all processes, from `start` to `stop`."""

    def __init__(self, client: RedisClient, identity: str, buckets: Mapping[str, Buckets]) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._prefix = f"ocpi-hub:{{{identity}}}:buckets:1"
        self._buckets = buckets
        self._something = asyncio.Event()
        self._much = asyncio.Event()
        self._is_away = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to share."""
        for buckets in self._buckets.values():
            buckets.listener = self
        self._tasks = [asyncio.create_task(self._keep_telling(), name="sharing limits")]

    async def stop(self) -> None:
        """End. What was given out in the last moment is not told any more."""
        for buckets in self._buckets.values():
            buckets.listener = None
        await cancelled(self._tasks)

    def given(self, *, much: bool) -> None:
        """There is something to tell, at once if it is much."""
        self._something.set()
        if much:
            self._much.set()

    async def _keep_telling(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            self._much.clear()
            try:
                await self._tell()
            except CacheUnreachable as error:
                if not self._is_away:
                    log.warning("limits_not_shared", reason=str(error))
                self._is_away = True
                await asyncio.sleep(_SILENT_S)
                continue
            except Exception:  # a bug in one telling must not end all later ones
                log.exception("limits_not_shared")
            await asyncio.sleep(_SOONEST_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S - _SOONEST_S):
                    await self._much.wait()

    async def _tell(self) -> None:
        """Tell what was given out, and take over what is left."""
        every = [
            _Given(name, each, key, tokens)
            for name, each in self._buckets.items()
            for key, tokens in each.given().items()
        ]
        for begin in range(0, len(every), _AT_ONCE):
            some = every[begin : begin + _AT_ONCE]
            for each, level in zip(some, await self._take(some), strict=True):
                each.buckets.settle(each.key, level)
        if self._is_away:
            log.info("limits_shared_again")
        self._is_away = False

    async def _take(self, given: Sequence[_Given]) -> list[float]:
        """Take from shared buckets what was given out of them; returns what is left in each, which may be a debt."""
        async with answering(_SOON_S):
            keys = (f"{self._prefix}:{each.name}:{each.key}" for each in given)
            levels = await self._client.eval(_TAKE, len(given), *keys, *_arguments(given))
        return list(map(float, levels))


def _arguments(given: Iterable[_Given]) -> Iterator[float]:
    for each in given:
        yield from (each.tokens, each.buckets.limit.per_second, each.buckets.limit.burst)
