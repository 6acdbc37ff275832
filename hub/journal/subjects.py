"""What a message is about: the object that its path or its body names, and the Token."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import msgspec
from msgspec import Raw, Struct

from hub.journal.masking import clean
from hub.store.journal_tables import OBJECT_ID_LENGTH
from routing.bodies import Members
from routing.modules import CALLBACK_ID, Operation
from routing.vocabulary import ModuleID

_TOKEN_UID: Final = "{token_uid}"  # noqa: S105 - the name of a segment
_IN_PATH: Final = {
    "{booking_id}": "booking",
    "{booking_location_id}": "booking_location",
    "{confirmation_id}": "confirmation",
    "{location_id}": "location",
    "{record_id}": "invoice_record",
    "{session_id}": "session",
    "{tariff_id}": "tariff",
    "{terminal_id}": "terminal",
}
"""Segments that are the id of an object. An EVSE and a Connector are parts of their Location."""
_IN_BODY: Final[dict[str, tuple[str, str]]] = {
    ModuleID.BOOKINGS: ("booking", "id"),
    ModuleID.CDRS: ("cdr", "id"),
    ModuleID.INVOICE_RECONCILIATION: ("invoice_record", "id"),
    "CANCEL_RESERVATION": ("reservation", "reservation_id"),
    "RESERVE_NOW": ("reservation", "reservation_id"),
    "START_SESSION": ("location", "location_id"),
    "STOP_SESSION": ("session", "session_id"),
    "UNLOCK_CONNECTOR": ("location", "location_id"),
}
"""By module, or by command: what it is about, and the member of the body with its id."""
_TOKENS: Final = ("cdr_token", "token")


class Subject(Struct, frozen=True, gc=False):
    """Where messages of one operation say what they are about."""

    kind: str | None
    at: int | None
    """The segment with its id, counted from the end."""
    member: str | None
    """The member of the body with its id."""
    token_at: int | None
    hidden: tuple[int, ...]
    """The segments that nobody may see."""


@lru_cache(maxsize=1024)  # operations are rows of tables, but for those of custom modules
def subject_of(operation: Operation) -> Subject:
    """What there is to know about one operation."""
    path = operation.path
    length = len(path)
    hidden = tuple(at - length for at, name in enumerate(path) if name in {_TOKEN_UID, CALLBACK_ID})
    if _TOKEN_UID in path:
        return Subject("token", None, None, path.index(_TOKEN_UID) - length, hidden)
    for at, name in enumerate(path):
        if name in _IN_PATH:
            return Subject(_IN_PATH[name], at - length, None, None, hidden)
    named = path[0] if operation.module == ModuleID.COMMANDS and path else operation.module
    if operation.body is None or operation.hub_made is not None or named not in _IN_BODY:
        return Subject(None, None, None, None, hidden)
    kind, member = _IN_BODY[named]
    return Subject(kind, None, member, None, hidden)


def object_id(subject: Subject, segments: tuple[str, ...], members: Members) -> str | None:
    """The id of the object a message is about."""
    if subject.at is not None and len(segments) >= -subject.at:
        return clean(unquote(segments[subject.at]), OBJECT_ID_LENGTH)
    if subject.member is not None and subject.member in members:
        found = _text(members[subject.member])
        return None if found is None else clean(found, OBJECT_ID_LENGTH)
    return None


def token_uid(subject: Subject, segments: tuple[str, ...], members: Members) -> str | None:
    """The uid of the Token a message is about, or that was used in what it is about."""
    if subject.token_at is not None and len(segments) >= -subject.token_at:
        return unquote(segments[subject.token_at])
    for name in _TOKENS:
        if name in members:
            return _uid(members[name])
    return None


class _Token(Struct):
    uid: str | None = None


_read_text: Final = msgspec.json.Decoder(str).decode
_read_token: Final = msgspec.json.Decoder(_Token).decode


def _text(value: Raw) -> str | None:
    try:
        return _read_text(value)
    except (msgspec.DecodeError, RecursionError):
        return None


def _uid(value: Raw) -> str | None:
    try:
        return _read_token(value).uid
    except (msgspec.DecodeError, RecursionError):
        return None
