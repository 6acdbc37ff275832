"""Calls of the operator API from inside its own process, without a connection: for the audit log, and for the console.

They take the same way through guards and hooks as everybody's, so that nothing can be done here that a program could
not do.
"""

from __future__ import annotations

from collections.abc import Mapping
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

    scope: dict[str, Any] = {name: connection.scope[name] for name in _OF_A_REQUEST if name in connection.scope} | {
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [*(headers or {}).items(), (b"content-length", str(len(body)).encode())],
    }
    if me is not None:
        scope[_CALLER] = me
    await connection.app(cast("Scope", scope), receive, send)
    status = next((each["status"] for each in messages if each["type"] == "http.response.start"), 500)
    return Answered(status, b"".join(each["body"] for each in messages if each["type"] == "http.response.body"))
