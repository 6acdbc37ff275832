"""Where a message goes, and the call that takes it there.

The rules are those of OCPI 2.2.1, "Message Routing". This is the order in which they are asked:

===  ==========================================  ============================================================
 1   the sender's party belongs to its platform  403 / 2001 (`check_sender`)
 2   a receiver is named                         4001
 3   it is not the hub itself                    4000, or 2001 where it never makes sense
 4   it is known, and visible to the sender      4001, the same text for both
 5   it is CONNECTED                             4003, without a call
 6   its version has what is asked               the hub answers, see `routing.translation.stand_ins`
 7   its platform offers the module's interface  4000
===  ==========================================  ============================================================
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from routing.bodies import Members, check_body, owner_in, owner_in_path, owners_of_tokens
from routing.dialects import DIALECTS
from routing.directory import Connection, PartyDirectory, Platform
from routing.errors import (
    ForeignSender,
    InvalidParameters,
    NoSuchPath,
    NotRoutable,
    ReceiverUnreachable,
    SuspendedSender,
    UnknownReceiver,
)
from routing.message import Message, RoutingHeaders
from routing.modules import Body
from routing.translation.stand_ins import stand_in
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, ModuleID, Party, Version

_NO_SENDER: Final = "OCPI-from-country-code and OCPI-from-party-id are missing"
_UNKNOWN_RECEIVER: Final = "OCPI-to names no party that can be reached through this hub"


class Forward(Struct, frozen=True, eq=False):
    """The message goes to one party, through this connection, to this URL."""

    receiver: Party
    connection: Connection
    url: str
    given: bool = False
    """The partner itself gave this URL: it is called as it is."""


def check_sender(addresses: RoutingHeaders, connection: Connection, directory: PartyDirectory) -> Party:
    """The party that a message through this connection is from.

    A version without routing headers has one party to a connection, which is always meant.

    Raises:
        InvalidParameters: it names none, and the hub may not or cannot fill it in.
        ForeignSender: a party of another platform, or of none.
        SuspendedSender: a party that is suspended.
    """
    sender = addresses.sender
    if sender is None:
        if DIALECTS[connection.version].routing_headers and not connection.quirks.infer_from:
            raise InvalidParameters(_NO_SENDER)
        sender = _only_party(directory.platform(connection.platform_id), directory)
    entry = directory.entry(sender)
    if entry is None or entry.platform_id != connection.platform_id:
        raise ForeignSender("OCPI-from is not a party of the platform this token belongs to")
    if entry.status is ConnectionStatus.SUSPENDED:
        raise SuspendedSender("The party of OCPI-from is suspended at this hub")
    return sender


def _only_party(platform: Platform, directory: PartyDirectory) -> Party:
    """The one party a platform can write as. Those it gave up are still listed, and do not count beside others."""
    entries = [entry for party in platform.parties if (entry := directory.entry(party)) is not None]
    able = [entry for entry in entries if entry.status is not ConnectionStatus.SUSPENDED] or entries
    if len(able) != 1:
        raise InvalidParameters(_NO_SENDER)
    return able[0].party


def decide(message: Message, directory: PartyDirectory, hub: Party) -> Forward:
    """Choose the way of a message; see the table on top.

    Raises:
        UnknownReceiver: nobody is named, or nobody the sender may reach.
        ReceiverUnreachable: the receiver is planned, offline or suspended.
        NotRoutable: its platform has no such interface.
        AnsweredByHub, Untranslatable: its version has no word for what is asked.
        InvalidParameters: the hub itself is named where that means nothing.
    """
    receiver = message.receiver
    if receiver is None:
        raise UnknownReceiver("OCPI-to is missing, and nothing else says who is to get this message")
    if receiver == hub:
        raise _addressed_to_hub(message)
    if not directory.visible_to(message.sender, receiver):
        raise UnknownReceiver(_UNKNOWN_RECEIVER)
    operation = message.operation
    platform = connected(receiver, directory)
    _answer_instead(message, platform)
    connection = connection_offering(platform, operation.module, operation.interface, receiver, message.version)
    return Forward(receiver, connection, url_at(connection, message))


def connected(receiver: Party, directory: PartyDirectory) -> Platform:
    """The platform of a party that can be called now.

    Raises:
        UnknownReceiver: there is no such party.
        ReceiverUnreachable: it is planned, offline or suspended.
    """
    entry = directory.entry(receiver)
    if entry is None:
        raise UnknownReceiver(_UNKNOWN_RECEIVER)
    if entry.status is not ConnectionStatus.CONNECTED:
        raise ReceiverUnreachable(f"{receiver} is {entry.status}")
    return directory.platform(entry.platform_id)


def emsp_connection(party: Party, preferred: Version, directory: PartyDirectory) -> Connection:
    """Where a party that gave a command gets its result, and one that got a CDR is asked for it.

    A 2.1.1 company that is both CPO and eMSP has two connections; towards its eMSP side the hub poses as a CPO.

    Raises:
        RoutingError: it cannot be called now, or is no eMSP.
    """
    able = [each for each in connected(party, directory).connections if each.face in {None, Face.CPO}]
    if not able:
        raise NotRoutable(f"{party} is no eMSP")
    return next((connection for connection in able if connection.version is preferred), able[0])


def _addressed_to_hub(message: Message) -> Exception:
    if message.operation.method == "GET" and message.operation.interface is InterfaceRole.RECEIVER:
        return InvalidParameters("A GET on a RECEIVER interface cannot be addressed to the hub")
    return NotRoutable("This hub carries messages between parties; name the receiver in OCPI-to")


def _answer_instead(message: Message, platform: Platform) -> None:
    """Answer here what the receiver's version has no word for.

    Raises:
        AnsweredByHub, Untranslatable: it has none.
    """
    for connection in platform.connections:
        if connection.version is message.version:
            return
    for connection in platform.connections:
        stand_in(message.operation, message.segments, connection.version, connection.quirks)


def connection_offering(
    platform: Platform, module: str, interface: InterfaceRole, party: Party, preferred: Version | None = None
) -> Connection:
    """Where this interface of a party is: through a connection of the preferred version if there is one.

    Raises:
        NotRoutable: its platform does not offer it.
    """
    found: Connection | None = None
    for connection in platform.connections:
        if (module, interface) in connection.endpoints:
            if connection.version is preferred:
                return connection
            found = found or connection
    if found is None:
        raise NotRoutable(f"{party} does not offer the {interface} interface of the module {module}")
    return found


_SUB_ENDPOINTS: Final = ("/terminals", "/financial-advice-confirmations")
"""Payments has two sub-endpoints below one identifier; some partners register the URL of one of them."""


def url_at(connection: Connection, message: Message) -> str:
    """The URL of this message at the partner: its endpoint, one slash, the path and query as they came.

    An endpoint that is called without a path is called exactly as it was registered, with or without a slash.
    """
    operation = message.operation
    url = connection.endpoints[operation.module, operation.interface]
    if message.segments:
        endpoint = url.rstrip("/")
        if operation.module == ModuleID.PAYMENTS:
            for ending in _SUB_ENDPOINTS:
                endpoint = endpoint.removesuffix(ending)
        url = "/".join((endpoint, *message.segments))
    if connection.quirks.trailing_slash and not url.endswith("/"):
        url += "/"
    return f"{url}?{message.query}" if message.query else url


def check_object(message: Message, platform: Platform, members: Members, rule: Body) -> None:
    """Check a carried object against its path and its sender. "Client Owned Objects" and the modules' chapters.

    Raises:
        InvalidParameters: it contradicts the path, or names an owner who is not of the sender's platform.
        UnreadableBody: a token in it names its owner twice.
    """
    check_body(message.operation, rule, members, message.segments, message.query)
    if rule.owner and not message.operation.owned:
        _check_own(owner_in(members), platform, "country_code and party_id")
    if rule.token:
        for owner in owners_of_tokens(members):
            _check_own(owner, platform, "the token's country_code and party_id")


def _check_own(owner: Party | None, platform: Platform, what: str) -> None:
    if owner is not None and owner not in platform.parties:
        raise InvalidParameters(f"{what} name a party of another platform")


def check_owner(message: Message, platform: Platform) -> None:
    """Check the owner segments of a client-owned path. "Client Owned Objects".

    Raises:
        NoSuchPath: they name a party that is not of the sender's platform.
    """
    if message.operation.owned and owner_in_path(message.segments) not in platform.parties:
        raise NoSuchPath("The owner in the path is not a party of the platform this token belongs to")
