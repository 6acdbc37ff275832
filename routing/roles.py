"""What parties are to each other by their roles: who pushes to whom, and whose lists make a list of everybody's.

OCPI 2.2.1, "Terminology", typical roles, and "Transport and format", Broadcast Push and GET All via Hubs. A party with
several roles counts in each of them. Roles bind nobody who names a receiver.

A party behind another hub counts as one of that hub: a push goes there once, for all of them, and a list is asked for
at each of them. See `PartyDirectory.visible_to` for who is nothing to whom.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from routing.bodies import owner_in_path
from routing.dialects import DIALECTS
from routing.directory import Connection, PartyDirectory, PartyEntry, Platform
from routing.errors import NotShared
from routing.message import Message
from routing.receivers import url_at
from routing.routes import Broadcast, Forward, GetAll, Unit
from routing.vocabulary import ConnectionStatus, InterfaceRole, ModuleID, Party, Role, Version

Table: TypeAlias = Mapping[str, Mapping[Role, frozenset[Role]]]

_READERS: Final = frozenset({Role.EMSP, Role.NSP, Role.OTHER})
_PLACES: Final = {
    Role.CPO: _READERS | {Role.NAP, Role.PTP},
    Role.NAP: _READERS,
    Role.OTHER: frozenset({Role.CPO}),
}
_CUSTOMERS: Final = frozenset({Role.EMSP, Role.OTHER})
_CPO: Final = frozenset({Role.CPO})

PUSHED_TO: Final[Table] = {
    ModuleID.LOCATIONS: _PLACES,
    ModuleID.TARIFFS: _PLACES,
    ModuleID.TOKENS: {Role.EMSP: _CPO, Role.OTHER: _CPO},
    ModuleID.BOOKINGS: {Role.CPO: _CUSTOMERS},
}
"""Of each module, by the role of an object's owner: the roles of those a push is for that names nobody."""

LISTED_TO: Final[Table] = {
    ModuleID.LOCATIONS: {Role.CPO: _PLACES[Role.CPO], Role.NAP: _READERS},
    ModuleID.TARIFFS: {Role.CPO: _PLACES[Role.CPO], Role.NAP: _READERS},
    ModuleID.SESSIONS: {Role.CPO: _CUSTOMERS | {Role.PTP, Role.SCSP}},
    ModuleID.CDRS: {Role.CPO: _CUSTOMERS | {Role.PTP}},
    ModuleID.TOKENS: {Role.EMSP: _CPO, Role.OTHER: _CPO},
    ModuleID.BOOKINGS: {Role.CPO: _CUSTOMERS},
    ModuleID.PAYMENTS: {Role.PTP: _CPO},
    ModuleID.INVOICE_RECONCILIATION: {Role.CPO: frozenset({Role.EMSP}), Role.EMSP: _CPO},
}
"""Of each module, by the role of who has a list: the roles of those whose list of everybody's it is a part of."""

_RELAYED: Final = frozenset({ModuleID.LOCATIONS, ModuleID.TARIFFS})
_LISTED: Final = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})


def roles_of(party: Party, directory: PartyDirectory) -> frozenset[Role]:
    """What this party is; nothing when nobody knows it."""
    entry = directory.entry(party)
    return frozenset() if entry is None else frozenset(each.role for each in entry.roles)


def has_role(entry: PartyEntry, roles: Collection[Role]) -> bool:
    """Whether some role of the party is among these."""
    for each in entry.roles:  # noqa: SIM110 - a generator would cost every party of a broadcast more than the comparing
        if each.role in roles:
            return True
    return False


def is_relayed(module: str, sender: Party, owner: Party, directory: PartyDirectory) -> bool:
    """Whether a NAP may hand on this owner's objects: it does so for owners that do not speak at this hub themselves.

    OCPI 2.2.1, "Terminology": National Access Point. One that was invited, and never came, does not speak yet.
    """
    entry = directory.entry(owner)
    if module not in _RELAYED or (entry is not None and entry.status is not ConnectionStatus.PLANNED):
        return False
    return Role.NAP in roles_of(sender, directory)


def offered(platform: Platform, module: str, interface: InterfaceRole, preferred: Version) -> Connection | None:
    """Where a platform offers an interface: through a connection of the preferred version if there is one."""
    found: Connection | None = None
    for connection in platform.connections:
        if (module, interface) in connection.endpoints and module in DIALECTS[connection.version].modules:
            if connection.version is preferred:
                return connection
            found = found or connection
    return found


class Found(NamedTuple):
    """A party that is of use for something, and how it is called."""

    entry: PartyEntry
    platform: Platform
    connection: Connection


def others(
    message: Message, viewer: Party, roles: Collection[Role], interface: InterfaceRole, directory: PartyDirectory
) -> Iterator[Found]:
    """Who has one of these roles, offers this interface of the message's module, and may be sent it by `viewer`.

    The sender's own platform is no part of it, nor is anybody who was only planned or is gone.
    """
    own, module, version = _platform_id(message.sender, directory), message.operation.module, message.version
    for part in directory.parts.values():
        platform = part.platform
        for entry in part.parties:
            if entry.status not in _LISTED or not has_role(entry, roles) or platform.id == own:
                continue
            connection = offered(platform, module, interface, version)
            if connection is None:
                break
            if directory.parties.get(entry.party) is entry and directory.visible_to(viewer, entry.party, module):
                yield Found(entry, platform, connection)
    for party, entry in directory.remote.items():
        if party in directory.parties or entry.status not in _LISTED or not has_role(entry, roles):
            continue
        platform = directory.platform(entry.platform_id)
        connection = offered(platform, module, interface, version) if platform.id != own else None
        if connection is not None and directory.visible_to(viewer, party, module):
            yield Found(entry, platform, connection)


def _platform_id(sender: Party, directory: PartyDirectory) -> str | None:
    entry = directory.entry(sender)
    return None if entry is None else entry.platform_id


def broadcast(message: Message, directory: PartyDirectory, hub: Party) -> Broadcast:
    """A push to everybody it is of use for. Whose object it is decides who that is, not who sends it.

    Raises:
        NotShared: nobody pushes such an object in a role of its owner's.
    """
    module, owner = message.operation.module, owner_in_path(message.segments)
    relayed = is_relayed(module, message.sender, owner, directory)
    viewer = message.sender if relayed else owner
    roles = frozenset({Role.NAP}) if relayed else roles_of(owner, directory)
    table = PUSHED_TO[module]
    if table.keys().isdisjoint(roles):
        allowed = " or ".join(table)
        raise NotShared(f"Only a party that is {allowed} pushes to everybody in the module {module}")
    wanted = frozenset[Role]().union(*(table[role] for role in roles if role in table))
    found = others(message, viewer, wanted, InterfaceRole.RECEIVER, directory)
    connected = (each for each in found if each.entry.status is ConnectionStatus.CONNECTED)
    return Broadcast(owner, tuple(_pushes(message, connected, directory, hub)))


def _pushes(message: Message, found: Iterator[Found], directory: PartyDirectory, hub: Party) -> Iterator[Forward]:
    once: dict[str, Found] = {}
    for each in found:
        entry, platform, connection = each
        if entry.is_remote or platform.quirks.broadcast_per == "platform":
            former = once.setdefault(platform.id, each)
            if entry.party < former.entry.party:
                once[platform.id] = each
        else:
            yield Forward(entry.party, connection, url_at(connection, message), speaker=hub)
    for entry, platform, connection in once.values():
        receiver = directory.own_party(platform) if entry.is_remote else entry.party
        yield Forward(receiver, connection, url_at(connection, message), speaker=hub)


def get_all(message: Message, directory: PartyDirectory) -> GetAll:
    """A list of everybody's, of what the sender's roles let it read. For others it is empty."""
    sender, own = message.sender, roles_of(message.sender, directory)
    asked = [role for role, readers in LISTED_TO[message.operation.module].items() if not own.isdisjoint(readers)]
    units = [
        (found.entry.is_remote, Unit(found.entry.party, found.connection, _is_offline(found.entry)))
        for found in others(message, sender, asked, InterfaceRole.SENDER, directory)
    ]
    units.sort(key=lambda each: (each[0], each[1].party))
    return GetAll(tuple(unit for _, unit in units))


def _is_offline(entry: PartyEntry) -> bool:
    return entry.status is ConnectionStatus.OFFLINE
