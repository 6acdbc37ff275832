"""One message, from arrival to answer: read, authenticate, decide, send, answer; and translate, where versions differ.

The one thing a message waits for is the partner. Only commands, their results and CDRs wait for the store, too:
what the hub gives out URLs for has to be known after a restart. A translation may have to look something up first.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import structlog
from msgspec import UNSET

from hub import callbacks, cdr_locations, page_links
from hub.arrival import Arrival, addresses_of, body_of, check_message, connection_of, operation_of
from hub.forwarding import send
from hub.hub import Hub
from hub.ids import new_id
from hub.lessons import learn_untranslated
from hub.observability import FilteringBoundLogger, bind_fields
from hub.trace import Trace, TranslationLoss
from hub.translating import Translation
from routing.decision import Forward, check_sender, decide, url_at
from routing.dialects import DIALECTS
from routing.directory import Connection, Platform
from routing.errors import HubError, HubFault, Overloaded
from routing.message import Answer, Message, MessageIds, RawHeaders, Reply, read_id
from routing.outcome import answer_of, failure, in_codes_of, success
from routing.paths import check_query, endpoint_path, read_path
from routing.translation.crossing import AnsweredByHub, Loss

log: FilteringBoundLogger = structlog.get_logger()


async def exchange(arrival: Arrival, hub: Hub) -> tuple[Answer, Trace]:
    """Carry one message to where it belongs and bring the answer back. Every failure is an answer, a bug included."""
    ids = MessageIds(
        read_id(arrival.headers, b"x-request-id") or new_id(), read_id(arrival.headers, b"x-correlation-id") or new_id()
    )
    trace = Trace(ids, arrival.entrance.version, arrival.method)
    try:
        return await _carry(arrival, trace, hub), trace
    except HubError as error:
        failed = error
    except AnsweredByHub as answered:
        trace.losses.append(TranslationLoss(None, False, Loss(answered.rule, "")))
        return success(answered.data, hub.party, datetime.now(UTC)), trace
    except Exception:
        log.exception("message_failed", correlation_id=ids.correlation_id, request_id=ids.request_id)
        failed = HubFault("The hub failed to handle this request")
    trace.fault = str(failed)
    answer = failure(failed, DIALECTS[arrival.entrance.version], trace.operation, hub.party, datetime.now(UTC))
    return answer, trace


async def _carry(arrival: Arrival, trace: Trace, hub: Hub) -> Answer:
    if hub.drain.is_draining:
        raise Overloaded("This hub is about to stop", retry_after_s=1)
    platform, source = await connection_of(arrival, hub)
    trace.source = source
    hub.limits.message_of(platform.id)
    module, segments = read_path(arrival.path)
    trace.operation = operation = operation_of(arrival, source, module, segments)
    addresses = addresses_of(arrival, source)
    trace.receiver = addresses.receiver
    trace.sender = check_sender(addresses, source, hub.directory.snapshot)
    message = Message(
        version=arrival.entrance.version,
        operation=operation,
        segments=segments,
        query=check_query(arrival.query),
        sender=trace.sender,
        receiver=addresses.receiver,
        body=await body_of(arrival, operation, hub),
    )
    check_message(message, platform, arrival)
    directory = hub.directory.snapshot  # of now: the body may have taken its time
    followed = await _followed(message, platform, hub) if message.operation.hub_made is not None else None
    route = followed or page_links.follow(message, hub) or decide(message, directory, hub.party)
    trace.receiver, trace.target = route.receiver, route.connection
    bind_fields(correlation_id=trace.ids.correlation_id, sender=message.sender, receiver=route.receiver)
    return await _deliver(message, route, source, trace, hub)


async def _deliver(message: Message, route: Forward, source: Connection, trace: Trace, hub: Hub) -> Answer:
    translation = Translation.of(message, route, source, trace, hub)
    if translation is None:
        return await _send(message, message, route, source, trace, hub)
    async with translation.turn(hub):
        outgoing = await translation.request(trace, hub)
        if outgoing is None:
            return success(UNSET, route.receiver, datetime.now(UTC))
        return await _send(message, outgoing, route, source, trace, hub, translation)


async def _send(
    message: Message,
    outgoing: Message,
    route: Forward,
    source: Connection,
    trace: Trace,
    hub: Hub,
    translation: Translation | None = None,
) -> Answer:
    callback_id: str | None = None
    if callbacks.expects_result(outgoing):
        outgoing, callback_id = await callbacks.with_hub_url(outgoing, route, source, hub)
    if outgoing is not message and not route.given:
        route = msgspec.structs.replace(route, url=url_at(route.connection, outgoing))
    if message.operation.hub_made is not None:
        await callbacks.note_result(message, route, hub)
    reply = await send(outgoing, route, trace, hub)
    now = datetime.now(UTC)
    answer = said = answer_of(reply, route.receiver, now)
    if translation is None:
        learn_untranslated(message, route, source, answer, hub)
    else:
        answer = await translation.answer(answer, trace, hub)
    answer = in_codes_of(message.dialect, answer, message.operation, now, outgoing.dialect)
    if callback_id is not None:
        await callbacks.keep_as_long_as_promised(callback_id, said, source, route, hub)
    if source.quirks.notify_losses and trace.losses:
        answer.headers.append(trace.losses_header())
    if message.operation.paged or message.operation.method == "POST":
        answer.headers.extend(await _links(message, outgoing, route, reply, source, hub))
    return answer


async def _followed(message: Message, platform: Platform, hub: Hub) -> Forward | None:
    """The way of a message to a URL the hub handed out, which says it all."""
    return await callbacks.follow(message, platform.id, hub) or await cdr_locations.follow(message, platform.id, hub)


async def _links(
    message: Message, outgoing: Message, route: Forward, reply: Reply, source: Connection, hub: Hub
) -> RawHeaders:
    """Link and Location, so that they lead the requester through the hub, and what a page is measured by."""
    operation = message.operation
    endpoint = endpoint_path(message.version, operation.module, operation.interface, source.face)
    own_url = "/".join((hub.settings.public_url + endpoint, *message.segments))
    if operation.paged:
        return page_links.limit(route, reply) + page_links.next_page(message, outgoing, route, reply, own_url, hub)
    return await cdr_locations.location(message, route, reply, source.platform_id, own_url, hub)
