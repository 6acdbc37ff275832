"""Locations between 2.1.1 and 2.2.1, and what holds for every step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import locations
from routing.translation.crossing import Crossing, Step
from routing.translation.enums import VALUES
from routing.translation.questions import LocationAtHand
from routing.vocabulary import Version
from tests.routing.translation.crossings import CPO, crossing

UPDATED = "2024-02-01T00:00:00Z"
RECEIVED = "2024-06-01T12:00:00Z"
ADDRESS = "Carretera de la Universitat Autonoma de Barcelona 118, nau B"
FACILITIES = VALUES["Facility"]


def upwards(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_1_1, Version.V2_2_1, **more)


def to_2_2(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_2_1, Version.V2_2, **more)


def to_2_3_0(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_2_1, Version.V2_3_0, **more)


def from_2_3_0(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_3_0, Version.V2_2_1, **more)


def older(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a Location
    """A Location of 2.1.1 that loses nothing but what is tested."""
    return {"id": "L1", "type": "ON_STREET", "postal_code": "8011", "time_zone": "Europe/Paris", **more}


def newer(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a Location
    """A Location of 2.2.1 that loses nothing but what is tested."""
    return {"id": "L1", "parking_type": "ON_STREET", "postal_code": "8011", "time_zone": "Europe/Paris", **more}


def losses(over: Crossing, *, but: str = "") -> set[tuple[str, str]]:
    return {(loss.id, loss.pointer) for loss in over.losses if loss.id != but}


# From 2.1.1


def test_a_location_of_2_1_1_gets_an_owner_and_is_published() -> None:
    over = upwards()
    assert locations.from_2_1_1(older(what3words="a.b.c", last_updated=UPDATED), over) == {
        **newer(what3words="a.b.c", last_updated=UPDATED),
        "country_code": "NL",
        "party_id": "CPO",
        "publish": True,
    }
    assert losses(over) == {("L-18", "/publish")}


def test_a_patch_of_2_1_1_gets_no_defaults_but_a_time() -> None:
    over = upwards(patch=True)
    assert locations.from_2_1_1({"name": "West"}, over) == {"name": "West", "last_updated": RECEIVED}
    assert losses(over) == {("L-07", "/last_updated")}


def test_the_owner_is_never_the_one_that_a_2_1_1_body_names() -> None:
    location = locations.from_2_1_1(older(country_code="FR", party_id="XYZ"), upwards())
    assert (location["country_code"], location["party_id"]) == ("NL", "CPO")
    over = upwards(patch=True)
    assert locations.from_2_1_1({"party_id": "XYZ", "last_updated": UPDATED}, over) == {"last_updated": UPDATED}
    assert losses(over) == {("L-01", "/party_id")}


def test_a_2_1_1_sender_that_is_ahead_keeps_its_newer_members_if_they_are_valid() -> None:
    body = {"id": "L1", "publish": False, "parking_type": "ALONG_MOTORWAY", "state": 7, "time_zone": "Europe/Paris"}
    over = upwards()
    location = locations.from_2_1_1(body, over)
    assert (location["publish"], location["parking_type"]) == (False, "ALONG_MOTORWAY")
    assert losses(over) == {("L-01", "/state")}


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_a_publish_that_is_none_counts_as_missing(value: object) -> None:
    assert locations.from_2_1_1(older(publish=value), upwards())["publish"] is True


@pytest.mark.parametrize("kind", sorted(VALUES["ParkingType"][Version.V2_1_1]))
def test_the_kinds_of_places_of_both_versions_stay(kind: str) -> None:
    over, down = upwards(), crossing()
    assert locations.from_2_1_1(older(type=kind), over)["parking_type"] == kind
    assert locations.to_2_1_1(newer(parking_type=kind), down)["type"] == kind
    assert losses(over, but="L-18") == losses(down) == set()


@pytest.mark.parametrize("kind", ["OTHER", "UNKNOWN"])
def test_a_place_of_no_kind_has_none_and_in_a_patch_no_longer(kind: str) -> None:
    over, patch = upwards(), upwards(patch=True)
    assert "parking_type" not in locations.from_2_1_1(older(type=kind), over)
    assert losses(over, but="L-18") == {("L-11", "/type")}
    body = {"type": kind, "last_updated": UPDATED}
    assert locations.from_2_1_1(body, patch) == {"parking_type": None, "last_updated": UPDATED}


def test_a_kind_that_neither_version_has_is_for_the_receiver_to_judge() -> None:
    assert locations.from_2_1_1(older(type="ROOF"), upwards())["parking_type"] == "ROOF"


def test_a_receiver_that_wants_values_as_they_are_gets_them() -> None:
    over = upwards(destination=Quirks(enum_passthrough=True))
    assert locations.from_2_1_1(older(type="OTHER"), over)["parking_type"] == "OTHER"


@pytest.mark.parametrize("code", ["#NA", ""])
def test_a_postal_code_that_says_nothing_is_none(code: str) -> None:
    assert "postal_code" not in locations.from_2_1_1(older(postal_code=code), upwards())
    patch = {"postal_code": code, "last_updated": UPDATED}
    assert locations.from_2_1_1(patch, upwards(patch=True)) == {"postal_code": None, "last_updated": UPDATED}


def test_a_country_of_two_letters_gets_three() -> None:
    over = upwards()
    assert locations.from_2_1_1(older(country="FR"), over)["country"] == "FRA"
    assert losses(over, but="L-18") == {("L-26", "/country")}


@pytest.mark.parametrize("body", [{"id": "x" * 38}, {"id": "L1", "evses": [{"uid": "x" * 39}]}])
def test_a_location_with_an_id_too_long_for_2_2_1_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable, match="RF-01"):
        locations.from_2_1_1(body, upwards())


def test_hours_and_energy_inside_of_a_patch_are_whole() -> None:
    over = upwards(patch=True)
    body = {
        "opening_times": {"regular_hours": [{"weekday": 1, "period_begin": "07:00", "period_end": "19:00"}]},
        "energy_mix": {"environ_impact": [{"source": "CARBON_DIOXIDE", "amount": Decimal("210.0")}]},
        "last_updated": UPDATED,
    }
    assert locations.from_2_1_1(body, over) == {
        "opening_times": {**body["opening_times"], "twentyfourseven": False},  # type: ignore[dict-item]  # it is a dict
        "energy_mix": {"environ_impact": [{"category": "CARBON_DIOXIDE", "amount": Decimal("210.0")}]},
        "last_updated": UPDATED,
    }
    assert losses(over) == {("L-25", "/opening_times/twentyfourseven")}


# The time zone of a Location from 2.1.1


def _zone(over: Crossing, **more: Any) -> Any:  # noqa: ANN401 - members of a Location, and what it has
    return locations.from_2_1_1(older(**{"time_zone": None, **more}), over)["time_zone"]


BEFORE = {LocationAtHand(CPO, "L1"): {"time_zone": "Europe/Lisbon"}}
MALLORCA = {"country": "ESP", "coordinates": {"latitude": "39.57", "longitude": "2.65"}}
TENERIFE = {"country": "ES", "coordinates": {"latitude": "28.291", "longitude": "-16.629"}}


def test_a_country_with_one_clock_needs_nothing_else_to_be_known() -> None:
    over = upwards()
    assert _zone(over, country="DEU") == "Europe/Berlin"
    assert over.asked == []
    assert losses(over, but="L-18") == {("L-17", "/time_zone")}


def test_the_zone_that_a_location_had_before_comes_first() -> None:
    settings = Quirks(default_time_zone="Europe/Madrid")
    assert _zone(upwards(known=BEFORE), **TENERIFE) == "Europe/Lisbon"
    assert _zone(upwards(known=BEFORE, origin=settings), country="DEU") == "Europe/Lisbon"


def test_the_zone_of_its_owners_settings_comes_before_those_of_the_country() -> None:
    settings = Quirks(default_time_zone="Europe/Madrid")
    assert _zone(upwards(origin=settings), country="DEU") == "Europe/Madrid"
    assert _zone(upwards(origin=settings), **TENERIFE) == "Europe/Madrid"


def test_of_several_zones_of_a_country_it_is_the_nearest() -> None:
    assert _zone(upwards(), **MALLORCA) == "Europe/Madrid"
    assert _zone(upwards(), **TENERIFE) == "Atlantic/Canary"


@pytest.mark.parametrize(
    "place",
    [
        {"country": "XXX", "coordinates": {"latitude": "1.0", "longitude": "1.0"}},
        {"country": "ESP"},
        {"country": "ESP", "coordinates": {"latitude": "north"}},
        {"country": "ESP", "coordinates": {"latitude": 10**400, "longitude": "1.0"}},
        {"country": "ESP", "coordinates": {"latitude": "inf", "longitude": ["1"]}},
        {"country": 7},
        {},
    ],
)
def test_a_zone_that_nobody_can_tell_is_not_available(place: dict[str, Any]) -> None:
    over = upwards()
    assert _zone(over, **place) == "#NA"
    assert losses(over, but="L-18") == {("L-05", "/time_zone")}


def test_a_patch_cannot_take_the_zone_away() -> None:
    assert locations.from_2_1_1({"time_zone": None}, upwards(patch=True)) == {}


# To 2.1.1


def test_2_1_1_gets_neither_owner_nor_publishing_nor_state() -> None:
    over = crossing()
    body = newer(
        country_code="NL", party_id="CPO", publish=True, publish_allowed_to=[{"uid": "A"}], state="Gelre", floors=2
    )
    assert locations.to_2_1_1(body, over) == older(floors=2)
    assert losses(over) == {
        ("L-06", "/country_code"),
        ("L-06", "/party_id"),
        ("L-19", "/publish"),
        ("L-19", "/publish_allowed_to"),
        ("L-14", "/state"),
    }


def test_2_1_1_gets_the_members_it_wants_all_the_same() -> None:
    over = crossing(destination=Quirks(keep_fields=("*.party_id", "location.state", "cdr.country_code")))
    body = newer(country_code="NL", party_id="CPO", state="Gelre")
    assert locations.to_2_1_1(body, over) == older(party_id="CPO", state="Gelre")
    assert losses(over) == {("L-06", "/country_code")}


@pytest.mark.parametrize("kind", ["ALONG_MOTORWAY", "ON_DRIVEWAY"])
def test_a_kind_that_2_1_1_does_not_have_is_another_one(kind: str) -> None:
    over = crossing(patch=True)
    assert locations.to_2_1_1({"parking_type": kind}, over) == {"type": "OTHER"}
    assert losses(over) == {("L-12", "/parking_type")}
    agreed = crossing(destination=Quirks(extra_enum_values={"ParkingType": (kind,)}))
    assert locations.to_2_1_1(newer(parking_type=kind), agreed)["type"] == kind


def test_a_place_of_no_kind_is_of_an_unknown_one() -> None:
    for body in ({"postal_code": "1"}, {"parking_type": None, "postal_code": "1"}):
        over = crossing()
        assert locations.to_2_1_1(body, over) == {"type": "UNKNOWN", "postal_code": "1"}
        assert losses(over) == {("L-12", "/parking_type")}
    assert locations.to_2_1_1({"parking_type": None}, crossing(patch=True)) == {"type": "UNKNOWN"}
    assert locations.to_2_1_1({"name": "x"}, crossing(patch=True)) == {"name": "x"}


def test_a_newer_sender_that_is_behind_keeps_its_type_if_2_1_1_has_it() -> None:
    assert locations.to_2_1_1({"type": "PARKING_LOT"}, crossing())["type"] == "PARKING_LOT"
    over = crossing()
    assert locations.to_2_1_1({"type": "SHED", "postal_code": "1"}, over) == {"type": "UNKNOWN", "postal_code": "1"}
    assert losses(over) == {("L-01", "/type"), ("L-12", "/parking_type")}


def test_2_1_1_always_has_a_postal_code() -> None:
    over = crossing()
    assert locations.to_2_1_1({"type": "OTHER"}, over) == {"type": "OTHER", "postal_code": "#NA"}
    assert losses(over) == {("L-13", "/postal_code")}
    assert locations.to_2_1_1({"postal_code": None}, crossing(patch=True)) == {"postal_code": "#NA"}


@pytest.mark.parametrize("patch", [False, True])
def test_a_zone_that_is_not_available_may_be_missing_in_2_1_1(patch: bool) -> None:
    assert "time_zone" not in locations.to_2_1_1(newer(time_zone="#NA"), crossing(patch=patch))


def test_an_address_is_cut_to_45_characters() -> None:
    over = crossing()
    body = newer(address="Raststätte Nordheide West, Bundesautobahn 7 Kilometer 31")
    assert locations.to_2_1_1(body, over)["address"] == "Raststätte Nordheide West, Bundesautobahn 7 K"
    assert losses(over) == {("L-04", "/address")}


@pytest.mark.parametrize("facility", [*sorted(FACILITIES[Version.V2_1_1]), "SAUNA"])
def test_a_facility_of_both_versions_or_of_none_passes_to_2_1_1(facility: str) -> None:
    assert locations.to_2_1_1(newer(facilities=[facility]), crossing()) == older(facilities=[facility])


@pytest.mark.parametrize("facility", sorted(FACILITIES[Version.V2_2_1] - FACILITIES[Version.V2_1_1]))
def test_a_facility_that_2_1_1_does_not_have_goes_and_may_leave_an_empty_list(facility: str) -> None:
    over = crossing(patch=True)
    assert locations.to_2_1_1({"facilities": [facility]}, over) == {"facilities": []}
    assert losses(over) == {("L-16", "/facilities/0")}


def test_places_hours_and_energy_are_those_of_2_1_1() -> None:
    over = crossing()
    body = newer(
        coordinates={"latitude": "53.3512345", "longitude": "10.012340"},
        related_locations=[{"latitude": "53.35123", "longitude": "10.012340"}],
        opening_times={"twentyfourseven": True},
        energy_mix={"environ_impact": [{"category": "NUCLEAR_WASTE", "amount": 1}]},
    )
    assert locations.to_2_1_1(body, over) == older(
        coordinates={"latitude": "53.351235", "longitude": "10.012340"},
        related_locations=[{"latitude": "53.351230", "longitude": "10.012340"}],
        opening_times={"twentyfourseven": True},
        energy_mix={"environ_impact": [{"source": "NUCLEAR_WASTE", "amount": 1}]},
    )
    assert losses(over) == {("L-15", "/coordinates/latitude"), ("L-15", "/related_locations/0/latitude")}


@pytest.mark.parametrize("operator", [{}, {"operator": None}])
def test_a_missing_operator_is_the_owner(operator: dict[str, Any]) -> None:
    over = crossing(owner_details={"name": "Voltéa"})
    assert locations.to_2_1_1(newer(**operator), over) == older(operator={"name": "Voltéa"})
    assert losses(over) == {("L-27", "/operator")}


def test_the_operator_is_not_filled_in_a_patch_or_where_it_is_not_wanted_or_there() -> None:
    details = {"name": "CPO"}
    assert "operator" not in locations.to_2_1_1({"name": "x"}, crossing(owner_details=details, patch=True))
    unwanted = crossing(owner_details=details, destination=Quirks(fill_operator=False))
    assert "operator" not in locations.to_2_1_1(newer(), unwanted)
    there = newer(operator={"name": "Someone"})
    assert locations.to_2_1_1(there, crossing(owner_details=details))["operator"] == {"name": "Someone"}


def test_texts_are_spelled_in_ascii_for_a_receiver_that_wants_it() -> None:
    over = crossing(destination=Quirks(ascii_only=True), owner_details={"name": "Voltéa"})
    body = newer(
        name="Café",
        city="Zürich",
        directions=[{"language": "fr", "text": "à côté"}],
        owner={"name": "Ström", "website": "https://ström.example"},
    )
    assert locations.to_2_1_1(body, over) == older(
        name="Cafe",
        city="Zurich",
        directions=[{"language": "fr", "text": "a cote"}],
        owner={"name": "Strom", "website": "https://ström.example"},
        operator={"name": "Voltea"},
    )


def test_an_evse_without_a_plug_of_2_1_1_is_left_out() -> None:
    over = crossing()
    body = newer(evses=[{"uid": "1", "connectors": [{"standard": "GBT_DC"}]}, {"uid": "2", "connectors": []}, "?"])
    assert locations.to_2_1_1(body, over)["evses"] == [{"uid": "2", "connectors": []}, "?"]
    assert losses(over) == {("L-21", "/evses/0/connectors/0"), ("L-21", "/evses/0")}


def test_a_session_may_name_a_location_that_is_not_published_and_all_its_plugs() -> None:
    over = crossing()
    body = newer(publish=False, evses=[{"uid": "1", "connectors": [{"standard": "GBT_DC", "power_type": "DC"}]}])
    evses = locations.embedded_to_2_1_1(body, over)["evses"]
    assert evses == [{"uid": "1", "connectors": [{"standard": "IEC_62196_T2_COMBO", "power_type": "DC"}]}]
    assert losses(over) == {("L-19", "/publish"), ("L-58", "/evses/0/connectors/0/standard")}


STEPS = [
    (locations.from_2_1_1, upwards),
    (locations.to_2_1_1, crossing),
    (locations.to_2_2, to_2_2),
    (locations.to_2_3_0, to_2_3_0),
    (locations.from_2_3_0, from_2_3_0),
]


@pytest.mark.parametrize(("step", "make"), STEPS)
def test_a_step_leaves_its_input_as_it_is(step: Step, make: Callable[..., Crossing]) -> None:
    body = {
        "id": "P1",
        "parking_type": "ON_STREET",
        "evses": [{"uid": "X", "connectors": [{"id": "1", "max_voltage": 230, "voltage": 230}]}],
        "type": "OTHER",
        "country": "NL",
        "address": ADDRESS,
        "facilities": ["TRAM_STOP", "SAUNA"],
        "coordinates": {"latitude": "1.1", "longitude": "1.1"},
        "opening_times": {"regular_hours": []},
        "energy_mix": {"environ_impact": [{"category": "METHANE", "source": "COAL"}]},
        "images": [{"category": "MAP"}],
        "publish_allowed_to": [{"type": "EMAID"}],
    }
    before = copy.deepcopy(body)
    step(body, make(destination=Quirks(ascii_only=True)))
    assert body == before


@pytest.mark.parametrize(("step", "make"), STEPS)
@pytest.mark.parametrize("odd", [7, "?", None, [], {}, [7, None, {}], {"x": []}, Decimal("1.5"), True])
@pytest.mark.parametrize("patch", [False, True])
def test_values_of_any_type_are_left_for_the_receiver_to_judge(
    step: Step, make: Callable[..., Crossing], odd: object, patch: bool
) -> None:
    names = [
        "id",
        "parking_type",
        "postal_code",
        "evses",
        "last_updated",
        "type",
        "country",
        "address",
        "facilities",
        "coordinates",
        "opening_times",
        "energy_mix",
        "images",
    ]
    names += ["operator", "publish_allowed_to", "related_locations", "time_zone", "directions"]
    step(dict.fromkeys(names, odd), make(patch=patch))
    part = dict.fromkeys(["standard", "power_type", "tariff_ids", "tariff_id", "capabilities", "connectors"], odd)
    part |= dict.fromkeys(["parking_restrictions", "status_schedule", "coordinates", "uid"], odd)
    assert step({"evses": [part, {"connectors": [part]}]}, make(patch=patch))["evses"]
