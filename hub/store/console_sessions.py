"""Who is signed in at the console. The database has it: any process knows, and who is signed out is so everywhere.

While the database is away, those go on whom this process has seen lately: then they need the console most.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlmodel import col, delete, select

from hub.store.administration_tables import ConsoleSessionRow
from hub.store.clock import database_time
from hub.store.database import Database
from hub.store.operator_tokens import OperatorTokenRecord, OperatorTokens
from hub.store.vault import Vault
from routing.errors import HubFault
from routing.vocabulary import Secret

LASTS: Final = timedelta(hours=12)
IDLE: Final = timedelta(minutes=30)
_NOTED_EVERY: Final = timedelta(minutes=1)
_REMEMBERED: Final = 1_000
_LONGEST: Final = 64


class SignedIn(NamedTuple):
    """Whose session it is."""

    token: OperatorTokenRecord | None
    """The named token that was presented; None for HUB_OPERATOR_TOKEN."""


class _Seen(NamedTuple):
    who: SignedIn
    until: float
    """On this process's clock."""


class ConsoleSessions:
    """The table of sessions."""

    def __init__(self, database: Database, vault: Vault, operator_token: Secret) -> None:
        self._database = database
        self._vault = vault
        self._operator_hash = vault.token_hash(operator_token.reveal())
        self._tokens = OperatorTokens(database, vault)
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()

    async def begin(self, token: str) -> Secret:
        """A new session of whoever has this token, which is valid. The answer is told to the browser, this once.

        Raises:
            HubFault: the database does not answer.
        """
        session_id = self._vault.new_token()
        async with self._database.writing() as session:
            now = await database_time(session)
            await session.exec(delete(ConsoleSessionRow).where(col(ConsoleSessionRow.began_at) < now - LASTS))
            row = ConsoleSessionRow(
                id_hash=self._vault.session_hash(session_id.reveal()),
                token_hash=self._vault.token_hash(token),
                began_at=now,
                seen_at=now,
            )
            session.add(row)
        return session_id

    async def of(self, session_id: str) -> SignedIn | None:
        """Who is signed in with this; None where it is nobody's, or not valid any more.

        Raises:
            HubFault: the database does not answer, and this process has not seen the session lately.
        """
        if not session_id or len(session_id) > _LONGEST:
            return None
        key = self._vault.session_hash(session_id)
        try:
            who = await self._read(key)
        except HubFault:
            known = self._seen.get(key)
            if known is None or known.until < time.monotonic():
                raise
            return known.who
        self._remember(key, who)
        return who

    async def end(self, session_id: str) -> None:
        """Sign out.

        Raises:
            HubFault: the database does not answer.
        """
        key = self._vault.session_hash(session_id)
        self._remember(key, None)
        async with self._database.writing() as session:
            await session.exec(delete(ConsoleSessionRow).where(col(ConsoleSessionRow.id_hash) == key))

    async def _read(self, key: bytes) -> SignedIn | None:
        async with self._database.reading() as session:
            row = (await session.exec(select(ConsoleSessionRow).where(col(ConsoleSessionRow.id_hash) == key))).first()
            if row is None:
                return None
            now = await database_time(session)
            if now - row.began_at > LASTS or now - row.seen_at > IDLE:
                return None
        token = None
        if row.token_hash != self._operator_hash:
            token = await self._tokens.of_hash(row.token_hash)
            if token is None:
                return None
        if now - row.seen_at > _NOTED_EVERY:
            await self._note(key, now)
        return SignedIn(token)

    async def _note(self, key: bytes, now: datetime) -> None:
        async with self._database.writing() as session:
            row = (await session.exec(select(ConsoleSessionRow).where(col(ConsoleSessionRow.id_hash) == key))).first()
            if row is not None:
                row.seen_at = now
                session.add(row)

    def _remember(self, key: bytes, who: SignedIn | None) -> None:
        self._seen.pop(key, None)
        if who is not None:
            self._seen[key] = _Seen(who, time.monotonic() + IDLE.total_seconds())
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
