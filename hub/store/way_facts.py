"""Facts about who an id leads to, see `routing.clues.Index`. Otherwise as those in `hub.store.facts`."""

from __future__ import annotations

from datetime import datetime

from hub.store.facts import REFRESH, Fact
from hub.store.shelves import MOST_DETAILS, MOST_WAYS, KnownWay, Lookup, ways
from routing.clues import Index
from routing.vocabulary import Party


class WayLearned(Fact, frozen=True):
    """Something leads to a party. A party that was not known joins the others, it never takes their place."""

    index: Index
    key: tuple[str, ...]
    """As in `routing.clues.Index`, in upper case."""
    party: Party
    at: datetime
    until: datetime | None = None
    """When it ends; None for as long as the party stays."""
    details: tuple[str, ...] = ("",)
    """In upper case."""

    @property
    def row(self) -> tuple[str, ...]:
        """The party, with what is told of it."""
        return "way", self.index, *self.key, *self.party, *self.details

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """All that it leads to."""
        return (ways(self.index, self.key),)

    def merged(self, group: tuple[KnownWay, ...]) -> tuple[KnownWay, ...]:
        """With this one in front, if it is news."""
        found = next((known for known in group if known.party == self.party), None)
        if found is None:
            return (KnownWay(self.party, self.details[:MOST_DETAILS], self.at, self.until), *group)[:MOST_WAYS]
        more = tuple(each for each in self.details if each not in found.details)
        if not more and not self._is_renewed(found, first=found is group[0]):
            return group
        until = None if self.until is None or found.until is None else max(self.until, found.until)
        now = KnownWay(self.party, (*more, *found.details)[:MOST_DETAILS], self.at, until)
        return (now, *(known for known in group if known is not found))

    def _is_renewed(self, known: KnownWay, *, first: bool) -> bool:
        """Whether it counts that this was learned once more. Of profiles it is asked who came last."""
        if self.index is Index.PROFILE and not first:
            return self.at > known.at
        if self.until is None or known.until is None:
            return False
        return self.at - known.at >= REFRESH or self.until - known.until >= REFRESH


class WayLost(Fact, frozen=True):
    """Something leads to a party no more."""

    index: Index
    key: tuple[str, ...]
    party: Party

    @property
    def row(self) -> tuple[str, ...]:
        """As of a way without details: only such ways get lost."""
        return "way", self.index, *self.key, *self.party, ""

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """All that it leads to."""
        return (ways(self.index, self.key),)

    def merged(self, group: tuple[KnownWay, ...]) -> tuple[KnownWay, ...]:
        """Without it."""
        return tuple(known for known in group if known.party != self.party)
