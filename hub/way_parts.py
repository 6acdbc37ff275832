"""The few members of bodies that say who an id leads to, read without the rest.

Reading them takes a fraction of what reading a whole body takes. A member of another kind than it should be is missing,
and what surrounds it is there all the same.
"""

from __future__ import annotations

from types import NoneType
from typing import Any, Final, Generic, TypeVar, get_args, get_origin

import msgspec
from msgspec import Struct

P = TypeVar("P", bound=Struct)


class OwnedPart(Struct, frozen=True, gc=False):
    """Whose an object says it is."""

    country_code: str | None = None
    party_id: str | None = None


class ConnectorPart(Struct, frozen=True, gc=False):
    """Of a Connector."""

    tariff_ids: tuple[str, ...] | None = None
    tariff_id: str | None = None
    """In 2.1.1."""


class EvsePart(Struct, frozen=True, gc=False):
    """Of an EVSE."""

    uid: str | None = None
    connectors: tuple[ConnectorPart, ...] | None = None


class LocationPart(OwnedPart, frozen=True, gc=False):
    """Of a Location."""

    id: str | None = None
    evses: tuple[EvsePart, ...] | None = None


class TariffPart(OwnedPart, frozen=True, gc=False):
    """Of a Tariff."""

    id: str | None = None


class UsedEvsePart(Struct, frozen=True, gc=False):
    """Of an EVSE that a Session of 2.1.1 was at."""

    uid: str | None = None


class PlacePart(Struct, frozen=True, gc=False):
    """Of where a Session was: a CdrLocation, or the Location that 2.1.1 embeds."""

    id: str | None = None
    evse_uid: str | None = None
    evses: tuple[UsedEvsePart, ...] | None = None
    """In 2.1.1."""


class SessionPart(OwnedPart, frozen=True, gc=False):
    """Of a Session."""

    id: str | None = None
    status: str | None = None
    location_id: str | None = None
    evse_uid: str | None = None
    authorization_reference: str | None = None
    location: PlacePart | None = None
    """In 2.1.1."""


class CdrPart(OwnedPart, frozen=True, gc=False):
    """Of a CDR."""

    id: str | None = None
    session_id: str | None = None
    cdr_location: PlacePart | None = None
    location: PlacePart | None = None
    """In 2.1.1."""


class TokenPart(OwnedPart, frozen=True, gc=False):
    """Of a Token, or of a BookingToken."""

    uid: str | None = None
    type: str | None = None
    contract_id: str | None = None


class AuthorizationPart(Struct, frozen=True, gc=False):
    """Of an AuthorizationInfo."""

    allowed: str | None = None
    authorization_reference: str | None = None
    token: TokenPart | None = None


class CommandPart(Struct, frozen=True, gc=False):
    """Of a StartSession or a ReserveNow."""

    location_id: str | None = None
    authorization_reference: str | None = None
    reservation_id: str | int | None = None
    """A number in 2.1.1."""
    expiry_date: str | None = None


class ResultPart(Struct, frozen=True, gc=False):
    """Of a ChargingProfileResponse."""

    result: str | None = None


class PeriodPart(Struct, frozen=True, gc=False):
    """Of the time that a Booking is for."""

    end_date_time: str | None = None


class BookingLocationPart(OwnedPart, frozen=True, gc=False):
    """Of a BookingLocation."""

    id: str | None = None
    location_id: str | None = None


class BookingPart(OwnedPart, frozen=True, gc=False):
    """Of a Booking."""

    id: str | None = None
    request_id: str | None = None
    period: PeriodPart | None = None


class BookingRequestPart(Struct, frozen=True, gc=False):
    """Of a BookingRequest."""

    request_id: str | None = None
    authorization_reference: str | None = None
    tokens: tuple[TokenPart, ...] | None = None
    period: PeriodPart | None = None


class TerminalPart(Struct, frozen=True, gc=False):
    """Of a Terminal."""

    terminal_id: str | None = None
    reference: str | None = None


class ConfirmationPart(Struct, frozen=True, gc=False):
    """Of a FinancialAdviceConfirmation."""

    id: str | None = None


class RecordPart(OwnedPart, frozen=True, gc=False):
    """Of an InvoiceReconciliationRecord."""

    id: str | None = None


class _Envelope(Struct, Generic[P], gc=False):
    data: P | None = None


class _Page(Struct, Generic[P], gc=False):
    data: tuple[P, ...] | None = None


_OF_ANY: Final[tuple[Any, Any]] = _Envelope, _Page
_any: Final = msgspec.json.Decoder()


class Reader(Generic[P]):
    """Reads one kind of part. What cannot be read at all has nothing in it."""

    __slots__ = ("_body", "_envelope", "_page", "_part")

    def __init__(self, part: type[P]) -> None:
        self._part = part
        self._body = msgspec.json.Decoder(part)
        envelope, page = _OF_ANY
        self._envelope = msgspec.json.Decoder(envelope[part])
        self._page = msgspec.json.Decoder(page[part])

    def body(self, text: bytes) -> P | None:
        """The part of a body."""
        try:
            return self._body.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return self.read(_value(text))

    def answer(self, text: bytes) -> P | None:
        """The part of the data of an envelope. Some answer with a list of just one where an object is due."""
        try:
            found: _Envelope[P] = self._envelope.decode(text)
        except (msgspec.DecodeError, RecursionError):
            data = _data(text)
            return self.read(data[0] if type(data) is list and len(data) == 1 else data)
        return found.data

    def page(self, text: bytes) -> tuple[P, ...]:
        """The parts of the objects in a list."""
        try:
            found: _Page[P] = self._page.decode(text)
        except (msgspec.DecodeError, RecursionError):
            data = _data(text)
            parts = map(self.read, data if type(data) is list else ())
            return tuple(part for part in parts if part is not None)
        return found.data or ()

    def read(self, value: Any) -> P | None:  # noqa: ANN401 - any JSON
        """The part of a value."""
        part: P | None = _fitting(value, self._part)
        return part


def _value(text: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return _any.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _data(text: bytes) -> Any:  # noqa: ANN401 - any JSON
    envelope = _value(text)
    return envelope.get("data") if type(envelope) is dict else None


def _fitting(value: Any, wanted: Any) -> Any:  # noqa: ANN401 - any JSON, any annotation of a part
    """As much of a value as is of the type that is wanted."""
    for kind in get_args(wanted) if NoneType in get_args(wanted) else (wanted,):
        if get_origin(kind) is tuple and type(value) is list:
            parts = (_fitting(each, get_args(kind)[0]) for each in value)
            return tuple(part for part in parts if part is not None)
        if isinstance(kind, type) and issubclass(kind, Struct) and type(value) is dict:
            found = {field.name: field.type for field in msgspec.structs.fields(kind) if field.name in value}
            return kind(**{name: _fitting(value[name], its) for name, its in found.items()})
        if type(value) is kind:
            return value
    return None
