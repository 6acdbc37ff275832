"""Whose request it is, when a proxy hands it on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from uvicorn.middleware.proxy_headers import _TrustedHosts

FORWARDED_FOR: Final = b"x-forwarded-for"


class Proxies:
    """Those who are believed when they say for whom they speak: addresses, and networks like `10.1.0.0/16`."""

    __slots__ = ("_trusted",)

    def __init__(self, hosts: Sequence[str] = ("127.0.0.1", "::1")) -> None:
        self._trusted = _TrustedHosts(list(hosts))

    def include(self, client: tuple[str, int] | None) -> bool:
        """Whether this peer is one of them."""
        return client is not None and client[0] in self._trusted

    def client_of(self, headers: Sequence[tuple[bytes, bytes]]) -> tuple[str, int] | None:
        """The client that these headers of a proxy name, if they do: the last one that is no proxy itself."""
        values = [value for name, value in headers if name == FORWARDED_FOR]
        if not values:
            return None
        host, port = self._trusted.get_trusted_client_address(b", ".join(values).decode("latin-1"))
        return (host, port) if host else None
