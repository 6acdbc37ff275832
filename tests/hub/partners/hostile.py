"""A partner's server that behaves as badly as a test wants, byte by byte."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple, Self, TypeAlias

PATIENCE_S = 30.0
"""How long tests wait for what must happen; generous, as the machine may be busy."""


class Received(NamedTuple):
    """One request, as it came."""

    connection: int
    head: str
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split("\r\n", 1)[0]


class Visit:
    """One connection at the partner, from its side."""

    def __init__(self, partner: HostilePartner, number: int, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self._partner = partner
        self._writer = writer

    async def request(self) -> Received:
        """The next request; ends the visit when there is none."""
        reader = self._partner.readers[self.number]
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"(?im)^content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        received = Received(self.number, head, body)
        await self._partner.record(received)
        return received

    async def send(self, *pieces: bytes) -> None:
        """Send each piece on its own."""
        for piece in pieces:
            self._writer.write(piece)
            self._partner.sent_bytes += len(piece)
            await self._writer.drain()

    async def head(self) -> None:
        """The head of the next request; what follows it stays unread."""
        await self._partner.readers[self.number].readuntil(b"\r\n\r\n")

    def say_no_more(self) -> None:
        """Close this side's half of the connection."""
        self._writer.write_eof()

    async def for_ever(self) -> None:
        """Stay, and say nothing."""
        await asyncio.Event().wait()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Behaviour: TypeAlias = Callable[[Visit], Awaitable[None]]


class HostilePartner:
    """A server on a free port of this machine: `async with HostilePartner(behaviour) as partner`.

    `behaviour` is run once for each connection, which closes when it returns.
    """

    def __init__(self, behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.received: list[Received] = []
        self.connections = 0
        self.open = 0
        self.sent_bytes = 0
        self.readers: dict[int, asyncio.StreamReader] = {}
        self._tls = tls
        self._changed = asyncio.Condition()
        self._visits: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._visited, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for visit in self._visits:
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)
        await asyncio.sleep(0)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http{'s' if self._tls else ''}://{host}:{self.port}{path}"

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something about the partner holds."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(condition)

    async def record(self, received: Received) -> None:
        self.received.append(received)
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.readers[self.connections] = reader
        visit = asyncio.create_task(self._visit(Visit(self, self.connections, writer), writer))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)

    async def _visit(self, visit: Visit, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):  # the hub has hung up
                await self.behaviour(visit)
            writer.close()
        finally:
            if not writer.is_closing():
                writer.transport.abort()
            self.open -= 1
            await self._tell()


def answer(body: bytes = b"{}", *headers: str, status: str = "200 OK") -> bytes:
    """A complete answer with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def answering(*answers: bytes) -> Behaviour:
    """Answer requests in order with these bytes, the last ones again and again, on connections that stay open."""
    order = itertools.chain(answers, itertools.repeat(answers[-1]))

    async def behave(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.send(next(order))

    return behave


def then_closing(*pieces: bytes) -> Behaviour:
    """Answer one request with these bytes and close."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.send(*pieces)

    return behave


async def silent(visit: Visit) -> None:
    """Take requests and never answer."""
    while True:
        await visit.request()


async def closing(_: Visit) -> None:
    """Close every connection at once."""


def flooding(start: bytes, piece: bytes) -> Behaviour:
    """Answer with `start` and then with `piece` for ever."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.send(start)
        while True:
            await visit.send(piece)

    return behave
