"""Aliases on their way back to who gave the original."""

from __future__ import annotations

from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.modules import operation_at
from routing.quirks import Quirks
from routing.translation.aliases import path_to, with_originals
from routing.translation.crossing import Crossing
from routing.translation.identifiers import alias_of
from routing.translation.kinds import Kind
from routing.translation.messages import answer_body, request_body
from routing.translation.questions import OriginalId, Question
from routing.vocabulary import InterfaceRole, ModuleID, Version
from tests.routing.translation.crossings import CPO, EMSP, crossing

V211, V221 = Version.V2_1_1, Version.V2_2_1
LONG, OTHER = "L" * 37, "E" * 39
ALIAS, OTHER_ALIAS = alias_of(LONG), alias_of(OTHER)
KNOWN: dict[Question[Any], Any] = {OriginalId(CPO, ALIAS): LONG, OriginalId(CPO, OTHER_ALIAS): OTHER}
LIKE_ONE = alias_of("never given out")


def back_to_cpo(source: Version = V221, target: Version = V211, **more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(source, target, known={**KNOWN, OriginalId(CPO, LIKE_ONE): None}, **more)


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (Kind.LOCATION, {"id": ALIAS}, {"id": LONG}),
        (Kind.LOCATION, {"evses": [{"uid": OTHER_ALIAS}, 7]}, {"evses": [{"uid": OTHER}, 7]}),
        (Kind.EVSE, {"uid": OTHER_ALIAS, "status": "BLOCKED"}, {"uid": OTHER, "status": "BLOCKED"}),
        (Kind.SESSION, {"location_id": ALIAS, "evse_uid": None}, {"location_id": LONG, "evse_uid": None}),
        (Kind.CDR, {"cdr_location": {"id": ALIAS, "evse_uid": "E"}}, {"cdr_location": {"id": LONG, "evse_uid": "E"}}),
        (Kind.START_SESSION, {"location_id": ALIAS, "evse_uid": OTHER_ALIAS}, {"location_id": LONG, "evse_uid": OTHER}),
        (
            Kind.AUTHORIZATION_INFO,
            {"location": {"location_id": ALIAS, "evse_uids": ["E", OTHER_ALIAS]}},
            {"location": {"location_id": LONG, "evse_uids": ["E", OTHER]}},
        ),
    ],
)
def test_an_alias_becomes_the_id_of_its_owner(kind: Kind, body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert with_originals(body, kind, back_to_cpo(owner=EMSP if kind is Kind.START_SESSION else CPO)) == expected


@pytest.mark.parametrize("uid", ["E1", "x" * 36, LIKE_ONE, ALIAS[:-1] + "g", ALIAS.replace("~", "-"), None, 7])
def test_anything_else_is_the_same_object(uid: object) -> None:
    body = {"uid": uid}
    assert with_originals(body, Kind.EVSE, back_to_cpo()) is body


def test_nothing_is_asked_for_what_is_no_alias() -> None:
    over = crossing()
    with_originals({"id": "LOC1", "evses": [{"uid": "0f6c2b1e-54a9-4be1-9d5c-a3d1c1b7e0aa"}]}, Kind.LOCATION, over)
    assert over.asked == []


def test_a_cdr_gets_its_long_id_back_where_it_may_have_one() -> None:
    body = {"id": ALIAS}
    assert with_originals(body, Kind.CDR, back_to_cpo(V211, V221)) == {"id": LONG}
    assert with_originals(body, Kind.CDR, back_to_cpo(V221, V211)) is body
    assert with_originals(body, Kind.CDR, back_to_cpo(V221, Version.V2_3_0)) is body


def test_a_command_without_a_translation_has_its_aliases_replaced_all_the_same() -> None:
    body = b'{"location_id":"%s","evse_uid":"E1"}' % ALIAS.replace("~", "\\u007e").encode()
    over = back_to_cpo(owner=EMSP)
    assert (
        request_body(body, Kind.UNLOCK_CONNECTOR, over).body == b'{"location_id":"%s","evse_uid":"E1"}' % LONG.encode()
    )
    unchanged = b'{"location_id": "LOC~1", "evse_uid": "E1"}'
    assert request_body(unchanged, Kind.UNLOCK_CONNECTOR, over).body is unchanged


def test_the_receivers_copy_is_read_back_with_the_ids_of_its_owner() -> None:
    body = b'{"status_code":1000,"data":{"uid":"%s"}}' % OTHER_ALIAS.encode()
    assert OTHER.encode() in answer_body(body, Kind.EVSE, back_to_cpo(answer=True)).body


def path(over: Crossing, *segments: str, interface: InterfaceRole, module: str = ModuleID.LOCATIONS) -> list[str]:
    operation = operation_at(over.origin.version, module, interface, "GET", segments)
    return [*path_to(segments, operation, over)]


def test_an_alias_in_the_path_becomes_the_id_of_its_owner() -> None:
    over = back_to_cpo()
    here = {"interface": InterfaceRole.SENDER}
    assert path(over, ALIAS, OTHER_ALIAS, "1", **here) == [LONG, OTHER, "1"]
    assert path(over, ALIAS.replace("~", "%7E"), **here) == [LONG]
    assert path(over, LIKE_ONE, "%20" * 36, **here) == [LIKE_ONE, "%20" * 36]
    assert path(over, **here) == []


def test_an_owners_long_ids_in_a_path_get_their_aliases() -> None:
    over = crossing(V211, V221, origin=Quirks(id_alias=True))
    pushed = path(over, "NL", "CPO", LONG, "%20" * 37, "x" * 40, interface=InterfaceRole.RECEIVER)
    assert pushed == ["NL", "CPO", ALIAS, alias_of(" " * 37).replace(" ", "%20"), "x" * 40]
    assert path(over, LONG, interface=InterfaceRole.SENDER) == [LONG]
    sessions = path(over, "NL", "CPO", LONG, interface=InterfaceRole.RECEIVER, module=ModuleID.SESSIONS)
    assert sessions == ["NL", "CPO", LONG]


def test_a_long_id_in_a_path_is_refused_without_aliases() -> None:
    with pytest.raises(Untranslatable, match="RF-01: evse_uid has 39 characters"):
        path(crossing(V211, V221), "NL", "CPO", "LOC1", OTHER, interface=InterfaceRole.RECEIVER)
