"""Where readers of lists of everybody's are: kept in the process, and over Redis for all processes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.snapshots import Snapshots
from hub.store.list_snapshots import KEPT_S, MOST, ListSnapshots
from hub.store.redis import open_redis
from routing.joined_lists import Part, Snapshot
from routing.vocabulary import Party
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio

READER, CPO = Party("DE", "MSP"), Party("NL", "CPO")


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["embedded", "redis"])
async def processes(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[tuple[Snapshots, Snapshots]]:
    """Those of two workers; without Redis there is one."""
    if request.param == "embedded":
        alone = Snapshots(None, clock=clock)
        yield alone, alone
        return
    client = open_redis(request.getfixturevalue("redis_url"))
    yield tuple(Snapshots(ListSnapshots(client, "test"), clock=clock) for _ in range(2))  # type: ignore[misc]  # two
    await client.aclose()


def begun(at: Snapshots, *, connection: str = "c", request: str = "tariffs", total: int = 5) -> Snapshot:
    return at.begin(READER, connection, request, [Part((CPO,), total)])


async def test_what_one_process_keeps_another_finds(processes: tuple[Snapshots, Snapshots]) -> None:
    here, there = processes
    one = begun(here)
    await here.keep(one)

    found = await there.get(one.id)

    assert found is not None
    assert (found.requester, found.positions, found.total) == (READER, 5, 5)
    newest = await there.newest("c", "tariffs")
    assert newest is not None
    assert newest.id == one.id


async def test_ids_cannot_be_guessed(processes: tuple[Snapshots, Snapshots]) -> None:
    assert len({begun(processes[0]).id for _ in range(100)}) == 100
    assert len(begun(processes[0]).id) == 22
    assert await processes[1].get("x" * 22) is None


async def test_the_newest_is_that_of_the_same_request_and_connection(
    processes: tuple[Snapshots, Snapshots], clock: Clock
) -> None:
    kept = [
        begun(processes[0]),
        begun(processes[0]),
        begun(processes[0], request="cdrs"),
        begun(processes[0], connection="d"),
    ]
    for each in kept:
        clock.now += 1
        each.created = clock.now
        await processes[0].keep(each)

    newest = await processes[1].newest("c", "tariffs")

    assert newest is not None
    assert newest.id == kept[1].id
    assert await processes[1].newest("e", "tariffs") is None


async def test_a_connection_has_so_many_and_then_the_oldest_goes(
    processes: tuple[Snapshots, Snapshots], clock: Clock
) -> None:
    kept = [begun(processes[0]) for _ in range(MOST + 2)]
    for each in kept:
        clock.now += 1
        each.created = clock.now
        await processes[0].keep(each)

    found = [await processes[1].get(each.id) is not None for each in kept]

    assert found == [False] * 2 + [True] * MOST


async def test_what_two_pages_saw_at_the_same_time_is_put_together(processes: tuple[Snapshots, Snapshots]) -> None:
    one = begun(processes[0])
    await processes[0].keep(one)
    mine, theirs = await processes[0].get(one.id), await processes[1].get(one.id)
    assert mine is not None
    assert theirs is not None

    mine.segments[0].shift = 2
    theirs.parts[0].missing = 4003
    await processes[0].keep(mine)
    await processes[1].keep(theirs)

    found = await processes[0].get(one.id)
    assert found is not None
    assert (found.segments[0].shift, found.parts[0].missing, found.revision) == (2, 4003, 3)


async def test_one_that_nobody_uses_for_half_an_hour_is_forgotten(clock: Clock) -> None:
    here = Snapshots(None, clock=clock)
    used, unused = begun(here), begun(here)
    for each in (used, unused):
        await here.keep(each)

    clock.now += KEPT_S / 2 + 1
    assert await here.get(used.id) is not None
    clock.now += KEPT_S / 2 + 1

    assert await here.get(used.id) is not None
    assert await here.get(unused.id) is None


async def test_in_redis_they_expire_too(redis_url: str) -> None:
    client = open_redis(redis_url)
    here = Snapshots(ListSnapshots(client, "test"))
    await here.keep(begun(here))

    lasts = [await client.ttl(key) for key in await client.keys("*")]

    assert len(lasts) == 2
    assert all(0 < each <= KEPT_S for each in lasts)
    await client.aclose()


async def test_while_redis_is_away_pages_go_on_from_what_the_process_has(clock: Clock) -> None:
    with RedisServer() as server:
        client = open_redis(server.url)
        here = Snapshots(ListSnapshots(client, "test"), clock=clock)
        one = begun(here)
        await here.keep(one)
        server.kill()

        found = await here.get(one.id)
        assert found is not None
        found.segments[0].shift = 1
        await here.keep(found)

        newest = await here.newest("c", "tariffs")
        assert newest is not None
        assert newest.segments[0].shift == 1
        assert await here.get("x" * 22) is None
        await client.aclose()
