"""Where ids stand in what 2.1.1 partners read and write, and what can stand there instead."""

from __future__ import annotations

import copy
from itertools import islice
from typing import Any

import pytest

from routing.modules import operation_at
from routing.shown_ids import (
    Id,
    IdKind,
    aliases_of,
    has_ids,
    ids_in,
    ids_in_path,
    is_id,
    path_with_ids,
    top_ids,
    with_ids,
)
from routing.translation.kinds import Kind
from routing.vocabulary import Face, InterfaceRole, ModuleID, Party, Version

CPO = Party("NL", "CPO")
LOCATION, TARIFF = Id(IdKind.LOCATION, "LOC1"), Id(IdKind.TARIFF, "11")
SESSION, CDR = Id(IdKind.SESSION, "S1"), Id(IdKind.CDR, "C1")
AUTH_ID = Id(IdKind.AUTH_ID, "DE-MSP-1")
INSTEAD = {each: f"NLCPO-{each.value}" for each in (LOCATION, TARIFF, SESSION, CDR, AUTH_ID)}

CONNECTOR: dict[str, Any] = {"id": "1", "tariff_id": "11", "amperage": 16}
PLACE: dict[str, Any] = {"id": "LOC1", "evses": [{"uid": "E1", "evse_id": "NL*CPO*E1", "connectors": [CONNECTOR, 7]}]}
ALIASED_PLACE = {
    "id": "NLCPO-LOC1",
    "evses": [
        {"uid": "E1", "evse_id": "NL*CPO*E1", "connectors": [{**CONNECTOR, "tariff_id": "NLCPO-11"}, 7]},
    ],
}


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (Kind.LOCATION, PLACE, ALIASED_PLACE),
        (Kind.LOCATION, {"name": "only a part"}, {"name": "only a part"}),
        (Kind.EVSE, PLACE["evses"][0], ALIASED_PLACE["evses"][0]),
        (Kind.CONNECTOR, {**CONNECTOR, "tariff_ids": ["11", "12", None]}, None),
        (Kind.TARIFF, {"id": "11", "currency": "EUR"}, {"id": "NLCPO-11", "currency": "EUR"}),
        (
            Kind.SESSION,
            {"id": "S1", "auth_id": "DE-MSP-1", "location": PLACE},
            {"id": "NLCPO-S1", "auth_id": "DE-MSP-1", "location": ALIASED_PLACE},
        ),
        (
            Kind.CDR,
            {"id": "C1", "location": PLACE, "tariffs": [{"id": "11"}, {"id": "12"}]},
            {"id": "NLCPO-C1", "location": ALIASED_PLACE, "tariffs": [{"id": "NLCPO-11"}, {"id": "12"}]},
        ),
        (
            Kind.LOCATION_REFERENCES,
            {"location_id": "LOC1", "evse_uids": ["E1"]},
            {"location_id": "NLCPO-LOC1", "evse_uids": ["E1"]},
        ),
        (
            Kind.AUTHORIZATION_INFO,
            {"allowed": "ALLOWED", "location": {"location_id": "LOC1"}},
            {"allowed": "ALLOWED", "location": {"location_id": "NLCPO-LOC1"}},
        ),
        (Kind.START_SESSION, {"location_id": "LOC1", "token": {"auth_id": "DE-MSP-1"}}, None),
        (Kind.STOP_SESSION, {"session_id": "S1"}, {"session_id": "NLCPO-S1"}),
        (Kind.UNLOCK_CONNECTOR, {"location_id": "LOC1", "connector_id": "1"}, None),
    ],
)
def test_an_emsp_has_other_ids_for_what_is_of_cpos(
    kind: Kind, body: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    before = copy.deepcopy(body)

    changed = with_ids(body, kind, Face.CPO, INSTEAD)

    assert body == before
    if expected is not None:
        assert changed == expected
    back = {Id(each.kind, shown): each.value for each, shown in INSTEAD.items()}
    assert with_ids(changed, kind, Face.CPO, back) == before
    assert any(each in INSTEAD for each in ids_in(body, kind, Face.CPO)) is (changed is not body)


@pytest.mark.parametrize("kind", [Kind.TOKEN, Kind.SESSION, Kind.CDR])
def test_a_cpo_has_other_ids_for_the_contracts_of_emsps_only(kind: Kind) -> None:
    body = {"id": "S1", "uid": "04A1", "auth_id": "DE-MSP-1", "location": PLACE}

    assert with_ids(body, kind, Face.EMSP, INSTEAD) == {**body, "auth_id": "NLCPO-DE-MSP-1"}


@pytest.mark.parametrize("kind", [Kind.START_SESSION, Kind.RESERVE_NOW])
def test_the_token_of_a_command_to_a_cpo_has_another_contract_id(kind: Kind) -> None:
    body = {"location_id": "LOC1", "token": {"uid": "04A1", "auth_id": "DE-MSP-1"}}

    assert with_ids(body, kind, Face.EMSP, INSTEAD) == {
        "location_id": "LOC1",
        "token": {"uid": "04A1", "auth_id": "NLCPO-DE-MSP-1"},
    }


@pytest.mark.parametrize("kind", [Kind.LOCATION, Kind.TARIFF, Kind.STOP_SESSION, Kind.AUTHORIZATION_INFO])
def test_what_is_a_cpos_own_keeps_its_ids_there(kind: Kind) -> None:
    assert not has_ids(kind, Face.EMSP)
    assert list(ids_in(PLACE, kind, Face.EMSP)) == []
    assert with_ids(PLACE, kind, Face.EMSP, INSTEAD) is PLACE


def test_what_has_no_id_that_is_another_is_the_very_same() -> None:
    assert with_ids(PLACE, Kind.LOCATION, Face.CPO, {Id(IdKind.LOCATION, "another"): "x"}) is PLACE


@pytest.mark.parametrize("value", [None, 7, "", "#NA", "x" * 81, "a\nb", ["LOC1"], {"id": "LOC1"}])
def test_what_is_no_id_stays_what_it_is(value: object) -> None:
    body = {"id": value, "evses": value}

    assert not is_id(value)
    assert list(ids_in(body, Kind.LOCATION, Face.CPO)) == []
    assert with_ids(body, Kind.LOCATION, Face.CPO, INSTEAD) == body


def test_members_of_the_object_itself_are_those_a_command_is_found_by() -> None:
    assert top_ids(Kind.START_SESSION, Face.CPO) == (("location_id", IdKind.LOCATION),)
    assert top_ids(Kind.SESSION, Face.EMSP) == (("auth_id", IdKind.AUTH_ID),)
    assert top_ids(Kind.TOKEN, Face.CPO) == ()
    assert top_ids(None, Face.CPO) == ()


@pytest.mark.parametrize(
    ("module", "interface", "method", "segments", "expected"),
    [
        (ModuleID.LOCATIONS, "RECEIVER", "PUT", ("NL", "CPO", "LOC1"), ("NL", "CPO", "NLCPO-LOC1")),
        (ModuleID.LOCATIONS, "RECEIVER", "PATCH", ("NL", "CPO", "LOC1", "E1"), ("NL", "CPO", "NLCPO-LOC1", "E1")),
        (ModuleID.LOCATIONS, "SENDER", "GET", ("LOC1", "E1", "1"), ("NLCPO-LOC1", "E1", "1")),
        (ModuleID.TARIFFS, "RECEIVER", "DELETE", ("NL", "CPO", "11"), ("NL", "CPO", "NLCPO-11")),
        (ModuleID.SESSIONS, "RECEIVER", "PUT", ("NL", "CPO", "S1"), ("NL", "CPO", "NLCPO-S1")),
        (ModuleID.TOKENS, "RECEIVER", "PUT", ("NL", "CPO", "S1"), ("NL", "CPO", "S1")),
        (ModuleID.COMMANDS, "RECEIVER", "POST", ("START_SESSION",), ("START_SESSION",)),
    ],
)
def test_ids_in_paths_are_those_of_locations_tariffs_and_sessions(
    module: str, interface: str, method: str, segments: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    operation = operation_at(Version.V2_1_1, module, InterfaceRole(interface), method, segments)

    assert path_with_ids(segments, operation, INSTEAD) == expected
    in_it = [each for each in INSTEAD if each.value in segments and expected != segments]
    assert [*ids_in_path(segments, operation, Face.CPO)] == in_it
    assert [*ids_in_path(segments, operation, Face.EMSP)] == []


def test_a_path_is_encoded_as_before_and_may_have_another_owner() -> None:
    segments = ("NL", "CPO", "A%2FB")
    operation = operation_at(Version.V2_1_1, ModuleID.LOCATIONS, InterfaceRole.RECEIVER, "PUT", segments)
    [found] = ids_in_path(segments, operation, Face.CPO)

    assert found.value == "A/B"
    assert path_with_ids(segments, operation, {}) == segments
    assert path_with_ids(segments, operation, {found: "NLCPO-A/B"}, Party("EU", "HUB")) == (
        "EU",
        "HUB",
        "NLCPO-A%2FB",
    )


# Aliases


def best(real: Id, owner: Party = CPO) -> str:
    return next(aliases_of(owner, real))


def test_an_alias_is_the_id_with_its_owner_in_front() -> None:
    assert best(LOCATION) == "NLCPO-LOC1"
    assert best(Id(IdKind.LOCATION, "x" * 33)) == f"NLCPO-{'x' * 33}"
    assert best(Id(IdKind.TARIFF, "x" * 30)) == f"NLCPO-{'x' * 30}"


@pytest.mark.parametrize(("kind", "length"), [(IdKind.LOCATION, 39), *((each, 36) for each in [*IdKind][1:])])
def test_an_alias_of_a_long_id_is_as_long_as_it_may_be(kind: IdKind, length: int) -> None:
    real = Id(kind, "0123456789" * 4)

    alias = best(real)

    assert len(alias) == length
    assert alias.startswith("NLCPO-0123456789")
    assert alias != best(Id(kind, real.value[:-1] + "X"))
    assert alias != best(real, Party("NL", "CPP"))


def test_there_are_as_many_aliases_as_are_needed() -> None:
    some = list(islice(aliases_of(CPO, LOCATION), 10))

    assert len(set(some)) == 10
    assert all(len(each) <= 39 for each in some)
    assert list(islice(aliases_of(CPO, LOCATION), 10)) == some
