"""All functional modules of all versions: one ASGI mount, because every message takes the same way.

A mount cannot have path parameters, so it stands on the fixed prefixes (`/ocpi/2.2.1/sender`, …) and
reads the rest of the path itself, from the bytes that came: ids with an encoded slash must survive.
"""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from litestar.handlers import ASGIRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send

from hub.arrival import Arrival
from hub.exchange import exchange
from hub.hub import Hub
from hub.trace import answer_headers, record
from routing.errors import TooLarge, UnreadableBody
from routing.paths import ENTRANCES, Entrance


def functional_mounts(hub: Hub) -> list[ASGIRouteHandler]:
    """One mount for each group of functional endpoints."""
    prefix = urlsplit(hub.settings.public_url).path.rstrip("/")
    return [_mount(hub, entrance, prefix + entrance.path) for entrance in ENTRANCES]


def _mount(hub: Hub, entrance: Entrance, path: str) -> ASGIRouteHandler:
    start = len(path)

    async def carry(scope: Scope, receive: Receive, send: Send) -> None:
        scope = cast("HTTPScope", scope)  # the listener speaks nothing else
        arrival = Arrival(
            entrance=entrance,
            method=scope["method"],
            path=scope["raw_path"][start:].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=list(scope["headers"]),
            source=scope["client"][0] if scope["client"] else "",
            read_body=_Body(receive).read,
        )
        answer, trace = await exchange(arrival, hub)
        headers = answer_headers(answer, trace)
        await send({"type": "http.response.start", "status": answer.http_status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})
        record(answer, trace, hub)

    return ASGIRouteHandler(path, is_mount=True, copy_scope=False)(carry)


class _Body:
    """The body of one request, as it arrives."""

    __slots__ = ("_receive",)

    def __init__(self, receive: Receive) -> None:
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
