"""What one process has for those who watch, wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import structlog

from hub.live.choosing import Allowance, chosen
from hub.live.matching import Test, matcher
from hub.live.rows import AT, Row
from hub.observability import FilteringBoundLogger

log: FilteringBoundLogger = structlog.get_logger()

_LOT: Final = 2_000
"""Rows that wait to be chosen from; then it is done."""
_FAILURE: Final = AT["failure"]
_KEY: Final = slice(AT["time"], AT["number"] + 1)


class Chosen(NamedTuple):
    """What there was since the last time."""

    rows: tuple[Row, ...]
    """In the order in which their messages came."""
    counts: Mapping[bytes, int]
    """How many fitted each filter."""


class _Want(NamedTuple):
    matches: Test
    allowance: Allowance


class Source:
    """Takes all rows, and gives a few of them. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wants: dict[bytes, _Want] = {}
        self._fresh: list[Row] = []
        self._picked: dict[int, Row] = {}
        self._counts: dict[bytes, int] = {}

    @property
    def is_wanted(self) -> bool:
        """Whether anybody watches."""
        return bool(self._wants)

    def note(self, rows: Sequence[Row]) -> None:
        """Take rows of the journal."""
        if self._wants:
            self._fresh.extend(rows)
            if len(self._fresh) >= _LOT:
                self._choose()

    def want(self, keys: Collection[bytes]) -> None:
        """From now on choose for these filters, and no others."""
        if self._wants.keys() == keys:
            return
        self._choose()
        known, self._wants = self._wants, {}
        for key in keys:
            try:
                self._wants[key] = known.get(key) or _Want(matcher(key), Allowance(self._clock()))
            except msgspec.MsgspecError:
                log.warning("filter_unreadable")

    def take(self) -> Chosen:
        """What there was since this was asked last."""
        self._choose()
        rows = tuple(sorted(self._picked.values(), key=lambda row: row[_KEY]))
        counts, self._picked, self._counts = self._counts, {}, {}
        return Chosen(rows, counts)

    def _choose(self) -> None:
        fresh, self._fresh = self._fresh, []
        if not fresh:
            return
        now = self._clock()
        for key, want in self._wants.items():
            fitting = [row for row in fresh if want.matches(row)]
            if fitting:
                self._counts[key] = self._counts.get(key, 0) + len(fitting)
                most = want.allowance.take(len(fitting), now)
                picked = chosen(fitting, most, lambda row: row[_FAILURE] is not None)
                self._picked.update({id(row): row for row in picked})
