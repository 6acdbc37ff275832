"""Messages to and from other hubs that are under way, as all processes share them: one key of Redis for each."""

from __future__ import annotations

from typing import Any, Final

from hub.store.redis import RedisClient, answering

_SOON_S: Final = 0.5


class MessagesUnderWay:
    """Every method raises CacheUnreachable when Redis does not answer soon."""

    def __init__(self, client: RedisClient, identity: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._prefix = f"ocpi-hub:{{{identity}}}:under-way:1"

    async def begin(self, mark: str, seconds: int) -> bool:
        """Note a message for so long at most. False when it is noted already."""
        async with answering(_SOON_S):
            return bool(await self._client.set(f"{self._prefix}:{mark}", "1", ex=seconds, nx=True))

    async def end(self, mark: str) -> None:
        """Forget a message."""
        async with answering(_SOON_S):
            await self._client.delete(f"{self._prefix}:{mark}")
