"""Whoever reads many lists as one gets every object that was there all the time, whatever happens to the lists."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.joined_lists import Part, Read, Seen, Snapshot, ended, first_segments, merged, missed, reads, taken
from routing.joined_lists import to_count_again as counted_again
from routing.vocabulary import Party

UNREACHABLE = 4003
EXAMPLES = 3000


class Fetched(NamedTuple):
    objects: list[str]
    seen: Seen


class Upstream:
    """A partner's list, with whatever habits partners have. Between two looks at it, it only grows or only shrinks."""

    def __init__(self, number: int, dice: Random, *, calm: bool) -> None:
        self.party = Party("NL", f"{number:03}")
        self.dice = dice
        self.calm = calm
        self.made = dice.choice([0, 1, 2, 3, 5, 8, 13, 40])
        self.objects = [f"{number}/{index}" for index in range(self.made)]
        self.always = set(self.objects)
        self.page = dice.choice([1, 2, 5, 1000])
        self.ignores_limit = dice.random() < 0.2
        self.ignores_offset = dice.random() < 0.15
        self.links = dice.random() < 0.7
        holds_back = not self.ignores_offset and dice.random() < 0.3
        self.held_back = {each for each in self.objects if holds_back and dice.random() < 0.3}
        self.failures = 0
        self.change: str | None = None
        self.is_read_twice = False

    def changes(self) -> None:
        """Something happens to it, or nothing."""
        what = self.dice.random()
        if self.calm or what > 0.4:
            return
        if what < 0.05:
            self.failures = self.dice.randint(1, 4)
        change = self.change or self.dice.choice(["grows", "shrinks"])
        if change == "grows":
            count = self.dice.randint(1, 4)
            self.objects += [f"{self.party.party_id}+{self.made + index}" for index in range(count)]
            self.made += count
        elif self.objects:
            gone = self.dice.sample(self.objects, min(len(self.objects), self.dice.randint(1, 4)))
            self.objects = [each for each in self.objects if each not in gone]
        self.always &= set(self.objects)
        self.change = change

    def count(self) -> int | None:
        if self.failures:
            self.failures -= 1
            return None
        if not self.is_read_twice:
            self.change = None
        return len(self.objects)

    def read(self, offset: int, limit: int) -> Fetched | None:
        total = self.count()
        if total is None:
            return None
        if self.ignores_offset:
            return Fetched(self.objects, Seen(total, total))
        end = min(total, offset + (self.page if self.ignores_limit else min(limit, self.page)))
        found = [each for each in self.objects[offset:end] if each not in self.held_back]
        following = end if end < total and (self.links or self.held_back) else None
        return Fetched(found, Seen(len(found), total, following))


class Reader:
    """The hub, as far as it reads; with a budget of fetches for each page."""

    def __init__(self, upstreams: list[Upstream], dice: Random) -> None:
        self.upstreams, self.dice = upstreams, dice
        counts = [each.count() for each in upstreams]
        parts = [
            Part((each.party,), count or 0, UNREACHABLE if count is None else 0)
            for each, count in zip(upstreams, counts, strict=True)
        ]
        self.snapshot = Snapshot("x", Party("DE", "MSP"), "c", "locations", 0.0, parts, first_segments(parts))

    def page(self, offset: int, limit: int) -> tuple[list[str], int | None]:
        """The objects of one page, and the offset that its link has."""
        snapshot, position, left, fetches = self.snapshot, offset, limit, self.dice.randint(1, 6)
        found: list[str] = []
        fresh: set[int] = set()
        while left > 0 and (fetches > 0 or position == offset):
            todo = reads(snapshot, position, left, 3)
            if not todo:
                if snapshot.is_closed:
                    position = max(position, snapshot.positions)
                    break
                position = self._end(fresh)
                continue
            read = todo[0]
            index = snapshot.segments[read.segment].part
            self.something_happens()
            fetches -= 1
            fetched = self.upstreams[index].read(read.offset, read.limit)
            if fetched is None:
                missed(snapshot, read, UNREACHABLE)
                continue
            fresh.add(index)
            step = taken(snapshot, read, fetched.seen)
            if step is None:
                continue
            assert step.position > position
            found += fetched.objects[step.first : step.end]
            position, left = step.position, left - step.read
        if position >= snapshot.positions and not snapshot.is_closed:
            position = self._end(fresh)
        return found, position if position < snapshot.positions else None

    def _end(self, fresh: set[int]) -> int:
        self.something_happens()
        counts = {index: self.upstreams[index].count() for index in counted_again(self.snapshot, fresh)}
        return ended(self.snapshot, {index: count for index, count in counts.items() if count is not None})

    def something_happens(self) -> None:
        for each in self.upstreams:
            each.changes()

    def another_process_reads(self, offset: int, limit: int) -> None:
        """At the same time as this one, which comes to an end later."""
        for each in self.upstreams:
            each.is_read_twice = True
        before = _copy(self.snapshot)
        self.page(offset, limit)
        theirs, self.snapshot = self.snapshot, before
        self.page(offset, limit)
        self.snapshot = merged(theirs, self.snapshot)
        for each in self.upstreams:
            each.is_read_twice = False

    def crawl(self, limit: int) -> list[str]:
        """Everything, from the first page to the last; some pages twice, as clients do."""
        found: list[str] = []
        offset: int | None = 0
        while offset is not None:
            if self.dice.random() < 0.1:
                self.page(offset, limit)
            if self.dice.random() < 0.2:
                self.another_process_reads(self.dice.randint(0, offset), limit)
            objects, following = self.page(offset, limit)
            assert len(objects) <= limit
            assert following is None or following > offset
            found += objects
            offset = following
        return found


def _copy(snapshot: Snapshot) -> Snapshot:
    return msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot)


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 6), limit=st.integers(1, 12))
def test_a_crawl_gives_every_object_that_was_there_from_its_beginning_to_its_end(
    seed: int, count: int, limit: int
) -> None:
    dice = Random(seed)
    upstreams = [Upstream(number, dice, calm=False) for number in range(count)]
    reader = Reader(upstreams, dice)

    found = reader.crawl(limit)

    missing = {party for party, _ in reader.snapshot.missing}
    for each in upstreams:
        if each.party not in missing:
            assert each.always - each.held_back <= set(found), each.__dict__


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 6), limit=st.integers(1, 12))
def test_lists_that_stay_as_they_are_are_read_without_repetition(seed: int, count: int, limit: int) -> None:
    dice = Random(seed)
    upstreams = [Upstream(number, dice, calm=True) for number in range(count)]
    for each in upstreams:
        each.held_back.clear()
    reader = Reader(upstreams, dice)

    found = reader.crawl(limit)

    assert found == [each for upstream in upstreams for each in upstream.objects if each not in upstream.held_back]
    assert reader.snapshot.total == sum(len(each.objects) for each in upstreams)


def joined(*totals: int) -> Snapshot:
    parts = [Part((Party("NL", f"{number:03}"),), total) for number, total in enumerate(totals)]
    return Snapshot("x", Party("DE", "MSP"), "c", "locations", 0.0, parts, first_segments(parts))


def test_one_page_is_read_from_several_lists_ahead() -> None:
    assert reads(joined(3, 0, 4, 2), 0, 8, 8) == [Read(0, 0, 3), Read(1, 0, 4), Read(2, 0, 1)]
    assert reads(joined(3, 0, 4, 2), 4, 100, 2) == [Read(1, 1, 3), Read(2, 0, 2)]
    assert reads(joined(3, 0, 4, 2), 9, 100, 8) == []


def test_a_list_that_lost_an_object_is_read_again_from_one_earlier() -> None:
    snapshot = joined(5, 2)
    [read] = reads(snapshot, 3, 2, 1)

    assert read == Read(0, 3, 2)
    assert taken(snapshot, read, Seen(1, 4)) is None
    assert reads(snapshot, 3, 2, 1) == [Read(0, 2, 2)]
    assert snapshot.total == 6


def test_what_has_come_by_the_end_follows_once() -> None:
    snapshot = joined(5, 2)

    assert ended(snapshot, {0: 6, 1: 2}) == 7
    assert (snapshot.positions, snapshot.total) == (8, 8)
    assert reads(snapshot, 7, 10, 8) == [Read(2, 5, 1)]


def test_a_list_that_could_not_be_read_follows_at_the_end() -> None:
    snapshot = joined(5, 2)
    missed(snapshot, Read(0, 0, 5), UNREACHABLE)

    assert snapshot.missing == [(Party("NL", "000"), UNREACHABLE)]
    assert snapshot.total == 2
    assert reads(snapshot, 0, 10, 8) == [Read(1, 0, 2)]
    assert counted_again(snapshot, {1}) == [0]

    following = ended(snapshot, {0: 3})

    assert snapshot.missing == []
    assert reads(snapshot, following, 10, 8) == [Read(2, 0, 3)]
