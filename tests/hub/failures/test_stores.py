"""Redis and PostgreSQL fail in the middle of traffic: messages go on, and what changes meanwhile is not lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import redis

from hub.event_kinds import EventKind
from loadtests.simulator import HubRefused, Json, Partner
from tests.hub.failures.cluster import (
    EVERYWHERE_WITHIN_S,
    Cluster,
    End,
    frozen,
    killed,
    lose_listeners,
    reaches,
    stopped,
)
from tests.hub.failures.traffic import unharmed
from tests.hub.failures.waiting import eventually
from tests.partners import CPO, partner, registered

NO_POSTGRES, NO_REDIS = "PostgreSQL does not answer", "Redis does not answer"
DIRECTORY_KEYS = 2
"""Under which Redis holds the directory of one hub, once it is whole again."""
REFUSED_WITHIN_S = 8
"""How long a partner may wait to hear that nothing can be stored now; five seconds are the database's share."""


@contextmanager
def listeners_lost(cluster: Cluster) -> Iterator[None]:
    """No notice of a change has a chance while the block lasts."""
    enough = threading.Event()

    def lose() -> None:
        while not enough.wait(0.005):
            lose_listeners(cluster.redis)

    thread = threading.Thread(target=lose)
    lose_listeners(cluster.redis)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def refused(cluster: Cluster, newcomer: Partner, token_a: str) -> int:
    """Try to register, which must fail soon; the OCPI status of the refusal."""
    began = time.monotonic()
    with pytest.raises(HubRefused) as refusal:
        newcomer.register(cluster.hub.versions_url, token_a)
    assert time.monotonic() - began < REFUSED_WITHIN_S
    return refusal.value.answer.status_code


def outages(cluster: Cluster, kind: EventKind) -> dict[str, Json]:
    """The events of this kind so far, by id."""
    items = cluster.hub.operator.ask("GET", "/api/v1/events", params={"kind": kind})["items"]
    return {each["id"]: each for each in items}


def are(state: str, events: dict[str, Json]) -> bool:
    """Whether there are any, and all of them are in this state."""
    return {each["state"] for each in events.values()} == {state}


# --- Redis


def test_messages_go_on_while_redis_is_killed_and_started_again(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    with unharmed(partners) as traffic:
        with cluster.without(cluster.redis):
            cluster.says(NO_REDIS)
            traffic.goes_on()
            eventually(lambda: not are("closed", outages(cluster, EventKind.REDIS_AWAY)))
        cluster.heals()
        cluster.spreads_changes(guest, emsp)
        eventually(lambda: are("closed", outages(cluster, EventKind.REDIS_AWAY)))


def test_nobody_notices_that_redis_is_flushed(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    with unharmed(partners) as traffic, redis.Redis.from_url(cluster.redis.url) as client:
        client.flushall()
        traffic.goes_on()
        cluster.spreads_changes(guest, emsp)
        eventually(lambda: len(list(client.scan_iter("*:directory:*"))) == DIRECTORY_KEYS)


def test_what_changes_while_redis_is_away_counts_everywhere_at_once_and_stays(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    with unharmed(partners) as traffic, cluster.registered(partner(CPO)) as [banished], cluster.lines() as lines:
        [platform] = cluster.hub.operator.ask("GET", "/api/v1/parties", params={"q": str(banished.party)})["items"]
        with cluster.without(cluster.redis):
            cluster.spreads_changes(guest, emsp)
            with registered(cluster.hub, partner(CPO)) as [newcomer]:
                assert all(line.knows(newcomer.authorization) for line in lines)
                cluster.hub.operator.ask("POST", f"/api/v1/platforms/{platform['platform_id']}/suspend")
                suspended = time.monotonic()
                eventually(lambda: not any(reaches(line, emsp, banished.party) for line in lines))
                assert time.monotonic() - suspended < EVERYWHERE_WITHIN_S
            traffic.goes_on()
        cluster.heals()
        assert not any(reaches(line, emsp, banished.party) for line in lines)
        cluster.spreads_changes(guest, emsp)


def test_a_change_counts_everywhere_within_a_second_although_its_notice_is_lost(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    with unharmed(partners), listeners_lost(cluster):
        cluster.spreads_changes(guest, emsp)


def test_a_redis_that_hangs_holds_up_no_message(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    with unharmed(partners) as traffic:
        with frozen(cluster.redis):
            traffic.goes_on()
            cluster.says(NO_REDIS)
            cluster.spreads_changes(guest, emsp)
        cluster.heals()
        cluster.spreads_changes(guest, emsp)


def test_a_redis_that_pauses_for_some_seconds_holds_up_no_message(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    with unharmed(partners) as traffic, redis.Redis.from_url(cluster.redis.url) as client:
        client.client_pause(3000)
        cluster.spreads_changes(guest, emsp)
        traffic.goes_on()


# --- PostgreSQL


@pytest.mark.parametrize("end", [stopped, killed])
def test_messages_go_on_without_postgresql_and_registrations_say_that_they_cannot(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner, end: End
) -> None:
    newcomer = partner(CPO)
    invitation = cluster.invites(newcomer)
    before = outages(cluster, EventKind.DATABASE_AWAY)

    def outage() -> dict[str, Json]:
        return {id_: each for id_, each in outages(cluster, EventKind.DATABASE_AWAY).items() if id_ not in before}

    with unharmed(partners) as traffic, newcomer.running():
        with cluster.without(cluster.postgres, end=end):
            cluster.says(NO_POSTGRES)
            traffic.goes_on()
            assert refused(cluster, newcomer, invitation.token_a) == 3000
            old = guest.authorization
            with cluster.lines() as lines, pytest.raises(HubRefused):
                lines[0].renew(guest)
            assert guest.authorization == old
            over = datetime.now(UTC)
        cluster.heals()  # says the process that operators talk to, and another may be half a second behind
        cluster.invites(newcomer)
        newcomer.register(invitation.versions_url, invitation.token_a)
        cluster.spreads_changes(guest, emsp)
        eventually(lambda: are("closed", outage()))
    assert min(datetime.fromisoformat(each["opened_at"]) for each in outage().values()) < over


def test_a_postgresql_that_hangs_holds_up_no_message(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    newcomer = partner(CPO)
    invitation = cluster.invites(newcomer)
    with unharmed(partners) as traffic, newcomer.running():
        with frozen(cluster.postgres):
            assert refused(cluster, newcomer, invitation.token_a) == 3000
            cluster.says(NO_POSTGRES)
            traffic.goes_on()
        cluster.heals()
        newcomer.register(invitation.versions_url, invitation.token_a)
        cluster.spreads_changes(guest, emsp)


# --- both


def test_messages_go_on_without_any_store(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    with unharmed(partners) as traffic:
        with cluster.without(cluster.postgres, cluster.redis):
            cluster.says(NO_POSTGRES)
            cluster.says(NO_REDIS)
            assert cluster.hub.operator.api.get("/readyz?without=stores").status_code == 200
            traffic.goes_on()
        cluster.heals()
        cluster.spreads_changes(guest, emsp)
