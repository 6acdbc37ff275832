"""Reading one HTTP/1.1 answer off a connection: strictly, and never more of it than allowed.

llhttp, beneath httptools, refuses what two readers could take differently: both Content-Length and
Transfer-Encoding, two lengths, folded lines, bare line feeds, odd chunks. Added here: limits, what ends a
body, and which answers make no sense to a client that asked for none of them.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from routing.errors import NotRoutable, Refusal
from routing.message import RawHeaders, Reply

MAX_HEADER_BYTES = 32 * 1024
"""Of a status line and its headers together with all interim answers before them, and of trailers."""

_BODILESS = frozenset({204, 304})


class AnswerReader:
    """Reads one answer after the other: `begin`, then `feed` until `complete`, then `reply`.

    The methods `on_…` are called by the parser while it is being fed.
    """

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.begin(0)

    def begin(self, most: int) -> None:
        """Expect an answer with a body of at most `most` bytes."""
        self.complete = False
        self.keep_alive = False
        self.surplus = False
        """Whether something followed the answer that nobody asked for."""
        self.received = 0
        """Bytes of this answer so far, as they came."""
        self._most = most
        self._outside = 0
        self._fault: str | None = None
        self._status = 0
        self._ends_with_connection = False
        self._headers: RawHeaders = []
        self._header_count: int | None = None
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Go on reading.

        Raises:
            NotRoutable: the answer is unreadable or oversized.
        """
        size, self.received = self._size, self.received + len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.complete:
                raise NotRoutable("The receiver's answer is no readable HTTP", Refusal.NOT_OCPI) from error
            self.surplus = True
        self._count_outside(len(data), self._size - size)
        if self._fault is not None:
            raise NotRoutable(self._fault, Refusal.NOT_OCPI)

    def end(self) -> None:
        """The partner closed the connection in an orderly way, which completes some answers."""
        self.complete = self._ends_with_connection

    def reply(self) -> Reply:
        """The complete answer; its body is not kept here."""
        parts, self._parts = self._parts, []
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        return Reply(self._status, self._headers[: self._header_count], body)

    def _count_outside(self, fed: int, body: int) -> None:
        """Bound what brings no body: a header, trailer or chunk extension that never ends."""
        self._outside = 0 if body else self._outside + fed
        if self._outside > MAX_HEADER_BYTES and not self.complete:
            self._fault = f"The receiver's answer has more than {MAX_HEADER_BYTES} bytes of headers"

    def on_message_begin(self) -> None:
        """An answer begins, or something that should not follow one."""
        if self.complete:
            self.surplus = True
        elif self._header_count is None:
            self._headers.clear()  # those of an interim answer

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line, or one trailer."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head of an answer has ended; an interim one (1xx) is passed over."""
        status = self._parser.get_status_code()
        if self.complete or (100 <= status < 200 and status != 101):
            return
        self._status = status
        self._header_count = len(self._headers)
        self.keep_alive = self._parser.should_keep_alive()
        self._fault = self._fault_of_head()

    def _fault_of_head(self) -> str | None:
        headers = dict(self._headers)
        length, coding = headers.get(b"content-length"), headers.get(b"transfer-encoding")
        self._ends_with_connection = length is None and coding is None and self._status not in _BODILESS
        if not 200 <= self._status <= 599:
            return f"The receiver's answer has HTTP status {self._status}, which nobody asked for"
        if coding is not None and coding.lower() != b"chunked":
            return "The receiver's answer has a transfer encoding the hub did not ask for"
        if length is not None and int(length) > self._most and self._status not in _BODILESS:
            return self._oversized()
        if self.received > MAX_HEADER_BYTES and sum(len(n) + len(v) + 4 for n, v in self._headers) > MAX_HEADER_BYTES:
            return f"The receiver's answer has more than {MAX_HEADER_BYTES} bytes of headers"
        return None

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self.complete:
            return
        self._size += len(body)
        if self._size <= self._most:
            self._parts.append(body)
        else:
            self._fault = self._oversized()

    def on_message_complete(self) -> None:
        """An answer has ended, the one that counts or an interim one."""
        self.complete = self.complete or self._header_count is not None

    def _oversized(self) -> str:
        return f"The receiver's answer exceeds {self._most} bytes"
