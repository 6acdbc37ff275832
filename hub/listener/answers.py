"""What the listeners say to a request that never reaches an app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple, TypeAlias

import msgspec

from routing.envelope import envelope
from routing.message import first_values, read_id

_ECHOED = ((b"x-request-id", b"X-Request-ID"), (b"x-correlation-id", b"X-Correlation-ID"))
_RETRY_AFTER_S = 5


class Refusal(Exception):
    """A request that is answered right here. `str(refusal)` is for the one who sent it."""

    def __init__(self, http_status: int, message: str) -> None:
        super().__init__(message)
        self.http_status = http_status


class Rendered(NamedTuple):
    """An answer, but for the headers that belong to the connection."""

    http_status: int
    content_type: bytes
    body: bytes


Renderer: TypeAlias = Callable[[Refusal], Rendered]


def ocpi_answer(refusal: Refusal) -> Rendered:
    """What a partner gets: an envelope. OCPI 2.2.1, "Transport and format" and "Status codes".

    A bug (500) is answered with HTTP 200, since the request did reach the OCPI layer.
    """
    ocpi_status = 3000 if refusal.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR else 2001
    http_status = 200 if refusal.http_status == HTTPStatus.INTERNAL_SERVER_ERROR else refusal.http_status
    body = envelope(ocpi_status, datetime.now(UTC), message=str(refusal))
    return Rendered(http_status, b"application/json", body)


def problem_answer(refusal: Refusal) -> Rendered:
    """What an operator gets: a problem document. RFC 9457."""
    status = HTTPStatus(refusal.http_status)
    problem = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": str(refusal)}
    return Rendered(status, b"application/problem+json", msgspec.json.encode(problem))


def answer_bytes(
    rendered: Rendered,
    request_headers: Sequence[tuple[bytes, bytes]],
    default_headers: Sequence[tuple[bytes, bytes]],
    *,
    with_body: bool,
) -> bytes:
    """A complete HTTP/1.1 answer after which the connection is closed.

    Of the request's headers the message ids are echoed, if they are ones. OCPI 2.2.1, "Unique message IDs".
    """
    status = HTTPStatus(rendered.http_status)
    lines = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode())]
    lines += [name.title() + b": " + value for name, value in default_headers]
    lines += [b"Content-Type: " + rendered.content_type, b"Content-Length: %d" % len(rendered.body)]
    lines += [shown + b": " + value for shown, value in _echoed_ids(request_headers)]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        lines.append(b"Retry-After: %d" % _RETRY_AFTER_S)
    lines += [b"Connection: close", b"", rendered.body if with_body else b""]
    return b"\r\n".join(lines)


def _echoed_ids(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    sent = first_values(list(headers))
    ids = [(shown, read_id(sent.get(name))) for name, shown in _ECHOED]
    return [(shown, value.encode()) for shown, value in ids if value is not None]
