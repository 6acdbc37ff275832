"""EVSE. OCPI 2.1.1, 2.2, 2.2.1 and 2.3.0, "Locations", EVSE Object.

============================  ===============  ===============  ===========  ==================
member                        2.1.1            2.2              2.2.1        2.3.0
============================  ===============  ===============  ===========  ==================
`uid`                         39 characters    36               36           36
`capabilities`                6 values         6 more           one more     as 2.2.1, open enum
`parking_restrictions`        5 values         as 2.1.1         as 2.1.1     3 more, open enum
`coordinates`                 six decimals     five to seven    as 2.2       as 2.2
`images`                      7 categories     as 2.1.1         as 2.1.1     open enum
`parking`                     -                -                -            optional
`accepted_service_providers`  -                -                -            optional
============================  ===============  ===============  ===========  ==================

An EVSE that loses all its Connectors is left out of its Location, and refused when the message is about nothing else.
`parts_...` are for the EVSEs of a Location, the other functions for the EVSE that a message is about.
"""

from __future__ import annotations

from typing import Any, Final

from routing.errors import Untranslatable
from routing.translation.connectors import folded as folded_connector
from routing.translation.connectors import parts_from_2_1_1 as connectors_from_2_1_1
from routing.translation.connectors import parts_from_2_3_0 as connectors_from_2_3_0
from routing.translation.connectors import parts_to_2_1_1 as connectors_to_2_1_1
from routing.translation.connectors import parts_to_2_2 as connectors_to_2_2
from routing.translation.crossing import Crossing, Json
from routing.translation.enums import is_agreed, is_lost, is_unknown
from routing.translation.fields import (
    add_last_updated,
    display_text_in_ascii,
    drop,
    each,
    in_ascii,
    inside,
    moments,
    without_values,
)
from routing.translation.identifiers import LONGEST, check_id
from routing.translation.places import image_from_2_3_0, period, point_to_2_1_1
from routing.translation.publishing import check_published
from routing.vocabulary import Version

_MOMENTS: Final = ("last_updated",)
_TEXTS: Final = ("floor_level", "physical_reference")
_LOST_TO_2_2_1: Final = {"parking": "M-22", "accepted_service_providers": "M-23"}
_FOR_SOME: Final = ("EMPLOYEES", "TENANTS")
_CUSTOMERS: Final = "CUSTOMERS"
_lost_to_2_1_1 = is_lost("Capability", Version.V2_2_1, Version.V2_1_1)
_lost_to_2_2 = is_lost("Capability", Version.V2_2_1, Version.V2_2)
_unknown_capability = is_unknown("Capability", Version.V2_2_1)
_unknown_restriction = is_unknown("ParkingRestriction", Version.V2_2_1)


def from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1, on its own and in its Location.

    Raises:
        Untranslatable: RF-01, its uid is too long.
    """
    evse = body.copy()
    check_id(evse, "uid", LONGEST, crossing)
    connectors_from_2_1_1(evse, crossing)
    _moments(evse, crossing)
    add_last_updated(evse, crossing)
    return evse


def _moments(evse: Json, crossing: Crossing) -> None:
    each(evse, "status_schedule", period, crossing)
    moments(evse, _MOMENTS, crossing)


def parts_from_2_1_1(location: Json, crossing: Crossing) -> None:
    """2.1.1 to 2.2.1, on the copy of a Location."""
    each(location, "evses", from_2_1_1, crossing)


def to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1.

    Raises:
        Untranslatable: RF-04, 2.1.1 has none of its plugs; RF-03, the Location is not published.
    """
    check_published(crossing)
    evse = _to_2_1_1(body, crossing)
    if evse is None:
        raise Untranslatable("RF-04", "no connector of this EVSE can be expressed in OCPI 2.1.1")
    return evse


def _to_2_1_1(body: Json, crossing: Crossing) -> Json | None:
    """None where it has lost all its Connectors, here and below."""
    evse = body.copy()
    without_values(evse, "capabilities", _lost_to_2_1_1, "L-20", crossing)
    connectors_to_2_1_1(evse, crossing)
    inside(evse, "coordinates", point_to_2_1_1, crossing)
    _moments(evse, crossing)
    if crossing.destination.quirks.ascii_only:
        in_ascii(evse, _TEXTS, crossing)
        each(evse, "directions", display_text_in_ascii, crossing)
    return _unless_all_is_lost(body, evse)


def parts_to_2_1_1(location: Json, crossing: Crossing) -> None:
    """2.2.1 to 2.1.1, on the copy of a Location."""
    each(location, "evses", _to_2_1_1, crossing, "L-21")


def folded(body: Json, crossing: Crossing) -> Json:
    """An EVSE of 2.2.1, in a Session, with Connectors that all have a plug of 2.1.1."""
    evse = body.copy()
    each(evse, "connectors", folded_connector, crossing)
    return evse


def to_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.2.

    Raises:
        Untranslatable: M-35, 2.2 has none of its plugs.
    """
    evse = _to_2_2(body, crossing)
    if evse is None:
        raise Untranslatable("M-35", "no connector of this EVSE can be expressed in OCPI 2.2")
    return evse


def _to_2_2(body: Json, crossing: Crossing) -> Json | None:
    evse = body.copy()
    without_values(evse, "capabilities", _lost_to_2_2, "M-89", crossing)
    connectors_to_2_2(evse, crossing)
    return _unless_all_is_lost(body, evse)


def parts_to_2_2(location: Json, crossing: Crossing) -> None:
    """2.2.1 to 2.2, on the copy of a Location."""
    each(location, "evses", _to_2_2, crossing, "M-34")


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1.

    Raises:
        Untranslatable: M-35, 2.2.1 has none of its plugs.
    """
    evse = _from_2_3_0(body, crossing)
    if evse is None:
        raise Untranslatable("M-35", "no connector of this EVSE can be expressed in OCPI 2.2.1")
    return evse


def _from_2_3_0(body: Json, crossing: Crossing) -> Json | None:
    evse = body.copy()
    if crossing.destination.quirks.additive == "drop":
        drop(evse, _LOST_TO_2_2_1, crossing, "evse")
    without_values(evse, "capabilities", _unknown_capability, "M-27", crossing)
    _restrictions_from_2_3_0(evse, crossing)
    each(evse, "images", image_from_2_3_0, crossing)
    connectors_from_2_3_0(evse, crossing)
    return _unless_all_is_lost(body, evse)


def _restrictions_from_2_3_0(evse: Json, crossing: Crossing) -> None:
    """Places for some people only are for customers: that is what 2.2.1 called them. Nothing stands for the others."""
    restrictions = evse.get("parking_restrictions")
    if type(restrictions) is not list or not _unknown_restriction.in_any(restrictions):
        return
    left: list[Any] = []
    replaced = False
    for index, value in enumerate(restrictions):
        pointer = f"/parking_restrictions/{index}"
        if not _unknown_restriction(value) or is_agreed("ParkingRestriction", value, crossing):
            left.append(value)
        elif value in _FOR_SOME:
            left.append(_CUSTOMERS)
            replaced = True
            crossing.lose("M-25", pointer)
        else:
            crossing.lose("M-26", pointer)
    evse["parking_restrictions"] = _once(left, _CUSTOMERS) if replaced else left


def _once(values: list[Any], which: str) -> list[Any]:
    first = values.index(which)
    return [value for index, value in enumerate(values) if value != which or index == first]


def parts_from_2_3_0(location: Json, crossing: Crossing) -> None:
    """2.3.0 to 2.2.1, on the copy of a Location."""
    each(location, "evses", _from_2_3_0, crossing, "M-34")


def _unless_all_is_lost(before: Json, after: Json) -> Json | None:
    """None if there were Connectors and are none any more. An EVSE that came without is for the receiver to judge."""
    return None if after.get("connectors") == [] and before["connectors"] != [] else after
