"""A message on its way through the hub, the calls it causes, and the answer on its way back.

OCPI 2.2.1, "Transport and format": Message Routing, Unique message IDs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct

from routing.dialects import DIALECTS, Dialect
from routing.errors import InvalidParameters
from routing.modules import Operation
from routing.vocabulary import Party, Version

RawHeaders = list[tuple[bytes, bytes]]
"""Header lines in their order; names in lower case, as ASGI has them."""

_BLANKS: Final = b" \t"
"""May stand around the value of a header and are no part of it; the server's parser leaves those behind it."""
JSON: Final = (b"content-type", b"application/json")
"""The header of every body there is in OCPI."""

_ID: Final = re.compile(rb"[ \t]*+([\x21-\x7e]{1,128})[ \t]*+")
_COUNTRY_CODE: Final = re.compile(rb"[A-Za-z]{2}")
_PARTY_ID: Final = re.compile(rb"[\x21-\x7e]{1,3}")


class MessageIds(NamedTuple):
    """X-Request-ID, new on every hop, and X-Correlation-ID, the same on all of them."""

    request_id: str
    correlation_id: str


class RoutingHeaders(NamedTuple):
    """OCPI-to and OCPI-from, as far as a message has them."""

    receiver: Party | None
    sender: Party | None


NO_ROUTING: Final = RoutingHeaders(None, None)


class Message(Struct, frozen=True, eq=False):
    """One request that a partner wants carried: read, authenticated, not yet decided upon."""

    version: Version
    """The version of the URL it arrived at, which is the one its sender speaks."""
    operation: Operation
    segments: tuple[str, ...]
    """The path after the endpoint, percent-encoded as it came."""
    query: str
    """As it came, without the question mark."""
    sender: Party
    receiver: Party | None
    body: bytes | None

    @property
    def dialect(self) -> Dialect:
        """How its sender says things."""
        return DIALECTS[self.version]


class Call(Struct, frozen=True, eq=False):
    """One HTTP request the hub makes at a partner. `headers` are complete except Host and Content-Length."""

    method: str
    url: str
    headers: RawHeaders
    body: bytes | None = None


class Reply(Struct, frozen=True, eq=False):
    """A partner's complete HTTP answer. `headers` has lower-case names; of a repeated one all values are kept."""

    http_status: int
    headers: RawHeaders
    body: bytes

    def header(self, name: bytes) -> str | None:
        """The first value of the header of this lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None


class Answer(Struct, frozen=True, eq=False):
    """What goes back to the requester: `body` is a complete OCPI envelope."""

    http_status: int
    ocpi_status: int
    body: bytes
    sender: Party | None
    """Whose answer it is: the receiver's, or the hub's when it could not be asked."""
    headers: RawHeaders = []
    """Those that belong to this answer; ids, routing headers and Content-Type come on top."""


def header(headers: RawHeaders, name: bytes) -> bytes | None:
    """The first value of the header of this lower-case name."""
    for key, value in headers:
        if key == name:
            return value
    return None


def first_values(headers: RawHeaders) -> dict[bytes, bytes]:
    """The first value of each header."""
    return dict(reversed(headers))


def read_id(value: bytes | None) -> str | None:
    """The message id in a header, or None when there is none that could be put into a header again."""
    match = None if value is None else _ID.fullmatch(value)
    return None if match is None else match[1].decode("ascii")


_TO_COUNTRY: Final = b"ocpi-to-country-code"
_TO_PARTY: Final = b"ocpi-to-party-id"
_FROM_COUNTRY: Final = b"ocpi-from-country-code"
_FROM_PARTY: Final = b"ocpi-from-party-id"
ADDRESSES: Final = frozenset({_TO_COUNTRY, _TO_PARTY, _FROM_COUNTRY, _FROM_PARTY})
"""The names of the headers that say who writes to whom."""


def read_routing_headers(headers: RawHeaders, sent: Mapping[bytes, bytes] | None = None) -> RoutingHeaders:
    """The two addresses of a message. Parties are compared without regard to case.

    `sent` are the first values of the headers, if they are known already.

    Raises:
        InvalidParameters: half an address, one given twice, or one that no party can have.
    """
    found = first_values(headers) if sent is None else sent
    if len(found) < len(headers):
        _check_once(headers)
    return _read_addresses(
        found.get(_TO_COUNTRY), found.get(_TO_PARTY), found.get(_FROM_COUNTRY), found.get(_FROM_PARTY)
    )


def _check_once(headers: RawHeaders) -> None:
    names = [name for name, _ in headers if name in ADDRESSES]
    for name in names:
        if names.count(name) > 1:
            raise InvalidParameters(f"The header {name.decode('ascii')} is there more than once")


@lru_cache(maxsize=65_536)  # a pair that talks goes on talking
def _read_addresses(
    to_country: bytes | None, to_party: bytes | None, from_country: bytes | None, from_party: bytes | None
) -> RoutingHeaders:
    return RoutingHeaders(
        _read_party("OCPI-to", to_country, to_party), _read_party("OCPI-from", from_country, from_party)
    )


def _read_party(which: str, country_code: bytes | None, party_id: bytes | None) -> Party | None:
    if country_code is None and party_id is None:
        return None
    if country_code is None or party_id is None:
        raise InvalidParameters(f"Of {which}-country-code and {which}-party-id there is only one")
    country_code, party_id = country_code.strip(_BLANKS), party_id.strip(_BLANKS)
    if _COUNTRY_CODE.fullmatch(country_code) is None or _PARTY_ID.fullmatch(party_id) is None:
        raise InvalidParameters(f"{which}-country-code and {which}-party-id are not 2 letters and 1 to 3 characters")
    return Party.read(country_code.decode("ascii"), party_id.decode("ascii"))


def id_headers(ids: MessageIds) -> RawHeaders:
    """The two message ids as headers."""
    return [
        (b"x-request-id", ids.request_id.encode("ascii")),
        (b"x-correlation-id", ids.correlation_id.encode("ascii")),
    ]


@lru_cache(maxsize=65_536)  # every message names two pairs, and a pair that talks goes on talking
def routing_headers(receiver: Party, sender: Party) -> tuple[tuple[bytes, bytes], ...]:
    """The two addresses as headers, in upper case."""
    return (
        (_TO_COUNTRY, receiver.country_code.encode("ascii")),
        (_TO_PARTY, receiver.party_id.encode("ascii")),
        (_FROM_COUNTRY, sender.country_code.encode("ascii")),
        (_FROM_PARTY, sender.party_id.encode("ascii")),
    )
