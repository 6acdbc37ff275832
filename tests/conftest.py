"""What every test may ask for: real servers, fresh databases, and the two ways a hub can be run."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from loadtests.simulator.server import share_ports
from tests import server_programs
from tests.migrated import MigratedDatabase, migrated_file
from tests.servers import Postgres, PostgresServer, Redis, RedisServer


class StoreUrls(NamedTuple):
    """What a hub keeps its data in. Without a Redis URL it keeps its directory in the process."""

    database_url: str
    redis_url: str | None


gc.disable()  # until all tests are collected: they stay, and looking through them again and again took half as long


def pytest_configure() -> None:
    """Keep the ports of the processes that share this run's tests apart."""
    share_ports(_number(), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_collection_finish() -> None:
    """Have nothing that was collected looked through again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_report_header() -> list[str]:
    """Say once which servers this run uses."""
    return server_programs.described()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The PostgreSQL of this run, or of this worker of it. Tests that hurt a server start their own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield Postgres(given)
        return
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(worker_number: int) -> Iterator[Redis]:
    """The Redis of this run, or of this worker of it. Tests that hurt a server start their own."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield Redis(f"{given.rstrip('/')}/{worker_number}")
        return
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def worker_number() -> int:
    """Which of the processes that share this run's tests this is, from 0."""
    return _number()


def _number() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def migrated_database(postgres_server: Postgres) -> MigratedDatabase:
    """What the PostgreSQL databases of this run are copied from."""
    return MigratedDatabase(postgres_server)


@pytest.fixture
async def database_url(
    anyio_backend: str,  # noqa: ARG001  # asking for it makes the anyio plugin run this fixture, in sync tests too
    postgres_server: Postgres,
    migrated_database: MigratedDatabase,
) -> AsyncIterator[str]:
    """The URL of a new PostgreSQL database with all tables, which is dropped afterwards, with whoever still uses it."""
    url = await migrated_database.copied()
    yield url
    await postgres_server.drop_database(url)


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """An empty Redis database."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture(params=["embedded", "postgresql+redis"])
def store_urls(request: pytest.FixtureRequest, tmp_path: Path) -> StoreUrls:
    """Run the test twice: on SQLite alone, and on PostgreSQL and Redis."""
    if request.param == "embedded":
        return StoreUrls(migrated_file(tmp_path), None)
    return StoreUrls(request.getfixturevalue("database_url"), request.getfixturevalue("redis_url"))
