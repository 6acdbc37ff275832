"""One page of the whole, read from the lists that it is made of.

Each is asked for just what is wanted of it; several at once, as far as they are in the page. A page has at most so many
objects as were asked for, and ends early when it gets too large, takes too long, or needs too many calls: the link to
the next one begins where it ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Final, NamedTuple

from msgspec import Raw, Struct, field

from hub.get_all import whole
from hub.get_all.asked import Asked
from hub.get_all.counting import counted
from hub.get_all.objects import Belonging, chosen
from hub.get_all.upstream import ListPage, Upstream
from hub.hub import Hub
from hub.trace import Trace
from routing.errors import NotRoutable, ReceiverTimeout, ReceiverUnreachable, RoutingError
from routing.joined_lists import Part, Read, Seen, Snapshot, ended, missed, reads, taken, to_count_again
from routing.routes import Unit
from routing.vocabulary import Party

_AHEAD: Final = 8
_MOST_CALLS: Final = 32
_MOST_BYTES: Final = 8 * 1024 * 1024
_LONGEST_S: Final = 20.0


class Page(Struct):
    """What was read."""

    position: int
    """Where reading goes on."""
    pieces: list[bytes] = field(default_factory=list)
    """The objects, as JSON."""
    omitted: list[str] = field(default_factory=list)
    """Ids of objects that the requester's version cannot express."""
    positions: int = 0
    """How many positions were read; those that are empty do not count."""


class _Fetched(NamedTuple):
    """What came of one call."""

    items: list[Raw] | list[bytes]
    seen: Seen
    answered_at: str | None


class Pages:
    """The reading of one page of a snapshot. `first` are pages that are there already, by whom they were asked of."""

    def __init__(
        self, asked: Asked, snapshot: Snapshot, trace: Trace, hub: Hub, first: Mapping[Party, ListPage]
    ) -> None:
        self._asked = asked
        self._snapshot = snapshot
        self._trace = trace
        self._hub = hub
        self._first = first
        self._calls = 0
        self._bytes = 0
        self._began = monotonic()
        self._under_way: dict[Read, asyncio.Task[_Fetched]] = {}
        self._counted: set[int] = set()
        self._given: dict[int, set[bytes]] = {}
        """What the page has already, by list."""

    async def read(self, offset: int, limit: int) -> Page:
        """The page at this position.

        Raises:
            RoutingError: a list cannot be read, and the requester wants none without it.
        """
        page = Page(offset)
        try:
            await self._fill(page, limit)
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        return page

    async def _fill(self, page: Page, limit: int) -> None:
        snapshot = self._snapshot
        while page.positions < limit or (not page.pieces and not self._is_enough):
            if page.positions and self._is_enough:
                return
            todo = reads(snapshot, page.position, limit - page.positions % limit, _AHEAD)
            if todo:
                await self._step(todo, page)
            elif snapshot.is_closed or page.position > snapshot.positions:
                page.position = max(page.position, snapshot.positions)
                return
            else:
                page.position = await self._end()
        if page.position == snapshot.positions and not snapshot.is_closed:
            page.position = await self._end()

    @property
    def _is_enough(self) -> bool:
        took_s = monotonic() - self._began
        return self._calls >= _MOST_CALLS or self._bytes > _MOST_BYTES or took_s > _LONGEST_S

    async def _step(self, todo: list[Read], page: Page) -> None:
        """Read what is next, and meanwhile what follows."""
        read = todo[0]
        index = self._snapshot.segments[read.segment].part
        upstream = self._upstream(index)
        if upstream is None:
            self._missing(read, ReceiverUnreachable.ocpi_status)
            return
        try:
            fetched = await self._fetched(todo)
        except RoutingError as error:
            self._missing(read, error.ocpi_status)
            return
        self._counted.add(index)
        progress = taken(self._snapshot, read, fetched.seen)
        if progress is None:
            if self._is_enough and not page.positions:  # it gets shorter with every look
                self._missing(read, NotRoutable.ocpi_status)
            return
        items = fetched.items[progress.first : progress.end]
        belonging = Belonging(self._asked, self._snapshot.parts[index].parties, upstream, self._hub)
        new = await chosen(self._unless_given(index, items), fetched.answered_at, upstream, belonging, self._hub)
        if belonging.saw_sibling:
            self._hub.list_counts.note_ignoring(upstream.connection.id, self._asked.module)
        page.pieces += new.pieces
        page.omitted += new.omitted
        self._bytes += sum(map(len, new.pieces))
        page.positions += progress.read
        page.position = progress.position

    def _unless_given(self, index: int, items: list[Raw] | list[bytes]) -> list[bytes]:
        """Without what the page has of a list already: one that got shorter is read again from further ahead."""
        given = self._given.setdefault(index, set())
        found = [item for item in map(bytes, items) if item not in given]
        given.update(found)
        return found

    def _upstream(self, index: int) -> Upstream | None:
        """Who has this list, as far as the requester may still read it, and it is there."""
        part = self._snapshot.parts[index]
        unit = _unit_of(part, self._asked)
        return None if unit is None or unit.is_offline else Upstream(self._asked, unit, self._trace)

    def _missing(self, read: Read, status: int) -> None:
        party = self._snapshot.parts[self._snapshot.segments[read.segment].part].parties[0]
        if not self._asked.is_partial_allowed:
            raise missing_list(party, status)
        missed(self._snapshot, read, status)

    # ------------------------------------------------------------ calls

    async def _fetched(self, todo: list[Read]) -> _Fetched:
        read = todo[0]
        stale = [each for each in self._under_way if each not in todo]
        for each in stale:
            self._under_way.pop(each).cancel()
        for each in todo:
            upstream = self._upstream(self._snapshot.segments[each.segment].part)
            has_room = each is read or self._calls < _MOST_CALLS
            if each not in self._under_way and upstream is not None and has_room:
                task = self._under_way[each] = asyncio.create_task(self._call(each, upstream), name="reading a list")
                task.add_done_callback(_look_at)  # it may turn out that nobody needs it
        task = self._under_way.pop(read)
        began = monotonic()
        try:
            return await task
        finally:
            task.cancel()
            self._trace.upstream_s += monotonic() - began

    async def _call(self, read: Read, upstream: Upstream) -> _Fetched:
        part = self._snapshot.parts[self._snapshot.segments[read.segment].part]
        if part.is_spooled:
            return await self._of_whole(read, part, upstream)
        ready = self._first.get(upstream.unit.party)
        if ready is not None and read.offset == 0 and read.limit <= ready.limit:
            return _of(ready)
        self._calls += 1
        try:
            page = await upstream.page(read.offset, read.limit, self._hub, within_s=_LONGEST_S)
        except ReceiverUnreachable:  # it may just have closed a connection
            page = await upstream.page(read.offset, read.limit, self._hub, within_s=_LONGEST_S)
        return _of(page)

    async def _of_whole(self, read: Read, part: Part, upstream: Upstream) -> _Fetched:
        belonging = Belonging(self._asked, part.parties, upstream, self._hub)
        spool = await whole.read(upstream, self._hub)
        places = await whole.view(spool, upstream, belonging, self._hub)
        items = await asyncio.to_thread(spool.read, places[read.offset : read.offset + read.limit])
        return _Fetched(items, Seen(len(items), len(places)), spool.answered_at)

    async def _end(self) -> int:
        """What has come since the beginning is added. Returns where it begins."""
        snapshot, asked = self._snapshot, self._asked
        indexes = to_count_again(snapshot, self._counted)
        date_to = asked.page.date_to
        if date_to is not None and date_to.timestamp() <= snapshot.created:
            indexes = [index for index in indexes if snapshot.parts[index].missing]  # nothing can have come
        units = {index: _unit_of(snapshot.parts[index], asked) for index in indexes}
        groups = [[unit] for unit in units.values() if unit is not None]
        found = await counted(asked, groups, {}, self._trace, self._hub, afresh=True)
        counts: dict[int, int] = {}
        for index, unit in units.items():
            its = None if unit is None else found[unit.party]
            if its is not None and its.length is not None:
                counts[index] = its.length.total
                snapshot.parts[index].is_spooled = its.length.is_spooled
            elif its is not None and snapshot.parts[index].missing:
                snapshot.parts[index].missing = its.status
        return ended(snapshot, counts)


def _look_at(task: asyncio.Task[_Fetched]) -> None:
    if not task.cancelled():
        task.exception()


def _of(page: ListPage) -> _Fetched:
    return _Fetched(page.items, Seen(len(page.items), page.total, page.following), page.answered_at)


def _unit_of(part: Part, asked: Asked) -> Unit | None:
    """Who is asked for this list now."""
    units = [asked.units[party] for party in part.parties if party in asked.units]
    return next((unit for unit in units if not unit.is_offline), units[0] if units else None)


def missing_list(party: Party, status: int) -> RoutingError:
    """Why a requester that wants all or nothing gets nothing."""
    match status:
        case ReceiverTimeout.ocpi_status:
            return ReceiverTimeout(f"The list of {party} did not come in time")
        case ReceiverUnreachable.ocpi_status:
            return ReceiverUnreachable(f"The list of {party} cannot be had at present")
        case _:
            return NotRoutable(f"The list of {party} cannot be had: {status}")
