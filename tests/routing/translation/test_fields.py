"""The verbs that steps are made of."""

from typing import Any

import pytest

from routing.quirks import Quirks
from routing.translation.crossing import Crossing, Json, Loss
from routing.translation.enums import Lacking
from routing.translation.fields import (
    add_last_updated,
    cut,
    drop,
    each,
    inside,
    is_absent,
    kept,
    moments,
    renamed,
    replace,
    without_values,
)
from tests.routing.translation.crossings import crossing

NO_TRAMS = Lacking("Facility", frozenset({"TRAM_STOP"}), are_lacking=True)
HOTELS_ONLY = Lacking("Facility", frozenset({"HOTEL"}), are_lacking=False)


def test_a_renamed_member_takes_the_place_of_the_former() -> None:
    body = renamed({"a": 1, "old": 2, "z": 3}, {"old": "new"})
    assert list(body.items()) == [("a", 1), ("new", 2), ("z", 3)]


def test_of_two_names_the_one_of_the_source_has_the_value_that_counts() -> None:
    assert renamed({"new": 1, "old": 2}, {"old": "new"}) == {"new": 2}


def test_renaming_always_makes_a_copy() -> None:
    body: Json = {"a": 1}
    assert renamed(body) is not body
    assert renamed(body, {"old": "new"}) is not body


@pytest.mark.parametrize("body", [{}, {"name": None}])
def test_missing_and_null_are_both_absent(body: Json) -> None:
    assert is_absent(body, "name")


def test_false_is_not_absent() -> None:
    assert not is_absent({"name": False}, "name")


def test_a_dropped_member_is_told() -> None:
    over, body = crossing(), {"state": "Utrecht", "id": "L"}
    drop(body, {"state": "L-14"}, over)
    assert (body, over.losses) == ({"id": "L"}, [Loss("L-14", "/state")])


@pytest.mark.parametrize("nothing", [None, []])
def test_dropping_nothing_is_no_loss(nothing: Any) -> None:  # noqa: ANN401 - any JSON
    over, body = crossing(), {"state": nothing}
    drop(body, {"state": "L-14"}, over)
    assert (body, over.losses) == ({}, [])


@pytest.mark.parametrize("path", ["cdr.signed_data", "*.signed_data"])
def test_a_member_the_receiver_wants_is_kept(path: str) -> None:
    over, body = crossing(destination=Quirks(keep_fields=(path,))), {"signed_data": {"x": 1}}
    drop(body, {"signed_data": "L-51"}, over, "cdr")
    assert (body, over.losses) == ({"signed_data": {"x": 1}}, [])


def test_a_member_wanted_of_another_object_is_not_kept() -> None:
    assert kept("session", crossing(destination=Quirks(keep_fields=("cdr.signed_data",)))) == frozenset()


def test_a_value_is_replaced_and_told() -> None:
    over, body = crossing(), {"status": "RESERVATION"}
    replace(body, "status", {"RESERVATION": "PENDING"}, "L-38", over)
    assert (body, over.losses) == ({"status": "PENDING"}, [Loss("L-38", "/status")])


def test_who_wants_values_as_they_are_gets_them() -> None:
    over = crossing(destination=Quirks(enum_passthrough=True))
    body: Json = {"status": "RESERVATION", "facilities": ["TRAM_STOP"]}
    replace(body, "status", {"RESERVATION": "PENDING"}, "L-38", over)
    without_values(body, "facilities", NO_TRAMS, "L-16", over)
    assert body == {"status": "RESERVATION", "facilities": ["TRAM_STOP"]}


def test_unknown_values_leave_their_list_in_order() -> None:
    over, body = crossing(), {"facilities": ["HOTEL", "TRAM_STOP", "CAFE"]}
    without_values(body, "facilities", NO_TRAMS, "L-16", over)
    assert (body, over.losses) == ({"facilities": ["HOTEL", "CAFE"]}, [Loss("L-16", "/facilities/1")])


@pytest.mark.parametrize("lacking", [NO_TRAMS, HOTELS_ONLY])
def test_what_is_no_value_at_all_stays_for_the_receiver_to_judge(lacking: Lacking) -> None:
    over = crossing()
    body: Json = {"facilities": [["TRAM_STOP"], {}, None, "TRAM_STOP", 7]}
    without_values(body, "facilities", lacking, "L-16", over)
    assert (body, over.losses) == ({"facilities": [["TRAM_STOP"], {}, None, 7]}, [Loss("L-16", "/facilities/3")])


def test_a_value_that_was_agreed_on_stays() -> None:
    over = crossing(destination=Quirks(extra_enum_values={"Facility": ("TRAM_STOP",)}))
    body: Json = {"facilities": ["TRAM_STOP", "CAFE", "HOTEL"]}
    without_values(body, "facilities", HOTELS_ONLY, "M-28", over)
    assert (body, over.losses) == ({"facilities": ["TRAM_STOP", "HOTEL"]}, [Loss("M-28", "/facilities/1")])


def test_a_list_that_gets_empty_stays() -> None:
    over, body = crossing(), {"facilities": ["TRAM_STOP"]}
    without_values(body, "facilities", NO_TRAMS, "L-16", over)
    assert body == {"facilities": []}


def _losing(body: Json, over: Crossing) -> Json:
    over.lose("L-01", "/x")
    return body | {"seen": over.patch}


def test_what_nested_objects_lose_is_told_with_the_whole_way_to_them() -> None:
    over, body = crossing(), {"evses": [{}, 7, {}], "operator": {}}
    each(body, "evses", _losing, over)
    inside(body, "operator", _losing, over)
    assert [loss.pointer for loss in over.losses] == ["/evses/0/x", "/evses/2/x", "/operator/x"]


def test_an_object_of_which_nothing_is_left_is_left_out_and_told() -> None:
    over, body = crossing(), {"evses": [{"uid": "1"}, None, {"uid": "2"}]}
    each(body, "evses", lambda evse, _: None if evse["uid"] == "1" else evse, over, "L-21")
    assert (body, over.losses) == ({"evses": [None, {"uid": "2"}]}, [Loss("L-21", "/evses/0")])


def test_what_is_nested_in_a_patch_is_complete() -> None:
    over, body = crossing(patch=True), Json({"operator": {}})
    inside(body, "operator", _losing, over)
    assert (body, over.patch) == ({"operator": {"seen": False}}, True)


def test_a_text_is_cut_without_a_blank_at_its_end() -> None:
    over, body = crossing(), {"address": "ab cd"}
    cut(body, "address", 3, "L-04", over)
    assert (body, over.losses) == ({"address": "ab"}, [Loss("L-04", "/address")])


def test_a_patch_gets_the_moment_it_was_received() -> None:
    over, body = crossing(patch=True), {"kwh": 1}
    add_last_updated(body, over)
    assert body == {"kwh": 1, "last_updated": "2024-06-01T12:00:00Z"}


@pytest.mark.parametrize("body", [{}, {"last_updated": "2020-01-01T00:00:00Z"}])
def test_an_empty_patch_and_one_with_its_own_moment_get_none(body: Json) -> None:
    before = dict(body)
    add_last_updated(body, crossing(patch=True))
    assert body == before


@pytest.mark.parametrize(
    ("quirks", "before", "after"),
    [
        (Quirks(), "2024-06-01T12:00:00.12Z", "2024-06-01T12:00:00.12Z"),
        (Quirks(), "2024-06-01T12:00:00.123456Z", "2024-06-01T12:00:00.1234Z"),
        (Quirks(), "2024-06-01T12:00:00.1+02:00", "2024-06-01T12:00:00+02:00"),
        (Quirks(no_fraction=True), "2024-06-01T12:00:00.999Z", "2024-06-01T12:00:00Z"),
        (Quirks(dates_without_z=True), "2024-06-01T12:00:00", "2024-06-01T12:00:00Z"),
        (Quirks(dates_without_z=True), "2024-06-01T12:00:00+02:00", "2024-06-01T12:00:00+02:00"),
    ],
)
def test_moments_are_spelled_as_the_receiver_can_read_them(quirks: Quirks, before: str, after: str) -> None:
    body: Json = {"last_updated": before}
    moments(body, ("last_updated",), crossing(destination=quirks))
    assert body == {"last_updated": after}


@pytest.mark.parametrize("origin", [Quirks(), Quirks(dates_without_z=True)])
def test_moments_without_a_zone_are_counted_and_get_one_for_a_partner_who_sends_them(origin: Quirks) -> None:
    said = {"a": "2024-06-01T12:00:00", "b": "2024-06-01T12:00:00z", "c": "2024-06-01T12:00:00-0100", "d": "", "e": 1}
    body: Json = said | {"f": "2024-06-01T12:00:00.5", "g": "2024-06-01"}
    over = crossing(origin=origin)
    moments(body, (*body, "absent"), over)
    z = "Z" if origin.dates_without_z else ""
    assert body == said | {"a": f"2024-06-01T12:00:00{z}", "f": f"2024-06-01T12:00:00.5{z}", "g": "2024-06-01"}
    assert over.without_zone == 2
