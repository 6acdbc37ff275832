"""uvicorn's request, flow control and transport, each with what differs here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from hub.listener.answers import Refusal, Renderer
from hub.outbox import Outbox

_CONTROLS: Final = bytes(set(range(0x20)) - set(b"\t")) + b"\x7f"
"""What no header may hold: line breaks above all, which would begin another one."""
_BODILESS: Final = frozenset({204, 304})
_WORTH_WAITING: Final = 64 * 1024
"""Bytes of an answer. More of them are not collected, so that an app that streams feels how fast its client reads."""


AT_ONCE: Final = "hub.at_once"
"""The name of an extension of ASGI, in the scope: `{"exchange": AtOnce}`."""


class AtOnce(Protocol):
    """Takes a request, and its answer, without events: each that goes through a framework costs as much as all this."""

    def take_body(self) -> bytes | None:
        """All of the body, if all of it is here; None where it has to be received."""

    async def answer(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Give the whole answer. `headers` have names in lower case, and are complete but for Content-Length."""


def at_once(scope: Mapping[str, Any]) -> AtOnce | None:
    """How to do without events; None where the server cannot."""
    extension = (scope.get("extensions") or {}).get(AT_ONCE)
    return None if extension is None else extension["exchange"]


class Cycle(RequestResponseCycle):
    """One request and its answer.

    uvicorn looks at each header of an answer by itself; here they are checked together.
    """

    render: Renderer
    transport: Outlet  # type: ignore[assignment] # the three methods of a transport that an answer needs

    def offer_at_once(self) -> None:
        """Let the app do without events, see `AtOnce`, until it has answered."""
        self.scope["extensions"] = {AT_ONCE: {"exchange": self}}

    def take_body(self) -> bytes | None:
        """All of the body, if all of it is here and nobody has taken it; None, too, once the client is gone."""
        if self.more_body or not self.message_event.is_set() or self.disconnected or self.response_complete:
            return None
        self.message_event.clear()
        body, self.body = self.body, bytearray()
        return bytes(body)

    async def receive(self) -> ASGIReceiveEvent:
        """What comes next of the request: all of its body if all is there, or that the client is gone."""
        body = self.take_body()
        if body is None:
            return await super().receive()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: ASGISendEvent) -> None:
        """Take an event of the app: the start of its answer, then the body in one or more parts."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start" and not self.response_started:
            self._start(message["status"], [*self.default_headers, *message.get("headers", ())])
        elif message["type"] == "http.response.body" and self.response_started and not self.response_complete:
            self._go_on(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"Unexpected ASGI message {message['type']!r}")

    async def answer(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Take a whole answer; what two events say to `send`."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self.response_started:
            raise RuntimeError("The answer has begun before")
        length = (b"content-length", b"%d" % len(body))
        framing = b"" if self.keep_alive else b"connection: close\r\n"
        head = self._head(status, [*self.default_headers, length, *headers], framing)
        self.transport.write(head if self.scope["method"] == "HEAD" else head + body)
        self._complete()

    def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Find out how the body will end, and write the head."""
        self.transport.write(self._head(status, headers, self._framing(status, dict(headers))))

    def _head(self, status: int, headers: list[tuple[bytes, bytes]], framing: bytes) -> bytes:
        """What begins the answer. The names of headers are in lower case, as ASGI demands."""
        lines = b"\r\n".join(map(b": ".join, headers))
        if len(lines.translate(None, _CONTROLS)) != len(lines) - 2 * (len(headers) - 1):
            raise RuntimeError("A header of the answer has control characters")
        self.response_started = True
        self.waiting_for_100_continue = False
        return b"%b%b\r\n%b\r\n" % (STATUS_LINE[status], lines, framing)

    def _framing(self, status: int, headers: dict[bytes, bytes]) -> bytes:
        """Find out how the body ends and whether the connection does; gives the header lines that lack."""
        length = headers.get(b"content-length")
        self.expected_content_length = 0 if length is None else int(length)
        self.chunked_encoding = length is None and self.scope["method"] != "HEAD" and status not in _BODILESS
        if headers.get(b"connection", b"").lower() == b"close":
            self.keep_alive = False
            return b"transfer-encoding: chunked\r\n" if self.chunked_encoding else b""
        lacking = b"" if self.keep_alive else b"connection: close\r\n"
        return lacking + b"transfer-encoding: chunked\r\n" if self.chunked_encoding else lacking

    def _go_on(self, body: bytes, *, is_last: bool) -> None:
        if self.chunked_encoding:
            self.transport.write(_chunk(body) + (b"0\r\n\r\n" if is_last else b""))
        elif self.scope["method"] != "HEAD":
            lacking = self.expected_content_length = self.expected_content_length - len(body)
            if lacking < 0 or (is_last and lacking):
                raise RuntimeError("The answer's body has not the announced length")
            if body:
                self.transport.write(body)
        if is_last:
            self._complete()

    def _complete(self) -> None:
        self.response_complete = True
        self.scope["extensions"] = {}  # no ring of references is left behind
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    async def send_500_response(self) -> None:
        """Answer for an app that failed without having said anything, in the words of this listener."""
        rendered = self.render(Refusal(500, "The hub failed to handle this request"))
        headers = [(b"content-type", rendered.content_type), (b"content-length", b"%d" % len(rendered.body))]
        await self.send({"type": "http.response.start", "status": rendered.http_status, "headers": headers})
        await self.send({"type": "http.response.body", "body": rendered.body, "more_body": False})


def _chunk(data: bytes) -> bytes:
    """One chunk; nothing would be the last."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


class Flow(FlowControl):
    """Flow control that stays paused while requests wait for the one before them, whatever that one reads."""

    held = False

    def resume_reading(self) -> None:
        """Read on, unless requests wait."""
        if not self.held:
            super().resume_reading()


class Outlet:
    """The transport as an answer sees it. Its `close` is the connection's, which knows how to end well.

    What is written goes out at the end of the turn, the head of an answer together with what follows.
    """

    __slots__ = ("_close", "_data", "_outbox", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None], outbox: Outbox) -> None:
        self._transport = transport
        self._close = close
        self._outbox = outbox
        self._data = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write this soon, or now if it is much."""
        if self._data:
            self._data += data
        else:
            self._data = data
            self._outbox.add(self.flush)
        if len(self._data) > _WORTH_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        data, self._data = self._data, b""
        if data and not self.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End the connection after what was written."""
        self.flush()
        self._close()
