"""A request as it arrives, and the message that is in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Mapping
from typing import Final

from msgspec import Struct

from hub.figures import Habit, Habits
from hub.hub import Hub
from routing.bodies import Members, check_charset, is_absent, is_bare, read_members, without_bom
from routing.decision import check_object
from routing.dialects import DIALECTS
from routing.directory import Caller, Connection, Platform, Registered
from routing.errors import InvalidParameters, NoSuchPath, TooLarge, Unauthorized
from routing.message import NO_ROUTING, Message, RawHeaders, RoutingHeaders, read_routing_headers
from routing.modules import Operation, custom_operation, operation_at, structured
from routing.paths import Entrance, read_path
from routing.vocabulary import ModuleID, Party

_MIB: Final = 1024 * 1024
_BODY_BYTES: Final = 2 * _MIB
_LARGE_BODY_BYTES: Final[dict[str, int]] = {ModuleID.CDRS: 4 * _MIB, ModuleID.SESSIONS: 4 * _MIB}


class Arrival(Struct, frozen=True, eq=False):
    """A request as the listener hands it over."""

    entrance: Entrance
    method: str
    path: str
    """Below the entrance, percent-encoded as it came."""
    query: str
    headers: RawHeaders
    sent: Mapping[bytes, bytes]
    """The first value of each of the headers."""
    source: str
    """The address it came from."""
    body: bytes | None
    """All of it, however long, if all has come; None where it has to be read."""
    read_body: Callable[[int], Awaitable[bytes]]
    """The body, of at most so many bytes; raises TooLarge, and UnreadableBody when the sender hangs up."""


def connection_of(caller: Caller, entrance: Entrance) -> tuple[Platform, Connection]:
    """The platform that is calling, and through which of its connections.

    Raises:
        Unauthorized: it is not registered.
        NoSuchPath: it is, for another version or another face.
    """
    if not isinstance(caller, Registered):
        raise Unauthorized
    connection = caller.connection
    if connection.version is not entrance.version or connection.face is not entrance.face:
        raise NoSuchPath(f"This connection is registered for OCPI {connection.version}; see its version details")
    return caller.platform, connection


def path_of(arrival: Arrival) -> tuple[str, tuple[str, ...]]:
    """Module and remaining segments of the path, percent-encoded as they came.

    Raises:
        NoSuchPath: there cannot be such a path.
    """
    module, segments = read_path(arrival.path)
    entrance = arrival.entrance
    return module, structured(entrance.version, module.lower(), entrance.interface, segments)


def operation_of(arrival: Arrival, connection: Connection, module: str, segments: tuple[str, ...]) -> Operation:
    """What is asked for.

    Raises:
        NoSuchPath, WrongMethod: nothing that exists.
    """
    if module in connection.quirks.custom_modules:
        return custom_operation(module, arrival.entrance.interface_of(module), arrival.method)
    module = module.lower()  # identifiers are CiStrings
    interface = arrival.entrance.interface_of(module)
    return operation_at(arrival.entrance.version, module, interface, arrival.method, segments)


def addresses_of(arrival: Arrival, connection: Connection, habits: Habits) -> RoutingHeaders:
    """Who writes to whom, as far as the message says. What is odd about that goes to `habits`.

    Raises:
        InvalidParameters: the addresses cannot be read, or ids are missing that this partner has to give.
    """
    sent, platform_id = arrival.sent, connection.platform_id
    if not DIALECTS[connection.version].routing_headers:
        if b"ocpi-from-party-id" in sent or b"ocpi-to-party-id" in sent:
            habits.saw(platform_id, Habit.ROUTING_HEADERS_211)
        return read_routing_headers(arrival.headers, sent) if connection.quirks.routing_headers_211 else NO_ROUTING
    if b"x-request-id" not in sent or b"x-correlation-id" not in sent:
        habits.saw(platform_id, Habit.NO_MESSAGE_IDS)
        if connection.quirks.strict_ids:
            _refuse_without_ids(sent)
    addresses = read_routing_headers(arrival.headers, sent)
    if addresses.sender is None:
        habits.saw(platform_id, Habit.NO_SENDER)
    elif sent[b"ocpi-from-country-code"].islower() or sent[b"ocpi-from-party-id"].islower():
        habits.saw(platform_id, Habit.LOWER_CASE)
    return addresses


def _refuse_without_ids(sent: Mapping[bytes, bytes]) -> None:
    for name in (b"x-request-id", b"x-correlation-id"):
        if name not in sent:
            raise InvalidParameters(f"The header {name.decode().title()} is missing")


def most_bytes(operation: Operation, hub: Hub) -> int:
    """How long a body may be."""
    return hub.settings.max_body_bytes or _LARGE_BODY_BYTES.get(operation.module, _BODY_BYTES)


def too_long(most: int) -> TooLarge:
    """What is said about a body of more bytes."""
    return TooLarge(f"The body has more than {most} bytes")


def body_of(operation: Operation, sent: bytes, most: int) -> bytes | None:
    """The body that goes on; None where the operation has none, whatever was sent.

    Raises:
        TooLarge: more than `most` bytes were sent.
    """
    if len(sent) > most:
        raise too_long(most)
    return None if operation.body is None else without_bom(sent)


def check_message(message: Message, own: Container[Party], arrival: Arrival) -> Members:
    """The members of the body; none where it has none.

    Refuses an object that is unreadable, contradicts its path, or is not of one of the sender's `own` parties.

    Raises:
        UnreadableBody, InvalidParameters: the first of these that is found.
    """
    rule, body = message.operation.body, message.body
    if rule is None or body is None or (rule.optional and is_absent(body)):
        return {}
    check_charset(arrival.sent.get(b"content-type"))
    if rule.bare and is_bare(body):
        return {}
    members = read_members(body)
    check_object(message, own, members, rule)
    return members
