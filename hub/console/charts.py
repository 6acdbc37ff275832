"""Charts as the paths and numbers of an SVG image, which attributes and classes of the template finish. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

SPARK_WIDTH: Final = 88
SPARK_HEIGHT: Final = 22
STRIP_WIDTH: Final = 700
BAR_WIDTH: Final = 100
_STEP: Final = 12
_GAP: Final = 2
_LEAST: Final = 1.0


class Spark(NamedTuple):
    """A line, and the area below it."""

    line: str
    area: str


class Span(NamedTuple):
    """A part of a strip."""

    x: float
    width: float
    kind: str
    """What it says: the class that colours it."""


class Interval(NamedTuple):
    """A length of time of one kind; None while it goes on."""

    since: datetime
    until: datetime | None
    kind: str


def spark(values: Sequence[int]) -> Spark | None:
    """A line from nought up; None where there is nothing to see."""
    most = max(values, default=0)
    if most == 0 or len(values) < 2:
        return None
    step = SPARK_WIDTH / (len(values) - 1)
    points = " ".join(
        f"{_short(at * step)},{_short(SPARK_HEIGHT * (1 - value / most))}" for at, value in enumerate(values)
    )
    return Spark(f"M{points}", f"M{points}V{SPARK_HEIGHT}H0z")


def bars(values: Sequence[int], height: int, most: int, *, on: Sequence[int] = ()) -> str:
    """One bar for each value, of which `most` has the whole height; `on` are what they stand on, of the same scale."""
    drawn = []
    for at, value in enumerate(values):
        if value:
            below = on[at] if on else 0
            size = max(height * value / most, _LEAST)
            top = max(height - height * below / most - size, 0)
            drawn.append(f"M{at * _STEP + 1} {_short(top)}h{_STEP - _GAP}v{_short(size)}h-{_STEP - _GAP}z")
    return "".join(drawn)


def bars_width(values: Sequence[int]) -> int:
    """How wide the image of bars is."""
    return max(len(values), 1) * _STEP


def strip(intervals: Iterable[Interval], since: datetime, until: datetime) -> list[Span]:
    """Intervals as spans of a strip, as far as they are within this time."""
    whole = (until - since).total_seconds()
    spans = []
    for each in intervals:
        start, end = max(each.since, since), min(each.until or until, until)
        if end > start:
            x = (start - since).total_seconds() / whole * STRIP_WIDTH
            width = max((end - start).total_seconds() / whole * STRIP_WIDTH, _LEAST)
            spans.append(Span(round(x, 1), round(width, 1), each.kind))
    return spans


def share_of_time(intervals: Iterable[Interval], kind: str, since: datetime, until: datetime) -> float | None:
    """Which share of the time covered is of this kind; None where nothing is covered."""
    covered = among = timedelta()
    for each in intervals:
        length = min(each.until or until, until) - max(each.since, since)
        if length > timedelta():
            covered += length
            among += length if each.kind == kind else timedelta()
    return among / covered if covered else None


def bar(value: float | None, most: float | None) -> float:
    """How long a bar is of which `most` has the whole width."""
    if not value or not most:
        return 0
    return round(min(max(value / most * BAR_WIDTH, _LEAST), BAR_WIDTH), 1)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
