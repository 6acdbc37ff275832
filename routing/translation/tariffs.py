"""Tariff, on its own and in a CDR. OCPI 2.1.1, 2.2.1 and 2.3.0, "Tariffs". 2.2 has it as 2.2.1 does.

===================================  =============  ======================  ==================================
member                               2.1.1          2.2, 2.2.1              2.3.0
===================================  =============  ======================  ==================================
owner                                in the URL     in the object           the same
`type`, `start_`, `end_date_time`    -              optional                the same
`min_price`, `max_price`             -              Price                   PriceLimit
`price` of a component               without VAT    without VAT             `tax_included` says whether with
`vat` of a component                 -              percentage; absent      the same; absent also says that
                                                    says that none applies  the rate is not known
restriction by current               -              optional                the same
restriction to reservations          -              optional                the same, and to Bookings
`preauthorize_amount`                -              -                       optional (Payments)
PATCH                                yes            -                       -
===================================  =============  ======================  ==================================

An element whose restriction the other version does not have goes as a whole: without the restriction it would match
always, and since the first match counts, hide those behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_05UP, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any, Final

from routing.errors import Untranslatable
from routing.timestamps import read_timestamp, write_seconds
from routing.translation.crossing import Crossing, Json, Step, identical
from routing.translation.fields import display_text_in_ascii, drop, each, inside, is_absent, moments, only_valid
from routing.translation.places import energy_mix_from_2_1_1, energy_mix_from_2_3_0, energy_mix_to_2_1_1
from routing.translation.prices import Amount, is_amount, limits_from_2_3_0, limits_to_2_3_0
from routing.translation.questions import ShownBefore, TariffOf

_LIMITS: Final = ("min_price", "max_price")
_MOMENTS: Final = ("last_updated",)
_LOST_IN_2_1_1: Final = {
    "country_code": "L-06",
    "party_id": "L-06",
    "type": "L-60",
    "min_price": "L-61",
    "max_price": "L-61",
    "start_date_time": "L-62",
    "end_date_time": "L-62",
}
_LOST_OF_COMPONENTS: Final = {"vat": "L-63"}
_PRICES: Final = "price_components"
_PAYMENTS: Final = {"preauthorize_amount": "M-10"}
_NO, _YES, _NOT_APPLICABLE = "NO", "YES", "N/A"
"""Whether the prices include taxes. OCPI 2.3.0, "Tariffs", TaxIncluded."""
_FOUR_DECIMALS: Final = Decimal("0.0001")
_EXACT: Final = Context(prec=200, traps=[])
"""What comes out as no number is refused, not raised."""
_DIVISION: Final = Context(prec=100, rounding=ROUND_05UP)
"""Rounds such that the result can be rounded once more, as if it had been exact."""
_NOTHING_LEFT: Final = "no element of this Tariff can be expressed in OCPI 2.1.1"
_DEPENDS_ON_CURRENT: Final = "a Tariff that depends on the current cannot be expressed in OCPI 2.1.1"
_TYPES: Final = frozenset({"AD_HOC_PAYMENT", "PROFILE_CHEAP", "PROFILE_FAST", "PROFILE_GREEN", "REGULAR"})
_RESERVATIONS: Final = frozenset({"RESERVATION", "RESERVATION_EXPIRES"})


def _is_type(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and value in _TYPES


def _is_reservation(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and value in _RESERVATIONS


def _is_price(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is dict and is_amount(value.get("excl_vat"))


def _is_moment(value: Any) -> bool:  # noqa: ANN401 - any JSON
    try:
        return type(value) is str and read_timestamp(value) is not None
    except ValueError:
        return False


_NEWER_MEMBERS: Final = {
    "type": _is_type,
    "min_price": _is_price,
    "max_price": _is_price,
    "start_date_time": _is_moment,
    "end_date_time": _is_moment,
}
_NEWER_RESTRICTIONS: Final = {"min_current": is_amount, "max_current": is_amount, "reservation": _is_reservation}
_NEWER_OF_COMPONENTS: Final = {"vat": is_amount}


# ------------------------------------------------------------------------------------------------ 2.1.1 and 2.2.1


def from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1. A PATCH, which 2.2.1 does not have, becomes the whole Tariff.

    Raises:
        Untranslatable: RF-11, nobody knows the Tariff that the PATCH changes.
    """
    if crossing.patch:
        return _patched_from_2_1_1(body, crossing) if body else {}
    tariff = body.copy()
    tariff["country_code"], tariff["party_id"] = crossing.owner
    only_valid(tariff, _NEWER_MEMBERS, crossing)
    each(tariff, "elements", _element_from_2_1_1, crossing)
    inside(tariff, "energy_mix", energy_mix_from_2_1_1, crossing)
    moments(tariff, _MOMENTS, crossing)
    return tariff


def _patched_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    base = crossing.ask(TariffOf(crossing.owner, crossing.object_ids[-1])) if crossing.object_ids else None
    if base is None:
        raise Untranslatable("RF-11", "base of this Tariff is unknown, send PUT", ocpi_status=2000, http_status=404)
    tariff = {**base, **body}
    if "last_updated" not in body:
        tariff["last_updated"] = _later(write_seconds(crossing.now), base.get("last_updated"))
        crossing.lose("L-07", "/last_updated")
    crossing.put, crossing.patch = True, False
    return from_2_1_1(tariff, crossing)


def _later(one: str, other: Any) -> str:  # noqa: ANN401 - any JSON
    try:
        return other if type(other) is str and read_timestamp(other) > read_timestamp(one) else one
    except ValueError:
        return one


def _element_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    element = body.copy()
    each(element, _PRICES, _component_from_2_1_1, crossing)
    inside(element, "restrictions", _restrictions_from_2_1_1, crossing)
    return element


def _component_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    component = body.copy()
    only_valid(component, _NEWER_OF_COMPONENTS, crossing)
    # The setting is about the prices of the platform that sends its own, not about those it gives back to others.
    percentage = crossing.origin.quirks.default_vat_pct if crossing.origin.party != crossing.emsp else None
    if percentage is not None and is_absent(component, "vat"):
        component["vat"] = _exactly(percentage)
        crossing.lose("L-63", "/vat")
    return component


@lru_cache(maxsize=64)
def _exactly(percentage: float) -> Decimal:
    """What was meant by a setting: the shortest decimal that reads as this number."""
    return Decimal(repr(percentage))


def _restrictions_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    restrictions = body.copy()
    only_valid(restrictions, _NEWER_RESTRICTIONS, crossing)
    return restrictions


def to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1, as the object of a request or an answer.

    Raises:
        Untranslatable: RF-06, no honest price would be left; a copy that was shown before has to be withdrawn.
    """
    try:
        return embedded_to_2_1_1(body, crossing)
    except Untranslatable as refusal:
        if refusal.rule != "RF-06" or crossing.answer or not crossing.object_ids:
            raise
        shown = crossing.ask(
            ShownBefore(crossing.destination.party, "tariffs", crossing.owner, crossing.object_ids[-1])
        )
        refusal.withdraw = shown is True
        raise


def embedded_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1, inside of a CDR.

    Raises:
        Untranslatable: RF-06, no honest price would be left.
    """
    tariff = body.copy()
    _translate_elements(tariff, _unsayable_in_2_1_1, _element_to_2_1_1, crossing)
    if _has_lost_all_elements(tariff, body):
        raise Untranslatable("RF-06", _NOTHING_LEFT)
    drop(tariff, _LOST_IN_2_1_1, crossing, "tariff")
    if crossing.destination.quirks.ascii_only:
        each(tariff, "tariff_alt_text", display_text_in_ascii, crossing)
    inside(tariff, "energy_mix", energy_mix_to_2_1_1, crossing)
    moments(tariff, _MOMENTS, crossing)
    return tariff


def _unsayable_in_2_1_1(element: Json, crossing: Crossing) -> str | None:
    restrictions = element.get("restrictions")
    if type(restrictions) is not dict:
        return None
    if restrictions.get("reservation") is not None:
        return "L-65"
    if restrictions.get("min_current") is None and restrictions.get("max_current") is None:
        return None
    if crossing.destination.quirks.strict_tariffs:
        # Without the element a price could look lower than the one that will be billed. No price is honest.
        raise Untranslatable("RF-06", _DEPENDS_ON_CURRENT)
    return "L-64"


def _element_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    element = body.copy()
    each(element, _PRICES, _component_to_2_1_1, crossing)
    return element


def _component_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    component = body.copy()
    drop(component, _LOST_OF_COMPONENTS, crossing, "price_component")
    return component


def _translate_elements(
    tariff: Json, loss_of: Callable[[Json, Crossing], str | None], step: Step, crossing: Crossing
) -> None:
    """Translate the elements, except those that are a loss as a whole."""
    elements = tariff.get("elements")
    if type(elements) is not list:
        return
    tariff["elements"] = left = []
    for index, element in enumerate(elements):
        if type(element) is not dict:
            left.append(element)
        elif (loss := loss_of(element, crossing)) is not None:
            crossing.lose(loss, f"/elements/{index}")
        else:
            left.append(crossing.nested(step, element, f"/elements/{index}"))


def _has_lost_all_elements(tariff: Json, body: Json) -> bool:
    return tariff.get("elements") == [] and body["elements"] != []


# ------------------------------------------------------------------------------------------------ 2.2.1 and 2.3.0


def to_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.3.0: the prices are without taxes, as they always were.

    Raises:
        Untranslatable: M-03, an amount of `min_price` or `max_price` is unusable.
    """
    tariff = body.copy()
    limits_to_2_3_0(tariff, _LIMITS, crossing)
    if is_absent(tariff, "tax_included"):
        tariff["tax_included"] = _NO
        crossing.lose("M-04", "/tax_included")
    return tariff


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1: prices with taxes become prices without, as far as the rate is known.

    Raises:
        Untranslatable: M-03, M-07, M-09, what is said of an amount is unusable; M-12, it is about Bookings only.
    """
    tariff = body.copy()
    included = _tax_included(tariff.pop("tax_included", None), crossing)
    mark = len(crossing.losses)
    _translate_elements(tariff, _unsayable_in_2_2_1, _element_without_tax if included == _YES else identical, crossing)
    if _has_lost_all_elements(tariff, body):
        raise Untranslatable("M-12", "the Tariff describes booking fees only")
    gross = included == _YES and any(loss.id == "M-07" for loss in crossing.losses[mark:])
    if included == _NOT_APPLICABLE:
        crossing.lose("M-05", "/tax_included")
    elif included == _NO and _names_no_rate(tariff):
        crossing.lose("M-08", "/elements")
    limits_from_2_3_0(tariff, _LIMITS, crossing)
    if gross:
        _raise_cap(tariff, crossing)
    if crossing.destination.quirks.additive != "keep":
        drop(tariff, _PAYMENTS, crossing)
    inside(tariff, "energy_mix", energy_mix_from_2_3_0, crossing)
    return tariff


def _tax_included(value: Any, crossing: Crossing) -> str:  # noqa: ANN401 - any JSON
    if value is None:
        crossing.lose("M-13", "/tax_included")
        return _NO
    if type(value) is not str or value not in (_NO, _YES, _NOT_APPLICABLE):
        raise Untranslatable("M-09", "tax_included is neither YES nor NO nor N/A", ocpi_status=2001)
    return value


def _unsayable_in_2_2_1(element: Json, _crossing: Crossing) -> str | None:
    # Not a restriction to reservations: those of 2.2.1 are made by ReserveNow.
    restrictions = element.get("restrictions")
    return "M-11" if type(restrictions) is dict and restrictions.get("booking") is not None else None


def _element_without_tax(body: Json, crossing: Crossing) -> Json:
    element = body.copy()
    each(element, _PRICES, _component_without_tax, crossing)
    return element


def _component_without_tax(body: Json, crossing: Crossing) -> Json:
    price, percentage = body.get("price"), body.get("vat")
    if not is_amount(price):
        raise Untranslatable("M-09", "a price with tax is no amount", ocpi_status=2001)
    if percentage is None:
        if crossing.destination.quirks.gross_tariff == "refuse":
            raise Untranslatable("M-07", "the rate of the tax in a price is not given")
        crossing.lose("M-07", "/price")
        return body
    if not is_amount(percentage) or percentage <= -100:
        raise Untranslatable("M-09", "vat is no percentage that a price could include", ocpi_status=2001)
    crossing.lose("M-06", "/price")
    return {**body, "price": _net(price, percentage)} if percentage else body


def _net(price: Amount, percentage: Amount) -> Decimal:
    exact = _DIVISION.divide(_EXACT.multiply(price, 100), _EXACT.add(percentage, 100))
    net = exact.quantize(_FOUR_DECIMALS, ROUND_HALF_UP, _EXACT)
    if not net.is_finite():
        raise Untranslatable("M-09", "a price with tax is out of all measure", ocpi_status=2001)
    return net


def _names_no_rate(tariff: Json) -> bool:
    """Whether there are prices, and none says a rate: 2.2.1 would read that no tax applies."""
    components = [component for element in _objects(tariff, "elements") for component in _objects(element, _PRICES)]
    return bool(components) and all(is_absent(component, "vat") for component in components)


def _objects(body: Json, name: str) -> list[Json]:
    values = body.get(name)
    return [value for value in values if type(value) is dict] if type(values) is list else []


def _raise_cap(tariff: Json, crossing: Crossing) -> None:
    """Where prices with tax are added up as if they were without, a cap without tax would cut them off too early."""
    cap = tariff.get("max_price")
    gross = cap.get("incl_vat") if type(cap) is dict else None
    if type(cap) is dict and is_amount(gross) and gross > cap["excl_vat"]:
        tariff["max_price"] = {**cap, "excl_vat": gross}
        crossing.lose("M-14", "/max_price/before_taxes")
