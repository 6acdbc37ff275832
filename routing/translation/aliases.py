"""The way back of identifiers that are too long for one of two versions: at their owner an alias is the original again.

==================================================  ==================  ==========================================
where                                               what is too long    who gets the original
==================================================  ==================  ==========================================
Locations, EVSEs, what refers to them in commands,  for 2.2 and later   a 2.1.1 CPO
authorizations, Sessions and CDRs, and in URLs
CDRs                                                for 2.1.1           a CPO of 2.2 and later
==================================================  ==================  ==========================================

`identifiers` gives aliases out in objects, here it happens in URLs. OCPI 2.1.1 and 2.2.1, "Locations" and "CDRs".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from routing.modules import OWNER, Operation
from routing.translation.crossing import Crossing, Json
from routing.translation.identifiers import LONGEST, original_of, shortened
from routing.translation.kinds import Kind
from routing.vocabulary import ModuleID, Party, Version


class _Ids(NamedTuple):
    """Where in an object there are ids of a CPO's."""

    members: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    nested: Mapping[str, _Ids] = {}
    """In the object, or the objects of a list, under this name."""


_EVSE: Final = _Ids(("uid",))
_COMMAND: Final = _Ids(("location_id", "evse_uid"))
_AT_2_1_1: Final[Mapping[Kind, _Ids]] = {
    Kind.AUTHORIZATION_INFO: _Ids(nested={"location": _Ids(("location_id",), ("evse_uids",))}),
    Kind.CDR: _Ids(nested={"cdr_location": _Ids(("id", "evse_uid"))}),
    Kind.EVSE: _EVSE,
    Kind.LOCATION: _Ids(("id",), nested={"evses": _EVSE}),
    Kind.RESERVE_NOW: _COMMAND,
    Kind.SESSION: _COMMAND,
    Kind.START_SESSION: _COMMAND,
    Kind.UNLOCK_CONNECTOR: _COMMAND,
}
_FROM_2_1_1: Final[Mapping[Kind, _Ids]] = {Kind.CDR: _Ids(("id",))}
_OF_EMSP: Final = frozenset({Kind.AUTHORIZATION_INFO, Kind.RESERVE_NOW, Kind.START_SESSION, Kind.UNLOCK_CONNECTOR})
"""What belongs to an eMSP, and refers to Locations of the CPO."""


def with_originals(body: Json, kind: Kind, crossing: Crossing) -> Json:
    """An object on its way to the owner of ids in it, before its translation. It is the same where it has no alias."""
    version = crossing.destination.version
    table = _AT_2_1_1 if version is Version.V2_1_1 else _FROM_2_1_1
    ids = table.get(kind)
    if ids is None or (table is _FROM_2_1_1 and crossing.origin.version is not Version.V2_1_1):
        return body
    owner = crossing.cpo if kind in _OF_EMSP else crossing.owner
    return body if owner is None else _restored(body, ids, owner, crossing)


def at_its_owner(location: Json, crossing: Crossing) -> Json:
    """A Location of 2.2.1 that is at hand, for something that goes to its owner."""
    if crossing.owner != crossing.destination.party:
        return location
    return with_originals(location, Kind.LOCATION, crossing)


def _restored(body: Json, ids: _Ids, owner: Party, crossing: Crossing) -> Json:
    new: Json = {name: original_of(body[name], owner, crossing) for name in ids.members if name in body}
    for name in ids.lists:
        if type(values := body.get(name)) is list:
            new[name] = [original_of(value, owner, crossing) for value in values]
    for name, inner in ids.nested.items():
        if name in body:
            new[name] = _restored_inside(body[name], inner, owner, crossing)
    return body if all(body[name] == value for name, value in new.items()) else {**body, **new}


def _restored_inside(value: Any, ids: _Ids, owner: Party, crossing: Crossing) -> Any:  # noqa: ANN401 - any JSON
    if type(value) is list:
        return [_restored(each, ids, owner, crossing) if type(each) is dict else each for each in value]
    return _restored(value, ids, owner, crossing) if type(value) is dict else value


def path_to(segments: tuple[str, ...], operation: Operation, crossing: Crossing) -> tuple[str, ...]:
    """The path of a request as its receiver has it, percent-encoded as before.

    Raises:
        Untranslatable: RF-01, the id of a Location or an EVSE is too long.
    """
    if operation.module != ModuleID.LOCATIONS or len(max(segments, key=len, default="")) < LONGEST:
        return segments
    first = len(OWNER) if operation.owned else 0
    names = [name.strip("{}") for name in operation.path[first : first + 2]]
    ids = [_id_to(*named, operation, crossing) for named in zip(segments[first:], names, strict=False)]
    return (*segments[:first], *ids, *segments[first + len(ids) :])


def _id_to(segment: str, name: str, operation: Operation, crossing: Crossing) -> str:
    identifier = unquote(segment)
    wanted = identifier
    if crossing.destination.version is Version.V2_1_1:
        wanted = original_of(identifier, crossing.owner, crossing)
    elif crossing.origin.version is Version.V2_1_1 and operation.owned and len(identifier) > LONGEST:
        wanted = shortened(identifier, name, LONGEST, crossing)
    return segment if wanted == identifier else quote(wanted, safe="")
