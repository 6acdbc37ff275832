"""One message, from arrival to answer: read, authenticate, decide, send, answer, record.

Everything is decided from the directory snapshot; the one thing a message waits for is the partner.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from hub import callbacks, cdr_locations, page_links
from hub.authentication import authenticate
from hub.hub import Hub
from hub.ids import new_id
from hub.observability import FilteringBoundLogger, bound_fields
from hub.partners.client import CallLimits
from routing.bodies import check_charset, is_absent, read_members, without_bom
from routing.decision import Forward, check_object, check_owner, check_sender, decide, url_at
from routing.dialects import DIALECTS
from routing.directory import Connection, Platform, Registered
from routing.errors import HubError, InvalidParameters, NoSuchPath, Overloaded, Unauthorized
from routing.message import (
    NO_ROUTING,
    Answer,
    Call,
    Message,
    MessageIds,
    RawHeaders,
    Reply,
    RoutingHeaders,
    header,
    id_headers,
    read_id,
    read_routing_headers,
    routing_headers,
)
from routing.modules import Operation, custom_operation, operation_at
from routing.outcome import answer_of, failure, in_codes_of, refuses_our_token
from routing.paths import Entrance, check_query, endpoint_path, read_path
from routing.vocabulary import ModuleID, Party

log: FilteringBoundLogger = structlog.get_logger()

_MIB: Final = 1024 * 1024
_BODY_BYTES: Final = 2 * _MIB
_LARGE_BODY_BYTES: Final[dict[str, int]] = {ModuleID.CDRS: 4 * _MIB, ModuleID.SESSIONS: 4 * _MIB}
_ANSWER_BYTES: Final = 1 * _MIB
_LIST_BYTES: Final = 16 * _MIB
_JSON: Final = (b"content-type", b"application/json")


class Arrival(Struct, frozen=True, eq=False):
    """A request as the listener hands it over, its body not read yet."""

    entrance: Entrance
    method: str
    path: str
    """Below the entrance, percent-encoded as it came."""
    query: str
    headers: RawHeaders
    source: str
    """The address it came from."""
    read_body: Callable[[int], Awaitable[bytes]]
    """The body, of at most so many bytes; raises TooLarge."""


class Trace(Struct, eq=False):
    """What becomes known about one exchange by and by: for the headers of its answer, its log line, its metrics."""

    ids: MessageIds
    started: float
    operation: Operation | None = None
    sender: Party | None = None
    receiver: Party | None = None
    source: Connection | None = None
    target: Connection | None = None
    upstream_request_id: str | None = None
    upstream_s: float = 0.0


async def exchange(arrival: Arrival, hub: Hub) -> tuple[Answer, Trace]:
    """Carry one message to where it belongs and bring the answer back. Every failure is an answer, too."""
    ids = MessageIds(
        read_id(arrival.headers, b"x-request-id") or new_id(), read_id(arrival.headers, b"x-correlation-id") or new_id()
    )
    trace = Trace(ids, monotonic())
    try:
        answer = await _carry(arrival, trace, hub)
    except HubError as error:
        answer = failure(error, DIALECTS[arrival.entrance.version], trace.operation, hub.party, datetime.now(UTC))
    return answer, trace


def answer_headers(answer: Answer, trace: Trace) -> RawHeaders:
    """All headers of the answer, Content-Length included: those of the answer, ids, and who speaks to whom."""
    headers = [_JSON, (b"content-length", b"%d" % len(answer.body)), *id_headers(trace.ids), *answer.headers]
    spoken = trace.source is not None and DIALECTS[trace.source.version].routing_headers
    if spoken and trace.sender is not None and answer.sender is not None:
        headers += routing_headers(trace.sender, answer.sender)
    return headers


def record(answer: Answer, trace: Trace, arrival: Arrival, hub: Hub) -> None:
    """Say and count what happened, once the answer is on its way."""
    seconds = monotonic() - trace.started
    module = trace.operation.module if trace.operation else "unknown"
    route = "direct" if trace.target else "refused"
    hub.metrics.message(
        route=route,
        module=module,
        method=arrival.method,
        source_version=arrival.entrance.version,
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
        method=arrival.method,
        version=arrival.entrance.version,
        http_status=answer.http_status,
        ocpi_status=answer.ocpi_status,
        hub_ms=round((seconds - trace.upstream_s) * 1000, 3),
        upstream_ms=round(trace.upstream_s * 1000, 3),
    )


async def _carry(arrival: Arrival, trace: Trace, hub: Hub) -> Answer:
    if hub.drain.is_draining:
        raise Overloaded("This hub is about to stop", retry_after_s=1)
    platform, connection = await _caller(arrival, hub)
    trace.source = connection
    hub.limits.message_of(platform.id)
    module, segments = read_path(arrival.path)
    trace.operation = operation = _operation(arrival, connection, module, segments)
    addresses = _addresses(arrival, connection)
    trace.receiver = addresses.receiver
    trace.sender = check_sender(addresses, connection, hub.directory.snapshot)
    message = Message(
        version=arrival.entrance.version,
        operation=operation,
        segments=segments,
        query=check_query(arrival.query),
        sender=trace.sender,
        receiver=addresses.receiver,
        body=await _read_body(arrival, operation, hub),
    )
    _check(message, platform, arrival)
    route = await _route(message, platform, hub)
    trace.receiver, trace.target = route.receiver, route.connection
    with bound_fields(correlation_id=trace.ids.correlation_id, sender=message.sender, receiver=route.receiver):
        return await _deliver(message, route, connection, trace, hub)


async def _deliver(message: Message, route: Forward, source: Connection, trace: Trace, hub: Hub) -> Answer:
    message, callback_id = await callbacks.with_hub_url(message, route, source, hub)
    if callback_id is not None:
        route = msgspec.structs.replace(route, url=url_at(route.connection, message))
    reply = await _send(message, route, trace, hub)
    now = datetime.now(UTC)
    answer = in_codes_of(message.dialect, answer_of(reply, route.receiver, now), message.operation, now)
    if callback_id is not None:
        await callbacks.keep_as_long_as_promised(callback_id, answer, hub)
    answer.headers.extend(await _links(message, route, reply, source, hub))
    return answer


async def _route(message: Message, platform: Platform, hub: Hub) -> Forward:
    """The way of a message: a URL the hub handed out says it all, otherwise its addresses do."""
    if message.operation.hub_made is not None:
        followed = await callbacks.follow(message, platform.id, hub) or await cdr_locations.follow(
            message, platform.id, hub
        )
    else:
        followed = page_links.follow(message, hub)
    return followed or decide(message, hub.directory.snapshot, hub.party)


async def _links(message: Message, route: Forward, reply: Reply, source: Connection, hub: Hub) -> RawHeaders:
    """Link and Location, so that they lead the requester through the hub, and what a page is measured by."""
    operation = message.operation
    if not operation.paged and operation.method != "POST":
        return []
    endpoint = endpoint_path(message.version, operation.module, operation.interface, source.face)
    own_url = "/".join((hub.settings.public_url + endpoint, *message.segments))
    if operation.paged:
        return page_links.limit(route, reply) + page_links.next_page(message, route, reply, own_url, hub)
    return await cdr_locations.location(message, route, reply, source.platform_id, own_url, hub)


async def _caller(arrival: Arrival, hub: Hub) -> tuple[Platform, Connection]:
    caller = await authenticate(hub, arrival.headers, arrival.source)
    if not isinstance(caller, Registered):
        raise Unauthorized
    connection, entrance = caller.connection, arrival.entrance
    if connection.version is not entrance.version or connection.face is not entrance.face:
        raise NoSuchPath(f"This connection is registered for OCPI {connection.version}; see its version details")
    return caller.platform, connection


def _operation(arrival: Arrival, connection: Connection, module: str, segments: tuple[str, ...]) -> Operation:
    if module in connection.quirks.custom_modules:
        return custom_operation(module, arrival.entrance.interface_of(module), arrival.method)
    module = module.lower()  # identifiers are CiStrings
    interface = arrival.entrance.interface_of(module)
    return operation_at(arrival.entrance.version, module, interface, arrival.method, segments)


def _addresses(arrival: Arrival, connection: Connection) -> RoutingHeaders:
    """Who writes to whom, as far as the message says."""
    if DIALECTS[connection.version].routing_headers:
        if connection.quirks.strict_ids:
            _check_ids(arrival.headers)
        return read_routing_headers(arrival.headers)
    if connection.quirks.routing_headers_211:
        return read_routing_headers(arrival.headers)
    return NO_ROUTING


def _check_ids(headers: RawHeaders) -> None:
    for name in (b"x-request-id", b"x-correlation-id"):
        if header(headers, name) is None:
            raise InvalidParameters(f"The header {name.decode().title()} is missing")


async def _read_body(arrival: Arrival, operation: Operation, hub: Hub) -> bytes | None:
    limit = hub.settings.max_body_bytes or _LARGE_BODY_BYTES.get(operation.module, _BODY_BYTES)
    body = await arrival.read_body(limit)
    return None if operation.body is None else without_bom(body)


def _check(message: Message, platform: Platform, arrival: Arrival) -> None:
    check_owner(message, platform)
    rule, body = message.operation.body, message.body
    if rule is None or body is None or (rule.optional and is_absent(body)):
        return
    content_type = header(arrival.headers, b"content-type")
    check_charset(None if content_type is None else content_type.decode("latin-1"))
    check_object(message, platform, read_members(body), rule)


async def _send(message: Message, route: Forward, trace: Trace, hub: Hub) -> Reply:
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
    _note_wrong_address(message, route, reply)
    return reply


def _call(message: Message, route: Forward, ids: MessageIds) -> Call:
    headers = [(b"authorization", route.connection.authorization.reveal().encode("ascii")), *id_headers(ids)]
    if DIALECTS[route.connection.version].routing_headers:
        headers += routing_headers(route.receiver, message.sender)
    if message.body is not None:
        headers.append(_JSON)
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


def _note_wrong_address(message: Message, route: Forward, reply: Reply) -> None:
    """The hub knows by itself who answers whom. A partner who says otherwise should hear of it one day."""
    right = dict(routing_headers(message.sender, route.receiver))
    wrong = {name: value for name, value in reply.headers if value.upper() != right.get(name, value.upper())}
    if wrong:
        said = {name.decode("latin-1"): value.decode("latin-1") for name, value in wrong.items()}
        log.info("answer_addressed_wrongly", platform_id=route.connection.platform_id, said=said)


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
