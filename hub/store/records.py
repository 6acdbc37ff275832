"""What the hub knows of one platform, as one value.

The truth keeps it in tables; the directory cache keeps it as one JSON text per platform; operators
see most of it. Tokens are in it only as keyed hashes or sealed, see `hub.store.vault`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from routing.dialects import DIALECTS
from routing.directory import CredentialsRole, FormerRole
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, Party, Secret, Version

LearnedEncoding: TypeAlias = Literal["base64", "plain"]


class PartnerEndpoint(Struct, frozen=True, gc=False):
    """One endpoint of a partner. OCPI 2.2.1, "Version details endpoint".

    A 2.1.1 partner names no interface; it follows from the face.
    """

    module: str
    interface: InterfaceRole
    url: str


class RegisteredParty(Struct, frozen=True):
    """A party as a partner's Credentials object names it."""

    party: Party
    roles: tuple[CredentialsRole, ...]


class Registration(Struct, frozen=True):
    """What a completed credentials exchange says about a partner. OCPI 2.2.1, "Credentials"."""

    version: Version
    face: Face | None
    """How the hub poses; counts for 2.1.1 only."""
    versions_url: str
    endpoints: tuple[PartnerEndpoint, ...]
    parties: tuple[RegisteredParty, ...]
    our_token: Secret
    auth_encoding: LearnedEncoding | None
    """Which spelling of our token the partner was seen to accept."""
    is_hub: bool
    shown: bytes
    """What the hub showed the partner of itself, see `routing.versions.mark_of_details`."""
    remote: tuple[RegisteredParty, ...] | None = None
    """Parties that a hub reaches; None where its version does not have it say so when it registers."""


class PartyRecord(Struct, frozen=True, gc=False):
    """A party and what became of it. It is never deleted. OCPI 2.2.1, "HubClientInfo"."""

    party: Party
    platform_id: str
    status: ConnectionStatus
    suspended: bool
    """Whether the operator suspended this one party."""
    roles: tuple[CredentialsRole, ...]
    """As last registered; as invited, without details, before that."""
    created_at: datetime
    last_updated: datetime
    reachable_via: Party | None = None
    """Another hub, of a party behind it; `platform_id` is that hub's then."""
    shown_revision: int = 0
    here_since: int = 0
    former_roles: tuple[FormerRole, ...] = ()
    """All as in `routing.directory.PartyEntry`."""


class ReplacedToken(Struct, frozen=True, gc=False):
    """A former token of the partner that still counts for requests in flight."""

    token_hash: bytes
    not_after: datetime


class ConnectionRecord(Struct, frozen=True):
    """One token pair, one version, one list of endpoints."""

    id: str
    version: Version
    face_in_2_1_1: Face | None
    """How the hub poses when the version is 2.1.1; kept while it is another."""
    versions_url: str
    endpoints: tuple[PartnerEndpoint, ...]
    token_hash: bytes
    """Of the token the partner presents."""
    our_token: bytes
    """The token the hub presents, sealed with the connection's id as context."""
    auth_encoding: LearnedEncoding | None
    replaced_tokens: tuple[ReplacedToken, ...]
    tokens_since: datetime
    shown: bytes
    """What the hub last showed the partner of itself."""
    """When the present tokens were exchanged."""
    created_at: datetime

    @property
    def face(self) -> Face | None:
        """How the hub poses; set exactly for 2.1.1."""
        return None if DIALECTS[self.version].interface_roles else self.face_in_2_1_1


class InvitationRecord(Struct, frozen=True, gc=False):
    """A TOKEN_A that has not been used yet."""

    id: str
    token_hash: bytes
    face: Face | None
    version: Version | None
    """The one version it may be used with; any when absent."""
    parties: tuple[Party, ...]
    """The parties it may be used for; any free ones when empty."""
    expires_at: datetime | None
    created_at: datetime


class HandshakeRecord(Struct, frozen=True, gc=False):
    """A TOKEN_B of an exchange that the hub began."""

    id: str
    token_hash: bytes
    face: Face | None
    connection_id: str | None
    """The connection whose token it is to replace; none when it is to become a new connection."""
    not_after: datetime | None
    """Set when the exchange was given up."""
    created_at: datetime


class PlatformRecord(Struct, frozen=True):
    """One customer of the hub with everything that belongs to it."""

    id: str
    name: str
    revision: int
    """Grows with every change of any platform; no two platforms have the same."""
    planned: bool
    """Invited, and neither registered nor removed since."""
    suspended: bool
    """Whether the operator suspended it as a whole."""
    allow_hub: bool
    is_hub: bool
    version: Version | None
    """The one version it may register with; any when absent."""
    quirks: Quirks
    require_modules: tuple[str, ...]
    invited_parties: tuple[Party, ...]
    """The parties it may register; any free ones when empty. Its own it may always."""
    created_at: datetime
    last_seen: datetime | None
    """Behind the truth in the directory: signs of life do not renew it."""
    parties: tuple[PartyRecord, ...]
    connections: tuple[ConnectionRecord, ...]
    invitations: tuple[InvitationRecord, ...]
    handshakes: tuple[HandshakeRecord, ...]
    remote: tuple[PartyRecord, ...] = ()
    """The parties behind it, when it is a hub."""
    connected_since: int = 0
    """As in `routing.directory.Platform`."""
    capture_until: datetime | None = None
    """Until when the journal keeps what is in its messages."""

    unreachable_since: datetime | None = None
    """Set while it is registered and does not answer."""

    @property
    def status(self) -> ConnectionStatus:
        """What its own parties show, or would if it had any."""
        return status_of(self, is_registered=bool(self.connections))

    def connection(self, connection_id: str) -> ConnectionRecord | None:
        """Its connection of this id."""
        return next((each for each in self.connections if each.id == connection_id), None)


class Standing(Protocol):
    """What decides the status of a platform, beside whether it is registered."""

    @property
    def planned(self) -> bool:
        """Invited, and neither registered nor removed since."""

    @property
    def suspended(self) -> bool:
        """By the operator."""

    @property
    def unreachable_since(self) -> datetime | None:
        """Set while it is registered and does not answer."""


def status_of(platform: Standing, *, is_registered: bool) -> ConnectionStatus:
    """The status of a platform as a whole. OCPI 2.2.1, "HubClientInfo", ConnectionStatus enum."""
    if platform.suspended:
        return ConnectionStatus.SUSPENDED
    if is_registered:
        return ConnectionStatus.CONNECTED if platform.unreachable_since is None else ConnectionStatus.OFFLINE
    return ConnectionStatus.PLANNED if platform.planned else ConnectionStatus.SUSPENDED


class Changes(Struct, frozen=True):
    """Platforms that changed, with nothing missing between the revision asked for and `upto`."""

    records: tuple[PlatformRecord, ...]
    upto: int


class StatusCause(StrEnum):
    """Why the status of a platform changed."""

    REGISTERED = "registered"
    LEFT = "left"
    """It or the operator ended the registration."""
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    NO_ANSWER = "no_answer"
    """Still alive checks failed."""
    ANSWERED = "answered"


class StatusRecord(Struct, frozen=True):
    """A time in which a platform had one status."""

    platform_id: str
    revision: int
    """Of the change that began it."""
    status: ConnectionStatus
    cause: StatusCause
    why: str | None
    """What the last check found, where no answer was the cause."""
    since: datetime
    until: datetime | None
    """None for the present one."""


class Direction(StrEnum):
    """Which way an object went that lost something, seen from one platform."""

    TO = "to"
    """The platform received it."""
    FROM = "from"
    """It was the platform's."""


class LossRecord(Struct, frozen=True):
    """How often one rule was applied to objects of one kind that went to, or came from, a platform."""

    direction: Direction
    module: str
    kind: str
    """Name of the object; empty when it was something beside an object, such as a URL."""
    loss: str
    """`L-24`, `M-33`: see docs/translation.md."""
    other_version: Version
    """What the platform at the other end speaks."""
    count: int
    first_at: datetime
    last_at: datetime
    last_correlation_id: str
    """Of the last message it happened to."""


Item = TypeVar("Item")


class Page(Struct, Generic[Item], frozen=True):
    """Part of a list, and where the next part begins."""

    items: tuple[Item, ...]
    next_cursor: str | None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(PlatformRecord)


def encoded(record: PlatformRecord) -> bytes:
    """The record as JSON."""
    return _encoder.encode(record)


def decoded(text: bytes) -> PlatformRecord:
    """The record of this JSON.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _decoder.decode(text)
