"""What changed, in the order in which it did, as far as somebody may not have been told of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from hub.store.telling_marks import Place
from routing.directory import PartyDirectory, PlatformPart
from routing.vocabulary import Party

END: Final = "~"
"""Behind every name of a place."""


def place_of(revision: int, party: Party, role: str = "") -> Place:
    """Where a party that changed with this revision stands; with a role, where this role of it does."""
    return Place(revision, f"{party.country_code}{party.party_id} {role}")


class News:
    """Each party that changed, at the revision of its last change."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._revisions: dict[Party, int] = {}
        self._order: list[tuple[Place, Party]] = []

    def __len__(self) -> int:
        return len(self._revisions)

    def add(self, parties: Iterable[tuple[int, Party]]) -> bool:
        """Take up parties that changed, with the revisions of their changes. Whether there was anything new."""
        added = []
        for revision, party in parties:
            if revision > self._revisions.get(party, self._after):
                self._revisions[party] = revision
                added.append((place_of(revision, party), party))
        self._order += sorted(added)
        if len(self._order) > 2 * len(self._revisions):
            self._order = [each for each in self._order if self._is_latest(*each)]
        return bool(added)

    def coming(self, told: Place) -> Iterator[tuple[Place, Party]]:
        """What comes from this place on; the party of the place itself, too, which may have another role."""
        name = told.name if told.name.endswith(END) else told.name.partition(" ")[0]
        first = bisect_left(self._order, (Place(told.revision, name),))
        for index in range(first, len(self._order)):
            place, changed = self._order[index]
            if self._is_latest(place, changed):
                yield place, changed

    def forget(self, upto: int) -> None:
        """Everybody was told of everything up to this revision."""
        self._after = upto
        self._revisions.clear()
        self._order.clear()

    def _is_latest(self, place: Place, party: Party) -> bool:
        return self._revisions.get(party) == place.revision


def agreed_since(directory: PartyDirectory, revision: int) -> Iterator[tuple[str, int, Party]]:
    """Who agreed otherwise after a revision: platform by platform, with the revision and the party it was with."""
    for agreement in directory.agreements.changed_since(revision):
        for own, other in ((agreement.a, agreement.b), (agreement.b, agreement.a)):
            entry = directory.entry(own)
            if entry is not None:
                yield entry.platform_id, agreement.revision, other


def changed_in(part: PlatformPart, after: int) -> Iterator[tuple[int, Party]]:
    """The parties of a platform, and those behind it, that changed after a revision."""
    for entries in (part.parties, part.remote.values()):
        for entry in entries:
            if entry.shown_revision > after:
                yield entry.shown_revision, entry.party
