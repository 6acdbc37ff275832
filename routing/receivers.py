"""Where a party can be called: its platform, the connection with the interface that is meant, and the URL there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from routing.dialects import DIALECTS
from routing.directory import Connection, PartyDirectory, Platform
from routing.errors import NotRoutable, ReceiverUnreachable, Refusal, RoutingError, UnknownReceiver
from routing.message import Message, routing_headers
from routing.modules import LONGEST_MODULE
from routing.routes import Forward
from routing.translation.stand_ins import stand_in
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, ModuleID, Party, Version

UNKNOWN_RECEIVER: Final = "OCPI-to names no party that can be reached through this hub"
"""The same for a party that is unknown and for one that the sender may not know of."""
_AWAY: Final = {
    ConnectionStatus.PLANNED: Refusal.RECEIVER_PLANNED,
    ConnectionStatus.OFFLINE: Refusal.RECEIVER_OFFLINE,
    ConnectionStatus.SUSPENDED: Refusal.RECEIVER_SUSPENDED,
}


def forward(message: Message, receiver: Party, directory: PartyDirectory) -> Forward:
    """The call that takes a message to this party, of which the sender may know.

    Raises:
        UnknownReceiver: there is no such party.
        ReceiverUnreachable: it is planned, offline or suspended.
        NotRoutable: its platform has no such interface.
        AnsweredByHub, Untranslatable: its version has no word for what is asked.
    """
    operation = message.operation
    platform = connected(receiver, directory)
    _answer_instead(message, platform)
    connection = connection_offering(platform, operation.module, operation.interface, receiver, message.version)
    return Forward(receiver, connection, url_at(connection, message))


def nobody(sender: Party, receiver: Party, directory: PartyDirectory) -> UnknownReceiver:
    """What is said of a party that the sender may not reach. It reads alike whether there is one or not."""
    kept = directory.is_kept_from(sender, receiver)
    return UnknownReceiver(UNKNOWN_RECEIVER, Refusal.NO_AGREEMENT if kept else Refusal.UNKNOWN_RECEIVER)


def not_allowed(sender: Party, receiver: Party, module: str, directory: PartyDirectory) -> RoutingError:
    """Why one may not send to the other in this module, as far as the sender may know."""
    if directory.visible_to(sender, receiver):
        return NotRoutable(
            f"The agreement with {receiver} does not cover the module {module[:LONGEST_MODULE]}", Refusal.NO_AGREEMENT
        )
    seen = directory.as_met_by(sender, receiver)
    if seen is None:
        return nobody(sender, receiver, directory)
    return ReceiverUnreachable(f"{receiver} is {seen.status}", Refusal.NO_AGREEMENT)


def connected(receiver: Party, directory: PartyDirectory, through: str | None = None) -> Platform:
    """The platform of a party that can be called now: the one of the id `through`, if the party is there.

    Raises:
        UnknownReceiver: there is no such party.
        ReceiverUnreachable: it is planned, offline or suspended.
    """
    there = None if through is None else directory.spoken_for(through, receiver)
    entry = there or directory.entry(receiver)
    if entry is None:
        raise UnknownReceiver(UNKNOWN_RECEIVER, Refusal.UNKNOWN_RECEIVER)
    if entry.status is not ConnectionStatus.CONNECTED:
        raise ReceiverUnreachable(f"{receiver} is {entry.status}", _AWAY[entry.status])
    return directory.platform(entry.platform_id)


def emsp_connection(
    party: Party, preferred: Version, directory: PartyDirectory, through: str | None = None
) -> Connection:
    """Where a party that gave a command gets its result, and one that got a CDR is asked for it.

    A party behind two hubs is called at the platform of the id `through`, if it is there.
    A 2.1.1 company that is both CPO and eMSP has two connections; towards its eMSP side the hub poses as a CPO.

    Raises:
        RoutingError: it cannot be called now, or is no eMSP.
    """
    able = [each for each in connected(party, directory, through).connections if each.face in {None, Face.CPO}]
    if not able:
        raise NotRoutable(f"{party} is no eMSP", Refusal.NOT_OFFERED)
    return next((connection for connection in able if connection.version is preferred), able[0])


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
        raise NotRoutable(
            f"{party} does not offer the {interface} interface of the module {module}", Refusal.NOT_OFFERED
        )
    return found


_SUB_ENDPOINTS: Final = ("/terminals", "/financial-advice-confirmations")
"""Payments has two sub-endpoints below one identifier; some partners register the URL of one of them."""


def url_at(connection: Connection, message: Message) -> str:
    """The URL of this message at the partner: its endpoint, one slash, the path and query as they came."""
    operation, segments = message.operation, message.segments
    if operation.owned:
        segments = _spelled_owner(segments, connection)
    url = url_of(connection, operation.module, operation.interface, segments)
    return f"{url}?{message.query}" if message.query else url


def url_of(connection: Connection, module: str, interface: InterfaceRole, segments: Sequence[str] = ()) -> str:
    """The URL of one of the partner's endpoints, or below it; `segments` are percent-encoded.

    An endpoint that is called without a path is called exactly as it was registered, with or without a slash.
    """
    url = connection.endpoints[module, interface]
    if segments:
        url = "/".join((_root_of(url, module), *segments))
    return url + "/" if connection.quirks.trailing_slash and not url.endswith("/") else url


@lru_cache(maxsize=4096)
def _root_of(url: str, module: str) -> str:
    """What the segments of a path are put behind."""
    root = url.rstrip("/")
    if module == ModuleID.PAYMENTS:
        for ending in _SUB_ENDPOINTS:
            root = root.removesuffix(ending)
    return root


def routing_headers_at(connection: Connection, receiver: Party, sender: Party) -> Iterable[tuple[bytes, bytes]]:
    """Who a message to this partner is for and from, or an answer; nothing where its version does not say it."""
    if not DIALECTS[connection.version].routing_headers:
        return ()
    return routing_headers(spelled(receiver, connection), spelled(sender, connection))


def _spelled_owner(segments: tuple[str, ...], connection: Connection) -> tuple[str, ...]:
    if not connection.quirks.lowercase_party_ids:
        return segments
    return (segments[0].lower(), segments[1].lower(), *segments[2:])


def spelled(party: Party, connection: Connection) -> Party:
    """A party as this partner wants it written."""
    if connection.quirks.lowercase_party_ids:
        return Party(party.country_code.lower(), party.party_id.lower())
    return party
