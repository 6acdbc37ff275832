from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner
from loadtests.simulator.messages import Received
from loadtests.simulator.stations import cards
from routing.vocabulary import InterfaceRole, Version
from tests.partners import CPO, EMSP, new_party, partner, registered

SOON_S = 0.3
A_WHILE_S = 2.0
COMMAND = "START_SESSION"


@contextmanager
def older_emsp(hub: HubProcess, **settings: Any) -> Iterator[Partner]:  # noqa: ANN401 - any setting
    """An eMSP of 2.1.1 that says for whom its commands are."""
    party = new_party("DE")
    one = Partner(f"2.1.1 {party}", {party: EMSP}, version=Version.V2_1_1, routing_headers_211=True)
    with one.running():
        hub.operator.change(hub.operator.registered(one), routing_headers_211=True, **settings)
        one.received.clear()
        yield one


@pytest.fixture
def emsp(hub: HubProcess) -> Iterator[Partner]:
    """An eMSP that wants to be told of results that do not come."""
    with older_emsp(hub, synth_command_timeout=True) as one:
        yield one


@pytest.fixture
def cpo(hub: HubProcess) -> Iterator[Partner]:
    """One of 2.2.1 that posts no results by itself."""
    with registered(hub, partner(CPO)) as [one]:
        one.command_result = None
        yield one


def commanded(emsp: Partner, cpo: Partner, name: str, timeout_s: float = SOON_S, result: str = "ACCEPTED") -> str:
    """Have the CPO do something; returns where it may post the result."""
    cpo.interfaces.command_response = {"result": result, "timeout": timeout_s}
    card = cards(emsp.party, Version.V2_1_1, count=1)[0]
    body = {"response_url": result_url(emsp, name), "token": card, "location_id": "LOC1"}
    answer = emsp.post("commands", COMMAND, to=cpo.party, json=body)
    assert answer.data == {"result": result}
    response_url: str = cpo.received.of("commands")[-1].json()["response_url"]
    return response_url


def result_url(emsp: Partner, name: str) -> str:
    return emsp.url("commands", InterfaceRole.SENDER, COMMAND, name)


def told(emsp: Partner, name: str) -> list[Json]:
    """What arrived as the result of this command so far."""
    return [each.json() for each in emsp.received.of("commands") if each.place.path[-1] == name]


def is_told(name: str) -> Any:  # noqa: ANN401 - what a ledger waits for
    def fits(request: Received) -> bool:
        return request.module == "commands" and request.place.path[-1] == name

    return fits


def post_result(cpo: Partner, response_url: str, emsp: Partner) -> Answer:
    return cpo.post(response_url, to=emsp.party, json={"result": "ACCEPTED"})


def test_an_emsp_is_told_when_a_result_does_not_come_and_gets_it_when_it_does_after_all(
    emsp: Partner, cpo: Partner
) -> None:
    response_url = commanded(emsp, cpo, "late")

    [arrived] = emsp.received.wait_for(is_told("late"))
    assert arrived.json() == {"result": "TIMEOUT"}
    assert arrived.method == "POST"
    assert emsp.base + arrived.raw_path == result_url(emsp, "late")

    assert post_result(cpo, response_url, emsp).status_code == 1000
    assert told(emsp, "late") == [{"result": "TIMEOUT"}, {"result": "ACCEPTED"}]


def test_an_emsp_with_a_result_is_told_nothing_else(emsp: Partner, cpo: Partner) -> None:
    response_url = commanded(emsp, cpo, "done", timeout_s=A_WHILE_S)
    assert post_result(cpo, response_url, emsp).status_code == 1000
    commanded(emsp, cpo, "refused", result="REJECTED")
    commanded(emsp, cpo, "without-a-time", timeout_s=0)

    commanded(emsp, cpo, "later-than-all", timeout_s=A_WHILE_S)
    emsp.received.wait_for(is_told("later-than-all"))

    assert told(emsp, "done") == [{"result": "ACCEPTED"}]
    assert told(emsp, "refused") == told(emsp, "without-a-time") == []


def test_an_emsp_is_told_nothing_that_does_not_want_to_be(hub: HubProcess, emsp: Partner, cpo: Partner) -> None:
    with older_emsp(hub) as silent, older_emsp(hub, synth_command_timeout=True) as changed:
        commanded(silent, cpo, "never-told")
        commanded(changed, cpo, "wanted-no-more", timeout_s=A_WHILE_S)
        [platform] = [each for each in hub.operator.platforms() if each["name"] == changed.name]
        hub.operator.change(platform["id"], synth_command_timeout=False)

        commanded(emsp, cpo, "later-than-all", timeout_s=A_WHILE_S)
        emsp.received.wait_for(is_told("later-than-all"))

        assert told(silent, "never-told") == told(changed, "wanted-no-more") == []


def test_an_emsp_that_does_not_answer_keeps_nobody_else_from_being_told(
    hub: HubProcess, emsp: Partner, cpo: Partner
) -> None:
    with older_emsp(hub, synth_command_timeout=True) as away:
        commanded(away, cpo, "nobody-there")
        with away.port_closed():
            commanded(emsp, cpo, "somebody-there", timeout_s=2 * SOON_S)

            emsp.received.wait_for(is_told("somebody-there"))


def test_many_are_told_each_once(emsp: Partner, cpo: Partner) -> None:
    names = [f"number-{number}" for number in range(20)]
    for name in names:
        commanded(emsp, cpo, name)

    emsp.received.wait_for("commands", count=len(names))

    commanded(emsp, cpo, "the-last")
    emsp.received.wait_for(is_told("the-last"))
    assert [told(emsp, name) for name in names] == [[{"result": "TIMEOUT"}]] * len(names)


def test_what_is_due_while_the_hub_is_away_is_told_when_it_is_back(hub_on_each_store: HubProcess) -> None:
    hub = hub_on_each_store
    with older_emsp(hub, synth_command_timeout=True) as emsp, registered(hub, partner(CPO)) as [cpo]:
        cpo.command_result = None
        commanded(emsp, cpo, "due-soon", timeout_s=1)

        hub.stop()
        hub.start()

        [arrived] = emsp.received.wait_for(is_told("due-soon"))
        assert arrived.json() == {"result": "TIMEOUT"}


def test_a_long_time_is_counted_from_the_answer_in_the_version_of_the_cpo(hub: HubProcess, cpo: Partner) -> None:
    """The 2.1.1 eMSP does not see it, and the URL has to live as long all the same."""
    with older_emsp(hub) as emsp:
        response_url = commanded(emsp, cpo, "tomorrow", timeout_s=24 * 3600)

        assert post_result(cpo, response_url, emsp).status_code == 1000
