"""Locations that are not published, on their way to 2.1.1."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import locations
from routing.translation.crossing import Crossing
from routing.translation.questions import LocationOf, Published, Question, ShownBefore
from tests.routing.translation.crossings import CPO, EMSP, crossing, losses_of

UPDATED = "2024-02-01T00:00:00Z"
RECEIVED = "2024-06-01T12:00:00Z"
SHOWN = ShownBefore(EMSP, "locations", CPO, "P1")
KNOWN = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "P1",
    "publish": True,
    "postal_code": "29221",
    "parking_type": "ON_STREET",
    "evses": [
        {"uid": "X", "status": "AVAILABLE", "connectors": [{"id": "1", "max_voltage": 230}], "last_updated": UPDATED}
    ],
    "last_updated": UPDATED,
}
REMOVED = {
    "id": "P1",
    "postal_code": "29221",
    "type": "ON_STREET",
    "evses": [{"uid": "X", "status": "REMOVED", "connectors": [{"id": "1", "voltage": 230}], "last_updated": UPDATED}],
    "last_updated": UPDATED,
}


def losses(over: Crossing) -> set[tuple[str, str]]:
    return set(losses_of(over))


@pytest.mark.parametrize(
    ("more", "ocpi", "http"),
    [
        ({}, 4000, 200),
        ({"answer": True}, 2003, 404),
        ({"answer": True, "known": {SHOWN: True}}, 2003, 404),
        ({"answer": True, "since": True}, 2003, 404),
        ({"patch": True, "object_ids": ("P1",)}, 4000, 200),
        ({"patch": True, "object_ids": ("P1",), "known": {SHOWN: True}}, 4000, 200),
        ({"patch": True, "object_ids": ("P1",), "known": {SHOWN: True, LocationOf(CPO, "P1"): None}}, 4000, 200),
    ],
)
def test_a_location_that_is_not_published_is_kept_from_2_1_1(more: dict[str, Any], ocpi: int, http: int) -> None:
    with pytest.raises(Untranslatable, match="RF-03") as refused:
        locations.to_2_1_1({**KNOWN, "publish": False}, crossing(**more))
    assert (refused.value.ocpi_status, refused.value.http_status) == (ocpi, http)


def test_who_asks_for_a_location_that_is_not_published_does_not_learn_of_it() -> None:
    with pytest.raises(Untranslatable) as refused:
        locations.to_2_1_1({**KNOWN, "publish": False}, crossing(answer=True))
    assert "publish" not in str(refused.value)


def test_a_receiver_that_agreed_to_it_gets_everything() -> None:
    over = crossing(destination=Quirks(forward_unpublished=True))
    location = locations.to_2_1_1({**KNOWN, "publish": False}, over)
    assert location["evses"][0]["status"] == "AVAILABLE"
    assert ("L-19", "/publish") in losses(over)
    patch = crossing(destination=Quirks(forward_unpublished=True), patch=True, object_ids=("P1",))
    assert locations.to_2_1_1({"publish": True, "name": "x"}, patch) == {"name": "x"}
    assert (patch.asked, patch.put) == ([], False)


def test_the_owner_itself_may_read_its_location() -> None:
    over = crossing(answer=True, owner=EMSP)
    assert locations.to_2_1_1({**KNOWN, "publish": False}, over)["id"] == "P1"


@pytest.mark.parametrize("more", [{}, {"answer": True, "since": True}])
def test_a_location_that_was_shown_before_is_shown_without_its_evses(more: dict[str, Any]) -> None:
    over = crossing(known={SHOWN: True}, **more)
    body = {**KNOWN, "publish": False}
    before = copy.deepcopy(body)
    assert locations.to_2_1_1(body, over) == REMOVED
    assert body == before
    assert not over.put


def test_a_patch_that_withdraws_a_location_becomes_the_whole_of_it_without_its_evses() -> None:
    over = crossing(patch=True, object_ids=("P1",), known={SHOWN: True, LocationOf(CPO, "P1"): KNOWN})
    patch = {"publish": False, "last_updated": "2024-02-06T00:00:00Z"}
    assert locations.to_2_1_1(patch, over) == {**REMOVED, "last_updated": "2024-02-06T00:00:00Z"}
    assert over.put
    assert losses(over) == {("L-06", "/country_code"), ("L-06", "/party_id"), ("L-19", "/publish")}


def test_a_withdrawal_asks_for_the_location_only_where_it_was_shown() -> None:
    over = crossing(patch=True, object_ids=("P1",))
    with pytest.raises(Untranslatable):
        locations.to_2_1_1({"publish": False}, over)
    assert over.asked == [SHOWN]
    shown = crossing(patch=True, object_ids=("P1",), known={SHOWN: True})
    with pytest.raises(Untranslatable):
        locations.to_2_1_1({"publish": False}, shown)
    assert shown.asked == [LocationOf(CPO, "P1")]


def test_a_patch_that_publishes_a_location_becomes_the_whole_of_it() -> None:
    hidden = {**KNOWN, "publish": False}
    over = crossing(patch=True, object_ids=("P1",), known={LocationOf(CPO, "P1"): hidden})
    location = locations.to_2_1_1({"publish": True, "name": "Open", "last_updated": RECEIVED}, over)
    assert (location["name"], location["last_updated"]) == ("Open", RECEIVED)
    assert location["evses"][0]["status"] == "AVAILABLE"
    assert over.put


def test_a_patch_that_publishes_a_location_that_cannot_be_read_asks_for_a_put() -> None:
    with pytest.raises(Untranslatable, match="RF-19") as refused:
        locations.to_2_1_1({"publish": True}, crossing(patch=True, object_ids=("P1",)))
    assert (refused.value.ocpi_status, refused.value.http_status) == (2000, 404)


def test_a_patch_of_a_location_that_is_known_to_be_unpublished_is_kept_from_2_1_1() -> None:
    known: dict[Question[Any], Any] = {Published(CPO, "P1"): False}
    with pytest.raises(Untranslatable, match="RF-03"):
        locations.to_2_1_1({"name": "x"}, crossing(patch=True, object_ids=("P1",), known=known))
    over = crossing(patch=True, object_ids=("P1",))
    assert locations.to_2_1_1({"name": "x"}, over) == {"name": "x"}
    assert over.asked == [Published(CPO, "P1")]
