"""Tariffs between versions. OCPI 2.1.1, 2.2.1 and 2.3.0, "Tariffs"."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import tariffs
from routing.translation.crossing import Crossing, Json
from routing.translation.questions import ShownBefore, TariffOf
from routing.vocabulary import Party, Version
from tests.routing.translation.crossings import CPO, EMSP, crossing, losses_of, lost

V211, V221, V230 = Version.V2_1_1, Version.V2_2_1, Version.V2_3_0
BASE = TariffOf(CPO, "T1")
SHOWN = ShownBefore(EMSP, "tariffs", CPO, "T1")


def component(**members: Any) -> Json:  # noqa: ANN401 - any JSON
    return {"type": "ENERGY", "price": Decimal("0.25"), "step_size": 1, **members}


def element(*components: Json, **restrictions: Any) -> Json:  # noqa: ANN401 - any JSON
    made: Json = {"price_components": list(components) or [component()]}
    return {**made, "restrictions": restrictions} if restrictions else made


def tariff(*elements: Json, **members: Any) -> Json:  # noqa: ANN401 - any JSON
    return {
        "id": "T1",
        "currency": "EUR",
        "elements": list(elements) or [element()],
        "last_updated": "2024-01-01T00:00:00Z",
        **members,
    }


def of_owner(*elements: Json, **members: Any) -> Json:  # noqa: ANN401 - any JSON
    return tariff(*elements, **members) | {"country_code": "NL", "party_id": "CPO"}


def from_2_1_1(body: Json, over: Crossing | None = None) -> Json:
    return tariffs.from_2_1_1(body, over or crossing(V211, V221))


def to_2_1_1(body: Json, over: Crossing | None = None) -> Json:
    return tariffs.to_2_1_1(body, over or crossing())


def from_2_3_0(body: Json, over: Crossing | None = None) -> Json:
    return tariffs.from_2_3_0(body, over or crossing(V230, V221))


# ------------------------------------------------------------------------------------------------ 2.1.1 to 2.2.1


def test_a_tariff_of_2_1_1_gets_its_owner() -> None:
    assert from_2_1_1(tariff()) == of_owner()


def test_a_tariff_of_2_1_1_cannot_name_another_owner() -> None:
    assert from_2_1_1(tariff(country_code="FR", party_id="OTH"))["party_id"] == "CPO"


def test_prices_get_the_vat_that_the_operator_knows() -> None:
    over = crossing(V211, V221, origin=Quirks(default_vat_pct=19.6))

    [first, second] = from_2_1_1(tariff(element(component(), component(vat=7))), over)["elements"][0][
        "price_components"
    ]

    assert str(first["vat"]) == "19.6"
    assert second["vat"] == 7
    assert losses_of(over) == [("L-63", "/elements/0/price_components/0/vat")]


def test_the_vat_of_a_platform_is_not_that_of_tariffs_it_only_keeps() -> None:
    over = crossing(V211, V221, origin=Quirks(default_vat_pct=19), emsp=CPO, cpo=EMSP, owner=EMSP)

    assert "vat" not in from_2_1_1(tariff(), over)["elements"][0]["price_components"][0]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("type", "REGULAR", "CHEAP"),
        ("min_price", {"excl_vat": 1}, 1),
        ("max_price", {"excl_vat": 1}, {}),
        ("start_date_time", "2024-01-01T00:00:00Z", "soon"),
        ("end_date_time", "2024-01-01T00:00:00Z", 2024),
    ],
)
def test_members_of_2_2_1_in_a_tariff_of_2_1_1_stay_when_they_are_valid(name: str, good: object, bad: object) -> None:
    over = crossing(V211, V221)

    assert from_2_1_1(tariff(**{name: good}))[name] == good
    assert name not in from_2_1_1(tariff(**{name: bad}), over)
    assert losses_of(over) == [("L-01", f"/{name}")]


def test_restrictions_of_2_2_1_in_a_tariff_of_2_1_1_stay_when_they_are_valid() -> None:
    body = tariff(element(min_current=16, reservation="RESERVATION"), element(max_current="16", reservation="LATER"))

    [good, bad] = from_2_1_1(body)["elements"]

    assert good["restrictions"] == {"min_current": 16, "reservation": "RESERVATION"}
    assert bad["restrictions"] == {}


def test_the_energy_mix_is_translated_in_both_directions() -> None:
    older = tariff(energy_mix={"is_green_energy": True, "environ_impact": [{"source": "NUCLEAR_WASTE", "amount": 1}]})
    newer = {"is_green_energy": True, "environ_impact": [{"category": "NUCLEAR_WASTE", "amount": 1}]}

    assert from_2_1_1(older)["energy_mix"] == newer
    assert to_2_1_1(tariff(energy_mix=newer))["energy_mix"] == older["energy_mix"]


# ------------------------------------------------------------------------------------------------ a PATCH of 2.1.1


def patching(base: Json | None) -> Crossing:
    return crossing(V211, V221, patch=True, object_ids=("T1",), known={BASE: base})


def test_a_patch_becomes_a_put_of_the_whole_tariff() -> None:
    over = patching(tariff())
    patch = {"elements": [element(component(price=1))], "last_updated": "2024-02-01T00:00:00Z"}

    whole = tariffs.from_2_1_1(patch, over)

    assert whole == of_owner(element(component(price=1)), last_updated="2024-02-01T00:00:00Z")
    assert over.put
    assert over.losses == []


def test_a_patch_without_a_time_is_as_of_now() -> None:
    over = patching(tariff())

    assert tariffs.from_2_1_1({"currency": "SEK"}, over)["last_updated"] == "2024-06-01T12:00:00Z"
    assert [loss.id for loss in over.losses] == ["L-07"]


@pytest.mark.parametrize("known", ["2025-01-01T00:00:00Z", "2024-06-01T12:00:01"])
def test_a_patch_never_dates_a_tariff_back(known: str) -> None:
    over = patching(tariff(last_updated=known))

    assert tariffs.from_2_1_1({"currency": "SEK"}, over)["last_updated"] == known


def test_a_tariff_of_no_readable_time_is_as_of_now() -> None:
    over = patching(tariff(last_updated="yesterday"))

    assert tariffs.from_2_1_1({"currency": "SEK"}, over)["last_updated"] == "2024-06-01T12:00:00Z"


def test_a_patch_of_an_unknown_tariff_makes_the_cpo_send_it_whole() -> None:
    with pytest.raises(Untranslatable) as refused:
        tariffs.from_2_1_1({"currency": "SEK"}, patching(None))

    assert (refused.value.rule, refused.value.http_status, refused.value.ocpi_status) == ("RF-11", 404, 2000)


def test_the_tariff_a_patch_changes_is_asked_for() -> None:
    over = crossing(V211, V221, patch=True, object_ids=("T1",))

    with pytest.raises(Untranslatable):
        tariffs.from_2_1_1({"currency": "SEK"}, over)

    assert over.asked == [BASE]


def test_an_empty_patch_stays_empty() -> None:
    over = patching(tariff())

    assert tariffs.from_2_1_1({}, over) == {}
    assert not over.put


# ------------------------------------------------------------------------------------------------ 2.2.1 to 2.1.1


def test_members_unknown_to_2_1_1_are_left_out_of_a_tariff() -> None:
    body = of_owner(
        element(component(vat=19)),
        type="REGULAR",
        min_price={"excl_vat": 1},
        max_price=None,
        end_date_time="2024-12-31T00:00:00Z",
    )

    assert to_2_1_1(body) == tariff()
    assert lost(tariffs.to_2_1_1, body, crossing()) == {
        ("L-06", "/country_code"),
        ("L-06", "/party_id"),
        ("L-60", "/type"),
        ("L-61", "/min_price"),
        ("L-62", "/end_date_time"),
        ("L-63", "/elements/0/price_components/0/vat"),
    }


def test_a_partner_may_keep_members_that_2_1_1_does_not_have() -> None:
    over = crossing(destination=Quirks(keep_fields=("*.party_id", "tariff.type", "price_component.vat")))

    kept = to_2_1_1(of_owner(element(component(vat=19)), type="REGULAR"), over)

    assert kept == tariff(element(component(vat=19)), party_id="CPO", type="REGULAR")


def test_an_element_for_reservations_is_left_out() -> None:
    body = tariff(element(reservation="RESERVATION", min_current=32), element(component(vat=1), min_kwh=5))
    over = crossing()

    assert to_2_1_1(body, over)["elements"] == [element(min_kwh=5)]
    assert losses_of(over) == [
        ("L-65", "/elements/0"),
        ("L-63", "/elements/1/price_components/0/vat"),
    ]


@pytest.mark.parametrize("restriction", ["min_current", "max_current"])
def test_a_tariff_that_depends_on_the_current_is_refused(restriction: str) -> None:
    with pytest.raises(Untranslatable) as refused:
        to_2_1_1(tariff(element(**{restriction: 32}), element()))

    assert (refused.value.rule, refused.value.ocpi_status) == ("RF-06", 4000)


def test_a_partner_may_have_just_the_element_left_out_that_depends_on_the_current() -> None:
    over = crossing(destination=Quirks(strict_tariffs=False))

    assert to_2_1_1(tariff(element(min_current=32), element()), over) == tariff()
    assert losses_of(over) == [("L-64", "/elements/0")]


def test_a_restriction_that_is_null_restricts_nothing() -> None:
    body = tariff(element(min_current=None, reservation=None))

    assert to_2_1_1(body) == body


def test_a_tariff_without_any_element_left_is_refused() -> None:
    with pytest.raises(Untranslatable, match="RF-06"):
        to_2_1_1(tariff(element(reservation="RESERVATION_EXPIRES")))


@pytest.mark.parametrize("elements", [[], None, "none", [7]])
def test_elements_that_were_never_there_are_left_to_the_receiver(elements: object) -> None:
    assert to_2_1_1(tariff(elements=elements))["elements"] == elements


def refused_put(**more: Any) -> Untranslatable:  # noqa: ANN401 - fields of a Crossing
    with pytest.raises(Untranslatable) as refused:
        to_2_1_1(tariff(element(min_current=32)), crossing(object_ids=("T1",), **more))
    return refused.value


@pytest.mark.parametrize("shown", [True, False, None])
def test_a_tariff_that_stops_being_expressible_is_withdrawn_where_it_was_shown(shown: bool | None) -> None:
    assert refused_put(known={SHOWN: shown}).withdraw is (shown is True)


def test_a_tariff_that_is_read_is_not_withdrawn() -> None:
    assert refused_put(known={SHOWN: True}, answer=True).withdraw is False


def test_texts_for_people_are_in_ascii_where_a_partner_wants_it() -> None:
    body = tariff(tariff_alt_text=[{"language": "fr", "text": "Énergie à 4 €"}])

    assert to_2_1_1(body) == body
    assert (
        to_2_1_1(body, crossing(destination=Quirks(ascii_only=True)))["tariff_alt_text"][0]["text"] == "Energie a 4 ?"
    )


def test_the_way_down_and_up_again_keeps_a_simple_tariff() -> None:
    assert from_2_1_1(to_2_1_1(of_owner())) == of_owner()


# ------------------------------------------------------------------------------------------------ 2.2.1 and 2.3.0


def test_prices_before_2_3_0_are_without_tax() -> None:
    over = crossing(V221, V230)
    body = tariff(max_price={"excl_vat": 400, "incl_vat": 500})

    newer = tariffs.to_2_3_0(body, over)

    assert newer == tariff(tax_included="NO", max_price={"before_taxes": 400, "after_taxes": 500})
    assert [loss.id for loss in over.losses] == ["M-04"]


def test_a_sender_ahead_of_its_version_says_itself_whether_tax_is_included() -> None:
    over = crossing(V221, V230)

    assert tariffs.to_2_3_0(tariff(tax_included="YES"), over) == tariff(tax_included="YES")
    assert over.losses == []


@pytest.mark.parametrize(
    ("included", "vat", "told"),
    [
        ("NO", 21, set()),
        ("NO", None, {("M-08", "/elements")}),
        ("N/A", None, {("M-05", "/tax_included")}),
        (None, 21, {("M-13", "/tax_included")}),
        (None, None, {("M-13", "/tax_included"), ("M-08", "/elements")}),
    ],
)
def test_prices_without_tax_stay_what_they_are(
    included: str | None, vat: int | None, told: set[tuple[str, str]]
) -> None:
    elements = [element(component(vat=vat))]

    assert from_2_3_0(tariff(*elements, tax_included=included)) == tariff(*elements)
    assert lost(tariffs.from_2_3_0, tariff(*elements, tax_included=included), crossing(V230, V221)) == told


def test_one_rate_among_the_prices_tells_that_rates_are_stated() -> None:
    body = tariff(element(component(vat=21), component()), tax_included="NO")

    assert lost(tariffs.from_2_3_0, body, crossing(V230, V221)) == set()


@pytest.mark.parametrize("included", ["yes", "MAYBE", True, ["YES"]])
def test_whether_tax_is_included_must_be_clear(included: object) -> None:
    with pytest.raises(Untranslatable) as refused:
        from_2_3_0(tariff(tax_included=included))

    assert (refused.value.rule, refused.value.ocpi_status) == ("M-09", 2001)


@pytest.mark.parametrize(
    ("price", "vat", "net"),
    [
        (Decimal("0.59"), 19, "0.4958"),
        (2, 7, "1.8692"),
        (Decimal("0.5"), 0, "0.5"),
        (Decimal("0.00005"), 0, "0.00005"),
        (Decimal("0.0001"), 100, "0.0001"),
        (Decimal("-0.0001"), 100, "-0.0001"),
        (Decimal("1.2"), Decimal(-20), "1.5000"),
    ],
)
def test_a_price_with_tax_becomes_one_without(price: Any, vat: Any, net: str) -> None:  # noqa: ANN401 - any JSON
    body = tariff(element(component(price=price, vat=vat)), tax_included="YES")
    over = crossing(V230, V221)

    [translated] = from_2_3_0(body, over)["elements"][0]["price_components"]

    assert str(translated["price"]) == net
    assert translated["vat"] == vat
    assert losses_of(over) == [("M-06", "/elements/0/price_components/0/price")]


@pytest.mark.parametrize(
    "bad",
    [{"price": "1"}, {"price": None}, {"vat": "19"}, {"vat": -100}, {"price": Decimal("1e400"), "vat": 19}],
)
def test_a_price_with_tax_that_cannot_be_computed_with_is_refused(bad: Json) -> None:
    with pytest.raises(Untranslatable, match="M-09"):
        from_2_3_0(tariff(element(component(vat=19) | bad), tax_included="YES"))


def test_a_price_with_tax_at_an_unknown_rate_goes_on_as_it_is() -> None:
    over = crossing(V230, V221)

    assert from_2_3_0(tariff(tax_included="YES"), over) == tariff()
    assert losses_of(over) == [("M-07", "/elements/0/price_components/0/price")]


def test_a_partner_may_refuse_prices_with_tax_at_an_unknown_rate() -> None:
    over = crossing(V230, V221, destination=Quirks(gross_tariff="refuse"))

    with pytest.raises(Untranslatable) as refused:
        from_2_3_0(tariff(tax_included="YES"), over)

    assert (refused.value.rule, refused.value.ocpi_status) == ("M-07", 4000)


def test_the_cap_has_tax_where_the_prices_beside_it_have() -> None:
    limits = {"min_price": {"before_taxes": 2, "after_taxes": 3}, "max_price": {"before_taxes": 80, "after_taxes": 92}}
    over = crossing(V230, V221)

    body = from_2_3_0(tariff(tax_included="YES", **limits), over)

    assert body["min_price"] == {"excl_vat": 2, "incl_vat": 3}
    assert body["max_price"] == {"excl_vat": 92, "incl_vat": 92}
    assert ("M-14", "/max_price/before_taxes") in losses_of(over)


@pytest.mark.parametrize("cap", [{"before_taxes": 80}, {"before_taxes": 80, "after_taxes": 80}])
def test_a_cap_without_tax_of_its_own_stays(cap: Json) -> None:
    over = crossing(V230, V221)

    assert from_2_3_0(tariff(tax_included="YES", max_price=cap), over)["max_price"]["excl_vat"] == 80
    assert [loss.id for loss in over.losses] == ["M-07"]


def test_the_cap_stays_where_all_rates_are_known() -> None:
    body = tariff(element(component(vat=19)), tax_included="YES", max_price={"before_taxes": 84, "after_taxes": 100})

    assert from_2_3_0(body)["max_price"] == {"excl_vat": 84, "incl_vat": 100}


def test_an_element_for_bookings_is_left_out() -> None:
    booking = element(component(vat=1), booking="BOOKING")
    over = crossing(V230, V221)

    body = from_2_3_0(tariff(booking, element(component(vat=1)), tax_included="NO"), over)

    assert body == tariff(element(component(vat=1)))
    assert losses_of(over) == [("M-11", "/elements/0")]


def test_a_tariff_for_bookings_only_is_refused() -> None:
    with pytest.raises(Untranslatable) as refused:
        from_2_3_0(tariff(element(booking="BOOKING"), tax_included="NO"))

    assert (refused.value.rule, refused.value.ocpi_status) == ("M-12", 4000)


def test_an_amount_to_reserve_on_a_card_is_for_those_who_want_it() -> None:
    body = tariff(element(component(vat=1)), tax_included="NO", preauthorize_amount=80)

    assert "preauthorize_amount" not in from_2_3_0(body)
    assert lost(tariffs.from_2_3_0, body, crossing(V230, V221)) == {("M-10", "/preauthorize_amount")}
    assert from_2_3_0(body, crossing(V230, V221, destination=Quirks(additive="keep")))["preauthorize_amount"] == 80


def test_a_tariff_that_came_in_is_not_changed() -> None:
    body = of_owner(
        element(component(vat=19), reservation="RESERVATION"),
        element(component(vat=19)),
        max_price={"excl_vat": 1, "incl_vat": 2},
        tax_included="YES",
        energy_mix={"is_green_energy": True, "environ_impact": [{"category": "STEAM", "amount": 1}]},
    )
    before = copy.deepcopy(body)

    from_2_1_1(body)
    to_2_1_1(body)
    tariffs.to_2_3_0(body, crossing(V221, V230))
    from_2_3_0(body)

    assert body == before


def test_the_owner_of_a_tariff_of_2_1_1_is_the_one_of_its_url() -> None:
    over = crossing(V211, V221, owner=Party("BE", "TWO"))

    assert from_2_1_1(tariff(), over)["country_code"] == "BE"
