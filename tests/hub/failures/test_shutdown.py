"""A hub is told to end, or to drain, in the middle of traffic: what is in flight finishes, new messages are refused."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Partner
from tests.conftest import StoreUrls
from tests.hub.failures.cluster import Cluster, frozen
from tests.hub.failures.traffic import Sending, Traffic
from tests.hub.failures.waiting import eventually
from tests.partners import CPO, EMSP, partner, path_of, registered, token

SLOW_MESSAGES = 4
AT_ONCE = 10
ENDS_WITHIN_S = 25
"""With nothing in flight. Many who run a process kill it after thirty seconds."""


@pytest.fixture(params=["one process", "two workers"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HubProcess]:
    settings: dict[str, str | None] = {"rate_limit": "off"}
    if request.param == "two workers with notice":
        settings["drain_notice_s"] = "60"
    if request.param != "one process":
        cluster: Cluster = request.getfixturevalue("cluster")
        database_url = asyncio.run(cluster.postgres.create_database())
        settings |= {**StoreUrls(database_url, cluster.redis.url)._asdict(), "workers": "2"}
    with HubProcess(tmp_path, settings) as process:
        yield process


@contextmanager
def slow_messages(sender: Partner, receiver: Partner) -> Iterator[None]:
    """Messages that are with their receiver, which answers when the block is over. They end well."""
    cards = [token(sender.party, f"SLOW{number}") for number in range(SLOW_MESSAGES)]
    with receiver.pausing(module="tokens", times=SLOW_MESSAGES):
        messages = [
            sender.start("PUT", "tokens", path_of(sender.party, card["uid"]), to=receiver.party, json=card)
            for card in cards
        ]
        receiver.received.wait_for("tokens", count=SLOW_MESSAGES)
        yield
        assert not any(message.done() for message in messages)
    assert [message.result(10).status_code for message in messages] == [1000] * SLOW_MESSAGES


def refused(sending: Sending) -> bool:
    """Whether the hub did not take the message, and said so properly or could not be asked."""
    if isinstance(sending.outcome, httpx.TransportError):
        return True
    answer = sending.outcome
    return answer.http_status == 503 and answer.header("retry-after") is not None and answer.status_code == 3000


def test_a_hub_that_is_told_to_end_finishes_what_it_has_begun(hub: HubProcess) -> None:
    with (
        registered(hub, *map(partner, [CPO, EMSP] * 2)) as partners,
        registered(hub, partner(CPO)) as [receiver],
        Traffic(partners) as traffic,
    ):
        traffic.goes_on()
        with slow_messages(partners[1], receiver):
            os.kill(hub.pid, signal.SIGTERM)
            eventually(lambda: traffic.failures)
        assert hub.stop() == 0
    harmed = [each for each in traffic.failures if not refused(each)]
    assert not harmed, list(map(str, harmed))
    assert any(isinstance(each.outcome, Answer) for each in traffic.failures)
    traffic.check_arrivals()
    arrived = {request.place.path[-1] for each in partners for request in each.received}
    assert not arrived & {each.id for each in traffic.failures}


@pytest.mark.parametrize("hub", ["two workers with notice"], indirect=True)
def test_nobody_who_looks_whether_the_hub_is_ready_loses_a_message_when_it_ends(hub: HubProcess) -> None:
    with registered(hub, *map(partner, [CPO, EMSP] * 2)) as partners, Traffic(partners) as traffic:
        traffic.goes_on()
        known = time.monotonic()  # to all workers, who need a moment to hear of those who registered
        os.kill(hub.pid, signal.SIGTERM)
        eventually(lambda: hub.operator.api.get("/readyz").status_code == 503)
        traffic.goes_on()
        traffic.stop()
        assert hub.stop() == 0
    lost = [each for each in traffic.failures if each.began > known]
    assert not lost, list(map(str, lost))
    traffic.check_arrivals()


def test_a_hub_that_drains_finishes_what_it_has_begun_and_stays(hub: HubProcess) -> None:
    with (
        registered(hub, *map(partner, [CPO, EMSP] * 2)) as partners,
        registered(hub, partner(CPO)) as [receiver],
        Traffic(partners) as traffic,
    ):
        traffic.goes_on()
        operator = hub.operator.api
        with slow_messages(partners[1], receiver):
            assert operator.post("/api/v1/drain").status_code == 202
            readiness = operator.get("/readyz")
            assert (readiness.status_code, readiness.json()["reasons"]) == (503, ["the hub is draining"])
            eventually(lambda: len(traffic.failures) >= len(traffic.ways))
        traffic.stop()
        assert operator.get("/healthz").status_code == 200
    harmed = [each for each in traffic.failures if not refused(each) or not isinstance(each.outcome, Answer)]
    assert not harmed, list(map(str, harmed))
    traffic.check_arrivals()


def test_a_hub_ends_in_time_although_no_store_answers(cluster: Cluster, cpo: Partner, emsp: Partner) -> None:
    """It has signs of life to note, and many connections to say goodbye on."""
    hub, card = cluster.hub, token(emsp.party)
    assert emsp.put("tokens", path_of(emsp.party, card["uid"]), to=cpo.party, json=card).status_code == 1000
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda _: hub.operator.ask("GET", "/api/v1/platforms"), range(3 * AT_ONCE)))
    try:
        with frozen(cluster.postgres), frozen(cluster.redis):
            began = time.monotonic()
            assert hub.stop() == 0
            assert time.monotonic() - began < ENDS_WITHIN_S
    finally:
        hub.start()
