"""How many calls at partners each platform causes by its own: who makes one message into many is looked after.

One broadcast may become a thousand calls. Their number is limited, see `hub.limits`; here it is measured, so that an
operator sees who comes near that limit. Figures are of this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

import structlog
from msgspec import Struct

from hub.events import EventKind, Events
from hub.observability import FilteringBoundLogger, Metrics

log: FilteringBoundLogger = structlog.get_logger()

_TELL_EVERY_S: Final = 2.0
WINDOW_S: Final = 60.0
ALARMING_CALLS: Final = 3_000
"""In a window: half of what a platform can cause that broadcasts as much as it may."""
ALARMING_FACTOR: Final = 10.0


class _Traffic(Struct):
    requests: int = 0
    calls: int = 0

    @property
    def factor(self) -> float:
        """Calls caused by each request."""
        return self.calls / max(self.requests, 1)

    @property
    def is_alarming(self) -> bool:
        """Whether an operator should hear of it."""
        return self.calls >= ALARMING_CALLS and self.factor >= ALARMING_FACTOR


class Amplification:
    """Requests of each platform, and the calls they led to. `clock` gives seconds that never go back."""

    def __init__(self, metrics: Metrics, events: Events, clock: Callable[[], float] = monotonic) -> None:
        self._metrics = metrics
        self._events = events
        self._clock = clock
        self._untold: dict[str, _Traffic] = {}
        self._window: dict[str, _Traffic] = {}
        self._window_ends = clock() + WINDOW_S
        self._timer: asyncio.TimerHandle | None = None

    def requested(self, platform_id: str) -> None:
        """This platform has sent a message."""
        self._of(platform_id).requests += 1

    def called(self, platform_id: str) -> None:
        """The hub calls somebody because of a message of this platform."""
        self._of(platform_id).calls += 1

    def close(self) -> None:
        """Tell the last of it."""
        if self._timer is not None:
            self._timer.cancel()
            self._tell()

    def _of(self, platform_id: str) -> _Traffic:
        found = self._untold.get(platform_id)
        if found is None:
            found = self._untold[platform_id] = _Traffic()
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(_TELL_EVERY_S, self._tell)
        return found

    def _tell(self) -> None:
        self._timer = None
        if self._clock() >= self._window_ends:
            self._window, self._window_ends = {}, self._clock() + WINDOW_S
        untold, self._untold = self._untold, {}
        for platform_id, traffic in untold.items():
            self._metrics.amplified(platform_id, traffic.requests, traffic.calls)
            window = self._window.setdefault(platform_id, _Traffic())
            was_alarming = window.is_alarming
            window.requests += traffic.requests
            window.calls += traffic.calls
            if window.is_alarming and not was_alarming:
                self._alarm(platform_id, window)

    def _alarm(self, platform_id: str, traffic: _Traffic) -> None:
        log.warning(
            "platform_causes_many_calls",
            platform_id=platform_id,
            requests=traffic.requests,
            calls=traffic.calls,
            factor=round(traffic.factor, 1),
        )
        self._events.happened(
            EventKind.AMPLIFICATION,
            platform_id=platform_id,
            requests=traffic.requests,
            calls=traffic.calls,
            window_s=WINDOW_S,
        )
