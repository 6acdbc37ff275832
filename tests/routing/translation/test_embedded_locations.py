"""Where a session is: the Location inside it in 2.1.1, three ids later. OCPI 2.1.1 and 2.2.1, "Sessions"."""

from __future__ import annotations

from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation.crossing import Crossing
from routing.translation.embedded_locations import ids_to_location, location_to_ids, tariff_at
from routing.translation.questions import LocationOf, SessionAtReceiver
from routing.vocabulary import Version
from tests.routing.translation.crossings import CPO, crossing, losses_of

UP = (Version.V2_1_1, Version.V2_2_1)
DOWN = (Version.V2_2_1, Version.V2_1_1)
START = "2024-06-01T10:00:00Z"
HERE = LocationOf(CPO, "L1")
AT_RECEIVER = SessionAtReceiver(CPO, "S1", Version.V2_1_1)


def connector(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "id": name,
        "standard": "IEC_62196_T2",
        "format": "CABLE",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 16,
        "last_updated": START,
    } | more


def evse(uid: str, *connectors: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"uid": uid, "status": "AVAILABLE", "connectors": list(connectors), "last_updated": START} | more


def place(*evses: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "country_code": "NL",
        "party_id": "CPO",
        "id": "L1",
        "publish": False,
        "address": "Kade 7",
        "city": "Zwolle",
        "postal_code": "8011 AB",
        "country": "NLD",
        "coordinates": {"latitude": "52.512345", "longitude": "6.090001"},
        "evses": list(evses),
        "time_zone": "Europe/Amsterdam",
        "last_updated": START,
    } | more


def losses(over: Crossing) -> set[tuple[str, str]]:
    return set(losses_of(over))


# ------------------------------------------------------------------------------------------------ 2.1.1 to 2.2.1


def ids(location: Any, **more: Any) -> tuple[dict[str, Any], Crossing]:  # noqa: ANN401 - any JSON
    """What becomes of a Session with this Location and nothing else; `more` are fields of the crossing."""
    over = crossing(*UP, **more)
    body = {"location_id": location}
    location_to_ids(body, over)
    return body, over


def test_three_ids_remain_of_a_location() -> None:
    body, over = ids(place(evse("E1", connector("1"))))

    assert body == {"location_id": "L1", "evse_uid": "E1", "connector_id": "1"}
    assert losses(over) == {("L-34", "/location")}


def test_an_evse_that_is_not_there_is_not_available() -> None:
    body, over = ids(place())

    assert body == {"location_id": "L1", "evse_uid": "#NA", "connector_id": "#NA"}
    assert losses(over) == {("L-34", "/location"), ("L-05", "/evse_uid"), ("L-05", "/connector_id")}


def test_of_several_evses_and_connectors_the_first_is_meant() -> None:
    body, over = ids(place(evse("E1", connector("1"), connector("2")), evse("E2", connector("3"), status="CHARGING")))

    assert body == {"location_id": "L1", "evse_uid": "E1", "connector_id": "1"}
    assert losses(over) == {
        ("L-34", "/location"),
        ("L-45", "/location/evses"),
        ("L-45", "/location/evses/0/connectors"),
    }


@pytest.mark.parametrize(
    ("status", "statuses", "meant"),
    [
        ("ACTIVE", ["AVAILABLE", "CHARGING"], "E1"),
        ("ACTIVE", ["AVAILABLE", "AVAILABLE"], "E0"),
        ("ACTIVE", ["RESERVED", "CHARGING", "CHARGING"], "E0"),
        ("PENDING", ["AVAILABLE", "CHARGING"], "E0"),
    ],
)
def test_an_active_session_is_at_the_only_evse_that_charges(status: str, statuses: list[str], meant: str) -> None:
    evses = [evse(f"E{index}", status=each) for index, each in enumerate(statuses)]
    body: dict[str, Any] = {"location_id": place(*evses), "status": status}

    location_to_ids(body, crossing(*UP))

    assert body["evse_uid"] == meant


def test_the_connector_says_which_tariff_holds() -> None:
    body = {"location_id": place(evse("E1", connector("1", tariff_id="T1")))}

    assert tariff_at(location_to_ids(body, crossing(*UP))) == "T1"


@pytest.mark.parametrize("nothing", [None, {}, {"id": ""}, {"id": 7}, [], 7])
def test_a_session_without_a_place_is_refused(nothing: Any) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(Untranslatable, match="RF-02") as refusal:
        ids(nothing)

    assert refusal.value.ocpi_status == 2001


@pytest.mark.parametrize("location", [place(id="L" * 37), place(evse("E" * 39))])
def test_an_id_that_is_too_long_is_refused(location: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable, match="RF-01") as refusal:
        ids(location)

    assert refusal.value.ocpi_status == 4000


def test_an_id_that_is_too_long_gets_an_alias_where_that_is_agreed() -> None:
    body, over = ids(place(id="L" * 37), origin=Quirks(id_alias=True))

    assert len(body["location_id"]) == 36
    assert ("L-10", "/location_id") in losses(over)


def test_a_patch_names_the_ids_it_has() -> None:
    assert ids({"evses": [{"uid": "E2"}]}, patch=True)[0] == {"evse_uid": "E2"}
    assert ids({"id": "L2"}, patch=True)[0] == {"location_id": "L2"}
    assert ids({"name": "Kade"}, patch=True)[0] == {}
    assert ids(None, patch=True)[0] == {}


def test_a_sender_ahead_of_its_version_names_the_ids_itself() -> None:
    body: dict[str, Any] = {"location_id": "L1", "evse_uid": "E1", "connector_id": 1}
    over = crossing(*UP)

    location_to_ids(body, over)

    assert body == {"location_id": "L1", "evse_uid": "E1", "connector_id": "#NA"}
    assert losses(over) == {("L-01", "/connector_id"), ("L-05", "/connector_id")}


# ------------------------------------------------------------------------------------------------ 2.2.1 to 2.1.1


def location_of(
    known: dict[Any, Any],
    location_id: Any = "L1",  # noqa: ANN401 - any JSON
    evse_uid: Any = "E1",  # noqa: ANN401
    connector_id: Any = "1",  # noqa: ANN401
    **more: Any,  # noqa: ANN401 - the remaining fields
) -> tuple[Any, Crossing]:
    """What becomes of a Session with these ids, those that are not None; `more` are fields of the crossing."""
    named = {"location": location_id, "evse_uid": evse_uid, "connector_id": connector_id}
    body = {"start_datetime": START} | {name: value for name, value in named.items() if value is not None}
    over = crossing(*DOWN, known=known, object_ids=("S1",), **more)
    ids_to_location(body, over)
    assert body.keys() <= {"location", "start_datetime"}
    return body.get("location"), over


def test_the_location_is_the_one_its_owner_has_now_with_just_that_connector() -> None:
    known = place(evse("E2"), evse("E1", connector("2"), connector("1")), name="Zuid")

    location, over = location_of({HERE: known})

    assert location["name"] == "Zuid"
    assert "publish" not in location
    [only] = location["evses"]
    assert (only["uid"], [each["id"] for each in only["connectors"]]) == ("E1", ["1"])
    assert only["connectors"][0]["voltage"] == 230
    assert losses(over) == {("L-35", "/location_id")}
    assert [each["uid"] for each in known["evses"]] == ["E2", "E1"]


def test_ids_are_the_same_in_upper_and_lower_case() -> None:
    location, over = location_of({HERE: place(evse("e1", connector("a")))}, connector_id="A")

    assert location["evses"][0]["uid"] == "e1"
    assert losses(over) == {("L-35", "/location_id")}


def test_a_plug_that_2_1_1_does_not_have_is_named_all_the_same() -> None:
    known = place(evse("E1", connector("1", standard="GBT_DC", power_type="DC")))

    location, over = location_of({HERE: known})

    assert location["evses"][0]["connectors"][0]["standard"] == "IEC_62196_T2_COMBO"
    assert losses(over) == {("L-35", "/location_id"), ("L-58", "/location_id")}


def test_an_evse_its_location_does_not_have_is_a_placeholder() -> None:
    location, over = location_of({HERE: place(evse("E2", connector("1")))})

    [only] = location["evses"]
    assert (only["uid"], only["status"], only["last_updated"]) == ("E1", "UNKNOWN", START)
    assert (only["connectors"][0]["id"], only["connectors"][0]["voltage"]) == ("1", 0)
    assert losses(over) == {("L-35", "/location_id"), ("L-36", "/evse_uid")}


def test_a_connector_its_evse_does_not_have_is_a_placeholder() -> None:
    location, over = location_of({HERE: place(evse("E1", connector("2")))})

    [only] = location["evses"]
    assert only["status"] == "AVAILABLE"
    assert [(each["id"], each["amperage"]) for each in only["connectors"]] == [("1", 0)]
    assert losses(over) == {("L-35", "/location_id"), ("L-36", "/connector_id")}


def test_a_reservation_without_an_evse_is_at_the_location() -> None:
    location, over = location_of({HERE: place(evse("E1", connector("1")))}, evse_uid="#NA", connector_id="#NA")

    assert "evses" not in location
    assert losses(over) == {("L-35", "/location_id")}


def test_without_a_connector_all_of_the_evse_are_named() -> None:
    known = place(evse("E1", connector("1"), connector("2")))

    location, _ = location_of({HERE: known}, connector_id=None)

    assert [each["id"] for each in location["evses"][0]["connectors"]] == ["1", "2"]


def test_a_location_nobody_knows_is_a_placeholder() -> None:
    location, over = location_of({})

    assert location == {
        "id": "L1",
        "type": "UNKNOWN",
        "address": "#NA",
        "city": "#NA",
        "postal_code": "#NA",
        "country": "NLD",
        "coordinates": {"latitude": "0.000000", "longitude": "0.000000"},
        "evses": [
            {
                "uid": "E1",
                "status": "UNKNOWN",
                "connectors": [
                    {
                        "id": "1",
                        "standard": "IEC_62196_T2",
                        "format": "SOCKET",
                        "power_type": "AC_1_PHASE",
                        "voltage": 0,
                        "amperage": 0,
                        "last_updated": START,
                    }
                ],
                "last_updated": START,
            }
        ],
        "last_updated": START,
    }
    assert losses(over) == {("L-36", "/location_id"), ("L-05", "/location_id")}
    assert over.asked == [HERE]


def test_a_placeholder_without_an_evse_has_none() -> None:
    assert "evses" not in location_of({}, evse_uid=None, connector_id=None)[0]


@pytest.mark.parametrize("known", [{}, {HERE: place(evse("E1", connector("1")))}], ids=["unknown", "known"])
def test_a_location_without_an_operator_gets_its_owner(known: dict[Any, Any]) -> None:
    location, over = location_of(known, owner_details={"name": "Charge Co"})

    assert location["operator"] == {"name": "Charge Co"}
    assert ("L-27", "/location_id") in losses(over)


@pytest.mark.parametrize("known", [{}, {HERE: place(evse("E1", connector("1")))}], ids=["unknown", "known"])
def test_a_partner_may_do_without_the_operator(known: dict[Any, Any]) -> None:
    quirks = Quirks(fill_operator=False)

    location, over = location_of(known, owner_details={"name": "Charge Co"}, destination=quirks)

    assert "operator" not in location
    assert "L-27" not in {loss.id for loss in over.losses}


@pytest.mark.parametrize("nothing", [None, "", 7])
def test_a_session_without_a_location_id_is_refused(nothing: Any) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(Untranslatable, match="RF-02") as refusal:
        location_of({}, location_id=nothing)

    assert refusal.value.ocpi_status == 2001


def test_a_sender_behind_its_version_embeds_the_location_itself() -> None:
    location, over = location_of({}, location_id={"id": "L9"})

    assert location == {"id": "L9"}
    assert over.losses == []
    assert over.asked == []


def test_a_patch_without_ids_has_no_location() -> None:
    location, over = location_of({}, location_id=None, evse_uid=None, connector_id=None, patch=True)

    assert location is None
    assert over.losses == []
    assert over.asked == []


def test_a_patch_of_the_evse_is_completed_from_the_receivers_copy() -> None:
    held = {"location": {"id": "L1", "evses": [{"uid": "E9", "connectors": [{"id": "1"}]}]}}
    known = {AT_RECEIVER: held, HERE: place(evse("E1", connector("1")))}

    location, over = location_of(known, location_id=None, connector_id=None, patch=True)

    [only] = location["evses"]
    assert (location["id"], only["uid"], only["connectors"][0]["id"]) == ("L1", "E1", "1")
    assert losses(over) == {("L-35", "/location_id")}


def test_a_patch_of_location_and_evse_needs_no_look_at_the_receiver() -> None:
    location, over = location_of({HERE: place(evse("E1", connector("1")))}, connector_id=None, patch=True)

    assert [each["id"] for each in location["evses"][0]["connectors"]] == ["1"]
    assert over.asked == []


def test_a_patch_of_just_the_location_loses_the_evse_when_the_receiver_does_not_tell() -> None:
    location, over = location_of({HERE: place(evse("E1"))}, evse_uid=None, connector_id=None, patch=True)

    assert "evses" not in location
    assert over.asked == [AT_RECEIVER]


@pytest.mark.parametrize("held", [{}, {AT_RECEIVER: None}, {AT_RECEIVER: {"location": "L1"}}])
def test_an_evse_whose_location_nobody_knows_is_left_out_of_a_patch(held: dict[Any, Any]) -> None:
    location, over = location_of(held, location_id=None, patch=True)

    assert location is None
    assert losses(over) == {("L-44", "/evse_uid"), ("L-44", "/connector_id")}
