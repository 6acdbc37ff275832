"""What this process knows of partners' lists for a little while, so that it need not ask each time."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final, NamedTuple, TypeAlias

COUNTS_FOR_S: Final = 60.0
HABITS_FOR_S: Final = 3600.0
_MOST: Final = 20_000

Key: TypeAlias = tuple[str, ...]


class Count(NamedTuple):
    """How long a list is."""

    total: int
    is_spooled: bool
    """It can only be read as a whole."""


class ListCounts:
    """Counts by list and reader; and which partners give everybody's objects to whoever asks for one party's."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._counts: dict[Key, tuple[Count, float]] = {}
        self._habits: dict[Key, float] = {}

    def get(self, key: Key) -> Count | None:
        """How long this list was when it was last counted, if that is not long ago."""
        count, until = self._counts.get(key, (None, 0.0))
        return count if until > self._clock() else None

    def put(self, key: Key, count: Count) -> None:
        """It has just been counted."""
        if len(self._counts) >= _MOST:
            self._counts.clear()
        self._counts[key] = count, self._clock() + COUNTS_FOR_S

    def ignores_receivers(self, connection_id: str, module: str) -> bool:
        """Whether this partner was seen to give out one list for all of its parties."""
        return self._habits.get((connection_id, module), 0.0) > self._clock()

    def note_ignoring(self, connection_id: str, module: str) -> None:
        """It was seen to do so."""
        if len(self._habits) >= _MOST:
            self._habits.clear()
        self._habits[connection_id, module] = self._clock() + HABITS_FOR_S
