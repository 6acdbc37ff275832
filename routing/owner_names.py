"""Whose an object is, said in a member that 2.1.1 has: for partners that want to tell apart what comes from one hub.

The name of a Location's operator, and the issuer of a Token, become the owner's ids, such as `NL-ABC`. OCPI 2.1.1,
"Locations" and "Tokens". Nothing here changes what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from routing.translation.crossing import Json
from routing.translation.kinds import Kind
from routing.vocabulary import Party


def names_owner(kind: Kind | None) -> bool:
    """Whether an object of this kind has a member for that."""
    return kind in _NAMED


def with_owner_named(body: Json, kind: Kind, owner: Party, *, partial: bool = False) -> Json:
    """The object with its owner's ids in it. A `partial` one gets no member that it does not have."""
    return _NAMED[kind](body, f"{owner.country_code}-{owner.party_id}", partial)


def _location(body: Json, name: str, partial: bool) -> Json:
    operator = body.get("operator")
    if operator is None and partial:
        return body
    return {**body, "operator": {**operator, "name": name} if type(operator) is dict else {"name": name}}


def _token(body: Json, name: str, partial: bool) -> Json:
    return body if partial and "issuer" not in body else {**body, "issuer": name}


def _within(member: str, named: Callable[[Json, str, bool], Json]) -> Callable[[Json, str, bool], Json]:
    """What is inside of a PATCH is complete."""

    def step(body: Json, name: str, _: bool) -> Json:
        inner = body.get(member)
        return {**body, member: named(inner, name, False)} if type(inner) is dict else body

    return step


_NAMED: Final[Mapping[Kind | None, Callable[[Json, str, bool], Json]]] = {
    Kind.CDR: _within("location", _location),
    Kind.LOCATION: _location,
    Kind.RESERVE_NOW: _within("token", _token),
    Kind.SESSION: _within("location", _location),
    Kind.START_SESSION: _within("token", _token),
    Kind.TOKEN: _token,
}
