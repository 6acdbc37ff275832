"""What the deliveries of one broadcast have in common: a translation is made once for all receivers that are alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from routing.errors import HubError
from routing.translation.crossing import AnsweredByHub

T = TypeVar("T")


class SharedTranslations(Generic[T]):
    """The translations of one body, or why it has none."""

    def __init__(self) -> None:
        self._made: dict[Hashable, asyncio.Future[T | Exception | None]] = {}
        self._is_noted = False

    async def get(self, likeness: Hashable, make: Callable[[], Awaitable[T]], is_personal: Callable[[], bool]) -> T:
        """What `make` gives, once for all of one likeness.

        `is_personal` tells afterwards whether that holds for this one receiver only. Then each makes its own.

        Raises:
            HubError, AnsweredByHub: what `make` raises.
        """
        found = self._made.get(likeness)
        if found is None:
            return await self._first(likeness, make, is_personal)
        result = await asyncio.shield(found)
        if result is None:
            return await make()
        if isinstance(result, Exception):
            raise result.with_traceback(None)  # or it would remember everybody who met it
        return result

    def is_new(self) -> bool:
        """Whether nobody has noted yet what the body itself is like; true once."""
        was, self._is_noted = self._is_noted, True
        return not was

    async def _first(self, likeness: Hashable, make: Callable[[], Awaitable[T]], is_personal: Callable[[], bool]) -> T:
        promised = self._made[likeness] = asyncio.get_running_loop().create_future()
        kept: T | Exception | None = None
        try:
            result = kept = await make()
        except (HubError, AnsweredByHub) as error:
            kept = error
            raise
        finally:
            promised.set_result(None if kept is None or is_personal() else kept)
        return result
