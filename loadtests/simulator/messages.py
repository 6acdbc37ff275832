"""One request as a partner receives it, and one answer, whichever side gives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from routing.vocabulary import InterfaceRole, Party, Version

Json: TypeAlias = dict[str, Any]
HeaderLines: TypeAlias = tuple[tuple[str, str], ...]
"""Header lines in their order, names in lower case."""
Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""Headers as a test or a script gives them; pairs where one name is wanted twice."""


class Place(Struct, frozen=True):
    """What a path of the partner means."""

    module: str
    """Identifier of the module, or `versions`, `details`, or "" when the path means nothing."""
    version: Version | None = None
    interface: InterfaceRole | None = None
    """None where the version has no interface roles (2.1.1) or the module has none."""
    path: tuple[str, ...] = ()
    """Percent-decoded segments behind the endpoint."""


class Envelope(Struct, frozen=True):
    """What every OCPI answer is wrapped in. OCPI 2.2.1, "Response format"."""

    status_code: int
    timestamp: str = ""
    status_message: str | None = None
    data: Any = None


class Received(Struct, frozen=True):
    """One HTTP request as it arrived, complete."""

    method: str
    raw_path: str
    """As it stood in the request line, still percent-encoded, without the query."""
    query: str
    headers: HeaderLines
    body: bytes
    at: datetime
    place: Place

    def header(self, name: str) -> str | None:
        """First value of this header."""
        return first(self.headers, name)

    def json(self) -> Any:  # noqa: ANN401 - a body may be any JSON
        """The body, decoded."""
        return msgspec.json.decode(self.body)

    @property
    def params(self) -> dict[str, str]:
        """The query, decoded; the last of repeated names counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def module(self) -> str:
        """Identifier of the module that was called."""
        return self.place.module

    @property
    def receiver(self) -> Party | None:
        """The party in OCPI-to."""
        return party_in(self.headers, "to")

    @property
    def sender(self) -> Party | None:
        """The party in OCPI-from."""
        return party_in(self.headers, "from")


class Answer(Struct, frozen=True):
    """One complete HTTP answer."""

    http_status: int
    headers: HeaderLines
    body: bytes

    def header(self, name: str) -> str | None:
        """First value of this header."""
        return first(self.headers, name)

    def json(self) -> Any:  # noqa: ANN401 - an answer may be any JSON
        """The body, decoded."""
        return msgspec.json.decode(self.body)

    @property
    def envelope(self) -> Envelope:
        """The body as an OCPI envelope; raises msgspec.MsgspecError when it is none."""
        return msgspec.json.decode(self.body, type=Envelope)

    @property
    def status_code(self) -> int:
        """The OCPI status, such as 1000."""
        return self.envelope.status_code

    @property
    def data(self) -> Any:  # noqa: ANN401 - what the module says
        """The payload of the envelope."""
        return self.envelope.data

    @property
    def next_url(self) -> str | None:
        """Where the next page is; None on the last. OCPI 2.2.1, "Pagination"."""
        url, _, parameters = (self.header("link") or "").partition(">")
        return url.removeprefix("<") if 'rel="next"' in parameters else None

    @property
    def receiver(self) -> Party | None:
        """The party in OCPI-to."""
        return party_in(self.headers, "to")

    @property
    def sender(self) -> Party | None:
        """The party in OCPI-from."""
        return party_in(self.headers, "from")


class Sent(Struct, frozen=True):
    """One request a partner made, and what came back."""

    method: str
    url: str
    headers: HeaderLines
    body: bytes
    at: datetime
    answer: Answer
    answered_at: datetime

    @property
    def receiver(self) -> Party | None:
        """The party in OCPI-to."""
        return party_in(self.headers, "to")

    @property
    def sender(self) -> Party | None:
        """The party in OCPI-from."""
        return party_in(self.headers, "from")

    def header(self, name: str) -> str | None:
        """First value of this header."""
        return first(self.headers, name)


def envelope(
    data: Any = None,  # noqa: ANN401 - what the module says
    *,
    status_code: int = 1000,
    status_message: str | None = None,
    http_status: int = 200,
    headers: Headers = (),
) -> Answer:
    """An answer in OCPI's form; `data` is left out when it is None."""
    content: Json = {} if data is None else {"data": data}
    content["status_code"] = status_code
    if status_message is not None:
        content["status_message"] = status_message
    content["timestamp"] = now()
    lines = header_lines(headers)
    if first(lines, "content-type") is None:
        lines = (("content-type", "application/json"), *lines)
    return Answer(http_status, lines, msgspec.json.encode(content))


def header_lines(headers: Headers) -> HeaderLines:
    """These headers as lines with lower-case names."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((name.lower(), value) for name, value in pairs)


def first(headers: HeaderLines, name: str) -> str | None:
    """First value of this header."""
    return next((value for key, value in headers if key == name.lower()), None)


def party_in(headers: HeaderLines, side: str) -> Party | None:
    """The party of OCPI-to (`to`) or OCPI-from (`from`), in the spelling received."""
    country_code, party_id = first(headers, f"ocpi-{side}-country-code"), first(headers, f"ocpi-{side}-party-id")
    return None if country_code is None or party_id is None else Party(country_code, party_id)


def routing_headers(receiver: Party | None, sender: Party | None) -> HeaderLines:
    """OCPI-to and OCPI-from, each only where there is a party. OCPI 2.2.1, "Message Routing"."""
    named = (("to", receiver), ("from", sender))
    return tuple(
        line
        for side, party in named
        if party is not None
        for line in (
            (f"ocpi-{side}-country-code", party.country_code),
            (f"ocpi-{side}-party-id", party.party_id),
        )
    )


def now() -> str:
    """This moment as OCPI writes it."""
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    """An aware moment as OCPI writes it, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: str) -> datetime:
    """The moment an OCPI timestamp means; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
