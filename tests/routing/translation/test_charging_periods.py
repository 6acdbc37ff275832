"""Charging periods between versions. OCPI 2.1.1, 2.2.1 and 2.3.0, "CDRs"."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from routing.quirks import Quirks
from routing.translation import charging_periods
from routing.vocabulary import Version
from tests.routing.translation.crossings import crossing, lost

UP = (Version.V2_1_1, Version.V2_2_1)
DOWN = (Version.V2_2_1, Version.V2_1_1)
OLDER = (Version.V2_3_0, Version.V2_2_1)
START = "2024-06-01T10:00:00Z"
NOTHING_MEASURED = {"type": "TIME", "volume": 0}


def period(*types: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "start_date_time": START,
        "dimensions": [{"type": name, "volume": Decimal("1.50")} for name in types],
    } | more


def types_of(body: dict[str, Any]) -> list[str]:
    return [dimension["type"] for dimension in body["dimensions"]]


def test_a_flat_fee_is_no_quantity_in_2_2_1() -> None:
    body = period("FLAT", "ENERGY")

    assert types_of(charging_periods.from_2_1_1(body, crossing(*UP))) == ["ENERGY"]
    assert lost(charging_periods.from_2_1_1, body, crossing(*UP)) == {("L-39", "/dimensions/0")}
    assert types_of(body) == ["FLAT", "ENERGY"]


def test_a_period_of_just_a_flat_fee_stays_between_its_neighbours() -> None:
    over = crossing(*UP)

    assert charging_periods.from_2_1_1(period("FLAT"), over)["dimensions"] == [NOTHING_MEASURED]
    assert [loss.id for loss in over.losses] == ["L-39", "L-41"]


def test_a_period_without_dimensions_gets_none() -> None:
    over = crossing(*UP)

    assert charging_periods.from_2_1_1(period(), over) == period()
    assert over.losses == []


@pytest.mark.parametrize(
    "name",
    [
        "CURRENT",
        "ENERGY_EXPORT",
        "ENERGY_IMPORT",
        "MAX_POWER",
        "MIN_POWER",
        "POWER",
        "RESERVATION_TIME",
        "STATE_OF_CHARGE",
    ],
)
def test_a_quantity_that_2_1_1_does_not_have_is_left_out(name: str) -> None:
    body = period("ENERGY", name)

    assert types_of(charging_periods.to_2_1_1(body, crossing(*DOWN))) == ["ENERGY"]
    assert lost(charging_periods.to_2_1_1, body, crossing(*DOWN)) == {("L-40", "/dimensions/1")}


@pytest.mark.parametrize("name", ["ENERGY", "MAX_CURRENT", "MIN_CURRENT", "PARKING_TIME", "TIME", "WATER"])
def test_a_quantity_of_both_versions_or_of_neither_stays(name: str) -> None:
    body = period(name)

    assert charging_periods.to_2_1_1(body, crossing(*DOWN)) == body
    assert charging_periods.from_2_1_1(body, crossing(*UP)) == body
    assert charging_periods.from_2_3_0(body, crossing(*OLDER)) == body


def test_time_of_a_reservation_is_not_parking_time_in_2_1_1() -> None:
    assert charging_periods.to_2_1_1(period("RESERVATION_TIME"), crossing(*DOWN))["dimensions"] == [NOTHING_MEASURED]
    assert lost(charging_periods.to_2_1_1, period("RESERVATION_TIME"), crossing(*DOWN)) == {
        ("L-40", "/dimensions/0"),
        ("L-41", "/dimensions"),
    }


def test_a_partner_may_take_all_quantities() -> None:
    over = crossing(*DOWN, destination=Quirks(enum_passthrough=True))

    assert charging_periods.to_2_1_1(period("POWER"), over) == period("POWER")


def test_the_tariff_of_a_period_is_lost_in_2_1_1() -> None:
    body = period("ENERGY", tariff_id="T1")

    assert charging_periods.to_2_1_1(body, crossing(*DOWN)) == period("ENERGY")
    assert lost(charging_periods.to_2_1_1, body, crossing(*DOWN)) == {("L-42", "/tariff_id")}


def test_a_partner_of_2_1_1_may_take_the_tariff_of_a_period() -> None:
    over = crossing(*DOWN, destination=Quirks(keep_fields=("charging_period.tariff_id",)))

    assert charging_periods.to_2_1_1(period("ENERGY", tariff_id="T1"), over) == period("ENERGY", tariff_id="T1")


def test_periods_from_2_1_1_get_the_tariff_that_applied() -> None:
    body = {"charging_periods": [period("ENERGY"), period("TIME", tariff_id="OWN"), period("TIME", tariff_id=None)]}
    over = crossing(*UP)

    charging_periods.all_from_2_1_1(body, "T1", over)

    assert [each["tariff_id"] for each in body["charging_periods"]] == ["T1", "OWN", "T1"]
    assert [loss.pointer for loss in over.losses] == ["/charging_periods/0/tariff_id", "/charging_periods/2/tariff_id"]
    assert {loss.id for loss in over.losses} == {"L-42"}


def test_that_no_tariff_is_known_is_told() -> None:
    body = {"charging_periods": [period("ENERGY")]}
    over = crossing(*UP)

    charging_periods.all_from_2_1_1(body, None, over)

    assert body == {"charging_periods": [period("ENERGY")]}
    assert [loss.id for loss in over.losses] == ["L-42"]


def test_a_tariff_id_that_2_2_1_does_not_take_is_no_tariff_id() -> None:
    body = {"charging_periods": [period("ENERGY", tariff_id=7)]}
    over = crossing(*UP)

    charging_periods.all_from_2_1_1(body, "T1", over)

    assert body["charging_periods"][0]["tariff_id"] == "T1"
    assert [loss.id for loss in over.losses] == ["L-01", "L-42"]


def test_the_time_until_a_reservation_expires_is_the_time_of_the_reservation() -> None:
    body = period("ENERGY", "RESERVATION_EXPIRES")

    assert types_of(charging_periods.from_2_3_0(body, crossing(*OLDER))) == ["ENERGY", "RESERVATION_TIME"]
    assert lost(charging_periods.from_2_3_0, body, crossing(*OLDER)) == {("M-51", "/dimensions/1")}
    assert types_of(body) == ["ENERGY", "RESERVATION_EXPIRES"]


def test_no_time_of_a_reservation_is_told_twice() -> None:
    body = period("RESERVATION_TIME", "RESERVATION_EXPIRES")

    assert types_of(charging_periods.from_2_3_0(body, crossing(*OLDER))) == ["RESERVATION_TIME"]
    assert lost(charging_periods.from_2_3_0, body, crossing(*OLDER)) == {("M-52", "/dimensions/1")}


def test_overtime_of_a_reservation_is_lost_before_2_3_0() -> None:
    body = period("RESERVATION_OVERTIME")

    assert charging_periods.from_2_3_0(body, crossing(*OLDER))["dimensions"] == [NOTHING_MEASURED]
    assert lost(charging_periods.from_2_3_0, body, crossing(*OLDER)) == {
        ("M-52", "/dimensions/0"),
        ("M-53", "/dimensions"),
    }


def test_a_partner_may_agree_to_the_dimensions_of_bookings() -> None:
    agreed = Quirks(extra_enum_values={"CdrDimensionType": ("RESERVATION_EXPIRES",)})
    body = period("RESERVATION_EXPIRES", "RESERVATION_OVERTIME")

    assert types_of(charging_periods.from_2_3_0(body, crossing(*OLDER, destination=agreed))) == ["RESERVATION_EXPIRES"]


@pytest.mark.parametrize("dimensions", [None, "FLAT", {"type": "FLAT"}, ["FLAT"], [{"type": ["FLAT"]}], [{}]])
def test_dimensions_of_a_form_nobody_expects_are_left_to_the_receiver(dimensions: Any) -> None:  # noqa: ANN401
    body = {"start_date_time": START, "dimensions": dimensions}

    assert charging_periods.from_2_1_1(body, crossing(*UP)) == body
    assert charging_periods.to_2_1_1(body, crossing(*DOWN)) == body
    assert charging_periods.from_2_3_0(body, crossing(*OLDER)) == body


def test_the_fraction_of_a_start_goes_where_the_partner_cannot_read_it() -> None:
    body = period("TIME") | {"start_date_time": "2024-06-01T10:00:00.250Z"}
    over = crossing(*DOWN, destination=Quirks(no_fraction=True))

    assert charging_periods.to_2_1_1(body, over) == period("TIME")
