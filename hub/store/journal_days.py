"""The days of the journal: a partition each on PostgreSQL, made before it is needed and dropped as a whole.

Making one and taking one away disturb neither who reads nor who writes: a partition is attached when it has its
columns, and detached before it is dropped. On SQLite there are no partitions, and old rows are deleted in small lots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.observability import FilteringBoundLogger
from hub.store.database import Database

log: FilteringBoundLogger = structlog.get_logger()

AHEAD_DAYS: Final = 3
"""For so many days to come there is a partition already."""
_LOT: Final = 2000
_NAME: Final = re.compile(r"journal_(\d{4})_(\d{2})_(\d{2})")
_TURN: Final = "SELECT pg_advisory_xact_lock(hashtext('journal days of ' || current_schema()))"
_DAYS: Final = """
SELECT name.relname, part.inhdetachpending FROM pg_class name LEFT JOIN pg_inherits part ON part.inhrelid = name.oid
WHERE name.relnamespace = current_schema()::regnamespace AND name.relkind = 'r' AND name.relname LIKE 'journal\\_2%'
"""
"""Of each table that is or was a partition: whether its detaching was begun; NULL when it is detached."""
_DELETE_OLD: Final = """
DELETE FROM {table} WHERE (time, number) IN
(SELECT time, number FROM {table} WHERE time < :before ORDER BY time LIMIT :lot)
"""


class JournalDays:
    """Makes and drops what the journal is kept in. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_partitioned = database.engine.dialect.name == "postgresql"
        self._there: set[date] = set()

    async def make(self, days: Iterable[date]) -> None:
        """See to it that entries of these days can be written. Costs nothing for days that this process knows of."""
        missing = sorted(set(days) - self._there)
        if not missing or not self._is_partitioned:
            return
        async with self._database.writing() as session:
            connection = await session.connection()
            await connection.execute(text(_TURN))
            known = await _partitions(connection)
            for day in missing:
                if day not in known:
                    await _make(connection, day)
        self._there.update(missing)

    async def make_ahead(self, now: datetime) -> None:
        """The days to come, and this one."""
        today = now.astimezone(UTC).date()
        await self.make(today + timedelta(days=ahead) for ahead in range(AHEAD_DAYS + 1))

    def forget(self) -> None:
        """Look again which days there are, since one was missing after all."""
        self._there.clear()

    async def drop_before(self, day: date) -> int:
        """Drop all that is older than this day; returns how many days, or rows on SQLite, that were."""
        if not self._is_partitioned:
            return await self.delete_before("journal", datetime(day.year, day.month, day.day, tzinfo=UTC))
        async with self._database.reading() as session:
            known = await _partitions(await session.connection())
        old = {each: pending for each, pending in known.items() if each < day}
        for each, pending in sorted(old.items()):
            await self._drop(each, is_pending=pending)
        self._there -= old.keys()
        return len(old)

    async def delete_before(self, table: str, time: datetime) -> int:
        """Delete the rows of one of the journal's tables that are older, a lot at a time; returns their number."""
        statement = text(_DELETE_OLD.format(table=table))
        deleted = 0
        while True:
            async with self._database.writing() as session:
                values = {"before": self._as_stored(time), "lot": _LOT}
                result = await (await session.connection()).execute(statement, values)
                lot = result.rowcount
            deleted += lot
            if lot < _LOT:
                return deleted

    async def _drop(self, day: date, *, is_pending: bool | None) -> None:
        name = _name(day)
        async with self._database.alone() as connection:
            if is_pending is not None:
                how = "FINALIZE" if is_pending else "CONCURRENTLY"
                await connection.execute(text(f'ALTER TABLE journal DETACH PARTITION "{name}" {how}'))
            await connection.execute(text(f'DROP TABLE IF EXISTS "{name}"'))
        log.info("journal_day_dropped", day=day.isoformat())

    def _as_stored(self, time: datetime) -> object:
        return time if self._is_partitioned else as_text(time)


_TEXT_LENGTH: Final = len("2026-11-22 20:44:47.123456")


def as_text(time: datetime) -> str:
    """A time in the way SQLite has it."""
    return (time if time.tzinfo is UTC else time.astimezone(UTC)).isoformat(" ", "microseconds")[:_TEXT_LENGTH]


def _name(day: date) -> str:
    return f"journal_{day:%Y_%m_%d}"


async def _partitions(connection: AsyncConnection) -> dict[date, bool | None]:
    """Every day there is a table of; see `_DAYS`."""
    found = {}
    for name, pending in (await connection.execute(text(_DAYS))).all():
        match = _NAME.fullmatch(name)
        if match is not None:
            found[date(int(match[1]), int(match[2]), int(match[3]))] = pending
    return found


async def _make(connection: AsyncConnection, day: date) -> None:
    name, end = _name(day), day + timedelta(days=1)
    await connection.execute(text(f'CREATE TABLE "{name}" (LIKE journal)'))
    bounds = f"FROM ('{day:%Y-%m-%d} 00:00+00') TO ('{end:%Y-%m-%d} 00:00+00')"
    await connection.execute(text(f'ALTER TABLE journal ATTACH PARTITION "{name}" FOR VALUES {bounds}'))
