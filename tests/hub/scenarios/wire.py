"""Requests written byte by byte, for what an HTTP client would put right before it sends it."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from http.client import HTTPResponse
from urllib.parse import urlsplit

from loadtests.simulator import Answer, Partner
from loadtests.simulator.messages import HeaderLines, header_lines
from routing.vocabulary import Party


def routed(to: Party | None, sender: Party | None) -> HeaderLines:
    """Routing headers in the spelling of the specification's examples."""
    return tuple(
        line
        for side, party in (("to", to), ("from", sender))
        if party is not None
        for line in ((f"OCPI-{side}-country-code", party.country_code), (f"OCPI-{side}-party-id", party.party_id))
    )


def say(
    partner: Partner,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
    *,
    anonymous: bool = False,
    source: str = "127.0.0.1",
) -> Answer:
    """One request of a registered partner with exactly this target and these headers.

    Host, Authorization and Content-Length come on top; `source` is the loopback address it comes from.
    """
    place = urlsplit(url)
    target = url[len(f"{place.scheme}://{place.netloc}") :]
    lines = [f"{method} {target} HTTP/1.1", f"Host: {place.netloc}"]
    if not anonymous:
        lines.append(f"Authorization: {partner.authorization}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return send_bytes(url, head + (body or b""), method=method, source=source)


def send_bytes(url: str, data: bytes, *, method: str = "GET", source: str = "127.0.0.1") -> Answer:
    """The answer to these bytes, sent to the server of this URL."""
    place = urlsplit(url)
    address = (place.hostname or "", place.port or 80)
    with socket.create_connection(address, timeout=20, source_address=(source, 0)) as connection:
        connection.sendall(data)
        response = HTTPResponse(connection, method=method)
        response.begin()
        return Answer(response.status, header_lines(response.getheaders()), response.read())
