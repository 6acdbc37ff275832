"""Events in the truth: one open row for each cause, whatever many processes notice it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final, NamedTuple

from msgspec import Struct
from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import and_, case, col, delete, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.event_kinds import KINDS, EventKind
from hub.ids import new_id
from hub.store.administration_tables import Acknowledged, EventRow
from hub.store.clock import database_time
from hub.store.database import Database
from hub.store.lists import cursor_to, place_of
from hub.store.records import Page
from routing.errors import NoSuchPath

MOST_AT_ONCE: Final = 200
_CLOSED_ONES_LAST: Final = timedelta(days=90)

Facts = dict[str, str | float]


class EventKey(NamedTuple):
    """What makes two events the same while the first of them is open."""

    kind: EventKind
    platform_id: str
    """Empty where it is about no platform."""
    subject: str

    @property
    def text(self) -> str:
        """As the table has it."""
        return "|".join(self)


class EventTally(Struct, frozen=True):
    """How often it happened since it was last written. Ages are seconds before `write` is called."""

    count: int
    first_age_s: float
    last_age_s: float
    correlation_id: str | None
    facts: Facts


class EventRecord(Struct, frozen=True):
    """One event."""

    id: str
    kind: EventKind
    platform_id: str | None
    subject: str
    count: int
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    last_correlation_id: str | None
    facts: Facts
    acknowledged: Acknowledged | None


class EventRows:
    """The table of events. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(
        self, ended: Collection[EventKey], happened: Mapping[EventKey, EventTally], over: Collection[EventKey]
    ) -> None:
        """Close what `ended`; then count what `happened`, opening what is not open; then close what is `over`.

        Rows are written in one order, so that processes which do so at once cannot block each other.
        """
        called = monotonic()
        async with self._database.writing() as session:
            now = await database_time(session)
            await _close(session, ended, now)
            told = now - timedelta(seconds=monotonic() - called)  # a database that was away takes its time
            rows = [_row(key, happened[key], told) for key in sorted(happened)]
            if rows:
                await session.exec(_counted(self._database.engine.dialect.name, rows))
            await _close(session, over, now)

    async def open_among(self, keys: Collection[EventKey]) -> set[EventKey]:
        """Which of these are open."""
        by_text = {key.text: key for key in keys}
        async with self._database.reading() as session:
            query = select(EventRow.open_key).where(col(EventRow.open_key).in_(by_text))
            return {by_text[text] for text in (await session.exec(query)).all() if text is not None}

    async def close_quiet(self) -> int:
        """Close those that close by themselves, and did not happen for long enough; returns how many."""
        async with self._database.writing() as session:
            now = await database_time(session)
            quiet = or_(
                *(
                    and_(col(EventRow.kind) == kind, col(EventRow.last_at) < now - timedelta(seconds=each.quiet_s))
                    for kind, each in KINDS.items()
                    if each.quiet_s is not None
                )
            )
            closing = update(EventRow).where(col(EventRow.open_key).is_not(None), quiet)
            return (await session.exec(closing.values(open_key=None, closed_at=now))).rowcount

    async def drop_old(self, _: datetime) -> None:
        """Forget those that were closed long ago."""
        async with self._database.writing() as session:
            before = await database_time(session) - _CLOSED_ONES_LAST
            await session.exec(delete(EventRow).where(col(EventRow.closed_at) < before))

    async def open_by_kind(self) -> dict[EventKind, int]:
        """How many are open."""
        query = select(EventRow.kind, func.count()).where(col(EventRow.open_key).is_not(None)).group_by(EventRow.kind)
        async with self._database.reading() as session:
            return {EventKind(kind): count for kind, count in (await session.exec(query)).all()}

    async def open_by_platform(self) -> dict[str, int]:
        """How many are open about each platform."""
        about = col(EventRow.platform_id)
        is_open = and_(col(EventRow.open_key).is_not(None), about != "")
        query = select(EventRow.platform_id, func.count()).where(is_open).group_by(about)
        async with self._database.reading() as session:
            return dict((await session.exec(query)).all())

    async def page(
        self,
        *,
        is_open: bool | None,
        kind: EventKind | None,
        platform_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[EventRecord]:
        """Events, the newest first.

        Raises:
            InvalidParameters: the cursor is none of ours.
        """
        query = select(EventRow).order_by(col(EventRow.opened_at).desc(), col(EventRow.id).desc())
        if is_open is not None:
            key = col(EventRow.open_key)
            query = query.where(key.is_not(None) if is_open else key.is_(None))
        if kind is not None:
            query = query.where(col(EventRow.kind) == kind)
        if platform_id is not None:
            query = query.where(col(EventRow.platform_id) == platform_id)
        if cursor is not None:
            opened_at, last_id = place_of(cursor, tuple[datetime, str])
            older = col(EventRow.opened_at) < opened_at
            query = query.where(or_(older, and_(col(EventRow.opened_at) == opened_at, col(EventRow.id) < last_id)))
        async with self._database.reading() as session:
            rows = (await session.exec(query.limit(limit + 1))).all()
        following = cursor_to((rows[limit - 1].opened_at, rows[limit - 1].id)) if len(rows) > limit else None
        return Page(tuple(map(_record, rows[:limit])), following)

    async def acknowledge(self, event_id: str, *, by: str, until: datetime | None, reason: str) -> EventRecord:
        """Note that somebody knows of it. Who does so last counts.

        Raises:
            NoSuchPath: there is no such event.
        """
        async with self._database.writing() as session:
            row = (await session.exec(select(EventRow).where(col(EventRow.id) == event_id).with_for_update())).first()
            if row is None:
                raise NoSuchPath("There is no event of this id")
            row.acknowledged = Acknowledged(by, await database_time(session), until, reason)
            session.add(row)
            await session.flush()
            return _record(row)

    async def get(self, event_id: str) -> EventRecord:
        """One event.

        Raises:
            NoSuchPath: there is no such event.
        """
        async with self._database.reading() as session:
            row = (await session.exec(select(EventRow).where(col(EventRow.id) == event_id))).first()
        if row is None:
            raise NoSuchPath("There is no event of this id")
        return _record(row)


def _record(row: EventRow) -> EventRecord:
    return EventRecord(
        id=row.id,
        kind=EventKind(row.kind),
        platform_id=row.platform_id or None,
        subject=row.subject,
        count=row.count,
        opened_at=row.opened_at,
        last_at=row.last_at,
        closed_at=row.closed_at,
        last_correlation_id=row.last_correlation_id,
        facts=row.facts,
        acknowledged=row.acknowledged,
    )


def _row(key: EventKey, tally: EventTally, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "open_key": key.text,
        "kind": key.kind,
        "platform_id": key.platform_id,
        "subject": key.subject,
        "count": tally.count,
        "opened_at": now - timedelta(seconds=tally.first_age_s),
        "last_at": now - timedelta(seconds=tally.last_age_s),
        "closed_at": None,
        "last_correlation_id": tally.correlation_id,
        "facts": tally.facts,
        "acknowledged": None,
    }


def _counted(dialect: str, rows: Sequence[dict[str, Any]]) -> Insert:
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(EventRow).values(list(rows))
    new, at = insert.excluded, col(EventRow.last_at)
    is_newer = new.last_at >= at
    return insert.on_conflict_do_update(
        index_elements=["open_key"],
        set_={
            "count": col(EventRow.count) + new["count"],
            "last_at": case((is_newer, new.last_at), else_=at),
            "last_correlation_id": func.coalesce(new.last_correlation_id, col(EventRow.last_correlation_id)),
            "facts": case((is_newer, new.facts), else_=col(EventRow.facts)),
        },
    )


async def _close(session: AsyncSession, keys: Collection[EventKey], now: datetime) -> None:
    if keys:
        its = col(EventRow.open_key).in_([key.text for key in sorted(keys)])
        await session.exec(update(EventRow).where(its).values(open_key=None, closed_at=now))
