"""What is learned from which operation, and what of its bodies is read for that. The lessons are in `hub.ways`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from hub import ways
from hub.store.facts import Fact
from hub.way_parts import (
    AuthorizationPart,
    BookingLocationPart,
    BookingPart,
    BookingRequestPart,
    CdrPart,
    CommandPart,
    ConfirmationPart,
    ConnectorPart,
    EvsePart,
    LocationPart,
    Reader,
    RecordPart,
    ResultPart,
    SessionPart,
    TariffPart,
    TerminalPart,
)
from hub.ways import Exchange
from routing.modules import OWNER, Operation
from routing.vocabulary import InterfaceRole, ModuleID

Lesson: TypeAlias = Callable[[Exchange, Any, Any], Iterator[Fact]]
"""From what was sent, and what was answered, as far as the row reads them."""


class Row(NamedTuple):
    """What is learned from one operation, and what of the bodies is read for it."""

    learn: Lesson
    sent: Reader[Any] | None = None
    answered: Reader[Any] | None = None
    is_repeatable: bool = True
    """Whether the same once more teaches nothing. Not so where something can get lost, or the last one counts."""
    needs_acceptance: bool = False
    """A command that was rejected teaches nothing."""
    is_private: bool = False
    """A list of what only one party may know. Who of 2.1.1 answers cannot tell for whom."""

    def is_push(self, operation: Operation) -> bool:
        """Whether the objects are the sender's."""
        return operation.method != "GET" and (self.sent is not None or self.answered is None)


_S: Final = InterfaceRole.SENDER
_R: Final = InterfaceRole.RECEIVER
_LOCATIONS: Final = Reader(LocationPart)
_TARIFFS: Final = Reader(TariffPart)
_SESSIONS: Final = Reader(SessionPart)
_CDRS: Final = Reader(CdrPart)
_COMMANDS: Final = Reader(CommandPart)
_BOOKING_LOCATIONS: Final = Reader(BookingLocationPart)
_BOOKINGS: Final = Reader(BookingPart)
_TERMINALS: Final = Reader(TerminalPart)
_CONFIRMATIONS: Final = Reader(ConfirmationPart)
_RECORDS: Final = Reader(RecordPart)
_COMMAND: Final = Row(ways.of_command, sent=_COMMANDS, is_repeatable=False, needs_acceptance=True)

_ROWS: Final[Mapping[tuple[str, InterfaceRole, str, str], Row]] = {
    (ModuleID.LOCATIONS, _S, "GET", ""): Row(ways.of_location, answered=_LOCATIONS),
    (ModuleID.LOCATIONS, _S, "GET", "{location_id}"): Row(ways.of_location, answered=_LOCATIONS),
    (ModuleID.LOCATIONS, _S, "GET", "{location_id}/{evse_uid}"): Row(ways.of_place),
    (ModuleID.LOCATIONS, _R, "PUT", "{location_id}"): Row(ways.of_location, sent=_LOCATIONS),
    (ModuleID.LOCATIONS, _R, "PUT", "{location_id}/{evse_uid}"): Row(ways.of_evse, sent=Reader(EvsePart)),
    (ModuleID.LOCATIONS, _R, "PUT", "{location_id}/{evse_uid}/{connector_id}"): Row(
        ways.of_connector, sent=Reader(ConnectorPart)
    ),
    (ModuleID.LOCATIONS, _R, "PATCH", "{location_id}"): Row(ways.of_place),
    (ModuleID.LOCATIONS, _R, "PATCH", "{location_id}/{evse_uid}"): Row(ways.of_place),
    (ModuleID.LOCATIONS, _R, "PATCH", "{location_id}/{evse_uid}/{connector_id}"): Row(ways.of_place),
    (ModuleID.TARIFFS, _S, "GET", ""): Row(ways.of_tariff, answered=_TARIFFS, is_repeatable=False),
    (ModuleID.TARIFFS, _R, "PUT", "{tariff_id}"): Row(ways.of_tariff, is_repeatable=False),
    (ModuleID.TARIFFS, _R, "PATCH", "{tariff_id}"): Row(ways.of_tariff, is_repeatable=False),
    (ModuleID.TARIFFS, _R, "DELETE", "{tariff_id}"): Row(ways.of_tariff_deleted, is_repeatable=False),
    (ModuleID.SESSIONS, _S, "GET", ""): Row(ways.of_session, answered=_SESSIONS, is_private=True),
    (ModuleID.SESSIONS, _R, "PUT", "{session_id}"): Row(ways.of_session, sent=_SESSIONS),
    (ModuleID.SESSIONS, _R, "PATCH", "{session_id}"): Row(ways.of_session, sent=_SESSIONS),
    (ModuleID.CDRS, _S, "GET", ""): Row(ways.of_cdr, answered=_CDRS, is_private=True),
    (ModuleID.CDRS, _R, "POST", ""): Row(ways.of_cdr, sent=_CDRS),
    (ModuleID.TOKENS, _S, "POST", "{token_uid}/authorize"): Row(
        ways.of_authorization, answered=Reader(AuthorizationPart), is_repeatable=False
    ),
    (ModuleID.COMMANDS, _R, "POST", "START_SESSION"): _COMMAND,
    (ModuleID.COMMANDS, _R, "POST", "RESERVE_NOW"): _COMMAND,
    (ModuleID.COMMANDS, _R, "POST", "{command}"): _COMMAND,
    (ModuleID.CHARGING_PROFILES, _R, "PUT", "{session_id}"): Row(
        ways.of_profile, answered=Reader(ResultPart), is_repeatable=False
    ),
    (ModuleID.BOOKINGS, _S, "GET", "booking_locations"): Row(ways.of_booking_location, answered=_BOOKING_LOCATIONS),
    (ModuleID.BOOKINGS, _S, "GET", "booking_locations/{booking_location_id}"): Row(
        ways.of_booking_location, answered=_BOOKING_LOCATIONS
    ),
    (ModuleID.BOOKINGS, _R, "PUT", "booking_locations/{booking_location_id}"): Row(
        ways.of_booking_location, sent=_BOOKING_LOCATIONS
    ),
    (ModuleID.BOOKINGS, _R, "PATCH", "booking_locations/{booking_location_id}"): Row(ways.of_booking_location),
    (ModuleID.BOOKINGS, _R, "PUT", "booking_locations/{booking_location_id}/{calendar_id}"): Row(
        ways.of_booking_location
    ),
    (ModuleID.BOOKINGS, _R, "PATCH", "booking_locations/{booking_location_id}/{calendar_id}"): Row(
        ways.of_booking_location
    ),
    (ModuleID.BOOKINGS, _S, "GET", ""): Row(ways.of_booking, answered=_BOOKINGS),
    (ModuleID.BOOKINGS, _S, "POST", ""): Row(
        ways.of_booking_requested, sent=Reader(BookingRequestPart), answered=_BOOKINGS
    ),
    (ModuleID.BOOKINGS, _R, "PUT", "{booking_id}"): Row(ways.of_booking, sent=_BOOKINGS),
    (ModuleID.BOOKINGS, _R, "PATCH", "{booking_id}"): Row(ways.of_booking, sent=_BOOKINGS),
    (ModuleID.PAYMENTS, _S, "GET", "terminals"): Row(ways.of_terminal, answered=_TERMINALS),
    (ModuleID.PAYMENTS, _S, "GET", "terminals/{terminal_id}"): Row(ways.of_terminal, answered=_TERMINALS),
    (ModuleID.PAYMENTS, _S, "POST", "terminals/activate"): Row(ways.of_terminal, sent=_TERMINALS, answered=_TERMINALS),
    (ModuleID.PAYMENTS, _S, "PUT", "terminals/{terminal_id}"): Row(ways.of_terminal, sent=_TERMINALS),
    (ModuleID.PAYMENTS, _R, "POST", "terminals"): Row(ways.of_terminal, sent=_TERMINALS),
    (ModuleID.PAYMENTS, _S, "GET", "financial-advice-confirmations"): Row(
        ways.of_confirmation, answered=_CONFIRMATIONS
    ),
    (ModuleID.PAYMENTS, _S, "GET", "financial-advice-confirmations/{confirmation_id}"): Row(
        ways.of_confirmation, answered=_CONFIRMATIONS
    ),
    (ModuleID.PAYMENTS, _R, "POST", "financial-advice-confirmations"): Row(ways.of_confirmation, sent=_CONFIRMATIONS),
    (ModuleID.INVOICE_RECONCILIATION, _S, "GET", ""): Row(ways.of_record, answered=_RECORDS, is_repeatable=False),
    (ModuleID.INVOICE_RECONCILIATION, _R, "POST", ""): Row(ways.of_record, sent=_RECORDS, is_repeatable=False),
    (ModuleID.INVOICE_RECONCILIATION, _R, "PUT", "{record_id}"): Row(
        ways.of_record, sent=_RECORDS, is_repeatable=False
    ),
    (ModuleID.INVOICE_RECONCILIATION, _R, "DELETE", "{record_id}"): Row(ways.of_record_deleted, is_repeatable=False),
}


@lru_cache(maxsize=1024)  # there are a few hundred operations; more come from custom modules only
def row_of(operation: Operation) -> Row | None:
    """What is learned from an operation; None where that is nothing."""
    path = operation.path[len(OWNER) :] if operation.owned else operation.path
    return _ROWS.get((operation.module, operation.interface, operation.method, "/".join(path)))
