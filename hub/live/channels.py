"""What those see who watch with the same filter: the last rows, and how many were left out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from hub.live.choosing import Allowance, chosen
from hub.live.matching import matcher
from hub.live.rows import Row, entry_of
from hub.store.journal_entries import JournalEntry
from hub.store.journal_tables import EntryKey

KEPT: Final = 500
"""Rows that a viewer may be behind, or find when it comes back."""


class Shown:
    """One row that viewers get. The same object for all of them, so that what is made of it is made once."""

    __slots__ = ("entry", "row")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.entry: JournalEntry = entry_of(row)


class Gap(NamedTuple):
    """A time of which rows are missing."""

    since: datetime
    until: datetime


class News(NamedTuple):
    """What a viewer has not seen yet."""

    rows: list[Shown]
    left_out: int
    """Rows that fitted and are not among them, nor ever will be."""


class Channel:
    """One filter. `clock` gives seconds."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        self.key = key
        self.viewers = 0
        self.left_at = clock()
        """When the last viewer went."""
        self._matches = matcher(key)
        self._clock = clock
        self._allowance = Allowance(clock())
        self._rows: deque[Shown] = deque()
        self._gone = 0
        """Rows that are not kept any more."""
        self._left_out = 0
        self._news = asyncio.Event()

    def take(self, told: Sequence[Shown], count: int) -> None:
        """Rows of one process, some for other filters, and how many this process had that fit this one."""
        mine = [each for each in told if self._matches(each.row)]
        taken = chosen(mine, self._allowance.take(len(mine), self._clock()), _has_failed)
        self._left_out += max(count, len(mine)) - len(taken)
        self._rows.extend(taken)
        while len(self._rows) > KEPT:
            self._rows.popleft()
            self._gone += 1
        if mine or count:
            self.wake()

    def wake(self) -> None:
        """Have all viewers look."""
        self._news.set()
        self._news = asyncio.Event()

    @property
    def counted(self) -> tuple[int, int]:
        """How many rows there ever were, and how many were left out."""
        return self._gone + len(self._rows), self._left_out

    def since(self, at: int) -> tuple[list[Shown], int]:
        """The rows from this number on, and how many of these are not kept any more."""
        first = max(at - self._gone, 0)
        return [self._rows[each] for each in range(first, len(self._rows))], max(self._gone - at, 0)

    def place_of(self, entry_id: str) -> int | None:
        """The number of the row after this one; None where it is not there any more."""
        places = (at for at in range(len(self._rows) - 1, -1, -1) if self._rows[at].entry.id == entry_id)
        at = next(places, None)
        return None if at is None else self._gone + at + 1

    @property
    def begins(self) -> tuple[int, datetime]:
        """The number of the first row that is kept, and when it came; now, where there is none."""
        return self._gone, self._rows[0].entry.time if self._rows else datetime.now(UTC)

    async def wait(self) -> None:
        """Until there may be something new."""
        await self._news.wait()


class Viewer:
    """One who watches, from now on, or from the row that was seen last. It holds nothing but its place.

    `later_s` is how long it waits when there is something new, so that not all viewers are served in one turn.
    """

    def __init__(self, channel: Channel, last_id: str | None, later_s: float = 0.0) -> None:
        self._channel = channel
        self._later_s = later_s
        self._at, self._left_out = channel.counted
        self.gap: Gap | None = None
        """What came in between, where that is not known any more."""
        seen = None if last_id is None else EntryKey.of(last_id)
        if last_id is None or seen is None:
            return
        place = channel.place_of(last_id)
        if place is None:
            self._at, until = channel.begins
            self.gap = Gap(min(seen.time, until), until)
        else:
            self._at = place

    async def news(self, within_s: float) -> News:
        """What is new; nothing when there is nothing for so long, or it is over."""
        found = self._take()
        if found.rows or found.left_out:
            return found
        try:
            async with asyncio.timeout(within_s):
                await self._channel.wait()
        except TimeoutError:
            return found
        await asyncio.sleep(self._later_s)
        return self._take()

    def _take(self) -> News:
        rows, missed = self._channel.since(self._at)
        ever, left_out = self._channel.counted
        found = News(rows, left_out - self._left_out + missed)
        self._at, self._left_out = ever, left_out
        return found


def _has_failed(shown: Shown) -> bool:
    return shown.entry.failure is not None
