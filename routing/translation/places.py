"""What several objects say of a place: where it is, when it is open, what its energy is made of.

OCPI 2.2.1, "Locations", data types. `parking` and other members of 2.3.0 are with the objects that have them.

==========================================  ===================================  =======================================
member                                      2.1.1                                2.2, 2.2.1, 2.3.0
==========================================  ===================================  =======================================
`latitude`, `longitude`                     exactly six decimals                 five to seven
`country`                                   alpha-3, some write alpha-2          alpha-3
Hours `twentyfourseven`                     or else `regular_hours`              always there
EnvironmentalImpact `source`                `source`                             `category`, open in 2.3.0
Image `category`                            seven values                         the same, open in 2.3.0
==========================================  ===================================  =======================================
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from routing.translation.countries import ALPHA_3
from routing.translation.crossing import Crossing, Json
from routing.translation.enums import is_agreed, is_unknown
from routing.translation.fields import display_text_in_ascii, drop, each, in_ascii, inside, moments, renamed
from routing.vocabulary import Version

_PLAIN_DECIMAL: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]+)?")
_SIX_DECIMALS: Final = Decimal("0.000001")
_PERIOD: Final = ("period_begin", "period_end")
_NEWER_IMPACT: Final = {"source": "category"}
_OLDER_IMPACT: Final = {"category": "source"}
_is_new_impact = is_unknown("EnvironmentalImpactCategory", Version.V2_2_1)
_is_new_category = is_unknown("ImageCategory", Version.V2_2_1)


def alpha_3(country: str) -> str:
    """The alpha-3 code of a country. What is no alpha-2 code that is known is given back as it is."""
    return ALPHA_3.get(country, country)


def country_from_2_1_1(body: Json, crossing: Crossing) -> None:
    """Write the `country` of an object with three letters, where 2.1.1 has two."""
    country = body.get("country")
    if type(country) is str and country in ALPHA_3:
        body["country"] = ALPHA_3[country]
        crossing.lose("L-26", "/country")


def point_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1, of GeoLocation and AdditionalGeoLocation: six decimals."""
    point = body.copy()
    for name in ("latitude", "longitude"):
        degrees = body.get(name)
        if type(degrees) is str and degrees[-7:-6] != "." and _PLAIN_DECIMAL.fullmatch(degrees):
            point[name] = _with_six_decimals(degrees)
            crossing.lose("L-15", f"/{name}")
    if "name" in point:
        inside(point, "name", display_text_in_ascii, crossing)
    return point


def _with_six_decimals(degrees: str) -> str:
    rounded = Decimal(degrees).quantize(_SIX_DECIMALS, ROUND_HALF_UP)
    return str(abs(rounded) if rounded.is_zero() else rounded)


def hours_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1, of Hours: say whether it is always open, once."""
    hours = _exceptions(body, crossing)
    if hours.get("twentyfourseven") is None:
        hours["twentyfourseven"] = not (body.get("regular_hours") or body.get("exceptional_openings"))
        crossing.lose("L-25", "/twentyfourseven")
    elif hours["twentyfourseven"] is True:
        drop(hours, {"regular_hours": "L-25"}, crossing)
    return hours


def hours_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1, of Hours. 2.1.1 bears both members together: its own example has them."""
    return _exceptions(body, crossing)


def _exceptions(body: Json, crossing: Crossing) -> Json:
    hours = body.copy()
    each(hours, "exceptional_openings", period, crossing)
    each(hours, "exceptional_closings", period, crossing)
    return hours


def period(body: Json, crossing: Crossing) -> Json:
    """Between 2.1.1 and 2.2.1, of everything with a `period_begin` and a `period_end` that are moments."""
    changed = body.copy()
    moments(changed, _PERIOD, crossing)
    return changed


def energy_mix_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1, of EnergyMix."""
    mix = body.copy()
    each(mix, "environ_impact", _impact_from_2_1_1, crossing)
    return mix


def energy_mix_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1, of EnergyMix."""
    mix = body.copy()
    each(mix, "environ_impact", _impact_to_2_1_1, crossing)
    in_ascii(mix, ("supplier_name", "energy_product_name"), crossing)
    return mix


def _impact_from_2_1_1(body: Json, _crossing: Crossing) -> Json:
    return renamed(body, _NEWER_IMPACT)


def _impact_to_2_1_1(body: Json, _crossing: Crossing) -> Json:
    return renamed(body, _OLDER_IMPACT)


def energy_mix_from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1, of EnergyMix: impacts of a kind that 2.2.1 does not have are left out."""
    impacts = body.get("environ_impact")
    if type(impacts) is not list or not any(_is_new(impact, crossing) for impact in impacts):
        return body
    left = []
    for index, impact in enumerate(impacts):
        if _is_new(impact, crossing):
            crossing.lose("M-31", f"/environ_impact/{index}")
        else:
            left.append(impact)
    return {**body, "environ_impact": left}


def _is_new(impact: Any, crossing: Crossing) -> bool:  # noqa: ANN401 - any JSON
    category = impact.get("category") if type(impact) is dict else None
    return _is_new_impact(category) and not is_agreed("EnvironmentalImpactCategory", category, crossing)


def image_from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1, of Image."""
    category = body.get("category")
    if not _is_new_category(category) or is_agreed("ImageCategory", category, crossing):
        return body
    crossing.lose("M-30", "/category")
    return {**body, "category": "OTHER"}


def business_details_from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1, of BusinessDetails: the category of the logo."""
    details = body.copy()
    inside(details, "logo", image_from_2_3_0, crossing)
    return details


def name_operator(location: Json, crossing: Crossing, told_at: str) -> None:
    """2.2.1 to 2.1.1, on a Location without operator: its owner, or a reader would take the hub for the operator."""
    if crossing.owner_details is not None and crossing.destination.quirks.fill_operator:
        location["operator"] = crossing.nested(business_details_to_2_1_1, crossing.owner_details, "/operator")
        crossing.lose("L-27", told_at)


def business_details_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1, of BusinessDetails: a name in ASCII for a receiver that wants it."""
    details = body.copy()
    in_ascii(details, ("name",), crossing)
    return details
