"""A message that goes to one party: translated where versions differ, sent, and its answer made the requester's own.

Only commands, their results and CDRs wait for the store, too: what the hub gives out URLs for has to be known after a
restart. A translation may have to look something up first.
"""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET

from hub import callbacks, cdr_locations, page_links, whole_objects
from hub.forwarding import send
from hub.hub import Hub
from hub.lessons import learn_untranslated, learn_ways, went_well
from hub.shared_translations import SharedTranslations
from hub.shown_ids import answer_as_meant, answer_as_shown, request_as_shown
from hub.trace import Trace
from hub.translating import Outgoing, Translation
from routing.directory import Connection
from routing.message import Answer, Message, RawHeaders, Reply
from routing.outcome import answer_of, in_codes_of, success
from routing.paths import endpoint_path
from routing.receivers import url_at
from routing.routes import Forward
from routing.vocabulary import ModuleID


def deliver(
    message: Message,
    route: Forward,
    source: Connection,
    trace: Trace,
    hub: Hub,
    shared: SharedTranslations[Outgoing] | None = None,
) -> Coroutine[Any, Any, Answer]:
    """Bring a message to its receiver and the receiver's answer back, in the version of who sent it.

    `shared` is what deliveries of the same message to others have in common with this one.

    Raises:
        HubError: it cannot be said there, or there is no answer.
        AnsweredByHub: the hub answers in place of the receiver.
    """
    if message.operation.paged and not route.given:
        message, route = page_links.in_bounds(message, route, hub)
    if whole_objects.needs_whole(message, route):
        return _deliver_whole(message, route, source, trace, hub)
    return _deliver(message, message, route, source, trace, hub, shared)


async def _deliver_whole(message: Message, route: Forward, source: Connection, trace: Trace, hub: Hub) -> Answer:
    async with whole_objects.turn(message, route, hub):
        whole = await whole_objects.as_put(message, route, trace, hub)
        return await _deliver(message, whole, route, source, trace, hub)


def _deliver(
    message: Message,
    meant: Message,
    route: Forward,
    source: Connection,
    trace: Trace,
    hub: Hub,
    shared: SharedTranslations[Outgoing] | None = None,
) -> Coroutine[Any, Any, Answer]:
    """`meant` is the message, or what stands for it at this receiver, in the version of who sent it."""
    translation = Translation.of(meant, route, source, trace, hub)
    if translation is None:
        return _send(message, meant, route, source, trace, hub)
    return _deliver_translated(message, translation, route, source, trace, hub, shared)


async def _deliver_translated(
    message: Message,
    translation: Translation,
    route: Forward,
    source: Connection,
    trace: Trace,
    hub: Hub,
    shared: SharedTranslations[Outgoing] | None,
) -> Answer:
    turn = translation.turn
    if turn is not None and not hub.one_at_a_time.take(turn):
        await hub.one_at_a_time.wait(turn, translation.patience_s(hub))
    try:
        outgoing = await translation.request(trace, hub, shared)
        if outgoing is None:
            return success(UNSET, route.receiver, datetime.now(UTC))
        return await _send(message, outgoing, route, source, trace, hub, translation)
    finally:
        if turn is not None:
            hub.one_at_a_time.leave(turn)


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
        trace.callback_id = callback_id
    if route.connection.face is not None:
        outgoing = await request_as_shown(message, outgoing, route, hub)
    if not (route.given or outgoing is message or _is_at_its_place(outgoing, message)):
        route = msgspec.structs.replace(route, url=url_at(route.connection, outgoing))
    if message.operation.hub_made is not None:
        await callbacks.note_result(message, route, hub)
    reply = await send(outgoing, route, trace, hub)
    now = datetime.now(UTC)
    said = answer_of(reply, route.receiver, now)
    trace.upstream_ocpi_status = said.ocpi_status
    answer = _as_it_came(message, said, route, source, trace, hub, translation)
    if answer is None:
        answer = await _as_read(message, said, route, source, trace, hub, translation)
    if outgoing.operation.method != message.operation.method and went_well(answer):
        answer = msgspec.structs.replace(answer, http_status=200)  # nothing was created by a PATCH
    answer = in_codes_of(message.dialect, answer, message.operation, now, outgoing.dialect)
    if message.operation.module == ModuleID.BOOKINGS:
        answer = await callbacks.in_booking(answer, message, route, source, hub)
    if callback_id is not None:
        await callbacks.keep_as_long_as_promised(callback_id, said, source, route, hub)
    _tell_losses(answer, source, trace)
    if message.operation.paged or message.operation.method == "POST":
        answer.headers.extend(await _links(message, outgoing, route, reply, source, hub))
    return answer


def _is_at_its_place(outgoing: Message, message: Message) -> bool:
    """Whether the URL that was made for the message is that of what goes out."""
    return outgoing.segments is message.segments and outgoing.query is message.query


def _tell_losses(answer: Answer, source: Connection, trace: Trace) -> None:
    if trace.losses and source.quirks.notify_losses:
        answer.headers.append(trace.losses_header())


def _as_it_came(
    message: Message,
    said: Answer,
    route: Forward,
    source: Connection,
    trace: Trace,
    hub: Hub,
    translation: Translation | None,
) -> Answer | None:
    """What the receiver said, as most answers go back: without data, or just as it came. None where it has to be read.

    The hub learns from it meanwhile.
    """
    if translation is None and route.connection.face is None and source.face is None:
        _learn(message, said, route, source, hub)
        return said
    if translation is not None and translation.carried.answer is None:
        if not translation.repeats:
            learn_ways(message, route, said, hub)
        return translation.acknowledgement(said, trace, hub)
    return None


async def _as_read(
    message: Message,
    said: Answer,
    route: Forward,
    source: Connection,
    trace: Trace,
    hub: Hub,
    translation: Translation | None,
) -> Answer:
    """The same where it has data, in the version and with the ids of who asked."""
    answer = said
    if route.connection.face is not None:
        answer = await answer_as_meant(message, answer, route, source, hub)
    if translation is None:
        _learn(message, answer, route, source, hub)
    else:
        learn_ways(message, route, answer, hub)
        answer = await translation.answer(answer, trace, hub)
    if source.face is None:
        return answer
    pairs = () if translation is None else translation.answered
    return await answer_as_shown(message, answer, route, source, pairs, hub)


def _learn(message: Message, answer: Answer, route: Forward, source: Connection, hub: Hub) -> None:
    if route.speaker is None:  # else it was learned when the broadcast was accepted
        learn_ways(message, route, answer, hub)
        learn_untranslated(message, route, source, answer, hub)


def own_url(message: Message, source: Connection, hub: Hub) -> str:
    """The URL of the hub that a message was sent to, without its query."""
    operation = message.operation
    endpoint = endpoint_path(message.version, operation.module, operation.interface, source.face)
    return "/".join((hub.settings.public_url + endpoint, *message.segments))


async def _links(
    message: Message, outgoing: Message, route: Forward, reply: Reply, source: Connection, hub: Hub
) -> RawHeaders:
    """Link and Location, so that they lead the requester through the hub, and what a page is measured by."""
    url = own_url(message, source, hub)
    if message.operation.paged:
        return page_links.limit(route, reply) + page_links.next_page(message, outgoing, route, reply, url, hub)
    return await cdr_locations.location(message, route, reply, source.platform_id, url, hub)
