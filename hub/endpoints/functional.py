"""All functional modules of all versions: one ASGI app, because every message takes the same way.

It stands before the framework, which has nothing to add for a message and would look at each several times. It reads
the path from the bytes that came: ids with an encoded slash must survive.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast
from urllib.parse import urlsplit

from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from hub.arrival import Arrival
from hub.exchange import exchange
from hub.hub import Hub
from hub.listener.lifespan import App
from hub.trace import answer_headers, record
from routing.errors import TooLarge, UnreadableBody
from routing.message import RawHeaders
from routing.paths import ENTRANCES, Entrance


class FunctionalApp:
    """Answers what arrives below one of the entrances (`/ocpi/2.2.1/sender`, …), and leaves the rest to another app."""

    def __init__(self, hub: Hub, rest: App) -> None:
        self._hub = hub
        self._rest = rest
        prefix = urlsplit(hub.settings.public_url).path.rstrip("/")
        self._entrances = {f"{prefix}{entrance.path}".encode("ascii"): entrance for entrance in ENTRANCES}
        self._version_at = len(f"{prefix}/ocpi/")

    def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> Awaitable[None]:
        """One request, or the app's own start and end."""
        if scope["type"] == "http":
            path = scope["raw_path"]
            end = path.find(b"/", path.find(b"/", self._version_at) + 1)
            end = len(path) if end < 0 else end
            entrance = self._entrances.get(path[:end])
            if entrance is not None:
                return self._carry(entrance, path[end:], scope, receive, send)
        return self._rest(scope, receive, send)

    async def _carry(
        self, entrance: Entrance, path: bytes, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        arrival = Arrival(
            entrance=entrance,
            method=scope["method"],
            path=path.decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=cast("RawHeaders", scope["headers"]),
            source=scope["client"][0] if scope["client"] else "",
            read_body=_Body(receive).read,
        )
        answer, trace = await exchange(arrival, self._hub)
        headers = answer_headers(answer, trace)
        await send({"type": "http.response.start", "status": answer.http_status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})
        record(answer, trace, self._hub)


class _Body:
    """The body of one request, as it arrives."""

    __slots__ = ("_receive",)

    def __init__(self, receive: ASGIReceiveCallable) -> None:
        self._receive = receive

    async def read(self, limit: int) -> bytes:
        """All of it.

        Raises:
            TooLarge: it has more than `limit` bytes.
            UnreadableBody: the sender hung up before its end.
        """
        chunks: list[bytes] = []
        size = 0
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise UnreadableBody("The connection ended before the body did")
            if event["type"] != "http.request":
                continue
            chunk = event["body"]
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"The body has more than {limit} bytes")
            chunks.append(chunk)
            if not event["more_body"]:
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)
