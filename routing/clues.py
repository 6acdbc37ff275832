"""What open routing may have to know beyond the message, and where it says what it would like to know.

OCPI 2.2.1, "Transport and format", Open Routing Request. What is known was learned from earlier messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from msgspec import Struct, field

from routing.translation.questions import Question
from routing.vocabulary import Party

T = TypeVar("T")


class Index(StrEnum):
    """What leads to a party, by what is looked for. Keys are ids as they are compared: in upper case, details, too."""

    LOCATION = "location"
    """(Location id) leads to CPOs; the detail is the uid of an EVSE there, or empty. One way for each EVSE."""
    TARIFF = "tariff"
    """(Tariff id) leads to CPOs."""
    SESSION_SHOWN = "session_shown"
    """(country code, party id, Session id) of the party that was shown the id leads to who it can ask about it."""
    CDR = "cdr"
    """(country code, party id, CDR id) of its CPO leads to the eMSP that got it."""
    CDR_GOT = "cdr_got"
    """(country code, party id, CDR id) of the eMSP that got it leads to its CPO."""
    RESERVATION = "reservation"
    """(country code, party id, reservation id) of the eMSP leads to the CPO; the detail is the id of the Location."""
    AUTHORIZATION = "authorization"
    """(country code, party id, authorization reference) of either side leads to the other."""
    PROFILE = "profile"
    """(country code, party id, Session id) of the CPO leads to who set a charging profile, the last one first."""
    BOOKING_LOCATION = "booking_location"
    """(BookingLocation id) leads to CPOs."""
    BOOKING = "booking"
    """(country code, party id, booking id or request id) of the CPO, and (country code, party id, request id) of the
    eMSP, lead to the other."""
    TERMINAL = "terminal"
    """(country code, party id, terminal id or reference) of either side of Payments leads to the other."""
    CONFIRMATION = "confirmation"
    """(country code, party id, id of a FinancialAdviceConfirmation) of either side leads to the other."""
    RECONCILIATION = "reconciliation"
    """(country code, party id, record id) of the issuer of an InvoiceReconciliationRecord leads to its counterpart."""
    CUSTOMER_AT = "customer_at"
    """(country code, party id, Location id) of an eMSP leads to the CPOs at whose Location of this id it has a
    reservation, or had a Session within the last 30 days."""
    CONTACT = "contact"
    """(country code, party id, other party as in `DE*MSP`) of a CPO leads to that other party, if it got a Session or a
    CDR of the CPO, or gave it an authorization reference, within the last 30 days."""


class Way(Struct, frozen=True):
    """A party that something leads to, and since when that is known."""

    party: Party
    detail: str = ""
    at: datetime | None = None
    """When it was learned last; this may lag behind by a day."""


class WaysOf(Question[tuple[Way, ...]], frozen=True):
    """Everybody that this leads to, learned last first; empty when that was never learned. `key` is in upper case."""

    index: Index
    key: tuple[str, ...]


class SessionFacts(Struct, frozen=True):
    """What is remembered of a Session: whose it is, and in which state."""

    emsp: Party | None
    status: str | None


class SessionKnown(Question[SessionFacts], frozen=True):
    """What is remembered of this Session of this owner."""

    owner: Party
    session_id: str


class Clues(Struct, eq=False):
    """Answers to what the choice of a receiver may ask, and what it asked in vain."""

    known: Mapping[Question[Any], Any]
    asked: list[Question[Any]] = field(default_factory=list)
    """Questions that are not in `known`: the choice was made as if nobody knew."""

    def ask(self, question: Question[T]) -> T | None:
        """What is known; None when nobody knows, or nobody was asked yet."""
        try:
            answer: T | None = self.known[question]
        except KeyError:
            self.asked.append(question)
            return None
        return answer
