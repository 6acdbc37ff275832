"""Stores killed and frozen while processes go on learning and asking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs

from hub.store import learned as learned_module
from hub.store import shelves
from hub.store.facts import LocationSeen
from hub.store.learned import SOON_S, Learned
from hub.store.learned_claims import Charge
from hub.store.migrations import migrate
from hub.store.shelves import Credit, KnownLocation
from tests.conftest import StoreUrls
from tests.hub.store.learned_stores import HOUR, NOW, found_soon, group, learning, written
from tests.hub.store.opened import CPO, EMSP, OUTAGE_S, eventually
from tests.servers import PostgresServer, RedisServer

pytestmark = pytest.mark.anyio

PROMPTLY_S = SOON_S + 0.5
"""What a machine full of tests adds."""
HERE, ELSEWHERE = shelves.location(CPO, "HERE"), shelves.location(CPO, "ELSEWHERE")


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
async def urls(database_url: str, redis: RedisServer) -> StoreUrls:
    """PostgreSQL that stays, and a Redis to hurt."""
    return StoreUrls(database_url, redis.url)


@pytest.fixture
async def on_postgres(postgres: PostgresServer, redis_url: str) -> AsyncIterator[Learned]:
    """A process whose PostgreSQL will be hurt, and which knows one thing already."""
    database_url = await postgres.create_database()
    await migrate(database_url)
    async with learning(StoreUrls(database_url, redis_url), soon_s=SOON_S) as learned:
        await written(learned, LocationSeen(CPO, "HERE", True), LocationSeen(CPO, "ELSEWHERE", True))
        async with asyncio.timeout(OUTAGE_S):
            while HERE not in await learned.groups([HERE]):  # noqa: ASYNC110 - the first time takes longer than who asks may wait
                await asyncio.sleep(0.01)
        yield learned


async def test_with_redis_killed_everything_goes_on_and_spreads_within_seconds(
    urls: StoreUrls, redis: RedisServer
) -> None:
    async with learning(urls) as one, learning(urls) as other:
        await asyncio.to_thread(redis.kill)
        await eventually(lambda: not one._hears_notices and not other._hears_notices, within_s=OUTAGE_S)

        for publish in (True, False):
            await written(one, LocationSeen(CPO, "HERE", publish))
            await found_soon(other, HERE, KnownLocation(publish))
        assert await other.reservation_number(CPO, EMSP, "77", NOW + HOUR) == 77

        await asyncio.to_thread(redis.start)
        await eventually(lambda: one._hears_notices and other._hears_notices, within_s=OUTAGE_S)
        await written(one, LocationSeen(CPO, "HERE", True))
        await found_soon(other, HERE, KnownLocation(True))


async def test_a_redis_that_hangs_keeps_nobody_for_long(urls: StoreUrls, redis: RedisServer) -> None:
    async with learning(urls, soon_s=SOON_S) as one:
        await written(one, LocationSeen(CPO, "HERE", True))
        await asyncio.to_thread(redis.freeze)
        try:
            began = time.monotonic()
            found = await group(one, HERE)
            took = time.monotonic() - began
        finally:
            await asyncio.to_thread(redis.thaw)

    assert found == KnownLocation(True)
    assert took < PROMPTLY_S


async def test_what_changed_while_notices_were_lost_is_seen_when_they_come_again(
    urls: StoreUrls, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned_module, "KEEP_WITHOUT_NOTICES_S", 60.0)
    async with learning(urls) as one, learning(urls) as other:
        await written(one, LocationSeen(CPO, "HERE", True))
        await found_soon(other, HERE, KnownLocation(True))
        await asyncio.to_thread(redis.kill)
        await eventually(lambda: not other._hears_notices, within_s=OUTAGE_S)
        assert await group(other, HERE) == KnownLocation(True)  # at hand, also where the last notice came that late
        await written(one, LocationSeen(CPO, "HERE", False))
        assert await group(other, HERE) == KnownLocation(True)

        await asyncio.to_thread(redis.start)
        await asyncio.to_thread(redis.flush)
        await eventually(lambda: other._hears_notices, within_s=OUTAGE_S)

        assert await group(other, HERE) == KnownLocation(False)


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_without_postgresql_answers_are_unknown_promptly_and_what_is_at_hand_stays(
    on_postgres: Learned, postgres: PostgresServer, how: str
) -> None:
    learned, charge = on_postgres, Charge(CPO, EMSP, "04A1", "RFID", "S1", NOW, None)
    with capture_logs() as logs:
        await asyncio.to_thread(postgres.kill if how == "killed" else postgres.freeze)
        try:
            began = time.monotonic()
            assert await learned.groups([HERE, shelves.tokens_of_uid("04A1")]) == {HERE: KnownLocation(True)}
            first = time.monotonic() - began
            began = time.monotonic()
            assert await learned.reservation_number(CPO, EMSP, "77", NOW + HOUR) is None
            assert await learned.bind_reference(charge) is None
            assert not await learned.note_credit(CPO, EMSP, "C1", Credit("CDR1", "S1", None, None, None), NOW)
            assert await learned.groups([ELSEWHERE]) == {}
            rest = time.monotonic() - began
        finally:
            if how == "frozen":
                await asyncio.to_thread(postgres.thaw)

    assert first < PROMPTLY_S
    assert rest < PROMPTLY_S
    assert [each["event"] for each in logs] == ["learned_facts_unavailable"]


async def test_what_is_learned_while_postgresql_is_down_is_written_when_it_is_back(
    on_postgres: Learned, postgres: PostgresServer
) -> None:
    learned = on_postgres
    await asyncio.to_thread(postgres.kill)
    learned.note(LocationSeen(CPO, "HERE", False))
    learned.note(LocationSeen(CPO, "ELSEWHERE", False))
    assert learned.remembered.get(HERE) == KnownLocation(False)

    await asyncio.to_thread(postgres.start)

    await eventually(lambda: learned.remembered.is_written, within_s=OUTAGE_S)
    learned.remembered.forget_all()
    assert await learned.groups([HERE, ELSEWHERE]) == {HERE: KnownLocation(False), ELSEWHERE: KnownLocation(False)}


async def test_what_grew_old_is_better_than_nothing(on_postgres: Learned, postgres: PostgresServer) -> None:
    on_postgres.remembered.keep_s = 0.0
    await asyncio.to_thread(postgres.kill)

    assert await on_postgres.groups([HERE]) == {HERE: KnownLocation(True)}
