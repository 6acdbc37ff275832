"""Everybody is told of everything once, although the process that tells them is killed in the middle of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from loadtests.crowd import Arrival, Crowd
from loadtests.hub_process import HubProcess
from routing.vocabulary import ModuleID, Party
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.partners import CPO, new_party
from tests.servers import PostgresServer, RedisServer

SIZE = 50
CHANGES = 12
SUCCESSION_WITHIN_S = 15.0
PER_RECEIVER = 4
"""PUTs that may have been under way at one receiver."""


@pytest.fixture
def replicas(
    postgres_server: PostgresServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[HubProcess, HubProcess]]:
    """Two processes of one hub; the first leads."""
    url = asyncio.run(postgres_server.create_database())
    shared = {"database_url": url, "redis_url": redis_server.url, "secret_key": "secret-of-both-replicas"}
    settings = {**shared, "rate_limit": "off", "log_level": "debug"}
    with ForkedHub(tmp_path_factory.mktemp("first"), settings) as first:
        eventually(lambda: '"event":"term_begins"' in first.log.read_text())
        settings["public_url"] = first.url
        with ForkedHub(tmp_path_factory.mktemp("second"), settings) as second:
            yield first, second
    asyncio.run(postgres_server.drop_database(url))


@pytest.fixture
def crowd(replicas: tuple[HubProcess, HubProcess]) -> Iterator[Crowd]:
    """Fifty platforms that want to be told, and take a moment to answer."""
    with Crowd(SIZE, country_code="BE", slow_s=0.8, modules=[ModuleID.HUB_CLIENT_INFO]).running() as crowd:
        crowd.register(replicas[0])
        last = new_party("XX")
        replicas[0].operator.invite("last", parties={last: CPO})
        eventually(lambda: sum(told(each)[0] == last for each in list(crowd.arrivals)) == SIZE)
        crowd.slow = range(SIZE)
        crowd.forget()
        yield crowd


def told(arrival: Arrival) -> tuple[Party, str]:
    """Of whom one was told, and what."""
    info = msgspec.json.decode(arrival.body)
    return Party(info["country_code"], info["party_id"]), info["status"]


def test_the_successor_of_a_leader_that_was_killed_goes_on_where_it_was(
    replicas: tuple[HubProcess, HubProcess], crowd: Crowd
) -> None:
    leader, successor = replicas
    parties = [new_party("NL") for _ in range(CHANGES)]
    for party in parties:
        successor.operator.invite(str(party), parties={party: CPO})
    crowd.wait_for(SIZE * CHANGES // 4)
    leader.kill()
    killed_at = time.monotonic()
    under_way = len(crowd.arrivals)

    last = new_party("XX")
    successor.operator.invite("last", parties={last: CPO})
    eventually(
        lambda: sum(told(each)[0] == last for each in list(crowd.arrivals)) == SIZE, within_s=SUCCESSION_WITHIN_S
    )

    assert under_way < SIZE * CHANGES
    times = Counter((each.number, told(each)) for each in crowd.arrivals)
    assert set(times.values()) == {1}
    for number in range(SIZE):
        missed = [party for party in parties if (number, (party, "PLANNED")) not in times]
        assert len(missed) <= PER_RECEIVER
    assert time.monotonic() - killed_at < SUCCESSION_WITHIN_S
