"""`GET /api/v1/overview`: is the hub well, and what needs somebody?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from litestar import get
from msgspec import Meta, Struct

from hub.advice import general_advice
from hub.event_kinds import KINDS, Severity
from hub.figures import WHOLE_HUB, Direction
from hub.figures.cells import COUNT, DELIVERED, FAILED, HUB_TIME, PARTNER_TIME, TRANSLATED, failures_in
from hub.hub import Hub
from hub.operator.events import EventView, event_view
from hub.operator.figure_views import (
    CoversView,
    FailedView,
    TimesView,
    Window,
    covers,
    failed_view,
    ok_share,
    share_of,
    times_view,
    total,
    up_to_date,
)
from hub.operator.platforms import TheHub
from hub.operator.problems import documented
from hub.operator.roles import FOR_AUDITORS
from hub.store.events import EventRecord
from hub.store.journal_entries import Failure
from hub.store.redis import DirectoryCache
from hub.story_words import BY_RECEIVER
from routing.errors import HubFault
from routing.vocabulary import ConnectionStatus

_MOST_EVENTS: Final = 6
_LOOKED_AT: Final = 200
_MOST_PARTNERS: Final = 5
_WORST_FIRST: Final = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


class Standing(StrEnum):
    """How the hub is, in a word."""

    NEW = "new"
    """No platform was ever invited."""
    OK = "ok"
    NEEDS_YOU = "needs_you"
    """There are open events that nobody knows of."""
    REDIS_AWAY = "redis_away"
    DATABASE_AWAY = "database_away"
    DRAINING = "draining"


class WorstView(Struct, frozen=True):
    """A platform with many errors in the last hour."""

    id: str
    name: str
    messages: int
    failed: int
    reason: Failure
    """The commonest."""
    advice: str


class FiguresView(Struct, frozen=True):
    """The last hour. Times in milliseconds."""

    messages: int
    ok_share: Annotated[float, Meta(ge=0, le=1)] | None
    failed: FailedView
    hub: TimesView
    """What the hub adds to a message."""
    partner: TimesView
    """What partners take for their answers."""
    translated_share: float | None
    deliveries: int
    """Of broadcasts."""


class OverviewView(Struct, frozen=True):
    """Is the hub well, and what needs somebody?"""

    at: datetime
    standing: Standing
    sentence: str
    covers: CoversView
    platforms: dict[str, int]
    """By status."""
    parties: int
    open_events: int | None
    """Null while the database is away, as the list of them is empty then."""
    needs_you: tuple[EventView, ...]
    """The open events that nobody knows of, the worst first; at most six."""
    last_hour: FiguresView
    worst: tuple[WorstView, ...]
    """Partners whose own failures were the most in the last hour."""
    waiting: int
    """Entries of the journal that this process has not written yet."""


@get("/overview", tags=["traffic"], responses=documented(503), opt=FOR_AUDITORS)
async def show_overview(hub: TheHub) -> OverviewView:
    """Everything on one page: how the hub is, what needs somebody, the last hour, and who fails most."""
    figures = await up_to_date(hub)
    snapshot = hub.directory.snapshot
    statuses = Counter(part.platform.status for part in snapshot.parts.values())
    events = await _open_events(hub)
    unknown = [each for each in events or () if _needs_somebody(each)]
    standing = _standing(hub, len(statuses), unknown, events)
    hour = figures.rings.detailed(WHOLE_HUB, Window.HOUR.seconds, figures.now)
    came = total(cell for kind, cell in hour.items() if kind.direction is Direction.IN)
    called = total(cell for kind, cell in hour.items() if kind.direction is Direction.OUT)
    return OverviewView(
        at=datetime.now(UTC),
        standing=standing,
        sentence=_sentence(standing, unknown),
        covers=covers(hub),
        platforms={str(status): number for status, number in statuses.items()},
        parties=sum(each.status is ConnectionStatus.CONNECTED for each in snapshot.parties.values()),
        open_events=None if events is None else len(events),
        needs_you=tuple(event_view(each, hub) for each in unknown[:_MOST_EVENTS]),
        last_hour=FiguresView(
            messages=came.get(COUNT, 0),
            ok_share=ok_share(came),
            failed=failed_view(came),
            hub=times_view(came, HUB_TIME),
            partner=times_view(called, PARTNER_TIME),
            translated_share=share_of(called, TRANSLATED),
            deliveries=called.get(DELIVERED, 0),
        ),
        worst=tuple(_worst(hub)),
        waiting=hub.journal.waiting,
    )


async def _open_events(hub: Hub) -> list[EventRecord] | None:
    """The open events, the worst first; None while the database is away."""
    with suppress(HubFault):
        page = await hub.event_rows.page(is_open=True, kind=None, platform_id=None, limit=_LOOKED_AT, cursor=None)
        return sorted(page.items, key=lambda each: _WORST_FIRST.index(KINDS[each.kind].severity))
    return None


def _needs_somebody(event: EventRecord) -> bool:
    known = event.acknowledged
    return known is None or (known.until is not None and known.until <= datetime.now(UTC))


def _standing(hub: Hub, platforms: int, unknown: list[EventRecord], events: list[EventRecord] | None) -> Standing:
    problems = hub.directory.problems()
    if hub.drain.is_draining:
        return Standing.DRAINING
    if events is None or not all(each.startswith(DirectoryCache.name) for each in problems):
        return Standing.DATABASE_AWAY
    if problems:
        return Standing.REDIS_AWAY
    if unknown:
        return Standing.NEEDS_YOU
    return Standing.OK if platforms else Standing.NEW


def _sentence(standing: Standing, unknown: list[EventRecord]) -> str:
    match standing:
        case Standing.NEW:
            return "The hub runs, and nobody is connected yet."
        case Standing.OK:
            return "Routing works. Nothing needs you."
        case Standing.REDIS_AWAY:
            return "Redis is away; routing works."
        case Standing.DATABASE_AWAY:
            return "The database is away; messages between platforms go on, and nothing can be changed."
        case Standing.DRAINING:
            return "The hub is draining: it takes no new messages."
        case Standing.NEEDS_YOU:
            partners = {each.platform_id for each in unknown if each.platform_id is not None}
            hub_itself = any(each.platform_id is None for each in unknown)
            number = f"{len(partners)} partner{'s need' if len(partners) != 1 else ' needs'} you" if partners else ""
            who = " and ".join(filter(None, [number, _ITSELF if hub_itself else ""]))
            return f"{who[0].upper()}{who[1:]}.{_OTHERS if partners else ''}"


_ITSELF: Final = "something of the hub itself needs you"
_OTHERS: Final = " Messages between the others go on."


def _worst(hub: Hub) -> list[WorstView]:
    """Those whose own failures, as receivers, were the most in the last hour."""
    rings, parts = hub.figures.rings, hub.directory.snapshot.parts
    failing = (
        (platform_id, figures.last_hour[Direction.OUT])
        for platform_id, figures in rings.platforms.items()
        if platform_id in parts and figures.last_hour[Direction.OUT].get(FAILED)
    )
    found = [(_own(cell), platform_id, cell) for platform_id, cell in failing]
    views = []
    for own, platform_id, cell in sorted(found, key=lambda each: (-sum(each[0].values()), each[1]))[:_MOST_PARTNERS]:
        if reason := next(iter(own), None):
            views.append(
                WorstView(
                    platform_id,
                    parts[platform_id].platform.name,
                    cell.get(COUNT, 0),
                    sum(own.values()),
                    reason,
                    general_advice(reason, parts[platform_id].platform.name, platform_id).text,
                )
            )
    return views


def _own(cell: Mapping[int, int]) -> dict[Failure, int]:
    return {failure: number for failure, number in failures_in(cell).items() if failure in BY_RECEIVER}
