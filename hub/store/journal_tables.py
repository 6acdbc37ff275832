"""The tables of the journal, for PostgreSQL and SQLite alike.

On PostgreSQL the journal has a partition for each day, see `hub.store.journal_days`: what is old goes with its
partition, and the indexes that get entries in no order of their own stay as small as a day. There is no default
partition: one would keep days from being attached and detached beside reading and writing.

Apart from their keys, rows have no constraints: whoever writes has clipped all texts, and a rule that a row breaks
would cost the entry. Nor do platforms have to exist: the journal outlives them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Index, Integer, LargeBinary, SmallInteger, Text, literal_column, text
from sqlmodel import Field

from hub.store.columns import CORRELATION_ID_LENGTH, ID_LENGTH, MODULE_LENGTH, Json, PartyName, Row, Words
from hub.store.journal_entries import Failure, Hop, JournalEntry, NotedLoss, Receivers
from routing.vocabulary import Party, Version

OBJECT_ID_LENGTH: Final = 255
ROUTE_LENGTH: Final = 20
METHOD_LENGTH: Final = 10

_ENDS: Final = ("sender", "receiver", "sender_platform_id", "receiver_platform_id")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TIME_DIGITS: Final = 14
_NUMBER_DIGITS: Final = 8
_FAILED: Final = text("failure IS NOT NULL")
_LOSSY: Final = text("losses IS NOT NULL")
_OBJECT: Final = text("object_id IS NOT NULL")
_TOKEN: Final = text("token_hash IS NOT NULL")
IS_BROADCAST: Final[ColumnElement[bool]] = literal_column("route = 'broadcast' AND hop = 'message'")
"""As its index has it, word for word: with parameters in their place it would not be used."""
_CALLBACK: Final = text("callback_hash IS NOT NULL")


def only_on_postgresql(index: Index) -> Index:
    """An index that SQLite goes without.

    There writing is the hub's own work, and each index makes it dearer; and what is asked for together with a time is
    found by the time, in a journal of the size that SQLite is for.
    """
    index.info["only_on"] = "postgresql"
    index.ddl_if(dialect="postgresql")
    return index


class EntryKey(NamedTuple):
    """What an entry is found by; keys sort as the entries came."""

    time: datetime
    number: int
    """Tells entries of one microsecond apart. 0 to 2^31 - 1."""

    def __str__(self) -> str:
        """The id of the entry."""
        micros = (self.time - _EPOCH) // _MICROSECOND
        return f"{micros:0{_TIME_DIGITS}x}{self.number:0{_NUMBER_DIGITS}x}"

    @classmethod
    def of(cls, entry_id: str) -> EntryKey | None:
        """The key of the entry with this id; None where that is no id of an entry."""
        if len(entry_id) != _TIME_DIGITS + _NUMBER_DIGITS or not entry_id.isascii() or not entry_id.isalnum():
            return None
        try:
            micros, number = int(entry_id[:_TIME_DIGITS], 16), int(entry_id[_TIME_DIGITS:], 16)
            return cls(_EPOCH + micros * _MICROSECOND, number) if number < 1 << 31 else None
        except (ValueError, OverflowError):
            return None


class JournalRow(Row, table=True):
    """One hop; see `JournalEntry` for what is in it."""

    __tablename__ = "journal"
    __table_args__ = (
        Index(None, "correlation_id"),
        Index(None, "request_id"),
        Index(None, "upstream_request_id"),
        *(only_on_postgresql(Index(None, column, "time")) for column in (*_ENDS, "module")),
        Index(None, "object_id", "time", postgresql_where=_OBJECT, sqlite_where=_OBJECT),
        Index(None, "token_hash", "time", postgresql_where=_TOKEN, sqlite_where=_TOKEN),
        Index(None, "callback_hash", postgresql_where=_CALLBACK, sqlite_where=_CALLBACK),
        Index("ix_journal_failed", "time", postgresql_where=_FAILED, sqlite_where=_FAILED),
        *(
            only_on_postgresql(Index(f"ix_journal_failed_{end}", end, "time", postgresql_where=_FAILED))
            for end in _ENDS
        ),
        Index("ix_journal_lossy", "time", postgresql_where=_LOSSY, sqlite_where=_LOSSY),
        Index("ix_journal_broadcasts", "time", postgresql_where=IS_BROADCAST, sqlite_where=IS_BROADCAST),
        {"postgresql_partition_by": "RANGE (time)"},
    )

    time: datetime = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    hop: Hop = Field(sa_type=Words(Hop))
    correlation_id: str = Field(max_length=CORRELATION_ID_LENGTH)
    request_id: str = Field(max_length=CORRELATION_ID_LENGTH)
    upstream_request_id: str | None = Field(max_length=CORRELATION_ID_LENGTH)
    sender: Party | None = Field(sa_type=PartyName)
    receiver: Party | None = Field(sa_type=PartyName)
    sender_platform_id: str | None = Field(max_length=ID_LENGTH)
    receiver_platform_id: str | None = Field(max_length=ID_LENGTH)
    route: str = Field(max_length=ROUTE_LENGTH)
    module: str = Field(max_length=MODULE_LENGTH)
    interface: str | None = Field(max_length=ROUTE_LENGTH)
    method: str = Field(max_length=METHOD_LENGTH)
    path: str = Field(sa_type=Text)
    upstream_path: str | None = Field(sa_type=Text)
    source_version: Version = Field(sa_type=Words(Version))
    target_version: Version | None = Field(sa_type=Words(Version))
    http_status: int = Field(sa_type=SmallInteger)
    ocpi_status: int = Field(sa_type=Integer)
    upstream_http_status: int | None = Field(sa_type=SmallInteger)
    upstream_ocpi_status: int | None = Field(sa_type=Integer)
    hub_us: int = Field(sa_type=BigInteger)
    """Microseconds."""
    upstream_us: int = Field(sa_type=BigInteger)
    """Microseconds."""
    losses: tuple[NotedLoss, ...] | None = Field(sa_type=Json(tuple[NotedLoss, ...]))
    """None where there is none."""
    object_type: str | None = Field(max_length=ROUTE_LENGTH)
    object_id: str | None = Field(max_length=OBJECT_ID_LENGTH)
    token_hash: bytes | None = Field(sa_type=LargeBinary)
    failure: Failure | None = Field(sa_type=Words(Failure))
    reason: str | None = Field(sa_type=Text)
    receivers: Receivers | None = Field(sa_type=Json(Receivers))
    callback_hash: bytes | None = Field(sa_type=LargeBinary)

    @property
    def entry(self) -> JournalEntry:
        """What it says."""
        return JournalEntry(
            id=str(EntryKey(self.time, self.number)),
            time=self.time,
            hop=self.hop,
            correlation_id=self.correlation_id,
            request_id=self.request_id,
            upstream_request_id=self.upstream_request_id,
            sender=self.sender,
            receiver=self.receiver,
            sender_platform_id=self.sender_platform_id,
            receiver_platform_id=self.receiver_platform_id,
            route=self.route,
            module=self.module,
            interface=self.interface,
            method=self.method,
            path=self.path,
            upstream_path=self.upstream_path,
            source_version=self.source_version,
            target_version=self.target_version,
            http_status=self.http_status,
            ocpi_status=self.ocpi_status,
            upstream_http_status=self.upstream_http_status,
            upstream_ocpi_status=self.upstream_ocpi_status,
            hub_ms=self.hub_us / 1000,
            upstream_ms=self.upstream_us / 1000,
            losses=self.losses or (),
            object_type=self.object_type,
            object_id=self.object_id,
            token_hash=self.token_hash,
            failure=self.failure,
            reason=self.reason,
            receivers=self.receivers,
            callback_hash=self.callback_hash,
        )


class CaptureRow(Row, table=True):
    """What both sides of a hop wrote: a `Capture` as JSON, sealed for `capture_context` of its entry."""

    __tablename__ = "captures"

    time: datetime = Field(primary_key=True)
    """Of the entry, as the number is."""
    number: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    content: bytes = Field(sa_type=LargeBinary)


class JournalGapRow(Row, table=True):
    """Entries that one process could not keep: what happened in that time may be missing."""

    __tablename__ = "journal_gaps"

    since: datetime = Field(primary_key=True)
    until: datetime
    process: str = Field(primary_key=True, max_length=ID_LENGTH)
    entries: int = Field(sa_type=BigInteger)
    """How many were dropped."""


def capture_context(key: EntryKey) -> str:
    """What the capture of this entry is sealed for, see `Vault.seal`."""
    return f"capture {key}"
