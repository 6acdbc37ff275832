from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.limits import Buckets
from hub.setting_types import RateLimit
from hub.store.redis import RedisClient, open_redis
from hub.store.shared_buckets import SharedBuckets
from tests.hub.store.opened import eventually
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio

SOON_S = 3.0
SLOW = RateLimit(0.01, 40)
"""Refilled so slowly that a test does not see it."""


@asynccontextmanager
async def sharing(client: RedisClient, identity: str, limit: RateLimit) -> AsyncIterator[Buckets]:
    """The buckets of one process."""
    buckets = Buckets(limit)
    shared = SharedBuckets(client, identity, {"messages": buckets})
    shared.start()
    yield buckets
    await shared.stop()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisClient]:
    client = open_redis(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def identity() -> str:
    return secrets.token_hex(8)


async def test_what_one_process_gives_out_the_others_do_not(redis: RedisClient, identity: str) -> None:
    async with sharing(redis, identity, SLOW) as one, sharing(redis, identity, SLOW) as other:
        assert [one.take("a") for _ in range(SLOW.burst - 1)] == [0] * (SLOW.burst - 1)
        assert one.take("b") == 0

        await eventually(lambda: other.take("a") > 0, within_s=SOON_S)  # it hears of it when it gives out something
        await eventually(lambda: one.take("a") > 0, within_s=SOON_S)
        assert other.take("b") == one.take("b") == 0


async def test_what_was_given_out_twice_is_waited_for(redis: RedisClient, identity: str) -> None:
    limit = RateLimit(10, 20)
    async with sharing(redis, identity, limit) as one, sharing(redis, identity, limit) as other:
        for each in (one, other):
            assert [each.take("a") for _ in range(limit.burst)] == [0] * limit.burst

        await eventually(lambda: one.wait("a") > 1 or other.wait("a") > 1, within_s=SOON_S)  # a debt of 20


@pytest.mark.parametrize("processes", [2, 4])
async def test_all_processes_together_give_out_one_allowance(redis: RedisClient, identity: str, processes: int) -> None:
    limit, seconds = RateLimit(100, 50), 2.0
    taken = 0
    async with asyncio.timeout(30):
        async with contexts(redis, identity, limit, processes) as every:
            loop = asyncio.get_running_loop()
            end = loop.time() + seconds
            while loop.time() < end:
                taken += sum(each.take("a") == 0 for each in every for _ in range(3))
                await asyncio.sleep(0.005)

    allowance = limit.burst + limit.per_second * seconds
    assert allowance * 0.85 < taken < allowance * 1.1


@asynccontextmanager
async def contexts(client: RedisClient, identity: str, limit: RateLimit, count: int) -> AsyncIterator[list[Buckets]]:
    if not count:
        yield []
        return
    async with sharing(client, identity, limit) as first, contexts(client, identity, limit, count - 1) as others:
        yield [first, *others]


async def test_a_bucket_that_is_full_again_leaves_nothing_in_redis(redis: RedisClient, identity: str) -> None:
    async with sharing(redis, identity, RateLimit(2, 10)) as one:
        one.take("a")
        key = f"ocpi-hub:{{{identity}}}:buckets:1:messages:a"
        async with asyncio.timeout(SOON_S):
            while not await redis.exists(key):  # noqa: ASYNC110 - it is written in the background
                await asyncio.sleep(0.01)
            while await redis.exists(key):  # noqa: ASYNC110 - it goes away by itself
                await asyncio.sleep(0.05)


async def test_without_redis_each_process_has_its_own_limits_and_then_they_are_shared_again(
    identity: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with RedisServer() as server:
        client = open_redis(server.url)
        async with sharing(client, identity, SLOW) as one, sharing(client, identity, SLOW) as other:
            await asyncio.to_thread(server.kill)
            for each in (one, other):
                assert [each.take("a") for _ in range(SLOW.burst)] == [0] * SLOW.burst
                assert each.take("a") > 0
            await eventually(lambda: not one._given and not other._given, within_s=SOON_S)

            await asyncio.to_thread(server.start)
            async with asyncio.timeout(10):
                while other.wait("b") == 0:
                    one.take("b")
                    other.take("b", 0)
                    await asyncio.sleep(0.05)
        await client.aclose()
    said = capsys.readouterr().out
    assert said.count("limits_not_shared") == 2  # once for each process


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Mute:
    """Hears what is given out, and tells nobody."""

    def given(self, *, much: bool) -> None:
        pass


class Shelf:
    """The shared bucket, as the script in Redis keeps it."""

    def __init__(self, limit: RateLimit, clock: Clock) -> None:
        self.limit, self.clock = limit, clock
        self.level, self.at = float(limit.burst), clock()

    def take(self, tokens: float) -> float:
        refilled = self.level + (self.clock() - self.at) * self.limit.per_second
        self.level, self.at = min(float(self.limit.burst), refilled) - tokens, self.clock()
        return self.level


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 2), st.integers(1, 30)),
        st.tuples(st.just("tell"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("wait"), st.just(0), st.integers(1, 3000)),
    ),
    max_size=120,
)


@given(STEPS, st.integers(1, 50), st.integers(1, 50))
@settings(max_examples=150, deadline=None)
def test_nothing_that_is_given_out_gets_lost_between_processes(
    steps: list[tuple[str, int, int]], rate: int, burst: int
) -> None:
    """Whatever order processes give and tell in: the shared bucket knows of each token that was told, once."""
    clock, limit = Clock(), RateLimit(rate, burst)
    shelf, processes = Shelf(limit, clock), [Buckets(limit, clock) for _ in range(3)]
    for each in processes:
        each.listener = Mute()
    given_out = told = 0.0
    for what, which, amount in steps:
        one = processes[which]
        if what == "wait":
            clock.now += amount / 1000
        elif what == "take":
            given_out += sum(one.take("a") == 0 for _ in range(amount))
        else:
            tokens = one.given().get("a", 0.0)
            told += tokens
            one.settle("a", shelf.take(tokens))
            assert one._bucket("a").tokens == pytest.approx(shelf.level)
    untold = sum(each.given().get("a", 0.0) for each in processes)
    elapsed = clock() - 1000
    assert given_out == told + untold
    assert told <= burst + rate * elapsed - shelf.level + 1e-6  # each token that was told is accounted for
