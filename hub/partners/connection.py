"""One HTTP/1.1 connection to a partner."""

from __future__ import annotations

import asyncio
import select
import socket
from typing import cast

from hub.outbox import Outbox
from hub.partners.answers import AnswerReader
from hub.partners.deadlines import Deadlines
from routing.errors import HubError, NotRoutable, ReceiverTimeout, ReceiverUnreachable, Refusal
from routing.message import Reply


class Unanswered(ReceiverUnreachable):
    """The connection ended before the first byte of an answer."""


class Connection(asyncio.Protocol):
    """Carries one exchange after the other, never two at once.

    It stays open after an exchange only when there is no doubt about it: the answer was complete by itself,
    nothing followed it, and the partner has taken the whole request.
    """

    ASK_AFTER_S = 0.01
    """Idle seconds after which the socket is asked whether the partner has closed it, before the next use."""

    def __init__(self, outbox: Outbox, deadlines: Deadlines) -> None:
        self._loop = asyncio.get_running_loop()
        self._outbox = outbox
        self._deadlines = deadlines
        self._news = select.poll()
        self._unsent: bytes | None = None
        self._reader = AnswerReader()
        self._answer: asyncio.Future[Reply] | None = None
        self._closed = False
        self.opened_at = self.idle_since = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected; with TLS, after the handshake."""
        self._transport = cast("asyncio.Transport", transport)
        sock: socket.socket = transport.get_extra_info("socket")
        self._news.register(sock.fileno(), select.POLLIN)

    def exchange(self, request: bytes, max_answer_bytes: int, deadline: float) -> asyncio.Future[Reply]:
        """Send a request; the future is its answer, or a HubError. `deadline` is a time of the event loop."""
        self._reader.begin(max_answer_bytes)
        self._answer = answer = self._loop.create_future()
        self._deadlines.set(self, deadline)
        if self._closed or self._transport.is_closing():  # between the end of dialling and now
            self._fail(Unanswered("The receiver closed the connection at once"))
        else:
            self._unsent = request
            self._outbox.add(self._send)
        return answer

    def _send(self) -> None:
        request, self._unsent = self._unsent, None
        if request is not None and not self._transport.is_closing():
            self._transport.write(request)

    def usable(self, now: float) -> bool:
        """Whether a request may be sent, as far as can be told at this end."""
        if self._closed or self._transport.is_closing():
            return False
        return now - self.idle_since < self.ASK_AFTER_S or not self._has_news()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        if self._answer is not None:
            self._deadlines.clear(self)
            self._answer = self._unsent = None
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer, or of something nobody asked for."""
        if self._answer is None or self._unsent is not None:
            self._transport.abort()
            return
        try:
            self._reader.feed(data)
        except NotRoutable as error:
            self._fail(error)
        else:
            if self._reader.complete:
                self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed by either side, in good order when there is no error."""
        self._closed = True
        if self._answer is None:
            return
        if exc is None:
            self._reader.end()
        if self._reader.complete:
            self._finish()
        elif self._reader.received:
            self._fail(NotRoutable("The receiver's answer was cut off", Refusal.NOT_OCPI))
        else:
            self._fail(Unanswered("The receiver closed the connection without an answer"))

    def _finish(self) -> None:
        answer = self._take_answer()
        reader = self._reader
        if not reader.keep_alive or reader.surplus or self._transport.get_write_buffer_size():
            self._transport.abort()
        self.idle_since = self._loop.time()
        if answer is not None and not answer.done():
            answer.set_result(reader.reply())

    def _fail(self, error: HubError) -> None:
        answer = self._take_answer()
        self._reader.begin(0)  # lets go of what it has read so far
        self._transport.abort()
        if answer is not None and not answer.done():
            answer.set_exception(error)

    def _take_answer(self) -> asyncio.Future[Reply] | None:
        answer, self._answer = self._answer, None
        self._unsent = None
        self._deadlines.clear(self)
        return answer

    def expire(self) -> None:
        """The answer did not come in time."""
        self._fail(ReceiverTimeout("The receiver did not answer in time"))

    def _has_news(self) -> bool:
        """Whether the socket has something to read, which on an idle connection is its end."""
        return bool(self._news.poll(0))
