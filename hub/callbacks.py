"""Where the asynchronous result of a command goes: `response_url` out, the result back.

A receiver of a command cannot call its originator, it only has a token for the hub. So it gets a URL of
the hub in place of the originator's, and what it posts there goes on to the originator's URL.
OCPI 2.2.1, "Commands" and "ChargingProfiles", `response_url`.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from hub.figures import Habit
from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from hub.partners.urls import check_partner_url
from hub.store.return_addresses import Callback
from routing.bodies import Members, read_members, text
from routing.directory import Connection
from routing.errors import HubError, InvalidParameters, NoSuchPath, NotRoutable
from routing.links import host_of, response_url_in, with_response_url
from routing.message import Answer, Message
from routing.modules import CALLBACK_ID
from routing.paths import endpoint_path
from routing.receivers import emsp_connection
from routing.routes import Forward
from routing.timestamps import read_timestamp
from routing.vocabulary import Face, InterfaceRole, ModuleID, Party, Version

log: FilteringBoundLogger = structlog.get_logger()

_AT_LEAST: Final = timedelta(hours=1)
_AFTER_TIMEOUT: Final = timedelta(minutes=10)
_AFTER_RESERVATION: Final = timedelta(hours=24)
_AT_MOST: Final = timedelta(days=400)
_LONGEST_TIMEOUT_S: Final = 30 * 24 * 3600
_FIELD: Final = "response_url"


async def follow(message: Message, platform_id: str, hub: Hub) -> Forward | None:
    """The way of a result posted on a URL of the hub; None for any other message.

    Raises:
        NoSuchPath: no such URL, or not for this platform, or not any more.
        InvalidParameters: OCPI-to names somebody else than the originator or the hub.
        RoutingError: the originator cannot be reached.
    """
    if message.operation.hub_made != CALLBACK_ID:
        return None
    callback = await hub.return_addresses.callback(message.segments[-1])
    if (
        callback is None
        or callback.receiver_platform_id != platform_id
        or callback.module != message.operation.module
        or callback.expires_at <= datetime.now(UTC)
    ):
        raise NoSuchPath("Nobody waits for a result on this URL")
    if message.receiver not in (None, hub.party, callback.originator):
        raise InvalidParameters("OCPI-to is not the party that waits for a result on this URL")
    connection = originator_connection(callback, message.version, hub)
    return Forward(callback.originator, connection, callback.response_url, given=True)


def originator_connection(callback: Callback, version: Version, hub: Hub) -> Connection:
    """Where the originator of a command can be called, in this version if possible.

    Raises:
        RoutingError: it cannot be called now, or not where it wanted the result.
    """
    through = callback.originator_platform_id
    connection = emsp_connection(callback.originator, version, hub.directory.snapshot, through)
    if host_of(callback.response_url) not in connection.hosts:
        raise NotRoutable(f"{callback.originator} no longer has the host of its response_url")
    return connection


def expects_result(message: Message) -> bool:
    """Whether the message may say where a result is to be posted."""
    operation = message.operation
    if operation.module == ModuleID.CHARGING_PROFILES:
        return operation.interface is InterfaceRole.RECEIVER
    return operation.body is not None and operation.body.response_url


async def with_hub_url(message: Message, route: Forward, source: Connection, hub: Hub) -> tuple[Message, str | None]:
    """The message as the receiver gets it, and the id of the callback made for it if it asks for one.

    Raises:
        InvalidParameters: its response_url may not be called, or is not at a host of the originator.
    """
    rule = message.operation.body
    if rule is not None and rule.response_url and message.body is not None:
        return await _in_body(message, route, source, hub)
    return await _in_query(message, route, source, hub) if _FIELD in message.query else (message, None)


async def _in_body(message: Message, route: Forward, source: Connection, hub: Hub) -> tuple[Message, str | None]:
    members = read_members(message.body or b"")
    original = text(members, _FIELD)
    if original is None:
        return message, None
    url, callback = await _issue(message, original, _expiry(members), *_ends(message, route, source), hub)
    replaced: dict[str, Any] = {**members, _FIELD: url}
    return msgspec.structs.replace(message, body=msgspec.json.encode(replaced)), callback.id


async def _in_query(message: Message, route: Forward, source: Connection, hub: Hub) -> tuple[Message, str | None]:
    found = response_url_in(message.query)
    if found is None:
        return message, None
    original, rest = found
    expires_at = datetime.now(UTC) + _AT_LEAST
    url, callback = await _issue(message, original, expires_at, *_ends(message, route, source), hub)
    return msgspec.structs.replace(message, query=with_response_url(rest, url)), callback.id


class _End(NamedTuple):
    """One of the two sides of a callback."""

    party: Party
    connection: Connection


def _ends(message: Message, route: Forward, source: Connection) -> tuple[_End, _End]:
    return _End(message.sender, source), _End(route.receiver, route.connection)


async def _issue(
    message: Message, original: str, expires_at: datetime, originator: _End, receiver: _End, hub: Hub
) -> tuple[str, Callback]:
    check_partner_url(
        original, allow_private=hub.settings.allow_private_partners, own_origins=[hub.settings.public_url]
    )
    if host_of(original) not in originator.connection.hosts:
        hub.figures.habits.saw(originator.connection.platform_id, Habit.FOREIGN_HOST)
        raise InvalidParameters("response_url is not at a host of the platform this token belongs to")
    callback = Callback(
        id=secrets.token_hex(16),
        response_url=original,
        module=message.operation.module,
        command=message.segments[0] if message.operation.module == ModuleID.COMMANDS else None,
        originator_platform_id=originator.connection.platform_id,
        originator=originator.party,
        receiver_platform_id=receiver.connection.platform_id,
        receiver=receiver.party,
        created_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    await hub.return_addresses.put_callback(callback)
    return _hub_url(callback, receiver.connection, hub), callback


def _expiry(members: Members) -> datetime:
    """A reservation may be cancelled on the same URL until a day after it ends."""
    soonest = datetime.now(UTC) + _AT_LEAST
    ends = text(members, "expiry_date")
    if ends is None:
        return soonest
    try:
        return min(max(soonest, read_timestamp(ends) + _AFTER_RESERVATION), datetime.now(UTC) + _AT_MOST)
    except (ValueError, OverflowError):
        return soonest  # the receiver decides what to make of that date


def _hub_url(callback: Callback, receiver: Connection, hub: Hub) -> str:
    # A 2.1.1 CPO posts results to its eMSP, which the hub poses as.
    face = None if receiver.face is None else Face.EMSP
    endpoint = endpoint_path(receiver.version, callback.module, InterfaceRole.SENDER, face)
    return f"{hub.settings.public_url}{endpoint}/{callback.command or 'callback'}/{callback.id}"


async def keep_as_long_as_promised(
    callback_id: str, answer: Answer, source: Connection, route: Forward, hub: Hub
) -> None:
    """Keep the URL open for as long as the receiver's direct answer, in its own version, says that it may take.

    An originator that wants to hear of it is told when that time is over, see `hub.command_timeouts`. Of a command that
    was not accepted there will be no result.
    """
    promise = _promise_in(answer.body)
    if promise is None:
        return
    lasts = timedelta(seconds=min(max(promise.timeout or 0.0, 0.0), _LONGEST_TIMEOUT_S))
    stays = lasts + _AFTER_TIMEOUT
    try:
        if promise.is_refused:
            await hub.return_addresses.end_callback(callback_id, datetime.now(UTC) + _AFTER_TIMEOUT)
        elif stays > _AT_LEAST:
            await hub.return_addresses.extend_callback(callback_id, datetime.now(UTC) + stays)
        if lasts and promise.result == "ACCEPTED" and _is_waited_for(source, route.connection.version):
            await hub.return_addresses.expect_result(callback_id, datetime.now(UTC) + lasts)
    except HubError:
        # The receiver has the command. An error here would make the originator send it once more.
        log.exception("callback_not_extended")


async def in_booking(answer: Answer, message: Message, route: Forward, source: Connection, hub: Hub) -> Answer:
    """An answer about Bookings, whose `response_url` lead through the hub, too: its own to where they come from.

    The chapter has no such member. One that the requester could not use, or should not call, is left out.
    """
    if b'"response_url"' not in answer.body:
        return answer
    try:
        members = dict(_members.decode(answer.body))
        data: Any = msgspec.json.decode(members.get("data", b"null"))
    except msgspec.DecodeError:
        return answer
    for booking in data if type(data) is list else [data]:
        if type(booking) is dict and type(original := booking.pop(_FIELD, None)) is str:
            url = await _for_requester(original, message, route, source, hub)
            booking.update({} if url is None else {_FIELD: url})
    members["data"] = msgspec.Raw(msgspec.json.encode(data))
    return msgspec.structs.replace(answer, body=msgspec.json.encode(members))


async def _for_requester(url: str, message: Message, route: Forward, source: Connection, hub: Hub) -> str | None:
    try:
        if url.startswith(f"{hub.settings.public_url}/"):
            callback = await hub.return_addresses.callback(url.rpartition("/")[2])
            is_own = callback is not None and callback.originator_platform_id == source.platform_id
            return callback.response_url if callback is not None and is_own else None
        requester, answerer = _ends(message, route, source)
        given_out, _ = await _issue(message, url, datetime.now(UTC) + _AT_LEAST, answerer, requester, hub)
    except HubError as error:
        log.info("response_url_left_out", receiver=str(route.receiver), reason=str(error))
        return None
    return given_out


async def note_result(message: Message, route: Forward, hub: Hub) -> None:
    """A result is about to be sent on: after it nobody may be told that there was none.

    Raises:
        TooManyRequests: there were too many on this URL.
        HubFault: the store does not answer. The receiver of the command can post the result again.
    """
    if message.operation.hub_made != CALLBACK_ID:
        return
    callback_id = message.segments[-1]
    await hub.callback_posts.count(callback_id)
    if _is_waited_for(route.connection, message.version):
        await hub.return_addresses.settle_callback(callback_id, datetime.now(UTC))


def wants_timeouts(originator: Connection) -> bool:
    """Whether the originator of a command is to be told that there was no result in time.

    In 2.1.1 an answer does not say how long that is.
    """
    return originator.version is Version.V2_1_1 and originator.quirks.synth_command_timeout


def _is_waited_for(originator: Connection, receiver_version: Version) -> bool:
    return receiver_version is not Version.V2_1_1 and wants_timeouts(originator)


class _Promise(msgspec.Struct):
    timeout: float | None = None
    result: Any = None

    @property
    def is_refused(self) -> bool:
        """Whether it is no promise at all."""
        return type(self.result) is str and self.result != "ACCEPTED"


class _PromisingEnvelope(msgspec.Struct):
    data: _Promise | None = None


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_promise_decoder = msgspec.json.Decoder(_PromisingEnvelope)


def _promise_in(body: bytes) -> _Promise | None:
    try:
        return _promise_decoder.decode(body).data
    except msgspec.DecodeError:
        return None  # an answer without the field makes no promise
