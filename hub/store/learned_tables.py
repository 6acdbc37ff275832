"""The tables of what is learned from traffic, for PostgreSQL and SQLite alike.

Columns named `…_key` hold an identifier as it is compared, not as it was written; see `hub.store.facts`. Nothing here
is of the body of a message but `own_pushes` and `residues`, and those are sealed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from hub.store.columns import (
    ID_LENGTH,
    MODULE_LENGTH,
    PARTY_LENGTH,
    Json,
    PartyName,
    Row,
    Words,
    at_most,
    between,
    one_of,
)
from routing.shown_ids import IdKind
from routing.translation.questions import TokenFacts
from routing.vocabulary import Party

SEEN_LENGTH = 255
"""The longest identifier or word of a partner that is remembered. OCPI's own have 39 characters at most."""
_INDEX_LENGTH = 20


def _named(*columns: str) -> tuple[CheckConstraint, ...]:
    return tuple(between(column, 4, PARTY_LENGTH) for column in columns)


def _seen(*columns: str) -> tuple[CheckConstraint, ...]:
    return tuple(at_most(column, SEEN_LENGTH) for column in columns)


class TokenRow(Row, table=True):
    """A Token that was seen. Several owners may have one of the same uid."""

    __tablename__ = "learned_tokens"
    __table_args__ = (
        *_named("owner"),
        *_seen("uid_key", "type", "uid", "contract_id", "contract_key", "last_updated", "issuer"),
        Index(None, "contract_key"),
        Index(None, "expires_at"),
    )

    uid_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    owner: Party = Field(primary_key=True, sa_type=PartyName)
    type: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    uid: str = Field(max_length=SEEN_LENGTH)
    contract_id: str = Field(max_length=SEEN_LENGTH)
    contract_key: str = Field(max_length=SEEN_LENGTH)
    valid: bool
    last_updated: str = Field(max_length=SEEN_LENGTH)
    issuer: str | None = Field(max_length=SEEN_LENGTH)
    first_seen: datetime
    expires_at: datetime | None
    """When it may be forgotten; none while its owner stays."""


class TariffRow(Row, table=True):
    """A Tariff that was seen: what it is for, and when."""

    __tablename__ = "learned_tariffs"
    __table_args__ = (*_named("owner"), *_seen("tariff_key", "type", "start_date_time", "end_date_time"))

    tariff_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    owner: Party = Field(primary_key=True, sa_type=PartyName)
    type: str | None = Field(max_length=SEEN_LENGTH)
    start_date_time: str | None = Field(max_length=SEEN_LENGTH)
    end_date_time: str | None = Field(max_length=SEEN_LENGTH)


class LocationRow(Row, table=True):
    """A Location that was seen."""

    __tablename__ = "learned_locations"
    __table_args__ = (*_named("owner"), *_seen("location_key"))

    location_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    owner: Party = Field(primary_key=True, sa_type=PartyName)
    publish: bool | None
    """None where it was never said, as in 2.1.1."""


class SessionRow(Row, table=True):
    """A Session that was seen: who takes part, and what its CDR is found by."""

    __tablename__ = "learned_sessions"
    __table_args__ = (
        *_named("owner", "emsp"),
        *_seen("session_key", "session_id", "status", "auth_key", "location_key"),
        Index(None, "owner", "start"),
        Index(None, "updated_at"),
    )

    session_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    owner: Party = Field(primary_key=True, sa_type=PartyName)
    session_id: str = Field(max_length=SEEN_LENGTH)
    emsp: Party | None = Field(sa_type=PartyName)
    status: str | None = Field(max_length=SEEN_LENGTH)
    start: datetime | None
    auth_key: str | None = Field(max_length=SEEN_LENGTH)
    location_key: str | None = Field(max_length=SEEN_LENGTH)
    token: TokenFacts | None = Field(sa_type=Json(TokenFacts))
    """The one that stood for its contract."""
    updated_at: datetime


class ReferenceRow(Row, table=True):
    """An authorization reference an eMSP gave to a CPO, and the one Session it belongs to."""

    __tablename__ = "authorization_references"
    __table_args__ = (
        *_named("cpo", "emsp"),
        *_seen("uid_key", "token_type", "value", "location_key", "bound_to"),
        UniqueConstraint("cpo", "emsp", "uid_key", "value"),
        UniqueConstraint("cpo", "emsp", "bound_to"),
        Index(None, "given_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    cpo: Party = Field(sa_type=PartyName)
    emsp: Party = Field(sa_type=PartyName)
    uid_key: str = Field(max_length=SEEN_LENGTH)
    token_type: str = Field(max_length=SEEN_LENGTH)
    value: str = Field(max_length=SEEN_LENGTH)
    given_at: datetime
    location_key: str | None = Field(max_length=SEEN_LENGTH)
    bound_to: str | None = Field(max_length=SEEN_LENGTH)
    """The key of the Session; of a CDR without one, its start."""
    bound_start: datetime | None


class RecentTokenRow(Row, table=True):
    """The Token that an eMSP's contract was used with last at a CPO."""

    __tablename__ = "recent_tokens"
    __table_args__ = (*_named("cpo", "emsp"), *_seen("contract_key"), Index(None, "used_at"))

    contract_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    cpo: Party = Field(primary_key=True, sa_type=PartyName)
    emsp: Party = Field(primary_key=True, sa_type=PartyName)
    token: TokenFacts = Field(sa_type=Json(TokenFacts))
    used_at: datetime


class ShownRow(Row, table=True):
    """An object that was given to a viewer who cannot see whose it is."""

    __tablename__ = "shown_objects"
    __table_args__ = (*_named("viewer", "owner"), between("module", 1, MODULE_LENGTH), *_seen("object_key"))

    viewer: Party = Field(primary_key=True, sa_type=PartyName)
    module: str = Field(primary_key=True, max_length=MODULE_LENGTH)
    object_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    owner: Party = Field(primary_key=True, sa_type=PartyName)


class ReservationRow(Row, table=True):
    """The number that stands for a reservation at a CPO which has numbers only."""

    __tablename__ = "reservation_numbers"
    __table_args__ = (
        *_named("cpo", "emsp"),
        *_seen("reservation_key"),
        UniqueConstraint("cpo", "number"),
        Index(None, "expires_at"),
    )

    cpo: Party = Field(primary_key=True, sa_type=PartyName)
    emsp: Party = Field(primary_key=True, sa_type=PartyName)
    reservation_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    number: int = Field(sa_type=BigInteger)
    expires_at: datetime


class CreditRow(Row, table=True):
    """A credit CDR that was held back from a receiver whose version has none."""

    __tablename__ = "credited_sessions"
    __table_args__ = (
        *_named("cpo", "receiver"),
        *_seen("credit_key", "cdr_key", "session_key", "uid_key", "evse_uid_key"),
        Index(None, "cpo", "receiver", "session_key"),
        Index(None, "cpo", "receiver", "start"),
        Index(None, "noted_at"),
    )

    cpo: Party = Field(primary_key=True, sa_type=PartyName)
    receiver: Party = Field(primary_key=True, sa_type=PartyName)
    credit_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    cdr_key: str | None = Field(max_length=SEEN_LENGTH)
    """The CDR that is credited."""
    session_key: str | None = Field(max_length=SEEN_LENGTH)
    start: datetime | None
    uid_key: str | None = Field(max_length=SEEN_LENGTH)
    evse_uid_key: str | None = Field(max_length=SEEN_LENGTH)
    noted_at: datetime


class OwnPushRow(Row, table=True):
    """An object as a 2.1.1 owner pushed it last, sealed."""

    __tablename__ = "own_pushes"
    __table_args__ = (
        *_named("owner"),
        between("module", 1, MODULE_LENGTH),
        *_seen("object_key"),
        Index(None, "updated_at"),
    )

    owner: Party = Field(primary_key=True, sa_type=PartyName)
    module: str = Field(primary_key=True, max_length=MODULE_LENGTH)
    object_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    body: bytes = Field(sa_type=LargeBinary)
    updated_at: datetime


class IdAliasRow(Row, table=True):
    """The shorter id that stands for one which is too long for some versions."""

    __tablename__ = "id_aliases"
    __table_args__ = (*_named("owner"), *_seen("alias_key", "original"))

    owner: Party = Field(primary_key=True, sa_type=PartyName)
    alias_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    original: str = Field(max_length=SEEN_LENGTH)


class ShownIdRow(Row, table=True):
    """An id under which a 2.1.1 viewer knows an object. It stays for good: nothing else may ever be called that."""

    __tablename__ = "shown_ids"
    __table_args__ = (
        *_named("owner"),
        *_seen("shown_key", "shown", "real_key", "real"),
        one_of("kind", IdKind),
        UniqueConstraint("viewer", "kind", "owner", "real_key", "is_alias"),
    )

    viewer: str = Field(primary_key=True, foreign_key="platforms.id", max_length=ID_LENGTH)
    """The platform: each side of a company sees other kinds of ids."""
    kind: IdKind = Field(primary_key=True, sa_type=Words(IdKind))
    shown_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    shown: str = Field(max_length=SEEN_LENGTH)
    owner: Party = Field(sa_type=PartyName)
    real_key: str = Field(max_length=SEEN_LENGTH)
    real: str = Field(max_length=SEEN_LENGTH)
    """The id its owner has for it."""
    is_alias: bool
    """Whether it is another one than that. An object has one of each at most, where the viewer's settings changed."""


class ResidueRow(Row, table=True):
    """What a receiver's version took away from an object, sealed."""

    __tablename__ = "residues"
    __table_args__ = (
        *_named("owner", "receiver"),
        between("kind", 1, MODULE_LENGTH),
        *_seen("object_key"),
        Index(None, "updated_at"),
    )

    owner: Party = Field(primary_key=True, sa_type=PartyName)
    kind: str = Field(primary_key=True, max_length=MODULE_LENGTH)
    object_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    receiver: Party = Field(primary_key=True, sa_type=PartyName)
    body: bytes = Field(sa_type=LargeBinary)
    updated_at: datetime
    """When it was left."""


class WayRow(Row, table=True):
    """A party that an id leads to, and one thing that is known more closely, such as an EVSE of a Location."""

    __tablename__ = "ways"
    __table_args__ = (
        *_named("party"),
        at_most("leads_by", _INDEX_LENGTH),
        at_most("owner", PARTY_LENGTH),
        *_seen("id_key", "detail"),
        Index(None, "expires_at"),
    )

    id_key: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    owner: str = Field(primary_key=True, max_length=PARTY_LENGTH)
    """Whose id it is, as in `NL*ABC`; empty where the id stands for itself."""
    leads_by: str = Field(primary_key=True, max_length=_INDEX_LENGTH)
    """What is looked for, see `routing.clues.Index`."""
    party: Party = Field(primary_key=True, sa_type=PartyName)
    detail: str = Field(primary_key=True, max_length=SEEN_LENGTH)
    learned_at: datetime
    expires_at: datetime | None
    """When it may be forgotten; none while the party stays."""
