"""Where the readers of lists of everybody's are, as all processes share it in Redis.

A hash for each, and a sorted set of those of each connection, by when they were begun. Nothing in them is personal:
parties, and how long their lists are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hub.store.redis import RedisClient, answering

KEPT_S: Final = 1800
"""How long one is kept that nobody uses."""
MOST: Final = 8
"""Of one connection."""
_SOON_S: Final = 0.5

_GET: Final = """
local text = redis.call('HGET', KEYS[1], 'text')
if text then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return text
"""
_PUT: Final = """
local held = redis.call('HGET', KEYS[1], 'revision')
if held and held ~= ARGV[2] then return false end
redis.call('HSET', KEYS[1], 'revision', ARGV[2] + 1, 'text', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], 'NX', ARGV[5], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[4])
local dropped = redis.call('ZRANGE', KEYS[2], 0, -1 - ARGV[6])
if #dropped > 0 then redis.call('ZREM', KEYS[2], unpack(dropped)) end
return dropped
"""


class ListSnapshots:
    """Every method raises CacheUnreachable when Redis does not answer soon."""

    def __init__(self, client: RedisClient, identity: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._prefix = f"ocpi-hub:{{{identity}}}:lists:1"

    async def get(self, snapshot_id: str) -> bytes | None:
        """What was put under this id."""
        async with answering(_SOON_S):
            text: bytes | None = await self._client.eval(_GET, 1, self._key(snapshot_id), KEPT_S)
        return text

    async def newest(self, connection_id: str, request: str) -> str | None:
        """The id of the one that this connection began last for this request."""
        async with answering(_SOON_S):
            members: Sequence[bytes] = await self._client.zrange(self._of(connection_id), 0, -1, desc=True)
        found = (member.decode().partition(":") for member in members)
        return next((snapshot_id for its, _, snapshot_id in found if its == request), None)

    async def put(
        self, snapshot_id: str, connection_id: str, request: str, *, text: bytes, revision: int, created: float
    ) -> bool:
        """Put the next revision of one there. False, and nothing done, when another than `revision` is there."""
        async with answering(_SOON_S):
            dropped = await self._client.eval(
                _PUT,
                2,
                self._key(snapshot_id),
                self._of(connection_id),
                *(f"{request}:{snapshot_id}", revision, text, KEPT_S, created, MOST),
            )
            if dropped:
                await self._client.delete(*(self._key(each.decode().partition(":")[2]) for each in dropped))
        return dropped is not None

    def _key(self, snapshot_id: str) -> str:
        return f"{self._prefix}:{snapshot_id}"

    def _of(self, connection_id: str) -> str:
        return f"{self._prefix}:of:{connection_id}"
