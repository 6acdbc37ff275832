"""Messages that are sent when they are due, however long the ones before take: an open loop.

How long one takes counts from the moment it was due. A sender that waited for an answer first would not notice that
everything behind a slow one waits too.
"""

from __future__ import annotations

import asyncio
import re
import selectors
from collections.abc import Callable, Iterable
from random import Random
from typing import Final, NamedTuple, cast
from urllib.parse import urlsplit

import httptools

from loadtests.scenarios import Scenario

_STATUS: Final = re.compile(rb'"status_code":\s*(\d+)')
_READ_OF_A_BODY: Final = 1024
"""At its beginning and at its end, where an OCPI status may stand."""
_CONNECT_WITHIN_S: Final = 5.0


class Due(NamedTuple):
    """One message, and when it is to be sent."""

    at_s: float
    """From the beginning."""
    request: bytes
    kind: str = ""
    """Only handed on."""


class Took(NamedTuple):
    """What became of one message."""

    kind: str
    at_s: float
    """When it was due."""
    late_s: float
    """How long after that it was sent."""
    seconds: float
    """From when it was due to the end of the answer."""
    http_status: int
    """0 when there was no answer."""
    ocpi_status: int
    """0 when there was none."""


def precise_loop() -> asyncio.AbstractEventLoop:
    """An event loop that wakes up in time: those on epoll know whole milliseconds only."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def poisson(rate: float, seconds: float, dice: Random) -> list[float]:
    """When messages are due that come independently of each other, so many a second on average."""
    found: list[float] = []
    at = dice.expovariate(rate)
    while at < seconds:
        found.append(at)
        at += dice.expovariate(rate)
    return found


def request_of(scenario: Scenario, host: str) -> bytes:
    """The message as it goes over the wire."""
    lines = [f"{scenario.method} {scenario.path} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in scenario.headers]
    if scenario.body or scenario.method != "GET":
        lines.append(f"content-length: {len(scenario.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + scenario.body


class Sender:
    """Sends to one address, on connections that are kept; on as many as it takes, up to `most`."""

    def __init__(self, url: str, note: Callable[[Took], None], *, most: int = 512) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self.unsent = 0
        """Messages that were due while all connections were busy: what is measured cannot keep up."""
        self._address = (parts.hostname or "", parts.port or 80)
        self._note = note
        self._most = most
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """Messages that are not answered yet."""
        return len(self._open) - len(self._idle) + len(self._tasks)

    @property
    def connections(self) -> int:
        """Those that are open."""
        return len(self._open)

    async def warm(self, connections: int) -> None:
        """Open so many connections."""
        self._idle += await asyncio.gather(*(self._connect() for _ in range(connections)))

    async def send_all(self, due: Iterable[Due]) -> None:
        """Send each when it is due; returns when the last one was sent."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for message in due:
            pause_s = began + message.at_s - loop.time()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            self.send(message, began)

    def send(self, message: Due, began: float) -> None:
        """Send it now. Its time counts from when it was due."""
        if self._idle:
            self._idle.pop().send(message, began)
        elif len(self._open) + len(self._tasks) < self._most:
            task = asyncio.create_task(self._send_on_new(message, began))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self.unsent += 1

    async def settled(self, within_s: float = 30.0) -> None:
        """Wait until everything is answered, or for so long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while self.under_way and loop.time() < deadline:  # noqa: ASYNC110 - once, at the end, not for each message
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Close all connections."""
        for connection in list(self._open):
            connection.close()
        await asyncio.sleep(0)  # lets each notice

    async def _send_on_new(self, message: Due, began: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                connection = await self._connect()
        except (OSError, TimeoutError):
            waited_s = loop.time() - began - message.at_s
            self._note(Took(message.kind, message.at_s, waited_s, waited_s, 0, 0))
            return
        connection.send(message, began)

    async def _connect(self) -> _Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: _Connection(self._note, self._idle, self._open), *self._address
        )
        return connection


class _Connection(asyncio.Protocol):
    """One connection, with at most one message under way."""

    def __init__(self, note: Callable[[Took], None], idle: list[_Connection], all_open: set[_Connection]) -> None:
        self._note = note
        self._idle = idle
        self._all_open = all_open
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._message: Due | None = None
        self._began = self._sent = 0.0

    def send(self, message: Due, began: float) -> None:
        self._message, self._began, self._sent = message, began, self._loop.time()
        self._transport.write(message.request)

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._all_open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._all_open.discard(self)
        if self in self._idle:
            self._idle.remove(self)
        self._ended(0, 0)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    # --- called by the parser

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self._body)
        self._body.clear()
        status = _STATUS.search(body, 0, _READ_OF_A_BODY) or _STATUS.search(body, max(0, len(body) - _READ_OF_A_BODY))
        self._ended(self._parser.get_status_code(), int(status[1]) if status else 0)
        if self._parser.should_keep_alive():
            self._parser = httptools.HttpResponseParser(self)
            self._idle.append(self)
        else:
            self._transport.close()

    def _ended(self, http_status: int, ocpi_status: int) -> None:
        message, self._message = self._message, None
        if message is not None:
            due = self._began + message.at_s
            seconds = self._loop.time() - due
            self._note(Took(message.kind, message.at_s, self._sent - due, seconds, http_status, ocpi_status))
