from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtests.simulator import Answer, Json, Partner, envelope
from routing.vocabulary import Party
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, partner


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
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


def cdr(owner: Party) -> Json:
    return {"country_code": owner.country_code, "party_id": owner.party_id, "id": "CDR1"}


@pytest.mark.parametrize("target", ["http://[x", "//[", "https://example.com/" + "x" * 2048])
def test_a_cdr_is_accepted_although_its_location_cannot_be_kept(cpo: Partner, emsp: Partner, target: str) -> None:
    """An error would make the CPO send it once more, and somebody pay twice."""
    plain = envelope(http_status=201)
    emsp.answers_next(Answer(201, (*plain.headers, ("location", target)), plain.body), module="cdrs")

    answer = cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party))

    assert (answer.http_status, answer.status_code) == (201, 1000)
    assert answer.header("location") is None


@pytest.mark.parametrize("target", ["/ /x", "\u00ff", "javascript:alert(1)", "http://host:port/"])
def test_an_odd_location_is_given_out_and_never_called(cpo: Partner, emsp: Partner, target: str) -> None:
    plain = envelope(http_status=201)
    emsp.answers_next(Answer(201, (*plain.headers, ("location", target)), plain.body), module="cdrs")
    answer = cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party))
    assert (answer.http_status, answer.status_code) == (201, 1000)
    given_out = answer.header("location")
    assert given_out is not None
    emsp.received.clear()

    again = cpo.get(given_out)

    assert (again.http_status, again.status_code) == (200, 4000)
    assert not emsp.received
