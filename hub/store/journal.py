"""Writing the journal, many entries at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlmodel import col, delete

from hub.store.database import Database
from hub.store.journal_days import JournalDays, as_text
from hub.store.journal_entries import Capture
from hub.store.journal_tables import CaptureRow, EntryKey, JournalGapRow, JournalRow, capture_context
from hub.store.vault import Vault
from routing.errors import InvalidParameters
from routing.vocabulary import Secret

CAPTURE_DAYS: Final = 7
"""How long the bodies of messages are kept."""
COLUMNS: Final = tuple(column.name for column in JournalRow.__table__.columns)  # type: ignore[attr-defined]  # sqlmodel makes it
_CAPTURE_COLUMNS: Final = tuple(column.name for column in CaptureRow.__table__.columns)  # type: ignore[attr-defined]  # see above
_COPIED_AT_ONCE: Final = 500
"""Messages wait while they are put into the form in which they go over the wire: a millisecond and a half."""
_INSERTED_AT_ONCE: Final = 2000
"""This is done in a thread, and the more at once, the fewer pages are written twice."""
_ENCODE: Final = msgspec.json.Encoder().encode


class Gap(Struct, frozen=True):
    """Entries that were dropped."""

    since: datetime
    until: datetime
    entries: int


class JournalStore:
    """The journal in the truth. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database, vault: Vault, *, keep_days: int) -> None:
        self._database = database
        self._vault = vault
        self._keep = timedelta(days=keep_days)
        self.days = JournalDays(database)
        self._copies = database.engine.dialect.name == "postgresql"
        self.at_once = _COPIED_AT_ONCE if self._copies else _INSERTED_AT_ONCE
        """Entries of one writing."""

    async def append(self, rows: Sequence[tuple[Any, ...]]) -> int:
        """Write these rows, whose columns are `COLUMNS`; returns how many the database refused, whatever is done."""
        try:
            await self._append("journal", COLUMNS, rows)
        except InvalidParameters:
            self.days.forget()  # its partition may have been dropped
        else:
            return 0
        return await self._append_parts(rows)

    async def _append_parts(self, rows: Sequence[tuple[Any, ...]]) -> int:
        """Halve what was refused, until only those rows are left out that are to blame."""
        try:
            await self._append("journal", COLUMNS, rows)
        except InvalidParameters:
            if len(rows) == 1:
                return 1
            middle = len(rows) // 2
            return await self._append_parts(rows[:middle]) + await self._append_parts(rows[middle:])
        return 0

    async def keep(self, captures: Sequence[tuple[EntryKey, Capture]]) -> None:
        """Keep what was said in these hops, sealed.

        Raises:
            InvalidParameters: the database refuses one of them.
        """
        rows = [(key.time, key.number, self._sealed(key, capture)) for key, capture in captures]
        await self._append("captures", _CAPTURE_COLUMNS, rows)

    async def note_gap(self, gap: Gap, process: str) -> None:
        """Note that entries are missing, so that nobody takes what is there for everything."""
        async with self._database.writing() as session:
            session.add(JournalGapRow(since=gap.since, until=gap.until, process=process, entries=gap.entries))

    async def tidy(self, now: datetime) -> None:
        """Make the days to come, and forget what is old."""
        await self.days.make_ahead(now)
        await self.days.drop_before((now - self._keep).date())
        await self.days.delete_before("captures", now - timedelta(days=CAPTURE_DAYS))
        await self._forget_gaps(now - self._keep)

    async def _forget_gaps(self, before: datetime) -> None:
        async with self._database.writing() as session:
            await session.exec(delete(JournalGapRow).where(col(JournalGapRow.until) < before))

    async def _append(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if self._copies:
            if table == "journal":
                await self.days.make({row[0].date() for row in rows})
            await self._database.copy(table, columns, rows)
            return
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - all of it is our own
        stored = [(as_text(row[0]), *row[1:]) for row in rows]
        async with self._database.writing() as session:
            connection = await session.connection()
            await connection.exec_driver_sql(statement, stored)

    def _sealed(self, key: EntryKey, capture: Capture) -> bytes:
        return self._vault.seal(Secret(_ENCODE(capture).decode()), capture_context(key))
