"""Connections and transactions, on PostgreSQL and on SQLite.

Library exceptions stop here: a database that does not answer is a HubFault, within `ANSWER_S` seconds, and
a value it refuses is InvalidParameters. One session belongs to one task.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from asyncpg import InterfaceError, InternalClientError, PostgresError
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.sqlite_connections import connect_to_sqlite
from routing.errors import HubFault, InvalidParameters

ANSWER_S = 5.0
"""How long a transaction may take, waiting for a connection included."""

_CONNECT_S = 3.0
_CLOSE_S = 1.0
_STATEMENT_S = 4.0
_POOL_SIZE = 5
_POOL_OVERFLOW = 10

_SQLITE_CACHE_KIB = 16 * 1024
"""At most, of each connection: what one writing of the journal touches fits into it."""

_IMMEDIATE = "hub_begin_immediate"
_REFUSED_VALUE = ("22", "23")
"""SQLSTATE classes: data exception, integrity constraint violation."""


class Database:
    """An engine with its pool. `url` is `postgresql+asyncpg://…` or `sqlite+aiosqlite:///…`."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        on_postgresql = self.engine.dialect.name == "postgresql"
        self.name = "PostgreSQL" if on_postgresql else "SQLite"
        self._reader = self.engine.execution_options(
            **({"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if on_postgresql else {})
        )
        self._writer = self.engine.execution_options(**{_IMMEDIATE: True})

    @asynccontextmanager
    async def reading(self, within_s: float = ANSWER_S) -> AsyncIterator[AsyncSession]:
        """A transaction that sees one moment of the truth from beginning to end.

        Raises:
            HubFault: the database does not answer.
        """
        async with self._faults_translated(within_s), AsyncSession(self._reader, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self, within_s: float = ANSWER_S) -> AsyncIterator[AsyncSession]:
        """A transaction that is committed at the end of the block, and rolled back when the block raises.

        Raises:
            HubFault: the database does not answer.
            InvalidParameters: it refuses a value.
        """
        async with self._faults_translated(within_s), AsyncSession(self._writer, expire_on_commit=False) as session:
            yield session
            await session.commit()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[AsyncConnection]:
        """A connection without a transaction, for statements that cannot be in one.

        Raises:
            HubFault: the database does not answer.
        """
        async with self._faults_translated(), self.engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Write all of these rows or none, the way that takes PostgreSQL the least time. Nothing else can do it.

        Raises:
            HubFault: the database does not answer.
            InvalidParameters: it refuses a value.
        """
        async with self._faults_translated(), self.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                await driver.copy_records_to_table(table, columns=columns, records=rows)
            except BaseException:
                await connection.invalidate()  # whatever is still under way there
                raise

    async def close(self) -> None:
        """Close all connections, those to a server that does not answer without its consent."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self.engine.dispose()

    @asynccontextmanager
    async def _faults_translated(self, within_s: float = ANSWER_S) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(within_s):
                yield
        except DBAPIError as error:
            if _is_refused_value(error):
                raise InvalidParameters("A value is too long, malformed or taken") from error
            raise HubFault(f"{self.name} cannot do this now; try again") from error
        except (PostgresError, InterfaceError) as error:  # the driver's own, while it copies
            if isinstance(error, ValueError) or _is_refused_state(getattr(error, "sqlstate", None)):
                raise InvalidParameters("A value is too long or malformed") from error
            raise HubFault(f"{self.name} cannot do this now; try again") from error
        except (OSError, TimeoutError, PoolTimeout, InternalClientError) as error:
            # asyncpg calls it its own fault when a server stops in the middle of the protocol.
            raise HubFault(f"{self.name} does not answer; try again") from error


def open_engine(url: str, *, patience_s: float = _STATEMENT_S) -> AsyncEngine:
    """An engine whose connections are set up the way the hub needs them. A statement may take `patience_s` seconds.

    Its errors never say the values of a statement: they would come to stand in the log.
    """
    if url.startswith("sqlite"):
        engine = create_async_engine(
            url,
            hide_parameters=True,
            connect_args={"timeout": patience_s, "async_creator_fn": connect_to_sqlite},
            pool_timeout=_CONNECT_S,
        )
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_on_sqlite)
        return engine
    return create_async_engine(
        url,
        hide_parameters=True,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_timeout=_CONNECT_S,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "timeout": _CONNECT_S,
            "command_timeout": patience_s,
            "server_settings": {
                "application_name": "ocpi-hub",
                "statement_timeout": _milliseconds(patience_s),
                "idle_in_transaction_session_timeout": _milliseconds(2 * patience_s),
            },
        },
    )


def reason(error: BaseException) -> str:
    """What a library says is wrong, in one line. What follows in its message may hold values."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return str(original).partition("\n")[0] or type(original).__name__


def _set_up_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:  # noqa: ANN401  SQLAlchemy's adapter has no public type
    connection.isolation_level = None  # so that the driver begins nothing by itself
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute(f"PRAGMA cache_size = -{_SQLITE_CACHE_KIB}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_on_sqlite(connection: Connection) -> None:
    """Take the write lock at once when writing, since a lock taken later can fail without waiting."""
    immediate = connection.get_execution_options().get(_IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _is_refused_value(error: DBAPIError) -> bool:
    if isinstance(error, IntegrityError):
        return True
    return _is_refused_state(getattr(error.orig, "sqlstate", None))


def _is_refused_state(state: object) -> bool:
    return isinstance(state, str) and state.startswith(_REFUSED_VALUE)


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
