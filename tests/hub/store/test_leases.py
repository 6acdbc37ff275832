from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from time import monotonic
from uuid import uuid4

import pytest

from hub.store import leases
from hub.store.leases import LEASE_S, Lease
from hub.store.redis import CacheUnreachable, open_redis
from tests.servers import Redis, RedisServer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def new(redis_server: Redis) -> AsyncIterator[Callable[[str], Lease]]:
    """Processes of one hub, by name."""
    identity = uuid4().hex
    async with AsyncExitStack() as stack:

        def process(name: str) -> Lease:
            client = open_redis(redis_server.url)
            stack.push_async_callback(client.aclose)
            return Lease(client, identity, name)

        yield process


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that do not last long."""
    for name, seconds in (("LEASE_S", 2.0), ("_MARGIN_S", 0.2), ("_RENEW_EVERY_S", 0.1), ("_AGAIN_S", 0.02)):
        monkeypatch.setattr(leases, name, seconds)


async def test_one_process_has_it_and_may_take_it_twice(new: Callable[[str], Lease]) -> None:
    one, other = new("one"), new("other")

    assert await one.take()
    assert await one.take()
    assert not await other.take()


async def test_the_first_term_of_all_begins_at_once(new: Callable[[str], Lease]) -> None:
    one = new("one")
    await one.take()

    assert one.pause_before(1) == 0


async def test_after_a_term_that_ended_in_an_orderly_way_the_next_begins_at_once(new: Callable[[str], Lease]) -> None:
    one, other = new("one"), new("other")
    await one.take()
    await one.release(7)

    assert await other.take()
    assert other.pause_before(8) == 0
    await other.release(7)  # it did nothing in the one it had begun
    assert await one.take()
    assert one.pause_before(9) > LEASE_S - 1


async def test_whoever_does_not_know_what_became_of_the_term_before_waits(new: Callable[[str], Lease]) -> None:
    one = new("one")
    await one.take()

    assert LEASE_S - 1 < one.pause_before(5) <= LEASE_S


async def test_own_terms_are_known_to_have_ended(new: Callable[[str], Lease], redis_server: Redis) -> None:
    one = new("one")
    await one.take()
    async with open_redis(redis_server.url) as client:
        await client.delete(*one._keys)  # as a Redis does that forgets everything
    await asyncio.wait_for(one.keep(), 10)
    await one.release(4)

    assert await one.take()
    assert one.pause_before(5) == 0


@pytest.mark.usefixtures("short")
async def test_who_saw_a_lease_run_out_begins_at_once(new: Callable[[str], Lease]) -> None:
    one, other = new("one"), new("other")
    await one.take()
    assert not await other.take()

    async with asyncio.timeout(10):
        while not await other.take():  # noqa: ASYNC110 - Redis does not tell
            await asyncio.sleep(0.05)

    assert other.pause_before(9) == 0


@pytest.mark.usefixtures("short")
async def test_who_gets_a_lease_before_it_can_have_run_out_waits(
    new: Callable[[str], Lease], redis_server: Redis
) -> None:
    one, other = new("one"), new("other")
    await one.take()
    assert not await other.take()
    async with open_redis(redis_server.url) as client:
        await client.delete(*one._keys)

    assert await other.take()
    assert other.pause_before(9) > 0.5


@pytest.mark.usefixtures("short")
async def test_it_is_kept_for_as_long_as_it_is_renewed(new: Callable[[str], Lease]) -> None:
    one, other = new("one"), new("other")
    await one.take()
    keeping = asyncio.create_task(one.keep())

    _, kept = await asyncio.wait([keeping], timeout=1.5 * leases.LEASE_S)

    assert kept
    assert not await other.take()
    keeping.cancel()


@pytest.mark.usefixtures("short")
async def test_it_is_given_up_before_another_can_have_it_when_redis_is_away() -> None:
    with RedisServer() as server:
        client = open_redis(server.url)
        one = Lease(client, "identity", "one")
        await one.take()
        taken = monotonic()
        server.kill()

        await one.keep()

        assert 0.3 < monotonic() - taken < leases.LEASE_S
        with pytest.raises(CacheUnreachable):
            await one.take()
        await one.release(1)
        await client.aclose()
