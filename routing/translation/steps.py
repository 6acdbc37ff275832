"""The table of steps: which function turns which object into that of the neighbouring version.

An object without a row is the same in both versions. A journey between versions that are no neighbours is a chain of
steps through 2.2.1, where all ways meet. A new version is one more pair of columns here; see docs/adding-a-version.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Final

from routing.translation import (
    authorizations,
    cdrs,
    commands,
    connectors,
    evses,
    locations,
    sessions,
    tariffs,
    tokens,
)
from routing.translation.crossing import Crossing, Json, Step
from routing.translation.embedded_locations import read_place
from routing.translation.kinds import Kind
from routing.translation.numbers import Reader, read
from routing.vocabulary import Version

_V211, _V22, _V221, _V230 = Version.V2_1_1, Version.V2_2, Version.V2_2_1, Version.V2_3_0

STEPS: Final[Mapping[tuple[Version, Version], Mapping[Kind, Step]]] = {
    (_V211, _V221): {
        Kind.AUTHORIZATION_INFO: authorizations.from_2_1_1,
        Kind.CDR: cdrs.from_2_1_1,
        Kind.COMMAND_RESPONSE: commands.response_from_2_1_1,
        Kind.COMMAND_RESULT: commands.result_from_2_1_1,
        Kind.CONNECTOR: connectors.from_2_1_1,
        Kind.EVSE: evses.from_2_1_1,
        Kind.LOCATION: locations.from_2_1_1,
        Kind.LOCATION_REFERENCES: authorizations.references_from_2_1_1,
        Kind.RESERVE_NOW: commands.reserve_now_from_2_1_1,
        Kind.SESSION: sessions.from_2_1_1,
        Kind.START_SESSION: commands.start_session_from_2_1_1,
        Kind.TARIFF: tariffs.from_2_1_1,
        Kind.TOKEN: tokens.from_2_1_1,
        Kind.UNLOCK_CONNECTOR: commands.unlock_connector_from_2_1_1,
    },
    (_V221, _V211): {
        Kind.AUTHORIZATION_INFO: authorizations.to_2_1_1,
        Kind.CDR: cdrs.to_2_1_1,
        Kind.COMMAND_RESPONSE: commands.response_to_2_1_1,
        Kind.COMMAND_RESULT: commands.result_to_2_1_1,
        Kind.CONNECTOR: connectors.to_2_1_1,
        Kind.EVSE: evses.to_2_1_1,
        Kind.LOCATION: locations.to_2_1_1,
        Kind.RESERVE_NOW: commands.reserve_now_to_2_1_1,
        Kind.SESSION: sessions.to_2_1_1,
        Kind.START_SESSION: commands.start_session_to_2_1_1,
        Kind.TARIFF: tariffs.to_2_1_1,
        Kind.TOKEN: tokens.to_2_1_1,
    },
    (_V22, _V221): {
        Kind.CDR: cdrs.from_2_2,
        Kind.SESSION: sessions.from_2_2,
    },
    (_V221, _V22): {
        Kind.CDR: cdrs.to_2_2,
        Kind.CONNECTOR: connectors.to_2_2,
        Kind.EVSE: evses.to_2_2,
        Kind.LOCATION: locations.to_2_2,
        Kind.SESSION: sessions.to_2_2,
        Kind.START_SESSION: commands.start_session_to_2_2,
    },
    (_V230, _V221): {
        Kind.AUTHORIZATION_INFO: authorizations.from_2_3_0,
        Kind.CDR: cdrs.from_2_3_0,
        Kind.CONNECTOR: connectors.from_2_3_0,
        Kind.EVSE: evses.from_2_3_0,
        Kind.LOCATION: locations.from_2_3_0,
        Kind.RESERVE_NOW: commands.token_from_2_3_0,
        Kind.SESSION: sessions.from_2_3_0,
        Kind.START_SESSION: commands.token_from_2_3_0,
        Kind.TARIFF: tariffs.from_2_3_0,
        Kind.TOKEN: tokens.from_2_3_0,
    },
    (_V221, _V230): {
        Kind.AUTHORIZATION_INFO: authorizations.to_2_3_0,
        Kind.CDR: cdrs.to_2_3_0,
        Kind.LOCATION: locations.to_2_3_0,
        Kind.RESERVE_NOW: commands.token_to_2_3_0,
        Kind.SESSION: sessions.to_2_3_0,
        Kind.START_SESSION: commands.token_to_2_3_0,
        Kind.TARIFF: tariffs.to_2_3_0,
        Kind.TOKEN: tokens.to_2_3_0,
    },
}


def _all_of(*names: str) -> Mapping[str, Reader]:
    return dict.fromkeys(names, read)


_LOOK_AT: Final[Mapping[Step, Mapping[str, Reader]]] = {
    locations.to_2_3_0: _all_of("address", "state"),
    sessions.from_2_1_1: {
        **_all_of("auth_id", "authorization_reference", "charging_periods", "connector_id", "end_date_time"),
        **_all_of("end_datetime", "evse_uid", "start_datetime", "total_cost"),
        "location": read_place,
    },
    sessions.from_2_2: _all_of("cdr_token"),
    sessions.from_2_3_0: _all_of("cdr_token", "charging_periods", "total_cost"),
    sessions.to_2_2: _all_of("cdr_token"),
    sessions.to_2_3_0: _all_of("cdr_token", "total_cost"),
}
"""Steps that look at few members of their object. Any other member need not even be read for them."""

_TOLD: Final = (
    *("cdr_token", "country_code", "id", "last_updated", "location_id", "party_id", "publish", "start_date_time"),
    *("status", "uid"),
)
"""Members that tell which object it is, and what else there is to learn from it."""

_TOWARDS_2_2_1: Final = {_V211: _V221, _V22: _V221, _V230: _V221}
"""From each version, the neighbour that is nearer to where all ways meet."""


@cache
def steps_between(source: Version, target: Version, kind: Kind) -> tuple[Step, ...]:
    """The steps from one version to another, in order; empty where the object is the same all the way."""
    up, down = _way(source), _way(target)
    while len(up) > 1 and len(down) > 1 and up[-2] is down[-2]:  # they meet before they are at 2.2.1
        up, down = up[:-1], down[:-1]
    way = [*up, *reversed(down[:-1])]
    steps = (STEPS[pair].get(kind) for pair in pairwise(way))
    return tuple(step for step in steps if step is not None)


@cache
def looked_at(source: Version, target: Version, kind: Kind) -> Mapping[str, Reader] | None:
    """The members of the object that anybody looks at on its way between two versions; None when it may be any.

    What both have alike is read for the sake of aliases, which may stand in any member.
    """
    steps = steps_between(source, target, kind)
    if not steps:
        return None
    found = dict(_all_of(*_TOLD))
    for step in steps:
        if step not in _LOOK_AT:
            return None
        for name, reader in _LOOK_AT[step].items():
            found[name] = reader if found.get(name, reader) is reader else read
    return found


def _way(version: Version) -> list[Version]:
    way = [version]
    while (following := _TOWARDS_2_2_1.get(way[-1])) is not None:
        way.append(following)
    return way


def translate(body: Json, kind: Kind, crossing: Crossing) -> Json:
    """An object of the origin's version as one of the destination's. The input is left as it is.

    What was lost on the way is in `crossing.losses` afterwards, what would have been good to know in `crossing.asked`.

    Raises:
        Untranslatable: it cannot be said in the destination's version.
        UnknownReceiver: nobody can be named as the one it concerns.
    """
    for step in steps_between(crossing.origin.version, crossing.destination.version, kind):
        body = step(body, crossing)
        if crossing.put:
            crossing.patch = False  # what was a PATCH is a complete object for the steps that follow
    return body
