"""How long partners take to answer: distributions, written as on a command line."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from random import Random
from typing import Final, TypeAlias

from msgspec import Struct

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_USUAL_SIGMA: Final = 0.5
"""Of a lognormal distribution: one of twenty takes 2.3 times the median, or longer."""
_SYNTAX: Final = "constant:80ms, uniform:50ms-200ms or lognormal:80ms,0.5"


class Constant(Struct, frozen=True, tag=True):
    """Always the same."""

    seconds: float

    def drawn(self, _: Random) -> float:
        """Seconds."""
        return self.seconds


class Uniform(Struct, frozen=True, tag=True):
    """Anything between, with the same probability."""

    least_s: float
    most_s: float

    def drawn(self, dice: Random) -> float:
        """Seconds."""
        return dice.uniform(self.least_s, self.most_s)


class Lognormal(Struct, frozen=True, tag=True):
    """Mostly near the median, now and then much longer, as servers are. `sigma` is of the logarithm."""

    median_s: float
    sigma: float = _USUAL_SIGMA

    def drawn(self, dice: Random) -> float:
        """Seconds."""
        return dice.lognormvariate(math.log(self.median_s), self.sigma)


Distribution: TypeAlias = Constant | Uniform | Lognormal


def read_distribution(text: str) -> Distribution:
    """The distribution that is written like `lognormal:80ms`.

    Raises:
        ValueError: it cannot be read; the message says what can.
    """
    name, _, figures = text.partition(":")
    if name not in _READERS:
        raise ValueError(f"{text!r} is not like {_SYNTAX}")
    try:
        return _READERS[name](figures)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None


def read_duration(text: str) -> float:
    """Seconds, written like 80ms, 3s or 5m.

    Raises:
        ValueError: it is not written so.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration like 80ms, 3s or 5m")
    return float(match[1]) * _UNIT_S[match[2]]


def _constant(figures: str) -> Constant:
    return Constant(read_duration(figures))


def _uniform(figures: str) -> Uniform:
    least, _, most = figures.partition("-")
    low, high = read_duration(least), read_duration(most)
    if low > high:
        raise ValueError(f"{least} is more than {most}")
    return Uniform(low, high)


def _lognormal(figures: str) -> Lognormal:
    median, comma, sigma = figures.partition(",")
    seconds = read_duration(median)
    if seconds == 0:
        raise ValueError("the median is more than nothing")
    if not comma:
        return Lognormal(seconds)
    if not re.fullmatch(r"\d+(\.\d+)?", sigma):
        raise ValueError(f"{sigma!r} is no sigma like 0.5")
    return Lognormal(seconds, float(sigma))


_READERS: Final[dict[str, Callable[[str], Distribution]]] = {
    "constant": _constant,
    "uniform": _uniform,
    "lognormal": _lognormal,
}
