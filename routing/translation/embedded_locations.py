"""The Location of a Session: embedded in 2.1.1, three ids in later versions. OCPI 2.1.1 and 2.2.1, "Sessions".

=====================================  ================
2.1.1                                  2.2.1
=====================================  ================
`location.id`                          `location_id`
`location.evses[0].uid`                `evse_uid`
`location.evses[0].connectors[0].id`   `connector_id`
all else of `location`                 -
=====================================  ================

On the way to 2.1.1 the Location is the one its owner has now, or else a placeholder. Whether it is public does not
matter: the receiver's own customer charged there.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypedDict

import msgspec
from msgspec import Raw, Struct

from routing.errors import Untranslatable
from routing.timestamps import write_seconds
from routing.translation import numbers
from routing.translation.aliases import at_its_owner
from routing.translation.crossing import NO_DATA, Crossing, Json
from routing.translation.identifiers import LONGEST, check_id
from routing.translation.locations import embedded_to_2_1_1
from routing.translation.places import alpha_3, name_operator
from routing.translation.questions import LocationOf, SessionAtReceiver
from routing.vocabulary import Version


class Place(Struct, frozen=True):
    """The EVSE and the Connector that a Session or CDR is about, as far as they are known."""

    evse: Json | None
    connector: Json | None


class Ids(NamedTuple):
    """What a Session says of them; None for what it does not say."""

    location_id: str | None
    evse_uid: str | None
    connector_id: str | None


class _ConnectorRead(TypedDict, total=False):
    id: Any
    tariff_id: Any


class _EvseRead(TypedDict, total=False):
    uid: Any
    status: Any
    connectors: list[_ConnectorRead]


class _LocationRead(TypedDict, total=False):
    id: Any
    evses: list[_EvseRead]


_read_location: Final = msgspec.json.Decoder(_LocationRead).decode


def read_place(text: bytes | str | Raw) -> Any:  # noqa: ANN401 - any JSON
    """Of the Location in a Session of 2.1.1, what says where it is; all of it where it has another form."""
    try:
        return _read_location(text)
    except msgspec.ValidationError:
        return numbers.read(text)


_TOLD_OF_LOCATIONS: Final = ("L-27", "L-58")
"""Nobody has sent the Location, so that nothing of it can be lost on the way; told is what it says that is not so."""
NOWHERE: Final = Place(None, None)


def place_in(location: Json, crossing: Crossing, *, charging: bool = False) -> Place:
    """The EVSE and the Connector of a Location embedded in a record of 2.1.1, which should have one of each.

    Of several EVSEs the first, or, `charging`, the only one that is.
    """
    evses = _objects(location, "evses")
    if not evses:
        return NOWHERE
    evse = evses[0]
    if len(evses) > 1:
        crossing.lose("L-45", "/location/evses")
        busy = [each for each in evses if each.get("status") == "CHARGING"] if charging else []
        evse = busy[0] if len(busy) == 1 else evse
    connectors = _objects(evse, "connectors")
    if len(connectors) > 1:
        crossing.lose("L-45", f"/location/evses/{location['evses'].index(evse)}/connectors")
    return Place(evse, connectors[0] if connectors else None)


def tariff_at(place: Place) -> str | None:
    """The Tariff of the Connector."""
    return _id(place.connector, "tariff_id")


def location_to_ids(body: Json, crossing: Crossing) -> Place:
    """2.1.1 to 2.2.1, on the Session: its Location, by now called `location_id`, becomes the three ids.

    Raises:
        Untranslatable: there is no Location, or an id of it is too long.
    """
    location, place = body.get("location_id"), NOWHERE
    if type(location) is dict:
        place = place_in(location, crossing, charging=body.get("status") == "ACTIVE")
        body["location_id"] = _id(location, "id")
        # Those that the Location lacks may be there already, from a sender ahead of its version.
        if (evse_uid := _id(place.evse, "uid")) is not None:
            body["evse_uid"] = evse_uid
        if (connector_id := _id(place.connector, "id")) is not None:
            body["connector_id"] = connector_id
        crossing.lose("L-34", "/location")
    for name in Ids._fields:
        value = body.get(name)
        if type(value) is not str:
            if value is not None:  # of a sender ahead of its version
                del body[name]
                crossing.lose("L-01", f"/{name}")
            _go_without(body, name, crossing)
        elif len(value) > LONGEST:
            check_id(body, name, LONGEST, crossing)
    return place


def _go_without(body: Json, name: str, crossing: Crossing) -> None:
    """Do without an id that nobody has said, which only a PATCH may leave out."""
    if crossing.patch:
        if name == "location_id":
            body.pop(name, None)
    elif name == "location_id":
        raise Untranslatable("RF-02", "there is no location with an id", ocpi_status=2001)
    else:
        body[name] = NO_DATA
        crossing.lose("L-05", f"/{name}")


def ids_to_location(body: Json, crossing: Crossing) -> None:
    """2.2.1 to 2.1.1, on the Session: its `location_id`, by now called `location`, and the other two become one.

    In a PATCH, the ids that are missing are those of the receiver's own copy.

    Raises:
        Untranslatable: there is no `location_id`.
    """
    told = body.get("location")
    ids = Ids(_text(told), _text(body.pop("evse_uid", None)), _text(body.pop("connector_id", None)))
    if type(told) is dict and _id(told, "id"):
        return  # a sender behind its version
    if crossing.patch:
        ids = _completed(ids, crossing)
    if ids.location_id is not None:
        filled = Ids(ids.location_id, ids.evse_uid or NO_DATA, ids.connector_id or NO_DATA)
        body["location"] = _location(filled, _since(body, crossing), crossing)
    elif crossing.patch:
        body.pop("location", None)
    else:
        raise Untranslatable("RF-02", "there is no location_id", ocpi_status=2001)


def _completed(ids: Ids, crossing: Crossing) -> Ids:
    """Ids of a PATCH with those it leaves as they are; without a Location nobody knows what the others mean."""
    if not any(ids) or (ids.location_id and ids.evse_uid):
        return ids
    found = _at_receiver(crossing)
    completed = Ids(*(new or old for new, old in zip(ids, found, strict=True)))
    if completed.location_id is None:
        for name, value in zip(Ids._fields, ids, strict=True):
            if value is not None:
                crossing.lose("L-44", f"/{name}")
    return completed


def _at_receiver(crossing: Crossing) -> Ids:
    held = held_by_receiver(crossing, Version.V2_1_1)
    location = None if held is None else held.get("location")
    if type(location) is not dict:
        return Ids(None, None, None)
    evse = next(iter(_objects(location, "evses")), None)
    connector = None if evse is None else next(iter(_objects(evse, "connectors")), None)
    return Ids(_id(location, "id"), _id(evse, "uid"), _id(connector, "id"))


def held_by_receiver(crossing: Crossing, version: Version) -> Json | None:
    """The receiver's own copy of the Session that a PATCH is about."""
    if not crossing.object_ids:
        return None
    return crossing.ask(SessionAtReceiver(crossing.owner, crossing.object_ids[-1], version))


def _since(body: Json, crossing: Crossing) -> str:
    """The moment a placeholder is as of: the start of the Session."""
    return _text(body.get("start_datetime")) or _text(body.get("last_updated")) or write_seconds(crossing.now)


def _location(ids: Ids, since: str, crossing: Crossing) -> Json:
    known = crossing.ask(LocationOf(crossing.owner, ids.location_id or NO_DATA))
    if known is None:
        crossing.lose("L-36", "/location_id")
        return _placeholder(ids, since, crossing)
    crossing.lose("L-35", "/location_id")
    known = at_its_owner(known, crossing)
    reduced = {name: value for name, value in known.items() if name != "evses"}
    if ids.evse_uid != NO_DATA:
        reduced["evses"] = [_evse(known, ids, since, crossing)]
    mark = len(crossing.losses)
    location = crossing.nested(embedded_to_2_1_1, reduced, "/location_id")
    told = {loss.id for loss in crossing.losses[mark:]}
    del crossing.losses[mark:]
    for loss in _TOLD_OF_LOCATIONS:
        if loss in told:
            crossing.lose(loss, "/location_id")
    return location


def _evse(location: Json, ids: Ids, since: str, crossing: Crossing) -> Json:
    """The EVSE of the Session with just its Connector. Placeholders pass a step to 2.1.1 as they are."""
    evse = _with_id(_objects(location, "evses"), "uid", ids.evse_uid)
    if evse is None:
        crossing.lose("L-36", "/evse_uid")
        return _placeholder_evse(ids, since)
    connectors = _objects(evse, "connectors")
    if ids.connector_id != NO_DATA:
        connector = _with_id(connectors, "id", ids.connector_id)
        connectors = [] if connector is None else [connector]
    if not connectors:
        crossing.lose("L-36", "/connector_id")
        connectors = [_placeholder_connector(ids, since)]
    return {**evse, "connectors": connectors}


def _placeholder(ids: Ids, since: str, crossing: Crossing) -> Json:
    crossing.lose("L-05", "/location_id")
    location: Json = {
        "id": ids.location_id,
        "type": "UNKNOWN",
        "address": NO_DATA,
        "city": NO_DATA,
        "postal_code": NO_DATA,
        "country": alpha_3(crossing.owner.country_code),
        "coordinates": {"latitude": "0.000000", "longitude": "0.000000"},
    }
    if ids.evse_uid != NO_DATA:
        location["evses"] = [_placeholder_evse(ids, since)]
    name_operator(location, crossing, "/location_id")
    location["last_updated"] = since
    return location


def _placeholder_evse(ids: Ids, since: str) -> Json:
    """What 2.1.1 must have of an EVSE that nobody knows."""
    connector = _placeholder_connector(ids, since)
    return {"uid": ids.evse_uid, "status": "UNKNOWN", "connectors": [connector], "last_updated": since}


def _placeholder_connector(ids: Ids, since: str) -> Json:
    """What 2.1.1 must have of a Connector that nobody knows; the zero volts tell."""
    return {
        "id": ids.connector_id,
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_1_PHASE",
        "voltage": 0,
        "amperage": 0,
        "last_updated": since,
    }


def _with_id(values: list[Json], name: str, wanted: str | None) -> Json | None:
    key = (wanted or "").casefold()
    return next((value for value in values if (_id(value, name) or "").casefold() == key), None)


def _objects(body: Json, name: str) -> list[Json]:
    values = body.get(name)
    if type(values) is not list:
        return []
    if len(values) == 1 and type(values[0]) is dict:
        return values  # as nearly always, of an object that is charged at
    return [value for value in values if type(value) is dict]


def _text(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    return value if type(value) is str and value else None


def _id(body: Json | None, name: str) -> str | None:
    value = None if body is None else body.get(name)
    return value if type(value) is str and value else None
