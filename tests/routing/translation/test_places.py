"""Coordinates, opening hours, energy mix and images."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from routing.quirks import Quirks
from routing.translation import places
from routing.translation.crossing import Crossing
from routing.vocabulary import Version
from tests.routing.translation.crossings import crossing, losses_of, lost


def upwards() -> Crossing:
    return crossing(Version.V2_1_1, Version.V2_2_1)


def from_2_3_0(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_3_0, Version.V2_2_1, **more)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("10.01234", "10.012340"),
        ("53.3512345", "53.351235"),
        ("53.3512344", "53.351234"),
        ("-53.3512345", "-53.351235"),
        ("-0.0000004", "0.000000"),
        ("0.0000005", "0.000001"),
        ("179.9999999", "180.000000"),
        ("52", "52.000000"),
    ],
)
def test_2_1_1_gets_six_decimals_rounded_half_away_from_zero(written: str, expected: str) -> None:
    over = crossing()
    body = {"latitude": written, "longitude": "6.090001"}
    assert places.point_to_2_1_1(body, over) == {"latitude": expected, "longitude": "6.090001"}
    assert losses_of(over) == [("L-15", "/latitude")]


@pytest.mark.parametrize(
    "written", ["52.512345", "-6.090001", "-0.000000", "north", "1e5", "1234.5", "", None, Decimal("4.9")]
)
def test_coordinates_with_six_decimals_and_what_are_none_stay(written: object) -> None:
    body = {"latitude": written, "longitude": written}
    over = crossing()
    assert places.point_to_2_1_1(body, over) == body
    assert over.losses == []


def test_the_name_of_a_point_is_spelled_in_ascii_for_a_receiver_that_wants_it() -> None:
    point = {"latitude": "52.512345", "longitude": "6.090001", "name": {"language": "fr", "text": "Entrée"}}
    over = crossing(destination=Quirks(ascii_only=True))
    assert places.point_to_2_1_1(point, over)["name"] == {"language": "fr", "text": "Entree"}
    assert losses_of(over) == [("L-03", "/name/text")]


@pytest.mark.parametrize(
    ("hours", "always"),
    [
        ({}, True),
        ({"twentyfourseven": None}, True),
        ({"regular_hours": []}, True),
        ({"regular_hours": [{"weekday": 1}]}, False),
        ({"exceptional_openings": [{"period_begin": "2024-01-01T00:00:00Z"}]}, False),
        ({"exceptional_closings": [{"period_begin": "2024-01-01T00:00:00Z"}]}, True),
    ],
)
def test_hours_of_2_1_1_say_whether_it_is_always_open(hours: dict[str, Any], always: bool) -> None:
    over = upwards()
    assert places.hours_from_2_1_1(hours, over) == {**hours, "twentyfourseven": always}
    assert losses_of(over) == [("L-25", "/twentyfourseven")]


def test_regular_hours_beside_always_open_contradict_it_and_go() -> None:
    over = upwards()
    hours = {"twentyfourseven": True, "regular_hours": [{"weekday": 1}]}
    assert places.hours_from_2_1_1(hours, over) == {"twentyfourseven": True}
    assert losses_of(over) == [("L-25", "/regular_hours")]


def test_hours_that_say_they_are_not_always_stay_also_without_any() -> None:
    over = upwards()
    assert places.hours_from_2_1_1({"twentyfourseven": False}, over) == {"twentyfourseven": False}
    assert over.losses == []


def test_2_1_1_gets_both_members_of_hours_as_they_are() -> None:
    hours = {"twentyfourseven": True, "regular_hours": [{"weekday": 1}]}
    assert places.hours_to_2_1_1(hours, crossing()) == hours


def test_moments_of_exceptional_hours_lose_their_fraction_for_a_receiver_that_cannot_read_it() -> None:
    over = crossing(destination=Quirks(no_fraction=True))
    hours = {"exceptional_closings": [{"period_begin": "2024-12-25T00:00:00.5Z", "period_end": "2024-12-26T00:00:00Z"}]}
    assert places.hours_to_2_1_1(hours, over)["exceptional_closings"][0]["period_begin"] == "2024-12-25T00:00:00Z"
    assert losses_of(over) == [("L-02", "/exceptional_closings/0/period_begin")]


def test_the_kind_of_an_environmental_impact_is_its_source_in_2_1_1_and_its_category_later() -> None:
    older = {"is_green_energy": False, "environ_impact": [{"source": "CARBON_DIOXIDE", "amount": Decimal("210.5")}]}
    newer = {"is_green_energy": False, "environ_impact": [{"category": "CARBON_DIOXIDE", "amount": Decimal("210.5")}]}
    assert places.energy_mix_from_2_1_1(older, upwards()) == newer
    assert places.energy_mix_to_2_1_1(newer, crossing()) == older


def test_an_impact_that_has_the_name_of_the_other_version_already_keeps_it() -> None:
    mix = {"environ_impact": [{"category": "NUCLEAR_WASTE", "amount": 1}]}
    assert places.energy_mix_from_2_1_1(mix, upwards()) == mix


def test_where_an_impact_has_both_names_that_of_its_version_counts() -> None:
    mix = {"environ_impact": [{"source": "NUCLEAR_WASTE", "category": "CARBON_DIOXIDE"}]}
    assert places.energy_mix_from_2_1_1(mix, upwards()) == {"environ_impact": [{"category": "NUCLEAR_WASTE"}]}


def test_names_in_an_energy_mix_are_spelled_in_ascii_for_a_receiver_that_wants_it() -> None:
    over = crossing(destination=Quirks(ascii_only=True))
    mix = {"supplier_name": "Grüner Strom", "energy_product_name": "Öko"}
    assert places.energy_mix_to_2_1_1(mix, over) == {"supplier_name": "Gruner Strom", "energy_product_name": "Oko"}


def test_an_impact_that_2_2_1_does_not_have_is_left_out() -> None:
    mix = {"environ_impact": [{"category": "METHANE"}, {"category": "NUCLEAR_WASTE"}, 7]}
    over = from_2_3_0()
    assert places.energy_mix_from_2_3_0(mix, over) == {"environ_impact": [{"category": "NUCLEAR_WASTE"}, 7]}
    assert losses_of(over) == [("M-31", "/environ_impact/0")]


def test_an_image_of_a_kind_that_2_2_1_does_not_have_is_another_one() -> None:
    assert places.image_from_2_3_0({"category": "FLOORPLAN"}, from_2_3_0()) == {"category": "OTHER"}
    assert lost(places.image_from_2_3_0, {"category": "FLOORPLAN"}, from_2_3_0()) == {("M-30", "/category")}


@pytest.mark.parametrize("category", ["CHARGER", "ENTRANCE", "LOCATION", "NETWORK", "OPERATOR", "OTHER", "OWNER"])
def test_the_images_of_2_2_1_stay_what_they_are(category: str) -> None:
    over = from_2_3_0()
    assert places.image_from_2_3_0({"category": category}, over) == {"category": category}
    assert over.losses == []


def test_what_the_receiver_agreed_to_stays() -> None:
    agreed = Quirks(extra_enum_values={"ImageCategory": ("FLOORPLAN",), "EnvironmentalImpactCategory": ("METHANE",)})
    over = from_2_3_0(destination=agreed)
    image, mix = {"category": "FLOORPLAN"}, {"environ_impact": [{"category": "METHANE"}]}
    assert places.image_from_2_3_0(image, over) == image
    assert places.energy_mix_from_2_3_0(mix, over) == mix
    assert over.losses == []


def test_the_logo_of_business_details_is_an_image_too() -> None:
    over = from_2_3_0()
    details = {"name": "CPO", "logo": {"category": "MASCOT"}}
    assert places.business_details_from_2_3_0(details, over) == {"name": "CPO", "logo": {"category": "OTHER"}}
    assert losses_of(over) == [("M-30", "/logo/category")]


@pytest.mark.parametrize(("country", "code"), [("NL", "NLD"), ("NLD", "NLD"), ("nl", "nl"), ("XX", "XX"), ("", "")])
def test_only_a_known_code_of_two_letters_becomes_one_of_three(country: str, code: str) -> None:
    assert places.alpha_3(country) == code


def test_a_country_of_two_letters_is_widened_and_told() -> None:
    over = upwards()
    body = {"country": "DE"}
    places.country_from_2_1_1(body, over)
    assert body == {"country": "DEU"}
    assert losses_of(over) == [("L-26", "/country")]
