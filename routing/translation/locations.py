"""Location. OCPI 2.1.1, 2.2, 2.2.1 and 2.3.0, "Locations", Location Object.

==========================  ===============  ==============  ==============  ==================
member                      2.1.1            2.2             2.2.1           2.3.0
==========================  ===============  ==============  ==============  ==================
`country_code` `party_id`   -                the owner       as 2.2          as 2.2
`id`                        39 characters    36              36              36
`publish`                   -                required        as 2.2          as 2.2
`publish_allowed_to`        -                optional        as 2.2          as 2.2, new types
kind of place               `type`           `parking_type`  as 2.2          as 2.2, open enum
`address`                   45 characters    45              255             255
`postal_code`               required         optional        as 2.2          as 2.2
`state`                     -                20 characters   45              45
`facilities`                16 values        4 more          as 2.2          as 2.2, open enum
`time_zone`                 optional         required        as 2.2          as 2.2
`images`                    7 categories     as 2.1.1        as 2.1.1        open enum
`parking_places`            -                -               -               optional
`help_phone`                -                -               -               optional
==========================  ===============  ==============  ==============  ==================

What is inside of it is in `evses`, `connectors` and `places`; who may see it, in `publishing`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from routing.translation.countries import nearest_zone, only_zone
from routing.translation.crossing import NO_DATA, Crossing, Json
from routing.translation.enums import VALUES, is_agreed, is_lost, is_unknown
from routing.translation.evses import folded as folded_evse
from routing.translation.evses import parts_from_2_1_1 as evses_from_2_1_1
from routing.translation.evses import parts_from_2_3_0 as evses_from_2_3_0
from routing.translation.evses import parts_to_2_1_1 as evses_to_2_1_1
from routing.translation.evses import parts_to_2_2 as evses_to_2_2
from routing.translation.fields import (
    add_last_updated,
    cut,
    display_text_in_ascii,
    drop,
    each,
    in_ascii,
    inside,
    is_absent,
    moments,
    renamed,
    taken_over,
    without_values,
)
from routing.translation.identifiers import LONGEST, check_id
from routing.translation.places import (
    business_details_from_2_3_0,
    business_details_to_2_1_1,
    country_from_2_1_1,
    energy_mix_from_2_1_1,
    energy_mix_from_2_3_0,
    energy_mix_to_2_1_1,
    hours_from_2_1_1,
    hours_to_2_1_1,
    image_from_2_3_0,
    name_operator,
    point_to_2_1_1,
)
from routing.translation.publishing import visible
from routing.translation.questions import LocationAtHand
from routing.translation.tokens import older_type
from routing.vocabulary import Version

_NEWER_NAMES: Final = {"type": "parking_type"}
_OLDER_NAMES: Final = {"parking_type": "type"}
_MOMENTS: Final = ("last_updated",)
_PEOPLE: Final = ("operator", "suboperator", "owner")
_TEXTS: Final = ("name", "address", "city", "postal_code")
_OWNER: Final = {"country_code": "L-01", "party_id": "L-01"}
_LOST_TO_2_1_1: Final = {
    "country_code": "L-06",
    "party_id": "L-06",
    "publish": "L-19",
    "publish_allowed_to": "L-19",
    "state": "L-14",
}
_LOST_TO_2_2_1: Final = {"parking_places": "M-20", "help_phone": "M-21"}
_LONGEST_ADDRESS: Final = 45
_LONGEST_STATE: Final = 20
_LENGTHS: Final = {Version.V2_2: "original"}
"""Which lengths hold where a partner's settings do not say; errata in all other versions."""
_OF_NO_KIND: Final = ("OTHER", "UNKNOWN")
_OLDER_TYPES: Final = VALUES["ParkingType"][Version.V2_1_1].union(_OF_NO_KIND)
_lost_type = is_lost("ParkingType", Version.V2_2_1, Version.V2_1_1)
_unknown_type = is_unknown("ParkingType", Version.V2_2_1)
_lost_facility = is_lost("Facility", Version.V2_2_1, Version.V2_1_1)
_unknown_facility = is_unknown("Facility", Version.V2_2_1)

_NEWER_MEMBERS: Final[dict[str, Callable[[Any], bool]]] = {
    "publish": lambda value: type(value) is bool,
    "publish_allowed_to": lambda value: type(value) is list,
    "parking_type": lambda value: type(value) is str and not _unknown_type(value),
    "state": lambda value: type(value) is str,
}
_OLDER_MEMBERS: Final[dict[str, Callable[[Any], bool]]] = {
    "type": lambda value: type(value) is str and value in _OLDER_TYPES,
}


def from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1.

    Raises:
        Untranslatable: RF-01, its id or the uid of an EVSE is too long.
    """
    location = renamed(taken_over(body, _NEWER_MEMBERS, crossing), _NEWER_NAMES)
    _type_from_2_1_1(location, crossing)
    _postal_code_from_2_1_1(location, crossing)
    country_from_2_1_1(location, crossing)
    inside(location, "opening_times", hours_from_2_1_1, crossing)
    inside(location, "energy_mix", energy_mix_from_2_1_1, crossing)
    evses_from_2_1_1(location, crossing)
    if crossing.patch:
        _patch_from_2_1_1(location, crossing)
    else:
        _complete(location, crossing)
    check_id(location, "id", LONGEST, crossing)  # at last: until here it is looked up under its own id
    moments(location, _MOMENTS, crossing)
    add_last_updated(location, crossing)
    return location


def _type_from_2_1_1(location: Json, crossing: Crossing) -> None:
    if location.get("parking_type") in _OF_NO_KIND and not crossing.destination.quirks.enum_passthrough:
        _set_or_leave_out(location, "parking_type", crossing)
        crossing.lose("L-11", "/type")


def _postal_code_from_2_1_1(location: Json, crossing: Crossing) -> None:
    if location.get("postal_code") in (NO_DATA, ""):
        _set_or_leave_out(location, "postal_code", crossing)


def _set_or_leave_out(location: Json, name: str, crossing: Crossing) -> None:
    """An optional value that the other version cannot say: null in a PATCH, or the old one would stay in force."""
    if crossing.patch:
        location[name] = None
    else:
        del location[name]


def _patch_from_2_1_1(location: Json, crossing: Crossing) -> None:
    drop(location, _OWNER, crossing)
    if "time_zone" in location and location["time_zone"] is None:
        del location["time_zone"]


def _complete(location: Json, crossing: Crossing) -> None:
    """What 2.2.1 demands and 2.1.1 does not have."""
    location["country_code"], location["party_id"] = crossing.owner
    if is_absent(location, "publish"):
        location["publish"] = True
        crossing.lose("L-18", "/publish")
    if is_absent(location, "time_zone"):
        zone = _zone(location, crossing)
        location["time_zone"] = zone or NO_DATA
        crossing.lose("L-17" if zone else "L-05", "/time_zone")


def _zone(location: Json, crossing: Crossing) -> str | None:
    """The time zone, as the first of these has it: the Location as it was before, the owner's settings, its country.

    The Location as it was could say nothing else where a whole country has one time.
    """
    country = location.get("country")
    default = crossing.origin.quirks.default_time_zone
    alone = only_zone(country) if type(country) is str else None
    if default is None and alone is not None:
        return alone
    return _zone_before(location, crossing) or default or alone or _nearest_zone(country, location.get("coordinates"))


def _zone_before(location: Json, crossing: Crossing) -> str | None:
    location_id = location.get("id")
    known = crossing.ask(LocationAtHand(crossing.owner, location_id)) if type(location_id) is str else None
    zone = known.get("time_zone") if known is not None else None
    return zone if type(zone) is str and zone != NO_DATA else None


def _nearest_zone(country: Any, coordinates: Any) -> str | None:  # noqa: ANN401 - any JSON
    if type(country) is not str or type(coordinates) is not dict:
        return None
    try:
        return nearest_zone(country, float(coordinates["latitude"]), float(coordinates["longitude"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1. It is another, complete one where that is how 2.1.1 says that a Location appears or goes.

    Raises:
        Untranslatable: RF-03, it is not published; RF-19, the complete one cannot be had.
    """
    seen = visible(body, crossing)
    return _to_2_1_1(body, crossing) if seen is body else crossing.nested(_to_2_1_1, seen, "")


def embedded_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1, in a Session. The receiver may see it, published or not, and no Connector is left out."""
    location = body.copy()
    each(location, "evses", folded_evse, crossing)
    return _to_2_1_1(location, crossing)


def _to_2_1_1(body: Json, crossing: Crossing) -> Json:
    location = renamed(taken_over(body, _OLDER_MEMBERS, crossing), _OLDER_NAMES)
    drop(location, _LOST_TO_2_1_1, crossing, "location")
    if crossing.destination.quirks.ascii_only:
        _in_ascii(location, crossing)
    cut(location, "address", _LONGEST_ADDRESS, "L-04", crossing)
    _type_to_2_1_1(location, crossing)
    _required_by_2_1_1(location, crossing)
    inside(location, "coordinates", point_to_2_1_1, crossing)
    each(location, "related_locations", point_to_2_1_1, crossing)
    without_values(location, "facilities", _lost_facility, "L-16", crossing)
    inside(location, "opening_times", hours_to_2_1_1, crossing)
    inside(location, "energy_mix", energy_mix_to_2_1_1, crossing)
    evses_to_2_1_1(location, crossing)
    moments(location, _MOMENTS, crossing)
    return location


def _type_to_2_1_1(location: Json, crossing: Crossing) -> None:
    kind = location.get("type")
    if _lost_type(kind) and not is_agreed("ParkingType", kind, crossing):
        location["type"] = "OTHER"
    elif kind is None and (not crossing.patch or "type" in location):
        location["type"] = "UNKNOWN"
    else:
        return
    crossing.lose("L-12", "/parking_type")


def _required_by_2_1_1(location: Json, crossing: Crossing) -> None:
    if is_absent(location, "postal_code") and (not crossing.patch or "postal_code" in location):
        location["postal_code"] = NO_DATA
        crossing.lose("L-13", "/postal_code")
    if location.get("time_zone") == NO_DATA:
        del location["time_zone"]
    if not crossing.patch and is_absent(location, "operator"):
        name_operator(location, crossing, "/operator")


def _in_ascii(location: Json, crossing: Crossing) -> None:
    in_ascii(location, _TEXTS, crossing)
    each(location, "directions", display_text_in_ascii, crossing)
    for name in _PEOPLE:
        inside(location, name, business_details_to_2_1_1, crossing)


def to_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.2."""
    location = body.copy()
    _cut_to_original(location, Version.V2_2, crossing)
    evses_to_2_2(location, crossing)
    return location


def to_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.3.0."""
    location = body.copy()
    _cut_to_original(location, Version.V2_3_0, crossing)
    return location


def _cut_to_original(location: Json, version: Version, crossing: Crossing) -> None:
    """Keep to the first lengths of the texts, for a receiver of this version that does; errata have longer ones."""
    if crossing.destination.version is not version:
        return
    if (crossing.destination.quirks.lengths or _LENGTHS.get(version)) == "original":
        cut(location, "address", _LONGEST_ADDRESS, "M-76", crossing)
        cut(location, "state", _LONGEST_STATE, "M-76", crossing)


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1."""
    location = body.copy()
    if crossing.destination.quirks.additive == "drop":
        drop(location, _LOST_TO_2_2_1, crossing, "location")
    _cut_to_original(location, Version.V2_2_1, crossing)
    _type_from_2_3_0(location, crossing)
    without_values(location, "facilities", _unknown_facility, "M-28", crossing)
    each(location, "images", image_from_2_3_0, crossing)
    for name in _PEOPLE:
        inside(location, name, business_details_from_2_3_0, crossing)
    inside(location, "energy_mix", energy_mix_from_2_3_0, crossing)
    each(location, "publish_allowed_to", _publish_token_from_2_3_0, crossing)
    evses_from_2_3_0(location, crossing)
    return location


def _type_from_2_3_0(location: Json, crossing: Crossing) -> None:
    kind = location.get("parking_type")
    if _unknown_type(kind) and not is_agreed("ParkingType", kind, crossing):
        _set_or_leave_out(location, "parking_type", crossing)
        crossing.lose("M-29", "/parking_type")


def _publish_token_from_2_3_0(body: Json, crossing: Crossing) -> Json:
    token = body.copy()
    older_type(token, crossing)
    return token
