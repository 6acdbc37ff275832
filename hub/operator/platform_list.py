"""`GET /api/v1/platforms`: all platforms, with how each is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from litestar.params import QueryParameter

from hub.circuits import CircuitNow
from hub.figures import Direction
from hub.figures.rings import messages_in
from hub.hub import Hub
from hub.operator.figure_views import ok_share, total
from hub.operator.platform_rows import MOMENTS, Known, Order, Wanted, rows
from hub.operator.resources import PlatformHealthView, PlatformsView, circuit_view, platform_view
from hub.store.records import PlatformRecord, StatusRecord

_DAY_S: Final = 86_400
_HOUR_S: Final = 3600
_NAMES: Final = "|".join(Order)

Sort = Annotated[
    str, QueryParameter(pattern=f"^-?({_NAMES})$", description=f"One of {', '.join(Order)}; a minus turns it round.")
]
Words = Annotated[
    str | None, QueryParameter(max_length=100, description="Part of a name, an id, or NL*ABC of a party; in any case.")
]


async def platforms_page(wanted: Wanted, order: str, hub: Hub, *, limit: int, cursor: str | None) -> PlatformsView:
    """One page of the list."""
    await hub.figures.catch_up_here()
    moment = MOMENTS.get(Order(order.removeprefix("-")))
    moments = {} if moment is None else await hub.platforms.moments(moment)
    open_events = await hub.event_rows.open_by_platform()
    known = Known(hub.figures, open_events, moments)
    page = rows(hub.directory.snapshot, wanted, order, known, limit=limit, cursor=cursor)
    records, statuses, circuits = await asyncio.gather(
        hub.platforms.some(page.ids), hub.reachability.present(page.ids), hub.circuits.now()
    )
    views = (
        msgspec.structs.replace(
            platform_view(each, hub.settings, circuits),
            health=health_of(each, statuses.get(each.id), circuits, open_events.get(each.id, 0), hub),
        )
        for each in records
    )
    counts = {str(status): number for status, number in page.counts.items()}
    return PlatformsView(tuple(views), page.next_cursor, counts, page.matched)


def health_of(
    record: PlatformRecord,
    status: StatusRecord | None,
    circuits: Mapping[str, CircuitNow] | None,
    open_events: int,
    hub: Hub,
) -> PlatformHealthView:
    """How one platform is doing, in a row."""
    figures = hub.figures
    hour = figures.rings.last_hour(record.id)
    platform = figures.rings.platforms.get(record.id)
    day = figures.rings.steps(record.id, _DAY_S, _HOUR_S, figures.now)
    tokens_since = min((each.tokens_since for each in record.connections), default=None)
    return PlatformHealthView(
        messages_1h=sum(map(messages_in, hour.values())),
        ok_share=ok_share(total(hour.values())),
        p95_ms=None if platform is None else platform.p95_ms(),
        spark=tuple(
            messages_in(sent) + messages_in(got)
            for sent, got in zip(day[Direction.IN], day[Direction.OUT], strict=True)
        ),
        circuit=None if circuits is None else circuit_view(circuits.get(record.id)).state,
        open_events=open_events,
        token_age_d=None if tokens_since is None else (datetime.now(UTC) - tokens_since).days,
        last_seen=record.last_seen,
        since=None if status is None else status.since,
        why=None if status is None else status.why or str(status.cause),
    )
