"""Figures of the last seven days, of each platform and of the whole hub, in a few kilobytes for each.

=====================  ========================================================  ===================================
how long, how finely   of a platform, in and out                                 of its modules and methods
=====================  ========================================================  ===================================
an hour                by the minute: messages, and failures by reason           by five minutes: the same, and times
a day                  by five minutes: the same                                 by the hour
seven days             by the hour: the same                                     by six hours
=====================  ========================================================  ===================================

A platform is kept only while there is anything of it in the last seven days.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias, TypeVar

from hub.figures.cells import (
    COUNT,
    HUB_TIME,
    PARTNER_TIME,
    Cell,
    add,
    failed,
    percentile_ms,
    take_away,
    times_in,
)
from hub.figures.flows import MINUTE_S, Example, Flow
from hub.figures.series import add_to_series, cell_at, forget_before, newest_first, sum_since
from hub.store.journal_entries import Failure

WHOLE_HUB: Final = ""
"""Stands for a platform where the hub as a whole is meant."""
MOST_PLATFORMS: Final = 50_000
_AT_ONCE: Final = 200
"""Platforms between which other work gets its turn."""


class Direction(StrEnum):
    """Seen from a platform."""

    IN = "in"
    """It sent a message to the hub."""
    OUT = "out"
    """The hub called it, or would have."""


class Level(NamedTuple):
    """How long figures are kept, and how finely."""

    step_s: int
    slots: int

    def slot(self, at: float) -> int:
        """The number of the length of time that this moment is in."""
        return int(at) // self.step_s


class Kind(NamedTuple):
    """What is counted together of one platform."""

    direction: Direction
    module: str
    method: str


Series: TypeAlias = tuple[bytearray, bytearray, bytearray]
"""One for each of three levels, the finest first."""

TOTALS: Final = (Level(60, 60), Level(300, 288), Level(3600, 168))
DETAILS: Final = (Level(300, 12), Level(3600, 24), Level(21_600, 28))
_FINEST: Final = DETAILS[0]
_DAY_S: Final = 86_400
_LATE_S: Final = 30.0
"""How long after the end of a minute other processes may still tell of it."""
_Key = TypeVar("_Key")


class PlatformFigures:
    """Of one platform."""

    __slots__ = ("_first", "_late", "details", "examples", "last_hour", "totals")

    def __init__(self) -> None:
        self.totals: dict[Direction, Series] = {}
        self.details: dict[Kind, Series] = {}
        self.last_hour: dict[Direction, Cell] = {Direction.IN: {}, Direction.OUT: {}}
        """The sum of the finest level of details: an hour, and up to five minutes more."""
        self.examples: dict[tuple[Direction, Failure], tuple[float, str]] = {}
        """When each failure happened last, and the id of that message."""
        self._first = 0
        """The oldest slot in that sum."""
        self._late: tuple[int, float | None] = (0, None)

    def count(self, kinds: Mapping[Kind, Cell], at: float) -> None:
        """Take over what was counted in one minute."""
        totals: dict[Direction, Cell] = {}
        for kind, cell in kinds.items():
            self.add_details(kind, cell, at)
            add(plain(cell), totals.setdefault(kind.direction, {}))
        for direction, cell in totals.items():
            self.add_totals(direction, cell, at)

    def add_details(self, kind: Kind, cell: Cell, at: float) -> None:
        """Add a cell of one kind, at each level."""
        series = self.details.setdefault(kind, (bytearray(), bytearray(), bytearray()))
        for each, level in zip(series, DETAILS, strict=True):
            add_to_series(each, level.slot(at), cell)

    def add_totals(self, direction: Direction, cell: Cell, at: float) -> None:
        """Add a cell of everything, at each level."""
        series = self.totals.setdefault(direction, (bytearray(), bytearray(), bytearray()))
        for each, level in zip(series, TOTALS, strict=True):
            add_to_series(each, level.slot(at), cell)

    def forget(self, now: float) -> bool:
        """Drop what is too old; returns whether anything is left."""
        _forget(self.totals, TOTALS, now)
        _forget(self.details, DETAILS, now)
        return bool(self.totals or self.details)

    def leave_the_hour(self, first: int) -> None:
        """Let the last hour begin with this slot."""
        for kind, series in self.details.items():
            for place in newest_first(series[0], self._first):
                if place.slot < first:
                    take_away(cell_at(series[0], place.slot), self.last_hour[kind.direction])
        self._first = first

    def detailed(self, level: int, first: int) -> dict[Kind, Cell]:
        """Of each kind, what was counted from a slot on, of one of the levels of details."""
        found: dict[Kind, Cell] = {}
        for kind, series in self.details.items():
            cell: Cell = {}
            sum_since(series[level], first, cell)
            if cell:
                found[kind] = cell
        return found

    def p95_ms(self) -> float | None:
        """What 95 % of the calls at it in the last hour did not exceed; None where there were too few."""
        called = self.last_hour[Direction.OUT]
        number = called.get(COUNT, 0)
        if self._late[0] != number:
            self._late = (number, percentile_ms(times_in(called, PARTNER_TIME), 0.95))
        return self._late[1]

    def size(self) -> int:
        """Bytes of what was counted."""
        every = (*self.totals.values(), *self.details.values())
        return sum(len(each) for series in every for each in series)


class Rings:
    """The figures of all platforms. Times are seconds since 1970.

    What came last is kept as it is until its minute is over for some time; then it is packed.
    """

    def __init__(self) -> None:
        self.platforms: dict[str, PlatformFigures] = {WHOLE_HUB: PlatformFigures()}
        self._open: dict[int, dict[str, dict[Kind, Cell]]] = {}
        """By minute."""
        self._first = 0
        self._to_look_at: list[str] = []

    async def merge(self, flows: Mapping[Flow, Cell], minute: int, now: float) -> None:
        """Add what was counted in one minute."""
        is_new = _FINEST.slot(minute * MINUTE_S) >= _FINEST.slot(now) - _FINEST.slots
        opened = self._open.setdefault(minute, {})
        for number, (flow, cell) in enumerate(flows.items(), 1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if flow.came_in:
                self._count(flow.sender_platform_id, Kind(Direction.IN, flow.module, flow.method), cell, opened, is_new)
            if flow.called_platform_id:
                kind = Kind(Direction.OUT, flow.module, flow.method)
                self._count(flow.called_platform_id, kind, cell, opened, is_new)

    def _count(
        self, platform_id: str, kind: Kind, cell: Cell, opened: dict[str, dict[Kind, Cell]], is_new: bool
    ) -> None:
        for each in {platform_id, WHOLE_HUB}:
            platform = self.platforms.get(each)
            if platform is None:
                if len(self.platforms) >= MOST_PLATFORMS:
                    continue
                platform = self.platforms[each] = PlatformFigures()
            add(cell, opened.setdefault(each, {}).setdefault(kind, {}))
            if is_new:
                add(cell, platform.last_hour[kind.direction])

    def note(self, example: Example) -> None:
        """Remember the last message that failed in some way."""
        platform = self.platforms.get(example.platform_id)
        if platform is not None:
            key = (Direction.OUT if example.was_called else Direction.IN, example.failure)
            platform.examples[key] = max(platform.examples.get(key, (0.0, "")), (example.at, example.message_id))

    async def settle(self, now: float) -> None:
        """Pack what is over, and drop what is too old."""
        for minute in sorted(self._open):
            if (minute + 1) * MINUTE_S + _LATE_S < now:
                await self._pack(minute)
        await self._forget(now)

    async def _pack(self, minute: int) -> None:
        opened = self._open[minute]
        for number, platform_id in enumerate(list(opened), 1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            platform = self.platforms.setdefault(platform_id, PlatformFigures())
            platform.count(opened.pop(platform_id), minute * MINUTE_S)
        if not opened:  # else more of it has come in the meantime
            del self._open[minute]

    async def _forget(self, now: float) -> None:
        first = _FINEST.slot(now) - _FINEST.slots
        if first > self._first:
            self._first = first
            for number, platform in enumerate(list(self.platforms.values()), 1):
                platform.leave_the_hour(first)
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        if not self._to_look_at:
            self._to_look_at = list(self.platforms)
        some, self._to_look_at = self._to_look_at[:_AT_ONCE], self._to_look_at[_AT_ONCE:]
        for platform_id in some:
            platform = self.platforms[platform_id]
            if not platform.forget(now) and platform_id != WHOLE_HUB and not self._is_open(platform_id):
                del self.platforms[platform_id]

    def _is_open(self, platform_id: str) -> bool:
        return any(platform_id in opened for opened in self._open.values())

    # ------------------------------------------------------------ questions

    def last_hour(self, platform_id: str) -> dict[Direction, Cell]:
        """What was counted of a platform in the last hour, and up to five minutes more, in each direction."""
        platform = self.platforms.get(platform_id)
        return {Direction.IN: {}, Direction.OUT: {}} if platform is None else platform.last_hour

    def detailed(self, platform_id: str, window_s: int, now: float) -> dict[Kind, Cell]:
        """What was counted of each kind in a window, or up to one step of its level more."""
        platform = self.platforms.get(platform_id)
        if platform is None:
            return {}
        at = next(at for at, level in enumerate(DETAILS) if level.step_s * level.slots >= window_s)
        first = DETAILS[at].slot(now - window_s)
        found = platform.detailed(at, first)
        for minute, opened in self._open.items():
            if DETAILS[at].slot(minute * MINUTE_S) >= first:
                for kind, cell in opened.get(platform_id, {}).items():
                    add(cell, found.setdefault(kind, {}))
        return found

    def lately(self, platform_id: str, window_s: int, now: float) -> Cell:
        """The sum of all calls at a platform in a window of at most an hour."""
        total: Cell = {}
        for kind, cell in self.detailed(platform_id, window_s, now).items():
            if kind.direction is Direction.OUT:
                add(cell, total)
        return total

    def days(self, platform_id: str, now: float) -> list[dict[Kind, Cell]]:
        """What was counted of each kind on each of the last seven whole days, by UTC, the oldest first."""
        platform = self.platforms.get(platform_id)
        level = DETAILS[-1]
        today, a_day = int(now) // _DAY_S, _DAY_S // level.step_s
        by_day: dict[int, dict[Kind, Cell]] = {}
        for kind, series in () if platform is None else platform.details.items():
            for place in newest_first(series[-1], (today - 7) * a_day):
                day = place.slot // a_day
                if day < today:
                    add(cell_at(series[-1], place.slot), by_day.setdefault(day, {}).setdefault(kind, {}))
        return [by_day[day] for day in sorted(by_day)]

    def steps(self, platform_id: str, window_s: int, step_s: int, now: float) -> dict[Direction, list[Cell]]:
        """What was counted in each step of a window, the oldest first, each a whole number of steps of some level."""
        at = max(at for at, level in enumerate(TOTALS) if step_s % level.step_s == 0)
        at = next(each for each in range(at + 1) if TOTALS[each].step_s * TOTALS[each].slots >= window_s)
        level, number = TOTALS[at], window_s // step_s
        newest = int(now) // step_s
        found = {direction: [Cell() for _ in range(number)] for direction in Direction}
        platform = self.platforms.get(platform_id)
        for direction, series in () if platform is None else platform.totals.items():
            for place in newest_first(series[at], (newest - number + 1) * step_s // level.step_s):
                index = number - 1 - (newest - place.slot * level.step_s // step_s)
                if index < number:
                    add(cell_at(series[at], place.slot), found[direction][index])
        for minute, opened in self._open.items():
            index = number - 1 - (newest - minute * MINUTE_S // step_s)
            for kind, cell in opened.get(platform_id, {}).items() if 0 <= index < number else ():
                add(plain(cell), found[kind.direction][index])
        return found

    def size(self) -> int:
        """Bytes of what was counted."""
        return sum(each.size() for each in self.platforms.values())


def messages_in(cell: Mapping[int, int]) -> int:
    """How many messages a cell counts."""
    return cell.get(COUNT, 0)


def went_well_in(cell: Mapping[int, int]) -> int:
    """How many of them did not fail."""
    return max(messages_in(cell) - failed(cell), 0)


def plain(cell: Mapping[int, int]) -> Cell:
    """A cell without its times."""
    return {code: number for code, number in cell.items() if code < HUB_TIME}


def _forget(found: dict[_Key, Series], levels: Sequence[Level], now: float) -> None:
    for key, series in list(found.items()):
        for each, level in zip(series, levels, strict=True):
            forget_before(each, level.slot(now) - level.slots)
        if not any(series):
            del found[key]
