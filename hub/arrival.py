"""A request as it arrives, and the message that is in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from hub.authentication import authenticate
from hub.hub import Hub
from routing.bodies import check_charset, is_absent, is_bare, read_members, without_bom
from routing.decision import check_object, check_owner
from routing.dialects import DIALECTS
from routing.directory import Connection, Platform, Registered
from routing.errors import InvalidParameters, NoSuchPath, Unauthorized
from routing.message import NO_ROUTING, Message, RawHeaders, RoutingHeaders, header, read_routing_headers
from routing.modules import Operation, custom_operation, operation_at
from routing.paths import Entrance
from routing.vocabulary import ModuleID

_MIB: Final = 1024 * 1024
_BODY_BYTES: Final = 2 * _MIB
_LARGE_BODY_BYTES: Final[dict[str, int]] = {ModuleID.CDRS: 4 * _MIB, ModuleID.SESSIONS: 4 * _MIB}


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


async def connection_of(arrival: Arrival, hub: Hub) -> tuple[Platform, Connection]:
    """The platform that is calling, and through which of its connections.

    Raises:
        Unauthorized: it is not registered.
        NoSuchPath: it is, for another version or another face.
    """
    caller = await authenticate(hub, arrival.headers, arrival.source)
    if not isinstance(caller, Registered):
        raise Unauthorized
    connection, entrance = caller.connection, arrival.entrance
    if connection.version is not entrance.version or connection.face is not entrance.face:
        raise NoSuchPath(f"This connection is registered for OCPI {connection.version}; see its version details")
    return caller.platform, connection


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


def addresses_of(arrival: Arrival, connection: Connection) -> RoutingHeaders:
    """Who writes to whom, as far as the message says.

    Raises:
        InvalidParameters: the addresses cannot be read, or ids are missing that this partner has to give.
    """
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


async def body_of(arrival: Arrival, operation: Operation, hub: Hub) -> bytes | None:
    """The body that goes on; None where the operation has none, whatever was sent.

    Raises:
        TooLarge: it has more bytes than the module may carry.
        UnreadableBody: the sender hung up before its end.
    """
    limit = hub.settings.max_body_bytes or _LARGE_BODY_BYTES.get(operation.module, _BODY_BYTES)
    body = await arrival.read_body(limit)
    return None if operation.body is None else without_bom(body)


def check_message(message: Message, platform: Platform, arrival: Arrival) -> None:
    """Refuse an object that is unreadable, contradicts its path, or is not the sender's.

    Raises:
        UnreadableBody, InvalidParameters, NoSuchPath: the first of these that is found.
    """
    check_owner(message, platform)
    rule, body = message.operation.body, message.body
    if rule is None or body is None or (rule.optional and is_absent(body)):
        return
    content_type = header(arrival.headers, b"content-type")
    check_charset(None if content_type is None else content_type.decode("latin-1"))
    if rule.bare and is_bare(body):
        return
    check_object(message, platform, read_members(body), rule)
