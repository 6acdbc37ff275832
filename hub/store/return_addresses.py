"""Where answers that come later belong: results of commands, and CDRs that can be read again.

Kept in the truth, so that a restart, or another worker, finds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from sqlmodel import col, delete, func, select, update

from hub.store.database import Database
from hub.store.tables import CallbackRow, CdrProxyRow
from routing.vocabulary import Party

_AT_ONCE: Final = 100


class Callback(Struct, frozen=True):
    """A URL of the hub on which a receiver posts the result of a command."""

    id: str
    response_url: str
    """Where the originator waits for it."""
    module: str
    command: str | None
    originator_platform_id: str
    originator: Party
    receiver_platform_id: str
    receiver: Party
    created_at: datetime
    expires_at: datetime
    due_at: datetime | None = None
    """When the originator is told that there was no result in time; None where it is not told so."""
    settled_at: datetime | None = None
    """When the first result came, or the originator was told that there is none."""


class CdrProxy(Struct, frozen=True):
    """A URL of the hub under which a posted CDR can be read again."""

    id: str
    receiver: Party
    receiver_url: str
    """What the receiver gave as Location, made absolute."""
    poster_platform_id: str
    poster: Party
    created_at: datetime


class ReturnAddresses:
    """The return addresses in the truth. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self.newly_due = asyncio.Event()
        """Set when this process has heard of a result that is due."""
        self._database = database

    async def put_callback(self, callback: Callback) -> None:
        """Keep a new callback."""
        async with self._database.writing() as session:
            session.add(CallbackRow(**asdict(callback)))

    async def callback(self, callback_id: str) -> Callback | None:
        """The callback of this id, expired or not."""
        async with self._database.reading() as session:
            row = await session.get(CallbackRow, callback_id)
            return None if row is None else msgspec.convert(row.model_dump(), Callback)

    async def extend_callback(self, callback_id: str, until: datetime) -> None:
        """Keep a callback at least until then."""
        sooner = (col(CallbackRow.id) == callback_id, col(CallbackRow.expires_at) < until)
        async with self._database.writing() as session:
            await session.exec(update(CallbackRow).where(*sooner).values(expires_at=until))

    async def end_callback(self, callback_id: str, at: datetime) -> None:
        """Keep a callback no longer than until then."""
        later = (col(CallbackRow.id) == callback_id, col(CallbackRow.expires_at) > at)
        async with self._database.writing() as session:
            await session.exec(update(CallbackRow).where(*later).values(expires_at=at))

    async def expect_result(self, callback_id: str, due_at: datetime) -> None:
        """Have its originator told, should there be no result until then."""
        waiting = (col(CallbackRow.id) == callback_id, col(CallbackRow.settled_at).is_(None))
        async with self._database.writing() as session:
            await session.exec(update(CallbackRow).where(*waiting).values(due_at=due_at))
        self.newly_due.set()

    async def settle_callback(self, callback_id: str, now: datetime) -> None:
        """There is a result: its originator must not be told any more that there is none."""
        waiting = (col(CallbackRow.id) == callback_id, col(CallbackRow.settled_at).is_(None))
        async with self._database.writing() as session:
            await session.exec(update(CallbackRow).where(*waiting).values(settled_at=now))

    async def settle_overdue_callbacks(self, now: datetime) -> Sequence[Callback]:
        """Some of those whose result is overdue, settled from now on. No two processes get the same one."""
        overdue = (
            select(CallbackRow.id)
            .where(col(CallbackRow.due_at) <= now, col(CallbackRow.settled_at).is_(None))
            .order_by(col(CallbackRow.due_at))
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        claim = update(CallbackRow).where(col(CallbackRow.id).in_(overdue), col(CallbackRow.settled_at).is_(None))
        async with self._database.writing() as session:
            claimed = await session.exec(claim.values(settled_at=now).returning(CallbackRow))
            return [msgspec.convert(row.model_dump(), Callback) for row in claimed.scalars()]

    async def next_due(self) -> datetime | None:
        """When the next result is due; None when there is none to wait for."""
        waiting = select(func.min(CallbackRow.due_at)).where(col(CallbackRow.settled_at).is_(None))
        async with self._database.reading() as session:
            return (await session.exec(waiting)).one()

    async def drop_expired_callbacks(self, now: datetime) -> None:
        """Forget the callbacks nobody may use any more."""
        async with self._database.writing() as session:
            await session.exec(delete(CallbackRow).where(col(CallbackRow.expires_at) <= now))

    async def put_cdr_proxy(self, proxy: CdrProxy) -> None:
        """Keep a new CDR proxy. It does not expire: CDRs are read years later."""
        async with self._database.writing() as session:
            session.add(CdrProxyRow(**asdict(proxy)))

    async def cdr_proxy(self, proxy_id: str) -> CdrProxy | None:
        """The CDR proxy of this id."""
        async with self._database.reading() as session:
            row = await session.get(CdrProxyRow, proxy_id)
            return None if row is None else msgspec.convert(row.model_dump(), CdrProxy)
