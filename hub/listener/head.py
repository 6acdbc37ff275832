"""What the head of a request must be, beyond what the parser refuses by itself.

The parser does not take bare line feeds, folded headers, spaces before a colon, control characters, a Content-Length
beside a Transfer-Encoding or a second one, and numbers that are none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from hub.listener.answers import Refusal
from hub.listener.forwarded import FORWARDED_FOR
from hub.listener.rules import Limits

_HOST = re.compile(rb"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_SPECIAL: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"expect", FORWARDED_FOR})
_DIGITS: Final = 18
"""No Content-Length that could be allowed has more."""


def special(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Those of the headers that mean something to the listener itself; the names are in lower case."""
    return [header for header in headers if header[0] in _SPECIAL]


def check_size(headers: Sequence[tuple[bytes, bytes]], limits: Limits) -> None:
    """See that this is not more than one may send.

    Raises:
        Refusal: it is.
    """
    size = sum(len(name) + len(value) + 4 for name, value in headers)
    if len(headers) > limits.headers or size > limits.head_bytes:
        raise head_too_long(limits)


def check_head(http_version: str, method: str, headers: Sequence[tuple[bytes, bytes]], limits: Limits) -> None:
    """See that this is a request that one may hand to an app; `headers` are at least the special ones.

    Raises:
        Refusal: it is ambiguous, another protocol, or too large.
    """
    if http_version not in {"1.1", "1.0"}:
        raise Refusal(400, "Only HTTP/1.1 is spoken here")
    if method == "CONNECT":
        raise Refusal(400, "The hub is no proxy")
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
            _check_host(value)
        elif name == b"content-length":
            _check_content_length(value, limits)
        elif name == b"transfer-encoding":
            _check_transfer_encoding(value, http_version)
    if hosts > 1 or (hosts == 0 and http_version == "1.1"):
        raise Refusal(400, "Exactly one Host header is needed")


def path_and_query(target: bytes) -> tuple[bytes, bytes]:
    """Path and query of a request target, as they came. RFC 9112, "Request Target".

    Raises:
        Refusal: it has a fragment, or no path.
    """
    if b"#" in target:
        raise Refusal(400, "A request target has no fragment")
    if not target.startswith(b"/"):
        if b"://" not in target:
            raise Refusal(400, "The request target is no path")
        target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
    path, _, query = target.partition(b"?")
    return path, query


def url_too_long(limits: Limits) -> Refusal:
    """The request target is more than one may send."""
    return Refusal(414, f"No URL may have more than {limits.url_bytes} bytes")


def head_too_long(limits: Limits) -> Refusal:
    """The headers, or the trailers, are more than one may send."""
    return Refusal(431, f"No more than {limits.headers} headers with {limits.head_bytes} bytes are allowed")


def body_too_long(limits: Limits) -> Refusal:
    """The body is more than any app takes."""
    return Refusal(413, f"No body may have more than {limits.body_bytes} bytes")


@lru_cache(maxsize=1024)  # there are but a few names for one hub
def _check_host(value: bytes) -> None:
    if not _HOST.fullmatch(value):
        raise Refusal(400, "The Host header names no host")


def _check_content_length(value: bytes, limits: Limits) -> None:
    if len(value) > _DIGITS or int(value) > limits.body_bytes:
        raise body_too_long(limits)


def _check_transfer_encoding(value: bytes, http_version: str) -> None:
    if value.lower() != b"chunked":
        raise Refusal(400, "The only Transfer-Encoding is chunked")
    if http_version == "1.0":
        raise Refusal(400, "HTTP/1.0 has no Transfer-Encoding")
