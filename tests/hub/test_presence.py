from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from hub.hub import Hub
from hub.presence import Presence
from hub.store.database import Database
from hub.store.platforms import Platforms
from hub.store.redis import open_redis
from hub.store.wanted_probes import WantedProbes
from loadtests.simulator import Partner
from loadtests.simulator.server import free_port
from routing.directory import Connection
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, partner


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def cpo() -> Iterator[Partner]:
    with partner(CPO).running() as one:
        yield one


@pytest.fixture
def presence(hub: RunningHub) -> Iterator[Presence]:
    """One that is not started yet, and notes often."""
    one = hub.do(presence_of(hub.hub.platforms))
    yield one
    hub.do(one.close())


async def presence_of(platforms: Platforms) -> Presence:
    return Presence(platforms, WantedProbes(None, ""), note_every_s=0.02)


def unreachable(hub: Hub) -> Platforms:
    """The platforms of a hub whose database is down."""
    database = Database(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none")
    return Platforms(database, hub.vault, hub.directory, hub.party)


def connection_of(hub: RunningHub, one: Partner) -> Connection:
    platform_id = hub.registered(one)
    one.ledger.clear()
    [connection] = hub.hub.directory.snapshot.platform(platform_id).connections
    return connection


async def on_loop(action: Callable[[], None]) -> None:
    action()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_wanted_is_handed_on_once_however_often_it_is_asked_for(
    hub: RunningHub, presence: Presence, cpo: Partner
) -> None:
    connection = connection_of(hub, cpo)
    hub.do(on_loop(presence.start))

    async def want_often() -> set[str]:
        for _ in range(1000):
            presence.check_soon(connection)
        async with asyncio.timeout(10):
            while not (wanted := await presence._wanted_probes.taken()):  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0.01)
        return wanted

    assert hub.do(want_often()) == {connection.platform_id}
    assert hub.do(presence._wanted_probes.taken()) == set()


def test_what_cannot_be_handed_on_is_given_up(hub: RunningHub, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)

    async def want() -> None:
        redis = open_redis(f"redis://127.0.0.1:{free_port()}")
        presence = Presence(hub.hub.platforms, WantedProbes(redis, "none"), note_every_s=10)
        presence.start()
        presence.check_soon(connection)
        async with asyncio.timeout(10):
            while presence._wanted:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        await presence.close()
        await redis.aclose()

    hub.do(want())


def test_signs_of_life_are_noted_soon(hub: RunningHub, presence: Presence, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)
    before = hub.record(connection.platform_id).last_seen

    hub.do(on_loop(presence.start))
    hub.do(on_loop(lambda: presence.seen(connection.id)))

    wait_until(lambda: hub.record(connection.platform_id).last_seen != before)
    assert not presence._seen


def test_many_signs_of_life_are_noted_at_once(hub: RunningHub, presence: Presence, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)
    for _ in range(1000):
        presence.seen(connection.id)

    assert presence._seen == {connection.id}


def test_what_was_seen_is_noted_at_the_end(hub: RunningHub, presence: Presence, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)
    before = hub.record(connection.platform_id).last_seen
    presence.seen(connection.id)

    hub.do(presence.close())

    assert hub.record(connection.platform_id).last_seen != before


def test_signs_of_life_survive_an_outage_of_the_store(hub: RunningHub, cpo: Partner) -> None:
    connection = connection_of(hub, cpo)
    before = hub.record(connection.platform_id).last_seen
    presence = hub.do(presence_of(unreachable(hub.hub)))
    presence.seen(connection.id)

    hub.do(presence._note())
    assert presence._seen == {connection.id}

    presence._platforms = hub.hub.platforms
    hub.do(presence._note())
    assert not presence._seen
    assert hub.record(connection.platform_id).last_seen != before
