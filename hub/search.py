"""What an id may be that somebody has pasted, by its form alone. Pure: who knows more looks there."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from routing.vocabulary import Party

LONGEST: Final = 255
"""Characters of an id. Longer ones are nobody's."""
_QUOTES: Final = " \t\r\n\"'`<>" + "".join(map(chr, (0xAB, 0xBB, 0x2018, 0x2019, 0x201C, 0x201D)))
"""What stands around an id that was copied out of a mail."""
_PARTY: Final = re.compile(r"([A-Za-z]{2})[*\-_ ]?([A-Za-z0-9]{3})")
_EVSE: Final = re.compile(r"([A-Za-z]{2})\*?([A-Za-z0-9]{3})\*?[Ee]([A-Za-z0-9][A-Za-z0-9*]{0,31})")
_RULE: Final = re.compile(r"(?:L|M|RF)-[0-9]{2}", re.IGNORECASE)
_STATUS: Final = re.compile(r"[1-4][0-9]{3}")
_OWNER: Final = 2
_KINDS: Final = {
    "bookings": "booking",
    "cdrs": "cdr",
    "locations": "location",
    "sessions": "session",
    "tariffs": "tariff",
    "tokens": "token",
}


class ReadingKind(StrEnum):
    """What an id may be."""

    CORRELATION = "correlation_id"
    REQUEST = "request_id"
    PARTY = "party"
    PLATFORM = "platform"
    EVSE = "evse"
    OBJECT = "object"
    TOKEN = "token"  # noqa: S105 - the name of an object
    RULE = "rule"
    STATUS = "status"
    URL = "url"


class Readings(Struct, frozen=True):
    """Everything that one text may be."""

    text: str
    """As it is looked for: without what surrounds it."""
    party: Party | None = None
    evse_owner: Party | None = None
    """Whose EVSE it is, by the form of an EVSE id."""
    rule: str | None = None
    status: int | None = None
    object_type: str | None = None
    """Of an object that a URL names; `text` is its id then."""
    is_id: bool = True
    """Whether it may be the id of anything at all."""


def readings_of(pasted: str, own_hosts: frozenset[str] = frozenset()) -> Readings:
    """What a pasted text may be. `own_hosts` are hosts, with ports, under which the hub is known."""
    text = pasted.strip(_QUOTES)
    if text.startswith(("http://", "https://")):
        return _of_url(text, own_hosts)
    party, evse = _PARTY.fullmatch(text), _EVSE.fullmatch(text)
    return Readings(
        text=text,
        party=None if party is None else Party.read(party[1], party[2]),
        evse_owner=None if evse is None else Party.read(evse[1], evse[2]),
        rule=text.upper() if _RULE.fullmatch(text) else None,
        status=int(text) if _STATUS.fullmatch(text) else None,
        is_id=0 < len(text) <= LONGEST,
    )


def spellings(text: str) -> tuple[str, ...]:
    """Other ways in which somebody may have written this id: in capitals or not, with a blank too many.

    Ids of OCPI are the same in any case, and are looked for as they came: an index finds them only so.
    """
    words = text.split()
    ways = {way: None for base in (" ".join(words), "".join(words), "-".join(words)) for way in _in_cases(base)}
    return tuple(way for way in ways if way != text)


def _in_cases(text: str) -> tuple[str, str, str]:
    return text, text.upper(), text.lower()


def _of_url(url: str, own_hosts: frozenset[str]) -> Readings:
    """The object that a URL of the hub is about. One of somebody else is nothing that could be looked for."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return Readings(url, is_id=False)
    segments = [unquote(part) for part in parts.path.split("/") if part]
    module = next((at for at, part in enumerate(segments) if part in _KINDS), None)
    if parts.netloc.lower() not in own_hosts or module is None:
        return Readings(url, is_id=False)
    after = segments[module + 1 :]
    if len(after) > _OWNER and len(after[0]) == _OWNER:
        after = after[_OWNER:]  # whose it is
    if not after:
        return Readings(url, is_id=False)
    return Readings(after[0], object_type=_KINDS[segments[module]], is_id=len(after[0]) <= LONGEST)
