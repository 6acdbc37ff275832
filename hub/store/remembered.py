"""What this process remembers of what was learned, and what it has learned but not written yet.

Groups are kept for a while, and for as long as there is room. A fact is merged into the groups that are here at once;
those that are read later get it on top for as long as it is not written. So a process knows all that it learned itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from math import inf
from time import monotonic
from typing import Any, Final

from hub.store.facts import Fact
from hub.store.shelves import READ_FRESH, Lookup, empty

ROOM: Final = 20_000
"""Groups that are kept."""
TOLD_S: Final = 3600.0
"""How long something that is told again and again is not looked into."""
MOST_TOLD: Final = 100_000
MOST_PENDING: Final = 10_000
"""Facts that wait to be written."""
MOST_PENDING_BYTES: Final = 32 * 1024 * 1024
UNKNOWN: Final[Any] = object()
"""What stands there has not been read."""


_NEVER: Final[tuple[float, Any]] = (-inf, UNKNOWN)


class Reader:
    """One reading of some groups, while it lasts."""

    __slots__ = ("missed", "outdated")

    def __init__(self) -> None:
        self.outdated: set[Lookup] = set()
        """Groups that changed since it began. What it reads there is not kept."""
        self.missed: dict[Lookup, list[Fact]] = {}
        """Facts that were written since it began: it may have looked just before."""


class Remembered:
    """Groups and facts of one process. `clock` gives seconds that never go back."""

    def __init__(self, keep_s: float, clock: Callable[[], float] = monotonic) -> None:
        self.keep_s = keep_s
        """How long what was read, or noted, counts as current."""
        self._clock = clock
        self._groups: dict[Lookup, tuple[float, Any]] = {}
        self._pending: dict[tuple[str, ...], list[Fact]] = {}
        """What is to be written of each row, in the order in which it was noted."""
        self._waiting = 0
        self._about: dict[Lookup, list[Fact]] = {}
        self._bytes = 0
        self._readers: dict[Lookup, set[Reader]] = {}
        self._noted: dict[Lookup, tuple[float, Any]] = {}
        """Of groups nobody asks for: what this process noted itself, which need not be all there is."""
        self._told: dict[int, float] = {}
        """When all facts of a topic were noted. A topic is the hash of what they follow from."""
        self._said: dict[Lookup, tuple[float, int]] = {}
        """Of groups, when every fact was noted that follows from what was said of them last, and the hash of that."""

    # ------------------------------------------------------------ groups

    def get(self, lookup: Lookup) -> Any:  # noqa: ANN401 - a group, or UNKNOWN
        """What stands there, if that is current."""
        read_at, group = self._groups.get(lookup, _NEVER)
        return group if self._clock() - read_at <= self.keep_s else UNKNOWN

    def get_outdated(self, lookup: Lookup) -> Any:  # noqa: ANN401 - a group, or UNKNOWN
        """What stood there when that was read last, however long ago."""
        return self._groups.get(lookup, _NEVER)[1]

    def get_all(self, lookups: Iterable[Lookup]) -> list[Any] | None:
        """What stands at each of these, in their order; None unless all of it is current."""
        since, groups = self._clock() - self.keep_s, []
        for lookup in lookups:
            read_at, group = self._groups.get(lookup, _NEVER)
            if read_at < since:
                return None
            groups.append(group)
        return groups

    def begin_reading(self, lookups: Iterable[Lookup]) -> Reader:
        """Say that these are about to be read."""
        reader = Reader()
        for lookup in lookups:
            self._readers.setdefault(lookup, set()).add(reader)  # many may read the same at once
        return reader

    def is_current(self, lookup: Lookup, reader: Reader) -> bool:
        """Whether nothing has changed there since the reading began."""
        return lookup not in reader.outdated

    def end_reading(self, groups: Mapping[Lookup, Any], reader: Reader) -> dict[Lookup, Any]:
        """Keep what was read, and give it with what is not written yet, or was not when the reading began."""
        complete = {}
        for lookup, group in groups.items():
            for fact in (*reader.missed.get(lookup, ()), *self._about.get(lookup, ())):
                group = fact.merged(group)  # noqa: PLW2901 - the group grows
            complete[lookup] = group
            self._has_ended(lookup, reader)
            if self.is_current(lookup, reader):
                self._put(lookup, group, self._clock())
        return complete

    def give_up_reading(self, lookups: Iterable[Lookup], reader: Reader) -> None:
        """Say that nothing could be read."""
        for lookup in lookups:
            self._has_ended(lookup, reader)

    def _has_ended(self, lookup: Lookup, reader: Reader) -> None:
        readers = self._readers.get(lookup, set())
        readers.discard(reader)
        if not readers:
            self._readers.pop(lookup, None)

    def _outdate(self, lookup: Lookup) -> None:
        for reader in self._readers.get(lookup, ()):
            reader.outdated.add(lookup)

    def forget(self, lookups: Iterable[Lookup]) -> None:
        """Others have changed these."""
        for lookup in lookups:
            self._groups.pop(lookup, None)
            self._outdate(lookup)
            self._noted.pop(lookup, None)
            self._said.pop(lookup, None)

    def forget_all(self) -> None:
        """Others may have changed anything."""
        self._groups.clear()
        for lookup in self._readers:
            self._outdate(lookup)
        self._noted.clear()
        self._said.clear()

    def _put(self, lookup: Lookup, group: Any, read_at: float) -> None:  # noqa: ANN401 - any group
        if lookup.shelf in READ_FRESH:
            return
        self._groups.pop(lookup, None)
        if len(self._groups) >= ROOM:
            del self._groups[next(iter(self._groups))]
        self._groups[lookup] = read_at, group

    # ------------------------------------------------------------ what was told

    def is_told(self, topic: int) -> bool:
        """Whether all facts of a topic were noted within the last hour."""
        told_at = self._told.get(topic)
        return told_at is not None and self._clock() - told_at <= TOLD_S

    def tell(self, topic: int) -> None:
        """Say that they were noted just now."""
        self._told.pop(topic, None)
        if len(self._told) >= MOST_TOLD:
            del self._told[next(iter(self._told))]
        self._told[topic] = self._clock()

    def was_said_last(self, lookup: Lookup, said: int) -> bool:
        """Whether just this was said of the group not long ago, and nothing else was noted of it since.

        `said` is its hash.
        """
        found = self._said.get(lookup)
        return found is not None and found[1] == said and self._clock() - found[0] <= self.keep_s

    def say(self, lookup: Lookup, said: int) -> None:
        """Say that its facts were noted just now."""
        self._said.pop(lookup, None)
        if len(self._said) >= ROOM:
            del self._said[next(iter(self._said))]
        self._said[lookup] = self._clock(), said

    # ------------------------------------------------------------ facts

    def note(self, fact: Fact) -> bool:
        """Take up a fact that will be written later. False when there is no room for it.

        What current groups say already is no news, and takes no room. Neither is what was noted not long ago of a
        group that nobody reads.
        """
        merged = self._merged(fact)
        if merged is None:
            return True
        if self._waiting >= MOST_PENDING or self._bytes + fact.size > MOST_PENDING_BYTES:
            return False
        self._groups.update(merged)
        for lookup in fact.lookups:
            self._said.pop(lookup, None)
            self._about.setdefault(lookup, []).append(fact)
            if lookup not in merged:
                noted = self._own(fact, lookup)
                self.forget((lookup,))
                self._keep_own(lookup, noted)
        self._pending.setdefault(fact.row, []).append(fact)
        self._waiting += 1
        self._bytes += fact.size
        return True

    def _merged(self, fact: Fact) -> dict[Lookup, tuple[float, Any]] | None:
        """The groups that are here, with this fact in them; None when all are here, and it is no news to any."""
        merged: dict[Lookup, tuple[float, Any]] = {}
        is_news = not fact.lookups
        for lookup in fact.lookups:
            known = self.get(lookup)
            if known is UNKNOWN:
                is_news |= self._own(fact, lookup) is not self._noted.get(lookup, _NEVER)[1]
                continue
            group = fact.merged(known)
            is_news |= group != known
            merged[lookup] = self._groups[lookup][0], group
        return merged if is_news else None

    def _own(self, fact: Fact, lookup: Lookup) -> Any:  # noqa: ANN401 - a group
        """What this process has noted of a group, with this fact in it; the very same when that is no news."""
        noted_at, group = self._noted.get(lookup, _NEVER)
        if self._clock() - noted_at > self.keep_s:
            return fact.merged(empty(lookup.shelf))
        merged = fact.merged(group)
        return group if merged == group else merged

    def _keep_own(self, lookup: Lookup, group: Any) -> None:  # noqa: ANN401 - a group
        if len(self._noted) >= ROOM:
            del self._noted[next(iter(self._noted))]
        self._noted[lookup] = self._clock(), group

    @property
    def is_written(self) -> bool:
        """Whether nothing waits to be written."""
        return not self._pending

    def oldest(self, most: int) -> list[Fact]:
        """Facts to write next, in one transaction: of so many rows, the one that has waited longest.

        A second one about the same row, as the answer to a message brings, waits and holds up nobody else's.
        """
        return [facts[0] for facts in islice(self._pending.values(), most)]

    def written(self, facts: Collection[Fact]) -> None:
        """These, which were the oldest of their rows, are written, or given up."""
        for fact in facts:
            _, *later = self._pending.pop(fact.row)
            if later:
                self._pending[fact.row] = later
            self._waiting -= 1
            self._bytes -= fact.size
            for lookup in fact.lookups:
                for reader in self._readers.get(lookup, ()):
                    reader.outdated.add(lookup)
                    reader.missed.setdefault(lookup, []).append(fact)
                waiting = self._about[lookup]
                waiting.remove(fact)
                if not waiting:
                    del self._about[lookup]
