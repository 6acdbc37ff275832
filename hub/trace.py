"""What becomes known about one exchange by and by, and what is said about it at its end."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from time import monotonic
from typing import NamedTuple

import structlog
from msgspec import UNSET, Struct, UnsetType, field

from hub.hub import Hub
from hub.observability import FilteringBoundLogger, MessageLine, log_message
from routing.directory import Connection
from routing.message import JSON, Answer, MessageIds, RawHeaders, id_headers
from routing.modules import Operation
from routing.receivers import routing_headers_at
from routing.translation.crossing import Loss
from routing.vocabulary import Party, Version

log: FilteringBoundLogger = structlog.get_logger()


class TranslationLoss(NamedTuple):
    """One loss of one exchange."""

    kind: str | None
    """What kind of object lost something."""
    in_answer: bool
    """Whether it was in the answer, on its way from the receiver to the sender."""
    loss: Loss


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
    route: str = "refused"
    """How it was routed; one of the metrics' `ROUTES`."""
    upstream_request_id: str | None = None
    """Set once the receiver was called."""
    upstream_s: float = 0.0
    """What the receiver took of the time."""
    fault: str | None = None
    """Why the hub itself had to answer, if it had to."""
    losses: list[TranslationLoss] = []
    """What was lost between the versions of its two sides, there and back."""

    def losses_header(self) -> tuple[bytes, bytes]:
        """The ids of the losses, for a sender who wants to hear of them."""
        return b"translation-loss", ", ".join(sorted({lost.loss.id for lost in self.losses})).encode("ascii")


def answer_headers(answer: Answer, trace: Trace) -> RawHeaders:
    """All headers of the answer but Content-Length: those of the answer, ids, and who speaks to whom."""
    headers = [JSON, *id_headers(trace.ids), *answer.headers]
    if trace.source is not None and trace.sender is not None and answer.sender is not None:
        headers += routing_headers_at(trace.source, trace.sender, answer.sender)
    return headers


def record(answer: Answer, trace: Trace, hub: Hub) -> None:
    """Say and count what happened, once the answer is on its way."""
    seconds = monotonic() - trace.started
    module = _module(trace)
    hub.metrics.message(
        route=trace.route,
        module=module,
        method=trace.method,
        source_version=trace.version,
        target_version=trace.target.version if trace.target else None,
        ocpi_status=answer.ocpi_status,
        seconds=seconds,
    )
    if trace.target is not None:
        hub.metrics.upstream(module, trace.target.platform_id, trace.upstream_s)
    if trace.losses:
        _note_losses(trace, module, hub)
    log_message(_line(_event(trace), answer.http_status, answer.ocpi_status, seconds, trace))


def record_delivery(outcome: str, http_status: int, ocpi_status: int, trace: Trace, hub: Hub) -> None:
    """Say and count what became of a broadcast at one receiver. The statuses are its own, or those of the failure."""
    module = _module(trace)
    if trace.target is not None and trace.upstream_request_id is not None:
        hub.metrics.upstream(module, trace.target.platform_id, trace.upstream_s)
    if trace.losses:
        _note_losses(trace, module, hub)
    line = _line("broadcast_delivery", http_status, ocpi_status, monotonic() - trace.started, trace)
    line.outcome = outcome
    log_message(line)


def _module(trace: Trace) -> str:
    return trace.operation.module if trace.operation else "unknown"


def _event(trace: Trace) -> str:
    if trace.route == "broadcast" and trace.fault is None:
        return "broadcast_accepted"
    return "message_forwarded" if trace.upstream_request_id else "message_refused"


def _line(event: str, http_status: int, ocpi_status: int, seconds: float, trace: Trace) -> MessageLine:
    return MessageLine(
        event=event,
        correlation_id=trace.ids.correlation_id,
        sender=trace.sender and _written(trace.sender),
        receiver=trace.receiver and _written(trace.receiver),
        request_id=trace.ids.request_id,
        upstream_request_id=trace.upstream_request_id,
        module=_module(trace),
        method=trace.method,
        version=trace.version,
        http_status=http_status,
        ocpi_status=ocpi_status,
        hub_ms=_ms(seconds - trace.upstream_s),
        upstream_ms=_ms(trace.upstream_s),
        reason=UNSET if trace.fault is None else trace.fault,
        target_version=_other_version(trace),
        losses=dict(Counter(lost.loss.id for lost in trace.losses)) if trace.losses else UNSET,
    )


@lru_cache(maxsize=16_384)  # who talks goes on talking
def _written(party: Party) -> str:
    return str(party)


def _ms(seconds: float) -> float:
    """Milliseconds, cut off after the microseconds: what `round` would take for three places is a third of the line."""
    return int(seconds * 1_000_000) / 1000


def _other_version(trace: Trace) -> str | UnsetType:
    target = trace.target
    return UNSET if target is None or target.version is trace.version else str(target.version)


def _note_losses(trace: Trace, module: str, hub: Hub) -> None:
    correlation_id = trace.ids.correlation_id
    if trace.source is not None and trace.target is not None:
        hub.losses.note(
            trace.losses, source=trace.source, target=trace.target, module=module, correlation_id=correlation_id
        )
    if hub.settings.log_level != "debug":
        return  # a page has hundreds of them
    for lost in trace.losses:
        log.debug(
            "translation_lost",
            correlation_id=correlation_id,
            loss=lost.loss.id,
            at=lost.loss.pointer,
            object=lost.kind,
            in_answer=lost.in_answer,
        )
