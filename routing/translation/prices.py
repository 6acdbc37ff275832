"""Amounts of money, which every version of the specification spells differently.

==========  ===================================  ====================================
version     Price                                the limits of a Tariff
==========  ===================================  ====================================
2.1.1       a number, without VAT                none
2.2, 2.2.1  excl_vat, incl_vat                   a Price
2.3.0       before_taxes, taxes: a TaxAmount     before_taxes, after_taxes: PriceLimit
            (name, amount and more) for each
==========  ===================================  ====================================

Every function here is given the object that has prices as members, and changes that object; a price that is absent
stays absent. OCPI 2.2.1 and 2.3.0, "Types", Price.

Sums and differences are exact: a price whose digits do not fit is as unusable as one that is no number. Where an
amount cannot be used the message is refused, since passing it on would drop the tax without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from typing import Any, Final, TypeAlias, TypeGuard

from routing.errors import Untranslatable
from routing.translation.crossing import Crossing, Json

Amount: TypeAlias = int | Decimal

_EXACT: Final = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])
_WITH_TAXES: Final = {"excl_vat": "before_taxes", "incl_vat": "taxes"}
_WITH_VAT: Final = {"before_taxes": "excl_vat", "taxes": "incl_vat"}
_AS_LIMIT: Final = {"excl_vat": "before_taxes", "incl_vat": "after_taxes"}
_AS_PRICE: Final = {"before_taxes": "excl_vat", "after_taxes": "incl_vat"}
_TAX_WITHOUT_DETAILS: Final = frozenset({"name", "amount"})
_NUMERIC: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def is_amount(value: Any) -> TypeGuard[Amount]:  # noqa: ANN401 - any JSON
    """Whether this is a JSON number."""
    return type(value) is int or type(value) is Decimal


def number_to_price(body: Json, name: str) -> None:
    """2.1.1 to 2.2.1: a number, or a text that is one, becomes the Price whose `excl_vat` it is."""
    value = _number(body.get(name))
    if value is not None:
        body[name] = {"excl_vat": value}


def price_to_number(body: Json, name: str, crossing: Crossing, *, required: bool = False) -> None:
    """2.2.1 to 2.1.1: the amount without VAT. A Price that has none is left out.

    Raises:
        Untranslatable: RF-02, there is no amount and it is `required`.
    """
    price = body.get(name)
    value = price
    if type(price) is dict:
        value = price.get("excl_vat")
        if price.get("incl_vat") is not None:
            crossing.lose("L-37", f"/{name}/incl_vat")
    number = _number(value)
    if number is not None:
        body[name] = number
    elif required:
        raise Untranslatable("RF-02", f"{name} has no amount without VAT", ocpi_status=2001)
    elif type(price) is dict:
        del body[name]


def _number(value: Any) -> Amount | None:  # noqa: ANN401 - any JSON
    if type(value) is str and _NUMERIC.fullmatch(value):
        return Decimal(value)
    return value if is_amount(value) else None


def to_2_3_0(body: Json, names: Collection[str], crossing: Crossing) -> None:
    """2.2.1 to 2.3.0: the difference between the two amounts is a tax, whose name the owner's platform gives.

    A difference of nothing is a tax of nothing, so that "no VAT" and "VAT not stated" stay two statements.

    Raises:
        Untranslatable: M-03, an amount is unusable.
    """
    for name in names:
        price = body.get(name)
        if type(price) is dict and not _is_already(price, "excl_vat", "before_taxes", "taxes"):
            body[name] = _with_taxes(price, name, crossing)


def _with_taxes(price: Json, name: str, crossing: Crossing) -> Json:
    net = _amount(price, "excl_vat", name)
    written: Json = {"before_taxes": net}
    if price.get("incl_vat") is not None:
        tax = _exact(_EXACT.subtract, _amount(price, "incl_vat", name), net, name)
        written["taxes"] = [{"name": crossing.owner_quirks.default_tax_name, "amount": tax}]
        crossing.lose("M-02", f"/{name}/incl_vat")
    return _written(price, _WITH_TAXES, written, name, crossing)


def from_2_3_0(body: Json, names: Collection[str], crossing: Crossing) -> None:
    """2.3.0 to 2.2.1: all taxes together make the difference. No taxes are no statement about VAT.

    Raises:
        Untranslatable: M-03, an amount is unusable.
    """
    for name in names:
        price = body.get(name)
        if type(price) is dict and not _is_already(price, "before_taxes", "excl_vat", "incl_vat"):
            body[name] = _with_vat(price, name, crossing)


def _with_vat(price: Json, name: str, crossing: Crossing) -> Json:
    net, taxes = _amount(price, "before_taxes", name), price.get("taxes")
    if not _are_taxes(taxes):
        raise _unusable("taxes", name)
    written: Json = {"excl_vat": net}
    if taxes:
        gross = net
        for tax in taxes:
            gross = _exact(_EXACT.add, gross, tax["amount"], name)
        written["incl_vat"] = gross
        if len(taxes) > 1 or _has_details(taxes[0], crossing.owner_quirks.default_tax_name):
            crossing.lose("M-01", f"/{name}/taxes")
    return _written(price, _WITH_VAT, written, name, crossing)


def _are_taxes(taxes: Any) -> bool:  # noqa: ANN401 - any JSON
    if taxes is None:
        return True
    return type(taxes) is list and all(type(tax) is dict and is_amount(tax.get("amount")) for tax in taxes)


def _has_details(tax: Json, default_name: str) -> bool:
    """Whether more is said of a tax than would be made of the amounts alone."""
    if tax.get("name") != default_name:
        return True
    return any(value is not None and member not in _TAX_WITHOUT_DETAILS for member, value in tax.items())


def limits_to_2_3_0(body: Json, names: Collection[str], crossing: Crossing) -> None:
    """2.2.1 to 2.3.0: the Prices that limit a Tariff become PriceLimits.

    Raises:
        Untranslatable: M-03, an amount is unusable.
    """
    _rename_amounts(body, names, _AS_LIMIT, crossing)


def limits_from_2_3_0(body: Json, names: Collection[str], crossing: Crossing) -> None:
    """2.3.0 to 2.2.1: the PriceLimits of a Tariff become Prices.

    Raises:
        Untranslatable: M-03, an amount is unusable.
    """
    _rename_amounts(body, names, _AS_PRICE, crossing)


def _rename_amounts(body: Json, names: Collection[str], members: Mapping[str, str], crossing: Crossing) -> None:
    (net, net_there), (gross, gross_there) = members.items()
    for name in names:
        price = body.get(name)
        if type(price) is not dict or _is_already(price, net, net_there, gross_there):
            continue
        written = {net_there: _amount(price, net, name)}
        if price.get(gross) is not None:
            written[gross_there] = _amount(price, gross, name)
        body[name] = _written(price, members, written, name, crossing)


def _is_already(price: Json, net: str, net_there: str, gross_there: str) -> bool:
    """Whether a price lacks what its version calls the amount, and has all the other version asks for."""
    if price.get(net) is not None or not is_amount(price.get(net_there)):
        return False
    gross = price.get(gross_there)
    return _are_taxes(gross) if gross_there == "taxes" else gross is None or is_amount(gross)


def _written(price: Json, names: Mapping[str, str], written: Json, name: str, crossing: Crossing) -> Json:
    """The price with its members under their new names, each at its old place; other members stay as they are.

    A new name that was taken already, by an agreement between partners, gets the value of the rule.
    """
    result: Json = {}
    for member, value in price.items():
        new = names.get(member)
        if new is not None:
            if new in written:
                result[new] = written[new]
        elif member not in written:
            result[member] = value
        elif value != written[member]:
            crossing.lose("M-74", f"/{name}/{member}")
    return result


def _amount(price: Json, member: str, name: str) -> Amount:
    value = price.get(member)
    if is_amount(value):
        return value
    raise _unusable(member, name)


def _unusable(member: str, name: str) -> Untranslatable:
    return Untranslatable("M-03", f"{member} of {name} is missing or no amount", ocpi_status=2001)


def _exact(operation: Callable[[Amount, Amount], Decimal], one: Amount, other: Amount, name: str) -> Decimal:
    try:
        return operation(one, other)
    except DecimalException as error:
        raise Untranslatable("M-03", f"the amounts of {name} have too many digits", ocpi_status=2001) from error
