"""What becomes known about one exchange by and by, and what is said about it at its end."""

from __future__ import annotations

from time import monotonic

import structlog
from msgspec import Struct, field

from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from routing.dialects import DIALECTS
from routing.directory import Connection
from routing.message import JSON, Answer, MessageIds, RawHeaders, id_headers, routing_headers
from routing.modules import Operation
from routing.vocabulary import Party, Version

log: FilteringBoundLogger = structlog.get_logger()


class Trace(Struct, eq=False):
    """For the headers of the answer, the log line and the metrics of one exchange. Durations are seconds."""

    ids: MessageIds
    version: Version
    method: str
    started: float = field(default_factory=monotonic)
    operation: Operation | None = None
    sender: Party | None = None
    receiver: Party | None = None
    source: Connection | None = None
    target: Connection | None = None
    upstream_request_id: str | None = None
    """Set once the receiver was called."""
    upstream_s: float = 0.0
    """What the receiver took of the time."""
    fault: str | None = None
    """Why the hub itself had to answer, if it had to."""


def answer_headers(answer: Answer, trace: Trace) -> RawHeaders:
    """All headers of the answer, Content-Length included: those of the answer, ids, and who speaks to whom."""
    headers = [JSON, (b"content-length", b"%d" % len(answer.body)), *id_headers(trace.ids), *answer.headers]
    spoken = trace.source is not None and DIALECTS[trace.source.version].routing_headers
    if spoken and trace.sender is not None and answer.sender is not None:
        headers += routing_headers(trace.sender, answer.sender)
    return headers


def record(answer: Answer, trace: Trace, hub: Hub) -> None:
    """Say and count what happened, once the answer is on its way."""
    seconds = monotonic() - trace.started
    module = trace.operation.module if trace.operation else "unknown"
    hub.metrics.message(
        route="direct" if trace.target else "refused",
        module=module,
        method=trace.method,
        source_version=trace.version,
        target_version=trace.target.version if trace.target else None,
        ocpi_status=answer.ocpi_status,
        seconds=seconds,
    )
    if trace.target is not None:
        hub.metrics.upstream(module, trace.target.platform_id, trace.upstream_s)
    log.info(
        "message_forwarded" if trace.upstream_request_id else "message_refused",
        correlation_id=trace.ids.correlation_id,
        request_id=trace.ids.request_id,
        upstream_request_id=trace.upstream_request_id,
        sender=trace.sender,
        receiver=trace.receiver,
        module=module,
        method=trace.method,
        version=trace.version,
        http_status=answer.http_status,
        ocpi_status=answer.ocpi_status,
        hub_ms=round((seconds - trace.upstream_s) * 1000, 3),
        upstream_ms=round(trace.upstream_s * 1000, 3),
        **({} if trace.fault is None else {"reason": trace.fault}),
    )
