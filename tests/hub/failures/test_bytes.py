"""Numbers that every JSON library writes differently from how they came arrive as they were sent."""

from __future__ import annotations

import pytest

from loadtests.simulator import Answer, Partner, envelope
from loadtests.simulator.messages import now
from tests.partners import path_of

NUMBERS = ["0.10", "41.120", "12345678901234567890123", "1e400", "-0", "1E+2", "0.1000000000000000055511151231257827"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_is_pushed_arrives_as_it_was_sent(cpo: Partner, emsp: Partner, number: str) -> None:
    owner = cpo.party
    body = (
        f'{{ "country_code":"{owner.country_code}","party_id":"{owner.party_id}", "id":"S1",\n'
        f'\t"kwh": {number} , "unknown":[{number}],"last_updated":"2026-11-22T08:00:00Z"}}'
    ).encode()
    answer_next = b'{"data":{"kwh":%s},"status_code":1000,"timestamp":"%s"}' % (number.encode(), now().encode())
    emsp.answers_next(Answer(200, (("content-type", "application/json"),), answer_next))

    answer = cpo.put("sessions", path_of(owner, "S1"), to=emsp.party, body=body)

    [request] = emsp.received.of("sessions")
    assert request.body == body
    assert answer.body == answer_next


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_is_read_arrives_as_it_was_answered(cpo: Partner, emsp: Partner, number: str) -> None:
    page = b'{"data": [ {"id":"S1","kwh":%s} ],\r\n"status_code":1000, "timestamp":"%s"}' % (
        number.encode(),
        now().encode(),
    )
    cpo.answers_next(Answer(200, (("content-type", "application/json"),), page))

    assert emsp.get("sessions", to=cpo.party).body == page


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_in_a_command_arrives_as_it_was_sent(cpo: Partner, emsp: Partner, number: str) -> None:
    """The hub puts its own response_url into the body, and touches nothing else."""
    body = f'{{"response_url":"{emsp.base}/r/1","location_id":"LOC1","limit":{number},"more":[{number}]}}'.encode()

    cpo.answers_next(envelope({"result": "ACCEPTED", "timeout": 30}), module="commands")

    answer = emsp.post("commands", "START_SESSION", to=cpo.party, body=body)

    assert answer.status_code == 1000
    [request] = cpo.received.of("commands")
    before, after = body.split(f"{emsp.base}/r/1".encode())
    assert request.body.startswith(before)
    assert request.body.endswith(after)
