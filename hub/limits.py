"""How much a platform, or an address without a valid token, may ask of the hub.

Buckets live in this process: they protect it, whatever the other workers do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address
from time import monotonic
from typing import Final

from hub.settings import RateLimit
from routing.errors import TooManyRequests

_FAILED_AUTHENTICATIONS: Final = RateLimit(10 / 60, 10)
_BROADCASTS: Final = RateLimit(5, 50)
_RECEIVERS_AT_ONCE: Final = 100
"""A broadcast to more receivers counts as several: one for each so many begun."""
_LISTS: Final = RateLimit(10 / 60, 10)
_FAN_OUTS: Final = RateLimit(5, 5)
_REMEMBERED: Final = 10_000


class _Bucket:
    """Tokens that come back with time."""

    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at

    def refill(self, limit: RateLimit, now: float) -> None:
        self.tokens = min(float(limit.burst), self.tokens + (now - self.at) * limit.per_second)
        self.at = now


class Buckets:
    """One bucket for each key, all of one limit. The keys that were quiet longest are forgotten first.

    `clock` gives seconds that never go back.
    """

    def __init__(self, limit: RateLimit, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str, weight: int = 1) -> float:
        """Take tokens of this key's bucket: 0.0, or the seconds until there is one to take.

        Who takes more than there are leaves a debt, and the next one waits for it: so no weight is too much for ever.
        """
        bucket = self._bucket(key)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._limit.per_second
        bucket.tokens -= weight
        return 0.0

    def wait(self, key: str) -> float:
        """The seconds until this key's bucket has a token; 0.0 when it has one now."""
        if key not in self._buckets:
            return 0.0
        return max(0.0, (1 - self._bucket(key).tokens) / self._limit.per_second)

    def _bucket(self, key: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            bucket = _Bucket(float(self._limit.burst), now)
            if len(self._buckets) >= _REMEMBERED:
                del self._buckets[next(iter(self._buckets))]
        else:
            bucket.refill(self._limit, now)
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
        self._failures = Buckets(_FAILED_AUTHENTICATIONS)

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
        if wait := self._failures.wait(_neighbourhood(source)):
            raise TooManyRequests("Too many requests without a valid token", math.ceil(wait))

    def failed_authentication(self, source: str) -> None:
        """Count one wrong token of this address."""
        self._failures.take(_neighbourhood(source))


def _count(buckets: Buckets | None, platform_id: str, what: str, weight: int = 1) -> None:
    if buckets is not None and (wait := buckets.take(platform_id, weight)):
        raise TooManyRequests(f"This platform sends more {what} than it may", math.ceil(wait))


def _neighbourhood(source: str) -> str:
    """Who counts as one address: of IPv6 a whole /64, since that is the least that anybody gets."""
    try:
        address = IPv6Address(source)
    except AddressValueError:
        return source
    return str(address.ipv4_mapped or int(address) >> 64)
