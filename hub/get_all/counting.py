"""How long everybody's lists are: what has to be known before the first page, and again at the end.

Each partner is asked for a page of one object, for the count that comes with it. The first is asked for as much as the
requester wants, and so is one of each platform with several parties: it may give out the objects of all of them
whoever is asked for, and then counts once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import Final, NamedTuple

from hub.get_all import whole
from hub.get_all.asked import Asked
from hub.get_all.objects import Belonging
from hub.get_all.upstream import ListPage, Upstream
from hub.hub import Hub
from hub.list_counts import Count
from hub.private_lists import is_of_everybody
from hub.trace import Trace
from routing.dialects import DIALECTS
from routing.errors import ReceiverTimeout, ReceiverUnreachable, RoutingError
from routing.joined_lists import Part
from routing.paging import page_max
from routing.routes import Unit
from routing.vocabulary import Party

_AT_ONCE: Final = 16
_WHOLE_AT_ONCE: Final = 8
_EACH_WITHIN_S: Final = 10.0
_ALL_WITHIN_S: Final = 15.0


class Counted(NamedTuple):
    """What came of counting one list: its length, or the status that says why there is none."""

    length: Count | None
    status: int = 0
    page: ListPage | None = None
    """What came along, where it may be of use."""
    has_siblings: bool = False
    """Objects of other parties of the same platform came along, too."""


_HAS_NO_COUNT: Final = Counted(None)


class Opened(NamedTuple):
    """All lists, counted."""

    parts: list[Part]
    pages: dict[Party, ListPage]
    """The first pages of some of them, by whom they were asked of."""


async def opened(asked: Asked, trace: Trace, hub: Hub) -> Opened:
    """Count everybody's lists. A list that is missing is a part all the same."""
    groups = _by_list(asked, hub)
    found = await counted(asked, groups, _limits(asked, groups), trace, hub)
    result = Opened([], {})
    one_for_all = {group[0].connection.id: group[0].party for group in groups if found[group[0].party].has_siblings}
    for group in groups:
        speaker = group[0]
        its, members = found[speaker.party], group
        if one_for_all.get(speaker.connection.id, speaker.party) != speaker.party:
            continue  # its objects are in the list of another one
        if its.has_siblings:
            hub.list_counts.note_ignoring(speaker.connection.id, asked.module)
            others = (unit for other in groups if other[0].connection is speaker.connection for unit in other)
            members = [*group, *(unit for unit in others if unit not in group)]
        parties = tuple(unit.party for unit in members)
        count = its.length or Count(0, is_spooled=False)
        result.parts.append(Part(parties, count.total, its.status, count.is_spooled))
        if its.page is not None and not count.is_spooled:
            result.pages[speaker.party] = its.page
    return result


def _by_list(asked: Asked, hub: Hub) -> list[list[Unit]]:
    """The units that share one list, each group with the one in front that is asked for it."""
    groups: dict[tuple[str, Party | None], list[Unit]] = {}
    for unit in asked.units.values():
        one = not DIALECTS[unit.connection.version].routing_headers
        one = one or hub.list_counts.ignores_receivers(unit.connection.id, asked.module)
        groups.setdefault((unit.connection.id, None if one else unit.party), []).append(unit)
    return [sorted(group, key=lambda unit: unit.is_offline) for group in groups.values()]


def _limits(asked: Asked, groups: Sequence[Sequence[Unit]]) -> dict[Party, int]:
    """Of whom more than a count is asked: the first of all, and the first of several over one connection."""
    speakers = [group[0] for group in groups if not group[0].is_offline]
    over = Counter(unit.connection.id for unit in speakers)
    firsts = {unit.connection.id: unit for unit in reversed(speakers) if over[unit.connection.id] > 1}
    return {unit.party: asked.page.limit for unit in (*speakers[:1], *firsts.values())}


async def counted(
    asked: Asked,
    groups: Iterable[Sequence[Unit]],
    limits: Mapping[Party, int],
    trace: Trace,
    hub: Hub,
    *,
    afresh: bool = False,
) -> dict[Party, Counted]:
    """Count these lists, by the party that is asked. `afresh`: what was counted a moment ago does not do."""
    some, whole_ones = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_WHOLE_AT_ONCE)
    until = monotonic() + _ALL_WITHIN_S
    results: dict[Party, Counted] = {}

    async def one(group: Sequence[Unit]) -> None:
        unit = group[0]
        upstream = Upstream(asked, unit, trace)
        counting = _Counting(upstream, [each.party for each in group], hub)
        found = _HAS_NO_COUNT
        if not is_of_everybody(asked.kind, unit.connection):
            async with some:
                found = await counting.asked_for(limits.get(unit.party, 1), until, afresh=afresh)
        if found is _HAS_NO_COUNT:
            async with whole_ones:
                found = await counting.read_whole()
        results[unit.party] = found

    tasks = []
    for group in groups:
        if group[0].is_offline:
            results[group[0].party] = Counted(None, ReceiverUnreachable.ocpi_status)
        else:
            tasks.append(asyncio.create_task(one(group), name="counting a list"))
    began = monotonic()
    await _all_of(tasks)
    trace.upstream_s += monotonic() - began
    return results


async def _all_of(tasks: Sequence[asyncio.Task[None]]) -> None:
    try:
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        for task in tasks:
            task.cancel()
    for outcome in outcomes:
        if outcome is not None:
            raise outcome


class _Counting:
    """The counting of one list."""

    def __init__(self, upstream: Upstream, parties: Sequence[Party], hub: Hub) -> None:
        self._upstream = upstream
        self._belonging = Belonging(upstream.asked, parties, upstream, hub)
        self._hub = hub

    async def asked_for(self, limit: int, until: float, *, afresh: bool) -> Counted:
        """The count that comes with a page of this length, if it comes before `until`."""
        counts, key, left_s = self._hub.list_counts, self._key(), until - monotonic()
        known = counts.get(key)
        if known is not None and known.is_spooled:
            return _HAS_NO_COUNT
        if known is not None and not afresh:
            return Counted(known)
        if left_s <= 0:
            return Counted(None, ReceiverTimeout.ocpi_status)
        try:
            page = await self._upstream.page(0, limit, self._hub, within_s=min(left_s, _EACH_WITHIN_S))
        except RoutingError as error:
            return Counted(None, error.ocpi_status)
        if page.total is None or not self._has_places(page, page.total):
            counts.put(key, Count(0, is_spooled=True))
            return _HAS_NO_COUNT
        count = Count(page.total, is_spooled=False)
        counts.put(key, count)
        if limit == 1:
            return Counted(count)
        for item in page.items:
            self._belonging.is_wanted(item)
        return Counted(count, 0, page, self._belonging.saw_sibling)

    async def read_whole(self) -> Counted:
        """The count of a list that has to be read first."""
        try:
            spool = await whole.read(self._upstream, self._hub)
            places = await whole.view(spool, self._upstream, self._belonging, self._hub)
        except RoutingError as error:
            return Counted(None, error.ocpi_status)
        return Counted(Count(len(places), is_spooled=True))

    def _has_places(self, page: ListPage, total: int) -> bool:
        """Whether the list has a length that can be believed, and pages that can be asked for by their place."""
        if page.link is not None:
            return page.following is not None and total > len(page.items)
        gives_all = len(page.items) == total > page_max(self._upstream.asked.module, self._hub.settings.page_max)
        return not gives_all  # one that gives a long list each time is better asked once

    def _key(self) -> tuple[str, ...]:
        asked, unit = self._upstream.asked, self._upstream.unit
        return (unit.connection.id, *unit.party, asked.name(self._hub))
