"""Where a message goes, and the call that takes it there.

The rules are those of OCPI 2.2.1, "Message Routing". This is the order in which they are asked:

===  ==========================================  ============================================================
 1   the sender's party belongs to its platform  403 / 2001 (`check_sender`)
 2   the object, if it has an owner, is of that  404 (`check_owner`)
     platform, or one that its party relays
 3   no receiver is named, or the hub itself     see `routing.open_routing`
 4   it is known, and visible to the sender      4001, the same text for both; 4003 where it is shown as PLANNED
 5   their agreement covers the module           4000
 6   it is CONNECTED                             4003, without a call
 7   its version has what is asked               the hub answers, see `routing.translation.stand_ins`
 8   its platform offers the module's interface  4000
===  ==========================================  ============================================================
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final
from urllib.parse import unquote

from routing.bodies import Members, check_body, owner_in, owner_in_path, owners_of_tokens
from routing.clues import Clues, SessionKnown
from routing.dialects import DIALECTS
from routing.directory import Connection, PartyDirectory, Platform
from routing.errors import ForeignOwner, ForeignSender, InvalidParameters, SuspendedSender
from routing.message import Message, RoutingHeaders
from routing.modules import Body
from routing.open_routing import Rules, undirected
from routing.receivers import forward, not_allowed
from routing.roles import is_relayed, roles_of
from routing.routes import Forward, Route
from routing.vocabulary import ConnectionStatus, ModuleID, Party, Role

_NO_SENDER: Final = "OCPI-from-country-code and OCPI-from-party-id are missing"


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
    entry = directory.spoken_for(connection.platform_id, sender)
    if entry is None:
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


def decide(
    message: Message,
    members: Members,
    own: Container[Party],
    directory: PartyDirectory,
    hub: Party,
    rules: Rules,
    clues: Clues,
) -> Route:
    """Choose the way of a message; see the table on top.

    `members` are those of its body, `own` the parties its sender's platform may speak for. When `clues` were asked for
    what they do not know yet, the choice is the one of somebody who does not know it.

    Raises:
        HubError: as `check_owner`, `direct` and `undirected`.
        AnsweredByHub: the hub has the answer.
    """
    check_owner(message, own, directory, hub, clues)
    if message.receiver is None or message.receiver == hub:
        return undirected(message, members, directory, hub, rules, clues)
    return direct(message, message.receiver, directory)


def direct(message: Message, receiver: Party, directory: PartyDirectory) -> Forward:
    """The way to the party that is named.

    Raises:
        UnknownReceiver: there is none that the sender may reach.
        ReceiverUnreachable: the receiver is planned, offline or suspended, or shown so for want of an agreement.
        NotRoutable: their agreement does not cover the module, or its platform has no such interface.
        AnsweredByHub, Untranslatable: its version has no word for what is asked.
    """
    module = message.operation.module
    if not directory.visible_to(message.sender, receiver, module):
        raise not_allowed(message.sender, receiver, module, directory)
    return forward(message, receiver, directory)


def check_object(message: Message, own: Container[Party], members: Members, rule: Body) -> None:
    """Check a carried object against its path and its sender. "Client Owned Objects" and the modules' chapters.

    Raises:
        InvalidParameters: it contradicts the path, or names an owner who is not of the sender's platform.
        UnreadableBody: a token in it names its owner twice.
    """
    check_body(message.operation, rule, members, message.segments, message.query)
    if rule.owner and not message.operation.owned:
        _check_own(owner_in(members), own, "country_code and party_id")
    if rule.token:
        for owner in owners_of_tokens(members):
            _check_own(owner, own, "the token's country_code and party_id")


def _check_own(owner: Party | None, own: Container[Party], what: str) -> None:
    if owner is not None and owner not in own:
        raise InvalidParameters(f"{what} name a party of another platform")


def check_owner(message: Message, own: Container[Party], directory: PartyDirectory, hub: Party, clues: Clues) -> None:
    """Check the owner segments of a client-owned path. "Client Owned Objects".

    Two kinds of parties handle objects of others: a NAP has what owners gave it who are not at this hub, and an eMSP
    tells an SCSP of the Sessions of its customers ("ChargingProfiles", topologies).

    Raises:
        ForeignOwner: they name a party that is not of the sender's platform.
    """
    if not message.operation.owned:
        return
    owner = owner_in_path(message.segments)
    if owner in own:
        return
    if owner != hub and is_relayed(message.operation.module, message.sender, owner, directory):
        return
    if not _is_told_to_scsp(message, owner, directory, clues):
        raise ForeignOwner("The owner in the path is not a party of the platform this token belongs to")


def _is_told_to_scsp(message: Message, owner: Party, directory: PartyDirectory, clues: Clues) -> bool:
    operation, receiver = message.operation, message.receiver
    if operation.module != ModuleID.SESSIONS or operation.method not in ("PUT", "PATCH") or receiver is None:
        return False
    if Role.SCSP not in roles_of(receiver, directory) or Role.EMSP not in roles_of(message.sender, directory):
        return False
    known = clues.ask(SessionKnown(owner, unquote(message.segments[-1])))
    return known is not None and known.emsp == message.sender
