"""What the two engines and the library between us and them would do wrong if they were let."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InvalidRequestError, StatementError
from sqlmodel import func, select

from hub.store.database import Database, open_engine
from hub.store.migrations import migrate
from hub.store.sqlite_connections import connect_to_sqlite
from hub.store.tables import DirectoryRow, PartyRow, PlatformRow
from routing.errors import HubFault, InvalidParameters
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus
from tests.conftest import StoreUrls
from tests.hub.store.opened import OUTAGE_S, Process, eventually, process
from tests.servers import PostgresServer

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
ID = "0" * 32


@pytest.fixture
async def database(store_urls: StoreUrls) -> AsyncIterator[Database]:
    opened = Database(store_urls.database_url)
    yield opened
    await opened.close()


def _platform(platform_id: str = ID, *, name: str = "Volt", created_at: datetime = NOW) -> PlatformRow:
    return PlatformRow(
        id=platform_id,
        name=name,
        revision=1,
        planned=True,
        suspended=False,
        allow_hub=False,
        is_hub=False,
        version=None,
        quirks=Quirks(),
        require_modules=(),
        invited_parties=(),
        created_at=created_at,
        last_seen=None,
    )


def _party(country_code: str, party_id: str) -> PartyRow:
    return PartyRow(
        country_code=country_code,
        party_id=party_id,
        platform_id=ID,
        status=ConnectionStatus.PLANNED,
        suspended=False,
        created_at=NOW,
        last_updated=NOW,
    )


async def test_a_table_model_takes_anything_and_the_engine_refuses_what_is_too_long(database: Database) -> None:
    too_long = _platform(name="x" * 101)

    with pytest.raises(InvalidParameters):
        async with database.writing() as session:
            session.add(too_long)


@pytest.mark.parametrize(
    "party",
    [
        pytest.param(lambda: _party("NLD", "ABC"), id="country too long"),
        pytest.param(lambda: _party("NL", "ABCD"), id="party id too long"),
        pytest.param(lambda: _party("NL", ""), id="party id empty"),
        pytest.param(lambda: _party("nl", "ABC"), id="lower case"),
    ],
)
async def test_a_party_that_cannot_be_one_is_refused_by_the_engine(
    database: Database, party: Callable[[], PartyRow]
) -> None:
    async with database.writing() as session:
        session.add(_platform())

    with pytest.raises(InvalidParameters):
        async with database.writing() as session:
            session.add(party())


async def test_a_row_that_refers_to_nothing_is_refused_by_the_engine(database: Database) -> None:
    with pytest.raises(InvalidParameters):
        async with database.writing() as session:
            session.add(_party("NL", "ABC"))


async def test_a_time_without_a_zone_is_a_bug_and_not_stored(database: Database) -> None:
    naive = NOW.replace(tzinfo=None)

    with pytest.raises(StatementError):
        async with database.writing() as session:
            session.add(_platform(created_at=naive))


async def test_times_come_back_in_utc(database: Database) -> None:
    abroad = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5)))
    async with database.writing() as session:
        session.add(_platform(created_at=abroad))

    async with database.reading() as session:
        row = await session.get_one(PlatformRow, ID)

    assert row.created_at == abroad
    assert row.created_at.tzinfo is UTC


async def test_a_row_can_be_read_after_its_transaction(database: Database) -> None:
    row = _platform()
    async with database.writing() as session:
        session.add(row)

    assert row.name == "Volt"


async def test_one_session_cannot_serve_two_tasks(database: Database) -> None:
    """So every transaction of ours has its own."""
    async with database.reading() as session:
        results = await asyncio.gather(
            *(session.exec(select(func.count()).select_from(PlatformRow)) for _ in range(2)), return_exceptions=True
        )

    assert [type(each) for each in results if isinstance(each, Exception)] == [InvalidRequestError]


async def test_many_tasks_read_and_write_at_once(store: Process) -> None:
    await asyncio.gather(*(store.platforms.create(f"Platform {number}") for number in range(8)))

    assert len(store.snapshot.parts) == 8
    assert len({part.platform.name for part in store.snapshot.parts.values()}) == 8


async def test_what_a_block_did_before_it_raised_is_not_stored(database: Database) -> None:
    async def fail() -> None:
        async with database.writing() as session:
            session.add(_platform())
            await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with database.reading() as session:
        assert await session.get(PlatformRow, ID) is None


async def test_a_reading_transaction_sees_one_moment(database: Database) -> None:
    async with database.reading() as reader:
        before = (await reader.exec(select(func.count()).select_from(PlatformRow))).one()
        async with database.writing() as session:
            session.add(_platform())
        assert (await reader.exec(select(func.count()).select_from(PlatformRow))).one() == before == 0


async def test_two_changes_at_once_wait_for_each_other(database: Database) -> None:
    """On SQLite a write lock taken in the middle of a transaction would fail without waiting."""

    async def increase() -> None:
        async with database.writing() as session:
            row = await session.get_one(DirectoryRow, 1, with_for_update=True)
            await asyncio.sleep(0.01)
            row.revision += 1

    await asyncio.gather(*(increase() for _ in range(10)))

    async with database.reading() as session:
        assert (await session.get_one(DirectoryRow, 1)).revision == 10


async def test_sqlite_is_set_up_not_to_lose_what_it_acknowledged(tmp_path: Path) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 4000}

    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hub.db")
    async with engine.connect() as connection:
        settings = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in expected}
    await engine.dispose()

    assert settings == expected


async def test_a_postgresql_that_hangs_is_a_hub_fault_within_five_seconds() -> None:
    with PostgresServer() as server:
        url = await server.create_database()
        await migrate(url)
        async with process(StoreUrls(url, None)) as store:
            record, _ = await store.platforms.create("Volt")
            await asyncio.to_thread(server.freeze)
            try:
                began = time.monotonic()
                results = await asyncio.gather(
                    store.platforms.create("Never"), store.platforms.get(record.id), return_exceptions=True
                )
                took = time.monotonic() - began
            finally:
                await asyncio.to_thread(server.thaw)

            assert [type(each) for each in results] == [HubFault, HubFault]
            assert took < 8
            await eventually(lambda: store.directory.problems() == [], within_s=OUTAGE_S)
            await store.platforms.create("Later")


async def test_a_connection_to_a_locked_file_that_is_told_to_end_twice_ends(tmp_path: Path) -> None:
    """As happens to one that SQLAlchemy still closes when the process ends."""
    path = tmp_path / "hub.db"
    connection = await connect_to_sqlite(str(path), timeout=0.5)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(connection.execute("BEGIN IMMEDIATE"))
        await asyncio.sleep(0)
        ending = asyncio.ensure_future(connection.close())
        await asyncio.sleep(0)

        connection.stop()
        ending.cancel()

        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(ending, OUTAGE_S)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await waiting


def test_a_connection_that_ends_after_its_event_loop_ends_without_a_word(tmp_path: Path) -> None:
    """As happens to one that is stopped while the process ends: nobody waits for it. Its words would be a failure."""
    goes_on = threading.Event()

    async def left_behind() -> threading.Thread:
        connection = await connect_to_sqlite(str(tmp_path / "hub.db"))
        await connection.create_function("wait", 0, goes_on.wait)
        busy = asyncio.ensure_future(connection.execute("SELECT wait()"))
        await asyncio.sleep(0)
        connection.stop()
        busy.cancel()
        return connection._thread

    thread = asyncio.run(left_behind())
    goes_on.set()

    thread.join(OUTAGE_S)
    assert not thread.is_alive()
