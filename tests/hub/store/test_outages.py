"""Redis and PostgreSQL killed, restarted, flushed and set back, while processes go on working."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from hub.store import live_directory
from hub.store.redis import DirectoryCache, open_redis
from routing.directory import Registered
from routing.errors import HubFault
from routing.vocabulary import ConnectionStatus, Party
from tests.conftest import StoreUrls
from tests.hub.store.opened import (
    CPO,
    EMSP,
    OUTAGE_S,
    SOON_S,
    Process,
    eventually,
    first_process,
    process,
    registration,
)
from tests.servers import PostgresServer, RedisServer

pytestmark = pytest.mark.anyio

CONNECTED = ConnectionStatus.CONNECTED
THIRD = Party("FR", "THI")


@pytest.fixture
def redis_of_this_test() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def urls(database_url: str, redis_of_this_test: RedisServer) -> StoreUrls:
    return StoreUrls(database_url, redis_of_this_test.url)


@pytest.fixture
async def one(urls: StoreUrls) -> AsyncIterator[Process]:
    async with first_process(urls) as opened:
        yield opened


@pytest.fixture
async def other(one: Process, urls: StoreUrls) -> AsyncIterator[Process]:  # noqa: ARG001 - which makes the tables
    async with process(urls) as opened:
        yield opened


async def test_changes_spread_while_redis_is_down_and_after_it_came_back(
    one: Process, other: Process, redis_of_this_test: RedisServer
) -> None:
    before = await one.connected(CPO)
    await eventually(lambda: other.caller(before) is not None, within_s=SOON_S)

    await asyncio.to_thread(redis_of_this_test.kill)
    during = await one.connected(EMSP)
    await eventually(lambda: other.caller(during) is not None, within_s=OUTAGE_S)
    assert isinstance(other.caller(before), Registered)
    for each in (one, other):
        await eventually(lambda each=each: each.directory.problems() == ["Redis does not answer"], within_s=OUTAGE_S)  # type: ignore[misc]  # mypy cannot type a lambda's default

    await asyncio.to_thread(redis_of_this_test.start)
    for each in (one, other):
        await eventually(lambda each=each: each.directory.problems() == [], within_s=OUTAGE_S)  # type: ignore[misc]  # mypy cannot type a lambda's default
    after = await other.connected(THIRD)
    await eventually(lambda: one.caller(after) is not None, within_s=SOON_S)
    await _redis_has_everything(one, redis_of_this_test.url)


async def test_a_change_takes_no_longer_than_seconds_while_redis_hangs(
    one: Process, redis_of_this_test: RedisServer
) -> None:
    await asyncio.to_thread(redis_of_this_test.freeze)
    try:
        began = time.monotonic()
        await one.connected(CPO)
        await one.connected(EMSP)
        took = time.monotonic() - began
        assert one.status(EMSP) is CONNECTED
    finally:
        await asyncio.to_thread(redis_of_this_test.thaw)

    assert took < 8
    await eventually(lambda: one.directory.problems() == [], within_s=OUTAGE_S)


async def test_an_outage_of_redis_is_told_once_and_so_is_its_end(one: Process, redis_of_this_test: RedisServer) -> None:
    with capture_logs() as logs:
        await asyncio.to_thread(redis_of_this_test.kill)
        await eventually(lambda: one.directory.problems() != [], within_s=OUTAGE_S)
        await asyncio.sleep(2)  # four more looks that fail
        await asyncio.to_thread(redis_of_this_test.start)
        await eventually(lambda: one.directory.problems() == [], within_s=OUTAGE_S)

    told: list[Any] = [(each["log_level"], each["event"]) for each in logs]
    assert told == [("error", "store_unreachable"), ("warning", "store_reachable_again")]


async def test_a_redis_that_refuses_to_give_notices_is_no_outage(
    one: Process, urls: StoreUrls, redis_of_this_test: RedisServer
) -> None:
    async with Redis.from_url(redis_of_this_test.url) as client:
        await client.execute_command("ACL", "SETUSER", "default", "-subscribe")  # type: ignore[no-untyped-call]  # of redis
    with capture_logs() as logs:
        async with process(urls) as other:
            token = await one.connected(CPO)
            await eventually(lambda: other.caller(token) is not None, within_s=SOON_S)
            assert other.directory.problems() == []

    assert logs == []


async def test_a_flushed_redis_is_not_an_empty_directory_and_is_filled_again(
    one: Process, other: Process, urls: StoreUrls, redis_of_this_test: RedisServer
) -> None:
    token = await one.connected(CPO)
    await eventually(lambda: other.caller(token) is not None, within_s=SOON_S)

    await asyncio.to_thread(redis_of_this_test.flush)
    later = await one.connected(EMSP)

    await eventually(lambda: other.caller(later) is not None, within_s=SOON_S)
    for each in (one, other):
        assert isinstance(each.caller(token), Registered)
    async with process(urls) as fresh:
        assert isinstance(fresh.caller(token), Registered)

    await asyncio.to_thread(redis_of_this_test.flush)
    await _redis_has_everything(one, redis_of_this_test.url)
    for each in (one, other):
        assert isinstance(each.caller(token), Registered)


async def test_a_redis_that_comes_back_with_old_data_is_brought_up_to_date(
    one: Process, other: Process, redis_of_this_test: RedisServer
) -> None:
    token = await one.connected(CPO)
    async with Redis.from_url(redis_of_this_test.url) as client:
        old = {key: await client.dump(key) or b"" async for key in client.scan_iter()}
        await one.platforms.leave(one.registered(token).connection.id)
        await eventually(lambda: other.caller(token) is None, within_s=SOON_S)

        await client.flushdb()
        for key, content in old.items():
            await client.restore(key, 0, content)

    await _redis_has_everything(one, redis_of_this_test.url)
    assert one.caller(token) is None
    assert other.caller(token) is None


@pytest.mark.parametrize("damage", ["a record is missing", "a record is junk", "the order is missing"])
async def test_a_damaged_redis_is_repaired_from_the_truth(
    one: Process, urls: StoreUrls, redis_of_this_test: RedisServer, damage: str
) -> None:
    token = await one.connected(CPO)
    async with Redis.from_url(redis_of_this_test.url) as client:
        [records] = [key async for key in client.scan_iter(match="*:records")]
        [revisions] = [key async for key in client.scan_iter(match="*:revisions")]
        if damage == "the order is missing":
            await client.delete(revisions)
        elif damage == "a record is missing":
            await client.delete(records)
        else:
            for platform_id in await client.hkeys(records):
                await client.hset(records, platform_id, "{")

    async with process(urls) as fresh:
        assert isinstance(fresh.caller(token), Registered)
        new = await fresh.connected(EMSP)
        await eventually(lambda: one.caller(new) is not None, within_s=SOON_S)
        await _redis_has_everything(one, redis_of_this_test.url)


async def test_a_notice_that_gets_lost_delays_a_change_by_less_than_a_second(
    one: Process, other: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: DirectoryCache) -> None:
        pass

    monkeypatch.setattr(DirectoryCache, "notify", lost)

    token = await one.connected(CPO)

    await eventually(lambda: other.caller(token) is not None, within_s=SOON_S)


async def test_a_notice_is_followed_by_those_who_would_not_look_for_long(
    urls: StoreUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_directory, "FOLLOW_S", 60.0)

    async with first_process(urls) as one, process(urls) as other:
        for number in range(3):
            token = await one.connected(Party("NL", f"N{number}"))
            await eventually(lambda token=token: other.caller(token) is not None, within_s=SOON_S)  # type: ignore[misc]  # mypy cannot type a lambda's default


async def test_postgresql_killed_and_restarted_interrupts_changes_and_nothing_else(
    redis_of_this_test: RedisServer,
) -> None:
    with PostgresServer() as postgres:
        urls = StoreUrls(await postgres.create_database(), redis_of_this_test.url)
        async with first_process(urls) as one, process(urls) as other:
            token = await one.connected(CPO)
            await eventually(lambda: other.caller(token) is not None, within_s=SOON_S)
            connection_id = one.registered(token).connection.id

            await asyncio.to_thread(postgres.kill)

            for each in (one, other):
                with pytest.raises(HubFault):
                    await each.platforms.reregister(connection_id, registration(CPO))
                await each.directory.refresh()
                await eventually(lambda each=each: each.directory.problems() != [], within_s=OUTAGE_S)  # type: ignore[misc]  # mypy cannot type a lambda's default
                assert each.directory.problems() == ["PostgreSQL does not answer"]
                assert isinstance(each.caller(token), Registered)

            await asyncio.to_thread(postgres.start)

            for each in (one, other):
                await eventually(lambda each=each: each.directory.problems() == [], within_s=OUTAGE_S)  # type: ignore[misc]  # mypy cannot type a lambda's default
            token = await one.platforms.reregister(connection_id, registration(CPO))
            await eventually(lambda: other.caller(token) is not None, within_s=SOON_S)


async def test_both_down_at_once_heal_by_themselves(redis_of_this_test: RedisServer) -> None:
    with PostgresServer() as postgres:
        urls = StoreUrls(await postgres.create_database(), redis_of_this_test.url)
        async with first_process(urls) as one, process(urls) as other:
            token = await one.connected(CPO)
            await eventually(lambda: other.caller(token) is not None, within_s=SOON_S)

            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(redis_of_this_test.kill)
            await eventually(lambda: len(one.directory.problems()) == 2, within_s=OUTAGE_S)
            assert isinstance(one.caller(token), Registered)
            await one.directory.refresh()

            await asyncio.to_thread(redis_of_this_test.start)
            await asyncio.to_thread(redis_of_this_test.flush)
            await asyncio.to_thread(postgres.start)
            for each in (one, other):
                await eventually(lambda each=each: each.directory.problems() == [], within_s=OUTAGE_S)  # type: ignore[misc]  # mypy cannot type a lambda's default
                assert isinstance(each.caller(token), Registered)
            await _redis_has_everything(one, redis_of_this_test.url)


async def test_a_start_without_its_database_fails_at_once() -> None:
    with pytest.raises(HubFault):
        async with process(StoreUrls("postgresql+asyncpg://postgres@127.0.0.1:1/hub", None)):
            pass


async def test_a_start_without_redis_reads_the_truth(one: Process, urls: StoreUrls) -> None:
    token = await one.connected(CPO)

    async with process(StoreUrls(urls.database_url, "redis://127.0.0.1:1/0")) as lonely:
        assert isinstance(lonely.caller(token), Registered)
        assert lonely.directory.problems() == ["Redis does not answer"]
        new = await lonely.connected(EMSP)
        await eventually(lambda: one.caller(new) is not None, within_s=OUTAGE_S)


async def _redis_has_everything(one: Process, url: str) -> None:
    """Wait until Redis has the truth, and exactly that."""
    client = open_redis(url)
    cache = DirectoryCache(client, one.directory._identity)
    try:
        async with asyncio.timeout(5):
            while await cache.revision() != one.snapshot.revision:  # noqa: ASYNC110 - nobody could set an event here
                await asyncio.sleep(0.02)
        assert await cache.changes(0, 1000) == await one.directory._truth.changes(0, 1000)
    finally:
        await client.aclose()
