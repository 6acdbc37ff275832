"""Which URLs of partners are acceptable, and how they are joined. Pure.

The rules make sure that all software between here and the partner reads a URL alike: no user info, no
backslash, no number that only some parsers take for an address. Where a name leads is checked when it is
dialled, see `hub.partners.addresses`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from hub.partners.addresses import is_literal, refusal
from routing.errors import InvalidParameters

PUBLIC_PORTS = frozenset({443, 8443})
"""Ports of public partners. A private one may have any."""

ENDPOINT_LENGTH = 255
"""Most characters of a URL. OCPI 2.2.1, "URL type"."""

LINK_LENGTH = 2048
"""Most characters of a URL in a Link or Location header, which carries a partner's own cursor."""

_DEFAULT_PORTS = {"https": 443, "http": 80}
_FORBIDDEN = re.compile(r'[^!-~]|[<>"\\#]')
_PARTS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?]*)")
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Server(NamedTuple):
    """What the first part of a URL says: whom to connect to, and how."""

    tls: bool
    host: str
    """In lower case; IPv6 without brackets."""
    port: int

    host_line: bytes
    """The Host header; with the port only when it is not the scheme's own."""


def check_partner_url(
    url: str, *, allow_private: bool, max_length: int = ENDPOINT_LENGTH, own_origins: Iterable[str] = ()
) -> str:
    """The URL itself, when the hub may call it.

    `own_origins` are URLs of the hub: nothing on their host and port is a partner.

    Raises:
        InvalidParameters: it may not be called. The text does not repeat the URL, which may hold a secret.
    """
    if len(url) > max_length:
        raise InvalidParameters(f"The URL has {len(url)} characters, {max_length} are allowed")
    if _FORBIDDEN.search(url):
        raise InvalidParameters("The URL has a character that URLs cannot have; names with others are written xn--")
    parts = _PARTS.match(url)
    if parts is None:
        raise InvalidParameters("The URL is not absolute, such as https://example.com/ocpi/versions")
    server = read_server(parts[0], allow_private)
    if any(_place(server) == _place(read_server(origin_of(own), True)) for own in own_origins):
        raise InvalidParameters("The URL leads to the hub itself")
    return url


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, as they are written in it; the whole text when it is no URL."""
    parts = _PARTS.match(url)
    return parts[0] if parts else url


@lru_cache(maxsize=4096)
def read_server(origin: str, allow_private: bool) -> Server:
    """The server of an origin, which is a URL up to its path.

    Raises:
        InvalidParameters: scheme, host or port are not acceptable.
    """
    scheme, _, authority = origin.lower().partition("://")
    if scheme not in _DEFAULT_PORTS or (scheme == "http" and not allow_private):
        raise InvalidParameters("The URL must begin with https://")
    if "@" in authority:
        raise InvalidParameters("The URL has user information in front of its host")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise InvalidParameters("The URL has no readable host and port")
    host = _host(parts["host"], allow_private=allow_private)
    port = _port(parts["port"] or str(_DEFAULT_PORTS[scheme]), allow_private=allow_private)
    name = f"[{host}]" if ":" in host else host
    authority = name if port == _DEFAULT_PORTS[scheme] else f"{name}:{port}"
    return Server(scheme == "https", host, port, f"Host: {authority}".encode())


def _port(text: str, *, allow_private: bool) -> int:
    port = int(text)
    if not 0 < port < 65536 or not (allow_private or port in PUBLIC_PORTS):
        raise InvalidParameters(f"The URL has port {port}; allowed are {', '.join(map(str, sorted(PUBLIC_PORTS)))}")
    return port


def _host(text: str, *, allow_private: bool) -> str:
    host = text.strip("[]")
    if is_literal(host) and (":" in host) == ("[" in text):
        reason = refusal(host, allow_private=allow_private)
        if reason is not None:
            raise InvalidParameters(f"The address in the URL {reason}")
        return host
    labels = host.split(".")
    if "[" in text or len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise InvalidParameters("The URL has no readable host")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are names here and 127.0.0.1 to the C library.
        raise InvalidParameters("The address in the URL is not written as four decimal numbers")
    if not allow_private and (len(labels) == 1 or labels[-1] == "localhost"):
        raise InvalidParameters("The host in the URL is not a public name")
    return host


def _place(server: Server) -> tuple[str, int]:
    return server.host, server.port
