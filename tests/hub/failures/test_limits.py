"""Limits are those of the hub, however many workers it has; without Redis they are those of each worker."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import redis

from loadtests.simulator import Answer, Partner
from tests.hub.failures.cluster import WORKERS, Cluster
from tests.hub.failures.lines import Line
from tests.hub.failures.waiting import eventually
from tests.partners import CPO, EMSP, partner

PER_SECOND, BURST = 30, 30
SECONDS = 3.0
BAD_TOKENS = 50
FAILURES_ALLOWED = 10
MESSAGES = "ocpi-hub:*:buckets:*:messages:*"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster"), rate_limit=f"{PER_SECOND}/s burst {BURST}") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def partners(cluster: Cluster) -> Iterator[Sequence[Partner]]:
    """One who receives, and two who send."""
    with cluster.registered(partner(CPO), partner(EMSP), partner(EMSP)) as partners:
        yield partners


def pushing(line: Line, sender: Partner, receiver: Partner, until: float, pause_s: float = 0.0) -> list[Answer]:
    """Everything that comes back on this line until then."""
    answers = []
    while time.monotonic() < until:
        answers.append(line.push_token(sender, receiver.party))
        time.sleep(pause_s)
    return answers


def passed(answers: Sequence[Answer]) -> int:
    assert {each.http_status for each in answers} <= {200, 429}
    return sum(each.http_status == 200 for each in answers)


def tells(cluster: Cluster, line: Line, sender: Partner, receiver: Partner) -> bool:
    """Whether this worker shares with others what it gives out."""
    with redis.Redis.from_url(cluster.redis.url) as client:
        for key in client.scan_iter(MESSAGES):
            client.delete(key)
        line.push_token(sender, receiver.party)
        time.sleep(0.05)  # it tells nobody when it has told
        return any(client.scan_iter(MESSAGES))


def test_all_workers_together_let_through_one_allowance(cluster: Cluster, partners: Sequence[Partner]) -> None:
    receiver, greedy, modest = partners
    with cluster.lines() as lines, cluster.lines() as others, ThreadPoolExecutor() as threads:
        began = time.monotonic()
        until = began + SECONDS
        flows = [threads.submit(pushing, line, greedy, receiver, until) for line in lines]
        calm = [threads.submit(pushing, line, modest, receiver, until, 0.2) for line in others]
        answers = [flow.result() for flow in flows]
        undisturbed = [answer for flow in calm for answer in flow.result()]
        allowance = BURST + PER_SECOND * (time.monotonic() - began)

    assert 0.8 * allowance < sum(map(passed, answers)) < 1.1 * allowance
    assert all(passed(each) > 0 for each in answers)
    assert passed(undisturbed) == len(undisturbed)
    refused = next(each for each in answers[0] if each.http_status == 429)
    assert refused.status_code == 2000
    assert dict(refused.headers)["retry-after"] == "1"


def test_without_redis_traffic_goes_on_within_the_limits_of_each_worker(
    cluster: Cluster, partners: Sequence[Partner]
) -> None:
    receiver, greedy, _ = partners
    with cluster.lines() as lines, ThreadPoolExecutor() as threads:
        began = time.monotonic()
        flows = [threads.submit(pushing, line, greedy, receiver, began + SECONDS) for line in lines]
        time.sleep(SECONDS / 4)
        with cluster.without(cluster.redis):
            answers = [flow.result() for flow in flows]
            allowance = BURST + PER_SECOND * (time.monotonic() - began)
        assert 0.8 * allowance < sum(map(passed, answers)) < 1.1 * WORKERS * allowance
        cluster.heals()
        for line in lines:
            eventually(lambda line=line: tells(cluster, line, greedy, receiver))  # type: ignore[misc]  # mypy cannot type a lambda's default


def test_wrong_tokens_of_one_address_count_at_all_workers_together(cluster: Cluster) -> None:
    source, url = "127.2.3.4", f"{cluster.hub.url}/ocpi/versions"
    with ExitStack() as stack:
        lines = [stack.enter_context(cluster.line_to(worker, source)) for worker in cluster.workers]
        guesses = zip(range(BAD_TOKENS), itertools.cycle(lines), strict=False)
        answers = [line.ask("GET", url, (("authorization", f"Token guess{number}"),)) for number, line in guesses]

    statuses = [each.http_status for each in answers]
    assert set(statuses) == {401, 429}
    assert FAILURES_ALLOWED <= statuses.count(401) <= FAILURES_ALLOWED + 2 * WORKERS
    assert statuses[-1] == 429
    assert 0 < int(dict(answers[-1].headers)["retry-after"]) <= 60
