"""Who is told, how far each was, and what each is told next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct, field

from hub.store.telling_marks import Mark, Place, Subject, Told
from hub.telling.news import END, News, agreed_since, changed_in, place_of
from routing.client_info import client_info, in_former_role, publishes_payments, shown_former_roles
from routing.dialects import DIALECTS
from routing.directory import Connection, FormerRole, PartyDirectory, PartyEntry, Platform, PlatformPart
from routing.telling import roles_to_tell, told_through, views_after_agreeing, views_to_tell
from routing.vocabulary import ConnectionStatus, Party, Role, Version

PER_RECEIVER: Final = 4
"""PUTs under way to one of them."""

_View: TypeAlias = tuple[Party, Role, ConnectionStatus, datetime]


class Receiver(Struct, eq=False):
    """One platform that wants to be told."""

    platform: Platform
    connection: Connection
    told: dict[Subject, Place]
    """Up to where it was told, or the telling was at least begun."""
    agreed: News
    """The parties with which it agreed otherwise."""
    publishes_payments: bool = False
    """Which roles it has words for depends on it."""
    busy: set[Party] = field(default_factory=set)
    """The parties it is being told of now."""
    answers: bool = True
    """Whether it did the last time. Until it does again, it is told of one at a time."""
    may_have_missed: bool = True
    """Whether something may not have arrived since the last that did."""
    is_waiting: bool = False

    @property
    def has_room(self) -> bool:
        """Whether it may be told of one more."""
        slots = min(PER_RECEIVER, self.connection.quirks.concurrency) if self.answers else 1
        return len(self.busy) < slots


class Push(Struct, frozen=True, eq=False):
    """What one platform is to be told of one role of one party."""

    receiver: Receiver
    subject: Subject
    party: Party
    place: Place
    bodies: tuple[bytes, ...]
    """ClientInfo objects in the order they are sent; a single one unless it missed one that has to come before."""


class _Step(NamedTuple):
    """A role of a party that is to be told."""

    role: Role
    place: Place
    """Where it stands in the news; of the last role of a party, behind everything of the party."""
    here_since: Place
    """Who was told of this place, or of one after it, has heard of the party since that came here."""
    former: FormerRole | None
    """Set for a role that the party has no longer."""


class Changed(Struct, frozen=True):
    """What differs between two directories."""

    parts: list[PlatformPart]
    parties: list[tuple[int, Party]]
    agreed: list[tuple[str, int, Party]]

    @classmethod
    def between(cls, former: PartyDirectory, directory: PartyDirectory) -> Changed:
        """What is new in this one."""
        parts = [part for platform_id, part in directory.parts.items() if former.parts.get(platform_id) is not part]
        return cls.of(directory, parts, former.revision, former.agreements.revision)

    @classmethod
    def of(cls, directory: PartyDirectory, parts: list[PlatformPart], revision: int, agreements: int) -> Changed:
        """What changed in these platforms, and in all agreements, after these revisions."""
        parties = [each for part in parts for each in changed_in(part, revision)]
        return cls(parts, parties, list(agreed_since(directory, agreements)))


class Receivers:
    """Everybody who is told, and the news. To be used on the event loop only."""

    def __init__(self, told: Told, directory: PartyDirectory) -> None:
        self.directory = directory
        self._news = News(told.everybody[Subject.PARTIES])
        self._told: Told | None = told
        self._by_id: dict[str, Receiver] = {}
        self._bodies: dict[_View, bytes] = {}
        self._steps: dict[tuple[Place, Version, bool], list[_Step]] = {}
        upto = (told.everybody[subject] for subject in Subject)
        self.take_in(directory, Changed.of(directory, list(directory.parts.values()), *upto))
        self._told = None

    def everybody(self) -> Iterable[Receiver]:
        """All of them."""
        return self._by_id.values()

    def is_current(self, receiver: Receiver) -> bool:
        """Whether it is still there to be told."""
        return self._by_id.get(receiver.platform.id) is receiver

    # ------------------------------------------------------------ what is new

    def take_in(self, directory: PartyDirectory, changed: Changed) -> bool:
        """Go by this directory from now on. Whether there is news."""
        known, self.directory = self.directory, directory
        self._bodies.clear()
        self._steps.clear()
        for part in changed.parts:
            self._take_in_one(part.platform, known)
        has_news = self._news.add(changed.parties)
        former = None if self._told is not None else known
        for platform_id, revision, party in changed.agreed:
            receiver, entry = self._by_id.get(platform_id), directory.entry(party)
            if receiver is not None and entry is not None:
                has_news |= self._agreed(receiver, revision, entry, former)
        return has_news

    def _take_in_one(self, platform: Platform, known: PartyDirectory) -> None:
        """A platform that was not there is told of what changes from now on; what was before it can read."""
        connection = told_through(platform, self.directory)
        if connection is None:
            self._by_id.pop(platform.id, None)
            return
        receiver = self._by_id.get(platform.id)
        if receiver is None:
            told = {subject: self._marked(platform.id, subject, known) for subject in Subject}
            receiver = Receiver(platform, connection, told, News(0))
            self._by_id[platform.id] = receiver
        receiver.platform, receiver.connection = platform, connection
        receiver.publishes_payments = publishes_payments(platform)
        since = Place(platform.connected_since, END)
        receiver.told[Subject.PARTIES] = max(since, receiver.told[Subject.PARTIES])

    def _marked(self, platform_id: str, subject: Subject, known: PartyDirectory) -> Place:
        if self._told is None:
            return Place(known.revision if subject is Subject.PARTIES else known.agreements.revision, END)
        everybody = Place(self._told.everybody[subject], END)
        return max(everybody, self._told.marks.get(Mark(platform_id, subject), everybody))

    def _agreed(self, receiver: Receiver, revision: int, entry: PartyEntry, former: PartyDirectory | None) -> bool:
        if Place(revision, END) <= receiver.told[Subject.AGREEMENTS]:
            return False
        sees = views_after_agreeing(self.directory, receiver.platform, entry, former)
        return bool(sees) and receiver.agreed.add([(revision, entry.party)])

    def forget(self, upto: dict[Subject, int]) -> None:
        """Everybody was told of everything up to these revisions."""
        self._news.forget(upto[Subject.PARTIES])
        for receiver in self._by_id.values():
            if receiver.agreed:
                receiver.agreed.forget(upto[Subject.AGREEMENTS])

    # ------------------------------------------------------------ who is told what

    def next_for(self, receiver: Receiver) -> Push | None:
        """What it is told of next, if that can be now; `told` is moved on, over what it need not be told of as well."""
        for subject, news in ((Subject.PARTIES, self._news), (Subject.AGREEMENTS, receiver.agreed)):
            for place, party in news.coming(receiver.told[subject]):
                if party in receiver.busy:
                    return None
                entry = self.directory.entry(party)
                push = None if entry is None else self._push(receiver, subject, entry, place)
                if push is not None:
                    receiver.told[subject] = push.place
                    return push
                receiver.told[subject] = Place(place.revision, place.name + END)
        return None

    def _push(self, receiver: Receiver, subject: Subject, entry: PartyEntry, place: Place) -> Push | None:
        told = receiver.told[subject]
        for step in self._steps_of(place, entry, receiver):
            if step.place > told:
                bodies = [self._body(view, step.role) for view in self._views(receiver, subject, entry, step)]
                if bodies:
                    return Push(receiver, subject, entry.party, step.place, tuple(bodies))
        return None

    def _steps_of(self, place: Place, entry: PartyEntry, receiver: Receiver) -> list[_Step]:
        """The roles of a party in words of this receiver, found once for everybody with the same; former ones first."""
        key = (place, receiver.connection.version, receiver.publishes_payments)
        steps = self._steps.get(key)
        if steps is None:
            dialect, payments = DIALECTS[receiver.connection.version], receiver.publishes_payments
            former = shown_former_roles(entry, dialect, payments=payments)
            # A number comes before every word.
            named: list[tuple[Role, str, FormerRole | None]]
            named = [(role, str(number), ended) for number, (role, ended) in enumerate(former)]
            named += [(role, role, None) for role in roles_to_tell(entry, dialect, payments=payments)]
            steps = self._steps[key] = [
                _Step(
                    role,
                    place_of(place.revision, entry.party, name if number < len(named) else END),
                    place_of(entry.here_since, entry.party, role),
                    ended,
                )
                for number, (role, name, ended) in enumerate(named, start=1)
            ]
        return steps

    def _views(self, receiver: Receiver, subject: Subject, entry: PartyEntry, step: _Step) -> tuple[PartyEntry, ...]:
        if step.former is not None:
            if subject is Subject.AGREEMENTS or not _is_news(step.former, entry, step.place, receiver.told[subject]):
                return ()
            ended = in_former_role(entry, step.former)
            return views_to_tell(self.directory, receiver.platform, ended, knew_before=True)
        if subject is Subject.AGREEMENTS:
            return views_after_agreeing(self.directory, receiver.platform, entry, None)
        knew_before = receiver.told[subject] >= step.here_since
        return views_to_tell(self.directory, receiver.platform, entry, knew_before=knew_before)

    def _body(self, view: PartyEntry, role: Role) -> bytes:
        """The object as JSON, made once for everybody who sees the same."""
        key = (view.party, role, view.status, view.last_updated)
        body = self._bodies.get(key)
        if body is None:
            body = self._bodies[key] = msgspec.json.encode(client_info(view, role))
        return body


def _is_news(former: FormerRole, entry: PartyEntry, place: Place, told: Place) -> bool:
    """Whether the end of a role may not have been told yet, however often the party has changed since.

    Who is in the middle of this party was just told of one that ended before it, and so needs this one as well.
    """
    return told < place_of(former.revision, entry.party, END) or told >= place_of(place.revision, entry.party)
