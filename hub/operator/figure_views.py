"""How figures of messages look at the operator API. Times in milliseconds, shares from 0 to 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from statistics import median
from typing import Annotated, Final

from litestar.params import QueryParameter
from msgspec import Meta, Struct

from hub.figures import Cell, Figures
from hub.figures.cells import COUNT, HUB_TIME, PARTNER_TIME, add, failures_in, percentile_ms, times_in
from hub.hub import Hub
from hub.store.journal_entries import Failure
from hub.story_words import BY_RECEIVER

Share = Annotated[float, Meta(ge=0, le=1)]
BY_HUB: Final = frozenset({Failure.HUB_ERROR})
_DIGITS: Final = 4


class Window(StrEnum):
    """How far back figures go."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"

    @property
    def seconds(self) -> int:
        """The same as a number."""
        return {"1h": 3600, "24h": 86_400, "7d": 604_800}[self.value]


Within = Annotated[Window, QueryParameter(description="How far back. A length of time that has begun counts, too.")]


class ProcessView(Struct, frozen=True):
    """A process that counts."""

    id: str
    since: datetime
    """When it began."""
    last_at: datetime
    """Up to when its figures are in."""


class CoversView(Struct, frozen=True):
    """What figures are the figures of."""

    since: datetime
    """When counting began, as far as it is known: figures of a longer window begin there."""
    complete: bool
    """Whether all processes are in it; while Redis is away it is the one that answers."""
    reason: str | None
    """Why not."""
    processes: tuple[ProcessView, ...]


class TimesView(Struct, frozen=True):
    """How long it took. Percentiles are right to a fifth, and null where there are fewer than 20 samples."""

    samples: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class FailedView(Struct, frozen=True):
    """Messages that failed, by whose failure it was."""

    partner: int
    """The receiver did not answer, or not well."""
    hub: int
    """The hub's own errors."""
    refused: int
    """The hub refused them, for what they said or where they went."""
    reasons: dict[str, int]
    """The same by reason, as in the journal; the commonest first."""


class TrafficView(Struct, frozen=True):
    """Messages in one direction."""

    messages: int
    ok_share: Share | None
    """Null without messages."""
    failed: FailedView
    hub: TimesView
    """What they took within the hub."""
    partner: TimesView | None
    """What the hub waited for the receiver's answer; null for who may not see it."""


def covers(hub: Hub) -> CoversView:
    """What the figures of this moment are the figures of."""
    figures = hub.figures
    reason = "Redis does not answer: what other processes counted since is missing" if figures.is_away else None
    return CoversView(
        since=moment(figures.since),
        complete=reason is None,
        reason=reason,
        processes=tuple(
            ProcessView(each.worker, moment(each.since), moment(each.last_at)) for each in figures.counting()
        ),
    )


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a time."""
    return datetime.fromtimestamp(seconds, UTC)


def times_view(cell: Mapping[int, int], first: int) -> TimesView:
    """The times of one sort."""
    times = times_in(cell, first)
    p50, p95, p99 = (percentile_ms(times, share) for share in (0.5, 0.95, 0.99))
    return TimesView(sum(times.values()), p50, p95, p99)


def failed_view(cell: Mapping[int, int]) -> FailedView:
    """What failed, and whose failure it was."""
    failures = failures_in(cell)
    partner = sum(number for failure, number in failures.items() if failure in BY_RECEIVER)
    own = sum(number for failure, number in failures.items() if failure in BY_HUB)
    reasons = {str(failure): number for failure, number in failures.items()}
    return FailedView(partner, own, sum(failures.values()) - partner - own, reasons)


def ok_share(cell: Mapping[int, int]) -> float | None:
    """The share of those that did not fail."""
    number = cell.get(COUNT, 0)
    return round(1 - sum(failures_in(cell).values()) / number, _DIGITS) if number else None


def share_of(cell: Mapping[int, int], code: int) -> float | None:
    """The share that a code has of the messages."""
    number = cell.get(COUNT, 0)
    return round(min(cell.get(code, 0) / number, 1.0), _DIGITS) if number else None


def traffic_view(cell: Mapping[int, int], *, partner: bool = True) -> TrafficView:
    """Messages in one direction. `partner`: with what their receivers took."""
    return TrafficView(
        messages=cell.get(COUNT, 0),
        ok_share=ok_share(cell),
        failed=failed_view(cell),
        hub=times_view(cell, HUB_TIME),
        partner=times_view(cell, PARTNER_TIME) if partner else None,
    )


def total(cells: Iterable[Mapping[int, int]]) -> Cell:
    """The sum."""
    whole: Cell = {}
    for cell in cells:
        add(cell, whole)
    return whole


def usual_ms(days: Iterable[Mapping[int, int]], share: float, first: int = PARTNER_TIME) -> float | None:
    """The median of what this share of messages did not exceed on each day; None where no day had enough."""
    every = (percentile_ms(times_in(cell, first), share) for cell in days)
    known = [each for each in every if each is not None]
    return round(median(known), 3) if known else None


async def up_to_date(hub: Hub) -> Figures:
    """The figures, with what this process counted up to now."""
    await hub.figures.catch_up_here()
    return hub.figures
