"""What the processes of a hub counted of messages, as they tell whoever shows it, in Redis.

- `ocpi-hub:{identity}:figures:{form}:parts`   stream: what one process counted within some seconds
- `ocpi-hub:{identity}:figures:{form}:kept`    hash: older figures, summed up over all processes

The form changes with what figures look like, so that old and new hubs, side by side during an upgrade, do not misread
each other's. What a process that is gone has told stays for as long as anything does.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from hub.store.redis import RedisClient, answering

_KEPT_S: Final = 3900
"""A little longer than an hour, which is what whoever begins to show figures reads."""
_MOST: Final = 20_000
_AT_ONCE: Final = 50
_SOON_S: Final = 0.5
BEGINNING: Final = "0-0"


class Told(NamedTuple):
    """One entry of the stream."""

    id: str
    worker: str
    data: bytes


class SharedFigures:
    """The figures of one hub. Methods raise CacheUnreachable."""

    def __init__(self, client: RedisClient, identity: str, form: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._parts = f"ocpi-hub:{{{identity}}}:figures:{form}:parts"

    async def tell(self, worker: str, data: bytes) -> None:
        """Say what this process counted."""
        async with answering(_SOON_S):
            at = await self._client.xadd(
                self._parts, {b"worker": worker, b"data": data}, maxlen=_MOST, approximate=True
            )
            oldest = int(at.split(b"-")[0]) - _KEPT_S * 1000  # by the time of Redis
            await self._client.xtrim(self._parts, minid=oldest, approximate=True)
            await self._client.expire(self._parts, _KEPT_S)

    async def told(self, after: str) -> list[Told]:
        """Some of what processes said after an entry, the oldest first; empty when there is nothing more."""
        async with answering(_SOON_S):
            found = await self._client.xrange(self._parts, min=f"({after}", count=_AT_ONCE)
        return [Told(at.decode(), each[b"worker"].decode(), each[b"data"]) for at, each in found]
