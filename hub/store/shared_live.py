"""Messages as they end, told by the processes that carry them to those that show them, over Redis.

- `ocpi-hub:{identity}:live:{form}:wants`  channel, which filters somebody watches, said every few seconds
- `ocpi-hub:{identity}:live:{form}:rows`   channel, a few rows of the journal that fit these

Nothing is kept. The form changes with what rows look like.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from hub.store.redis import RedisClient, answering, heard

_SOON_S: Final = 0.5


class SharedLive:
    """The two channels of one hub. Methods raise CacheUnreachable."""

    def __init__(self, client: RedisClient, identity: str, form: str) -> None:
        self._client: Any = client  # the two clients have these commands in common, their stubs differ
        self._wants = f"ocpi-hub:{{{identity}}}:live:{form}:wants"
        self._rows = f"ocpi-hub:{{{identity}}}:live:{form}:rows"

    async def want(self, data: bytes) -> None:
        """Say what is watched here."""
        async with answering(_SOON_S):
            await self._client.publish(self._wants, data)

    async def tell(self, data: bytes) -> None:
        """Say what there was here."""
        async with answering(_SOON_S):
            await self._client.publish(self._rows, data)

    def wants(self) -> AsyncIterator[bytes | None]:
        """None when listening has begun, then what processes say is watched there."""
        return heard(self._client, self._wants)

    def rows(self) -> AsyncIterator[bytes | None]:
        """None when listening has begun, then what processes had. Some gets lost on the way."""
        return heard(self._client, self._rows)
