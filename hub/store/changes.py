"""One change of the truth: what every writing transaction of the directory has in common.

The transaction first takes the row that holds the revision, so changes happen one after the other and
their revisions have the order in which they are committed. Whoever has seen revision n has missed
nothing up to n. It also decides every race: the second of two changes sees all of the first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, SQLColumnExpression
from sqlmodel import and_, case, col, func, literal, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.sqltypes import UTCDateTime

from hub.store.columns import Words
from hub.store.database import Database
from hub.store.records import StatusCause, status_of
from hub.store.tables import (
    ConnectionRow,
    DirectoryRow,
    PartyRoleRow,
    PartyRow,
    PlatformRow,
    PlatformStatusRow,
    RemotePartyRow,
)
from hub.store.truth import NEAREST, platform_row, roles_of_platform
from routing.vocabulary import ConnectionStatus, Party

HERE = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})
"""Statuses of a party that is registered, whether or not it answers."""
_TIME: Final = UTCDateTime()
_IDS_AT_ONCE: Final = 500
"""How many bound values one statement carries at most."""


@dataclass(frozen=True, slots=True)
class Change:
    """A writing transaction of the directory. `now` is the time by the clock of the database."""

    session: AsyncSession
    revision: int
    now: datetime


@asynccontextmanager
async def changing(database: Database, platforms: int = 1) -> AsyncIterator[Change]:
    """A change, committed at the end of the block. One of several platforms has the last of as many revisions."""
    revision = col(DirectoryRow.revision)
    async with database.writing() as session:
        changed = update(DirectoryRow).values(revision=revision + platforms)
        result = await session.exec(changed.returning(revision, clock(session)))
        yield Change(session, *result.one())


@asynccontextmanager
async def settling(change: Change, platform_id: str) -> AsyncIterator[PlatformRow]:
    """The platform to change. After the block it is stamped, and the status of its parties fits what it has become.

    Raises:
        UnknownPlatform: there is none.
    """
    platform = await platform_row(change.session, platform_id)
    was_hub, was_registered = platform.is_hub, bool(await connections_of(change, platform))
    status_before = status_of(platform, is_registered=was_registered)
    before = await roles_of_platform(change.session, platform.id)
    was_connected = ConnectionStatus.CONNECTED in await _statuses(change, platform)
    yield platform
    platform.revision = change.revision
    change.session.add(platform)
    await change.session.flush()
    after = await roles_of_platform(change.session, platform.id)
    is_connected = bool(await connections_of(change, platform))
    _note_status(change, platform, status_before, was_registered=was_registered, is_registered=is_connected)
    registered = await _registered_parties(change, platform)
    rows = (await change.session.exec(select(PartyRow).where(col(PartyRow.platform_id) == platform.id))).all()
    for row in rows:
        status = _status(row, platform, is_connected=is_connected, is_registered=row.party in registered)
        if status is not row.status or before.get(row.party) != after.get(row.party):
            if status in HERE and row.status not in HERE:
                row.here_since = change.revision
            row.status = status
            row.last_updated = change.now
            row.shown_revision = change.revision
    if not was_connected and any(row.status is ConnectionStatus.CONNECTED for row in rows):
        platform.connected_since = change.revision
    if was_hub or platform.is_hub:
        await settle_remote(change, platform, [row.status for row in rows])


async def connections_of(change: Change, platform: PlatformRow) -> list[ConnectionRow]:
    """The platform's connections, the oldest first."""
    query = select(ConnectionRow).where(col(ConnectionRow.platform_id) == platform.id)
    return list((await change.session.exec(query.order_by(col(ConnectionRow.created_at)))).all())


async def note_last_seen(session: AsyncSession, connection_ids: Collection[str]) -> None:
    """Note that the platforms of these connections were heard of just now, by the clock of the database.

    Rows are locked in one order, so that processes which note the same platforms at once cannot block each other.
    """
    ids = sorted(connection_ids)
    for first in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[first : first + _IDS_AT_ONCE]
        of_these = select(ConnectionRow.platform_id).where(col(ConnectionRow.id).in_(some))
        locked = select(PlatformRow.id).where(col(PlatformRow.id).in_(of_these)).order_by(col(PlatformRow.id))
        platforms = (await session.exec(locked.with_for_update())).all()
        now = {"last_seen": clock(session)}
        await session.exec(update(PlatformRow).where(col(PlatformRow.id).in_(platforms)).values(now))


def clock(session: AsyncSession) -> ColumnElement[datetime]:
    """The time, as all processes have it. A file has no clock, and one process, whose clock that is."""
    if session.get_bind().dialect.name == "postgresql":
        return func.clock_timestamp(type_=_TIME)
    return literal(datetime.now(UTC), _TIME)


def _status(row: PartyRow, platform: PlatformRow, *, is_connected: bool, is_registered: bool) -> ConnectionStatus:
    """What becomes of a party. OCPI 2.2.1, "HubClientInfo": who was there once is never PLANNED again.

    =======================================================  =========
    it or its platform is suspended by the operator          SUSPENDED
    a connection of its platform names it, which answers     CONNECTED
    the same, and the platform does not answer               OFFLINE
    the same, and its own suspension ended meanwhile         SUSPENDED, until the platform answers
    invited, never there, and its platform still may come    PLANNED
    anything else: it left, or is no longer named            SUSPENDED
    =======================================================  =========
    """
    if platform.suspended or row.suspended:
        return ConnectionStatus.SUSPENDED
    if is_registered:
        if platform.unreachable_since is None:
            return ConnectionStatus.CONNECTED
        return row.status if row.status is ConnectionStatus.SUSPENDED else ConnectionStatus.OFFLINE
    if row.status is ConnectionStatus.PLANNED and (platform.planned or is_connected):
        return ConnectionStatus.PLANNED
    return ConnectionStatus.SUSPENDED


def _note_status(
    change: Change, platform: PlatformRow, before: ConnectionStatus, *, was_registered: bool, is_registered: bool
) -> None:
    status = status_of(platform, is_registered=is_registered)
    if status is before:
        return
    if status is ConnectionStatus.SUSPENDED:
        cause = StatusCause.SUSPENDED if platform.suspended else StatusCause.LEFT
    else:
        is_resumed = before is ConnectionStatus.SUSPENDED and was_registered
        cause = StatusCause.RESUMED if is_resumed else StatusCause.REGISTERED
    change.session.add(
        PlatformStatusRow(
            platform_id=platform.id, revision=change.revision, status=status, cause=cause, since=change.now
        )
    )


async def settle_remote(change: Change, platform: PlatformRow, own: Iterable[ConnectionStatus]) -> None:
    """What becomes of the parties behind a hub that has these statuses itself. OCPI 2.2.1, "HubClientInfo".

    ====================  ============================================================
    it is CONNECTED       what it announced
    it is OFFLINE         OFFLINE, where it announced CONNECTED; else what it announced
    it is not here        SUSPENDED, where it did not announce PLANNED
    ====================  ============================================================
    """
    announced, stored = col(RemotePartyRow.announced), col(RemotePartyRow.status)
    match min(own, key=NEAREST.index, default=ConnectionStatus.SUSPENDED):
        case ConnectionStatus.CONNECTED:
            status: SQLColumnExpression[ConnectionStatus] = announced
        case ConnectionStatus.OFFLINE:
            status = case((announced == ConnectionStatus.CONNECTED, _word(ConnectionStatus.OFFLINE)), else_=announced)
        case _:
            planned = announced == ConnectionStatus.PLANNED
            status = case((planned, announced), else_=_word(ConnectionStatus.SUSPENDED))
    others = (col(RemotePartyRow.platform_id) == platform.id, stored != status)
    since = col(RemotePartyRow.here_since)
    comes = and_(stored.not_in(HERE), _is_here(status))
    await change.session.exec(
        update(RemotePartyRow)
        .where(*others)
        .values(
            status=status,
            last_updated=change.now,
            shown_revision=change.revision,
            here_since=case((comes, change.revision), else_=since),
        )
    )


def _is_here(status: SQLColumnExpression[ConnectionStatus]) -> ColumnElement[bool]:
    return or_(*(status == _word(each) for each in HERE))


async def _statuses(change: Change, platform: PlatformRow) -> set[ConnectionStatus]:
    query = select(PartyRow.status).where(col(PartyRow.platform_id) == platform.id)
    return set(map(ConnectionStatus, (await change.session.exec(query)).all()))


def _word(status: ConnectionStatus) -> ColumnElement[ConnectionStatus]:
    return literal(status, Words(ConnectionStatus))


async def _registered_parties(change: Change, platform: PlatformRow) -> set[Party]:
    query = (
        select(PartyRoleRow.country_code, PartyRoleRow.party_id)
        .join(ConnectionRow, col(ConnectionRow.id) == col(PartyRoleRow.connection_id))
        .where(col(ConnectionRow.platform_id) == platform.id)
    )
    return {Party(*row) for row in (await change.session.exec(query)).all()}
