"""How long things took, in little memory, so that the figures of many processes can be added up exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any, Self

_HALF = 128
_BITS = 8
"""Of a duration in µs the 8 leading bits are kept: no figure is wrong by more than 0.4 %."""


class Histogram:
    """Counts of durations by size: as many buckets as are used, at most some 3,300 for an hour.

    Two histograms added are the same as one that has seen everything: counts, sum, least and greatest are exact, and
    what a quantile says of the sum is what it would say of the whole.
    """

    __slots__ = ("buckets", "count", "greatest_us", "least_us", "sum_us")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.sum_us = 0
        self.least_us = 0
        self.greatest_us = 0

    @classmethod
    def of(cls, milliseconds: Iterable[float]) -> Self:
        """A histogram of these."""
        histogram = cls()
        for each in milliseconds:
            histogram.add(each)
        return histogram

    def add(self, milliseconds: float) -> None:
        """Count one duration; less than nothing is nothing."""
        microseconds = max(0, round(milliseconds * 1000))
        bucket = _bucket(microseconds)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.least_us = min(self.least_us, microseconds) if self.count else microseconds
        self.greatest_us = max(self.greatest_us, microseconds)
        self.sum_us += microseconds
        self.count += 1

    def merge(self, other: Histogram) -> None:
        """Add all that another one has counted."""
        if not other.count:
            return
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.least_us = min(self.least_us, other.least_us) if self.count else other.least_us
        self.greatest_us = max(self.greatest_us, other.greatest_us)
        self.sum_us += other.sum_us
        self.count += other.count

    def quantile_ms(self, share: float) -> float | None:
        """The least duration that this share of all does not exceed, as a bucket's middle; None of nothing."""
        if not self.count:
            return None
        wanted = max(1, ceil(share * self.count))
        for bucket in sorted(self.buckets):
            wanted -= self.buckets[bucket]
            if wanted <= 0:
                return min(max(_middle_us(bucket), self.least_us), self.greatest_us) / 1000
        return self.greatest_us / 1000

    @property
    def mean_ms(self) -> float | None:
        """The mean; None of nothing."""
        return self.sum_us / self.count / 1000 if self.count else None

    def plain(self) -> dict[str, Any]:
        """As JSON and messages between processes carry it."""
        return {
            "buckets": [[bucket, count] for bucket, count in sorted(self.buckets.items())],
            "least_us": self.least_us,
            "greatest_us": self.greatest_us,
            "sum_us": self.sum_us,
        }

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """What `plain` was made of."""
        histogram = cls()
        histogram.buckets = dict(plain["buckets"])
        histogram.count = sum(histogram.buckets.values())
        histogram.least_us = plain["least_us"]
        histogram.greatest_us = plain["greatest_us"]
        histogram.sum_us = plain["sum_us"]
        return histogram

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.plain() == other.plain()

    __hash__ = None  # type: ignore[assignment]  # it changes; this is how Python wants that said


def _bucket(microseconds: int) -> int:
    """Durations below 256 µs have a bucket each; above, every power of two has 128 of equal width."""
    shift = max(0, microseconds.bit_length() - _BITS)
    return shift * _HALF + (microseconds >> shift)


def _middle_us(bucket: int) -> float:
    if bucket < 2 * _HALF:
        return float(bucket)
    shift = bucket // _HALF - 1
    first = (bucket - shift * _HALF) << shift
    return first + ((1 << shift) - 1) / 2
