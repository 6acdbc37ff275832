"""A worker dies in the middle of traffic: its connections are all that is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException

import pytest

from loadtests.simulator import Answer, Partner
from tests.hub.failures.cluster import WORKERS, Cluster
from tests.hub.failures.traffic import Traffic
from tests.hub.failures.waiting import eventually

NO_REDIS = "Redis does not answer"


def test_a_killed_worker_takes_only_its_own_connections_with_it_and_is_replaced(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    doomed, survivor = cluster.workers
    with Traffic(partners) as traffic, ThreadPoolExecutor() as threads:
        traffic.goes_on()
        with cluster.line_to(doomed) as lost, cluster.line_to(survivor) as kept:
            with guest.pausing(times=WORKERS):
                answers = [threads.submit(line.push_token, emsp, guest.party) for line in (lost, kept)]
                guest.received.wait_for("tokens", count=WORKERS)
                doomed.kill()
                doomed.wait()
                died = time.monotonic()
                assert cluster.workers == [survivor]
                traffic.goes_on()
            with pytest.raises((HTTPException, OSError)):
                answers[0].result()
            assert answers[1].result().status_code == 1000

        with cluster.line_to(cluster.replaces_worker()) as line:
            assert all(line.push_token(emsp, each.party).status_code == 1000 for each in [*partners[::2], guest])
        traffic.goes_on()
        cluster.spreads_changes(guest, emsp)

    harmed = [each for each in traffic.failures if isinstance(each.outcome, Answer) or each.began > died]
    assert not harmed, list(map(str, harmed))
    traffic.check_arrivals()


def test_what_a_worker_answered_just_before_it_was_killed_holds(cluster: Cluster, guest: Partner) -> None:
    doomed, survivor = cluster.workers
    with cluster.line_to(doomed) as line, cluster.line_to(survivor) as other:
        old = guest.authorization
        line.renew(guest)
        doomed.kill()
        assert other.knows(guest.authorization)
        eventually(partial(other.refuses, old))
    cluster.replaces_worker()


def test_a_worker_is_replaced_while_redis_is_away(cluster: Cluster, partners: Sequence[Partner], emsp: Partner) -> None:
    doomed, survivor = cluster.workers
    with Traffic(partners) as traffic, cluster.without(cluster.redis):
        doomed.kill()
        eventually(lambda: cluster.problems == [NO_REDIS, f"1 of {WORKERS} workers are serving"])
        eventually(lambda: cluster.problems == [NO_REDIS], within_s=30)
        traffic.goes_on()
        [new] = set(cluster.workers) - {survivor}
        with cluster.line_to(new) as line:
            assert all(line.push_token(emsp, each.party).status_code == 1000 for each in partners[::2])


def test_a_worker_that_dies_while_postgresql_is_away_is_replaced_when_it_is_back(
    cluster: Cluster, partners: Sequence[Partner]
) -> None:
    doomed, survivor = cluster.workers
    with Traffic(partners) as traffic:
        with cluster.without(cluster.postgres):
            doomed.kill()
            cluster.says(f"1 of {WORKERS} workers are serving")
            traffic.goes_on()
            assert survivor.is_running()
        cluster.heals(within_s=30)
