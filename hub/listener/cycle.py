"""uvicorn's request, flow control and transport, each with the one thing that differs here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from hub.listener.answers import Refusal, Renderer


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
    """The transport as an answer sees it: its `close` is the connection's, which knows how to end well."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close
