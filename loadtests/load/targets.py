"""Whom a load test may be pointed at: this machine, private networks, and what its operator says is theirs."""

from __future__ import annotations

import socket
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit


class TargetRefused(Exception):
    """Not there; the message is one line that says what would allow it."""


def check_target(url: str, owned: Collection[str]) -> None:
    """Let only those addresses through that are nobody else's.

    Raises:
        TargetRefused: the host of this URL is neither loopback nor private, nor among `owned`.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if not host or urlsplit(url).scheme not in {"http", "https"}:
        raise TargetRefused(f"{url!r} is no http or https URL of a hub")
    if host in {each.lower().rstrip(".") for each in owned}:
        return
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)}
    except OSError as error:
        raise TargetRefused(f"{host} is no address: {error}") from error
    public = sorted(address for address in addresses if not _is_near(address))
    if public:
        raise TargetRefused(
            f"{host} ({', '.join(public)}) is neither this machine nor in a private network; "
            f"if it is yours and may be put under load, say --i-own-this-target {host}"
        )


def _is_near(address: str) -> bool:
    ip = ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return bool(mapped.is_loopback or mapped.is_private or mapped.is_link_local) and not mapped.is_unspecified
