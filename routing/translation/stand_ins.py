"""What the hub says in place of a partner whose version has no word for what was asked.

=====================================  ==================  ==================================================
request                                towards             answer
=====================================  ==================  ==================================================
ChargingProfiles, to the CPO           2.1.1               RF-08: `NOT_SUPPORTED`, and nothing will follow
ChargingProfiles, to the eMSP          2.1.1               RF-09: refused, no answer could say it
charging preferences                   2.1.1               RF-07: 404, as for an EVSE that cannot take them
the command CANCEL_RESERVATION         2.1.1               RF-10: `NOT_SUPPORTED`
a command beyond those of 2.2.1        all before 2.3.0    M-55: `NOT_SUPPORTED`
Bookings, Payments, InvoiceReconc…     all before 2.3.0    M-73: refused
=====================================  ==================  ==================================================

OCPI 2.2.1, "ChargingProfileResponseType enum", "CommandResponseType enum" and "ChargingPreferencesResponse enum".
"""

from __future__ import annotations

from typing import Final

from routing.dialects import DIALECTS
from routing.errors import Untranslatable
from routing.modules import CALLBACK_ID, Operation
from routing.quirks import Quirks
from routing.translation.crossing import AnsweredByHub, Json
from routing.translation.enums import VALUES
from routing.vocabulary import InterfaceRole, ModuleID, Version

_ADDED_IN_2_3_0: Final = DIALECTS[Version.V2_3_0].modules - DIALECTS[Version.V2_2_1].modules
_COMMANDS: Final = VALUES["CommandType"]
_CANCEL: Final = "CANCEL_RESERVATION"


def stand_in(operation: Operation, segments: tuple[str, ...], target: Version, quirks: Quirks) -> None:
    """Answer here what a party of version `target` cannot be sent; it has `quirks`.

    Raises:
        AnsweredByHub: there is an answer of a partner's that says so.
        Untranslatable: there is none.
    """
    match operation.module:
        case ModuleID.COMMANDS if operation.path[-1] != CALLBACK_ID:
            _check_command(segments[0], target, quirks)
        case ModuleID.CHARGING_PROFILES if target is Version.V2_1_1:
            if operation.interface is InterfaceRole.SENDER:
                raise Untranslatable("RF-09", "charging profiles do not exist in OCPI 2.1.1")
            raise AnsweredByHub("RF-08", _not_supported())
        case ModuleID.SESSIONS if target is Version.V2_1_1 and operation.path[-1:] == ("charging_preferences",):
            text = "charging preferences do not exist in OCPI 2.1.1"
            raise Untranslatable("RF-07", text, ocpi_status=2001, http_status=404)
        case module if module in _ADDED_IN_2_3_0 and module not in DIALECTS[target].modules:
            raise Untranslatable("M-73", f"the receiver has no module {module}")


def _check_command(command: str, target: Version, quirks: Quirks) -> None:
    if command in _COMMANDS[target]:
        return
    if command == _CANCEL:
        message = english(f"RF-10: {_CANCEL} does not exist in OCPI 2.1.1")
        raise AnsweredByHub("RF-10", _not_supported() | {"message": message})
    # CommandType is an open enum since 2.3.0, where a receiver says by itself what it does not know.
    if target is not Version.V2_3_0 and command not in quirks.extra_enum_values.get("CommandType", ()):
        raise AnsweredByHub("M-55", _not_supported())


def _not_supported() -> Json:
    return {"result": "NOT_SUPPORTED", "timeout": 0}


def no_number() -> AnsweredByHub:
    """The answer to a reservation that could not get a number of its own."""
    text = "RF-14: the hub cannot give this reservation the number that OCPI 2.1.1 wants"
    return AnsweredByHub("RF-14", {"result": "REJECTED", "timeout": 0, "message": english(text)})


def english(text: str) -> list[Json]:
    """A list of one DisplayText."""
    return [{"language": "en", "text": text}]
