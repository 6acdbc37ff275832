"""The servers that the failure tests rely on do what those tests believe."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from tests.conftest import StoreUrls
from tests.servers import Postgres, PostgresServer, RedisServer, ServerFault

pytestmark = pytest.mark.anyio


async def rows(url: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=5)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill], ids=["stopped", "killed"])
async def test_a_postgresql_that_ended_comes_back_on_its_port_with_its_data(
    end: Callable[[PostgresServer], None],
) -> None:
    with PostgresServer() as server:
        url = await server.create_database()
        await rows(url, "CREATE TABLE kept AS SELECT 1 AS one")

        end(server)

        with pytest.raises(ConnectionRefusedError):
            await rows(url, "SELECT 1")
        server.start()
        assert await rows(url, "SELECT one FROM kept") == [(1,)]


@pytest.mark.parametrize("end", [RedisServer.stop, RedisServer.kill], ids=["stopped", "killed"])
def test_a_redis_that_ended_comes_back_on_its_port_with_its_data(end: Callable[[RedisServer], None]) -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        client.set("kept", "1")

        end(server)

        with pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        assert client.get("kept") == b"1"
        server.flush()
        assert client.get("kept") is None


async def test_a_frozen_server_answers_nothing_until_it_thaws(postgres_server: Postgres) -> None:
    with PostgresServer() as server:
        server.freeze()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rows(server.url, "SELECT 1"), 0.3)
        server.thaw()
        assert await rows(server.url, "SELECT 1") == [(1,)]
    assert await rows(postgres_server.url, "SELECT 1") == [(1,)]


async def test_a_database_can_be_made_as_a_copy_of_another(postgres_server: Postgres) -> None:
    original = await postgres_server.create_database()
    await rows(original, "CREATE TABLE copied AS SELECT 2 AS two")

    copy = await postgres_server.create_database(template=original.rpartition("/")[2])

    assert copy != original
    assert await rows(copy, "SELECT two FROM copied") == [(2,)]


def test_a_server_is_not_started_twice() -> None:
    with RedisServer() as server, pytest.raises(ServerFault):
        server.start()


def test_servers_end_with_a_process_that_is_killed() -> None:
    program = (
        "import sys; from tests.servers import *; p = PostgresServer(); p.start(); r = RedisServer(); r.start();"
        "print(p._process.pid, r._process.pid, p._process.folder, r._process.folder, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        postgres, valkey, *folders = process.stdout.readline().split()
        os.kill(process.pid, signal.SIGKILL)

    _wait_until(lambda: not any(psutil.pid_exists(int(pid)) for pid in (postgres, valkey)))
    _wait_until(lambda: not any(Path(folder).exists() for folder in folders))


def test_a_store_is_there_in_both_forms(store_urls: StoreUrls) -> None:
    embedded = store_urls.redis_url is None
    assert store_urls.database_url.startswith("sqlite+aiosqlite://" if embedded else "postgresql+asyncpg://")


def _wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)
