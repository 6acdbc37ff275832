from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.simulator import Answer, Partner, envelope
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, partner


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with RunningHub(tmp_path) as running:
        yield running


@pytest.fixture
def cpo(hub: RunningHub) -> Iterator[Partner]:
    with partner(CPO).running() as one:
        hub.registered(one)
        yield one


@pytest.fixture
def emsp(hub: RunningHub) -> Iterator[Partner]:
    with partner(EMSP).running() as one:
        hub.registered(one)
        yield one


def page(link: str) -> Answer:
    plain = envelope([])
    return Answer(200, (*plain.headers, ("link", link)), plain.body)


@pytest.mark.parametrize("target", ["http://[x", "//[", "http://[::1", "http://host:port/"])
def test_a_link_that_is_no_url_is_4000(cpo: Partner, emsp: Partner, target: str) -> None:
    cpo.answers_next(page(f'<{target}>; rel="next"'), module="locations")

    answer = emsp.get("locations", to=cpo.party)

    assert (answer.http_status, answer.status_code) == (200, 4000)
    assert answer.sender is not None


def test_a_page_is_not_asked_for_at_a_host_that_the_partner_has_left(
    hub: RunningHub, cpo: Partner, emsp: Partner
) -> None:
    cpo.answers_next(page(f'<{cpo.base}/somewhere/else?cursor=2>; rel="next"'), module="locations")
    next_url = emsp.get("locations", to=cpo.party).next_url
    assert next_url is not None
    assert "hub_next" in next_url

    before = cpo.base
    with Partner("moved", cpo.parties).running() as moved:
        moved.registration.connection = cpo.connection
        moved.update()
        assert moved.base != before
        cpo.received.clear()
        answer = emsp.get(next_url, to=cpo.party)

    assert answer.status_code == 4000
    assert not cpo.received
    assert hub.hub.directory.snapshot.entry(cpo.party) is not None
