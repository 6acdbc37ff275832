"""An accepted broadcast on its way to its receivers: one attempt at each, and what became of it.

======================  ==================================================================
outcome                 at this receiver
======================  ==================================================================
delivered               it took the push
refused                 it answered, with an error
unneeded                a PATCH of which its version has no word: it was not called
untranslatable          its version has no words for the object: it was not called
timeout, unreachable    called without an answer
failed                  anything else that went wrong, such as an answer that is no OCPI
offline                 it left, or went offline, before its turn came
merged                  a later PUT of the same object was waiting, and went in its place
stale                   its turn did not come in time
taken_over              another process has it, because this one seemed to be gone
======================  ==================================================================
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple
from urllib.parse import unquote

import msgspec
import structlog
from msgspec import Struct, field

from hub.delivery import deliver
from hub.delivery_line import PER_LANE, Job
from hub.hub import Hub
from hub.journal import failure_of
from hub.lessons import went_well
from hub.observability import FilteringBoundLogger
from hub.recording import record_delivery, record_dropped
from hub.refusals import note_refusal
from hub.shared_translations import SharedTranslations
from hub.span_notes import SpanNotes
from hub.store.broadcast_stream import Kept
from hub.store.journal_entries import Failure
from hub.trace import Trace
from hub.translating import Outgoing
from routing.bodies import owner_in_path
from routing.directory import Connection, PartyDirectory
from routing.errors import HubError, HubFault, ReceiverTimeout, ReceiverUnreachable, Untranslatable
from routing.message import Message, MessageIds
from routing.modules import OWNER
from routing.receivers import url_at
from routing.routes import Forward
from routing.translation.crossing import AnsweredByHub
from routing.vocabulary import ConnectionStatus, Party

log: FilteringBoundLogger = structlog.get_logger()


class Push(Struct, eq=False):
    """One accepted broadcast in the hands of this process."""

    message: Message
    source: Connection
    ids: MessageIds
    directory: PartyDirectory
    """The one its routes were found in."""
    until: float
    """A delivery begins before this time of the event loop, or never."""
    size: int
    """The bytes it takes room for."""
    kept: Kept
    open: int
    """Receivers that it is not done with."""
    spans: SpanNotes | None = None
    """Of the message, where this process accepted it."""
    translations: SharedTranslations[Outgoing] = field(default_factory=SharedTranslations)


class _Ended(NamedTuple):
    """What became of one attempt."""

    outcome: str
    http_status: int
    ocpi_status: int
    answers: bool | None
    """Whether the receiver answers calls; None when it was not called."""


def about(message: Message) -> str:
    """Which object a push is about. An EVSE and a Connector are parts of their Location."""
    path = message.operation.path
    first_id = next(at for at, name in enumerate(path) if at >= len(OWNER) and name.startswith("{"))
    object_id = unquote(message.segments[first_id]).upper()
    return f"{message.operation.module} {owner_in_path(message.segments)} {object_id}"


def take_up(push: Push, receivers: Sequence[Forward], hub: Hub) -> None:
    """Have this brought to its receivers, of whom there is at least one."""
    hub.drain.entered()
    by_name = {str(receiver.receiver): receiver for receiver in receivers}

    def release(names: Collection[str]) -> None:
        hub.line.add(_jobs(push, [by_name[name] for name in names], hub))

    hub.accepted_broadcasts.take_up(push.kept, tuple(by_name), release)


def _jobs(push: Push, routes: Iterable[Forward], hub: Hub) -> Iterator[Job]:
    chain, whole = about(push.message), _whole(push.message)
    for route in routes:
        yield Job(
            lane=route.connection.platform_id,
            chain=(route.receiver, chain),
            until=push.until,
            begin=partial(_begin, push, route, hub),
            drop=partial(drop, push, route.receiver, hub),
            whole=whole,
            slots=min(PER_LANE, route.connection.quirks.concurrency),
        )


def _whole(message: Message) -> tuple[str, ...] | None:
    """What a PUT says everything about. A PATCH says only what has changed."""
    return (*message.segments, message.query) if message.operation.method == "PUT" else None


def drop(push: Push, receiver: Party, hub: Hub, outcome: str) -> None:
    """This receiver is not called."""
    log.info(
        "broadcast_dropped",
        correlation_id=push.ids.correlation_id,
        request_id=push.ids.request_id,
        sender=push.message.sender,
        receiver=receiver,
        module=push.message.operation.module,
        method=push.message.operation.method,
        outcome=outcome,
    )
    if outcome != "taken_over":  # the process that has it says what becomes of it
        record_dropped(outcome, _trace_of(push, receiver), hub)
    _end(push, receiver, outcome, hub)


async def _begin(push: Push, route: Forward, hub: Hub) -> bool | None:
    """Call this receiver, if it is still there. Returns whether it answers; None when it was not called."""
    if not push.kept.is_ours:
        drop(push, route.receiver, hub, "taken_over")
        return None
    current = _route_now(push, route, hub.directory.snapshot)
    if current is None:
        drop(push, route.receiver, hub, "offline")
        return None
    trace = _trace_of(push, route.receiver)
    trace.target = current.connection
    if hub.spans is not None:
        trace.spans = hub.spans.of_delivery(push.spans)
    with hub.metrics.broadcast_in_flight():
        ended = await _attempt(push, current, trace, hub)
    record_delivery(ended.outcome, ended.http_status, ended.ocpi_status, trace, hub)
    hub.missed_broadcasts.ended(
        current.connection.platform_id, ended.outcome, push.message.operation.module, push.ids.correlation_id
    )
    _end(push, route.receiver, ended.outcome, hub)
    return ended.answers


def _trace_of(push: Push, receiver: Party) -> Trace:
    message = push.message
    return Trace(
        push.ids,
        message.version,
        message.operation.method,
        operation=message.operation,
        sender=message.sender,
        receiver=receiver,
        source=push.source,
        route="broadcast",
        query=message.query,
        segments=message.segments,
        body=message.body,
    )


def _route_now(push: Push, route: Forward, directory: PartyDirectory) -> Forward | None:
    """The route with the connection as it is now; None when the receiver has left, or is not there at present."""
    if directory is push.directory:
        return route
    entry = directory.entry(route.receiver)
    if entry is None or entry.status is not ConnectionStatus.CONNECTED:
        return None
    connections = directory.platform(entry.platform_id).connections
    connection = next((each for each in connections if each.id == route.connection.id), None)
    if connection is route.connection:
        return route
    operation = push.message.operation
    if connection is None or (operation.module, operation.interface) not in connection.endpoints:
        return None
    return msgspec.structs.replace(route, connection=connection, url=url_at(connection, push.message))


async def _attempt(push: Push, route: Forward, trace: Trace, hub: Hub) -> _Ended:
    try:
        answer = await deliver(push.message, route, push.source, trace, hub, push.translations)
    except AnsweredByHub as answered:
        trace.fault, trace.failure = answered.rule, Failure.UNTRANSLATABLE
        return _Ended("untranslatable", 200, 4000, answers=None)
    except HubError as error:
        trace.fault = str(error)
        note_refusal(error, trace, hub)
        outcome, called = _failure(error), trace.upstream_request_id is not None
        trace.failure = failure_of(error, was_called=trace.upstream_http_status is not None)
        is_silent = isinstance(error, ReceiverTimeout | ReceiverUnreachable)
        return _Ended(outcome, error.http_status, error.ocpi_status, answers=not is_silent if called else None)
    except Exception:  # a bug at one receiver must not end in silence
        log.exception("broadcast_failed", correlation_id=push.ids.correlation_id, receiver=route.receiver)
        trace.fault, trace.failure = "The hub failed to deliver this", Failure.HUB_ERROR
        return _Ended("failed", HubFault.http_status, HubFault.ocpi_status, answers=None)
    if trace.upstream_request_id is None:
        return _Ended("unneeded", answer.http_status, answer.ocpi_status, answers=None)
    outcome = "delivered" if went_well(answer) else "refused"
    return _Ended(outcome, answer.http_status, answer.ocpi_status, answers=True)


def _failure(error: HubError) -> str:
    match error:
        case ReceiverTimeout():
            return "timeout"
        case ReceiverUnreachable():
            return "unreachable"
        case Untranslatable():
            return "untranslatable"
        case _:
            return "failed"


def _end(push: Push, receiver: Party, outcome: str, hub: Hub) -> None:
    hub.metrics.broadcast_delivery(push.message.operation.module, outcome)
    hub.accepted_broadcasts.done(push.kept, str(receiver))
    hub.line.room.give(1, 0)
    push.open -= 1
    if not push.open:
        hub.line.room.give(0, push.size)
        hub.accepted_broadcasts.finish(push.kept)
        hub.drain.left()
