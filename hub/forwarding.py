"""The one thing a message waits for: the call at its receiver."""

from __future__ import annotations

from collections.abc import Coroutine
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

import structlog

from hub.events import EventKind
from hub.figures import Habit
from hub.hub import Hub
from hub.ids import new_id
from hub.loops import Leg
from hub.observability import FilteringBoundLogger
from hub.partners.bulkhead import NoSlot
from hub.partners.client import CallLimits
from hub.trace import Trace
from routing.directory import Connection
from routing.errors import ReceiverTimeout, ReceiverUnreachable
from routing.message import JSON, Call, Message, MessageIds, Reply, RoutingHeaders, id_headers
from routing.outcome import misaddressed, refuses_our_token
from routing.receivers import routing_headers_at
from routing.routes import Forward
from routing.vocabulary import ModuleID

log: FilteringBoundLogger = structlog.get_logger()

_OK: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_WITHOUT_METHOD: Final = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
_MIB: Final = 1024 * 1024
_ANSWER_BYTES: Final = 1 * _MIB
_LIST_BYTES: Final = 16 * _MIB


async def send(message: Message, route: Forward, trace: Trace, hub: Hub, *, within_s: float | None = None) -> Reply:
    """Call the receiver, once. Any HTTP status is a Reply. `within_s` is the time it has where that is less than usual.

    Raises:
        ReceiverTimeout, ReceiverUnreachable, NotRoutable: there is none, see `PartnerClient.call` and `Circuits.check`.
    """
    hub.circuits.check(route.connection)
    trace.upstream_request_id = new_id()
    ids = MessageIds(trace.upstream_request_id, trace.ids.correlation_id)
    began = monotonic()
    if trace.source is not None:
        hub.amplification.called(trace.source.platform_id)
    call, limits = _call(message, route, ids), _limits(message, route, began - trace.started, hub, within_s)
    trace.call = call
    try:
        if route.connection.is_hub:
            async with hub.loops.to_hub(_leg(message, route, ids)):
                reply = await _made(call, limits, message, route, trace, hub)
        else:
            reply = await _made(call, limits, message, route, trace, hub)
    except (ReceiverTimeout, ReceiverUnreachable) as error:
        if isinstance(error, NoSlot):
            hub.figures.habits.saw(route.connection.platform_id, Habit.NO_SLOT)
        hub.presence.check_soon(route.connection)
        raise
    finally:
        trace.upstream_s = monotonic() - began
    trace.upstream_http_status = reply.http_status
    trace.reply = None if reply.http_status in _OK and not trace.is_captured else reply
    if reply.http_status not in _OK and (habit := _habit(message, route.connection, reply)) is not None:
        hub.figures.habits.saw(route.connection.platform_id, habit)
    hub.presence.seen(route.connection.id)
    if route.connection.face is not None:
        hub.first_pushes.note(message, route.connection, reply)
    if refuses_our_token(reply):
        _alarm(route, trace, reply, hub)
    elif route.connection.platform_id in hub.presence.refusing and reply.http_status in _OK:
        hub.presence.refusing.discard(route.connection.platform_id)
        hub.events.over(EventKind.PARTNER_REFUSES_TOKEN, platform_id=route.connection.platform_id)
    if wrong := misaddressed(reply, route.speaker or message.sender, route.receiver):
        log.info("answer_addressed_wrongly", platform_id=route.connection.platform_id, said=wrong)
    return reply


def _made(
    call: Call, limits: CallLimits, message: Message, route: Forward, trace: Trace, hub: Hub
) -> Coroutine[Any, Any, Reply]:
    if trace.spans is None:
        return hub.circuits.call(route.connection, call, limits)
    sender, request_id = route.speaker or message.sender, trace.upstream_request_id
    note = trace.spans.call(call, message.operation.module, route.connection, sender, route.receiver, request_id)
    return note.of(hub.circuits.call(route.connection, call, limits))


def _leg(message: Message, route: Forward, ids: MessageIds) -> Leg:
    addresses = RoutingHeaders(route.receiver, route.speaker or message.sender)
    return Leg.of(ids.correlation_id, message.operation, message.segments, message.query, addresses)


def _call(message: Message, route: Forward, ids: MessageIds) -> Call:
    headers = [(b"authorization", route.connection.authorization.reveal().encode("ascii")), *id_headers(ids)]
    headers += routing_headers_at(route.connection, route.receiver, route.speaker or message.sender)
    if message.body is not None:
        headers.append(JSON)
    return Call(message.operation.method, route.url, headers, message.body)


def time_for(message: Message, connection: Connection, hub: Hub) -> float:
    """The seconds that a message to this partner may take as a whole."""
    settings = hub.settings
    authorizing = message.operation.method == "POST" and message.operation.module == ModuleID.TOKENS
    return connection.quirks.timeout_s or (settings.authorize_timeout_s if authorizing else settings.forward_timeout_s)


def _limits(message: Message, route: Forward, spent_s: float, hub: Hub, within_s: float | None) -> CallLimits:
    """What the receiver may take of the message's time, and of the hub's memory."""
    settings = hub.settings
    total_s = max(time_for(message, route.connection, hub) - spent_s, 0.0)
    return CallLimits(
        total_s=total_s if within_s is None else min(total_s, within_s),
        connect_s=settings.connect_timeout_s,
        max_answer_bytes=_LIST_BYTES if message.operation.paged else _ANSWER_BYTES,
        concurrency=route.connection.quirks.concurrency,
        platform_id=route.connection.platform_id,
        allow_private=settings.allow_private_partners,
    )


def _habit(message: Message, connection: Connection, reply: Reply) -> Habit | None:
    """What an answer that is no success says about the partner, if anything."""
    method = message.operation.method
    if method == "PATCH" and reply.http_status in _WITHOUT_METHOD:
        return Habit.PATCH_REFUSED
    if reply.http_status in _REDIRECTS:
        return Habit.REDIRECTED
    is_unheard = method == "PUT" and reply.http_status == HTTPStatus.NOT_FOUND and connection.face is not None
    return Habit.PUT_NOT_FOUND if is_unheard else None


def _alarm(route: Forward, trace: Trace, reply: Reply, hub: Hub) -> None:
    """A partner that refuses the hub's token needs its operator, and a look whether it is there at all."""
    log.error(
        "partner_refuses_our_token",
        platform=route.connection.platform_name,
        platform_id=route.connection.platform_id,
        http_status=reply.http_status,
        advice="ask them to PUT their credentials; if they cannot, remove the platform and invite it again",
    )
    hub.presence.refusing.add(route.connection.platform_id)
    hub.events.happened(
        EventKind.PARTNER_REFUSES_TOKEN,
        platform_id=route.connection.platform_id,
        correlation_id=trace.ids.correlation_id,
        http_status=str(reply.http_status),
    )
    hub.presence.check_soon(route.connection)
