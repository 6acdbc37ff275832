"""The reference of an eMSP comes back with the Session and the CDR. OCPI 2.2.1, "Sessions" and "CDRs"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from routing.translation.authorization_references import refer_to_authorization
from routing.translation.crossing import Json
from routing.translation.questions import AuthorizationReference, Question
from routing.vocabulary import Version
from tests.routing.translation.crossings import CPO, EMSP, crossing

TOKEN = {"country_code": "DE", "party_id": "MSP", "uid": "04A1", "type": "RFID", "contract_id": "C1"}
START = "2024-05-01T10:00:00Z"
GIVEN = AuthorizationReference(CPO, EMSP, "04A1", "RFID", "S1", START, "L1")


def referred(body: Json, known: Mapping[Question[Any], Any] | None = None) -> tuple[Json, list[object]]:
    over = crossing(Version.V2_1_1, Version.V2_2_1, known=known)
    body = {"start_date_time": START, "cdr_token": TOKEN, **body}
    refer_to_authorization(body, "S1", "L1", over)
    return {name: value for name, value in body.items() if name == "authorization_reference"}, list(over.asked)


def test_the_reference_that_was_given_is_repeated() -> None:
    assert referred({}, {GIVEN: "ref-1"}) == ({"authorization_reference": "ref-1"}, [])


def test_the_reference_is_absent_when_nobody_knows_one() -> None:
    assert referred({}) == ({}, [GIVEN])


def test_a_sender_that_gives_the_reference_itself_is_believed() -> None:
    given = {"authorization_reference": "ref-2"}

    assert referred(given) == (given, [])


@pytest.mark.parametrize("reference", [7, "x" * 37])
def test_a_reference_that_cannot_be_one_is_left_out(reference: object) -> None:
    assert referred({"authorization_reference": reference}) == ({}, [])


@pytest.mark.parametrize("body", [{"start_date_time": None}, {"cdr_token": {**TOKEN, "uid": "#NA"}}])
def test_nobody_is_asked_about_a_token_or_a_start_that_is_unknown(body: Json) -> None:
    assert referred(body) == ({}, [])
