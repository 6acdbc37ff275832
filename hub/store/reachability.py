"""Which registered platforms answer, and since when; and what became of the status of platforms over time.

Only the process that leads writes it, each time with its term. When many platforms go or come at once, many are
written in one transaction: each is a change of its own, with a revision of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import and_, case, col, delete, exists, func, or_, select, update

from hub.store.changes import HERE, Change, changing, clock, settle_remote
from hub.store.database import Database
from hub.store.live_directory import LiveDirectory
from hub.store.records import Page, StatusCause, StatusRecord
from hub.store.tables import (
    REASON_LENGTH,
    ConnectionRow,
    PartyRoleRow,
    PartyRow,
    PlatformRow,
    PlatformStatusRow,
)
from hub.store.terms import check_term
from hub.store.truth import platform_row
from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus

AT_ONCE: Final = 100
"""Platforms in one transaction at most: it keeps all other changes waiting."""
_KEPT: Final = timedelta(days=400)
"""How long the statuses of platforms are remembered."""
_ASKED_AT_ONCE: Final = 500
_DIGITS: Final = 19
"""Of a revision, fewer than this."""


class NoAnswer(Struct, frozen=True):
    """A registered platform that does not answer."""

    platform_id: str
    revision: int
    """That the platform had when it was called. When it has another now, it may have registered anew meanwhile."""
    why: str


class Reachability:
    """In the truth. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database, directory: LiveDirectory) -> None:
        self._database = database
        self._directory = directory

    async def silence(self, platform_ids: Sequence[str]) -> dict[str, float]:
        """For how many seconds nothing has been heard of these; those never heard of are left out."""
        found: dict[str, float] = {}
        for first in range(0, len(platform_ids), _ASKED_AT_ONCE):
            some = platform_ids[first : first + _ASKED_AT_ONCE]
            async with self._database.reading() as session:
                query = select(PlatformRow.id, PlatformRow.last_seen, clock(session))
                rows = await session.exec(query.where(col(PlatformRow.id).in_(some)))
                found.update((id_, (now - seen).total_seconds()) for id_, seen, now in rows if seen is not None)
        return found

    async def gone(self, found: Sequence[NoAnswer], term: int) -> frozenset[str]:
        """Make these OFFLINE, `AT_ONCE` at most. Returns who became it: nobody who left, or registered anew.

        Raises:
            TermOver: another process leads.
        """
        by_id = {each.platform_id: each for each in found}
        async with changing(self._database, len(found)) as change:
            await check_term(change.session, term)
            rows = [
                row
                for row in await _registered(change, by_id, col(PlatformRow.unreachable_since).is_(None))
                if row.revision == by_id[row.id].revision
            ]
            for number, row in enumerate(rows):
                row.revision, row.unreachable_since = change.revision - number, change.now
                change.session.add_all((row, _status_row(change, row, by_id[row.id].why)))
            connected = col(PartyRow.status) == ConnectionStatus.CONNECTED
            await _turn_parties(change, rows, connected, ConnectionStatus.OFFLINE)
        await self._directory.announce()
        return frozenset(row.id for row in rows)

    async def back(self, platform_ids: Collection[str], term: int) -> frozenset[str]:
        """Make these CONNECTED that were OFFLINE, `AT_ONCE` at most. Returns who became it.

        Raises:
            TermOver: another process leads.
        """
        async with changing(self._database, len(platform_ids)) as change:
            await check_term(change.session, term)
            rows = await _registered(change, platform_ids, col(PlatformRow.unreachable_since).is_not(None))
            for number, row in enumerate(rows):
                row.revision = row.connected_since = change.revision - number
                row.unreachable_since = None
                change.session.add_all((row, _status_row(change, row, None)))
            await _turn_parties(change, rows, _waits_for_its_platform(), ConnectionStatus.CONNECTED)
        await self._directory.announce()
        return frozenset(row.id for row in rows)

    async def history(self, platform_id: str, *, limit: int, cursor: str | None) -> Page[StatusRecord]:
        """The statuses a platform has had, the present one first.

        Raises:
            UnknownPlatform: there is none of this id.
            InvalidParameters: the cursor is none of ours.
        """
        query = select(PlatformStatusRow).where(col(PlatformStatusRow.platform_id) == platform_id)
        until = None
        if (after := _revision(cursor)) is not None:
            query = query.where(col(PlatformStatusRow.revision) < after)
        newest_first = query.order_by(col(PlatformStatusRow.revision).desc())
        async with self._database.reading() as session:
            await platform_row(session, platform_id)
            rows = (await session.exec(newest_first.limit(limit + 1))).all()
            if after is not None:
                one_later = await session.get(PlatformStatusRow, (platform_id, after))
                until = None if one_later is None else one_later.since
        items = tuple(_records(rows[:limit], until))
        return Page(items, str(items[-1].revision) if len(rows) > limit else None)

    async def present(self, platform_ids: Collection[str]) -> dict[str, StatusRecord]:
        """The present status of each of these platforms that has one."""
        newest = (
            select(PlatformStatusRow.platform_id, func.max(PlatformStatusRow.revision).label("revision"))
            .where(col(PlatformStatusRow.platform_id).in_(platform_ids))
            .group_by(col(PlatformStatusRow.platform_id))
            .subquery()
        )
        is_newest = and_(
            col(PlatformStatusRow.platform_id) == newest.c.platform_id,
            col(PlatformStatusRow.revision) == newest.c.revision,
        )
        async with self._database.reading() as session:
            rows = (await session.exec(select(PlatformStatusRow).join(newest, is_newest))).all()
        return {each.platform_id: each for row in rows for each in _records([row], None)}

    async def drop_old(self, now: datetime) -> None:
        """Forget statuses that began long ago, and have ended."""
        later = aliased(PlatformStatusRow)
        same, newer = col(PlatformStatusRow.platform_id), col(PlatformStatusRow.revision)
        followed = exists().where(col(later.platform_id) == same, col(later.revision) > newer)
        async with self._database.writing() as session:
            await session.exec(delete(PlatformStatusRow).where(col(PlatformStatusRow.since) < now - _KEPT, followed))


async def _registered(change: Change, ids: Collection[str], which: ColumnElement[bool]) -> Sequence[PlatformRow]:
    is_connected = exists().where(col(ConnectionRow.platform_id) == col(PlatformRow.id))
    query = select(PlatformRow).where(col(PlatformRow.id).in_(ids), ~col(PlatformRow.suspended), which, is_connected)
    return (await change.session.exec(query.order_by(col(PlatformRow.id)))).all()


def _status_row(change: Change, row: PlatformRow, why: str | None) -> PlatformStatusRow:
    is_gone = row.unreachable_since is not None
    return PlatformStatusRow(
        platform_id=row.id,
        revision=row.revision,
        status=ConnectionStatus.OFFLINE if is_gone else ConnectionStatus.CONNECTED,
        cause=StatusCause.NO_ANSWER if is_gone else StatusCause.ANSWERED,
        why=why and why[:REASON_LENGTH],
        since=change.now,
    )


async def _turn_parties(
    change: Change, rows: Sequence[PlatformRow], which: ColumnElement[bool], status: ConnectionStatus
) -> None:
    """Give these parties of the platforms this status, in the change that is their platform's."""
    if not rows:
        return
    await change.session.flush()
    own = col(PartyRow.platform_id)
    revision = select(PlatformRow.revision).where(col(PlatformRow.id) == own).scalar_subquery()
    comes = col(PartyRow.status).not_in(HERE)
    new = {
        "status": status,
        "last_updated": change.now,
        "shown_revision": revision,
        "here_since": case((comes, revision), else_=col(PartyRow.here_since)),
    }
    await change.session.exec(update(PartyRow).where(own.in_([row.id for row in rows]), which).values(new))
    for row in rows:
        if row.is_hub:
            statuses = select(PartyRow.status).where(own == row.id)
            of_this = replace(change, revision=row.revision)
            await settle_remote(of_this, row, map(ConnectionStatus, (await change.session.exec(statuses)).all()))


def _waits_for_its_platform() -> ColumnElement[bool]:
    """A party is OFFLINE, or its own suspension ended while its platform was."""
    is_named = exists().where(
        col(PartyRoleRow.country_code) == col(PartyRow.country_code),
        col(PartyRoleRow.party_id) == col(PartyRow.party_id),
        col(PartyRoleRow.connection_id).is_not(None),
    )
    resumed = and_(col(PartyRow.status) == ConnectionStatus.SUSPENDED, ~col(PartyRow.suspended), is_named)
    return or_(col(PartyRow.status) == ConnectionStatus.OFFLINE, resumed)


def _records(rows: Sequence[PlatformStatusRow], until: datetime | None) -> Iterator[StatusRecord]:
    for row in rows:
        yield StatusRecord(row.platform_id, row.revision, row.status, row.cause, row.why, row.since, until)
        until = row.since


def _revision(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < _DIGITS):
        raise InvalidParameters("The cursor is none of this list's")
    return int(cursor)
