"""Which of many rows are shown, where there are more than anybody reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

RATE: Final = 30.0
"""Rows a second that are shown for one filter."""
BURST: Final = 50
"""At once, after a quiet time."""

T = TypeVar("T")


class Allowance:
    """How many rows may go on now. Times are seconds of any clock."""

    def __init__(self, now: float) -> None:
        self._left = float(BURST)
        self._at = now

    def take(self, wanted: int, now: float) -> int:
        """So many of those that are wanted."""
        self._left = min(BURST, self._left + (now - self._at) * RATE)
        self._at = now
        taken = min(wanted, int(self._left))
        self._left -= taken
        return taken


def chosen(rows: Sequence[T], most: int, has_failed: Callable[[T], bool]) -> list[T]:
    """So many of these in their order, evenly spread; none that failed is left out before any that went well."""
    if len(rows) <= most:
        return list(rows)
    failed = [at for at, row in enumerate(rows) if has_failed(row)]
    places = _spread(failed, most)
    if len(places) < most:
        others = sorted(set(range(len(rows))) - set(failed))
        places = sorted(places + _spread(others, most - len(places)))
    return [rows[at] for at in places]


def _spread(places: Sequence[int], most: int) -> list[int]:
    if len(places) <= most:
        return list(places)
    return [places[at * len(places) // most] for at in range(most)]
