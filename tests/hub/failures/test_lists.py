"""A list of everybody's is read to its end whatever happens to the processes of the hub meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from loadtests.simulator import Answer, Partner
from loadtests.simulator.client import interface_for
from loadtests.simulator.messages import routing_headers
from routing.vocabulary import Party
from tests.hub.failures.cluster import Cluster
from tests.hub.failures.lines import Line
from tests.hub.failures.waiting import eventually
from tests.hub.scenarios.translated import new_id
from tests.partners import location

HUB = Party("EU", "HUB")


@pytest.fixture
def held(partners: Sequence[Partner]) -> list[str]:
    """Ids of the Locations of all CPOs, in their order."""
    found = []
    for owner in sorted(partners[::2], key=lambda each: each.party):
        owner.shelf.own.clear()
        places = [location(owner.party, new_id("L")) for _ in range(3)]
        owner.hold("locations", *places)
        found += [place["id"] for place in places]
    return found


def first_page(emsp: Partner, line: Line) -> Answer:
    where = emsp.connection.url("locations", interface_for("GET", "locations", emsp.identity.modules()))
    return page(emsp, line, f"{where}?limit=2&mark={new_id()}")


def page(emsp: Partner, line: Line, url: str | None) -> Answer:
    headers = (("authorization", emsp.authorization), *routing_headers(HUB, emsp.party))
    answer = line.ask("GET", url or "", headers)
    assert (answer.http_status, answer.status_code) == (200, 1000), answer.body
    return answer


@pytest.fixture
def shared(cluster: Cluster, emsp: Partner, held: list[str]) -> list[str]:
    """`held`, as soon as the workers share where readers are: other tests have hurt their Redis a moment ago."""

    def is_so() -> bool:
        with cluster.lines() as [one, other]:
            begun = [first_page(emsp, each).next_url for each in (one, other)]
            elsewhere = [page(emsp, each, url) for each, url in zip((other, one), begun, strict=True)]
        return all(b"anew" not in answer.body for answer in elsewhere)

    eventually(is_so)
    return held


def ids(pages: Sequence[Answer]) -> list[str]:
    return [each["id"] for answer in pages for each in answer.data]


def test_a_crawl_that_begins_at_one_worker_goes_on_at_the_other(
    cluster: Cluster, emsp: Partner, shared: list[str]
) -> None:
    with cluster.lines() as [one, other]:
        pages = [first_page(emsp, one)]
        while pages[-1].next_url:
            pages.append(page(emsp, (other, one)[len(pages) % 2 == 0], pages[-1].next_url))

    assert ids(pages) == shared
    assert {answer.header("x-total-count") for answer in pages} == {str(len(shared))}
    assert b"anew" not in b"".join(answer.body for answer in pages)


def test_a_crawl_goes_on_while_redis_is_away(cluster: Cluster, emsp: Partner, held: list[str]) -> None:
    with cluster.lines() as [one, other]:
        first = first_page(emsp, one)
        with cluster.without(cluster.redis):
            second = page(emsp, one, first.next_url)
            elsewhere = page(emsp, other, first.next_url)
            third = page(emsp, one, second.next_url)

    assert ids([first, second, third]) == held[:6]
    assert ids([elsewhere]) == held[2:4]
    assert "anew" in msgspec.json.decode(elsewhere.body)["status_message"]
    cluster.heals()


def test_a_crawl_goes_on_after_a_restart_of_the_hub(cluster: Cluster, emsp: Partner, shared: list[str]) -> None:
    with cluster.lines() as [one, _]:
        pages = [first_page(emsp, one)]

    cluster.hub.stop()
    cluster.hub.start()
    cluster.heals()
    with cluster.lines() as [_, one]:
        while pages[-1].next_url:
            pages.append(page(emsp, one, pages[-1].next_url))

    assert ids(pages) == shared
    assert b"anew" not in b"".join(answer.body for answer in pages)
