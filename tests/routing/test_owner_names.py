"""Whose an object is, in a member that 2.1.1 has."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from routing.owner_names import names_owner, with_owner_named
from routing.translation.kinds import Kind
from routing.vocabulary import Party

OWNER = Party("NL", "CPO")


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (Kind.LOCATION, {"id": "LOC1"}, {"id": "LOC1", "operator": {"name": "NL-CPO"}}),
        (
            Kind.LOCATION,
            {"operator": {"name": "Volt", "website": "https://volt.example"}},
            {"operator": {"name": "NL-CPO", "website": "https://volt.example"}},
        ),
        (Kind.SESSION, {"location": {"id": "LOC1"}}, {"location": {"id": "LOC1", "operator": {"name": "NL-CPO"}}}),
        (Kind.CDR, {"location": {"operator": None}}, {"location": {"operator": {"name": "NL-CPO"}}}),
        (Kind.CDR, {"location": "none"}, {"location": "none"}),
        (Kind.TOKEN, {"uid": "04A1", "issuer": "Roam"}, {"uid": "04A1", "issuer": "NL-CPO"}),
        (Kind.START_SESSION, {"token": {"issuer": "Roam"}}, {"token": {"issuer": "NL-CPO"}}),
    ],
)
def test_the_owner_is_the_operator_of_locations_and_the_issuer_of_tokens(
    kind: Kind, body: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = copy.deepcopy(body)

    assert names_owner(kind)
    assert with_owner_named(body, kind, OWNER) == expected
    assert body == before


@pytest.mark.parametrize("kind", [Kind.LOCATION, Kind.TOKEN])
def test_a_part_of_an_object_gets_no_member_that_it_has_not(kind: Kind) -> None:
    assert with_owner_named({"name": "x"}, kind, OWNER, partial=True) == {"name": "x"}


def test_other_objects_have_no_such_member() -> None:
    assert not any(map(names_owner, (Kind.EVSE, Kind.TARIFF, Kind.STOP_SESSION, None)))
