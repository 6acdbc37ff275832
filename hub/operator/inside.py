"""Calls of the operator API from inside its own process, without a connection: for the audit log, and for the console.

They take the same way through guards and hooks as everybody's, so that nothing can be done here that a program could
not do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from litestar.connection import ASGIConnection
from litestar.types import Message, Scope
from msgspec import Struct

from hub.operator.roles import Me

_CALLER: Final = "hub.operator.caller"
"""Where the scope of a call from inside says who is asking. No server puts anything there."""
_OF_A_REQUEST: Final = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path", "extensions")

Connection = ASGIConnection[Any, Any, Any, Any]
Headers = Mapping[bytes, bytes]


class Answered(Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes
    etag: str | None
    """Of the object, where it has one."""


def caller(connection: Connection) -> Me | None:
    """Who is asking from inside; None for a request that came over a connection."""
    me: Me | None = cast("dict[str, Any]", connection.scope).get(_CALLER)
    return me


async def ask(
    connection: Connection,
    method: str,
    path: str,
    *,
    query: bytes = b"",
    headers: Headers | None = None,
    body: bytes = b"",
    me: Me | None = None,
) -> Answered:
    """Call the app that serves this connection, as from the same address. `me` is who asks, in place of a token."""
    messages: list[Message] = []

    async def receive() -> Any:  # noqa: ANN401 - ASGI
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    lines = {**(headers or {}), b"content-length": str(len(body)).encode()}
    await connection.app(_scope(connection, method, path, query, lines, me), receive, send)
    status, etag = 500, None
    for each in messages:
        if each["type"] == "http.response.start":
            status = each["status"]
            etag = next((value.decode() for name, value in each["headers"] if name.lower() == b"etag"), None)
    return Answered(status, b"".join(each["body"] for each in messages if each["type"] == "http.response.body"), etag)


@asynccontextmanager
async def streamed(
    connection: Connection, path: str, *, query: bytes, headers: Headers, me: Me
) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
    """GET what does not end by itself: its status, and its body as it comes. It ends with the block."""
    messages: asyncio.Queue[Message | None] = asyncio.Queue(1)
    gone = asyncio.Event()
    asked = iter(({"type": "http.request", "body": b"", "more_body": False},))

    async def receive() -> Any:  # noqa: ANN401 - ASGI
        for request in asked:
            return request
        await gone.wait()
        return {"type": "http.disconnect"}

    async def answer() -> None:
        await connection.app(_scope(connection, "GET", path, query, headers, me), receive, messages.put)
        await messages.put(None)

    answering = asyncio.create_task(answer(), name=f"streaming {path}")
    try:
        start = await messages.get()
        yield (500 if start is None else start["status"]), _bodies(messages)  # type: ignore[typeddict-item]  # the first one has it
    finally:
        gone.set()
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


async def _bodies(messages: asyncio.Queue[Message | None]) -> AsyncIterator[bytes]:
    while (message := await messages.get()) is not None:
        if message["type"] == "http.response.body":
            yield message["body"]


def _scope(connection: Connection, method: str, path: str, query: bytes, headers: Headers, me: Me | None) -> Scope:
    scope: dict[str, Any] = {name: connection.scope[name] for name in _OF_A_REQUEST if name in connection.scope} | {
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [*headers.items()],
    }
    if me is not None:
        scope[_CALLER] = me
    return cast("Scope", scope)
