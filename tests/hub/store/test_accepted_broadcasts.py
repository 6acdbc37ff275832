"""What processes know of each other's broadcasts, through a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.store import broadcast_stream
from hub.store.accepted_broadcasts import AcceptedBroadcasts
from hub.store.vault import Vault
from routing.vocabulary import Secret
from tests.hub.store.broadcast_workers import (
    CLAIM_AFTER_S,
    CONTENT,
    KEY,
    LOCATION,
    RECEIVERS,
    Worker,
    eventually,
    orphans_of,
    running,
)
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def workers(redis_url: str) -> AsyncIterator[list[Worker]]:
    """Two of them."""
    async with running(redis_url, "one", "other") as found:
        yield found


async def test_nothing_is_left_of_a_broadcast_that_is_finished(workers: list[Worker]) -> None:
    one, _ = workers
    kept = await one.accepts("first")
    assert one.begun["first"] == [*RECEIVERS]
    assert await one.left() == 4

    one.delivers(kept, *RECEIVERS)
    one.finish(kept)

    async def is_empty() -> bool:
        return await one.left() == 0

    await eventually(is_empty)


async def test_redis_learns_nothing_of_what_partners_say(workers: list[Worker]) -> None:
    one, _ = workers
    await one.accepts("first", "tokens DE*MSP 0102030405")
    stream, *others = sorted(await one.redis.keys("*"))
    said = repr([stream, *others, await one.redis.xrange(stream)])

    assert len(others) == 3
    assert "0102030405" not in said
    assert "DE*MSP" not in said


async def test_a_broadcast_begins_at_a_receiver_when_the_one_before_it_is_done_there(workers: list[Worker]) -> None:
    one, other = workers
    first = await one.accepts("first")
    second = await other.accepts("second")
    third = await one.accepts("third")
    assert (one.begun["first"], other.begun["second"], one.begun["third"]) == ([*RECEIVERS], [], [])

    async def begun_at(count: int) -> bool:
        return len(other.begun["second"]) == count

    one.delivers(first, "DE*TWO")
    await eventually(lambda: begun_at(1))
    assert other.begun["second"] == ["DE*TWO"]
    one.finish(first)
    await eventually(lambda: begun_at(2))
    assert one.begun["third"] == []

    other.finish(second)

    async def third_has_begun() -> bool:
        return one.begun["third"] == [*RECEIVERS]

    await eventually(third_has_begun)
    one.finish(third)


async def test_what_one_process_has_in_hand_is_in_order_and_other_objects_do_not_matter(workers: list[Worker]) -> None:
    one, other = workers
    await one.accepts("first")
    await one.accepts("second")
    await other.accepts("elsewhere", "locations NL*CPO LOC2")

    assert one.begun["second"] == other.begun["elsewhere"] == [*RECEIVERS]


async def test_what_a_process_leaves_is_taken_over_and_what_it_had_done_is_known(workers: list[Worker]) -> None:
    one, other = workers
    kept = await one.accepts("first")
    one.delivers(kept, "DE*ONE")
    await one.goes_on()
    [orphan] = await orphans_of(other)

    assert (orphan.kept.id, orphan.content, orphan.done) == ("first", CONTENT, frozenset({"DE*ONE"}))
    assert CLAIM_AFTER_S <= orphan.age_s < 10


async def test_every_process_knows_where_a_broadcast_still_is(workers: list[Worker]) -> None:
    one, other = workers
    kept = await one.accepts("first")
    again = await one.accepts("first")  # the same ids
    one.delivers(again, "DE*ONE")

    async def is_told() -> bool:
        known = await other.known("ids of first")
        return known == (CONTENT, frozenset({"DE*ONE"}))

    await eventually(is_told)
    assert one.left_here("ids of first") == frozenset({"DE*TWO"})
    assert other.left_here("ids of first") is None
    assert await other.known("ids of second") is None
    one.finish(kept)
    one.finish(again)

    async def is_over() -> bool:
        return await other.known("ids of first") is None

    await eventually(is_over)
    assert one.left_here("ids of first") is None


async def test_nothing_is_taken_from_a_process_that_is_there(workers: list[Worker]) -> None:
    one, other = workers
    await one.accepts("first")
    for _ in range(30):
        await one.goes_on()
        await other.goes_on()
        await asyncio.sleep(CLAIM_AFTER_S / 10)

    assert not one.orphans
    assert not other.orphans


async def test_a_process_that_ends_gives_away_what_it_has(redis_url: str) -> None:
    async with running(redis_url, "other") as [other]:
        async with running(redis_url, "one") as [one]:
            await one.accepts("first")
            await one.accepts("second")
        await orphans_of(other)

        assert [orphan.kept.id for orphan in other.orphans] == ["first", "second"]
        assert [orphan.kept.before for orphan in other.orphans] == ["", "first"]


async def test_a_process_that_stood_still_for_too_long_hears_that_another_has_its_broadcast(
    workers: list[Worker],
) -> None:
    one, other = workers
    kept = await one.accepts("first")
    await one.goes_on()
    await orphans_of(other)
    await asyncio.sleep(CLAIM_AFTER_S)
    await one.goes_on()

    assert not kept.is_ours
    one.finish(kept)
    await one.goes_on()
    assert await one.left() == 4


async def test_what_another_key_has_sealed_is_forgotten(redis_url: str) -> None:
    stranger = Worker(redis_url, "stranger", Secret("a key of somebody else"))
    async with running(redis_url, "one") as [one]:
        await one.accepts("first")
        await one.goes_on()

        async def is_empty() -> bool:
            await stranger.goes_on()
            return await stranger.left() == 0

        await eventually(is_empty)
        assert not stranger.orphans
    await stranger.stop()
    await stranger.redis.aclose()


async def test_a_broadcast_that_redis_could_not_take_in_time_is_not_delivered_twice() -> None:
    with RedisServer() as server:
        async with running(server.url, "one", "other") as [one, other]:
            await one.accepts("first")
            server.freeze()
            kept = await one.accepts("second")
            assert (kept.entry, one.begun["second"], one.can_keep) == ("", [*RECEIVERS], False)
            server.thaw()

            async def is_settled() -> bool:
                await one.goes_on()
                await other.goes_on()
                return await one.left() == 3  # the first one, which is still in hand; the last one was the second

            await eventually(is_settled)
            assert not one.orphans
            assert not other.orphans


async def test_without_redis_there_is_nothing_to_do() -> None:
    alone = AcceptedBroadcasts(None, Vault(KEY))
    begun: list[str] = []
    kept = await alone.keep("first", CONTENT, LOCATION, "its ids")
    alone.take_up(kept, RECEIVERS, begun.extend)
    alone.done(kept, "DE*ONE")
    assert alone.left_here("its ids") == frozenset({"DE*TWO"})
    alone.finish(kept)

    assert begun == [*RECEIVERS]
    assert alone.left_here("its ids") is None
    assert await alone.known("its ids") is None
    assert await alone.look_after() == []
    await alone.stop()


async def test_processes_that_ended_long_ago_are_forgotten_when_another_ends(
    workers: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = workers
    kept = await one.accepts("first")
    one.finish(kept)
    await eventually(lambda: _has(one, 0))
    monkeypatch.setattr(broadcast_stream, "_LONG_GONE_MS", -1)

    await one.stop()

    [stream] = await one.redis.keys("ocpi-hub:{test}:broadcasts:*")
    assert await one.redis.xinfo_consumers(stream, broadcast_stream._GROUP) == []


async def _has(one: Worker, keys: int) -> bool:
    return await one.left() == keys
