"""What is said about one exchange at its end: figures in the metrics, an entry in the journal, a line in the log.

The line is of level `debug` where all went well.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from time import monotonic
from typing import Final

import structlog
from msgspec import UNSET, UnsetType

from hub.hub import Hub
from hub.journal import Noted, failure_of
from hub.journal.failures import SUCCESS
from hub.observability import FilteringBoundLogger, MessageLine, log_message
from hub.store.journal_entries import Failure, Hop
from hub.trace import Trace
from routing.errors import HubError
from routing.message import Answer
from routing.vocabulary import Party

log: FilteringBoundLogger = structlog.get_logger()

_DROPPED: Final[dict[str, tuple[str, Failure | None]]] = {
    "merged": ("A later PUT of the same object went in its place", None),
    "offline": ("The receiver left, or went offline, before its turn came", Failure.RECEIVER_OFFLINE),
    "stale": ("Its turn did not come in time", Failure.TIMEOUT),
}


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
    if trace.target is not None and trace.upstream_request_id is not None:
        hub.metrics.upstream(module, trace.target.platform_id, trace.upstream_s)
    if trace.losses:
        _note_losses(trace, module, hub)
    if _is_logged(answer.http_status, answer.ocpi_status, hub):
        log_message(_line(_event(trace), answer.http_status, answer.ocpi_status, seconds, trace))
    # Of what a receiver refuses, the journal says what its answer told the sender.
    kept = answer if trace.is_captured or (answer.ocpi_status not in SUCCESS and trace.fault is None) else None
    ended = trace.started + seconds
    _note(Noted(Hop.MESSAGE, trace, answer.http_status, answer.ocpi_status, ended, kept), hub)


def record_delivery(outcome: str, http_status: int, ocpi_status: int, trace: Trace, hub: Hub) -> None:
    """Say and count what became of a broadcast at one receiver. The statuses are its own, or those of the failure."""
    module = _module(trace)
    if trace.target is not None and trace.upstream_request_id is not None:
        hub.metrics.upstream(module, trace.target.platform_id, trace.upstream_s)
    if trace.losses:
        _note_losses(trace, module, hub)
    if _is_logged(http_status, ocpi_status, hub):
        line = _line("broadcast_delivery", http_status, ocpi_status, monotonic() - trace.started, trace)
        line.outcome = outcome
        log_message(line)
    _note(Noted(Hop.DELIVERY, trace, http_status, ocpi_status, monotonic()), hub)


def record_dropped(outcome: str, trace: Trace, hub: Hub) -> None:
    """Put into the journal that a receiver of a broadcast was not called."""
    trace.fault, trace.failure = _DROPPED.get(outcome, (outcome, None))
    hub.journal.note(Noted(Hop.DELIVERY, trace, 0, 0, trace.started))


def record_unit(ended: Answer | HubError | None, trace: Trace, hub: Hub) -> None:
    """Put into the journal one of many calls for one message. None: nobody has waited for its answer."""
    http_status, ocpi_status = (0, 0) if ended is None else (ended.http_status, ended.ocpi_status)
    _note(Noted(Hop.UNIT, trace, http_status, ocpi_status, monotonic()), hub)


def record_own(ended: Answer | HubError, trace: Trace, hub: Hub) -> None:
    """Put a message into the journal that the hub wrote by itself."""
    if isinstance(ended, HubError):
        trace.fault = str(ended)
        trace.failure = failure_of(ended, was_called=trace.upstream_http_status is not None)
    _note(Noted(Hop.MESSAGE, trace, ended.http_status, ended.ocpi_status, monotonic()), hub)


def _note(noted: Noted, hub: Hub) -> None:
    hub.journal.note(noted)
    if hub.spans is not None:
        hub.spans.ended(noted)


def _module(trace: Trace) -> str:
    return trace.operation.module if trace.operation else "unknown"


def _event(trace: Trace) -> str:
    if trace.route == "broadcast" and trace.fault is None:
        return "broadcast_accepted"
    return "message_forwarded" if trace.upstream_request_id else "message_refused"


def _is_logged(http_status: int, ocpi_status: int, hub: Hub) -> bool:
    """Whether there is a line about it: most messages go well, and the journal has them all."""
    return http_status >= 400 or ocpi_status not in SUCCESS or hub.settings.log_level == "debug"


def _line(event: str, http_status: int, ocpi_status: int, seconds: float, trace: Trace) -> MessageLine:
    return MessageLine(
        level="debug" if http_status < 400 and ocpi_status in SUCCESS else "info",
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
        losses=_by_id(trace) if trace.losses else UNSET,
    )


def _by_id(trace: Trace) -> dict[str, int]:
    """How often each rule was applied."""
    times: Counter[str] = Counter()
    for lost in trace.losses:
        times.update(dict(lost.by_rule()))
    return times


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
        for loss in lost.losses:
            log.debug(
                "translation_lost",
                correlation_id=correlation_id,
                loss=loss.id,
                at=loss.pointer,
                object=lost.kind,
                in_answer=lost.in_answer,
            )
