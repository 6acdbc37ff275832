"""`/api/v1/platforms/{platform_id}/impact`: what an action would lead to, before somebody confirms it."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from litestar import get
from litestar.params import FromQuery
from msgspec import Struct

from hub.operator.platforms import PlatformID, TheHub
from hub.operator.problems import documented
from hub.operator.roles import FOR_AUDITORS
from routing.directory import PartyDirectory, PartyEntry
from routing.telling import told_through
from routing.vocabulary import ConnectionStatus


class Action(StrEnum):
    """What is about to be done with the platform."""

    SUSPEND = "suspend"
    RESUME = "resume"
    REMOVE = "remove"
    ROTATE = "rotate"


class ImpactView(Struct, frozen=True):
    """The numbers of one action."""

    action: Action
    parties: int
    """Whose status it changes: its own, and those behind it where it is a hub."""
    peers: int
    """Other platforms that may see one of these parties, and so will see the change."""
    told: int
    """Those of them that get client info pushed."""
    sessions: int | None
    """Charging sessions under way, as far as the hub has seen them within a day; null where it cannot tell."""


@get("/platforms/{platform_id:str}/impact", tags=["platforms"], responses=documented(404, 503), opt=FOR_AUDITORS)
async def show_impact(hub: TheHub, platform_id: PlatformID, action: FromQuery[Action]) -> ImpactView:
    """How many parties, peers and sessions an action is about. Nothing is changed."""
    record = await hub.platforms.get(platform_id)
    sessions = await hub.running_sessions.of([each.party for each in record.parties])
    if action is Action.ROTATE:
        return ImpactView(action, 0, 0, 0, sessions)
    entries = _changing(hub.directory.snapshot, platform_id, action)
    # In a thread: it looks at every platform, which messages must not wait for.
    peers, told = await asyncio.to_thread(_peers, hub.directory.snapshot, platform_id, entries)
    return ImpactView(action, len(entries), peers, told, sessions)


def _changing(directory: PartyDirectory, platform_id: str, action: Action) -> list[PartyEntry]:
    part = directory.parts.get(platform_id)
    if part is None:
        return []
    becomes_suspended = action is not Action.RESUME
    entries = [*part.parties, *part.remote.values()]
    return [each for each in entries if (each.status is ConnectionStatus.SUSPENDED) is not becomes_suspended]


def _peers(directory: PartyDirectory, platform_id: str, entries: list[PartyEntry]) -> tuple[int, int]:
    others = (part.platform for part in directory.parts.values() if part.platform.id != platform_id)
    peers = [each for each in others if any(directory.shown_to(each, entry) is not None for entry in entries)]
    return len(peers), sum(told_through(each, directory) is not None for each in peers)
