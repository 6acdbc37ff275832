"""What will be said about one message in OpenTelemetry's words, noted while it is under way. See `hub.open_telemetry`.

A note is a few references: spans are made of it when the message has been answered. What cannot wait are ids, for a
partner that is told under which span it was called (W3C Trace Context, "traceparent Header").
"""

from __future__ import annotations

import re
from collections.abc import Coroutine, Sequence
from random import Random
from time import monotonic
from typing import Any, Final, NamedTuple

from msgspec import Struct

from routing.directory import Connection
from routing.message import Call, RawHeaders, Reply
from routing.vocabulary import Party, Version

_random: Final = Random()  # noqa: S311 - ids have to be different, not secret
_SAMPLED: Final = 1
_PARENT: Final = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?P<more>-.*)?"
)
_STATE: Final = re.compile(rb"[\x20-\x7e]{1,512}")
_TRACEPARENT: Final = b"traceparent"
_TRACESTATE: Final = b"tracestate"


class SpanIds(NamedTuple):
    """Which span of which trace."""

    trace_id: int
    span_id: int
    is_sampled: bool
    state: str = ""
    """What others have put into `tracestate`."""

    @classmethod
    def read(cls, headers: Sequence[tuple[bytes, bytes]]) -> SpanIds | None:
        """The span that a request says it is part of; None when it says none, or nothing that can be understood."""
        parents = [value for name, value in headers if name == _TRACEPARENT]
        match = _PARENT.fullmatch(parents[0].strip()) if len(parents) == 1 else None
        if match is None or (match["version"] == b"00" and match["more"]):
            return None
        state = b",".join(value for name, value in headers if name == _TRACESTATE)
        return cls(
            trace_id=int(match[2], 16),
            span_id=int(match[3], 16),
            is_sampled=bool(int(match[4], 16) & _SAMPLED),
            state=state.decode("ascii") if _STATE.fullmatch(state) else "",
        )

    def written(self) -> RawHeaders:
        """The headers that say so."""
        parent = (_TRACEPARENT, f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.is_sampled:02x}".encode("ascii"))
        return [parent, (_TRACESTATE, self.state.encode("ascii"))] if self.state else [parent]


class CallNote(Struct, eq=False):
    """One call at a partner. Times are those of `time.monotonic`."""

    ids: SpanIds
    method: str
    module: str
    url: str
    connection: Connection
    sender: Party
    receiver: Party
    request_id: str | None
    began: float
    ended: float
    http_status: int | None = None
    """None when there was no answer."""
    fault: str | None = None
    """What kind of error there was instead."""

    async def of(self, call: Coroutine[Any, Any, Reply]) -> Reply:
        """What this call brings, and a note of it."""
        self.began = monotonic()
        try:
            reply = await call
        except BaseException as error:
            self.fault = type(error).__name__
            raise
        finally:
            self.ended = monotonic()
        self.http_status = reply.http_status
        return reply


class TranslationNote(NamedTuple):
    """One body, path and query that were brought into another version, or could not be."""

    began: float
    ended: float
    module: str
    source: Version
    target: Version
    is_answer: bool
    losses: int


class SpanNotes(Struct, eq=False):
    """Of one message."""

    ids: SpanIds
    parent: SpanIds | None = None
    """Of which it is a part; None where it begins a trace."""
    linked: SpanIds | None = None
    """With which it has to do, without being a part of it."""
    parts: list[CallNote | TranslationNote] = []
    """In the order in which they began, as far as no spans are made of them yet."""

    def call(
        self, call: Call, module: str, connection: Connection, sender: Party, receiver: Party, request_id: str | None
    ) -> CallNote:
        """The note of a call that is about to be made. A partner that takes part in the trace is told."""
        ids = self.ids._replace(span_id=new_span_id())
        if connection.quirks.trace_context:
            call.headers.extend(ids.written())
        now = monotonic()
        note = CallNote(ids, call.method, module, call.url, connection, sender, receiver, request_id, now, now)
        if self.ids.is_sampled:
            self.parts.append(note)
        return note

    def translated(self, note: TranslationNote) -> None:
        """Note a translation."""
        if self.ids.is_sampled:
            self.parts.append(note)


def new_trace_id() -> int:
    """A number of 128 bits that nobody has used."""
    return _random.getrandbits(128) or 1


def new_span_id() -> int:
    """A number of 64 bits, never the 0 that means none."""
    return _random.getrandbits(64) or 1
