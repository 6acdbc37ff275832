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

    def take(self, key: str) -> float:
        """Take one token of this key's bucket: 0.0, or the seconds until there is one to take."""
        bucket = self._bucket(key)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._limit.per_second
        bucket.tokens -= 1
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
    """The limits of one process. Each check raises TooManyRequests, which says when to come again."""

    def __init__(self, rate: RateLimit | None) -> None:
        self._messages = None if rate is None else Buckets(rate)
        self._failures = Buckets(_FAILED_AUTHENTICATIONS)

    def message_of(self, platform_id: str) -> None:
        """Count one request of this platform."""
        if self._messages is not None and (wait := self._messages.take(platform_id)):
            raise TooManyRequests("This platform sends more than it may", math.ceil(wait))

    def may_authenticate(self, source: str) -> None:
        """Refuse an address that has presented too many wrong tokens."""
        if wait := self._failures.wait(_neighbourhood(source)):
            raise TooManyRequests("Too many requests without a valid token", math.ceil(wait))

    def failed_authentication(self, source: str) -> None:
        """Count one wrong token of this address."""
        self._failures.take(_neighbourhood(source))


def _neighbourhood(source: str) -> str:
    """Who counts as one address: of IPv6 a whole /64, since that is the least that anybody gets."""
    try:
        address = IPv6Address(source)
    except AddressValueError:
        return source
    return str(address.ipv4_mapped or int(address) >> 64)
