"""Accepted broadcasts outlive the worker that accepted them, and keep their order across workers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException

import msgspec
import pytest
import redis

from loadtests.crowd import Arrival, Crowd
from loadtests.simulator import Answer, Partner
from routing.vocabulary import Party
from tests.hub.failures.cluster import WORKERS, Cluster, frozen
from tests.hub.failures.lines import Line
from tests.hub.failures.waiting import eventually
from tests.partners import location, path_of

HUB = Party("EU", "HUB")
SIZE = 50
BROADCASTS = 200
BEGUN_WITHIN_S = 30.0
AT_ONCE = 200


@pytest.fixture(scope="module")
def crowd(cluster_of_all: Cluster) -> Iterator[Crowd]:
    """Fifty receivers, each a platform of its own, that take a moment to answer."""
    with Crowd(SIZE, country_code="BE", slow_s=0.01).running() as crowd:
        crowd.register(cluster_of_all.hub)
        crowd.slow = range(SIZE)
        yield crowd


@pytest.fixture
def receivers(cluster: Cluster, crowd: Crowd, cpo: Partner) -> Crowd:
    """They are known to every worker, and nothing is on its way to them."""
    crowd.slow_s = 0.01
    with cluster.lines() as lines:
        for number, line in enumerate(lines):
            eventually(partial(_reaches_all, line, cpo, f"HELLO{number}"))
    eventually(lambda: waiting(cluster) == 0)
    crowd.forget()
    return crowd


def _reaches_all(line: Line, cpo: Partner, location_id: str) -> bool:
    answer = put(line, cpo, location_id)
    assert answer.status_code == 1000
    return int(str(answer.envelope.status_message).split()[2]) >= SIZE


def put(line: Line, cpo: Partner, location_id: str) -> Answer:
    return line.broadcast(cpo, HUB, "PUT", path_of(cpo.party, location_id), location(cpo.party, location_id))


def waiting(cluster: Cluster) -> int:
    """Broadcasts that Redis has as unfinished."""
    with redis.Redis.from_url(cluster.redis.url) as client:
        return sum(int(client.xlen(stream)) for stream in client.scan_iter("*:broadcasts:*:accepted"))


def counted(arrivals: Iterable[Arrival]) -> Counter[tuple[int, str]]:
    """How often each receiver got which Location."""
    return Counter((each.number, each.path.rpartition("/")[2]) for each in arrivals)


def test_a_worker_that_is_killed_takes_no_accepted_broadcast_with_it(
    cluster: Cluster, receivers: Crowd, cpo: Partner
) -> None:
    doomed, survivor = cluster.workers
    accepted: dict[str, float] = {}
    is_time = threading.Event()

    def push(line: Line, numbers: range) -> None:
        for number in numbers:
            try:
                answer = put(line, cpo, f"LOC{number}")
            except (HTTPException, OSError):
                return  # its worker is dead, and did not answer this one
            assert answer.status_code == 1000
            accepted[f"LOC{number}"] = time.monotonic()
            if len(accepted) >= BROADCASTS // 2:
                is_time.set()

    with cluster.line_to(doomed) as one, cluster.line_to(survivor) as other, ThreadPoolExecutor() as threads:
        ranges = range(BROADCASTS // 2), range(BROADCASTS // 2, BROADCASTS)
        pushing = [threads.submit(push, line, each) for line, each in zip((one, other), ranges, strict=True)]
        is_time.wait()
        doomed.kill()
        for each in pushing:
            each.result()
    assert len(accepted) >= BROADCASTS // 2
    eventually(lambda: waiting(cluster) == 0, within_s=BEGUN_WITHIN_S)

    got = [each for each in receivers.arrivals if each.path.rpartition("/")[2] in accepted]
    times = counted(got)
    assert times.keys() == {(number, name) for number in range(SIZE) for name in accepted}
    assert max(each.at - accepted[each.path.rpartition("/")[2]] for each in got) < BEGUN_WITHIN_S
    assert times.total() - len(times) <= AT_ONCE
    cluster.heals(within_s=30)
    assert len(cluster.workers) == WORKERS


def test_pushes_of_one_object_arrive_in_order_whichever_workers_accept_them(
    cluster: Cluster, receivers: Crowd, cpo: Partner
) -> None:
    receivers.slow_s = 0.03
    path = path_of(cpo.party, "ORDER")
    with cluster.lines() as lines:
        assert put(lines[0], cpo, "ORDER").status_code == 1000
        for number in range(20):
            patch = {"name": str(number), "last_updated": "2026-11-22T08:00:00Z"}
            assert lines[(number + 1) % 2].broadcast(cpo, HUB, "PATCH", path, patch).status_code == 1000

    got = receivers.wait_for(21 * SIZE)
    for number in range(SIZE):
        names = [msgspec.json.decode(each.body).get("name") for each in got if each.number == number]
        assert names == [None, *map(str, range(20))]


def test_while_redis_is_silent_a_broadcast_is_accepted_and_delivered_once(
    cluster: Cluster, receivers: Crowd, cpo: Partner
) -> None:
    with cluster.line_to(cluster.workers[0]) as line:
        with frozen(cluster.redis):
            began = time.monotonic()
            assert put(line, cpo, "FROZEN").status_code == 1000
            assert time.monotonic() - began < 5
            receivers.wait_for(SIZE)
        eventually(lambda: waiting(cluster) == 0)
        cluster.heals()
        assert set(counted(receivers.arrivals).values()) == {1}

        eventually(partial(_reaches_all, line, cpo, "THAWED"))
        eventually(lambda: waiting(cluster) == 0)


def test_after_a_crash_of_everything_the_hub_finishes_what_it_had_accepted(
    cluster: Cluster, receivers: Crowd, cpo: Partner
) -> None:
    receivers.slow_s = 60
    with cluster.line_to(cluster.workers[0]) as line:
        for number in range(3):
            assert put(line, cpo, f"CRASH{number}").status_code == 1000
    accepted = time.monotonic()
    first = counted(receivers.wait_for(SIZE))
    cluster.hub.kill()
    receivers.slow_s = 0.01
    cluster.hub.start()
    eventually(lambda: waiting(cluster) == 0, within_s=BEGUN_WITHIN_S)

    got = list(receivers.arrivals)
    times = counted(got)
    assert times.keys() == {(number, f"CRASH{each}") for number in range(SIZE) for each in range(3)}
    assert max(each.at for each in got) - accepted < BEGUN_WITHIN_S
    assert all(count == 1 or (count == 2 and which in first) for which, count in times.items())
