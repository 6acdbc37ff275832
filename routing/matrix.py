"""Where a message goes that names no receiver: one row for every operation of `routing.modules`.

`routing.open_routing` follows these rows, and docs/routing.md shows them. A row is read like this: what leads to the
receiver is tried in order, and the first that leads to anybody decides. See `Lead` for what each one is.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import chain
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from routing.modules import CALLBACK_ID, CDR_PROXY_ID, OWNER, Operation
from routing.vocabulary import InterfaceRole, ModuleID, Role, Version


class Lead(StrEnum):
    """What leads to a receiver. The text is what docs/routing.md calls it."""

    LOCATION = "Location"
    """Who has a Location of this id."""
    SESSION_SHOWN = "Session shown to the sender"
    """Whose Session of this id was shown to the sender."""
    SESSION = "known Session"
    """The eMSP of this Session of this owner."""
    TOKEN_OWNER = "owner of the token"  # noqa: S105 - no secret
    """Whom `cdr_token` names as its owner; once it does, nothing else counts."""
    CREDITED_CDR = "credited CDR"
    """Who got the CDR that this one is a credit for."""
    AUTHORIZATION = "authorization reference"
    """Who gave this authorization reference, or got it."""
    TOKEN_UID = "token uid"  # noqa: S105 - no secret
    """Whose Token of this uid and type it is."""
    CONTRACT = "contract id"
    """Whose contract it is."""
    PROVIDER = "contract prefix"
    """Whom a contract id of eMA form names with its first characters."""
    FAN_OUT = "everybody is asked"
    """All who may have a Token."""
    RESERVATION = "reservation"
    """Where the sender made this reservation."""
    PROFILE = "last charging profile"
    """Who last set a charging profile for this Session of the sender."""
    BOOKING_LOCATION = "BookingLocation"
    """Who has a BookingLocation of this id."""
    BOOKING = "booking"
    """The other side of a booking, by its id or that of its request."""
    BOOKING_PARTIES = "parties of the booking"
    """Whose requests and tokens a Booking holds."""
    TERMINAL = "terminal"
    """The other side of a Terminal, by its id or its reference."""
    TERMINAL_CPO = "CPO in the Terminal"
    """Whom a Terminal names as its CPO; once it does, nothing else counts."""
    TERMINAL_LOCATIONS = "Locations of the Terminal"
    """Who has all of the Locations of a Terminal."""
    CONFIRMATION = "confirmation"
    """The other side of a FinancialAdviceConfirmation."""
    RECONCILIATION = "record"
    """Who got this InvoiceReconciliationRecord."""
    BILLED_CDRS = "billed CDRs"
    """The one who has all CDRs of an invoice, on the other side."""


class Miss(StrEnum):
    """The answer when nobody was found. The text is what docs/routing.md calls it."""

    NOBODY = "4001"
    OBJECT = "404"
    LOCATION = "404 with 2003"
    LOCATION_OF_COMMAND = "2003"
    TOKEN = "404 with 2004"  # noqa: S105 - no secret
    SESSION = "UNKNOWN_SESSION"


class Row(Struct, frozen=True):
    """How one operation finds its receiver. Everything but the first six members is about messages that name none."""

    module: str
    interface: InterfaceRole
    method: str
    path: tuple[str, ...]
    callers: tuple[Role, ...]
    """Who usually sends it. Nobody is held to that, see OCPI 2.2.1, "Terminology", typical roles."""
    callees: tuple[Role, ...]
    """Who usually gets it."""
    leads: tuple[Lead, ...] = ()
    only: bool = False
    """When nothing leads anywhere, the only visible party of a callee's role that offers the interface gets it."""
    broadcast: bool = False
    """Everybody may know it: it goes to all it is of use for."""
    get_all: bool = False
    """A list, which is put together from those of everybody who has one."""
    read_back: bool = False
    """Its owner reads what it pushed itself, and the hub has that."""
    hub_made: bool = False
    """The URL is one that the hub handed out, and keeps the meaning of."""
    miss: Miss = Miss.NOBODY


_Key: TypeAlias = tuple[str, InterfaceRole, str, tuple[str, ...]]

_S: Final = InterfaceRole.SENDER
_R: Final = InterfaceRole.RECEIVER
_CPO: Final = (Role.CPO,)
_CPO_NAP: Final = (Role.CPO, Role.NAP)
_EMSP_OTHER: Final = (Role.EMSP, Role.OTHER)
_EMSP_SCSP: Final = (Role.EMSP, Role.SCSP)
_EMSP_PTP: Final = (Role.EMSP, Role.PTP)
_EMSP_OTHER_PTP: Final = (Role.EMSP, Role.OTHER, Role.PTP)
_EMSP_SCSP_PTP: Final = (Role.EMSP, Role.SCSP, Role.PTP)
_EMSP_SCSP_OTHER_PTP: Final = (Role.EMSP, Role.SCSP, Role.OTHER, Role.PTP)
_READERS: Final = (Role.EMSP, Role.NSP, Role.NAP, Role.OTHER, Role.PTP)
_PTP: Final = (Role.PTP,)
_CPO_EMSP: Final = (Role.CPO, Role.EMSP)

_WHOSE: Final = (
    Lead.TOKEN_OWNER,
    Lead.SESSION,
    Lead.AUTHORIZATION,
    Lead.TOKEN_UID,
    Lead.CONTRACT,
    Lead.PROVIDER,
)
"""Whose a Session is."""
_WHOSE_PATCHED: Final = (Lead.SESSION, Lead.TOKEN_OWNER, *_WHOSE[2:])
_WHOSE_BILLED: Final = (Lead.TOKEN_OWNER, Lead.CREDITED_CDR, *_WHOSE[1:])
_LOCATION: Final = ("{location_id}",)
_EVSE: Final = (*_LOCATION, "{evse_uid}")
_CONNECTOR: Final = (*_EVSE, "{connector_id}")
_PLACES: Final = (_LOCATION, _EVSE, _CONNECTOR)
_OWN_SESSION: Final = (*OWNER, "{session_id}")
_CALLBACK: Final = ("callback", CALLBACK_ID)

# Locations


def _locations_sender() -> list[Row]:
    return [
        Row(ModuleID.LOCATIONS, _S, "GET", (), _READERS, _CPO_NAP, get_all=True),
        *(
            Row(ModuleID.LOCATIONS, _S, "GET", path, _READERS, _CPO_NAP, (Lead.LOCATION,), only=True)
            for path in _PLACES
        ),
    ]


def _pushed(
    module: ModuleID, paths: tuple[tuple[str, ...], ...], methods: str, by: tuple[Role, ...], to: tuple[Role, ...]
) -> list[Row]:
    """Client-owned objects that everybody may know: their owner reads them at one party, and pushes them to all."""
    found = []
    for path in paths:
        found.append(Row(module, _R, "GET", OWNER + path, by, to, only=True))
        found += (Row(module, _R, method, OWNER + path, by, to, broadcast=True) for method in methods.split())
    return found


# Commands


def _commands(callback: tuple[str, ...], *names: str) -> list[Row]:
    leads = {
        "STOP_SESSION": Lead.SESSION_SHOWN,
        "CANCEL_RESERVATION": Lead.RESERVATION,
    }
    module = ModuleID.COMMANDS
    found = [
        Row(module, _R, "POST", (name,), _EMSP_OTHER_PTP, _CPO, (leads.get(name, Lead.LOCATION),), only=True)
        for name in names
    ]
    return [*found, Row(module, _S, "POST", callback, _CPO, _EMSP_OTHER_PTP, hub_made=True)]


_COMMAND_NAMES: Final = ("START_SESSION", "STOP_SESSION", "RESERVE_NOW", "CANCEL_RESERVATION", "UNLOCK_CONNECTOR")

# 2.2 and 2.2.1


def _asked_by_session(
    module: ModuleID, interface: InterfaceRole, method: str, path: tuple[str, ...], by: tuple[Role, ...]
) -> Row:
    """What is asked of the CPO of a Session."""
    return Row(module, interface, method, path, by, _CPO, (Lead.SESSION_SHOWN,), only=True)


_SINCE_2_2: Final = (
    *_locations_sender(),
    *_pushed(ModuleID.LOCATIONS, _PLACES, "PUT PATCH", _CPO_NAP, _READERS),
    Row(ModuleID.TARIFFS, _S, "GET", (), _READERS, _CPO_NAP, get_all=True),
    *_pushed(ModuleID.TARIFFS, (("{tariff_id}",),), "PUT DELETE", _CPO_NAP, _READERS),
    Row(ModuleID.SESSIONS, _S, "GET", (), _EMSP_SCSP_OTHER_PTP, _CPO, get_all=True),
    _asked_by_session(ModuleID.SESSIONS, _S, "PUT", ("{session_id}", "charging_preferences"), _EMSP_OTHER),
    Row(ModuleID.SESSIONS, _R, "GET", _OWN_SESSION, _CPO, _EMSP_SCSP, (Lead.SESSION,)),
    Row(ModuleID.SESSIONS, _R, "PUT", _OWN_SESSION, _CPO, _EMSP_SCSP_PTP, _WHOSE),
    Row(ModuleID.SESSIONS, _R, "PATCH", _OWN_SESSION, _CPO, _EMSP_SCSP_PTP, _WHOSE_PATCHED, miss=Miss.OBJECT),
    Row(ModuleID.CDRS, _S, "GET", (), _EMSP_OTHER_PTP, _CPO, get_all=True),
    Row(ModuleID.CDRS, _R, "GET", (CDR_PROXY_ID,), _CPO, _EMSP_PTP, hub_made=True),
    Row(ModuleID.CDRS, _R, "POST", (), _CPO, _EMSP_PTP, _WHOSE_BILLED),
    Row(ModuleID.TOKENS, _S, "GET", (), _CPO, _EMSP_OTHER, get_all=True),
    Row(
        ModuleID.TOKENS,
        _S,
        "POST",
        ("{token_uid}", "authorize"),
        _CPO,
        _EMSP_OTHER,
        (Lead.TOKEN_UID, Lead.PROVIDER, Lead.FAN_OUT),
        only=True,
    ),
    *_pushed(ModuleID.TOKENS, (("{token_uid}",),), "PUT PATCH", _EMSP_OTHER, _CPO),
    *_commands(("{command}", CALLBACK_ID), *_COMMAND_NAMES),
    *(
        _asked_by_session(ModuleID.CHARGING_PROFILES, _R, method, ("{session_id}",), _EMSP_SCSP)
        for method in ("GET", "PUT", "DELETE")
    ),
    Row(ModuleID.CHARGING_PROFILES, _S, "POST", _CALLBACK, _CPO, _EMSP_SCSP, hub_made=True),
    Row(ModuleID.CHARGING_PROFILES, _S, "PUT", ("{session_id}",), _CPO, _EMSP_SCSP, (Lead.PROFILE,)),
)

# Since 2.3.0


def _terminals(method: str, *path: str) -> Row:
    return Row(
        ModuleID.PAYMENTS, _S, method, ("terminals", "{terminal_id}", *path), _CPO, _PTP, (Lead.TERMINAL,), only=True
    )


_CONFIRMATIONS: Final = ("financial-advice-confirmations",)
_CONFIRMATION: Final = (*_CONFIRMATIONS, "{confirmation_id}")
_BOOKING_LOCATIONS: Final = ("booking_locations",)
_BOOKING_LOCATION: Final = (*_BOOKING_LOCATIONS, "{booking_location_id}")
_CALENDAR: Final = (*_BOOKING_LOCATION, "{calendar_id}")
_OWN_BOOKING: Final = (*OWNER, "{booking_id}")
_OWN_RECORD: Final = (*OWNER, "{record_id}")
_RECONCILIATION: Final = ModuleID.INVOICE_RECONCILIATION

_SINCE_2_3_0: Final = (
    Row(ModuleID.COMMANDS, _R, "POST", ("{command}",), _EMSP_OTHER_PTP, _CPO, (Lead.LOCATION,)),
    Row(_RECONCILIATION, _S, "GET", (), _CPO_EMSP, _CPO_EMSP, get_all=True),
    Row(_RECONCILIATION, _R, "GET", _OWN_RECORD, _CPO_EMSP, _CPO_EMSP, (Lead.RECONCILIATION,)),
    Row(_RECONCILIATION, _R, "POST", (), _CPO_EMSP, _CPO_EMSP, (Lead.BILLED_CDRS,)),
    Row(_RECONCILIATION, _R, "PUT", _OWN_RECORD, _CPO_EMSP, _CPO_EMSP, (Lead.RECONCILIATION, Lead.BILLED_CDRS)),
    Row(_RECONCILIATION, _R, "DELETE", _OWN_RECORD, _CPO_EMSP, _CPO_EMSP, (Lead.RECONCILIATION,)),
    Row(ModuleID.PAYMENTS, _S, "GET", ("terminals",), _CPO, _PTP, get_all=True),
    _terminals("GET"),
    Row(ModuleID.PAYMENTS, _S, "POST", ("terminals", "activate"), _CPO, _PTP, only=True),
    _terminals("POST", "deactivate"),
    _terminals("PUT"),
    _terminals("PATCH"),
    Row(ModuleID.PAYMENTS, _S, "GET", _CONFIRMATIONS, _CPO, _PTP, get_all=True),
    Row(ModuleID.PAYMENTS, _S, "GET", _CONFIRMATION, _CPO, _PTP, (Lead.CONFIRMATION,), only=True),
    Row(ModuleID.PAYMENTS, _R, "GET", ("terminals", "{terminal_id}"), _PTP, _CPO, (Lead.TERMINAL,), only=True),
    Row(
        ModuleID.PAYMENTS,
        _R,
        "POST",
        ("terminals",),
        _PTP,
        _CPO,
        (Lead.TERMINAL_CPO, Lead.TERMINAL, Lead.TERMINAL_LOCATIONS),
        only=True,
    ),
    Row(ModuleID.PAYMENTS, _R, "GET", _CONFIRMATION, _PTP, _CPO, (Lead.CONFIRMATION,), only=True),
    Row(ModuleID.PAYMENTS, _R, "POST", _CONFIRMATIONS, _PTP, _CPO, (Lead.AUTHORIZATION,)),
    Row(ModuleID.BOOKINGS, _S, "GET", _BOOKING_LOCATIONS, _EMSP_OTHER, _CPO, get_all=True),
    Row(ModuleID.BOOKINGS, _S, "GET", _BOOKING_LOCATION, _EMSP_OTHER, _CPO, (Lead.BOOKING_LOCATION,), only=True),
    Row(ModuleID.BOOKINGS, _S, "GET", _CALENDAR, _EMSP_OTHER, _CPO, (Lead.BOOKING_LOCATION,), only=True),
    Row(ModuleID.BOOKINGS, _S, "GET", (), _EMSP_OTHER, _CPO, get_all=True),
    Row(
        ModuleID.BOOKINGS,
        _S,
        "POST",
        (),
        _EMSP_OTHER,
        _CPO,
        (Lead.BOOKING_LOCATION, Lead.BOOKING, Lead.LOCATION),
        only=True,
    ),
    Row(ModuleID.BOOKINGS, _S, "POST", _CALLBACK, _CPO, _EMSP_OTHER, hub_made=True),
    *_pushed(ModuleID.BOOKINGS, (_BOOKING_LOCATION, _CALENDAR), "PUT PATCH", _CPO, _EMSP_OTHER),
    Row(ModuleID.BOOKINGS, _R, "GET", _OWN_BOOKING, _CPO, _EMSP_OTHER, (Lead.BOOKING,)),
    Row(ModuleID.BOOKINGS, _R, "PUT", _OWN_BOOKING, _CPO, _EMSP_OTHER, (Lead.BOOKING, Lead.BOOKING_PARTIES)),
    Row(ModuleID.BOOKINGS, _R, "PATCH", _OWN_BOOKING, _CPO, _EMSP_OTHER, (Lead.BOOKING,), miss=Miss.OBJECT),
)

# 2.1.1, where a peer meets the hub as its one counterpart

_CONTRACT: Final = (Lead.CONTRACT, Lead.PROVIDER)
"""All that a Session and a CDR say is a contract, as `auth_id`."""
_RECORDS_IN_2_1_1: Final = {
    (ModuleID.SESSIONS, "GET"): ((Lead.SESSION,), Miss.OBJECT),
    (ModuleID.SESSIONS, "PUT"): ((Lead.SESSION, *_CONTRACT), Miss.NOBODY),
    (ModuleID.SESSIONS, "PATCH"): ((Lead.SESSION, *_CONTRACT), Miss.OBJECT),
    (ModuleID.CDRS, "POST"): (_CONTRACT, Miss.NOBODY),
}
_NOT_IN_2_1_1: Final = {("CANCEL_RESERVATION",), ("{session_id}", "charging_preferences")}


def _in_2_1_1(row: Row) -> Row:
    """Its peers have two roles, and get nobody because there is no other: what they mean, the hub has shown them."""
    row = msgspec.structs.replace(row, callers=tuple(role for role in row.callers if role in _CPO_EMSP), only=False)
    if row.interface is _R and (record := _RECORDS_IN_2_1_1.get((ModuleID(row.module), row.method))) is not None:
        leads, miss = record
        return row if row.hub_made else msgspec.structs.replace(row, leads=leads, miss=miss)
    if row.interface is _R and row.method == "GET":
        return row if row.hub_made else msgspec.structs.replace(row, read_back=True, miss=Miss.OBJECT)
    if Lead.FAN_OUT in row.leads:
        return msgspec.structs.replace(row, miss=Miss.TOKEN)
    if row.leads == (Lead.SESSION_SHOWN,):
        return msgspec.structs.replace(row, miss=Miss.SESSION)
    if row.leads == (Lead.LOCATION,):
        return msgspec.structs.replace(row, miss=Miss.LOCATION if row.method == "GET" else Miss.LOCATION_OF_COMMAND)
    return row


_IN_2_1_1: Final = (
    *(
        _in_2_1_1(row)
        for row in _SINCE_2_2
        if row.module != ModuleID.CHARGING_PROFILES and row.path not in _NOT_IN_2_1_1
    ),
    Row(ModuleID.TARIFFS, _R, "PATCH", (*OWNER, "{tariff_id}"), _CPO, _READERS, broadcast=True),
)


def _indexed(*parts: tuple[Row, ...]) -> dict[_Key, Row]:
    return {(row.module, row.interface, row.method, row.path): row for row in chain(*parts)}


MATRIX: Final[dict[Version, dict[_Key, Row]]] = {
    Version.V2_1_1: _indexed(_IN_2_1_1),
    Version.V2_2: _indexed(_SINCE_2_2),
    Version.V2_2_1: _indexed(_SINCE_2_2),
    Version.V2_3_0: _indexed(_SINCE_2_2, _SINCE_2_3_0),
}


def row_of(version: Version, operation: Operation) -> Row | None:
    """The row of this operation; None for those of modules that only two partners know."""
    return MATRIX[version].get((operation.module, operation.interface, operation.method, operation.path))
