"""Opening connections to partners: through the gate, with verified TLS, in time."""

from __future__ import annotations

import asyncio
import ssl
from functools import partial

from hub.outbox import Outbox
from hub.partners.addresses import AddressGate
from hub.partners.connection import Connection
from hub.partners.deadlines import Deadlines
from hub.partners.urls import Server
from routing.errors import ReceiverUnreachable


def strict_tls() -> ssl.SSLContext:
    """TLS as partners must speak it: 1.2 or newer, with a certificate that this machine trusts."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


class Dialer:
    """Opens connections. The address is one the gate has let pass; TLS and HTTP still name the host."""

    MOST_ADDRESSES = 4
    """Addresses of one name that are tried."""

    def __init__(self, gate: AddressGate, tls: ssl.SSLContext) -> None:
        self._gate = gate
        self._tls = tls
        self._outbox = Outbox()
        self._deadlines = Deadlines()

    async def dial(self, server: Server, *, until: float, allow_private: bool) -> Connection:
        """Resolve, connect and shake hands, all `until` a time of the event loop.

        Raises:
            ReceiverUnreachable: no address, a refused address, no connection, or no trust.
        """
        try:
            async with asyncio.timeout_at(until):
                addresses = await self._gate.addresses(server.host, server.port, allow_private=allow_private)
                return await self._first(server, addresses[: self.MOST_ADDRESSES], until)
        except ssl.SSLError as error:
            raise ReceiverUnreachable("The receiver's server has no TLS the hub can trust") from error
        except TimeoutError as error:
            raise ReceiverUnreachable("The receiver's server did not take the connection in time") from error
        except OSError as error:
            raise ReceiverUnreachable("The receiver's server does not take connections") from error

    async def _first(self, server: Server, addresses: list[str], until: float) -> Connection:
        """The first address that works; each may take its share of the time, so that a dead one leaves some."""
        for left in range(len(addresses), 1, -1):
            now = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout_at(now + (until - now) / left):
                    return await self._connect(server, addresses[-left])
            except OSError:  # also TimeoutError and SSLError; the last address tells how it failed
                continue
        return await self._connect(server, addresses[-1])

    async def _connect(self, server: Server, address: str) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            partial(Connection, self._outbox, self._deadlines),
            address,
            server.port,
            ssl=self._tls if server.tls else None,
            server_hostname=server.host if server.tls else None,
        )
        return connection
