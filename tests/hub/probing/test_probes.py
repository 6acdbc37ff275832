from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.probing.probes import Probe, is_there, look
from loadtests.simulator import Behaviour, Partner, envelope, misbehaviour
from routing.directory import Platform
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, partner


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def a_cpo(hub: RunningHub) -> Iterator[Partner]:
    with partner(CPO).running() as one:
        hub.registered(one)
        yield one


@pytest.fixture
def cpo(hub: RunningHub, a_cpo: Partner) -> Iterator[Partner]:
    """A registered CPO that the hub has heard nothing of."""
    hub.hub.presence._seen.clear()
    a_cpo.ledger.clear()
    yield a_cpo
    a_cpo.behaves()


def platform_of(hub: RunningHub, one: Partner) -> Platform:
    platform = hub.hub.directory.snapshot.platform_of(one.party)
    assert platform is not None
    return platform


def looked(hub: RunningHub, one: Partner) -> Probe:
    [found] = hub.do(look(platform_of(hub, one), hub.hub))
    return found


def test_a_partner_that_answers_with_success_is_there(hub: RunningHub, cpo: Partner) -> None:
    found = looked(hub, cpo)

    assert is_there([found])
    assert (found.http_status, found.ocpi_status, found.reason, found.refused) == (200, 1000, None, False)
    assert found.seconds > 0
    assert len(cpo.ledger.of("versions", "GET")) == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (misbehaviour.HTML, "something else than an OCPI response"),
        (Behaviour(answer=envelope(status_code=3000)), "status code 3000"),
        (Behaviour(answer=envelope(status_code=1000, http_status=503)), "HTTP 503"),
        (misbehaviour.REDIRECTING, "HTTP 302"),
        (misbehaviour.UNAUTHORIZED, "HTTP 401"),
    ],
)
def test_an_answer_without_success_is_a_sign_of_life_and_no_more(
    hub: RunningHub, cpo: Partner, behaviour: Behaviour, reason: str
) -> None:
    cpo.behaves(behaviour)

    found = looked(hub, cpo)

    assert not is_there([found])
    assert found.reason is not None
    assert reason in found.reason
    assert found.refused is (behaviour is misbehaviour.UNAUTHORIZED)
    assert hub.hub.presence._seen == {found.connection_id}


@pytest.mark.parametrize(
    "behaviour", [misbehaviour.RESETTING, misbehaviour.GARBAGE, misbehaviour.CUT_SHORT, misbehaviour.HUGE]
)
def test_what_is_no_complete_answer_is_no_sign_of_life(hub: RunningHub, cpo: Partner, behaviour: Behaviour) -> None:
    cpo.behaves(behaviour)

    found = looked(hub, cpo)

    assert not is_there([found])
    assert found.http_status is None
    assert found.reason
    assert not hub.hub.presence._seen


def test_a_partner_whose_port_is_closed_is_not_there(hub: RunningHub, cpo: Partner) -> None:
    with cpo.port_closed():
        found = looked(hub, cpo)

    assert not is_there([found])
    assert not hub.hub.presence._seen
