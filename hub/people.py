"""What the directory says of those whom an exchange is about."""

from __future__ import annotations

from typing import Final, NamedTuple

from routing.directory import PartyDirectory, PartyEntry
from routing.quirks import Quirks
from routing.translation.crossing import Json
from routing.vocabulary import Party, Role

_EMSP_LIKE: Final = frozenset({Role.EMSP, Role.OTHER, Role.PTP})


class People(NamedTuple):
    """What the directory says of those an exchange is about."""

    emsp: Party | None
    emsp_platform: frozenset[Party]
    owner_details: Json | None
    owner_quirks: Quirks | None


def people_in(directory: PartyDirectory, owner: Party, emsp: Party) -> People:
    """The people of an exchange about an object of this owner, with this party on the eMSP side."""
    entry, emsp_entry = directory.entry(owner), directory.entry(emsp)
    platform = None if entry is None else directory.platform(entry.platform_id)
    return People(
        emsp=emsp if is_emsp(emsp_entry, directory) else None,
        emsp_platform=frozenset() if emsp_entry is None else _siblings(emsp_entry, directory),
        owner_details=(entry.roles[0].business_details or None) if entry is not None and entry.roles else None,
        owner_quirks=None if platform is None else platform.quirks,
    )


def is_emsp(entry: PartyEntry | None, directory: PartyDirectory) -> bool:
    """Whether a Token can be this party's: a hub between has none, but those behind it may."""
    if entry is None or (directory.platform(entry.platform_id).is_hub and not entry.is_remote):
        return False
    return not _EMSP_LIKE.isdisjoint([role.role for role in entry.roles])


def _siblings(entry: PartyEntry, directory: PartyDirectory) -> frozenset[Party]:
    """The parties of one company, as far as the hub knows: not who else is behind another hub."""
    return frozenset((entry.party,) if entry.is_remote else directory.platform(entry.platform_id).parties)
