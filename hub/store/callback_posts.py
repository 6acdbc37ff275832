"""How often results may be posted on one URL of the hub. All processes count together where they share a Redis."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Final

import structlog

from hub.limits import Buckets
from hub.observability import FilteringBoundLogger
from hub.setting_types import RateLimit
from hub.store.redis import CacheUnreachable, RedisClient, answering
from routing.errors import TooManyRequests

log: FilteringBoundLogger = structlog.get_logger()

_LIMITS: Final = ((1, 1), (20, 3600))
"""So many, in so many seconds."""
_SOON_S: Final = 0.15
_COUNT: Final = """
local wait = 0
for i = 1, #KEYS do
    if tonumber(redis.call('GET', KEYS[i]) or '0') >= tonumber(ARGV[2 * i - 1]) then
        wait = math.max(wait, redis.call('PTTL', KEYS[i]), 1)
    end
end
if wait > 0 then return wait end
for i = 1, #KEYS do
    if redis.call('INCR', KEYS[i]) == 1 then redis.call('EXPIRE', KEYS[i], ARGV[2 * i]) end
end
return 0
"""
"""Counts one more where all limits allow it; else it says how many milliseconds to wait."""


class CallbackPosts:
    """One in a second and twenty in an hour. Without an answer of Redis each process counts for itself."""

    def __init__(self, redis: RedisClient | None = None) -> None:
        self._redis: Any = redis  # the two clients have these commands in common, their stubs differ
        self._own = [Buckets(RateLimit(most / seconds, most)) for most, seconds in _LIMITS]

    async def count(self, callback_id: str) -> None:
        """Count one result that is posted on this callback.

        Raises:
            TooManyRequests: there were too many.
        """
        wait = await self._wait(callback_id)
        if wait:
            raise TooManyRequests("Too many results are posted on this URL", math.ceil(wait))

    async def _wait(self, callback_id: str) -> float:
        if self._redis is not None:
            try:
                async with asyncio.timeout(_SOON_S):
                    return await self._counted_together(callback_id)
            except (CacheUnreachable, TimeoutError) as error:
                log.warning("callback_posts_not_shared", reason=str(error) or "no answer in time")
        wait = max(bucket.wait(callback_id) for bucket in self._own)
        if not wait:
            for bucket in self._own:
                bucket.take(callback_id)
        return wait

    async def _counted_together(self, callback_id: str) -> float:
        keys = [f"ocpi-hub:callback-posts:1:{{{callback_id}}}:{seconds}" for _, seconds in _LIMITS]
        async with answering():
            wait = await self._redis.eval(_COUNT, len(keys), *keys, *(each for limit in _LIMITS for each in limit))
        return int(wait) / 1000
