"""How much a platform, or an address without a valid token, may ask of the hub.

Each process decides from buckets of its own, at once. Where processes share a Redis, they tell each other a few times
a second what they gave out, see `hub.store.shared_buckets`: so they decide alike, and no message waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address
from time import monotonic
from typing import Final, Protocol

from hub.setting_types import RateLimit
from routing.errors import TooManyRequests

FAILED_AUTHENTICATIONS: Final = RateLimit(10 / 60, 10)
_BROADCASTS: Final = RateLimit(5, 50)
_RECEIVERS_AT_ONCE: Final = 100
"""A broadcast to more receivers counts as several: one for each so many begun."""
_LISTS: Final = RateLimit(10 / 60, 10)
_FAN_OUTS: Final = RateLimit(5, 5)
_REMEMBERED: Final = 10_000
_MUCH: Final = 1 / 20
"""Of a burst: when a process has given out so much, it tells the others before its time."""


class _Bucket:
    """Tokens that come back with time."""

    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at

    def refill(self, limit: RateLimit, now: float) -> None:
        self.tokens = min(float(limit.burst), self.tokens + (now - self.at) * limit.per_second)
        self.at = now


class Listener(Protocol):
    """Who tells other processes what was given out."""

    def given(self, *, much: bool) -> None:
        """Something was given out of a bucket; or so much that the others should hear of it at once."""


class Buckets:
    """One bucket for each key, all of one limit. The keys that were quiet longest are forgotten first.

    `clock` gives seconds that never go back. A `listener` is there where other processes give out of the same buckets.
    """

    def __init__(self, limit: RateLimit, clock: Callable[[], float] = monotonic) -> None:
        self.limit = limit
        self.listener: Listener | None = None
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._given: dict[str, float] = {}
        self._much = max(1.0, limit.burst * _MUCH)

    def take(self, key: str, weight: int = 1) -> float:
        """Take tokens of this key's bucket: 0.0, or the seconds until there is one to take.

        Who takes more than there are leaves a debt, and the next one waits for it: so no weight is too much for ever.
        """
        bucket = self._bucket(key)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self.limit.per_second
        bucket.tokens -= weight
        if self.listener is not None:
            before = self._given.get(key, 0.0)
            given = self._given[key] = before + weight
            if not before or given >= self._much:
                self.listener.given(much=given >= self._much)
        return 0.0

    def wait(self, key: str) -> float:
        """The seconds until this key's bucket has a token; 0.0 when it has one now."""
        if key not in self._buckets:
            return 0.0
        return max(0.0, (1 - self._bucket(key).tokens) / self.limit.per_second)

    def given(self) -> dict[str, float]:
        """What was given out of each bucket since this was asked last; the others do not know of it yet."""
        given, self._given = self._given, {}
        return given

    def settle(self, key: str, level: float) -> None:
        """Take over what all processes together have left of this key, less what `given` has still to tell."""
        self._bucket(key).tokens = level - self._given.get(key, 0.0)

    def _bucket(self, key: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            bucket = _Bucket(float(self.limit.burst), now)
            if len(self._buckets) >= _REMEMBERED:
                del self._buckets[next(iter(self._buckets))]
        else:
            bucket.refill(self.limit, now)
        self._buckets[key] = bucket
        return bucket


class Limits:
    """The limits of one process. Each check raises TooManyRequests, which says when to come again.

    Without a rate platforms may send as much as they like, of everything.
    """

    def __init__(self, rate: RateLimit | None) -> None:
        self._messages = None if rate is None else Buckets(rate)
        self._broadcasts = None if rate is None else Buckets(_BROADCASTS)
        self._lists = None if rate is None else Buckets(_LISTS)
        self._fan_outs = None if rate is None else Buckets(_FAN_OUTS)
        self._failures = Buckets(FAILED_AUTHENTICATIONS)

    @property
    def buckets(self) -> dict[str, Buckets]:
        """All buckets there are, by a name for each limit."""
        every = {
            "messages": self._messages,
            "broadcasts": self._broadcasts,
            "lists": self._lists,
            "fan-outs": self._fan_outs,
            "failed-authentications": self._failures,
        }
        return {name: buckets for name, buckets in every.items() if buckets is not None}

    def message_of(self, platform_id: str) -> None:
        """Count one request of this platform."""
        _count(self._messages, platform_id, "requests")

    def broadcast_of(self, platform_id: str, receivers: int) -> None:
        """Count one broadcast of this platform to so many receivers."""
        _count(self._broadcasts, platform_id, "broadcasts", max(1, math.ceil(receivers / _RECEIVERS_AT_ONCE)))

    def snapshot_of(self, platform_id: str) -> None:
        """Count one list of everybody's that this platform begins to read."""
        _count(self._lists, platform_id, "requests for lists of all parties")

    def fan_out_of(self, platform_id: str) -> None:
        """Count one authorization this platform asks all eMSPs for."""
        _count(self._fan_outs, platform_id, "authorizations that name no eMSP")

    def may_authenticate(self, source: str) -> None:
        """Refuse an address that has presented too many wrong tokens."""
        if wait := self._failures.wait(neighbourhood(source)):
            raise TooManyRequests("Too many requests without a valid token", math.ceil(wait))

    def failed_authentication(self, source: str) -> None:
        """Count one wrong token of this address."""
        self._failures.take(neighbourhood(source))


def _count(buckets: Buckets | None, platform_id: str, what: str, weight: int = 1) -> None:
    if buckets is not None and (wait := buckets.take(platform_id, weight)):
        raise TooManyRequests(f"This platform sends more {what} than it may", math.ceil(wait))


def neighbourhood(source: str) -> str:
    """Who counts as one address: of IPv6 a whole /64, since that is the least that anybody gets."""
    try:
        address = IPv6Address(source)
    except AddressValueError:
        return source
    return str(address.ipv4_mapped or int(address) >> 64)
