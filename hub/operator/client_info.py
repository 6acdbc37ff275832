"""`/api/v1/client-info`: what one partner is shown of all others, and what it was told of them last."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from litestar import get
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from hub.client_infos import client_infos_of
from hub.hub import Hub
from hub.operator.access import TheCaller
from hub.operator.message_filters import PartyName
from hub.operator.platforms import Limit, TheHub
from hub.operator.problems import Unacceptable, documented
from hub.operator.roles import FOR_PARTNERS
from hub.store.redis import CacheUnreachable
from hub.store.told_lately import Telling
from hub.store.truth import UnknownPlatform
from routing.client_info import client_info
from routing.dialects import DIALECTS
from routing.directory import Connection, PartyDirectory, PartyEntry, Platform
from routing.telling import told_through
from routing.vocabulary import ConnectionStatus, Party, Role, Version

_DELIVERED: Final = "delivered"
_CURSOR_DIGITS: Final = 9


class ToldView(Struct, frozen=True):
    """One PUT of a ClientInfo to the partner."""

    at: datetime
    party: str
    role: str
    status: str
    outcome: Annotated[str, Meta(description="delivered, refused, timeout, unreachable or failed.")]
    reason: str | None
    """Why it did not arrive."""
    correlation_id: str


class HereView(Struct, frozen=True):
    """The party as the hub has it."""

    platform: str
    status: ConnectionStatus
    roles: tuple[Role, ...]


class ShownView(Struct, frozen=True):
    """One line of the list."""

    info: dict[str, Any]
    """The ClientInfo, exactly as the partner gets it."""
    here: HereView | None
    """Null for an engineer of the partner, who is not to know more than the partner does."""
    differs: bool | None
    """Whether status or role are others than the hub has."""
    told: ToldView | None
    """The last PUT of it, where that is known."""
    is_current: bool | None
    """Whether that said the same and arrived; null where it is not known."""


class ClientInfoView(Struct, frozen=True):
    """Part of the list that one partner gets, the oldest party first."""

    platform: str
    name: str
    version: Version | None
    """That of the list; null where the partner's version has none."""
    is_told: bool
    """Whether the hub tells it of changes at present: it is connected, and registered an endpoint for that."""
    total: int
    items: tuple[ShownView, ...]
    next_cursor: str | None
    missed: tuple[ToldView, ...]
    """The last PUT of each party, as far as that is known and did not arrive. The last first."""
    last_told: ToldView | None
    tellings_known: bool
    """Whether what was told is known: not while Redis is away."""


As = Annotated[str | None, QueryParameter(name="as", max_length=32, description="The id of the partner's platform.")]
Place = Annotated[
    str | None, QueryParameter(max_length=_CURSOR_DIGITS, description="`next_cursor` of the answer before.")
]


@get("/client-info", tags=["platforms"], responses=documented(404, 422, 503), opt=FOR_PARTNERS)
async def show_client_info(
    hub: TheHub, me: TheCaller, seen_as: As = None, party: PartyName = None, limit: Limit = 100, cursor: Place = None
) -> ClientInfoView:
    """The list of who is there, exactly as this partner gets it: in its version, with what it may know.

    The last hundred PUTs to each partner are kept for a week at most, so `told` is not there for everything.
    """
    platform_id = seen_as or me.only_platform
    if platform_id is None:
        raise Unacceptable(detail="as is missing: the id of the platform whose list is wanted")
    directory = hub.directory.snapshot
    part = directory.parts.get(platform_id)
    if part is None or me.only_platform not in (None, platform_id):
        raise UnknownPlatform
    first = _first(cursor)
    connection = _listed_through(part.platform, directory)
    rows: Sequence[tuple[PartyEntry, Role]] = ()
    if connection is not None:
        rows = await asyncio.to_thread(client_infos_of, directory, part.platform, DIALECTS[connection.version])
    if party is not None:
        wanted = Party.read(party[:2], party[3:])
        rows = [row for row in rows if row[0].party == wanted]
    tellings = await _told(platform_id, hub)
    last = _last_of_each(tellings or ())
    shown = rows[first : first + limit]
    return ClientInfoView(
        platform=platform_id,
        name=part.platform.name,
        version=None if connection is None else connection.version,
        is_told=told_through(part.platform, directory) is not None,
        total=len(rows),
        items=tuple(_shown(row, last, directory, sees_all=me.only_platform is None) for row in shown),
        next_cursor=str(first + limit) if first + limit < len(rows) else None,
        missed=tuple(_told_view(each) for each in last.values() if each.outcome != _DELIVERED),
        last_told=_told_view(tellings[0]) if tellings else None,
        tellings_known=tellings is not None,
    )


def _first(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or not cursor.isascii():
        raise Unacceptable(detail="The cursor is not one that an earlier answer gave")
    return int(cursor)


def _listed_through(platform: Platform, directory: PartyDirectory) -> Connection | None:
    """The connection whose list is meant: where the partner is told, else one at which it can ask."""
    able = (each for each in platform.connections if DIALECTS[each.version].client_info)
    return told_through(platform, directory) or next(able, None)


async def _told(platform_id: str, hub: Hub) -> list[Telling] | None:
    try:
        return await hub.told_lately.of(platform_id)
    except CacheUnreachable:
        return None


def _last_of_each(tellings: Iterable[Telling]) -> dict[tuple[str, str], Telling]:
    """The last one of each role of each party; they come the last first."""
    last: dict[tuple[str, str], Telling] = {}
    for each in tellings:
        last.setdefault((each.party, each.role), each)
    return last


def _shown(
    row: tuple[PartyEntry, Role], last: dict[tuple[str, str], Telling], directory: PartyDirectory, *, sees_all: bool
) -> ShownView:
    view, role = row
    told = last.get((str(view.party), str(role)))
    here = directory.entry(view.party) if sees_all else None
    roles = () if here is None else tuple(dict.fromkeys(each.role for each in here.roles))
    return ShownView(
        info=client_info(view, role),
        here=None if here is None else HereView(here.platform_id, here.status, roles),
        differs=None if here is None else here.status is not view.status or role not in roles,
        told=None if told is None else _told_view(told),
        is_current=None if told is None else told.outcome == _DELIVERED and told.status == view.status,
    )


def _told_view(telling: Telling) -> ToldView:
    return ToldView(**{name: getattr(telling, name) for name in telling.__struct_fields__})
