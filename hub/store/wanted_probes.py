"""Platforms that some process wants looked at soon, handed to the process that leads.

    ocpi-hub:{identity}:probes:1:wanted  set of platform ids

A wish that gets lost costs little: every platform is looked at from time to time.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from hub.store.redis import RedisClient, answering

_KEPT_S: Final = 60
"""How long wishes wait for somebody who leads."""
_AT_ONCE: Final = 1000
_WANT: Final = """
redis.call('SADD', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


class WantedProbes:
    """Without `client` there is one process, and what it wants stays in it.

    Every method raises CacheUnreachable when Redis does not answer.
    """

    def __init__(self, client: RedisClient | None, identity: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._key = f"ocpi-hub:{{{identity}}}:probes:1:wanted"
        self._here: set[str] = set()

    async def want(self, platform_ids: Collection[str]) -> None:
        """Have these looked at."""
        if self._client is None:
            self._here.update(platform_ids)
            return
        ids = list(platform_ids)
        for first in range(0, len(ids), _AT_ONCE):
            async with answering():
                await self._client.eval(_WANT, 1, self._key, _KEPT_S, *ids[first : first + _AT_ONCE])

    async def taken(self) -> set[str]:
        """Those that are wanted. They are the caller's to look at now."""
        if self._client is None:
            taken, self._here = self._here, set()
            return taken
        async with answering():
            return {id_.decode() for id_ in await self._client.spop(self._key, _AT_ONCE)}
