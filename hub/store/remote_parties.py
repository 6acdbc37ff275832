"""Parties behind other hubs, as those hubs announce them.

A 2.3.0 hub names them in the roles of its Credentials object, every hub in its ClientInfo list, and it may put single
ClientInfo objects here. OCPI 2.2.1, "HubClientInfo"; OCPI 2.3.0, "Credentials".

What a hub announces is kept as it says, also where a platform here or another hub has the same party: which of them
counts is decided in `routing.directory`. Nothing is ever deleted: what is withdrawn becomes SUSPENDED.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.changes import Change, changing, settling
from hub.store.database import Database
from hub.store.live_directory import LiveDirectory
from hub.store.tables import PlatformRow, RemotePartyRow
from routing.client_info import ClientInfo
from routing.vocabulary import ConnectionStatus, Party, Role

_CALLED: Final = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})

_Key: TypeAlias = tuple[Party, Role]
_Said: TypeAlias = Mapping[_Key, ConnectionStatus]


class RemoteParties:
    """What other hubs say of parties at any time, beside when they register: see `hub.store.registrations`."""

    def __init__(self, database: Database, directory: LiveDirectory) -> None:
        self._database = database
        self._directory = directory

    async def listed(self, platform_id: str, infos: Collection[ClientInfo], *, is_complete: bool) -> bool:
        """Take over what a hub lists. False when that is nothing new.

        `is_complete`: who is not in it is withdrawn.

        Raises:
            UnknownPlatform: there is none of this id.
            HubFault: the database does not answer.
        """
        said = {(info.party, info.role): info.status for info in infos}
        async with self._database.reading() as session:
            if not _news(await _rows(session, platform_id), said, is_complete=is_complete):
                return False
        async with self._change(platform_id) as (change, platform):
            if platform.is_hub:
                rows = await _rows(change.session, platform_id)
                _apply(change, platform, rows, _news(rows, said, is_complete=is_complete), {})
        return True

    async def put(self, platform_id: str, info: ClientInfo) -> bool:
        """Take over what a hub says of one role of one party. False when that is nothing new.

        Raises:
            UnknownPlatform: there is none of this id.
            HubFault: the database does not answer.
        """
        return await self.listed(platform_id, [info], is_complete=False)

    @asynccontextmanager
    async def _change(self, platform_id: str) -> AsyncIterator[tuple[Change, PlatformRow]]:
        async with changing(self._database) as change, settling(change, platform_id) as platform:
            yield change, platform
        await self._directory.announce()


async def announce_roles(change: Change, platform: PlatformRow, named: Mapping[_Key, dict[str, Any]]) -> None:
    """Take over the roles, with their business details, that a hub names when it registers: parties that it reaches.

    Who is not among them is withdrawn, except who is only planned: those are in its ClientInfo list alone.
    """
    rows = await _rows(change.session, platform.id)
    said = {key: _reached(rows.get(key)) for key in named}
    gone = {
        key: ConnectionStatus.SUSPENDED for key, row in rows.items() if key not in said and row.announced in _CALLED
    }
    _apply(change, platform, rows, {**said, **gone}, named)


async def withdraw_everybody(change: Change, platform: PlatformRow) -> None:
    """The platform is no hub any more: nobody can be reached through it."""
    rows = await _rows(change.session, platform.id)
    _apply(change, platform, rows, dict.fromkeys(rows, ConnectionStatus.SUSPENDED), {})


async def is_remote(change: Change, party: Party) -> bool:
    """Whether another hub announces this party, or did."""
    query = select(RemotePartyRow.role).where(
        col(RemotePartyRow.country_code) == party.country_code, col(RemotePartyRow.party_id) == party.party_id
    )
    return (await change.session.exec(query)).first() is not None


def _reached(row: RemotePartyRow | None) -> ConnectionStatus:
    """The roles of a hub do not say who of them is offline."""
    return ConnectionStatus.OFFLINE if row is not None and row.announced is ConnectionStatus.OFFLINE else _HERE


_HERE: Final = ConnectionStatus.CONNECTED


async def _rows(session: AsyncSession, platform_id: str) -> dict[_Key, RemotePartyRow]:
    query = select(RemotePartyRow).where(col(RemotePartyRow.platform_id) == platform_id)
    return {(row.party, row.role): row for row in (await session.exec(query)).all()}


def _news(rows: Mapping[_Key, RemotePartyRow], said: _Said, *, is_complete: bool) -> dict[_Key, ConnectionStatus]:
    """What differs from what was announced before."""
    news = {key: _next(rows.get(key), status) for key, status in said.items()}
    if is_complete:
        news.update((key, ConnectionStatus.SUSPENDED) for key in rows if key not in said)
    return {key: status for key, status in news.items() if key not in rows or rows[key].announced is not status}


def _next(row: RemotePartyRow | None, said: ConnectionStatus) -> ConnectionStatus:
    """Who was there once is never PLANNED again."""
    once = row is not None and row.announced is not ConnectionStatus.PLANNED
    return ConnectionStatus.SUSPENDED if once and said is ConnectionStatus.PLANNED else said


def _apply(
    change: Change,
    platform: PlatformRow,
    rows: Mapping[_Key, RemotePartyRow],
    said: _Said,
    details: Mapping[_Key, dict[str, Any]],
) -> None:
    """Store this. What it means for the status here, `settling` finds out."""
    change.session.add_all(_new_row(change, platform, key, said[key], details) for key in said if key not in rows)
    for key, row in rows.items():
        row.announced = said.get(key, row.announced)
        if key in details and row.business_details != details[key]:
            row.business_details = details[key]
            row.last_updated = change.now
            row.shown_revision = change.revision


def _new_row(
    change: Change,
    platform: PlatformRow,
    key: _Key,
    said: ConnectionStatus,
    details: Mapping[_Key, dict[str, Any]],
) -> RemotePartyRow:
    party, role = key
    return RemotePartyRow(
        platform_id=platform.id,
        country_code=party.country_code,
        party_id=party.party_id,
        role=role,
        announced=said,
        status=said,
        business_details=details.get(key, {}),
        created_at=change.now,
        last_updated=change.now,
        shown_revision=change.revision,
    )
