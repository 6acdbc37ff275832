"""Circuits as the processes of a hub tell each other of them, in Redis.

One hash has a field for each circuit of each process. What a process that is gone has left there is judged by the time
of Redis, so that no two clocks are compared. An order to close one is a word on a channel.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, Final, NamedTuple

from hub.store.redis import RedisClient, answering, heard

REFRESH_EVERY_S: Final = 5.0
_BELIEVED_S: Final = 3 * REFRESH_EVERY_S
_KEPT_S: Final = 60
_SOON_S: Final = 0.5

_WRITE: Final = """
local time = redis.call('TIME')
for i = 2, #ARGV, 2 do
    if ARGV[i + 1] == '' then
        redis.call('HDEL', KEYS[1], ARGV[i])
    else
        redis.call('HSET', KEYS[1], ARGV[i], time[1] .. '.' .. string.format('%06d', time[2]) .. ' ' .. ARGV[i + 1])
    end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""
_READ: Final = """
local time = redis.call('TIME')
local now, found, held = time[1] + time[2] / 1000000, {}, redis.call('HGETALL', KEYS[1])
for i = 1, #held, 2 do
    local at, text = string.match(held[i + 1], '^(%S+) (.*)$')
    local age = now - tonumber(at)
    if age > tonumber(ARGV[1]) then
        redis.call('HDEL', KEYS[1], held[i])
    else
        table.insert(found, {held[i], string.format('%.3f', math.max(age, 0)), text})
    end
end
return found
"""
_CLOSE: Final = """
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, #ARGV[1] + 1) == ARGV[1] .. '/' then redis.call('HDEL', KEYS[1], field) end
end
redis.call('PUBLISH', KEYS[2], ARGV[1])
"""


class Told(NamedTuple):
    """What one process said of its circuit of a platform."""

    platform_id: str
    age_s: float
    """How long ago."""
    text: bytes


class SharedCircuits:
    """The circuits of one hub. `name` tells this process from others. Methods raise CacheUnreachable."""

    def __init__(self, client: RedisClient, identity: str, name: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._name = name
        self._states = f"ocpi-hub:{{{identity}}}:circuits:1:states"
        self._orders = f"ocpi-hub:{{{identity}}}:circuits:1:orders"

    async def write(self, circuits: Mapping[str, bytes], gone: Collection[str]) -> None:
        """Say what the circuits of these platforms are, and that there is nothing to say of those that are gone."""
        said = dict.fromkeys(gone, b"") | dict(circuits)
        arguments = [part for platform_id, text in said.items() for part in (f"{platform_id}/{self._name}", text)]
        async with answering(_SOON_S):
            await self._client.eval(_WRITE, 1, self._states, _KEPT_S, *arguments)

    async def read(self) -> list[Told]:
        """What all other processes said lately."""
        async with answering(_SOON_S):
            found = await self._client.eval(_READ, 1, self._states, _BELIEVED_S)
        told = ((*field.decode().rpartition("/"), float(age), text) for field, age, text in found)
        return [Told(platform_id, age, text) for platform_id, _, name, age, text in told if name != self._name]

    async def order_closed(self, platform_id: str) -> None:
        """Have every process close its circuit of this platform."""
        async with answering(_SOON_S):
            await self._client.eval(_CLOSE, 2, self._states, self._orders, platform_id)

    async def orders(self) -> AsyncIterator[str]:
        """The platforms whose circuits are to be closed. Some orders get lost when Redis does."""
        async for order in heard(self._client, self._orders):
            if order is not None:
                yield order.decode()
