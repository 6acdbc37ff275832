"""Ids as a partner of 2.1.1 knows them: where they stand, and what stands there instead of one that is taken.

Such a partner sees one counterpart, the hub, and cannot tell whose an object is. So what it is shown must not have the
id of something else: an id that another owner came with first is shown as an alias. This is where the ids are:

========================  ====================================================  ===================================
shown to                  in bodies                                             in paths
========================  ====================================================  ===================================
an eMSP, of CPOs          Locations, Tariffs, Sessions, CDRs: their own ids,    Locations, Tariffs, Sessions, both
                          those of Locations and Tariffs in them; Locations in  ways
                          commands and authorizations; Sessions in commands
a CPO, of eMSPs           `auth_id` of Tokens, and in Sessions, CDRs, commands  none
========================  ====================================================  ===================================

The uid of a Token is what is on the card, and the ids of EVSEs and Connectors stand inside of a Location: they stay.
What `routing.translation.aliases` is about is another thing: ids that are too long for the other version.

Nothing here changes what it is given. OCPI 2.1.1, "Transport and format", "Locations", "Tokens".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from hashlib import sha256
from itertools import count
from typing import Any, Final, NamedTuple, TypeGuard
from urllib.parse import quote, unquote

from msgspec import Struct

from routing.modules import OWNER, Operation
from routing.translation.crossing import NO_DATA, Json
from routing.translation.kinds import Kind
from routing.vocabulary import Face, Party

LONGEST_KNOWN: Final = 80
"""Characters of an id that can be remembered; OCPI's own have 39 at most."""
_HASH_LENGTH: Final = 8
_ALIAS: Final = re.compile(r"[A-Za-z]{2}.{1,3}-", re.DOTALL)


class IdKind(StrEnum):
    """What an id is of. Ids of one kind are unique for one viewer."""

    LOCATION = "location"
    TARIFF = "tariff"
    SESSION = "session"
    CDR = "cdr"
    AUTH_ID = "auth_id"


_LENGTHS: Final = {IdKind.LOCATION: 39}
_LENGTH: Final = 36


class Id(Struct, frozen=True, gc=False):
    """An id in an object, or in a path."""

    kind: IdKind
    value: str


class _Places(NamedTuple):
    """Where in an object there are ids."""

    members: Mapping[str, IdKind] = {}
    lists: Mapping[str, IdKind] = {}
    nested: Mapping[str, _Places] = {}
    """In the object, or the objects of a list, under this name."""


_CONNECTOR: Final = _Places({"tariff_id": IdKind.TARIFF}, {"tariff_ids": IdKind.TARIFF})
_EVSE: Final = _Places(nested={"connectors": _CONNECTOR})
_LOCATION: Final = _Places({"id": IdKind.LOCATION}, nested={"evses": _EVSE})
_TARIFF: Final = _Places({"id": IdKind.TARIFF})
_AT_LOCATION: Final = _Places({"location_id": IdKind.LOCATION})
# Members that only later versions have are here for partners who get them all the same.
_CHARGED: Final = {"location": _LOCATION, "charging_periods": _Places({"tariff_id": IdKind.TARIFF})}
_AUTH_ID: Final = _Places({"auth_id": IdKind.AUTH_ID})
_WITH_TOKEN: Final = _Places(nested={"token": _AUTH_ID})

_PLACES: Final[Mapping[Face, Mapping[Kind, _Places]]] = {
    Face.CPO: {
        Kind.AUTHORIZATION_INFO: _Places(nested={"location": _AT_LOCATION}),
        Kind.CDR: _Places(
            {"id": IdKind.CDR, "credit_reference_id": IdKind.CDR, "session_id": IdKind.SESSION},
            nested={**_CHARGED, "tariffs": _TARIFF},
        ),
        Kind.CONNECTOR: _CONNECTOR,
        Kind.EVSE: _EVSE,
        Kind.LOCATION: _LOCATION,
        Kind.LOCATION_REFERENCES: _AT_LOCATION,
        Kind.RESERVE_NOW: _AT_LOCATION,
        Kind.SESSION: _Places({"id": IdKind.SESSION, "location_id": IdKind.LOCATION}, nested=_CHARGED),
        Kind.START_SESSION: _AT_LOCATION,
        Kind.STOP_SESSION: _Places({"session_id": IdKind.SESSION}),
        Kind.TARIFF: _TARIFF,
        Kind.UNLOCK_CONNECTOR: _AT_LOCATION,
    },
    Face.EMSP: {
        Kind.CDR: _AUTH_ID,
        Kind.RESERVE_NOW: _WITH_TOKEN,
        Kind.SESSION: _AUTH_ID,
        Kind.START_SESSION: _WITH_TOKEN,
        Kind.TOKEN: _AUTH_ID,
    },
}
"""By how the hub poses at the viewer: as a CPO to an eMSP, as an eMSP to a CPO."""
_IN_PATHS: Final = {
    "{location_id}": IdKind.LOCATION,
    "{tariff_id}": IdKind.TARIFF,
    "{session_id}": IdKind.SESSION,
}


# Ids in objects


def has_ids(kind: Kind | None, face: Face) -> bool:
    """Whether objects of this kind have ids of others in them, for a viewer at which the hub poses like this."""
    return kind in _PLACES[face]


def ids_in(body: Json, kind: Kind, face: Face) -> set[Id]:
    """The ids in an object that are others', for a viewer at which the hub poses like this."""
    return ids_in_all((body,), kind, face)


def ids_in_all(objects: Iterable[Json], kind: Kind, face: Face) -> set[Id]:
    """The ids in all of these objects together."""
    places = _PLACES[face].get(kind)
    if places is None:
        return set()
    found: dict[IdKind, set[str]] = {each: set() for each in IdKind}
    _collect(list(objects), places, found)
    return {Id(each, value) for each, values in found.items() for value in values if is_id(value)}


def with_ids(body: Json, kind: Kind, face: Face, instead: Mapping[Id, str]) -> Json:
    """The object with other ids in it; itself when none of those in it is among `instead`."""
    places = _PLACES[face].get(kind)
    return body if places is None else _replaced(body, places, instead)


@cache
def top_ids(kind: Kind | None, face: Face) -> tuple[tuple[str, IdKind], ...]:
    """The members of the object itself that hold an id of others, and what each is of."""
    places = None if kind is None else _PLACES[face].get(kind)
    return () if places is None else tuple(places.members.items())


def _collect(bodies: Sequence[Json], places: _Places, found: Mapping[IdKind, set[str]]) -> None:
    """Put the ids of each kind into `found`. A page has thousands of them, most of them the same."""
    for name, kind in places.members.items():
        found[kind].update([value for body in bodies if type(value := body.get(name)) is str])
    for name, kind in places.lists.items():
        lists = [body[name] for body in bodies if name in body]
        found[kind].update([value for values in lists for value in _listed(values) if type(value) is str])
    for name, inner in places.nested.items():
        parts = [body[name] for body in bodies if name in body]
        many = [part for value in parts for part in (value if type(value) is list else (value,))]
        _collect([part for part in many if type(part) is dict], inner, found)


def _replaced(body: Json, places: _Places, instead: Mapping[Id, str]) -> Json:
    new: Json = {}
    for name, kind in places.members.items():
        value = body.get(name)
        if type(value) is str and (other := instead.get(Id(kind, value), value)) != value:
            new[name] = other
    for name, kind in places.lists.items():
        values = _listed(body.get(name))
        others = [instead.get(Id(kind, value), value) if type(value) is str else value for value in values]
        if others != values:
            new[name] = others
    for name, inner in places.nested.items():
        value = body.get(name)
        if (inside := _replaced_inside(value, inner, instead)) is not value:
            new[name] = inside
    return {**body, **new} if new else body


def _replaced_inside(value: Any, places: _Places, instead: Mapping[Id, str]) -> Any:  # noqa: ANN401 - any JSON
    if type(value) is dict:
        return _replaced(value, places, instead)
    parts = [_replaced(part, places, instead) if type(part) is dict else part for part in _listed(value)]
    return value if all(new is old for new, old in zip(parts, _listed(value), strict=True)) else parts


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return value if type(value) is list else []


def is_id(value: Any) -> TypeGuard[str]:  # noqa: ANN401 - any JSON
    """Whether it is an id that can be remembered. Anything else stays what it is, wherever it goes."""
    return type(value) is str and 0 < len(value) <= LONGEST_KNOWN and value.isprintable() and value != NO_DATA


# Ids in paths


def ids_in_path(segments: tuple[str, ...], operation: Operation, face: Face) -> Iterator[Id]:
    """The ids in a path that are others', for a viewer at which the hub poses like this."""
    if face is Face.CPO:
        for segment, name in zip(segments, operation.path, strict=False):
            if (kind := _IN_PATHS.get(name)) is not None and is_id(value := unquote(segment)):
                yield Id(kind, value)


def path_with_ids(
    segments: tuple[str, ...], operation: Operation, instead: Mapping[Id, str], owner: Party | None = None
) -> tuple[str, ...]:
    """The path with other ids in it, percent-encoded as before; and with another owner, where it has one."""
    new = list(segments)
    for index, name in enumerate(operation.path[: len(segments)]):
        kind = _IN_PATHS.get(name)
        value = unquote(segments[index])
        if kind is not None and instead.get(Id(kind, value), value) != value:
            new[index] = quote(instead[Id(kind, value)], safe="")
    if owner is not None and operation.owned:
        new[: len(OWNER)] = (quote(part, safe="") for part in owner)
    return tuple(new)


# Aliases


def may_be_alias(shown: str) -> bool:
    """Whether an id looks like one of `aliases_of`; others are only ever shown as what they are."""
    return _ALIAS.match(shown) is not None


def aliases_of(owner: Party, real: Id) -> Iterator[str]:
    """What may stand for this owner's id, the best first: with the owner in front, shortened where it must be.

    The second and later ones are never the same for two ids, or hardly ever: whoever gives one out makes sure.
    """
    length, start = _LENGTHS.get(real.kind, _LENGTH), f"{owner.country_code}{owner.party_id}-"
    if len(start) + len(real.value) <= length:
        yield start + real.value
    room = length - len(start) - _HASH_LENGTH - 1
    for attempt in count():
        text = f"{owner.country_code}*{owner.party_id}*{real.value.upper()}" + (f"*{attempt}" if attempt else "")
        mark = sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
        yield f"{start}{real.value[:room]}-{mark}"
