"""The tables about those who run the hub: what they should know, what they did, and what they may."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from hub.store.columns import CORRELATION_ID_LENGTH, ID_LENGTH, NAME_LENGTH, Json, Row, at_most, between

EVENT_ID_LENGTH = 36
KIND_LENGTH = 40
SUBJECT_LENGTH = 200
_OPEN_KEY_LENGTH = KIND_LENGTH + ID_LENGTH + SUBJECT_LENGTH + 2
REASON_LENGTH = 500
ROLE_LENGTH = 20
SOURCE_LENGTH = 100
ACTION_LENGTH = 100
OBJECT_LENGTH = 300
DETAIL_LENGTH = 1000
_MAC_BYTES = 32


class Acknowledged(Struct, frozen=True):
    """Somebody knows of an event."""

    by: str
    at: datetime
    until: datetime | None
    """When it is to be shown as new again."""
    reason: str


class EventRow(Row, table=True):
    """Something an operator should know of."""

    __tablename__ = "events"
    __table_args__ = (
        between("id", EVENT_ID_LENGTH, EVENT_ID_LENGTH),
        between("kind", 1, KIND_LENGTH),
        at_most("platform_id", ID_LENGTH),
        at_most("subject", SUBJECT_LENGTH),
        CheckConstraint("count > 0", name="count_positive"),
        CheckConstraint("(open_key IS NULL) = (closed_at IS NOT NULL)", name="open_or_closed"),
        UniqueConstraint("open_key"),
        Index(None, "opened_at", "id"),
        Index(None, "closed_at"),
    )

    id: str = Field(primary_key=True, max_length=EVENT_ID_LENGTH)
    open_key: str | None = Field(max_length=_OPEN_KEY_LENGTH)
    """What it is about, while it is open: so there is one open row for each cause."""
    kind: str = Field(max_length=KIND_LENGTH)
    platform_id: str = Field(index=True, max_length=ID_LENGTH)
    """Empty where it is about no platform."""
    subject: str = Field(max_length=SUBJECT_LENGTH)
    count: int = Field(sa_type=BigInteger)
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    last_correlation_id: str | None = Field(max_length=CORRELATION_ID_LENGTH)
    facts: dict[str, str | float] = Field(sa_type=Json(dict[str, str | float]))
    acknowledged: Acknowledged | None = Field(sa_type=Json(Acknowledged))


class AuditHeadRow(Row, table=True):
    """The one row that says where the audit log ends. Whoever adds to the log locks it first."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = Field(sa_type=BigInteger)
    mac: bytes = Field(sa_type=LargeBinary)


class AuditRow(Row, table=True):
    """One line of the audit log: an action that began, or how it ended. None is ever changed."""

    __tablename__ = "audit"
    __table_args__ = (
        between("actor", 1, NAME_LENGTH),
        between("role", 1, ROLE_LENGTH),
        at_most("source", SOURCE_LENGTH),
        between("action", 1, ACTION_LENGTH),
        at_most("object", OBJECT_LENGTH),
        at_most("reason", REASON_LENGTH),
        at_most("detail", DETAIL_LENGTH),
        CheckConstraint(f"length(mac) = {_MAC_BYTES}", name="mac_length"),
        UniqueConstraint("of"),
    )

    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    of: int | None = Field(sa_type=BigInteger)
    """The line whose end this is; None of one that began something, or was refused at once."""
    at: datetime
    actor: str = Field(max_length=NAME_LENGTH)
    role: str = Field(max_length=ROLE_LENGTH)
    source: str = Field(max_length=SOURCE_LENGTH)
    action: str = Field(max_length=ACTION_LENGTH)
    object: str = Field(max_length=OBJECT_LENGTH)
    platform_id: str | None = Field(index=True, max_length=ID_LENGTH)
    outcome: str = Field(max_length=ROLE_LENGTH)
    status: int | None
    reason: str | None = Field(max_length=REASON_LENGTH)
    detail: str | None = Field(max_length=DETAIL_LENGTH)
    asked: str | None = Field(sa_type=Text)
    before: str | None = Field(sa_type=Text)
    after: str | None = Field(sa_type=Text)
    mac: bytes = Field(sa_type=LargeBinary)


class OperatorTokenRow(Row, table=True):
    """Somebody who may use the operator API."""

    __tablename__ = "operator_tokens"
    __table_args__ = (
        between("id", EVENT_ID_LENGTH, EVENT_ID_LENGTH),
        between("name", 1, NAME_LENGTH),
        between("role", 1, ROLE_LENGTH),
        CheckConstraint("length(token_hash) = 32", name="token_hash_length"),
        UniqueConstraint("name"),
        UniqueConstraint("token_hash"),
    )

    id: str = Field(primary_key=True, max_length=EVENT_ID_LENGTH)
    name: str = Field(max_length=NAME_LENGTH)
    role: str = Field(max_length=ROLE_LENGTH)
    platform_id: str | None = Field(foreign_key="platforms.id", index=True, max_length=ID_LENGTH)
    token_hash: bytes = Field(sa_type=LargeBinary)
    created_at: datetime
    expires_at: datetime | None


class ConsoleSessionRow(Row, table=True):
    """Somebody who is signed in at the console."""

    __tablename__ = "console_sessions"
    __table_args__ = (Index(None, "began_at"), Index(None, "token_hash"))

    id_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    """Of what the browser has: who reads the database cannot go on with a session in it."""
    token_hash: bytes = Field(sa_type=LargeBinary)
    """Of the token that was presented. Who may not use it any more is signed out."""
    began_at: datetime
    seen_at: datetime
