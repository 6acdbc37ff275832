"""Named tokens of the operator API. Like the tokens of partners they are stored as a keyed hash."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement
from sqlmodel import and_, col, delete, or_, select, update

from hub.ids import new_id
from hub.store.administration_tables import OperatorTokenRow
from hub.store.clock import database_time
from hub.store.database import Database
from hub.store.lists import cursor_to, place_of
from hub.store.records import Page
from hub.store.truth import platform_row
from hub.store.vault import Vault
from routing.errors import InvalidParameters, NoSuchPath
from routing.vocabulary import Secret

PREFIX: Final = "ohk_"
"""Of every such token, so that one which was published by mistake can be told from other things."""


class OperatorTokenRecord(Struct, frozen=True):
    """Who has a token, and what for."""

    id: str
    name: str
    role: str
    platform_id: str | None
    created_at: datetime
    expires_at: datetime | None


class OperatorTokens:
    """The table of tokens. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def add(
        self, name: str, *, role: str, platform_id: str | None, expires_at: datetime | None
    ) -> tuple[OperatorTokenRecord, Secret]:
        """A new token, which is told this once.

        Raises:
            InvalidParameters: somebody has this name.
            UnknownPlatform: there is no such platform.
        """
        token = Secret(PREFIX + self._vault.new_token().reveal())
        async with self._database.writing() as session:
            if platform_id is not None:
                await platform_row(session, platform_id)
            taken = select(OperatorTokenRow.id).where(col(OperatorTokenRow.name) == name)
            if (await session.exec(taken)).first() is not None:
                raise InvalidParameters(f"There is a token named {name}; remove it first, or take another name")
            row = OperatorTokenRow(
                id=new_id(),
                name=name,
                role=role,
                platform_id=platform_id,
                token_hash=self._vault.token_hash(token.reveal()),
                created_at=await database_time(session),
                expires_at=expires_at,
            )
            session.add(row)
            await session.flush()
            return _record(row), token

    async def known(self, token: str) -> OperatorTokenRecord | None:
        """Whose token this is; None where it is nobody's, or not valid any more."""
        record = await self.of_hash(self._vault.token_hash(token))
        if record is None and self._vault.other is not None and await self._taken_over(token, self._vault.other):
            record = await self.of_hash(self._vault.token_hash(token))
        return record

    async def of_hash(self, token_hash: bytes) -> OperatorTokenRecord | None:
        """The same by the token's hash under the key of today."""
        query = select(OperatorTokenRow).where(col(OperatorTokenRow.token_hash) == token_hash)
        async with self._database.reading() as session:
            row = (await session.exec(query)).first()
            if row is None or (row.expires_at is not None and row.expires_at <= await database_time(session)):
                return None
        return _record(row)

    async def _taken_over(self, token: str, other: Vault) -> bool:
        """Whether it was known by the other key; from now on it is by this one."""
        known = update(OperatorTokenRow).where(col(OperatorTokenRow.token_hash) == other.token_hash(token))
        async with self._database.writing() as session:
            changed = await session.exec(known.values(token_hash=self._vault.token_hash(token)))
        return bool(changed.rowcount)

    async def get(self, token_id: str) -> OperatorTokenRecord:
        """One token, by its id or name.

        Raises:
            NoSuchPath: there is no such token.
        """
        async with self._database.reading() as session:
            row = (await session.exec(select(OperatorTokenRow).where(_is(token_id)))).first()
        if row is None:
            raise NoSuchPath("There is no token of this id or name")
        return _record(row)

    async def remove(self, token_id: str) -> None:
        """Make a token worthless at once, by its id or name.

        Raises:
            NoSuchPath: there is no such token.
        """
        async with self._database.writing() as session:
            if not (await session.exec(delete(OperatorTokenRow).where(_is(token_id)))).rowcount:
                raise NoSuchPath("There is no token of this id or name")

    async def page(self, *, limit: int, cursor: str | None) -> Page[OperatorTokenRecord]:
        """All of them, the oldest first.

        Raises:
            InvalidParameters: the cursor is none of ours.
        """
        created_at, id_ = col(OperatorTokenRow.created_at), col(OperatorTokenRow.id)
        query = select(OperatorTokenRow).order_by(created_at, id_)
        if cursor is not None:
            last_at, last_id = place_of(cursor, tuple[datetime, str])
            query = query.where(or_(created_at > last_at, and_(created_at == last_at, id_ > last_id)))
        async with self._database.reading() as session:
            rows = (await session.exec(query.limit(limit + 1))).all()
        following = cursor_to((rows[limit - 1].created_at, rows[limit - 1].id)) if len(rows) > limit else None
        return Page(tuple(map(_record, rows[:limit])), following)


def _is(token_id: str) -> ColumnElement[bool]:
    return or_(col(OperatorTokenRow.id) == token_id, col(OperatorTokenRow.name) == token_id)


def _record(row: OperatorTokenRow) -> OperatorTokenRecord:
    return OperatorTokenRecord(row.id, row.name, row.role, row.platform_id, row.created_at, row.expires_at)
