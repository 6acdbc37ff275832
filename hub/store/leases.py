"""The lease on Redis that says which process of a hub leads. It has to be renewed, and runs out by itself.

    ocpi-hub:{identity}:leader:1        who has it, for a few seconds
    ocpi-hub:{identity}:leader:1:ended  the number of the term that ended in an orderly way last
    ocpi-hub:{identity}:leader:1:taken  how often it was taken, as far as this Redis remembers

A lease that nobody has may be one that a Redis lost when it was started again, while its holder still counts on it.
So whoever takes one waits until the term before it is over for certain: it ended in an orderly way, or was this
process's own, or its lease was seen to run out and nobody had another in between, or the longest time that a lease
lasts has gone by.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from hub.store.redis import CacheUnreachable, RedisClient, answering

LEASE_S: Final = 5.0
"""How long one lasts that is not renewed."""
_MARGIN_S: Final = 1.0
"""A holder counts on it for this much less, so that its work has ended before another's begins."""
_RENEW_EVERY_S: Final = 1.5
_AGAIN_S: Final = 0.2
_ANSWER_S: Final = 1.0
_KEPT_S: Final = 86_400
_LOOKED_S: Final = 2.0
"""Between two attempts to take it at most, so that the first says something about the second."""

_TAKE: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
    return {0, redis.call('PTTL', KEYS[1]), false, tonumber(redis.call('GET', KEYS[3]) or 0)}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local ended = redis.call('GET', KEYS[2])
redis.call('DEL', KEYS[2])
return {1, 0, ended, redis.call('INCR', KEYS[3])}
"""
_RENEW: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return redis.call('DEL', KEYS[1])
"""


class Lease:
    """The lease of one hub, as this process tries to have it. `name` tells the process from others."""

    def __init__(self, client: RedisClient, identity: str, name: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._name = name
        key = f"ocpi-hub:{{{identity}}}:leader:1"
        self._keys = (key, f"{key}:ended", f"{key}:taken")
        self._sure_until = 0.0
        self._taken_at = 0.0
        self._takings = 0  # as this process saw it when it looked last
        self._is_next = False  # nobody took it between that look and ours
        self._ended = 0  # the last term that is known to have ended
        self._runs_out_at: float | None = None  # another's; none where nothing is known about others

    async def take(self) -> bool:
        """Have the lease, if nobody else has it.

        Raises:
            CacheUnreachable: Redis does not answer.
        """
        asked_at = monotonic()
        try:
            is_ours, left_ms, ended, takings = await self._run(_TAKE, self._name, int(LEASE_S * 1000))
        except CacheUnreachable:
            self._runs_out_at = None
            raise
        self._is_next, self._takings = takings == self._takings + 1, takings
        if not is_ours:
            self._runs_out_at = asked_at + left_ms / 1000
            return False
        self._sure_until = asked_at + LEASE_S - _MARGIN_S
        self._taken_at = monotonic()
        self._ended = max(self._ended, int(ended or 0))
        return True

    def pause_before(self, term: int) -> float:
        """The seconds to wait with a term that was just begun, because the one before it may not be over."""
        if term - 1 == self._ended or self._was_seen_to_run_out:
            return 0.0
        return max(self._taken_at + LEASE_S - monotonic(), 0.0)

    @property
    def _was_seen_to_run_out(self) -> bool:
        """A Redis that lost it would have given it to us before its time, or begun to count anew."""
        return self._is_next and self._runs_out_at is not None and 0 <= self._taken_at - self._runs_out_at <= _LOOKED_S

    async def keep(self) -> None:
        """Renew the lease while that succeeds. Returns, in time, when this process cannot count on it any more."""
        while (left_s := self._sure_until - monotonic()) > 0:
            await asyncio.sleep(min(_RENEW_EVERY_S, left_s))
            while self._sure_until > monotonic():
                with suppress(CacheUnreachable, TimeoutError):
                    async with asyncio.timeout(self._sure_until - monotonic()):
                        if not await self._renewed():
                            return
                        break
                await asyncio.sleep(_AGAIN_S)

    async def release(self, ended: int) -> None:
        """Let others have it. `ended` is the number of the last term in which this process did anything; it is over."""
        self._sure_until, self._runs_out_at = 0.0, None
        self._ended = max(self._ended, ended)
        with suppress(CacheUnreachable):  # then it runs out
            await self._run(_RELEASE, self._name, self._ended, _KEPT_S)

    async def _renewed(self) -> bool:
        asked_at = monotonic()
        if not await self._run(_RENEW, self._name, int(LEASE_S * 1000)):
            return False
        self._sure_until = asked_at + LEASE_S - _MARGIN_S
        return True

    async def _run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401  what a script returns
        async with answering(_ANSWER_S):
            return await self._client.eval(script, len(self._keys), *self._keys, *arguments)
