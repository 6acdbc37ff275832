"""The one thing a message waits for: the call at its receiver."""

from __future__ import annotations

from time import monotonic
from typing import Final

import structlog

from hub.hub import Hub
from hub.ids import new_id
from hub.observability import FilteringBoundLogger
from hub.partners.client import CallLimits
from hub.trace import Trace
from routing.decision import Forward
from routing.dialects import DIALECTS
from routing.message import JSON, Call, Message, MessageIds, Reply, id_headers, routing_headers
from routing.outcome import misaddressed, refuses_our_token
from routing.vocabulary import ModuleID

log: FilteringBoundLogger = structlog.get_logger()

_MIB: Final = 1024 * 1024
_ANSWER_BYTES: Final = 1 * _MIB
_LIST_BYTES: Final = 16 * _MIB


async def send(message: Message, route: Forward, trace: Trace, hub: Hub) -> Reply:
    """Call the receiver, once. Any HTTP status is a Reply.

    Raises:
        ReceiverTimeout, ReceiverUnreachable, NotRoutable: there is none, see `PartnerClient.call`.
    """
    trace.upstream_request_id = new_id()
    ids = MessageIds(trace.upstream_request_id, trace.ids.correlation_id)
    began = monotonic()
    try:
        reply = await hub.partners.call(_call(message, route, ids), _limits(message, route, began - trace.started, hub))
    finally:
        trace.upstream_s = monotonic() - began
    hub.presence.seen(route.connection.id)
    if refuses_our_token(reply):
        _alarm(route, reply, hub)
    if wrong := misaddressed(reply, message.sender, route.receiver):
        log.info("answer_addressed_wrongly", platform_id=route.connection.platform_id, said=wrong)
    return reply


def _call(message: Message, route: Forward, ids: MessageIds) -> Call:
    headers = [(b"authorization", route.connection.authorization.reveal().encode("ascii")), *id_headers(ids)]
    if DIALECTS[route.connection.version].routing_headers:
        headers += routing_headers(route.receiver, message.sender)
    if message.body is not None:
        headers.append(JSON)
    return Call(message.operation.method, route.url, headers, message.body)


def _limits(message: Message, route: Forward, spent_s: float, hub: Hub) -> CallLimits:
    """What the receiver may take of the message's time, and of the hub's memory."""
    settings, quirks = hub.settings, route.connection.quirks
    authorizing = message.operation.module == ModuleID.TOKENS and message.operation.method == "POST"
    total_s = quirks.timeout_s or (settings.authorize_timeout_s if authorizing else settings.forward_timeout_s)
    return CallLimits(
        total_s=max(total_s - spent_s, 0.0),
        connect_s=settings.connect_timeout_s,
        max_answer_bytes=_LIST_BYTES if message.operation.paged else _ANSWER_BYTES,
        concurrency=quirks.concurrency,
        platform_id=route.connection.platform_id,
        allow_private=settings.allow_private_partners,
    )


def _alarm(route: Forward, reply: Reply, hub: Hub) -> None:
    """A partner that refuses the hub's token needs its operator, and a look whether it is there at all."""
    log.error(
        "partner_refuses_our_token",
        platform=route.connection.platform_name,
        platform_id=route.connection.platform_id,
        http_status=reply.http_status,
        advice="rotate the tokens of this platform, or let it register again",
    )
    hub.presence.check_soon(route.connection)
