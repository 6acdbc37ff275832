from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, make_url, text
from sqlalchemy.schema import SchemaItem

from hub.store.columns import Row
from hub.store.database import open_engine
from hub.store.migrations import migrate
from routing.errors import HubFault
from tests.servers import Postgres

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["embedded", "postgresql"])
async def empty_url(request: pytest.FixtureRequest, postgres_server: Postgres, tmp_path: Path) -> AsyncIterator[str]:
    """A database without tables. The test runs twice."""
    if request.param == "embedded":
        yield f"sqlite+aiosqlite:///{tmp_path}/hub.db"
        return
    url = await postgres_server.create_database()
    yield url
    await postgres_server.drop_database(url)


async def test_the_migrated_tables_are_those_the_code_declares(empty_url: str) -> None:
    await migrate(empty_url)

    engine = open_engine(empty_url)
    async with engine.connect() as connection:
        differences = await connection.run_sync(_differences)
    await engine.dispose()

    assert differences == []


async def test_the_migrated_constraints_are_those_the_code_declares(
    empty_url: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    """Alembic compares neither CHECK constraints nor what they say, so both databases are asked."""
    is_sqlite = make_url(empty_url).get_backend_name() == "sqlite"
    declared_url = (
        f"sqlite+aiosqlite:///{tmp_path}/declared.db" if is_sqlite else await postgres_server.create_database()
    )
    await migrate(empty_url)
    migrated, declared = open_engine(empty_url), open_engine(declared_url)
    async with declared.begin() as connection:
        await connection.run_sync(Row.metadata.create_all)

    async with migrated.connect() as one, declared.connect() as other:
        assert await one.run_sync(_constraints) == await other.run_sync(_constraints)
    await migrated.dispose()
    await declared.dispose()


async def test_migrating_again_changes_nothing(empty_url: str) -> None:
    await migrate(empty_url)
    before = await _identity(empty_url)

    await migrate(empty_url)

    assert await _identity(empty_url) == before


async def test_processes_that_migrate_at_once_take_turns(empty_url: str) -> None:
    program = "import asyncio, sys; from hub.store.migrations import migrate; asyncio.run(migrate(sys.argv[1]))"

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", program, empty_url], stderr=subprocess.PIPE)

    processes = [start() for _ in range(2)]
    results = [await asyncio.to_thread(process.communicate) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], results
    assert len(await _identity(empty_url)) == 32


async def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    await migrate(f"sqlite+aiosqlite:///{tmp_path}/var/deeper/hub.db")

    assert (tmp_path / "var/deeper/hub.db").exists()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql+asyncpg://postgres@127.0.0.1:1/hub", "refused|Connect call failed"),
        ("sqlite+aiosqlite:////proc/folder/hub.db", "No such file or directory"),
    ],
)
async def test_a_database_that_cannot_be_used_is_a_hub_fault_of_one_line(url: str, reason: str) -> None:
    with pytest.raises(HubFault, match=reason) as raised:
        await migrate(url)
    assert "\n" not in str(raised.value)


def _differences(connection: Connection) -> list[object]:
    def is_here(declared: SchemaItem, *_: object) -> bool:
        return bool(declared.info.get("only_on", connection.dialect.name) == connection.dialect.name)

    context = MigrationContext.configure(connection, opts={"include_object": is_here})
    return list(compare_metadata(context, Row.metadata))


def _constraints(connection: Connection) -> dict[str, object]:
    """Everything about each table that has a name, with what it says."""
    inspector = inspect(connection)
    return {
        table: (
            sorted((each["name"], each["sqltext"]) for each in inspector.get_check_constraints(table)),
            sorted(
                (each["name"], each["constrained_columns"], each["referred_table"], each["options"])
                for each in inspector.get_foreign_keys(table)
            ),
            sorted((each["name"], each["column_names"]) for each in inspector.get_unique_constraints(table)),
            sorted((each["name"], each["column_names"]) for each in inspector.get_indexes(table)),
            inspector.get_pk_constraint(table),
            sorted((each["name"], str(each["type"]), each["nullable"]) for each in inspector.get_columns(table)),
        )
        for table in Row.metadata.tables
    }


async def _identity(url: str) -> str:
    engine = open_engine(url)
    async with engine.connect() as connection:
        identity = (await connection.execute(text("SELECT identity FROM directory"))).scalar_one()
    await engine.dispose()
    return str(identity)
