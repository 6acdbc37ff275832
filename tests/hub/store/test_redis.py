from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from hub.limits import Buckets
from hub.setting_types import RateLimit
from hub.snapshots import Snapshots
from hub.store.facts import LocationSeen
from hub.store.list_snapshots import MOST, ListSnapshots
from hub.store.migrations import migrate
from hub.store.redis import CacheUnreachable, DirectoryCache, open_redis
from hub.store.shared_buckets import SharedBuckets
from hub.store.shared_circuits import SharedCircuits
from hub.store.shelves import KnownLocation, location
from routing.joined_lists import Part
from tests.conftest import StoreUrls
from tests.hub.store.broadcast_workers import CONTENT, orphans_of, running
from tests.hub.store.learned_stores import found_soon, group, learning, written
from tests.hub.store.opened import CPO, EMSP, SOON_S, Process, eventually, first_process, process
from tests.server_programs import redis_program

pytestmark = pytest.mark.anyio


@pytest.fixture
def cluster(tmp_path: Path, free_tcp_port_factory: Callable[[], int]) -> Iterator[str]:
    """The URL of a Redis Cluster of one node, which refuses whatever would not stay in one slot of a larger one."""
    port = free_tcp_port_factory()
    options = {
        "port": port,
        "bind": "127.0.0.1",
        "cluster-enabled": "yes",
        "cluster-port": free_tcp_port_factory(),
        "dir": tmp_path,
        "save": "",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with subprocess.Popen([redis_program().path, *words], stdout=subprocess.DEVNULL) as server:
        try:
            _give_all_slots(port)
            yield f"redis://127.0.0.1:{port}/0?cluster=true"
        finally:
            server.kill()


async def test_a_change_spreads_through_a_cluster(cluster: str, tmp_path: Path) -> None:
    urls = StoreUrls(f"sqlite+aiosqlite:///{tmp_path}/hub.db", cluster)
    async with first_process(urls) as one, process(urls) as other:
        for each, party in ((one, CPO), (other, EMSP)):
            token = await each.connected(party)
            await eventually(lambda token=token: other.caller(token) is not None, within_s=SOON_S)  # type: ignore[misc]  # mypy cannot type a lambda's default
        assert one.directory.problems() == other.directory.problems() == []


async def test_limits_and_circuits_are_shared_in_a_cluster(cluster: str) -> None:
    client = open_redis(cluster)
    limit = RateLimit(0.01, 10)
    one, other = Buckets(limit), Buckets(limit)
    sharing = [SharedBuckets(client, "of-the-tests", {"messages": each}) for each in (one, other)]
    for each in sharing:
        each.start()
    for key in "abcdef":
        assert [one.take(key) for _ in range(10)] == [0] * 10
    await eventually(lambda: all(other.take(key) for key in "abcdef"), within_s=SOON_S)
    for each in sharing:
        await each.stop()

    first, second = (SharedCircuits(client, "of-the-tests", name) for name in ("first", "second"))
    await first.write({"volt": b"open"}, ["lind"])
    [told] = await second.read()
    assert (told.platform_id, told.text) == ("volt", b"open")
    await second.order_closed("volt")
    assert await second.read() == []
    await client.aclose()


async def test_a_broadcast_is_taken_over_in_a_cluster(cluster: str) -> None:
    async with running(cluster, "one", "other") as [one, other]:
        kept = await one.accepts("first")
        one.delivers(kept, "DE*ONE")
        await one.goes_on()
        await other.accepts("second")
        [orphan] = await orphans_of(other)

        assert (orphan.kept.id, orphan.content, orphan.done) == ("first", CONTENT, frozenset({"DE*ONE"}))
        assert other.begun["second"] == ["DE*ONE"]
        other.finish(orphan.kept)


async def test_readers_of_lists_are_shared_in_a_cluster(cluster: str) -> None:
    client = open_redis(cluster)
    here, there = (Snapshots(ListSnapshots(client, "test")) for _ in range(2))
    begun = [here.begin(EMSP, "connection", "tariffs", [Part((CPO,), 5)]) for _ in range(MOST + 1)]
    for each in begun:
        await here.keep(each)

    assert await there.get(begun[-1].id) is not None
    assert await there.newest("connection", "tariffs") is not None
    await client.aclose()


async def test_what_is_learned_spreads_through_a_cluster(cluster: str, tmp_path: Path) -> None:
    urls = StoreUrls(f"sqlite+aiosqlite:///{tmp_path}/hub.db", cluster)
    await migrate(urls.database_url)
    seen, lookups = LocationSeen(CPO, "L1", publish=True), [location(CPO, "L1"), location(CPO, "L2")]
    async with learning(urls) as one, learning(urls) as other:
        assert await group(other, lookups[0]) is None

        await written(one, seen)

        await found_soon(other, lookups[0], KnownLocation(True))
        shared = one._shared
        assert shared is not None
        await shared.put({"one": b"1", "two": b"2"}, 10)
        await shared.forget(["two"], b"")
        assert await shared.get(["one", "two", "three"]) == [b"1", None, None]


async def test_two_hubs_can_share_one_redis(redis_url: str, tmp_path: Path) -> None:
    first, second = (StoreUrls(f"sqlite+aiosqlite:///{tmp_path}/{name}.db", redis_url) for name in ("one", "two"))
    async with first_process(first) as one, first_process(second) as other:
        token = await one.connected(CPO)
        await other.connected(EMSP)
        await other.directory.refresh()

        assert (one.status(EMSP), other.status(CPO)) == (None, None)
        assert other.caller(token) is None


async def test_a_write_on_an_incomplete_cache_is_refused(redis_url: str) -> None:
    """Else what is left out would be taken for gone."""
    client = open_redis(redis_url)
    cache = DirectoryCache(client, "0" * 32)

    assert await cache.write(0, [])
    assert not await cache.write(5, [])
    await client.aclose()


async def test_a_record_is_never_replaced_by_an_older_one(store: Process, redis_url: str) -> None:
    client = open_redis(redis_url)
    cache = DirectoryCache(client, "0" * 32)
    record, _ = await store.platforms.create("Old name")
    renamed = await store.platforms.change(record.id, name="New name")

    assert await cache.write(0, [renamed])
    assert await cache.write(0, [record])

    cached = await cache.changes(0, 10)
    assert (cached.records, cached.upto) == ((renamed,), renamed.revision)
    await client.aclose()


@pytest.mark.parametrize("query", ["", "?cluster=true"])
async def test_a_redis_that_is_not_there_is_told_soon(query: str) -> None:
    client = open_redis(f"redis://127.0.0.1:1/0{query}")
    with pytest.raises(CacheUnreachable):
        await DirectoryCache(client, "0" * 32).revision()
    await client.aclose()


def _give_all_slots(port: int) -> None:
    patient = Retry(ConstantBackoff(0.05), 200)
    with redis.Redis(port=port, retry=patient) as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        while b"cluster_state:ok" not in client.execute_command("CLUSTER", "INFO"):
            time.sleep(0.01)
