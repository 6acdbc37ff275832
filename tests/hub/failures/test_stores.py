"""Redis and PostgreSQL fail in the middle of traffic: messages go on, and what changes meanwhile is not lost."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from loadtests.simulator import Partner
from tests.hub.failures.cluster import Cluster
from tests.hub.failures.traffic import unharmed


def test_messages_go_on_while_redis_is_killed_and_started_again(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    with unharmed(partners) as traffic:
        with cluster.without(cluster.redis):
            cluster.says("Redis does not answer")
            traffic.goes_on()
        cluster.heals()
        cluster.spreads_changes(guest, emsp)


def test_nothing_changes_when_redis_is_flushed(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    with unharmed(partners) as traffic:
        with redis.Redis.from_url(cluster.redis.url) as client:
            client.flushall()
        traffic.goes_on()
        print(cluster.spreads_changes(guest, emsp))
