"""The place of a CDR between versions. OCPI 2.1.1, 2.2.1 and 2.3.0, "CDRs"."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import cdr_locations
from routing.translation.crossing import Crossing, Json
from routing.translation.questions import LocationAtHand
from routing.vocabulary import Version
from tests.routing.translation.crossings import CPO, crossing, losses_of, lost

V211, V22, V221, V230 = Version.V2_1_1, Version.V2_2, Version.V2_2_1, Version.V2_3_0
START = "2024-05-01T10:00:00Z"
BEFORE = "2024-01-01T00:00:00Z"
AT_HAND = LocationAtHand(CPO, "L1")
ADDRESS: Json = {
    "id": "L1",
    "address": "Kade 7",
    "city": "Zwolle",
    "postal_code": "8011 AB",
    "country": "NLD",
    "coordinates": {"latitude": "52.512345", "longitude": "6.090001"},
}
PLACE: Json = {
    **ADDRESS,
    "evse_uid": "E1",
    "evse_id": "NL*CPO*E1",
    "connector_id": "1",
    "connector_standard": "IEC_62196_T2",
    "connector_format": "CABLE",
    "connector_power_type": "AC_3_PHASE",
}


def connector(**members: Any) -> Json:  # noqa: ANN401 - any JSON
    return {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "CABLE",
        "power_type": "AC_3_PHASE",
        "voltage": 230,
        "amperage": 32,
        "last_updated": BEFORE,
        **members,
    }


def evse(*connectors: Json, **members: Any) -> Json:  # noqa: ANN401 - any JSON
    return {
        "uid": "E1",
        "evse_id": "NL*CPO*E1",
        "status": "AVAILABLE",
        "connectors": list(connectors) or [connector()],
        "last_updated": BEFORE,
        **members,
    }


def location(*evses: Json, **members: Any) -> Json:  # noqa: ANN401 - any JSON
    made = {"type": "ON_STREET", **ADDRESS, "evses": list(evses) or [evse()], "last_updated": BEFORE, **members}
    return {name: value for name, value in made.items() if value is not None}


def newer(place: Any, over: Crossing | None = None) -> Json:  # noqa: ANN401 - any JSON
    body: dict[str, Json] = {"cdr_location": place}
    cdr_locations.location_to_cdr_location(body, over or crossing(V211, V221))
    return body["cdr_location"]


def older(place: Any, over: Crossing | None = None, tariff_id: str | None = None) -> Json:  # noqa: ANN401 - any JSON
    body: dict[str, Any] = {"start_date_time": START, "location": place}
    cdr_locations.cdr_location_to_location(body, tariff_id, over or crossing())
    found: Json = body["location"]
    return found


def told(over: Crossing) -> set[tuple[str, str]]:
    return set(losses_of(over))


# ------------------------------------------------------------------------------------------------ 2.1.1 to 2.2.1


def test_a_location_becomes_the_place_of_a_cdr() -> None:
    over = crossing(V211, V221)

    assert newer(location(), over) == PLACE
    assert told(over) == {("L-57", "/location")}


def test_details_of_the_location_are_left_out_and_unknown_members_are_not() -> None:
    over = crossing(V211, V221)
    details: Json = {
        "name": "Kade",
        "operator": {"name": "Op"},
        "images": [],
        "time_zone": "Europe/Amsterdam",
        "nearest_pub": "De Kade",
    }

    assert newer(location(**details), over) == PLACE | {"name": "Kade", "nearest_pub": "De Kade"}


@pytest.mark.parametrize("postal_code", ["#NA", ""])
def test_a_postal_code_that_says_nothing_is_absent(postal_code: str) -> None:
    assert "postal_code" not in newer(location(postal_code=postal_code))


def test_texts_are_as_long_as_the_place_of_a_cdr_has_them() -> None:
    over = crossing(V211, V221)

    place = newer(location(address="a" * 50, state="s" * 30), over)

    assert (place["address"], place["state"]) == ("a" * 45, "s" * 20)
    assert told(over) >= {("L-04", "/location/address"), ("L-04", "/location/state")}


def test_a_country_in_two_letters_gets_three() -> None:
    over = crossing(V211, V221)

    assert newer(location(country="BE"), over)["country"] == "BEL"
    assert ("L-26", "/location/country") in told(over)


def test_a_location_without_evse_has_a_place_that_is_unknown() -> None:
    over = crossing(V211, V221, known={AT_HAND: {"evses": [{"uid": "E1", "evse_id": "never asked"}]}})

    assert newer(location(evses=None), over) == ADDRESS | {
        "evse_uid": "#NA",
        "evse_id": "#NA",
        "connector_id": "#NA",
        "connector_standard": "IEC_62196_T2",
        "connector_format": "SOCKET",
        "connector_power_type": "AC_1_PHASE",
    }
    assert told(over) == {
        ("L-57", "/location"),
        ("L-05", "/location/evses/0/uid"),
        ("L-05", "/location/evses/0/evse_id"),
        ("L-05", "/location/evses/0/connectors/0/id"),
        ("L-59", "/location/evses/0/connectors/0/standard"),
        ("L-59", "/location/evses/0/connectors/0/format"),
        ("L-59", "/location/evses/0/connectors/0/power_type"),
    }
    assert over.asked == []


def test_what_is_missing_of_an_evse_is_what_is_at_hand_of_it() -> None:
    at_hand = {"evses": [{"uid": "e1", "evse_id": "NL*CPO*E7", "connectors": [{"id": "9", "standard": "CHADEMO"}]}]}
    over = crossing(V211, V221, known={AT_HAND: at_hand})

    place = newer(location(evse(evse_id=None, connectors=[])), over)

    assert place["evse_id"] == "NL*CPO*E7"
    assert place["connector_standard"] == "CHADEMO"
    assert place["connector_format"] == "SOCKET"
    assert place["connector_id"] == "#NA"


def test_a_connector_at_hand_is_the_one_with_the_same_id() -> None:
    at_hand = {
        "evses": [{"uid": "E1", "connectors": [{"id": "2", "format": "SOCKET"}, {"id": "1", "format": "CABLE"}]}]
    }
    over = crossing(V211, V221, known={AT_HAND: at_hand})

    assert newer(location(evse(connector(format=None))), over)["connector_format"] == "CABLE"


def test_of_several_connectors_at_hand_none_is_taken_for_the_one_nobody_named() -> None:
    at_hand = {"evses": [{"uid": "E1", "connectors": [{"id": "2", "format": "CABLE"}, {"id": "1", "format": "CABLE"}]}]}
    over = crossing(V211, V221, known={AT_HAND: at_hand})

    assert newer(location(evse(connectors=[])), over)["connector_format"] == "SOCKET"


def test_a_complete_location_needs_nothing_at_hand() -> None:
    over = crossing(V211, V221)

    newer(location(), over)

    assert over.asked == []


def test_members_that_a_sender_ahead_of_its_version_gives_count_where_the_location_has_none() -> None:
    place = newer(location(evse(evse_id=None), evse_id="NL*CPO*E9", connector_id="9"))

    assert (place["evse_id"], place["connector_id"]) == ("NL*CPO*E9", "1")


def test_a_sender_ahead_of_its_version_may_give_the_place_itself() -> None:
    over = crossing(V211, V221)

    assert newer(PLACE, over) == PLACE
    assert told(over) == set()


@pytest.mark.parametrize("place", [None, "L1", []])
def test_a_cdr_needs_a_location(place: object) -> None:
    with pytest.raises(Untranslatable) as refused:
        newer(place)

    assert (refused.value.rule, refused.value.ocpi_status) == ("RF-02", 2001)


@pytest.mark.parametrize("place", [location(id="x" * 37), location(evse(uid="x" * 37))])
def test_an_id_that_is_too_long_is_refused(place: Json) -> None:
    with pytest.raises(Untranslatable, match="RF-01"):
        newer(place)


def test_an_id_that_is_too_long_gets_an_alias_by_agreement() -> None:
    over = crossing(V211, V221, origin=Quirks(id_alias=True))

    place = newer(location(evse(uid="x" * 37), id="y" * 38), over)

    assert place["evse_uid"].startswith("x" * 27 + "~")
    assert told(over) >= {("L-10", "/location/id"), ("L-10", "/location/evses/0/uid")}


# ------------------------------------------------------------------------------------------------ 2.2.1 to 2.1.1


def test_the_place_of_a_cdr_becomes_a_location_as_of_the_start() -> None:
    over = crossing()
    plug = connector(voltage=0, amperage=0, tariff_id="T1", last_updated=START)

    assert older(PLACE, over, "T1") == location(
        evse(plug, status="UNKNOWN", last_updated=START), type="UNKNOWN", last_updated=START
    )
    assert told(over) == {("L-56", "/cdr_location")}
    assert over.asked == [AT_HAND]


def test_what_2_1_1_must_have_comes_from_what_is_at_hand() -> None:
    at_hand = {
        "parking_type": "PARKING_LOT",
        "evses": [{"uid": "e1", "connectors": [{"id": "1", "max_voltage": 400, "max_amperage": 63}]}],
    }

    place = older(PLACE, crossing(known={AT_HAND: at_hand}))

    assert place["type"] == "PARKING_LOT"
    plug = place["evses"][0]["connectors"][0]
    assert (plug["voltage"], plug["amperage"]) == (400, 63)
    assert "tariff_id" not in plug


@pytest.mark.parametrize(
    ("kind", "older_kind"), [("ON_DRIVEWAY", "OTHER"), ("ALONG_MOTORWAY", "OTHER"), (None, "UNKNOWN")]
)
def test_a_kind_of_place_that_2_1_1_does_not_have_is_another_or_unknown(kind: str | None, older_kind: str) -> None:
    assert older(PLACE, crossing(known={AT_HAND: {"parking_type": kind}}))["type"] == older_kind


def test_a_postal_code_must_be_there_and_a_state_must_not() -> None:
    over = crossing()

    place = older({**PLACE, "postal_code": None, "state": "OV"}, over)

    assert place["postal_code"] == "#NA"
    assert "state" not in place
    assert told(over) >= {("L-13", "/cdr_location/postal_code"), ("L-14", "/cdr_location/state")}


def test_a_partner_may_keep_the_state() -> None:
    over = crossing(destination=Quirks(keep_fields=("cdr_location.state",)))

    assert older({**PLACE, "state": "OV"}, over)["state"] == "OV"


def test_coordinates_have_six_decimals() -> None:
    place = older({**PLACE, "coordinates": {"latitude": "52.51234", "longitude": "6.0900016"}})

    assert place["coordinates"] == {"latitude": "52.512340", "longitude": "6.090002"}


@pytest.mark.parametrize("uid", ["#NA", None])
def test_an_evse_that_is_unknown_is_not_there(uid: str | None) -> None:
    assert "evses" not in older({**PLACE, "evse_uid": uid})


def test_an_evse_id_that_is_unknown_is_not_there() -> None:
    assert "evse_id" not in older({**PLACE, "evse_id": "#NA"})["evses"][0]


@pytest.mark.parametrize(
    ("standard", "power_type", "folded"),
    [
        ("GBT_DC", "DC", "IEC_62196_T2_COMBO"),
        ("NEMA_14_50", "AC_1_PHASE", "IEC_62196_T2"),
        ("CHADEMO", "DC", "CHADEMO"),
        ("ODD_PLUG", "DC", "ODD_PLUG"),
    ],
)
def test_a_plug_that_2_1_1_does_not_have_is_folded(standard: str, power_type: str, folded: str) -> None:
    over = crossing()

    place = older({**PLACE, "connector_standard": standard, "connector_power_type": power_type}, over)

    assert place["evses"][0]["connectors"][0]["standard"] == folded
    assert (("L-58", "/cdr_location/connector_standard") in told(over)) is (folded != standard)


def test_two_phases_are_shown_as_one() -> None:
    over = crossing()

    place = older({**PLACE, "connector_power_type": "AC_2_PHASE_SPLIT"}, over)

    assert place["evses"][0]["connectors"][0]["power_type"] == "AC_1_PHASE"
    assert ("L-22", "/cdr_location/connector_power_type") in told(over)


def test_a_partner_may_get_values_that_2_1_1_does_not_have() -> None:
    over = crossing(destination=Quirks(enum_passthrough=True))

    place = older({**PLACE, "connector_standard": "GBT_AC", "connector_power_type": "AC_2_PHASE"}, over)

    plug = place["evses"][0]["connectors"][0]
    assert (plug["standard"], plug["power_type"]) == ("GBT_AC", "AC_2_PHASE")


def test_the_owner_is_named_as_operator() -> None:
    over = crossing(owner_details={"name": "Société"}, destination=Quirks(ascii_only=True))

    assert older(PLACE, over)["operator"] == {"name": "Societe"}
    assert ("L-27", "/cdr_location") in told(over)


def test_an_operator_is_not_named_where_one_is_or_where_the_partner_does_not_want_it() -> None:
    here = {**PLACE, "operator": {"name": "Other"}}

    assert older(here, crossing(owner_details={"name": "Owner"}))["operator"] == {"name": "Other"}
    over = crossing(owner_details={"name": "Owner"}, destination=Quirks(fill_operator=False))
    assert "operator" not in older(PLACE, over)


def test_members_of_neither_version_stay() -> None:
    assert older({**PLACE, "nearest_pub": "De Kade"})["nearest_pub"] == "De Kade"


@pytest.mark.parametrize(
    ("times", "since"),
    [
        ({"start_date_time": START, "last_updated": BEFORE}, START),
        ({"last_updated": BEFORE}, BEFORE),
        ({}, "2024-06-01T12:00:00Z"),
    ],
)
def test_a_place_is_as_of_the_first_moment_that_is_known(times: Json, since: str) -> None:
    body = {**times, "location": PLACE}

    cdr_locations.cdr_location_to_location(body, None, crossing())

    assert body["location"]["last_updated"] == since


def test_a_cdr_needs_a_place() -> None:
    with pytest.raises(Untranslatable, match="RF-02"):
        older(None)


def test_the_place_that_came_in_is_not_changed() -> None:
    there, here = location(country="NL"), {**PLACE, "state": "OV"}
    before = copy.deepcopy((there, here))

    newer(there)
    older(here)
    cdr_locations.to_2_2(here, crossing(V221, V22))

    assert (there, here) == before


# ------------------------------------------------------------------------------------------------ the others


def test_a_postal_code_that_2_2_must_have_says_that_it_is_unknown() -> None:
    place = {"id": "L1", "postal_code": None}

    assert cdr_locations.to_2_2(place, crossing(V221, V22)) == {"id": "L1", "postal_code": "#NA"}
    assert cdr_locations.from_2_2({"id": "L1", "postal_code": "#NA"}, crossing(V22, V221)) == {"id": "L1"}
    assert lost(cdr_locations.to_2_2, place, crossing(V221, V22)) == {("M-84", "/postal_code")}


def test_a_postal_code_passes_both_ways_to_2_2() -> None:
    assert cdr_locations.to_2_2(PLACE, crossing(V221, V22)) == PLACE
    assert cdr_locations.from_2_2(PLACE, crossing(V22, V221)) == PLACE


def test_a_state_is_for_parties_of_2_2_that_want_it() -> None:
    place = {**PLACE, "state": "OV"}

    assert cdr_locations.to_2_2(place, crossing(V221, V22)) == PLACE
    assert lost(cdr_locations.to_2_2, place, crossing(V221, V22)) == {("M-85", "/state")}
    assert cdr_locations.to_2_2(place, crossing(V221, V22, destination=Quirks(additive="keep"))) == place


def test_two_phases_are_shown_as_one_to_2_2() -> None:
    place = {**PLACE, "connector_power_type": "AC_2_PHASE"}
    agreed = Quirks(extra_enum_values={"PowerType": ("AC_2_PHASE",)})

    assert cdr_locations.to_2_2(place, crossing(V221, V22))["connector_power_type"] == "AC_1_PHASE"
    assert lost(cdr_locations.to_2_2, place, crossing(V221, V22)) == {("M-90", "/connector_power_type")}
    assert cdr_locations.to_2_2(place, crossing(V221, V22, destination=agreed)) == place


def plug_of(place: Json) -> object:
    return place["connector_standard"]


@pytest.mark.parametrize(("standard", "is_told"), [("GBT_DC", True), ("ODD_PLUG", False), ("CHADEMO", False)])
def test_a_plug_that_2_2_does_not_have_passes(standard: str, is_told: bool) -> None:
    over = crossing(V221, V22)

    assert plug_of(cdr_locations.to_2_2({**PLACE, "connector_standard": standard}, over)) == standard
    assert told(over) == ({("M-36", "/connector_standard")} if is_told else set())


@pytest.mark.parametrize(("standard", "is_told"), [("MCS", True), ("ODD_PLUG", True), ("GBT_DC", False)])
def test_a_plug_that_2_2_1_does_not_have_passes(standard: str, is_told: bool) -> None:
    over = crossing(V230, V221)

    assert plug_of(cdr_locations.from_2_3_0({**PLACE, "connector_standard": standard}, over)) == standard
    assert told(over) == ({("M-36", "/connector_standard")} if is_told else set())


def test_a_partner_may_name_a_plug_that_stands_for_unknown_ones() -> None:
    agreed = Quirks(cdr_unknown_connector="CHADEMO")

    newest = cdr_locations.from_2_3_0({**PLACE, "connector_standard": "MCS"}, crossing(V230, V221, destination=agreed))
    oldest = cdr_locations.to_2_2({**PLACE, "connector_standard": "GBT_DC"}, crossing(V221, V22, destination=agreed))

    assert plug_of(newest) == plug_of(oldest) == "CHADEMO"


def test_a_partner_may_know_a_plug_beyond_its_version() -> None:
    over = crossing(V230, V221, destination=Quirks(extra_enum_values={"ConnectorType": ("SAE_J3400",)}))

    assert plug_of(cdr_locations.from_2_3_0({**PLACE, "connector_standard": "SAE_J3400"}, over)) == "SAE_J3400"
    assert told(over) == set()


def test_the_north_american_plug_has_an_older_name() -> None:
    over = crossing(V230, V221)

    assert plug_of(cdr_locations.from_2_3_0({**PLACE, "connector_standard": "SAE_J3400"}, over)) == "TESLA_S"
    assert told(over) == {("M-32", "/connector_standard")}


def test_a_connector_without_an_id_is_none_of_those_at_hand() -> None:
    at_hand = {"evses": [{"uid": "E1", "connectors": [{"max_voltage": 400}]}]}
    place = {name: value for name, value in PLACE.items() if name != "connector_id"}

    [there] = older(place, crossing(known={AT_HAND: at_hand}))["evses"]

    assert there["connectors"][0]["voltage"] == 0
