"""Reading the journal, newest entries first. No question of an operator takes longer than `ANSWER_S`.

What one asks for decides which index is used: every id has one, and so has everything that is asked for together with
a time. Where a message may match in two ways, as its sender's or as its receiver's, the two are read apart, each in the
order of its index, and put together: one question with an `or` would sort all there is.

Whatever else is asked for is looked for backwards in time. A question that does not get to its end in time is answered
with what was found until then, and says from when on that is complete.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, extract, literal_column
from sqlalchemy.exc import DBAPIError
from sqlmodel import and_, col, func, not_, select, text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.database import Database
from hub.store.journal import Gap
from hub.store.journal_entries import Capture, Failure, Hop, JournalEntry
from hub.store.journal_filters import Conditions, MessageFilter, before, branches, seen_from
from hub.store.journal_tables import CaptureRow, EntryKey, JournalGapRow, JournalRow, capture_context
from hub.store.vault import Vault
from routing.errors import InvalidParameters
from routing.vocabulary import Party, Version

ANSWER_S: Final = 2.0
"""What one question may take, in seconds."""
COUNTED: Final = 1000
"""Entries that are counted exactly."""
MOST_OF_A_STORY: Final = 2000
"""Entries of one correlation id that are read."""
_AT_ONCE_S: Final = 1.0
"""Of that time, what is given to reading all there is in one go."""
_FIRST_STRETCH: Final = timedelta(hours=1)
_STRETCHES_GROW: Final = 4
_CANCELED: Final = "57014"
"""SQLSTATE query_canceled: the time is over."""
_INTERRUPTED: Final = "interrupted"
"""What SQLite says of the same."""
_STEPS_BETWEEN_LOOKS: Final = 20_000
_CLOCKS_DIFFER: Final = timedelta(seconds=1)
"""A delivery may have been made by another process than that which took in the broadcast."""
_DELIVERED_WITHIN: Final = timedelta(minutes=2)
"""None begins later than half a minute after the broadcast."""
_A_SECOND: Final = 1e6
_seconds_on_sqlite: Final = (func.julianday(col(JournalRow.time)) - 2_440_587.5) * 86_400
_NEWEST_FIRST: Final = (col(JournalRow.time).desc(), col(JournalRow.number).desc())


class FoundEntries(Struct, frozen=True):
    """A part of what was asked for."""

    items: tuple[JournalEntry, ...]
    next_cursor: str | None
    count: int | None
    """All that was asked for; COUNTED + 1 where it is more than COUNTED. None on later pages, and when it took long."""
    covered_from: datetime | None
    """Set when there was no time to look at what is older."""


class ObjectTally(Struct, frozen=True):
    """What there is of one object."""

    object_type: str | None
    messages: int
    """At most COUNTED are counted."""
    stories: int
    sender: Party | None
    """Of the newest entry, as the receiver is."""
    receiver: Party | None


class DeliverySum(Struct, frozen=True):
    """Deliveries of one broadcast that came to the same."""

    correlation_id: str
    request_id: str
    """With the other id it says which broadcast."""
    failure: Failure | None
    was_called: bool
    was_dropped: bool
    version: Version | None
    """Of the receivers; None where nobody was called."""
    number: int
    last: datetime
    """The end of the last one."""


class JournalReads:
    """What is in the journal, for all to see or for one platform (`scope`). HubFault when the database is away."""

    def __init__(
        self, database: Database, vault: Vault, *, answer_s: float = ANSWER_S, at_once_s: float = _AT_ONCE_S
    ) -> None:
        self._database = database
        self._vault = vault
        self._answer_s = answer_s
        self._at_once_s = at_once_s
        is_sqlite = database.engine.dialect.name == "sqlite"
        self._seconds = _seconds_on_sqlite if is_sqlite else extract("epoch", col(JournalRow.time))

    async def page(self, wanted: MessageFilter, *, limit: int, cursor: str | None) -> FoundEntries:
        """Entries, newest first.

        Raises:
            InvalidParameters: the cursor is none of ours.
        """
        if cursor is None:
            found, count = await asyncio.gather(self._found(wanted, None, limit), self._count(wanted))
            return msgspec.structs.replace(found, count=count)
        key = EntryKey.of(cursor)
        if key is None:
            raise InvalidParameters("The cursor is not one that an earlier answer gave")
        return await self._found(wanted, key, limit)

    async def get(self, entry_id: str, *, scope: str | None) -> JournalEntry | None:
        """One entry; None where there is none, or none that is seen from there."""
        key = EntryKey.of(entry_id)
        if key is None:
            return None
        async with self._database.reading() as session:
            query = select(JournalRow).where(_is_of(JournalRow, key), *seen_from(scope))
            row = (await session.exec(query)).one_or_none()
        return None if row is None else row.entry

    async def capture(self, entry_id: str) -> Capture | None:
        """What was captured of an entry; None where nothing was, or it has been forgotten."""
        key = EntryKey.of(entry_id)
        if key is None:
            return None
        async with self._database.reading() as session:
            query = select(CaptureRow.content).where(_is_of(CaptureRow, key))
            content = (await session.exec(query)).one_or_none()
        if content is None:
            return None
        return msgspec.json.decode(self._vault.unseal(content, capture_context(key)).reveal(), type=Capture)

    async def of_correlation(self, correlation_id: str, *, scope: str | None) -> list[JournalEntry]:
        """Everything that has this correlation id, oldest first: of more than MOST_OF_A_STORY, the newest.

        With it come the result of a command, which has another correlation id, and the command of a result.
        """
        has_id = col(JournalRow.correlation_id) == correlation_id
        query = select(JournalRow).where(*seen_from(scope)).order_by(*_NEWEST_FIRST).limit(MOST_OF_A_STORY)
        async with self._timed(monotonic() + self._answer_s) as session:
            rows = [*(await session.exec(query.where(has_id))).all()]
            hashes = {row.callback_hash for row in rows if row.callback_hash is not None}
            if hashes:
                is_joined = and_(not_(has_id), col(JournalRow.callback_hash).in_(hashes))
                rows += (await session.exec(query.where(col(JournalRow.callback_hash).is_not(None), is_joined))).all()
        return [row.entry for row in sorted(rows, key=lambda row: (row.time, row.number))]

    async def gaps(self, since: datetime, until: datetime) -> list[Gap]:
        """The times between these two of which entries are missing."""
        query = select(JournalGapRow).where(col(JournalGapRow.since) <= until, col(JournalGapRow.until) >= since)
        async with self._database.reading() as session:
            rows = (await session.exec(query.order_by(col(JournalGapRow.since)))).all()
        return [Gap(row.since, row.until, row.entries) for row in rows]

    async def oldest(self) -> datetime | None:
        """How far back the journal goes; None while it is empty."""
        async with self._database.reading() as session:
            query = select(JournalRow.time).order_by(col(JournalRow.time)).limit(1)
            return (await session.exec(query)).one_or_none()

    async def deliveries(self, broadcasts: Sequence[JournalEntry]) -> list[DeliverySum]:
        """What became of these at their receivers, as far as it is known.

        Raises:
            TimeoutError: there were too many to count them in time.
        """
        if not broadcasts:
            return []
        row = JournalRow
        ids = {entry.correlation_id for entry in broadcasts}
        first, last = min(entry.time for entry in broadcasts), max(entry.time for entry in broadcasts)
        was_called, was_dropped = col(row.upstream_request_id).is_not(None), col(row.http_status) == 0
        kind = (row.correlation_id, row.request_id, row.failure, was_called, was_dropped, row.target_version)
        ended_at = func.max(self._seconds + (col(row.hub_us) + col(row.upstream_us)) / _A_SECOND)
        query = (
            select(*kind, func.count(), ended_at)  # type: ignore[call-overload]  # typed for four columns at most
            .where(col(row.correlation_id).in_(ids), col(row.hop) == Hop.DELIVERY)
            .where(col(row.time).between(first - _CLOCKS_DIFFER, last + _DELIVERED_WITHIN))
            .group_by(*kind)
        )
        async with self._timed(monotonic() + self._answer_s) as session:
            rows = (await session.exec(query)).all()
        return [
            DeliverySum(correlation_id, request_id, failure, called, dropped, version, number, _moment(end))
            for correlation_id, request_id, failure, called, dropped, version, number, end in rows
        ]

    # ------------------------------------------------------------ what an id is the id of

    async def of_request(self, request_id: str, *, scope: str | None) -> JournalEntry | None:
        """The newest entry whose request has this id, as it came in or as it was sent on."""
        found = await self._found(MessageFilter(scope=scope, request_id=request_id), None, 1)
        return found.items[0] if found.items else None

    async def with_correlation_id(self, correlation_id: str, *, scope: str | None) -> int:
        """How many messages have this correlation id, as far as they are counted."""
        return await self._tally([col(JournalRow.correlation_id) == correlation_id, *seen_from(scope)])

    async def with_token(self, token_hash: bytes, *, scope: str | None) -> int:
        """How many messages are about this Token, as far as they are counted."""
        return await self._tally([col(JournalRow.token_hash) == token_hash, *seen_from(scope)])

    async def with_object(self, object_id: str, *, scope: str | None) -> list[ObjectTally]:
        """What kinds of object have this id, the one seen last first."""
        query = select(JournalRow).where(col(JournalRow.object_id) == object_id, *seen_from(scope))
        async with self._timed(monotonic() + self._answer_s) as session:
            rows = (await session.exec(query.order_by(*_NEWEST_FIRST).limit(COUNTED))).all()
        tallies = []
        for kind in dict.fromkeys(row.object_type for row in rows):
            these = [row for row in rows if row.object_type == kind]
            stories = len({row.correlation_id for row in these})
            tallies.append(ObjectTally(kind, len(these), stories, these[0].sender, these[0].receiver))
        return tallies

    async def _tally(self, conditions: Conditions) -> int:
        async with self._timed(monotonic() + self._answer_s) as session:
            return await _counted(session, conditions)

    # ------------------------------------------------------------ a page

    async def _found(self, wanted: MessageFilter, key: EntryKey | None, limit: int) -> FoundEntries:
        """What is below this key. All at once if that is quick, else in stretches of time, longer and longer ones."""
        began, covered_from = monotonic(), None
        try:
            rows = await self._read(wanted, key, limit + 1, began + self._at_once_s)
        except TimeoutError:
            rows, covered_from = await self._by_stretches(wanted, key, limit + 1, began + self._answer_s)
        items = tuple(row.entry for row in rows[:limit])
        if len(rows) > limit:
            return FoundEntries(items, items[-1].id, None, None)
        rest = None if covered_from is None else str(EntryKey(covered_from, 0))
        return FoundEntries(items, rest, None, covered_from)

    async def _by_stretches(
        self, wanted: MessageFilter, key: EntryKey | None, limit: int, deadline: float
    ) -> tuple[list[JournalRow], datetime | None]:
        """Also from when on these are complete; None where they are."""
        oldest = wanted.since or await self.oldest()
        until = wanted.until
        end = key.time if key is not None else until or datetime.now(UTC)
        stretch = _FIRST_STRETCH
        rows: list[JournalRow] = []
        while oldest is not None and end > oldest and len(rows) < limit:
            begin = max(end - stretch, oldest)
            part = msgspec.structs.replace(wanted, since=begin, until=until)
            try:
                rows += await self._read(part, key, limit - len(rows), deadline)
            except TimeoutError:
                return rows, end
            until = end = begin
            stretch *= _STRETCHES_GROW
        return rows, None

    async def _read(self, wanted: MessageFilter, key: EntryKey | None, limit: int, deadline: float) -> list[JournalRow]:
        rows: list[JournalRow] = []
        below = [] if key is None else [before(key)]
        async with self._timed(deadline) as session:
            for branch in branches(wanted):
                query = select(JournalRow).where(*branch, *below).order_by(*_NEWEST_FIRST).limit(limit)
                rows += (await session.exec(query)).all()
        rows.sort(key=lambda row: (row.time, row.number), reverse=True)
        return rows[:limit]

    async def _count(self, wanted: MessageFilter) -> int | None:
        try:
            async with self._timed(monotonic() + self._answer_s) as session:
                return min(sum([await _counted(session, branch) for branch in branches(wanted)]), COUNTED + 1)
        except TimeoutError:
            return None

    @asynccontextmanager
    async def _timed(self, deadline: float) -> AsyncIterator[AsyncSession]:
        """A transaction whose statements end by then.

        Raises:
            TimeoutError: one did not.
        """
        left_s = deadline - monotonic()
        if left_s <= 0:
            raise TimeoutError
        is_over = False
        async with self._database.reading() as session, _ending(session, deadline, left_s):
            try:
                yield session
            except DBAPIError as error:
                if not _is_interrupted(error):
                    raise
                is_over = True
        if is_over:
            raise TimeoutError


@asynccontextmanager
async def _ending(session: AsyncSession, deadline: float, left_s: float) -> AsyncIterator[None]:
    """Let the database itself end what takes longer."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f"SET LOCAL statement_timeout = {max(int(left_s * 1000), 1)}"))
        yield
        return
    sqlite = (await connection.get_raw_connection()).driver_connection
    if sqlite is None:
        raise RuntimeError("a connection that is in use has a driver")
    await sqlite.set_progress_handler(lambda: monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        await sqlite.set_progress_handler(None, 0)


async def _counted(session: AsyncSession, conditions: Conditions) -> int:
    found = select(literal_column("1")).select_from(JournalRow).where(*conditions).limit(COUNTED + 1).subquery()
    return (await session.exec(select(func.count()).select_from(found))).one()


def _moment(seconds: float | Decimal) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _is_of(table: type[JournalRow | CaptureRow], key: EntryKey) -> ColumnElement[bool]:
    return and_(col(table.time) == key.time, col(table.number) == key.number)


def _is_interrupted(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == _CANCELED or str(error.orig) == _INTERRUPTED
