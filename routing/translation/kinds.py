"""What kind of object a request carries, and its answer: the tables of operations, read for translation.

OCPI 2.2.1, "Interfaces and endpoints" of each module.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from routing.modules import CALLBACK_ID, OWNER, Operation
from routing.vocabulary import InterfaceRole, ModuleID

TRANSLATED: Final = frozenset(
    {
        ModuleID.CDRS,
        ModuleID.CHARGING_PROFILES,
        ModuleID.COMMANDS,
        ModuleID.LOCATIONS,
        ModuleID.SESSIONS,
        ModuleID.TARIFFS,
        ModuleID.TOKENS,
    }
)
"""The modules whose messages have a form in more than one version. Others are between who has them, as they are."""


class Kind(StrEnum):
    """The objects that travel as the body of a request or as the data of an answer. Names are those of 2.2.1."""

    ACTIVE_CHARGING_PROFILE = "ActiveChargingProfile"
    AUTHORIZATION_INFO = "AuthorizationInfo"
    CANCEL_RESERVATION = "CancelReservation"
    CDR = "CDR"
    CHARGING_PREFERENCES = "ChargingPreferences"
    CHARGING_PREFERENCES_RESPONSE = "ChargingPreferencesResponse"
    """Not an object, but a value of an enum that all versions with this module share."""
    CHARGING_PROFILE_RESPONSE = "ChargingProfileResponse"
    CHARGING_PROFILE_RESULT = "ChargingProfileResult"
    COMMAND_RESPONSE = "CommandResponse"
    COMMAND_RESULT = "CommandResult"
    CONNECTOR = "Connector"
    EVSE = "EVSE"
    LOCATION = "Location"
    LOCATION_REFERENCES = "LocationReferences"
    RESERVE_NOW = "ReserveNow"
    SESSION = "Session"
    SET_CHARGING_PROFILE = "SetChargingProfile"
    START_SESSION = "StartSession"
    STOP_SESSION = "StopSession"
    TARIFF = "Tariff"
    TOKEN = "Token"  # noqa: S105 - the name of an object
    UNLOCK_CONNECTOR = "UnlockConnector"


class Carried(NamedTuple):
    """What one operation carries there and back; None where the text defines no content. A DELETE means an object."""

    request: Kind | None
    answer: Kind | None


_PLACES: Final = (Kind.LOCATION, Kind.EVSE, Kind.CONNECTOR)
_OBJECTS: Final = {
    ModuleID.CDRS: Kind.CDR,
    ModuleID.SESSIONS: Kind.SESSION,
    ModuleID.TARIFFS: Kind.TARIFF,
    ModuleID.TOKENS: Kind.TOKEN,
}
_COMMANDS: Final = {
    "CANCEL_RESERVATION": Kind.CANCEL_RESERVATION,
    "RESERVE_NOW": Kind.RESERVE_NOW,
    "START_SESSION": Kind.START_SESSION,
    "STOP_SESSION": Kind.STOP_SESSION,
    "UNLOCK_CONNECTOR": Kind.UNLOCK_CONNECTOR,
}
_NOTHING: Final = Carried(None, None)


def carried_by(operation: Operation, segments: tuple[str, ...]) -> Carried:
    """What this operation carries. `segments` are those of the path, which in 2.3.0 name the command."""
    return _carried(operation, _COMMANDS.get(segments[0]) if segments else None)


@lru_cache(maxsize=1024)  # there are a few hundred operations; more come from custom modules only
def _carried(operation: Operation, command: Kind | None) -> Carried:
    match operation.module:
        case ModuleID.LOCATIONS:
            return _pushed_or_read(operation, _PLACES[len(_ids(operation)) - 1] if operation.path else Kind.LOCATION)
        case ModuleID.TOKENS if operation.method == "POST":
            return Carried(Kind.LOCATION_REFERENCES, Kind.AUTHORIZATION_INFO)
        case ModuleID.SESSIONS if operation.path[-1:] == ("charging_preferences",):
            return Carried(Kind.CHARGING_PREFERENCES, Kind.CHARGING_PREFERENCES_RESPONSE)
        case ModuleID.COMMANDS if operation.path[-1] == CALLBACK_ID:
            return Carried(Kind.COMMAND_RESULT, None)
        case ModuleID.COMMANDS:
            return Carried(command, Kind.COMMAND_RESPONSE)
        case ModuleID.CHARGING_PROFILES:
            return _profile(operation)
        case module if module in _OBJECTS:
            return _pushed_or_read(operation, _OBJECTS[ModuleID(module)])
        case _:
            return _NOTHING


def _ids(operation: Operation) -> tuple[str, ...]:
    return operation.path[2:] if operation.path[:2] == OWNER else operation.path


def _pushed_or_read(operation: Operation, kind: Kind) -> Carried:
    return Carried(None, kind) if operation.method == "GET" else Carried(kind, None)


def _profile(operation: Operation) -> Carried:
    if operation.interface is InterfaceRole.RECEIVER:
        request = Kind.SET_CHARGING_PROFILE if operation.method == "PUT" else None
        return Carried(request, Kind.CHARGING_PROFILE_RESPONSE)
    if operation.method == "PUT":
        return Carried(Kind.ACTIVE_CHARGING_PROFILE, None)
    return Carried(Kind.CHARGING_PROFILE_RESULT, None)
