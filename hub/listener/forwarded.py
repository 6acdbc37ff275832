"""Whose request it is, when a proxy on this machine hands it on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from uvicorn.middleware.proxy_headers import _TrustedHosts

FORWARDED_FOR: Final = b"x-forwarded-for"
_PROXIES: Final = _TrustedHosts(["127.0.0.1", "::1"])


def is_proxy(client: tuple[str, int] | None) -> bool:
    """Whether this peer is believed when it says for whom it speaks."""
    return client is not None and client[0] in _PROXIES


def forwarded_client(headers: Sequence[tuple[bytes, bytes]]) -> tuple[str, int] | None:
    """The client that these headers of a proxy name, if they do: the last one that is no proxy itself."""
    values = [value for name, value in headers if name == FORWARDED_FOR]
    if not values:
        return None
    host, port = _PROXIES.get_trusted_client_address(b", ".join(values).decode("latin-1"))
    return (host, port) if host else None
