"""ChargingPeriod and CdrDimension, of Sessions and CDRs. OCPI 2.2.1, "CDRs".

=============  ===========  =======================  ====================================
member         2.1.1        2.2, 2.2.1               2.3.0
=============  ===========  =======================  ====================================
`tariff_id`    -            optional: absent says    as 2.2.1
                            that no Tariff applies
`dimensions`   with `FLAT`  eight more types, no     as 2.2.1, with the two of Bookings
                            `FLAT`
=============  ===========  =======================  ====================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.translation.crossing import Crossing, Json
from routing.translation.enums import extra, is_agreed, lost
from routing.translation.fields import drop, each, is_absent, moments, only_valid
from routing.vocabulary import Version

_MOMENTS: Final = ("start_date_time",)
_LONGEST_ID: Final = 36

_ENUM: Final = "CdrDimensionType"
_FLAT: Final = frozenset({"FLAT"})
"""Removed in 2.2: a flat fee is no quantity."""
_UNKNOWN_TO_2_1_1: Final = lost(_ENUM, Version.V2_2_1, Version.V2_1_1)
_LOST_IN_2_1_1: Final = {"tariff_id": "L-42"}
_RESERVED: Final = "RESERVATION_TIME"
_EXPIRES: Final = "RESERVATION_EXPIRES"
_OF_BOOKINGS: Final = frozenset({_EXPIRES, "RESERVATION_OVERTIME"})
_NOTHING_MEASURED: Final[Mapping[str, Any]] = {"type": "TIME", "volume": 0}
"""Keeps a period that has nothing else left to say: without it, the one before would seem to last longer."""


def _is_id(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and len(value) <= _LONGEST_ID


_NEWER_MEMBERS: Final = {"tariff_id": _is_id}


def from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1, always a copy. Which Tariff applied is for `name_tariff`."""
    period = body.copy()
    moments(period, _MOMENTS, crossing)
    _without(period, _FLAT, "L-39", "L-41", crossing)
    only_valid(period, _NEWER_MEMBERS, crossing)
    return period


def to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1."""
    period = body.copy()
    drop(period, _LOST_IN_2_1_1, crossing, "charging_period")
    moments(period, _MOMENTS, crossing)
    _without(period, _UNKNOWN_TO_2_1_1, "L-40", "L-41", crossing)
    return period


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1: the dimensions of Bookings. Until a reservation expires is what 2.2.1 calls its time."""
    dimensions = body.get("dimensions")
    if type(dimensions) is not list or _OF_BOOKINGS.isdisjoint(types := list(map(_type, dimensions))):
        return body
    period = body.copy()
    if _EXPIRES in types and _RESERVED not in types and not is_agreed(_ENUM, _EXPIRES, crossing):
        index = types.index(_EXPIRES)
        period["dimensions"] = dimensions.copy()
        period["dimensions"][index] = {**dimensions[index], "type": _RESERVED}
        crossing.lose("M-51", f"/dimensions/{index}")
    _without(period, _OF_BOOKINGS, "M-52", "M-53", crossing)
    return period


def name_tariff(body: Json, tariff_id: str | None, crossing: Crossing) -> None:
    """Give the periods of a Session or CDR that came from 2.1.1 the Tariff that applied, as far as it is known.

    Changes the periods themselves, which `from_2_1_1` has just made.
    """
    periods = body.get("charging_periods")
    if type(periods) is not list:
        return
    for index, period in enumerate(periods):
        if type(period) is dict and is_absent(period, "tariff_id"):
            crossing.lose("L-42", f"/charging_periods/{index}/tariff_id")
            if tariff_id is not None:
                period["tariff_id"] = tariff_id


def all_from_2_1_1(body: Json, tariff_id: str | None, crossing: Crossing) -> None:
    """Translate the periods of a Session or CDR, on its copy."""
    each(body, "charging_periods", from_2_1_1, crossing)
    name_tariff(body, tariff_id, crossing)


def _type(dimension: Any) -> str:  # noqa: ANN401 - any JSON
    found = dimension.get("type") if type(dimension) is dict else None
    return found if type(found) is str else ""


def _without(period: Json, unknown: frozenset[str], loss: str, emptied: str, crossing: Crossing) -> None:
    """Remove the dimensions of these types; where none is left, say that nothing was measured."""
    dimensions = period.get("dimensions")
    if type(dimensions) is not list or unknown.isdisjoint(types := list(map(_type, dimensions))):
        return
    if crossing.destination.quirks.enum_passthrough:
        return
    unknown -= extra(_ENUM, crossing)
    left = [dimension for dimension, name in zip(dimensions, types, strict=True) if name not in unknown]
    if len(left) == len(dimensions):
        return
    period["dimensions"] = left or [dict(_NOTHING_MEASURED)]
    for index, name in enumerate(types):
        if name in unknown:
            crossing.lose(loss, f"/dimensions/{index}")
    if not left:
        crossing.lose(emptied, "/dimensions")
