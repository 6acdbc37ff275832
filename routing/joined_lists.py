"""Many lists joined into one, while each of them grows and shrinks: what of whose list is where.

OCPI 2.2.1, "Transport and format", GET All via Hubs and Pagination. A hub that copied everybody's objects to page
through them would need room for all of them. This remembers only how long each list is:

    parts       one for each list: how long it was when last seen, or why it is missing
    segments    one behind the other, each a stretch of one list: at first every list from its beginning to its end

A position in the whole is a place in one segment, and so an offset in one list. It stays so while the lists do. What
happens to them meanwhile:

=========================  =========================================================================================
a list got shorter         what is unread has moved forward by so much at most: reading goes on that much earlier. An
                           object may come twice; none is passed over
a list got longer          new objects stand at its end (the oldest come first, as the chapter advises). When the
                           whole has been read to its end, the ends that were not there at the beginning follow, once
a list could not be read   its segments are passed over; at the end of the whole it is tried once more, and follows
=========================  =========================================================================================

One change hides from this, as it does from anybody who reads pages: an object that goes while another one comes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec
from msgspec import Struct

from routing.vocabulary import Party


class Part(Struct, array_like=True):
    """One list."""

    parties: tuple[Party, ...]
    """Who is asked for it, and then others whose objects are in it, too."""
    total: int = 0
    """Its objects, when last counted."""
    missing: int = 0
    """The OCPI status that says why it cannot be read; 0 when it can."""
    is_spooled: bool = False
    """It cannot be read in parts, and was read as a whole."""


class Segment(Struct, array_like=True):
    """A stretch of one list: its objects from offset `base` on, `length` of them."""

    part: int
    base: int
    length: int
    shift: int = 0
    """How many objects have gone from the list since: so much earlier it has to be read."""

    @property
    def positions(self) -> int:
        """How many it takes in the whole. Some of them are empty once objects have gone."""
        return self.length + self.shift


class Snapshot(Struct):
    """What is remembered while somebody reads the whole. `created` is in seconds since 1970."""

    id: str
    requester: Party
    connection_id: str
    request: str
    """Which list it is: two requests with the same have the same objects in it, in the same order."""
    created: float
    parts: list[Part]
    segments: list[Segment]
    is_closed: bool = False
    """It has been read to its end, and what had come by then was added."""
    revision: int = 0

    @property
    def positions(self) -> int:
        """How many there are."""
        return sum(segment.positions for segment in self.segments)

    @property
    def total(self) -> int:
        """Objects there are, as far as their lists can be read."""
        return sum(part.total for part in self.parts if not part.missing)

    @property
    def missing(self) -> list[tuple[Party, int]]:
        """Whose list cannot be read, and the status that says why."""
        return [(party, part.missing) for part in self.parts if part.missing for party in part.parties]


class Read(NamedTuple):
    """What to read next: so many objects of one list, from an offset in it."""

    segment: int
    offset: int
    limit: int


class Seen(NamedTuple):
    """What came when a list was read."""

    found: int
    """How many objects."""
    total: int | None
    """How long the list is; None when it did not say."""
    following: int | None = None
    """The offset that its link to the next page names."""


class Taken(NamedTuple):
    """Which of the objects that came count, from `first` to before `end`."""

    first: int
    end: int
    read: int
    """How many positions have been read."""
    position: int
    """Where reading goes on."""


def first_segments(parts: list[Part]) -> list[Segment]:
    """All lists that can be read, one behind the other."""
    return [Segment(index, 0, part.total) for index, part in enumerate(parts) if part.total > 0 and not part.missing]


def reads(snapshot: Snapshot, position: int, most: int, ahead: int) -> list[Read]:
    """How to go on reading at this position: up to `most` objects, of up to `ahead` lists at once.

    Nothing when there is nothing any more. What is known to be missing or gone is passed over, and does not count.
    """
    found: list[Read] = []
    under_way: set[int] = set()
    start = 0
    for index, segment in enumerate(snapshot.segments):
        if start + segment.positions > position and not snapshot.parts[segment.part].missing:
            offset = max(segment.base - segment.shift + max(position - start, 0), 0)
            limit = min(_end(snapshot, segment) - offset, most)
            if limit > 0:
                if segment.part in under_way:
                    break  # what is seen of one list must be seen in its order
                under_way.add(segment.part)
                found.append(Read(index, offset, limit))
                most -= limit
                if most == 0 or len(found) == ahead:
                    break
        start += segment.positions
    return found


def _end(snapshot: Snapshot, segment: Segment) -> int:
    """The offset behind the last object of a stretch."""
    return min(segment.base + segment.length, snapshot.parts[segment.part].total)


def taken(snapshot: Snapshot, read: Read, seen: Seen) -> Taken | None:
    """Note what came. None: the list got shorter in the meantime, and has to be read again from further ahead."""
    segment = snapshot.segments[read.segment]
    if seen.total is not None and _counted(snapshot, segment.part, seen.total) > 0 and read.offset > 0:
        return None
    # A partner that does not know offsets sends everything each time.
    first = read.offset if read.offset > 0 and seen.found == seen.total else 0
    end = min(seen.found, first + read.limit)
    count = _read_on(read, seen, end - first)
    start = sum(each.positions for each in snapshot.segments[: read.segment])
    return Taken(first, end, count, start + read.offset + count + segment.shift - segment.base)


def _counted(snapshot: Snapshot, index: int, total: int) -> int:
    """Note how long a list is now. How many objects have gone from it, at least."""
    part = snapshot.parts[index]
    gone, part.total = max(0, part.total - total), total
    for segment in snapshot.segments:
        if segment.part == index:
            segment.shift += gone
    return gone


def _read_on(read: Read, seen: Seen, usable: int) -> int:
    """How much of the list has been read. A partner may hold objects of a page back, and say where the next begins."""
    if seen.following is not None and seen.following > read.offset:
        usable = max(usable, seen.following - read.offset)
    elif usable <= 0:
        usable = read.limit
    return min(usable, read.limit)


def missed(snapshot: Snapshot, read: Read, status: int) -> None:
    """Note that a list cannot be read, and why."""
    snapshot.parts[snapshot.segments[read.segment].part].missing = status


def to_count_again(snapshot: Snapshot, fresh: Collection[int]) -> list[int]:
    """The parts to be counted at the end of the whole. `fresh` are those just read."""
    return [index for index, part in enumerate(snapshot.parts) if part.missing or index not in fresh]


def ended(snapshot: Snapshot, counts: Mapping[int, int]) -> int:
    """Add what has come since the whole was begun, now that it has been read to its end. This happens once.

    Returns the position where that begins.

    `counts` are how long lists are now, by the index of their part; one that was missing and has a count here can be
    read again. What is not in it is as it was when it was last read.
    """
    added: list[Segment] = []
    for index, part in enumerate(snapshot.parts):
        count = counts.get(index, part.total)
        read_up_to = 0
        if not part.missing:
            ends = [_end(snapshot, segment) for segment in snapshot.segments if segment.part == index]
            # Wherever objects have gone since, what was not read has moved forward by no more.
            read_up_to = max(0, max(ends, default=0) - max(0, part.total - count))
        elif index not in counts:
            continue
        part.missing = 0
        _counted(snapshot, index, count)
        if count > read_up_to:
            added.append(Segment(index, read_up_to, count - read_up_to))
    snapshot.is_closed = True
    position = snapshot.positions
    snapshot.segments += added
    return position


def merged(stored: Snapshot, mine: Snapshot) -> Snapshot:
    """Both, when two pages were read at the same time: what is in doubt is read twice rather than not at all."""
    longer, other = (mine, stored) if mine.is_closed and not stored.is_closed else (stored, mine)
    result = msgspec.convert(msgspec.to_builtins(longer), Snapshot)
    for segment, its in zip(result.segments, other.segments, strict=False):
        if (segment.part, segment.base) == (its.part, its.base):
            segment.shift = max(segment.shift, its.shift)
    for part, also in zip(result.parts, other.parts, strict=True):
        part.total = max(part.total, also.total)
        if stored.is_closed == mine.is_closed:
            part.missing = part.missing or also.missing
    return result
