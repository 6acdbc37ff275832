"""What became of each member, told from the two objects and the losses."""

from __future__ import annotations

from typing import Any

import pytest

from routing.translation import numbers
from routing.translation.crossing import Crossing, Loss
from routing.translation.differences import Action, Differences, differences, told
from routing.translation.kinds import Kind
from routing.translation.steps import translate
from routing.vocabulary import Version

from .cases import Case, read_cases
from .crossings import EMSP, crossing

OBJECTS = [case for case in read_cases() if case.refusal is None and case.mode in ("full", "patch") and case.kind]


def of(text: str, kind: Kind, over: Crossing) -> Differences:
    before = numbers.read(text)
    return differences(before, translate(before, kind, over), over.losses, kind)


def lines(found: Differences) -> list[tuple[Any, ...]]:
    return [(each.action, each.rule, each.loss, each.from_path, each.to_path) for each in found.lines]


def down(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_2_1, Version.V2_1_1, **more)


def test_each_change_of_a_command_has_its_rule() -> None:
    found = of(
        """{"response_url": "https://emsp.example/1", "location_id": "LOC1", "evse_uid": "E1", "connector_id": "1",
            "authorization_reference": "ar", "token": {"country_code": "DE", "party_id": "MSP", "uid": "U1",
            "type": "AD_HOC_USER", "contract_id": "C12", "issuer": "X", "valid": true, "whitelist": "ALWAYS",
            "last_updated": "2026-01-01T00:00:00Z"}}""",
        Kind.START_SESSION,
        down(owner=EMSP),
    )

    assert lines(found) == [
        (Action.REPLACED, "L-70", "L-70", "/token/type", "/token/type"),
        (Action.RENAMED, "StartSession.token.contract_id", None, "/token/contract_id", "/token/auth_id"),
        (Action.DROPPED, "L-81", "L-81", "/connector_id", None),
        (Action.DROPPED, "L-33", "L-33", "/authorization_reference", None),
        (Action.DROPPED, "L-06", "L-06", "/token/country_code", None),
        (Action.DROPPED, "L-06", "L-06", "/token/party_id", None),
    ]
    assert found.unchanged == 8


@pytest.mark.parametrize("case", OBJECTS, ids=lambda case: case.name)
def test_the_losses_of_every_example_are_those_its_translation_told(case: Case) -> None:
    over = case.crossing()
    assert case.kind is not None
    before = case.before
    after = translate(before, case.kind, over)

    found = differences(before, after, over.losses, case.kind)

    assert {line.loss for line in found.lines} - {None} == {loss.id for loss in over.losses}
    assert len(set(map(repr, found.lines))) == len(found.lines)


def test_a_shared_value_is_found_by_its_place_and_a_moved_one_by_its_name() -> None:
    found = of(
        """{"id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_1_PHASE", "voltage": 230,
            "amperage": 16, "last_updated": "2026-01-01T00:00:00Z"}""",
        Kind.CONNECTOR,
        crossing(Version.V2_1_1, Version.V2_2_1),
    )

    assert lines(found) == [
        (Action.RENAMED, "Connector.voltage", None, "/voltage", "/max_voltage"),
        (Action.RENAMED, "Connector.amperage", None, "/amperage", "/max_amperage"),
    ]
    assert found.unchanged == 5


def test_what_becomes_an_object_of_its_own_is_one_line() -> None:
    before = {"id": "C1", "old": {"a": 1, "b": [1, 2]}}
    after = {"id": before["id"], "new": {"c": 5, "d": {"e": None}}}

    assert lines(differences(before, after, [], "CDR")) == [
        (Action.ADDED, "CDR.new", None, None, "/new"),
        (Action.DROPPED, "CDR.old", None, "/old", None),
    ]


def test_what_was_never_there_is_missing_and_not_dropped() -> None:
    lines, _ = differences({"id": "CDR1"}, {"id": "CDR1"}, [Loss("L-50", "/session_id")], "CDR")
    assert [(line.action, line.loss, line.from_path, line.to_path) for line in lines] == [
        (Action.MISSING, "L-50", None, "/session_id")
    ]


def test_an_element_that_moves_up_in_a_list_is_unchanged() -> None:
    before = {"facilities": ["HOTEL", "BIKE_SHARING", "MALL"]}
    values = before["facilities"]
    found = differences(before, {"facilities": [values[0], values[2]]}, [Loss("L-16", "/facilities/1")], "Location")

    assert lines(found) == [(Action.DROPPED, "L-16", "L-16", "/facilities/1", None)]
    assert found.unchanged == 2


def test_a_number_with_other_digits_is_another_one() -> None:
    found = differences(numbers.read('{"kwh": 4.00}'), numbers.read('{"kwh": 4.0}'), [], "Session")

    assert lines(found) == [(Action.REPLACED, "Session.kwh", None, "/kwh", "/kwh")]


def test_losses_alone_are_lines_with_paths_and_without_values() -> None:
    found = told(
        [Loss("L-81", "/connector_id"), Loss("L-83", "/timeout"), Loss("L-81", "/connector_id")], "StartSession"
    )

    assert [(each.action, each.loss, each.from_path, each.to_path) for each in found] == [
        (Action.DROPPED, "L-81", "/connector_id", None),
        (Action.ADDED, "L-83", "/timeout", None),
    ]
