"""Which partners are much slower than usual: looked at every minute, in the process that leads."""

from __future__ import annotations

import asyncio
from statistics import median
from typing import Final, NamedTuple

import structlog

from hub.event_kinds import EventKind
from hub.figures import Direction, Figures
from hub.figures.cells import PARTNER_TIME, Cell, add, percentile_ms, times_in
from hub.hub import Hub
from hub.leadership import Term
from hub.observability import FilteringBoundLogger
from routing.errors import HubError

log: FilteringBoundLogger = structlog.get_logger()

EVERY_S: Final = 60.0
_WINDOW_S: Final = 600
_SLOW_MS: Final = 1000.0
_TIMES_USUAL: Final = 3.0
_SHARE: Final = 0.95
_AT_ONCE: Final = 100
_MOST_CLOSED: Final = 200
"""Events of one look."""


class Slow(NamedTuple):
    """What 95 % of the answers of a partner did not exceed, in milliseconds."""

    p95_ms: float
    """In the last ten minutes, and up to five more."""
    usual_ms: float
    """The median of the last seven whole days."""
    module: str
    """The one that it takes longest for."""


async def watching_slowness(hub: Hub, _: Term, *, every_s: float = EVERY_S) -> None:
    """Open an event about each partner that is slow, and close it once it is not. It may be done twice."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await look_for_slowness(hub)
        except HubError as error:
            log.warning("slowness_not_looked_for", reason=str(error))
        except Exception:  # a bug in one round must not end all later ones
            log.exception("slowness_not_looked_for")


async def look_for_slowness(hub: Hub) -> None:
    """One look at all partners that were called lately.

    Raises:
        HubFault: the database does not say which are known to be slow.
    """
    now, slow = hub.figures.now, set[str]()
    for number, platform_id in enumerate(list(hub.figures.rings.platforms), 1):
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        if platform_id in hub.directory.snapshot.parts and (found := slowness(hub.figures, platform_id, now)):
            hub.events.happened(EventKind.PARTNER_SLOW, platform_id=platform_id, **found._asdict())
            slow.add(platform_id)
    known = await hub.event_rows.page(
        is_open=True, kind=EventKind.PARTNER_SLOW, platform_id=None, limit=_MOST_CLOSED, cursor=None
    )
    for event in known.items:
        if event.platform_id not in slow:
            hub.events.over(EventKind.PARTNER_SLOW, platform_id=event.platform_id)


def slowness(figures: Figures, platform_id: str, now: float) -> Slow | None:
    """How slow a partner is; None when it is not, or when too little is known of it."""
    lately = figures.rings.lately(platform_id, _WINDOW_S, now)
    p95_ms = percentile_ms(times_in(lately, PARTNER_TIME), _SHARE)
    if p95_ms is None or p95_ms <= _SLOW_MS:
        return None
    usual_ms = _usual_ms(figures, platform_id, now)
    if usual_ms is None or p95_ms <= _TIMES_USUAL * usual_ms:
        return None
    return Slow(p95_ms, usual_ms, _slowest(figures, platform_id, now))


def _usual_ms(figures: Figures, platform_id: str, now: float) -> float | None:
    every = []
    for day in figures.rings.days(platform_id, now):
        called: Cell = {}
        for kind, cell in day.items():
            if kind.direction is Direction.OUT:
                add(cell, called)
        p95_ms = percentile_ms(times_in(called, PARTNER_TIME), _SHARE)
        every += [] if p95_ms is None else [p95_ms]
    return median(every) if every else None


def _slowest(figures: Figures, platform_id: str, now: float) -> str:
    by_module: dict[str, Cell] = {}
    for kind, cell in figures.rings.detailed(platform_id, _WINDOW_S, now).items():
        if kind.direction is Direction.OUT:
            add(cell, by_module.setdefault(kind.module, {}))
    times = {module: percentile_ms(times_in(cell, PARTNER_TIME), _SHARE) for module, cell in by_module.items()}
    return max(times, key=lambda module: times[module] or 0.0)
