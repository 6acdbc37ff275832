"""The place of a CDR: a Location in 2.1.1, a CdrLocation in later versions. OCPI 2.1.1 and 2.2.1, "CDRs".

==========================================  ========================================================================
2.1.1 `location`                            2.2.1 `cdr_location`
==========================================  ========================================================================
`id`, `name`, `address`, `city`, `country`  the same
`coordinates`                               the same
`postal_code`                               the same, optional; required in 2.2
-                                           `state`, not in 2.2
`evses[0].uid`, `.evse_id`                  `evse_uid`, `evse_id`, both required
`evses[0].connectors[0].id`                 `connector_id`
`.standard`, `.format`, `.power_type`       `connector_standard`, `connector_format`, `connector_power_type`
all else of the Location                    -
==========================================  ========================================================================

A CDR is sealed, so nothing is put into it that could have changed since, and nobody is called for it: what 2.1.1 must
have beyond the CdrLocation is what is at hand, or says that it is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.errors import Untranslatable
from routing.timestamps import write_seconds
from routing.translation.aliases import at_its_owner
from routing.translation.connectors import folded_standard, to_one_phase
from routing.translation.crossing import NO_DATA, Crossing, Json
from routing.translation.embedded_locations import Place, place_in
from routing.translation.enums import is_agreed, is_lost, is_unknown
from routing.translation.fields import cut, drop, in_ascii, inside, is_absent
from routing.translation.identifiers import LONGEST, check_id
from routing.translation.places import country_from_2_1_1, name_operator, point_to_2_1_1
from routing.translation.questions import LocationAtHand
from routing.vocabulary import Version

_LOST_TO_2_2_1: Final = frozenset(
    {
        "type",
        "related_locations",
        "evses",
        "directions",
        "operator",
        "suboperator",
        "owner",
        "facilities",
        "time_zone",
        "opening_times",
        "charging_when_closed",
        "images",
        "energy_mix",
        "last_updated",
    }
)
_OF_EVSE: Final = {"evse_uid": "uid", "evse_id": "evse_id"}
_OF_CONNECTOR: Final = {
    "connector_id": "id",
    "connector_standard": "standard",
    "connector_format": "format",
    "connector_power_type": "power_type",
}
_IN_CONNECTOR: Final = {older: newer for newer, older in _OF_CONNECTOR.items()}
_EVSE: Final = "/location/evses/0"
_CONNECTOR: Final = f"{_EVSE}/connectors/0"
_PLACEHOLDERS: Final = {
    "evse_uid": (NO_DATA, "L-05", f"{_EVSE}/uid"),
    "evse_id": (NO_DATA, "L-05", f"{_EVSE}/evse_id"),
    "connector_id": (NO_DATA, "L-05", f"{_CONNECTOR}/id"),
    "connector_standard": ("IEC_62196_T2", "L-59", f"{_CONNECTOR}/standard"),
    "connector_format": ("SOCKET", "L-59", f"{_CONNECTOR}/format"),
    "connector_power_type": ("AC_1_PHASE", "L-59", f"{_CONNECTOR}/power_type"),
}
"""By required member of a CdrLocation: what says that it is unknown, the loss, and where it would have been."""
_LOST_TO_2_1_1: Final = {"state": "L-14"}
_LOST_TO_2_2: Final = {"state": "M-85"}
_TEXTS: Final = ("name", "address", "city")
_UNKNOWN: Final = "UNKNOWN"
_NOT_SAID: Final = (None, NO_DATA)
_OLDER_TYPES: Final = {"ALONG_MOTORWAY": "OTHER", "ON_DRIVEWAY": "OTHER"}
_is_new_to_2_1_1 = is_lost("ConnectorType", Version.V2_3_0, Version.V2_1_1)
_is_new_to_2_2 = is_lost("ConnectorType", Version.V2_2_1, Version.V2_2)
_is_new_to_2_2_1 = is_unknown("ConnectorType", Version.V2_2_1)


# ------------------------------------------------------------------------------------------------ 2.1.1 and 2.2.1


def location_to_cdr_location(body: Json, crossing: Crossing) -> Place:
    """2.1.1 to 2.2.1, on the CDR: its Location, by now called `cdr_location`, becomes a CdrLocation.

    Returns the EVSE and the Connector it is about.

    Raises:
        Untranslatable: there is no Location, or an id of it is too long.
    """
    location = body.get("cdr_location")
    if type(location) is not dict:
        raise Untranslatable("RF-02", "there is no location", ocpi_status=2001)
    place = place_in(location, crossing)
    here = crossing.nested(_without_details, location, "/location")
    if place.evse is not None:
        _copy_members(here, _OF_EVSE, crossing.nested(_with_uid_checked, place.evse, _EVSE))
    if place.connector is not None:
        _copy_members(here, _OF_CONNECTOR, place.connector)
    missing = [name for name in _PLACEHOLDERS if here.get(name) is None]
    if missing:
        _fill(here, missing, _members_at_hand(location, here, place, crossing), crossing)
    body["cdr_location"] = here
    return place


def _without_details(body: Json, crossing: Crossing) -> Json:
    """The members that a CdrLocation has too."""
    here = {name: value for name, value in body.items() if name not in _LOST_TO_2_2_1}
    if len(here) < len(body):
        crossing.lose("L-57", "")
    if here.get("postal_code") in (NO_DATA, ""):
        del here["postal_code"]
    check_id(here, "id", LONGEST, crossing)
    cut(here, "address", 45, "L-04", crossing)
    cut(here, "state", 20, "L-04", crossing)
    country_from_2_1_1(here, crossing)
    return here


def _with_uid_checked(body: Json, crossing: Crossing) -> Json:
    evse = body.copy()
    check_id(evse, "uid", LONGEST, crossing)
    return evse


def _copy_members(here: Json, names: Mapping[str, str], there: Json) -> None:
    for name, there_called in names.items():
        value = there.get(there_called)
        if value is not None:
            here[name] = value


def _members_at_hand(location: Json, here: Json, place: Place, crossing: Crossing) -> Json:
    """What the Location that is at hand, which its owner may have described better, says of the same EVSE."""
    known = None if place.evse is None else _location_at_hand(location, crossing)
    if known is None or place.evse is None:
        return {}
    members: Json = {}
    evse = _with_id(known, "evses", "uid", here.get("evse_uid")) or {}
    _copy_members(members, _OF_EVSE, evse)
    if place.connector is not None:
        _copy_members(members, _OF_CONNECTOR, _with_id(evse, "connectors", "id", place.connector.get("id")) or {})
    elif len(connectors := _objects(evse, "connectors")) == 1:
        _copy_members(members, _OF_CONNECTOR, connectors[0] | {"id": None})  # which one it was, nobody said
    return members


def _fill(here: Json, missing: list[str], at_hand: Json, crossing: Crossing) -> None:
    for name in missing:
        if name in at_hand:
            here[name] = at_hand[name]
        else:
            here[name], loss, pointer = _PLACEHOLDERS[name]
            crossing.lose(loss, pointer)


def cdr_location_to_location(body: Json, tariff_id: str | None, crossing: Crossing) -> None:
    """2.2.1 to 2.1.1, on the CDR: its CdrLocation, by now called `location`, becomes a Location as of the start.

    `tariff_id` is the Tariff that the Connector shows.

    Raises:
        Untranslatable: there is no CdrLocation.
    """
    told = body.get("location")
    if type(told) is not dict:
        raise Untranslatable("RF-02", "there is no cdr_location", ocpi_status=2001)
    since = _text(body.get("start_date_time")) or _text(body.get("last_updated")) or write_seconds(crossing.now)
    at_hand = at_its_owner(_location_at_hand(told, crossing) or {}, crossing)
    place = crossing.nested(_place_to_2_1_1, told, "/cdr_location")
    location = {name: value for name, value in place.items() if name not in _PLACEHOLDERS}
    crossing.lose("L-56", "/cdr_location")
    if is_absent(location, "type"):
        kind = _text(at_hand.get("parking_type"))
        location["type"] = _OLDER_TYPES.get(kind, kind) if kind else _UNKNOWN
    if place.get("evse_uid") not in _NOT_SAID:
        known = _with_id(at_hand, "evses", "uid", place["evse_uid"])
        location["evses"] = [_evse(place, known, tariff_id, since)]
    if is_absent(location, "last_updated"):
        location["last_updated"] = since
    if is_absent(location, "operator"):
        name_operator(location, crossing, "/cdr_location")
    body["location"] = location


def _place_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """The CdrLocation as one with values that 2.1.1 has."""
    place = body.copy()
    drop(place, _LOST_TO_2_1_1, crossing, "cdr_location")
    if is_absent(place, "postal_code"):
        place["postal_code"] = NO_DATA
        crossing.lose("L-13", "/postal_code")
    inside(place, "coordinates", point_to_2_1_1, crossing)
    standard = place.get("connector_standard")
    if _is_new_to_2_1_1(standard) and not is_agreed("ConnectorType", standard, crossing):
        place["connector_standard"] = folded_standard(standard, place.get("connector_power_type"))
        crossing.lose("L-58", "/connector_standard")
    to_one_phase(place, "connector_power_type", "L-22", crossing)
    in_ascii(place, _TEXTS, crossing)
    return place


def _evse(place: Json, known: Json | None, tariff_id: str | None, since: str) -> Json:
    evse: Json = {"uid": place["evse_uid"]}
    if place.get("evse_id") not in _NOT_SAID:
        evse["evse_id"] = place["evse_id"]
    evse["status"] = _UNKNOWN
    stored = None if known is None else _with_id(known, "connectors", "id", place.get("connector_id"))
    evse["connectors"] = [_connector(place, stored or {}, tariff_id, since)]
    evse["last_updated"] = since
    return evse


def _connector(place: Json, known: Json, tariff_id: str | None, since: str) -> Json:
    connector: Json = {}
    _copy_members(connector, _IN_CONNECTOR, place)
    connector["voltage"] = known.get("max_voltage") or 0
    connector["amperage"] = known.get("max_amperage") or 0
    if tariff_id is not None:
        connector["tariff_id"] = tariff_id
    connector["last_updated"] = since
    return connector


def _location_at_hand(place: Json, crossing: Crossing) -> Json | None:
    location_id = _text(place.get("id"))
    return crossing.ask(LocationAtHand(crossing.owner, location_id)) if location_id else None


def _with_id(body: Json, name: str, key: str, wanted: Any) -> Json | None:  # noqa: ANN401 - any JSON
    if type(wanted) is not str:
        return None
    wanted = wanted.casefold()
    return next((each for each in _objects(body, name) if str(each.get(key)).casefold() == wanted), None)


def _objects(body: Json, name: str) -> list[Json]:
    values = body.get(name)
    return [value for value in values if type(value) is dict] if type(values) is list else []


def _text(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    return value if type(value) is str and value else None


# ------------------------------------------------------------------------------------------------ 2.2 and 2.2.1


def from_2_2(body: Json, _crossing: Crossing) -> Json:
    """2.2 to 2.2.1: a postal code that is not known may be missing."""
    if body.get("postal_code") != NO_DATA:
        return body
    return {name: value for name, value in body.items() if name != "postal_code"}


def to_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.2."""
    place = body.copy()
    if crossing.destination.quirks.additive != "keep":
        drop(place, _LOST_TO_2_2, crossing)
    if is_absent(place, "postal_code"):
        place["postal_code"] = NO_DATA
        crossing.lose("M-84", "/postal_code")
    standard = body.get("connector_standard")
    if _is_new_to_2_2(standard) and not is_agreed("ConnectorType", standard, crossing):
        _pass_unknown_connector(place, crossing)
    to_one_phase(place, "connector_power_type", "M-90", crossing)
    return place


# ------------------------------------------------------------------------------------------------ 2.2.1 and 2.3.0


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1: connectors that 2.2.1 does not know."""
    standard = body.get("connector_standard")
    if not _is_new_to_2_2_1(standard) or is_agreed("ConnectorType", standard, crossing):
        return body
    place = body.copy()
    if standard == "SAE_J3400":
        place["connector_standard"] = "TESLA_S"
        crossing.lose("M-32", "/connector_standard")
    else:
        _pass_unknown_connector(place, crossing)
    return place


def _pass_unknown_connector(place: Json, crossing: Crossing) -> None:
    """Money depends on the arrival of a CDR: what the receiver does not know stays, or becomes what it agreed to."""
    agreed = crossing.destination.quirks.cdr_unknown_connector
    if agreed != "pass":
        place["connector_standard"] = agreed
    crossing.lose("M-36", "/connector_standard")
