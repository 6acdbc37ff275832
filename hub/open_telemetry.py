"""Spans of messages, for an OpenTelemetry collector: what was noted on the way, said in its words.

Nothing but this module knows OpenTelemetry, and it is loaded only if `HUB_TRACES_URL` is set. Spans are made when the
message has been answered, of times and ids that are known by then; the SDK's own thread sends them, from a queue that
drops what is too much. What is personal or secret is in none of them, because it is not read here: no paths, queries,
bodies or headers, and no texts of errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from threading import Thread
from time import monotonic, time
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from hub.ids import new_id
from hub.journal import Noted
from hub.journal.failures import SUCCESS, failure_said
from hub.observability import FilteringBoundLogger
from hub.span_notes import CallNote, SpanIds, SpanNotes, TranslationNote, new_span_id, new_trace_id
from hub.store.journal_entries import Hop
from hub.store.journal_tables import METHOD_LENGTH
from hub.trace import Trace
from hub.version import VERSION
from routing.directory import Connection
from routing.links import host_of

log: FilteringBoundLogger = structlog.get_logger()

LAST_S: Final = 2.0
"""What the end of a process waits for its last spans."""
_MOST_WAITING: Final = 8192
"""Spans that wait at most. The SDK's own default would be full after a second of a busy process."""
_SCOPE: Final = InstrumentationScope("ocpi-hub", VERSION)
_FAILED: Final = Status(StatusCode.ERROR)
_UNSET: Final = Status(StatusCode.UNSET)
_TRACE_IDS: Final = 1 << 64
"""How many there are of the half that decides which traces are kept, as in the SDK's own samplers."""


class Spans:
    """Makes spans and sends them to a collector. `ratio` of the traces that begin here are kept, from 0 to 1."""

    def __init__(self, url: str, ratio: float, *, last_s: float = LAST_S) -> None:
        self._kept_below = round(ratio * _TRACE_IDS)
        own = Resource({"service.name": "ocpi-hub", "service.version": VERSION, "service.instance.id": new_id()})
        # What the operator says in OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME comes last, so that it counts.
        self._resource = Resource.create().merge(own).merge(OTELResourceDetector().detect())
        self._batches = BatchSpanProcessor(OTLPSpanExporter(endpoint=url), max_queue_size=_MOST_WAITING)
        self._last_s = last_s

    async def close(self) -> None:
        """Send what is left, unless the collector takes too long."""
        closing = Thread(target=self._batches.shutdown, name="last spans", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, self._last_s)
        if closing.is_alive():
            log.warning("spans_not_sent", reason="the collector has not taken them in time")

    # ------------------------------------------------------------ while a message is under way

    def of_message(self, trace: Trace) -> SpanNotes:
        """The notes of a message that came in: a part of the trace its sender names, if that one is believed."""
        named = SpanIds.read(trace.headers)
        if named is not None and trace.source is not None and trace.source.quirks.trace_context:
            return SpanNotes(named._replace(span_id=new_span_id()), parent=named)
        return self._begun(None if named is None else named._replace(state=""))

    def of_delivery(self, broadcast: SpanNotes | None) -> SpanNotes:
        """The notes of one delivery. It has a trace of its own: one of all deliveries would be too long to look at."""
        if broadcast is None:
            return self._begun(None)
        own = SpanIds(new_trace_id(), new_span_id(), broadcast.ids.is_sampled)
        return SpanNotes(own, linked=broadcast.ids)

    def _begun(self, linked: SpanIds | None) -> SpanNotes:
        trace_id = new_trace_id()
        is_sampled = trace_id % _TRACE_IDS < self._kept_below
        return SpanNotes(SpanIds(trace_id, new_span_id(), is_sampled), linked=linked)

    # ------------------------------------------------------------ when it is over

    def ended(self, noted: Noted) -> None:
        """Make the spans of one hop that is over; never waits, and never fails."""
        try:
            self._ended(noted)
        except Exception:  # a bug that one message meets must not cost others their answers
            log.exception("spans_not_made", correlation_id=noted.trace.ids.correlation_id)

    def _ended(self, noted: Noted) -> None:
        trace = noted.trace
        notes = trace.spans or self.of_message(trace)  # those that were refused before they were anybody's have none
        if not notes.ids.is_sampled:
            return
        clock = time() - monotonic()
        parts, notes.parts = notes.parts, []
        for part in parts:
            if isinstance(part, CallNote):
                self._call(part, notes, trace, clock)
            else:
                self._translation(part, notes, trace, clock)
        if noted.hop is not Hop.UNIT:  # its calls are parts of the message
            self._message(noted, notes, clock)

    def _message(self, noted: Noted, notes: SpanNotes, clock: float) -> None:
        trace = noted.trace
        is_well = noted.http_status < 400 and noted.ocpi_status in SUCCESS
        method, module = trace.method[:METHOD_LENGTH], _module(trace)
        is_delivery = noted.hop is Hop.DELIVERY
        self._add(
            name=f"deliver {method} {module}" if is_delivery else f"{method} {module}",
            ids=notes.ids,
            parent=None if notes.parent is None else _context(notes.parent, is_remote=True),
            linked=notes.linked,
            # Who wrote a message of the hub's own, or began a delivery, did not call.
            kind=SpanKind.SERVER if trace.entrance is not None and not is_delivery else SpanKind.INTERNAL,
            began=trace.started + clock,
            ended=noted.ended + clock,
            is_well=is_well,
            attributes=_of_message(noted, method, module, None if is_well else _error_type(noted)),
        )

    def _call(self, note: CallNote, notes: SpanNotes, trace: Trace, clock: float) -> None:
        attributes: dict[str, str | int | None] = {
            "http.request.method": note.method,
            "http.response.status_code": note.http_status,
            "server.address": host_of(note.url),
            "ocpi.module": note.module,
            "ocpi.version": note.connection.version,
            "ocpi.from": str(note.sender),
            "ocpi.to": str(note.receiver),
            "ocpi.platform.id": note.connection.platform_id,
            "ocpi.request_id": note.request_id,
            "ocpi.correlation_id": trace.ids.correlation_id,
            "error.type": note.fault or (str(note.http_status) if (note.http_status or 0) >= 400 else None),
        }
        self._add(
            name=f"{note.method} {note.module}",
            ids=note.ids,
            parent=_context(notes.ids, is_remote=False),
            kind=SpanKind.CLIENT,
            began=note.began + clock,
            ended=note.ended + clock,
            is_well=attributes["error.type"] is None,
            attributes=attributes,
        )

    def _translation(self, note: TranslationNote, notes: SpanNotes, trace: Trace, clock: float) -> None:
        self._add(
            name=f"translate {note.module}",
            ids=notes.ids._replace(span_id=new_span_id()),
            parent=_context(notes.ids, is_remote=False),
            kind=SpanKind.INTERNAL,
            began=note.began + clock,
            ended=note.ended + clock,
            is_well=True,
            attributes={
                "ocpi.module": note.module,
                "ocpi.version.from": note.source,
                "ocpi.version.to": note.target,
                "ocpi.translation.of": "answer" if note.is_answer else "request",
                "ocpi.translation.losses": note.losses,
                "ocpi.correlation_id": trace.ids.correlation_id,
            },
        )

    def _add(
        self,
        *,
        name: str,
        ids: SpanIds,
        parent: SpanContext | None,
        kind: SpanKind,
        began: float,
        ended: float,
        is_well: bool,
        attributes: Mapping[str, str | int | None],
        linked: SpanIds | None = None,
    ) -> None:
        """Hand one span over, whole: that of a `Tracer` would take ten times as long, to ask for what is known here."""
        self._batches.on_end(
            ReadableSpan(
                name,
                context=_context(ids, is_remote=False),
                parent=parent,
                resource=self._resource,
                attributes={key: value for key, value in attributes.items() if value is not None},
                links=() if linked is None else (Link(_context(linked, is_remote=True)),),
                kind=kind,
                status=_UNSET if is_well else _FAILED,
                start_time=_ns(began),
                end_time=_ns(ended),
                instrumentation_scope=_SCOPE,
            )
        )


def _of_message(noted: Noted, method: str, module: str, error_type: str | None) -> Mapping[str, str | int | None]:
    trace = noted.trace
    return {
        "http.request.method": method,
        "http.response.status_code": noted.http_status or None,
        "ocpi.module": module,
        "ocpi.interface": None if trace.operation is None else trace.operation.interface,
        "ocpi.route": trace.route,
        "ocpi.version": trace.version,
        "ocpi.version.to": None if trace.target is None else trace.target.version,
        "ocpi.from": None if trace.sender is None else str(trace.sender),
        "ocpi.to": None if trace.receiver is None else str(trace.receiver),
        "ocpi.platform.id": _platform_id(trace.source) or trace.platform_id,
        "ocpi.platform.to": _platform_id(trace.target),
        "ocpi.status_code": noted.ocpi_status,
        "ocpi.request_id": trace.ids.request_id,
        "ocpi.correlation_id": trace.ids.correlation_id,
        "ocpi.translation.losses": sum(len(lost.losses) for lost in trace.losses),
        "error.type": error_type,
    }


def _error_type(noted: Noted) -> str | None:
    was_called = noted.trace.upstream_http_status is not None
    return noted.trace.failure or failure_said(noted.http_status, noted.ocpi_status, was_called=was_called)


def _module(trace: Trace) -> str:
    return trace.operation.module if trace.operation else "unknown"


def _platform_id(connection: Connection | None) -> str | None:
    return None if connection is None else connection.platform_id


def _context(ids: SpanIds, *, is_remote: bool) -> SpanContext:
    state = TraceState.from_header([ids.state]) if ids.state else None
    return SpanContext(ids.trace_id, ids.span_id, is_remote, TraceFlags(ids.is_sampled), state)


def _ns(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
