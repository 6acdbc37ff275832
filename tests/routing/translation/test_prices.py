"""Amounts of money between versions. OCPI 2.2.1 and 2.3.0, "Types", Price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import prices
from routing.translation.crossing import Crossing
from routing.vocabulary import Version
from tests.routing.translation.crossings import crossing, losses_of

UP = (Version.V2_2_1, Version.V2_3_0)
DOWN = (Version.V2_3_0, Version.V2_2_1)
COST = ("total_cost",)


def newer(price: Any, over: Crossing | None = None) -> Any:  # noqa: ANN401 - any JSON
    body = {"total_cost": price}
    prices.to_2_3_0(body, COST, over or crossing(*UP))
    return body["total_cost"]


def older(price: Any, over: Crossing | None = None) -> Any:  # noqa: ANN401 - any JSON
    body = {"total_cost": price}
    prices.from_2_3_0(body, COST, over or crossing(*DOWN))
    return body["total_cost"]


def losses(over: Crossing) -> list[tuple[str, str]]:
    return losses_of(over)


def test_a_number_becomes_the_amount_without_vat() -> None:
    body: dict[str, Any] = {"total_cost": Decimal("4.00")}

    prices.number_to_price(body, "total_cost")

    assert str(body["total_cost"]["excl_vat"]) == "4.00"


def test_a_text_that_is_a_number_becomes_one() -> None:
    body: dict[str, Any] = {"total_cost": "2.50"}

    prices.number_to_price(body, "total_cost")

    assert body == {"total_cost": {"excl_vat": Decimal("2.50")}}


@pytest.mark.parametrize("value", [None, {"excl_vat": 3}, "two", True, [1], "1_0", "NaN"])
def test_what_is_no_number_is_left_to_the_receiver(value: Any) -> None:  # noqa: ANN401 - any JSON
    body = {"total_cost": value}

    prices.number_to_price(body, "total_cost")

    assert body == {"total_cost": value}


def test_a_price_loses_its_vat_towards_2_1_1() -> None:
    body: dict[str, Any] = {"total_cost": {"excl_vat": Decimal("6.25"), "incl_vat": Decimal("7.44")}}
    over = crossing()

    prices.price_to_number(body, "total_cost", over)

    assert body == {"total_cost": Decimal("6.25")}
    assert losses(over) == [("L-37", "/total_cost/incl_vat")]


@pytest.mark.parametrize("value", [None, 5, [1], {"excl_vat": 7}])
def test_only_a_price_is_made_a_number(value: Any) -> None:  # noqa: ANN401 - any JSON
    body = {"total_cost": value}

    prices.price_to_number(body, "total_cost", crossing())

    assert body["total_cost"] == (7 if type(value) is dict else value)


@pytest.mark.parametrize("price", [{}, {"incl_vat": 3}, {"excl_vat": None}, {"excl_vat": "much"}])
def test_a_price_without_an_amount_is_left_out(price: dict[str, Any]) -> None:
    body: dict[str, Any] = {"total_cost": price}

    prices.price_to_number(body, "total_cost", crossing())

    assert body == {}


@pytest.mark.parametrize("body", [{}, {"total_cost": None}, {"total_cost": {"incl_vat": 3}}, {"total_cost": [3]}])
def test_a_required_amount_must_be_there(body: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable) as refused:
        prices.price_to_number(body, "total_cost", crossing(), required=True)

    assert (refused.value.rule, refused.value.ocpi_status) == ("RF-02", 2001)


def test_the_difference_between_the_amounts_becomes_a_tax() -> None:
    over = crossing(*UP)

    price = newer({"excl_vat": Decimal("7.35"), "incl_vat": Decimal("8.8935")}, over)

    assert price == {"before_taxes": Decimal("7.35"), "taxes": [{"name": "VAT", "amount": Decimal("1.5435")}]}
    assert losses(over) == [("M-02", "/total_cost/incl_vat")]


def test_the_owners_platform_names_the_tax() -> None:
    over = crossing(*UP, owner_quirks=Quirks(default_tax_name="BTW"))

    assert newer({"excl_vat": 1, "incl_vat": 2}, over)["taxes"][0]["name"] == "BTW"


@pytest.mark.parametrize("price", [{"excl_vat": 7}, {"excl_vat": 7, "incl_vat": None}])
def test_nothing_is_said_of_taxes_when_vat_was_not_stated(price: dict[str, Any]) -> None:
    over = crossing(*UP)

    assert newer(price, over) == {"before_taxes": 7}
    assert losses(over) == []


def test_no_vat_is_a_tax_of_nothing_and_survives_the_way_back() -> None:
    price = {"excl_vat": Decimal("3.1"), "incl_vat": Decimal("3.1")}

    there = newer(price)

    assert there["taxes"] == [{"name": "VAT", "amount": 0}]
    assert older(there) == price


def test_sums_are_exact_however_many_digits_they_have() -> None:
    net, tax = Decimal("12345678901234567890123456789.01"), Decimal("0.00000000000000000000000000001")

    price = older({"before_taxes": net, "taxes": [{"name": "VAT", "amount": tax}]})

    assert str(price["incl_vat"]) == "12345678901234567890123456789.01000000000000000000000000001"


def test_an_amount_beyond_all_measure_is_refused_instead_of_rounded() -> None:
    with pytest.raises(Untranslatable, match="M-03"):
        newer({"excl_vat": Decimal("1e999"), "incl_vat": Decimal("1.5")})


def test_several_taxes_become_one_sum() -> None:
    over = crossing(*DOWN)
    gst = {"name": "GST", "percentage": 5, "amount": Decimal("1.0"), "account_number": "81234 RT0001"}
    qst = {"name": "QST", "percentage": Decimal("9.975"), "amount": Decimal("1.995")}

    assert older({"before_taxes": 20, "taxes": [gst, qst]}, over) == {"excl_vat": 20, "incl_vat": Decimal("22.995")}
    assert losses(over) == [("M-01", "/total_cost/taxes")]


@pytest.mark.parametrize(
    ("tax", "told"),
    [
        ({"name": "VAT", "amount": 1}, False),
        ({"name": "VAT", "amount": 1, "percentage": None}, False),
        ({"name": "BTW", "amount": 1}, True),
        ({"amount": 1}, True),
        ({"name": "VAT", "amount": 1, "percentage": 21}, True),
        ({"name": "VAT", "amount": 1, "account_number": "8"}, True),
        ({"name": "VAT", "amount": 1, "kind": "reduced"}, True),
    ],
)
def test_a_tax_is_a_loss_when_more_was_said_of_it_than_its_amount(tax: dict[str, Any], told: bool) -> None:
    over = crossing(*DOWN)

    older({"before_taxes": 5, "taxes": [tax]}, over)

    assert bool(over.losses) is told


@pytest.mark.parametrize("taxes", [[], None])
def test_no_taxes_are_no_statement_about_vat(taxes: list[Any] | None) -> None:
    assert older({"before_taxes": 5, "taxes": taxes}) == {"excl_vat": 5}


@pytest.mark.parametrize(
    "price",
    [
        {"incl_vat": 6},
        {"excl_vat": "5"},
        {"excl_vat": True},
        {"excl_vat": 5, "incl_vat": "6"},
        {"before_taxes": 5, "taxes": "none"},
    ],
)
def test_an_unusable_price_is_refused_on_the_way_to_2_3_0(price: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable) as refused:
        newer(price)

    assert (refused.value.rule, refused.value.ocpi_status) == ("M-03", 2001)


@pytest.mark.parametrize(
    "price",
    [
        {"taxes": []},
        {"before_taxes": "5"},
        {"before_taxes": 5, "taxes": 1},
        {"before_taxes": 5, "taxes": [{}]},
        {"before_taxes": 5, "taxes": [7]},
        {"excl_vat": 5, "incl_vat": "6"},
    ],
)
def test_an_unusable_price_is_refused_on_the_way_from_2_3_0(price: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable, match="M-03"):
        older(price)


@pytest.mark.parametrize("value", [None, 5, "7", [5]])
def test_what_is_no_price_is_left_to_the_receiver(value: Any) -> None:  # noqa: ANN401 - any JSON
    assert newer(value) == value
    assert older(value) == value


def test_other_members_of_a_price_stay_at_their_place() -> None:
    price = newer({"note": "spring", "excl_vat": -10, "incl_vat": Decimal("-12.1"), "code": 7})

    assert list(price.items()) == [
        ("note", "spring"),
        ("before_taxes", -10),
        ("taxes", [{"name": "VAT", "amount": Decimal("-2.1")}]),
        ("code", 7),
    ]


def test_a_price_that_already_has_the_other_versions_members_stays() -> None:
    assert newer({"before_taxes": 5, "taxes": []}) == {"before_taxes": 5, "taxes": []}
    assert older({"excl_vat": 5, "incl_vat": 6}) == {"excl_vat": 5, "incl_vat": 6}


def test_a_member_whose_name_is_taken_gives_way_and_is_told() -> None:
    over = crossing(*DOWN)

    assert older({"excl_vat": 4, "before_taxes": 5}, over) == {"excl_vat": 5}
    assert losses(over) == [("M-74", "/total_cost/excl_vat")]


def test_a_member_whose_name_is_taken_by_the_same_value_is_no_loss() -> None:
    over = crossing(*UP)

    assert newer({"before_taxes": 5, "excl_vat": 5}, over) == {"before_taxes": 5}
    assert losses(over) == []


def test_the_price_that_came_in_is_not_changed() -> None:
    price = {"excl_vat": 5, "incl_vat": 6}

    newer(price)

    assert price == {"excl_vat": 5, "incl_vat": 6}


def test_the_limits_of_a_tariff_name_both_amounts() -> None:
    body: dict[str, Any] = {"min_price": {"excl_vat": 1}, "max_price": {"excl_vat": 400, "incl_vat": 500}}

    prices.limits_to_2_3_0(body, ("min_price", "max_price"), crossing(*UP))

    assert body == {"min_price": {"before_taxes": 1}, "max_price": {"before_taxes": 400, "after_taxes": 500}}


def test_the_limits_of_a_tariff_become_prices() -> None:
    body: dict[str, Any] = {"min_price": {"before_taxes": 1, "after_taxes": None}, "max_price": {"before_taxes": 4}}

    prices.limits_from_2_3_0(body, ("min_price", "max_price"), crossing(*DOWN))

    assert body == {"min_price": {"excl_vat": 1}, "max_price": {"excl_vat": 4}}


@pytest.mark.parametrize("limit", [{}, {"before_taxes": "1"}, {"before_taxes": 1, "after_taxes": "2"}])
def test_an_unusable_limit_is_refused(limit: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable, match="M-03"):
        prices.limits_from_2_3_0({"max_price": limit}, ("max_price",), crossing(*DOWN))


def test_a_limit_that_already_has_the_other_versions_members_stays() -> None:
    body: dict[str, Any] = {"max_price": {"excl_vat": 1, "incl_vat": 2}}

    prices.limits_from_2_3_0(body, ("max_price",), crossing(*DOWN))

    assert body == {"max_price": {"excl_vat": 1, "incl_vat": 2}}
