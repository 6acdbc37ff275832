"""`/api/v1/traffic/silent`: who agreed to talk to each other, and does not."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import Annotated, Final, NamedTuple

from litestar import get
from msgspec import Meta, Struct

from hub.figures import Figures
from hub.operator.figure_views import CoversView, covers, moment, up_to_date
from hub.operator.message_filters import PartyName
from hub.operator.platforms import Cursor, Limit, TheHub
from hub.operator.problems import documented
from hub.operator.roles import FOR_AUDITORS
from hub.store.lists import cursor_to, place_of
from routing.agreements import Agreement, Agreements
from routing.vocabulary import Party

_SILENT: Final = timedelta(days=7)


class SilentPairView(Struct, frozen=True):
    """Two who may talk to each other."""

    agreement: str
    """Its id."""
    a: str
    b: str
    agreed_at: datetime
    last_at: Annotated[
        datetime | None,
        Meta(description="The end of the minute of their last message. Null: none since `covers.since`."),
    ]


class SilentPairsView(Struct, frozen=True):
    """Part of the list of silent pairs, the longest silent first."""

    since: datetime
    """From here on nothing was sent either way: seven days ago, or later where the hub does not know so much."""
    covers: CoversView
    of: int
    """Agreements that are in force."""
    count: int
    """So many of them are silent."""
    items: tuple[SilentPairView, ...]
    next_cursor: str | None


class _Silence(NamedTuple):
    """Of one pair, in the order of the list."""

    since: float
    """Its last message, or its agreement."""
    agreement_id: str


class _Found(NamedTuple):
    of: int
    silent: dict[_Silence, Agreement]


@get("/traffic/silent", tags=["traffic"], responses=documented(422, 503), opt=FOR_AUDITORS)
async def list_silent_pairs(
    hub: TheHub, party: PartyName = None, limit: Limit = 100, cursor: Cursor = None
) -> SilentPairsView:
    """Pairs with an agreement in force between which nothing was sent for seven days, broadcasts included.

    An agreement that is younger counts as not used yet, and is not listed.
    """
    after = None if cursor is None else place_of(cursor, _Silence)
    figures = await up_to_date(hub)
    since = max(figures.now - _SILENT.total_seconds(), figures.since, figures.last_messages.forgotten_at)
    agreements = hub.directory.snapshot.agreements
    one = None if party is None else Party.read(party[:2], party[3:])
    # In a thread: with 100,000 agreements it takes a while, which messages must not wait for.
    of, silent = await asyncio.to_thread(_found, agreements, figures, since, one)
    left = silent if after is None else [each for each in silent if each > after]
    shown = nsmallest(limit, left)
    return SilentPairsView(
        since=moment(since),
        covers=covers(hub),
        of=of,
        count=len(silent),
        items=tuple(_view(silent[each], figures) for each in shown),
        next_cursor=cursor_to(shown[-1]) if len(left) > len(shown) else None,
    )


def _found(agreements: Agreements, figures: Figures, since: float, party: Party | None) -> _Found:
    of, silent = 0, dict[_Silence, Agreement]()
    looked_at = agreements.pairs if party is None else {party: agreements.pairs.get(party, {})}
    for one, others in looked_at.items():
        for agreement in others.values():
            if agreement.ended_at is not None or (party is None and agreement.a != one):
                continue
            of += 1
            last_at = max(agreement.created_at.timestamp(), figures.last_messages.at(agreement.id) or 0.0)
            if last_at <= since:
                silent[_Silence(last_at, agreement.id)] = agreement
    return _Found(of, silent)


def _view(agreement: Agreement, figures: Figures) -> SilentPairView:
    last_at = figures.last_messages.at(agreement.id)
    return SilentPairView(
        agreement=agreement.id,
        a=str(agreement.a),
        b=str(agreement.b),
        agreed_at=agreement.created_at,
        last_at=None if last_at is None else moment(last_at),
    )
