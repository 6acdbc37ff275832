"""How much arrives when: the shape of a load test is a rate over time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from math import sqrt
from typing import NamedTuple


class Point(NamedTuple):
    """The rate at one moment; between two points it changes evenly."""

    at_s: float
    rate: float  # arrivals a second


class Shape:
    """A rate over time: straight lines between points. Before the first and after the last nothing arrives.

    `reconnect_at_s`: when all platforms lose their connections at once and register again; None for never.
    """

    def __init__(self, points: Sequence[Point], reconnect_at_s: float | None = None) -> None:
        self.points = tuple(points)
        self.reconnect_at_s = reconnect_at_s
        areas = ((right.at_s - left.at_s) * (left.rate + right.rate) / 2 for left, right in pairwise(self.points))
        self._arrivals = (0.0, *accumulate(areas))

    @property
    def duration_s(self) -> float:
        """From the beginning to the last point."""
        return self.points[-1].at_s

    @property
    def arrivals(self) -> float:
        """How much arrives altogether."""
        return self._arrivals[-1]

    def rate(self, at_s: float) -> float:
        """Arrivals a second at this moment."""
        for left, right in pairwise(self.points):
            if left.at_s <= at_s < right.at_s:
                return left.rate + (right.rate - left.rate) * (at_s - left.at_s) / (right.at_s - left.at_s)
        return 0.0

    def arrived(self, until_s: float) -> float:
        """How much has arrived until this moment."""
        total = 0.0
        for left, right in pairwise(self.points):
            end = min(right.at_s, until_s)
            if end > left.at_s:
                rate = left.rate + (right.rate - left.rate) * (end - left.at_s) / (right.at_s - left.at_s)
                total += (end - left.at_s) * (left.rate + rate) / 2
        return total

    def when(self, arrived: float) -> float | None:
        """The moment until which so much has arrived; None when that never comes."""
        if arrived >= self.arrivals:
            return None
        if arrived <= 0:
            return self.points[0].at_s
        index = max(1, bisect_left(self._arrivals, arrived))
        left, right = self.points[index - 1], self.points[index]
        wanted = arrived - self._arrivals[index - 1]
        slope = (right.rate - left.rate) / (right.at_s - left.at_s) if right.at_s > left.at_s else 0.0
        # wanted = rate * t + slope / 2 * t²; this form of its root holds for every slope, also none.
        return left.at_s + 2 * wanted / (left.rate + sqrt(max(0.0, left.rate**2 + 2 * slope * wanted)))


def steady(rate: float, duration_s: float) -> Shape:
    """The same rate all the time."""
    return _of(duration_s, (0, rate), (1, rate))


def ramp(rate: float, duration_s: float) -> Shape:
    """From nothing evenly up to the rate: where does it begin to hurt?"""
    return _of(duration_s, (0, 0), (1, rate))


def step(rate: float, duration_s: float) -> Shape:
    """A quarter, a half, three quarters, all of it: each for a quarter of the time."""
    quarters = [(index / 4, index / 4 + 0.25, rate * (index + 1) / 4) for index in range(4)]
    return _of(duration_s, *(point for begin, end, height in quarters for point in ((begin, height), (end, height))))


def spike(rate: float, duration_s: float) -> Shape:
    """A quarter of the rate, and in the middle all of it for a tenth of the time."""
    low = rate / 4
    return _of(duration_s, (0, low), (0.45, low), (0.45, rate), (0.55, rate), (0.55, low), (1, low))


def morning_peak(rate: float, duration_s: float) -> Shape:
    """From a fifth of the rate up to all of it, as cars are plugged in at work, and down to a half again."""
    return _of(duration_s, (0, rate / 5), (0.2, rate / 5), (0.45, rate), (0.6, rate), (0.85, rate / 2), (1, rate / 2))


def mass_reconnect(rate: float, duration_s: float) -> Shape:
    """The same rate all the time; after a third of it all platforms lose their connections and come back at once."""
    return Shape(steady(rate, duration_s).points, reconnect_at_s=duration_s / 3)


def _of(duration_s: float, *points: tuple[float, float]) -> Shape:
    return Shape([Point(share * duration_s, rate) for share, rate in points])


SHAPES: dict[str, Callable[[float, float], Shape]] = {
    "steady": steady,
    "ramp": ramp,
    "step": step,
    "spike": spike,
    "morning-peak": morning_peak,
    "mass-reconnect": mass_reconnect,
}
"""By name: the shape whose highest rate is the first argument, and which lasts as long as the second, in seconds."""
