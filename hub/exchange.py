"""One message, from arrival to answer: read, authenticate, decide, take it where it goes, answer.

The one thing a direct message waits for is the partner; what else others may wait for is said in `hub.delivery` and in
the modules of the other ways there are.
"""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog

from hub import callbacks, cdr_locations, page_links
from hub.arrival import (
    Arrival,
    addresses_of,
    body_of,
    check_message,
    connection_of,
    most_bytes,
    operation_of,
    path_of,
)
from hub.authentication import authenticate, known_caller
from hub.broadcasts import broadcast
from hub.choosing import choose, choose_at_once
from hub.delivery import deliver
from hub.fan_out import fan_out
from hub.get_all import get_all, of_one_party
from hub.hub import Hub
from hub.ids import new_id
from hub.journal import failure_of
from hub.loops import Leg
from hub.observability import FilteringBoundLogger, bind_fields
from hub.read_backs import check_was_put, read_back
from hub.refusals import note_refusal
from hub.shown_ids import means_what_it_says, request_as_meant
from hub.store.journal_entries import Failure
from hub.trace import Lost, Trace
from routing.decision import check_sender
from routing.dialects import DIALECTS
from routing.directory import Connection, Platform
from routing.errors import HubError, HubFault, Overloaded
from routing.message import Answer, Message, MessageIds, RoutingHeaders, read_id
from routing.modules import Operation
from routing.outcome import failure, success
from routing.paths import check_query
from routing.routes import Broadcast, FanOut, Forward, GetAll, ReadBack, Route
from routing.translation.crossing import AnsweredByHub, Loss
from routing.vocabulary import Party

log: FilteringBoundLogger = structlog.get_logger()


async def exchange(arrival: Arrival, hub: Hub) -> tuple[Answer, Trace]:
    """Carry one message to where it belongs and bring the answer back. Every failure is an answer, a bug included."""
    sent = arrival.sent
    ids = MessageIds(read_id(sent.get(b"x-request-id")) or new_id(), read_id(sent.get(b"x-correlation-id")) or new_id())
    trace = Trace(
        ids,
        arrival.entrance.version,
        arrival.method,
        entrance=arrival.entrance,
        path=arrival.path,
        query=arrival.query,
        headers=arrival.headers,
    )
    try:
        return await _carry(arrival, trace, hub), trace
    except HubError as error:
        note_refusal(error, trace, hub)
        failed = error
    except AnsweredByHub as answered:
        _note_not_done(answered, trace)
        return success(answered.data, hub.party, datetime.now(UTC)), trace
    except Exception:
        log.exception("message_failed", correlation_id=ids.correlation_id, request_id=ids.request_id)
        failed = HubFault("The hub failed to handle this request")
    trace.fault = str(failed)
    trace.failure = failure_of(failed, was_called=trace.upstream_http_status is not None)
    answer = failure(failed, DIALECTS[arrival.entrance.version], trace.operation, hub.party, datetime.now(UTC))
    return answer, trace


def _note_not_done(answered: AnsweredByHub, trace: Trace) -> None:
    """The answer is a success, and nothing of what was asked for was done."""
    rule, result = answered.rule, answered.data["result"]
    trace.losses += () if rule is None else (Lost(None, False, (Loss(rule, ""),)),)
    trace.fault = result if rule is None else f"{result}: {rule}"
    trace.failure = Failure.UNKNOWN_RECEIVER if rule is None else Failure.UNTRANSLATABLE


async def _carry(arrival: Arrival, trace: Trace, hub: Hub) -> Answer:
    if hub.drain.is_refusing:
        raise Overloaded("This hub is about to stop", retry_after_s=1)
    caller = known_caller(hub, arrival.sent.get(b"authorization"))
    if caller is None:
        caller = await authenticate(hub, arrival.headers, arrival.source)
    platform, source = connection_of(caller, arrival.entrance)
    trace.source = source
    if hub.spans is not None:
        trace.spans = hub.spans.of_message(trace)
    hub.limits.message_of(platform.id)
    hub.amplification.requested(platform.id)
    module, segments = path_of(arrival)
    trace.operation = operation = operation_of(arrival, source, module, segments)
    trace.segments = segments
    addresses = addresses_of(arrival, source, hub.figures.habits)
    trace.receiver = addresses.receiver
    if not platform.is_hub:
        return await _on_its_way(arrival, operation, segments, addresses, platform, source, trace, hub)
    # A message of another hub is noted, in case it comes again.
    leg = Leg.of(trace.ids.correlation_id, operation, segments, arrival.query, addresses)
    async with hub.loops.from_hub(leg):
        return await _on_its_way(arrival, operation, segments, addresses, platform, source, trace, hub)


async def _on_its_way(
    arrival: Arrival,
    operation: Operation,
    segments: tuple[str, ...],
    addresses: RoutingHeaders,
    platform: Platform,
    source: Connection,
    trace: Trace,
    hub: Hub,
) -> Answer:
    trace.sender = check_sender(addresses, source, hub.directory.snapshot)
    most = most_bytes(operation, hub)
    sent = await arrival.read_body(most) if arrival.body is None else arrival.body
    message = Message(
        version=arrival.entrance.version,
        operation=operation,
        segments=segments,
        query=check_query(arrival.query),
        sender=trace.sender,
        receiver=addresses.receiver,
        body=body_of(operation, sent, most),
    )
    own = hub.directory.snapshot.voices_of(platform)
    trace.body = message.body
    trace.members = members = check_message(message, own, arrival)
    followed = await _followed(message, platform, hub) if message.operation.hub_made is not None else None
    if source.face is not None and not means_what_it_says(message, members, source, hub):
        message, members = await request_as_meant(message, members, source, hub)
    route = followed or page_links.follow(message, hub) or choose_at_once(message, members, own, hub)
    if route is None:
        route = await choose(message, members, own, hub)
    return await _take(message, route, source, trace, hub)


def _take(message: Message, route: Route, source: Connection, trace: Trace, hub: Hub) -> Coroutine[Any, Any, Answer]:
    """Take the message where it goes; see `routing.routes`."""
    if isinstance(route, Forward):
        trace.route = _way_of(message, trace.receiver, hub)
        trace.receiver, trace.target = route.receiver, route.connection
    bind_fields(correlation_id=trace.ids.correlation_id, sender=message.sender, receiver=trace.receiver)
    match route:
        case Forward():
            if (its_own := of_one_party(message, route)) is not None:
                return get_all(message, its_own, source, trace, hub, named=route.receiver)
            return deliver(message, route, source, trace, hub)
        case Broadcast():
            trace.route = "broadcast"
            return _broadcast(message, route, source, trace, hub)
        case GetAll():
            trace.route = "get_all"
            return get_all(message, route, source, trace, hub)
        case FanOut():
            trace.route = "open"
            return fan_out(message, route, source, trace, hub)
        case ReadBack():
            trace.route = "hub"
            return read_back(message, route, hub)


async def _broadcast(message: Message, route: Broadcast, source: Connection, trace: Trace, hub: Hub) -> Answer:
    if source.face is not None and message.operation.method == "PATCH":
        await check_was_put(message, trace, hub)
    return await broadcast(message, route, source, trace, hub)


def _way_of(message: Message, named: Party | None, hub: Hub) -> str:
    """How a message found its one receiver. `named` is who it names itself."""
    if message.operation.hub_made is not None:
        return "callback"
    return "open" if named in (None, hub.party) else "direct"


async def _followed(message: Message, platform: Platform, hub: Hub) -> Forward | None:
    """The way of a message to a URL the hub handed out, which says it all."""
    return await callbacks.follow(message, platform.id, hub) or await cdr_locations.follow(message, platform.id, hub)
