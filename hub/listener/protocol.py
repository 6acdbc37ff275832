"""One connection: uvicorn's HTTP/1.1 on httptools, with the limits that it lacks.

Time. A connection carries at most one deadline for what we wait to receive, one for what we wait to get rid of.
Setting one is an assignment; `Port` looks at all connections several times a second and calls `expire` on those
that are late. No timer is made for a request.

Order. Requests of one connection are answered one after the other. A refused request is the last that is read:
answers of those before it come first, then the refusal, then the end. Nothing is answered twice.

End. A connection is not closed under the eyes of a client that still sends, since the reset would destroy the answer
on its way. We say that we are done, go on reading for a while, and throw away what comes.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote

import httptools
import structlog
from structlog.typing import FilteringBoundLogger
from uvicorn import Config
from uvicorn._types import ASGI3Application, HTTPScope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from hub.listener.answers import Refusal, answer_bytes
from hub.listener.cycle import Cycle, Flow, Outlet
from hub.listener.head import (
    body_too_long,
    check_head,
    check_size,
    head_too_long,
    path_and_query,
    special,
    url_too_long,
)
from hub.listener.rules import Rules
from hub.outbox import Outbox

log: FilteringBoundLogger = structlog.get_logger()

_NEVER: Final = math.inf
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
_REQUEST_LINE_SLACK: Final = 1024
_GOING: Final = "The hub is going out of service; try again later"


class Connection(HttpToolsProtocol):
    """One connection. `rules` and `outbox` are set in a subclass, see `connection_class`."""

    rules: Rules
    outbox: Outbox
    flow: Flow

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.receive_by = _NEVER
        """When what we wait for must be here: a request's head, its body, the next request, the client's end."""
        self.write_by = _NEVER
        """When the client must have taken what is waiting for it."""
        self._idle = False
        self._begun = False  # a request has begun and is not complete
        self._method = ""
        self._head_done = False
        self._trailer_bytes = 0
        self._received = 0  # bytes of a request, but for those that came together with its beginning
        self._reading = 0  # bytes that are just being parsed
        self._running: Cycle | None = None
        self._refusal: Refusal | None = None
        self._resuming = False  # a new parser goes on in the middle of a request
        self._deaf = False  # what comes is thrown away
        self._ended = False  # nothing more will be written

    # What the transport says

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Begin, unless there are too many connections."""
        super().connection_made(transport)
        self.flow = Flow(transport)
        self._outlet = Outlet(transport, self.finish, self.outbox)
        self._behind_proxy = self.rules.proxies.include(self.client)
        self.receive_by = self.loop.time() + self.rules.limits.head_s
        self.headers = []
        others = len(self.connections) - 1
        if others >= self.rules.limits.connections:
            if others >= 2 * self.rules.limits.connections:
                transport.abort()  # not even those we turn away may pile up
            else:
                self.refuse(Refusal(503, "The hub has too many connections; try again later"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever still answers that there is nobody to answer to."""
        self.receive_by = self.write_by = _NEVER
        self._deaf = True
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, or throw away what comes after the end."""
        if self._deaf:
            return
        self._reading = len(data)
        self._received += self._reading
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, Refusal):
                raise
            self.refuse(error.__context__)
        except httptools.HttpParserError as error:
            self.refuse(Refusal(400, f"Not a valid HTTP/1.1 request: {error}"))
        else:
            self._check_received()

    def eof_received(self) -> bool:  # type: ignore[override] # uvicorn always lets the transport close
        """Answer a client that has said everything and only listens; let the others go."""
        self._outlet.flush()
        waiting = self._running is not None and not self._running.response_complete
        if not waiting or self._ended or (self._begun and self._refusal is None):
            return False
        self._deaf = True
        if self._refusal is None:
            self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        """The client takes too little."""
        super().pause_writing()
        self.write_by = self.loop.time() + self.rules.limits.write_s

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        self.write_by = _NEVER

    # What the parser says

    def on_message_begin(self) -> None:
        """Start the clock for the head."""
        if self._resuming:
            return
        self.url, self.headers = b"", []
        self._begun, self._head_done = True, False
        self._method = ""
        self._received = 0
        if self._idle or self.receive_by == _NEVER:
            self._idle = False
            self.receive_by = self.loop.time() + self.rules.limits.head_s

    def on_url(self, url: bytes) -> None:
        """Collect the request target."""
        self.url += url
        if len(self.url) > self.rules.limits.url_bytes:
            raise url_too_long(self.rules.limits)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header. Trailers are counted and dropped: nothing after the body may pass for a header."""
        if self._head_done:
            self._trailer_bytes += len(name) + len(value) + 4
            if self._trailer_bytes > self.rules.limits.head_bytes:
                raise head_too_long(self.rules.limits)
        else:
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Hand the request to the app, or queue it behind the one before it."""
        if self._resuming:
            self._resuming = False
            return
        limits = self.rules.limits
        http_version = self.parser.get_http_version()
        self._method = self.parser.get_method().decode("ascii")
        if len(self.headers) > limits.headers or self._received + self._reading > limits.head_bytes:
            check_size(self.headers, limits)
        notable = special(self.headers)
        check_head(http_version, self._method, notable, limits)
        if self.rules.refuse_when_draining and self.rules.drain.is_refusing:
            raise Refusal(503, _GOING)
        self.scope = self._new_scope(http_version, notable)
        self.expect_100_continue = dict(notable).get(b"expect", b"").lower() == b"100-continue"
        self._head_done, self._trailer_bytes = True, 0
        self.receive_by = self.loop.time() + limits.body_s
        cycle = self.cycle = self._new_cycle(http_version)
        if self._running is None or self._running.response_complete:
            self._start_asgi_task(cycle, self.app)
        elif len(self.pipeline) < limits.pipelined:
            self.flow.held = True
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
        else:
            raise Refusal(400, f"More than {limits.pipelined} requests wait for their turn on this connection")

    def on_body(self, body: bytes) -> None:
        """Collect the body, not faster than the app reads it."""
        if self.cycle.response_complete:
            return
        self.cycle.body += body
        if len(self.cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Stop the clock: now it is our turn."""
        if self.parser.should_upgrade() and self._framing():
            return  # the body is still to come, see `_decline_upgrade`
        self._begun = False
        self.receive_by = _NEVER
        if self.cycle.response_complete:
            self._wait_for_next()
        else:
            self.cycle.more_body = False
            self.cycle.message_event.set()

    # What happens to a request

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        assert isinstance(cycle, Cycle)  # noqa: S101 - the only kind made here; tells the type checker
        self._running = cycle
        task = self.loop.create_task(cycle.run_asgi(app))
        self.tasks.add(task)
        self.rules.drain.entered()
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.rules.drain.left()

    def on_response_complete(self) -> None:
        """Go on with the next request, or with the refusal that had to wait."""
        self.server_state.total_requests += 1
        if self._ended or self.transport.is_closing():
            return
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self.flow.held = bool(self.pipeline)
            self._start_asgi_task(cycle, app)
        elif self._refusal is not None:
            self._answer_refusal()
        elif not self._begun and not self._deaf:
            self._wait_for_next()
        if self.flow.read_paused:
            self.flow.resume_reading()

    def refuse(self, refusal: Refusal) -> None:
        """Make this the last answer of the connection, in its turn, unless that request is being answered already."""
        if self._refusal is not None or self.transport.is_closing():
            return
        self._refusal, self._deaf = refusal, True
        self.receive_by = _NEVER
        log.debug("request_refused", http_status=refusal.http_status, reason=str(refusal), client=self.client)
        if self._begun and self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()  # it was queued before its body turned out to be bad
        running = self._running
        if running is not None and running is self.cycle and running.more_body and self._begun and self._head_done:
            self._refuse_running(running)
        elif running is None or running.response_complete:
            self._answer_refusal()

    def _refuse_running(self, running: Cycle) -> None:
        """Refuse a request that is with the app; it has an answer already if the app was quick."""
        running.disconnected = True
        running.message_event.set()
        if running.response_started:
            self._linger()
        else:
            self._answer_refusal()

    def _answer_refusal(self) -> None:
        assert self._refusal is not None  # noqa: S101 - tells the type checker
        is_head = self._begun and self._method == "HEAD"
        rendered = self.rules.render(self._refusal)
        self._outlet.flush()
        self.transport.write(
            answer_bytes(rendered, self.headers, self.server_state.default_headers, with_body=not is_head)
        )
        self._linger()

    # Time, and the end

    def expire(self, now: float) -> None:
        """Do what is due because something did not happen in time."""
        if self.transport.is_closing():
            self._abort_when_stuck(now)
        elif now > self.write_by:
            self.transport.abort()
        elif now > self.receive_by:
            if self.flow.read_paused:
                self.receive_by = now + self.rules.limits.body_s  # it is us who do not read
            else:
                self._receipt_expired()

    def _receipt_expired(self) -> None:
        if self._deaf:
            self.transport.abort()
        elif self._begun and not (self._head_done and self.cycle.response_complete):
            late = "body" if self._head_done else "headers"
            self.refuse(Refusal(408, f"The {late} of the request took too long to arrive"))
        else:
            self._outlet.flush()
            self.transport.close()

    def _abort_when_stuck(self, now: float) -> None:
        if self.write_by == _NEVER:
            self.write_by = now + self.rules.limits.write_s
        elif now > self.write_by:
            self.transport.abort()

    def _wait_for_next(self) -> None:
        self._idle = True
        limits = self.rules.limits
        self.receive_by = self.loop.time() + (limits.quiet_s if self.rules.drain.is_retiring else limits.idle_s)

    def finish(self) -> None:
        """Close after what has been written, without a reset for a client that is still sending."""
        if self._begun or self._refusal is not None:
            self._linger()
        else:
            self.transport.close()

    def shutdown(self) -> None:
        """Close as soon as what is under way is done."""
        if self._running is not None and not self._running.response_complete:
            self.cycle.keep_alive = False
        elif self._begun:
            self.refuse(Refusal(503, _GOING))
        elif not self._ended:
            self._outlet.flush()
            self.transport.close()

    def retire(self) -> None:
        """Close after the next answer, which says so, or when it has been silent for a while: one may be on its way."""
        waiting = self._running is not None and not self._running.response_complete
        if not waiting and not self._begun:
            limits = self.rules.limits
            silent_since = self.receive_by - limits.idle_s if self._idle else self.loop.time()
            self.receive_by = min(self.receive_by, silent_since + limits.quiet_s)
        elif waiting and self._head_done and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def _linger(self) -> None:
        if self._ended:
            return
        self._outlet.flush()
        self._deaf = self._ended = True
        self.receive_by = self.loop.time() + self.rules.limits.linger_s
        self.flow.held = False
        self.flow.resume_reading()
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()

    # The parts of reading a request

    def _feed(self, data: bytes) -> None:
        """Parse it all. An offer to speak another protocol is declined by going on in this one."""
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._decline_upgrade()
            else:
                return

    def _decline_upgrade(self) -> None:
        """The parser takes the head with the offer for the whole message, so a new one goes on with the body."""
        framing = self._framing()
        if framing:
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
            self._resuming = True
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n")

    def _framing(self) -> bytes:
        """The headers that say where the body ends, as they were."""
        lines = [name + b": " + value + b"\r\n" for name, value in self.headers if name in _FRAMING]
        return b"".join(lines)

    def _check_received(self) -> None:
        """What the parser keeps to itself has an end, too: half a header, chunk sizes, trailers."""
        limits = self.rules.limits
        if not self._begun:
            return
        if self._received > limits.body_bytes + limits.framing_bytes:
            self.refuse(body_too_long(limits))
        elif not self._head_done and self._received > limits.url_bytes + limits.head_bytes + _REQUEST_LINE_SLACK:
            self.refuse(head_too_long(limits))

    def _new_scope(self, http_version: str, notable: Sequence[tuple[bytes, bytes]]) -> HTTPScope:
        raw_path, query = path_and_query(self.url)
        path = raw_path.decode("ascii")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": http_version,
            "server": self.server,
            "client": (self.rules.proxies.client_of(notable) if self._behind_proxy else None) or self.client,
            "scheme": "http",  # whoever ends TLS for us keeps that to itself
            "root_path": "",
            "method": self._method,
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.headers,
            "state": {},
        }

    def _new_cycle(self, http_version: str) -> Cycle:
        cycle = Cycle(
            scope=self.scope,
            transport=self._outlet,  # type: ignore[arg-type] # the methods of a transport that it uses
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=http_version == "1.1" and self.parser.should_keep_alive() and not self.rules.drain.is_retiring,
            on_response=self.on_response_complete,
        )
        cycle.render = self.rules.render
        cycle.offer_at_once()
        return cycle


def connection_class(rules: Rules) -> type[Connection]:
    """The class of the connections of one port."""
    return type("RuledConnection", (Connection,), {"rules": rules, "outbox": Outbox()})
