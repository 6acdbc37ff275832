"""What a platform is told of a party that has changed. OCPI 2.2.1, "HubClientInfo", Push model.

A platform only sees moves that the life of a party has:

    PLANNED ─▶ CONNECTED ◀─▶ OFFLINE        each of these ─▶ SUSPENDED ─▶ CONNECTED
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from routing.agreements import Standing
from routing.client_info import shown_roles
from routing.dialects import DIALECTS, Dialect
from routing.directory import Connection, EndpointKey, PartyDirectory, PartyEntry, Platform
from routing.vocabulary import ConnectionStatus, InterfaceRole, ModuleID, Party, Role

TOLD_AT: Final[EndpointKey] = (ModuleID.HUB_CLIENT_INFO, InterfaceRole.RECEIVER)
"""The interface a platform is told through."""


def told_through(platform: Platform, directory: PartyDirectory) -> Connection | None:
    """The connection through which a platform is told; None when it does not want to be, or is not there now."""
    if not any(_is_connected(party, directory) for party in platform.parties):
        return None
    offering = (each for each in platform.connections if TOLD_AT in each.endpoints)
    return next((each for each in offering if DIALECTS[each.version].client_info), None)


def views_to_tell(
    directory: PartyDirectory, viewer: Platform, entry: PartyEntry, *, knew_before: bool
) -> tuple[PartyEntry, ...]:
    """A party that changed as this platform is told of it, in this order; nothing where it sees no change.

    `knew_before`: the platform was told of the party after that came here, and it has not been gone since.
    """
    view = directory.as_shown_to(viewer, entry)
    if view is None:
        return ()
    if view.status is not entry.status and entry.last_updated != entry.created_at:
        return ()  # it is not shown how the party is, and was told that there is such a party when that was new
    if view.status is ConnectionStatus.OFFLINE and not knew_before:
        return (replace(view, status=ConnectionStatus.CONNECTED), view)
    return (view,)


def views_after_agreeing(
    directory: PartyDirectory, viewer: Platform, entry: PartyEntry, former: PartyDirectory | None
) -> tuple[PartyEntry, ...]:
    """A party, with which a platform has agreed otherwise, as it is told of it; nothing where it sees no change.

    `former` is the directory of before, when that is known. Who is hidden from now on is SUSPENDED once.
    """
    view = directory.as_shown_to(viewer, entry)
    before = None if former is None else former.as_shown_to(viewer, entry)
    if view is None:
        ended = before is not None if former is not None else _had_agreed(directory, viewer, entry.party)
        return (replace(entry, status=ConnectionStatus.SUSPENDED),) if ended and _was_here(before or entry) else ()
    if former is not None and before is not None and before.status is view.status:
        return ()
    if view.status is ConnectionStatus.OFFLINE:
        return (replace(view, status=ConnectionStatus.CONNECTED), view)
    return (view,)


def _was_here(view: PartyEntry) -> bool:
    return view.status is not ConnectionStatus.SUSPENDED


def _had_agreed(directory: PartyDirectory, viewer: Platform, party: Party) -> bool:
    return any(directory.agreements.stand(own, party).standing is Standing.ENDED for own in viewer.parties)


def roles_to_tell(entry: PartyEntry, dialect: Dialect, *, payments: bool) -> list[Role]:
    """The roles of a party in words of one who speaks so; each is told by itself. See `shown_roles`."""
    return sorted(role for role, _ in shown_roles(entry.roles, dialect, payments=payments))


def _is_connected(party: Party, directory: PartyDirectory) -> bool:
    own = directory.parties.get(party)
    return own is not None and own.status is ConnectionStatus.CONNECTED
