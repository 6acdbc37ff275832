"""All functional modules of all versions: one ASGI mount, because every message takes the same way.

It reads the path from the bytes that came: ids with an encoded slash must survive, which the framework would decode.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Final, cast
from urllib.parse import unquote, urlsplit

from litestar import Litestar
from litestar.handlers import ASGIRouteHandler
from litestar.types import ExceptionHandlersMap, HTTPScope, Receive, Scope, Send

from hub.arrival import Arrival, too_long
from hub.exchange import exchange
from hub.hub import Hub
from hub.listener.cycle import at_once
from hub.recording import record
from hub.trace import answer_headers
from routing.errors import UnreadableBody
from routing.message import RawHeaders, first_values
from routing.outcome import with_data
from routing.paths import ENTRANCES

_ROOT: Final = "/ocpi"


class _Mount(ASGIRouteHandler):
    """A mount that finds out once, and not again for every message, who answers for its errors."""

    def resolve_exception_handlers(self) -> ExceptionHandlersMap:
        """Those of all layers of the app."""
        return self._exception_handlers

    @cached_property
    def _exception_handlers(self) -> ExceptionHandlersMap:
        return super().resolve_exception_handlers()


def functional_modules(hub: Hub, rest: Litestar) -> ASGIRouteHandler:
    """What arrives below one of the entrances (`/ocpi/2.2.1/sender`, …).

    The mount is the root of them all. The framework hands over whatever begins with these letters and is none of its
    other routes, so where an entrance ends is looked at here. What is below none is for `rest`.
    """
    prefix = urlsplit(hub.settings.public_url).path.rstrip("/")
    entrances = {f"{prefix}{entrance.path}".encode("ascii"): entrance for entrance in ENTRANCES}
    version_at = len(f"{prefix}{_ROOT}/")

    @_Mount(prefix + _ROOT, is_mount=True, copy_scope=False)
    async def carry(scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one message, or hand over what is none."""
        http = cast("HTTPScope", scope)
        path = http["raw_path"]
        end = path.find(b"/", path.find(b"/", version_at) + 1)
        end = len(path) if end < 0 else end
        entrance = entrances.get(path[:end])
        if entrance is None:
            scope["path"] = unquote(path)  # from which the framework has taken the root away
            await rest(scope, receive, send)
            return
        headers, direct = cast("RawHeaders", http["headers"]), at_once(scope)
        arrival = Arrival(
            entrance=entrance,
            method=http["method"],
            path=path[end:].decode("latin-1"),
            query=http["query_string"].decode("latin-1"),
            headers=headers,
            sent=first_values(headers),
            source=http["client"][0] if http["client"] else "",
            body=None if direct is None else direct.take_body(),
            read_body=partial(_read_body, receive),
        )
        answer, trace = await exchange(arrival, hub)
        if trace.source is not None and (data := trace.source.quirks.empty_data) is not None:
            answer = with_data(answer, trace.operation, data)
        said = answer_headers(answer, trace)
        if direct is not None:
            await direct.answer(answer.http_status, said, answer.body)
        else:
            said.append((b"content-length", b"%d" % len(answer.body)))
            await send({"type": "http.response.start", "status": answer.http_status, "headers": said})
            await send({"type": "http.response.body", "body": answer.body, "more_body": False})
        record(answer, trace, hub)

    return carry


async def _read_body(receive: Receive, limit: int) -> bytes:
    """All of the body of one request.

    Raises:
        TooLarge: it has more than `limit` bytes.
        UnreadableBody: the sender hung up before its end.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise UnreadableBody("The connection ended before the body did")
        if event["type"] != "http.request":
            continue
        chunk = event["body"]
        size += len(chunk)
        if size > limit:
            raise too_long(limit)
        if not event["more_body"]:
            return b"".join([*chunks, chunk]) if chunks else chunk  # most come in one piece
        chunks.append(chunk)
