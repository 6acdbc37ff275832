"""The tables of the truth, for PostgreSQL and SQLite alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from hub.store.columns import (
    CORRELATION_ID_LENGTH,
    ID_LENGTH,
    MODULE_LENGTH,
    NAME_LENGTH,
    Json,
    Row,
    Words,
    at_most,
    between,
    hash_of_32_bytes,
    one_of,
    party_spelling,
)
from hub.store.records import Direction, StatusCause
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, Party, Role, Version

URL_LENGTH = 255
LINK_LENGTH = 2048
LOSS_LENGTH = 10
REASON_LENGTH = 255


class DirectoryRow(Row, table=True):
    """The one row every change of the directory locks first, which puts changes in one order."""

    __tablename__ = "directory"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"), between("identity", ID_LENGTH, ID_LENGTH))

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    identity: str = Field(max_length=ID_LENGTH)
    """Random, made with the database: names its cache, so that two hubs can share a Redis."""
    revision: int = Field(sa_type=BigInteger)
    """Of the latest change."""
    term: int = Field(default=0, sa_type=BigInteger)
    """The number of the latest process that leads, see `hub.store.terms`."""
    key_mark: bytes | None = Field(sa_type=LargeBinary)
    """Tells the key the tokens are hashed and sealed with; none before the first start."""
    told_parties: int = Field(default=0, sa_type=BigInteger)
    told_agreements: int = Field(default=0, sa_type=BigInteger)
    """Everybody was told of every change up to these, see `hub.store.telling_marks`."""


class PlatformRow(Row, table=True):
    """One customer of the hub."""

    __tablename__ = "platforms"
    __table_args__ = (
        between("id", ID_LENGTH, ID_LENGTH),
        between("name", 1, NAME_LENGTH),
        UniqueConstraint("revision"),
        Index(None, "created_at", "id"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    name: str = Field(max_length=NAME_LENGTH)
    revision: int = Field(sa_type=BigInteger)
    planned: bool
    suspended: bool
    allow_hub: bool
    is_hub: bool
    version: Version | None = Field(sa_type=Words(Version))
    quirks: Quirks = Field(sa_type=Json(Quirks))
    require_modules: tuple[str, ...] = Field(sa_type=Json(tuple[str, ...]))
    invited_parties: tuple[Party, ...] = Field(sa_type=Json(tuple[Party, ...]))
    created_at: datetime
    last_seen: datetime | None
    """By the clock of the database."""
    unreachable_since: datetime | None = None
    """Set while it is registered and does not answer."""
    connected_since: int = Field(default=0, sa_type=BigInteger)
    """Revision of the change with which its parties were CONNECTED again, or for the first time."""
    capture_until: datetime | None = None
    """Until when the journal keeps what is in its messages."""


class PlatformStatusRow(Row, table=True):
    """The beginning of a time in which a platform had one status; it lasts until the next one begins."""

    __tablename__ = "platform_statuses"
    __table_args__ = (
        one_of("status", ConnectionStatus),
        one_of("cause", StatusCause),
        at_most("why", REASON_LENGTH),
    )

    platform_id: str = Field(primary_key=True, foreign_key="platforms.id", max_length=ID_LENGTH)
    revision: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    """Of the change that began it."""
    status: ConnectionStatus = Field(sa_type=Words(ConnectionStatus))
    cause: StatusCause = Field(sa_type=Words(StatusCause))
    why: str | None = Field(default=None, max_length=REASON_LENGTH)
    since: datetime


class PartyRow(Row, table=True):
    """A party; the key keeps it from belonging to two platforms."""

    __tablename__ = "parties"
    __table_args__ = (*party_spelling(), one_of("status", ConnectionStatus))

    country_code: str = Field(primary_key=True, max_length=2)
    party_id: str = Field(primary_key=True, max_length=3)
    platform_id: str = Field(foreign_key="platforms.id", index=True, max_length=ID_LENGTH)
    status: ConnectionStatus = Field(sa_type=Words(ConnectionStatus))
    suspended: bool
    created_at: datetime
    last_updated: datetime
    shown_revision: int = Field(default=0, sa_type=BigInteger)
    """Of the change with which its status and roles became what they are."""
    here_since: int = Field(default=0, sa_type=BigInteger)
    """Revision of the change before which it was planned or gone; of no interest while it is again."""

    @property
    def party(self) -> Party:
        """Its name."""
        return Party(self.country_code, self.party_id)


class ConnectionRow(Row, table=True):
    """One token pair, one version, one list of endpoints."""

    __tablename__ = "connections"
    __table_args__ = (
        between("id", ID_LENGTH, ID_LENGTH),
        one_of("face", Face),
        between("versions_url", 1, URL_LENGTH),
        hash_of_32_bytes(),
        UniqueConstraint("token_hash"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    platform_id: str = Field(foreign_key="platforms.id", index=True, max_length=ID_LENGTH)
    version: Version = Field(sa_type=Words(Version))
    face: Face | None = Field(sa_type=Words(Face))
    """How the hub poses when the version is 2.1.1; kept while it is another."""
    versions_url: str = Field(max_length=URL_LENGTH)
    token_hash: bytes = Field(sa_type=LargeBinary)
    our_token: bytes = Field(sa_type=LargeBinary)
    auth_encoding: str | None = Field(max_length=10)
    tokens_since: datetime
    """When the present tokens were exchanged."""
    shown: bytes = Field(sa_type=LargeBinary)
    """Mark of the version details the hub had then."""
    told_roles: bytes | None = Field(default=None, sa_type=LargeBinary)
    """Mark of the roles that the hub named in its credentials last, in versions where it does so."""
    created_at: datetime


class PartyRoleRow(Row, table=True):
    """One role of a party, and the connection that registered it.

    Without a connection it is what an invitation announced, or what the party was before it left; or a role that it
    no longer has while it has others, and then it says since when.
    """

    __tablename__ = "party_roles"
    __table_args__ = (
        ForeignKeyConstraint(["country_code", "party_id"], ["parties.country_code", "parties.party_id"]),
        Index(None, "country_code", "party_id"),
        one_of("role", Role),
    )

    id: int | None = Field(default=None, primary_key=True)
    country_code: str = Field(max_length=2)
    party_id: str = Field(max_length=3)
    connection_id: str | None = Field(
        foreign_key="connections.id", ondelete="SET NULL", index=True, max_length=ID_LENGTH
    )
    role: Role = Field(sa_type=Words(Role))
    business_details: dict[str, Any] = Field(sa_type=Json(dict[str, Any]))
    former_since: datetime | None = None
    former_revision: int = Field(default=0, sa_type=BigInteger)
    """As in `routing.directory.FormerRole`; of no meaning for a role the party has."""


class RemotePartyRow(Row, table=True):
    """One role of a party behind another hub, as that hub announced it."""

    __tablename__ = "remote_parties"
    __table_args__ = (
        *party_spelling(),
        one_of("role", Role),
        one_of("announced", ConnectionStatus),
        one_of("status", ConnectionStatus),
        Index(None, "country_code", "party_id"),
    )

    platform_id: str = Field(primary_key=True, foreign_key="platforms.id", max_length=ID_LENGTH)
    """The hub's."""
    country_code: str = Field(primary_key=True, max_length=2)
    party_id: str = Field(primary_key=True, max_length=3)
    role: Role = Field(primary_key=True, sa_type=Words(Role))
    announced: ConnectionStatus = Field(sa_type=Words(ConnectionStatus))
    """The status it has there; SUSPENDED when it is no longer announced."""
    status: ConnectionStatus = Field(sa_type=Words(ConnectionStatus))
    """The status it has here, which also depends on that hub's own."""
    business_details: dict[str, Any] = Field(sa_type=Json(dict[str, Any]))
    created_at: datetime
    last_updated: datetime
    shown_revision: int = Field(default=0, sa_type=BigInteger)
    here_since: int = Field(default=0, sa_type=BigInteger)
    """Both as in `PartyRow`."""

    @property
    def party(self) -> Party:
        """Its name."""
        return Party(self.country_code, self.party_id)


class EndpointRow(Row, table=True):
    """One endpoint of a partner."""

    __tablename__ = "endpoints"
    __table_args__ = (
        between("module", 1, MODULE_LENGTH),
        one_of("interface", InterfaceRole),
        between("url", 1, URL_LENGTH),
    )

    connection_id: str = Field(primary_key=True, foreign_key="connections.id", ondelete="CASCADE", max_length=ID_LENGTH)
    module: str = Field(primary_key=True, max_length=MODULE_LENGTH)
    interface: InterfaceRole = Field(primary_key=True, sa_type=Words(InterfaceRole))
    url: str = Field(max_length=URL_LENGTH)


class ReplacedTokenRow(Row, table=True):
    """A former token of a partner that still counts for requests in flight."""

    __tablename__ = "replaced_tokens"
    __table_args__ = (hash_of_32_bytes(),)

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    connection_id: str = Field(foreign_key="connections.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH)
    not_after: datetime


class InvitationRow(Row, table=True):
    """A TOKEN_A that has not been used yet."""

    __tablename__ = "invitations"
    __table_args__ = (
        between("id", ID_LENGTH, ID_LENGTH),
        one_of("face", Face),
        hash_of_32_bytes(),
        UniqueConstraint("token_hash"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    platform_id: str = Field(foreign_key="platforms.id", index=True, max_length=ID_LENGTH)
    token_hash: bytes = Field(sa_type=LargeBinary)
    face: Face | None = Field(sa_type=Words(Face))
    expires_at: datetime | None
    created_at: datetime


class HandshakeRow(Row, table=True):
    """A TOKEN_B of an exchange that the hub began."""

    __tablename__ = "handshakes"
    __table_args__ = (
        between("id", ID_LENGTH, ID_LENGTH),
        one_of("face", Face),
        hash_of_32_bytes(),
        UniqueConstraint("token_hash"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    platform_id: str = Field(foreign_key="platforms.id", index=True, max_length=ID_LENGTH)
    connection_id: str | None = Field(
        foreign_key="connections.id", ondelete="CASCADE", index=True, max_length=ID_LENGTH
    )
    token_hash: bytes = Field(sa_type=LargeBinary)
    face: Face | None = Field(sa_type=Words(Face))
    not_after: datetime | None
    created_at: datetime


class CallbackRow(Row, table=True):
    """Where the asynchronous result of a command goes."""

    __tablename__ = "callbacks"
    __table_args__ = (
        between("id", ID_LENGTH, ID_LENGTH),
        between("response_url", 1, LINK_LENGTH),
        between("module", 1, MODULE_LENGTH),
        at_most("command", MODULE_LENGTH),
        Index(None, "expires_at"),
        Index(None, "due_at"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    response_url: str = Field(max_length=LINK_LENGTH)
    module: str = Field(max_length=MODULE_LENGTH)
    command: str | None = Field(max_length=MODULE_LENGTH)
    originator_platform_id: str = Field(foreign_key="platforms.id", index=True, max_length=ID_LENGTH)
    originator: Party = Field(sa_type=Json(Party))
    receiver_platform_id: str = Field(foreign_key="platforms.id", index=True, max_length=ID_LENGTH)
    receiver: Party = Field(sa_type=Json(Party))
    created_at: datetime
    expires_at: datetime
    due_at: datetime | None = None
    """When its originator is told that there was no result in time; none where it is not told so."""
    settled_at: datetime | None = None
    """When the first result came, or the originator was told that there is none."""


class CdrProxyRow(Row, table=True):
    """Where a CDR that went through the hub can be read again."""

    __tablename__ = "cdr_proxies"
    __table_args__ = (between("id", ID_LENGTH, ID_LENGTH), between("receiver_url", 1, LINK_LENGTH))

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    receiver: Party = Field(sa_type=Json(Party))
    receiver_url: str = Field(max_length=LINK_LENGTH)
    poster_platform_id: str = Field(foreign_key="platforms.id", index=True, max_length=ID_LENGTH)
    poster: Party = Field(sa_type=Json(Party))
    created_at: datetime


class LossRow(Row, table=True):
    """How often one rule of translation was applied to objects to, or from, one platform."""

    __tablename__ = "losses"
    __table_args__ = (
        one_of("direction", Direction),
        at_most("module", MODULE_LENGTH),
        at_most("kind", MODULE_LENGTH),
        between("loss", 1, LOSS_LENGTH),
        CheckConstraint("count > 0", name="count_positive"),
        at_most("last_correlation_id", CORRELATION_ID_LENGTH),
    )

    platform_id: str = Field(primary_key=True, foreign_key="platforms.id", max_length=ID_LENGTH)
    direction: Direction = Field(primary_key=True, sa_type=Words(Direction))
    module: str = Field(primary_key=True, max_length=MODULE_LENGTH)
    kind: str = Field(primary_key=True, max_length=MODULE_LENGTH)
    loss: str = Field(primary_key=True, max_length=LOSS_LENGTH)
    other_version: Version = Field(primary_key=True, sa_type=Words(Version))
    count: int = Field(sa_type=BigInteger)
    first_at: datetime
    last_at: datetime
    last_correlation_id: str = Field(max_length=CORRELATION_ID_LENGTH)
