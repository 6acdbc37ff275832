"""How partners are over a whole day: how fast, how often they fail, and when they are away."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
from msgspec import Struct

from loadtests.simulator import misbehaviour
from loadtests.simulator.latency import Constant, Distribution, Lognormal, read_duration
from loadtests.simulator.messages import envelope
from loadtests.simulator.misbehaviour import FAST, RESETTING, Behaviour

_ERRORS: Final = (
    Behaviour(answer=envelope(status_code=3000, status_message="out of order, as simulated")),
    Behaviour(answer=envelope(status_code=3000, status_message="out of order, as simulated", http_status=503)),
    RESETTING,
)
"""What goes wrong when something does, each as often as the others."""
_OUTAGE: Final = re.compile(r"(?:outage )?(\w+(?:\.\w+)?) every (\w+(?:\.\w+)?)")


class Outage(Struct, frozen=True):
    """Away for so long, again and again: whoever connects is cut off."""

    for_s: float
    every_s: float


class Profile(Struct, frozen=True):
    """How a partner answers messages, and everything else once it is registered."""

    latency: Distribution = Constant(0)
    errors: float = 0
    """The share of requests that go wrong, from 0 to 1."""
    otherwise: Behaviour = FAST
    """What those meet that do not."""
    outage: Outage | None = None


PROFILES: Final = {
    "fast": Profile(),
    "typical": Profile(Lognormal(0.08)),
    "slow": Profile(Constant(3)),
    "flaky": Profile(errors=0.05),
    "dead": Profile(otherwise=misbehaviour.DEAD),
    "closing": Profile(otherwise=misbehaviour.CLOSING),
    "resetting": Profile(otherwise=misbehaviour.RESETTING),
    "garbage": Profile(otherwise=misbehaviour.GARBAGE),
    "html": Profile(otherwise=misbehaviour.HTML),
    "huge": Profile(otherwise=misbehaviour.HUGE),
    "dripping": Profile(otherwise=misbehaviour.DRIPPING),
    "unauthorized": Profile(otherwise=misbehaviour.UNAUTHORIZED),
    "redirecting": Profile(otherwise=misbehaviour.REDIRECTING),
}
"""By the names a person chooses from; beside them there is `outage 60s every 5m`."""


def read_profile(text: str) -> Profile:
    """The profile of this name, or like `outage 60s every 5m`.

    Raises:
        ValueError: there is none.
    """
    if text in PROFILES:
        return PROFILES[text]
    if text.startswith("outage"):
        return Profile(outage=read_outage(text))
    raise ValueError(f"{text!r} is none of {', '.join(PROFILES)} or like 'outage 60s every 5m'")


def read_outage(text: str) -> Outage:
    """How long and how often, like `60s every 5m`.

    Raises:
        ValueError: it cannot be read, or lasts longer than the time from one to the next.
    """
    match = _OUTAGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not like '60s every 5m'")
    found = Outage(read_duration(match[1]), read_duration(match[2]))
    if not 0 < found.for_s < found.every_s:
        raise ValueError(f"{text!r}: an outage is shorter than the time from one to the next")
    return found


def read_share(text: str) -> float:
    """A share from 0 to 1, written like 1%.

    Raises:
        ValueError: it is not written so, or is more than 100%.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    if match is None or float(match[1]) > 100:
        raise ValueError(f"{text!r} is no share like 1%")
    return float(match[1]) / 100


class Mood:
    """One partner of a profile. The same seed meets the same number of requests in the same way."""

    def __init__(self, profile: Profile, seed: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Each is away at times of its own, counted from now on."""
        self._profile = profile
        self._dice = Random(seed)  # noqa: S311 - luck that can be had again
        self._clock = clock
        self._begun = clock()
        if profile.outage is not None:
            self._begun -= self._dice.uniform(0, profile.outage.every_s - profile.outage.for_s)

    def next(self) -> Behaviour:
        """How the next request is met."""
        profile = self._profile
        if self.away:
            return RESETTING
        behaviour = profile.otherwise
        if profile.errors and self._dice.random() < profile.errors:
            behaviour = self._dice.choice(_ERRORS)
        delay_s = profile.latency.drawn(self._dice)
        return msgspec.structs.replace(behaviour, delay_s=delay_s) if delay_s else behaviour

    @property
    def away(self) -> bool:
        """Whether this is an outage."""
        outage = self._profile.outage
        if outage is None:
            return False
        return math.fmod(self._clock() - self._begun, outage.every_s) >= outage.every_s - outage.for_s
