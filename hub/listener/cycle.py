"""uvicorn's request, flow control and transport, each with the one thing that differs here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from hub.listener.answers import Refusal, Renderer

_INTERIM: Final = b"HTTP/1.1 100 "
_WORTH_JOINING: Final = 64 * 1024


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    render: Renderer

    async def send_500_response(self) -> None:
        """Answer for an app that failed without having said anything, in the words of this listener."""
        rendered = self.render(Refusal(500, "The hub failed to handle this request"))
        headers = [(b"content-type", rendered.content_type), (b"content-length", b"%d" % len(rendered.body))]
        await self.send({"type": "http.response.start", "status": rendered.http_status, "headers": headers})
        await self.send({"type": "http.response.body", "body": rendered.body, "more_body": False})


class Flow(FlowControl):
    """Flow control that stays paused while requests wait for the one before them, whatever that one reads."""

    held = False

    def resume_reading(self) -> None:
        """Read on, unless requests wait."""
        if not self.held:
            super().resume_reading()


class Outlet:
    """The transport as an answer sees it. Its `close` is the connection's, which knows how to end well.

    uvicorn writes the head of an answer when the app starts it. Here it goes out together with what follows, as ASGI
    allows: a system call costs more than anything else an answer needs.
    """

    __slots__ = ("_close", "_head", "_write", "is_closing", "starting")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._write = transport.write
        self._close = close
        self._head = b""
        self.starting = False
        """Set when a request goes to the app: the head of its answer is next."""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write this, a head soon and everything else now."""
        if self.starting and not data.startswith(_INTERIM):
            self.starting = False
            self._head = data
        elif self._head and len(data) <= _WORTH_JOINING:
            head, self._head = self._head, b""
            self._write(head + data)
        else:
            self.flush()
            self._write(data)

    def flush(self) -> None:
        """Write the head that waits, if one does."""
        if self._head:
            head, self._head = self._head, b""
            self._write(head)

    def close(self) -> None:
        """End the connection after what was written."""
        self.flush()
        self._close()
