"""Who can be reached, where, and who is calling: one immutable snapshot.

A message is decided from one `PartyDirectory` from beginning to end. When platforms change, the hub
replaces the directory; it never edits one. The hub makes it from its store, see `hub.store.snapshot`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from routing.agreements import EVERYTHING, Agreements, Stand, Standing
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, Party, Role, Secret, Version

EndpointKey: TypeAlias = tuple[str, InterfaceRole]


class CredentialsRole(Struct, frozen=True, gc=False):
    """One role of a party, as it registered it. OCPI 2.2.1, "CredentialsRole class"."""

    role: Role
    business_details: dict[str, Any]


class FormerRole(Struct, frozen=True, gc=False):
    """A role that a party has no longer, while it has others. OCPI 2.2.1, "HubClientInfo": nothing is deleted."""

    role: Role
    since: datetime
    revision: int
    """Of the change with which it ended."""


class PartyEntry(Struct, frozen=True, gc=False):
    """A party and how it can be reached."""

    party: Party
    platform_id: str
    """Of the platform it belongs to; of a party behind another hub, that hub's."""
    status: ConnectionStatus
    roles: tuple[CredentialsRole, ...]
    created_at: datetime
    last_updated: datetime
    """When its status or roles last changed. OCPI 2.2.1, "ClientInfo Object"."""
    is_remote: bool = False
    """It is behind another hub, which announced it. OCPI 2.2.1, "Message Routing", two hubs."""
    shown_revision: int = 0
    """Of the change with which its status and roles became what they are."""
    here_since: int = 0
    """Revision of the change before which it was planned or gone; of no interest while it is again."""
    former_roles: tuple[FormerRole, ...] = ()
    """None that it has now; those that ended first come first."""


_NOT_HERE: Final = frozenset({ConnectionStatus.PLANNED, ConnectionStatus.SUSPENDED})
_CALLED_THERE: Final = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})
"""Statuses of a party that was not only planned, and has not gone, at the hub that announced it."""


class Connection(Struct, frozen=True, eq=False):
    """One token pair, one version and one list of endpoints: what the hub calls a partner through."""

    id: str
    platform_id: str
    platform_name: str
    version: Version
    face: Face | None
    """How the hub poses; set exactly for 2.1.1."""
    versions_url: str
    endpoints: Mapping[EndpointKey, str]
    """URL of each (module, interface), as the partner registered it."""
    hosts: frozenset[str]
    """Hosts our token may be sent to, lower case, each with `:port` where the URL names one."""
    authorization: Secret
    """The whole Authorization value that the hub presents at this partner."""
    quirks: Quirks
    face_in_2_1_1: Face | None = None
    """How the hub poses when the version is 2.1.1; kept while it is another, so that the partner can switch back."""
    is_hub: bool = False
    """The partner is another hub."""
    capture_until: datetime | None = None
    """Until when the journal keeps what is in messages to and from this partner."""


class Invitation(Struct, frozen=True):
    """A TOKEN_A that may be used to register. OCPI 2.2.1, "Registration"."""

    id: str
    platform_id: str
    face: Face | None
    version: Version | None
    """The one version it may be used with; any when absent."""
    parties: tuple[Party, ...]
    """The parties it may be used for; any free ones when empty."""
    require_modules: tuple[str, ...]
    allow_hub: bool
    expires_at: datetime | None


class Platform(Struct, frozen=True, eq=False):
    """One customer of the hub."""

    id: str
    name: str
    status: ConnectionStatus
    parties: tuple[Party, ...]
    connections: tuple[Connection, ...]
    quirks: Quirks
    is_hub: bool
    connected_since: int = 0
    """Revision of the change with which its parties were CONNECTED again, or for the first time."""


class Registered(Struct, frozen=True, eq=False):
    """The caller presented the current token of a connection."""

    platform: Platform
    connection: Connection
    not_after: datetime | None = None
    """For a token that has been replaced and may be used a little longer."""


class Invited(Struct, frozen=True, eq=False):
    """The caller presented a TOKEN_A."""

    invitation: Invitation


class Handshaking(Struct, frozen=True, eq=False):
    """The caller presented a TOKEN_B of a registration the hub has under way at it."""

    platform_id: str
    face: Face | None
    not_after: datetime | None = None
    allow_hub: bool = False


Caller: TypeAlias = Registered | Invited | Handshaking


class PlatformPart(Struct, frozen=True, eq=False):
    """Everything one platform contributes to the directory."""

    platform: Platform
    parties: tuple[PartyEntry, ...]
    callers: Mapping[bytes, Caller]
    """By keyed hash of the token the caller presents."""
    remote: Mapping[Party, PartyEntry] = {}
    """What another hub announced of the parties behind it."""


class PartyDirectory(Struct, frozen=True, eq=False, weakref=True):
    """The snapshot. Build one with `PartyDirectory.of`, derive the next with `replacing`."""

    revision: int
    parts: MappingProxyType[str, PlatformPart]
    """By platform id."""
    parties: MappingProxyType[Party, PartyEntry]
    """Those of the platforms here."""
    callers: MappingProxyType[bytes, Caller]
    hubs: tuple[PlatformPart, ...] = ()
    """Other hubs, those that count more first."""
    remote: Mapping[Party, PartyEntry] = {}
    """What hubs announced, each party as the hub that counts most for it did; some may be parties of platforms here."""
    agreements: Agreements = EVERYTHING
    """Who may talk to whom."""

    @classmethod
    def of(cls, revision: int, parts: Iterable[PlatformPart], agreements: Agreements = EVERYTHING) -> PartyDirectory:
        """A directory of exactly these platforms, with these agreements."""
        nobody: MappingProxyType[Any, Any] = MappingProxyType({})
        return cls(revision, nobody, nobody, nobody, agreements=agreements).replacing(revision, parts)

    def replacing(self, revision: int, changed: Iterable[PlatformPart]) -> PartyDirectory:
        """This directory with each of these platforms in the state given here."""
        # `copy` copies the table itself; `dict()` of a view would ask for every key: 0.6 ms or 28 at 100,000 parties.
        parts, parties, callers = self.parts.copy(), self.parties.copy(), self.callers.copy()
        changed = list(changed)
        for part in changed:
            former = parts.pop(part.platform.id, None)
            if former is not None:
                for entry in former.parties:
                    # Another platform may have got this party in the meantime, and come here first.
                    if parties.get(entry.party) is entry:
                        del parties[entry.party]
                for token in former.callers:
                    callers.pop(token, None)
        for part in changed:
            parts[part.platform.id] = part
            for entry in part.parties:
                parties[entry.party] = entry
            callers.update(part.callers)
        hubs, remote = self._hubs_with(changed)
        return PartyDirectory(
            revision,
            MappingProxyType(parts),
            MappingProxyType(parties),
            MappingProxyType(callers),
            hubs,
            remote,
            self.agreements,
        )

    def agreeing(self, agreements: Agreements) -> PartyDirectory:
        """This directory with these agreements."""
        return replace(self, agreements=agreements)

    def _hubs_with(self, changed: list[PlatformPart]) -> tuple[tuple[PlatformPart, ...], Mapping[Party, PartyEntry]]:
        """The hubs once these platforms have changed, and what they announce."""
        known = {part.platform.id for part in self.hubs}
        if not any(part.platform.is_hub or part.platform.id in known for part in changed):
            return self.hubs, self.remote
        hubs = {part.platform.id: part for part in (*self.hubs, *changed)}.values()
        ranked = sorted((part for part in hubs if part.platform.is_hub), key=_rank)
        remote: dict[Party, PartyEntry] = {}
        for there in (False, True):
            for part in reversed(ranked):
                found = part.remote.items()
                remote.update((party, entry) for party, entry in found if (entry.status in _CALLED_THERE) is there)
        return tuple(ranked), MappingProxyType(remote)

    def caller(self, token_hash: bytes) -> Caller | None:
        """Who presents the token of this keyed hash."""
        return self.callers.get(token_hash)

    def entry(self, party: Party) -> PartyEntry | None:
        """How this party can be reached: through its platform, or else through another hub.

        Who is only invited here is still called through the hub.
        """
        own = self.parties.get(party)
        if own is not None and own.status is not ConnectionStatus.PLANNED:
            return own
        there = self.remote.get(party)
        return own if there is None or (own is not None and there.status not in _CALLED_THERE) else there

    def everybody(self) -> Iterator[PartyEntry]:
        """How each party can be reached, those of the platforms here first."""
        for entries in (self.parties, self.remote):
            for party, entry in entries.items():
                if self.entry(party) is entry:
                    yield entry

    def spoken_for(self, platform_id: str, party: Party) -> PartyEntry | None:
        """This party as one the platform may speak for; None when it may not.

        It may for its own. Another hub may also for those it announced, unless they are of a platform here.
        """
        own = self.parties.get(party)
        if own is not None and own.platform_id == platform_id:
            return own
        return self.parts[platform_id].remote.get(party) if _is_free(own) else None

    def voices_of(self, platform: Platform) -> Container[Party]:
        """Every party that the platform may speak for, see `spoken_for`."""
        return _Voices(self, platform.id) if platform.is_hub else platform.parties

    def also_claimed(self, party: Party, platform_id: str) -> PartyEntry | None:
        """This party as a platform here, or another hub than this, has it; None when nobody else has."""
        own = self.parties.get(party)
        if not _is_free(own):
            return None if own is None or own.platform_id == platform_id else own
        claims = (part.remote.get(party) for part in self.hubs if part.platform.id != platform_id)
        return next((claim for claim in claims if claim is not None and claim.status in _CALLED_THERE), None)

    def platform(self, platform_id: str) -> Platform:
        """The platform of this id, which must exist."""
        return self.parts[platform_id].platform

    def own_party(self, hub: Platform) -> Party:
        """The party that another hub has for itself, whether it answers or not; one it had before is suspended."""
        current = (party for party in hub.parties if self.parties[party].status not in _NOT_HERE)
        return next(current, hub.parties[0])

    def platform_of(self, party: Party) -> Platform | None:
        """The platform that this party is called through: its own, or another hub."""
        entry = self.entry(party)
        return None if entry is None else self.parts[entry.platform_id].platform

    def shown_to(self, viewer: Platform, entry: PartyEntry) -> ConnectionStatus | None:
        """The status under which a platform is shown this party; None when it may not know of it."""
        shown = self.as_shown_to(viewer, entry)
        return None if shown is None else shown.status

    def as_shown_to(self, viewer: Platform, entry: PartyEntry) -> PartyEntry | None:
        """This party with the status, and the time of its last change, that a platform is shown; None for neither.

        Another hub is shown whom it, or somebody behind it, may send to.
        """
        party, agreements = entry.party, self.agreements
        if entry.platform_id == viewer.id or not any(self._is_in_reach(own, party) for own in viewer.parties):
            return None
        if agreements.lets_everything and not agreements.pairs:
            return entry
        voices: Iterable[Party] = viewer.parties
        if viewer.is_hub:
            behind = self.parts[viewer.id].remote
            known = agreements.partners_of(party) if agreements.rules.required else behind
            voices = (*voices, *(each for each in known if each in behind))
        return self._as_seen(entry, voices)

    def as_met_by(self, sender: Party, receiver: Party) -> PartyEntry | None:
        """The receiver with the status that this one sender of all sees; None when it may not know of it."""
        entry = self.entry(receiver)
        if entry is None or not self._is_in_reach(sender, receiver):
            return None
        return self._as_seen(entry, (sender,))

    def _as_seen(self, entry: PartyEntry, viewers: Iterable[Party]) -> PartyEntry | None:
        """A party as the one of these viewers sees it that stands nearest to it.

        ========================================  ==============================================================
        one of them may send to it                its own status, from the day of the agreement on
        none may, and that is to hide it          None
        it was never here, or has gone            its own status: PLANNED or SUSPENDED
        one of them could send to it before       SUSPENDED: who was shown once never is PLANNED again
        none of them ever could                   PLANNED
        ========================================  ==============================================================
        """
        ended: Stand | None = None
        opened: Stand | None = None
        for viewer in viewers:
            stand = self.agreements.stand(viewer, entry.party)
            if stand.standing is Standing.OPEN:
                if stand.since is None or stand.since <= entry.last_updated:
                    return entry
                opened = stand if opened is None or stand.since < (opened.since or stand.since) else opened
            elif stand.standing is Standing.ENDED:
                ended = stand
        if opened is not None:
            return replace(entry, last_updated=opened.since)
        if not self.agreements.rules.planned:
            return None
        if entry.status in _NOT_HERE:
            return entry
        if ended is not None:
            return replace(entry, status=ConnectionStatus.SUSPENDED, last_updated=ended.since)
        return replace(entry, status=ConnectionStatus.PLANNED, last_updated=entry.created_at)

    def visible_to(self, viewer: Party, other: Party, module: str | None = None) -> bool:
        """Whether `viewer` may know of `other` and send to it: in this module, or in any.

        Every route, list and push asks here and nowhere else.
        """
        if self.hubs:
            if not self._is_in_reach(viewer, other):
                return False
        elif other not in self.parties or viewer not in self.parties:
            return False
        agreements = self.agreements
        return agreements.lets_everything or agreements.allows(viewer, other, module)

    def agreed(self, one: Party, other: Party, module: str) -> bool:
        """Whether one of the two may send to the other in this module, and so gets answers, whichever it is."""
        return self.visible_to(one, other, module) or self.visible_to(other, one, module)

    def is_kept_from(self, sender: Party, receiver: Party) -> bool:
        """Whether it is only for want of an agreement that one may not send to the other at all."""
        return self._is_in_reach(sender, receiver) and not self.agreements.allows(sender, receiver)

    def _is_in_reach(self, viewer: Party, other: Party) -> bool:
        """Whether there is a way from one to the other, agreements apart.

        What is behind one hub is nothing to other hubs, nor to who is behind them: this hub is no way through.
        """
        if not self.hubs:
            return other in self.parties and viewer in self.parties
        asking, asked = self.entry(viewer), self.entry(other)
        if asking is None or asked is None:
            return False
        return not (self._is_beyond(asked) and self._is_beyond(asking))

    def _is_beyond(self, entry: PartyEntry) -> bool:
        return entry.is_remote or self.parts[entry.platform_id].platform.is_hub


class _Voices(Container[Party]):
    __slots__ = ("_directory", "_platform_id")

    def __init__(self, directory: PartyDirectory, platform_id: str) -> None:
        self._directory = directory
        self._platform_id = platform_id

    def __contains__(self, party: object) -> bool:
        return isinstance(party, Party) and self._directory.spoken_for(self._platform_id, party) is not None


def _is_free(own: PartyEntry | None) -> bool:
    """Whether hubs may have a party of which this is what is known here."""
    return own is None or own.status is ConnectionStatus.PLANNED


def _rank(part: PlatformPart) -> tuple[int, str]:
    return part.platform.quirks.hub_priority, part.platform.id
