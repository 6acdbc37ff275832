"""The only way out of the hub: one HTTP exchange at a partner, bounded in time, bytes and number."""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Collection

from msgspec import Struct

from hub.partners.addresses import AddressGate, Lookup, system_lookup
from hub.partners.bulkhead import NotTried
from hub.partners.connection import Unanswered
from hub.partners.dialing import Dialer, strict_tls
from hub.partners.inflation import inflated
from hub.partners.lane import Lane
from hub.partners.urls import Server, origin_of, read_server
from routing.errors import InvalidParameters, NotRoutable
from routing.message import Call, Reply

_WITHOUT_BODY = frozenset({"GET", "DELETE"})
_BREAKS = b"\r\n\0"
"""What would end a header before its end."""
_UNWRITABLE = "The message has characters that HTTP headers cannot carry"
_OF_THE_ENCODED = frozenset({b"content-encoding", b"content-length"})


class CallLimits(Struct, frozen=True):
    """What one call may cost. Durations are seconds."""

    total_s: float
    """From the moment of asking to the last byte of the answer, waiting for a slot included."""
    connect_s: float
    """Resolving, connecting and the TLS handshake together."""
    max_answer_bytes: int
    """Of the body, as it comes and after inflation."""
    concurrency: int
    """Calls under way at this platform at once."""
    platform_id: str
    allow_private: bool
    """Whether http, any port and private addresses will do."""


class PartnerClient:
    """Calls partners over connections that it keeps for each platform apart.

    `own_ports` are the ports of the hub's own listeners, which are never called; `lookup` resolves host names;
    `tls` decides whom to trust, the machine's certificate authorities by default. Nothing is taken from proxy
    settings in the environment, no redirect is followed, no cookie is kept.
    """

    SWEEP_EVERY_S = 5.0

    def __init__(
        self,
        *,
        own_ports: Collection[int] = (),
        lookup: Lookup = system_lookup,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._dialer = Dialer(AddressGate(lookup, own_ports), tls or strict_tls())
        self._lanes: dict[str, Lane] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def call(self, call: Call, limits: CallLimits) -> Reply:
        """Make one HTTP call, once.

        Any HTTP status makes a Reply, also a redirect. Of a compressed body the Reply has the inflated one, and
        neither Content-Encoding nor Content-Length.

        Raises:
            ReceiverTimeout: sent, and no complete answer in time.
            ReceiverUnreachable: never sent, or the connection ended before an answer began; NotTried: the
                hub did not even begin.
            NotRoutable: the answer is oversized or unreadable, or the call cannot be written as HTTP.
        """
        deadline = asyncio.get_running_loop().time() + limits.total_s
        request = written(call, allow_private=limits.allow_private)
        lane = self._lanes.get(limits.platform_id) or self._new_lane(limits.platform_id)
        if not lane.bulkhead.try_enter(limits.concurrency):
            await lane.bulkhead.enter(limits.concurrency, deadline)
        try:
            reply = await self._exchange(request, lane, limits, deadline)
        finally:
            lane.bulkhead.leave(limits.concurrency)
        encoding = reply.header(b"content-encoding")
        return reply if encoding is None else await _without_encoding(reply, encoding, limits.max_answer_bytes)

    async def close(self) -> None:
        """Close the connections that are idle; calls under way go on."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for lane in self._lanes.values():
            lane.close_idle(before=math.inf)

    async def _exchange(self, request: Request, lane: Lane, limits: CallLimits, deadline: float) -> Reply:
        """Once over an idle connection if there is one, else over a new one.

        A partner may close an idle connection just when the hub uses it. Whether it saw the request cannot be
        told, so only a GET is sent again, over a new connection.
        """
        loop = asyncio.get_running_loop()
        connection = lane.take(request.server, loop.time())
        again = connection is not None and request.repeatable
        while True:
            if connection is None:
                until = min(deadline, loop.time() + limits.connect_s)
                connection = await self._dialer.dial(request.server, until=until, allow_private=limits.allow_private)
            try:
                reply = await connection.exchange(request.text, limits.max_answer_bytes, deadline)
            except asyncio.CancelledError:
                connection.abort()
                raise
            except Unanswered:
                if not again:
                    raise
                connection, again = None, False
            else:
                lane.put(request.server, connection, limits.concurrency)
                return reply

    def under_way(self) -> dict[str, int]:
        """How many calls there are at present, by platform."""
        return {platform_id: lane.bulkhead.active for platform_id, lane in self._lanes.items() if lane.bulkhead.active}

    def _new_lane(self, platform_id: str) -> Lane:
        lane = self._lanes[platform_id] = Lane()
        if self._sweep is None:
            self._sweep_later()
        return lane

    def _sweep_later(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(self.SWEEP_EVERY_S, self._sweep_now)

    def _sweep_now(self) -> None:
        before = asyncio.get_running_loop().time() - Lane.IDLE_S
        for platform_id, lane in list(self._lanes.items()):
            lane.close_idle(before)
            if lane.empty:
                del self._lanes[platform_id]
        self._sweep = None
        if self._lanes:
            self._sweep_later()


class Request(Struct, frozen=True, eq=False):
    """A call as it goes over the wire."""

    server: Server
    text: bytes
    repeatable: bool


def written(call: Call, *, allow_private: bool) -> Request:
    """The call as HTTP/1.1: its path and query byte for byte, its headers, Host and Content-Length.

    Raises:
        NotTried: its URL leads where the hub does not call.
        NotRoutable: it would not be one request any more, as something in it has a line break.
    """
    origin = origin_of(call.url)
    try:
        server = read_server(origin, allow_private)
    except InvalidParameters as error:
        raise NotTried(str(error)) from error
    target = call.url[len(origin) :]
    if not target.startswith("/"):
        target = "/" + target
    if not (target.isascii() and target.isprintable() and " " not in target):
        raise NotRoutable(_UNWRITABLE)
    body = call.body or b""
    lines = [f"{call.method} {target} HTTP/1.1".encode(), server.host_line, *map(b": ".join, call.headers)]
    if call.body is not None or call.method not in _WITHOUT_BODY:
        lines.append(b"Content-Length: %d" % len(body))
    head = b"\r\n".join(lines)
    if len(head.translate(None, _BREAKS)) < len(head) - 2 * (len(lines) - 1):
        raise NotRoutable(_UNWRITABLE)
    return Request(server, b"%b\r\n\r\n%b" % (head, body), call.method == "GET")


async def _without_encoding(reply: Reply, encoding: str, most: int) -> Reply:
    body = await inflated(reply.body, encoding, most)
    headers = [header for header in reply.headers if header[0] not in _OF_THE_ENCODED]
    return Reply(reply.http_status, headers, body)
