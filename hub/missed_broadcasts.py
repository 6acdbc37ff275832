"""Who misses broadcasts: not the one that a partner did not get, but partners who do not get most of theirs.

Figures are of this process, which is enough: whoever misses most of them misses most of those of each process.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from msgspec import Struct

from hub.events import EventKind, Events

WINDOW_S: Final = 3600.0
ENOUGH: Final = 10
"""Misses in a window before anybody is told."""
_MISSED: Final = frozenset({"timeout", "unreachable", "failed", "stale"})
_GOT: Final = frozenset({"delivered", "refused", "merged"})


class _Window(Struct):
    until: float
    got: int = 0
    missed: int = 0


class MissedBroadcasts:
    """Counts what becomes of deliveries at each platform. `clock` gives seconds that never go back."""

    def __init__(self, events: Events, clock: Callable[[], float] = monotonic) -> None:
        self._events = events
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def ended(self, platform_id: str, outcome: str, module: str, correlation_id: str) -> None:
        """A delivery to this platform came to this outcome, see `hub.pushes`."""
        window = self._windows.get(platform_id)
        if outcome in _GOT:
            if window is not None:
                self._got(platform_id, window)
        elif outcome in _MISSED:
            now = self._clock()
            if window is None or now >= window.until:
                window = self._windows[platform_id] = _Window(now + WINDOW_S)
            window.missed += 1
            if window.missed >= ENOUGH and window.missed > window.got:
                self._events.happened(
                    EventKind.BROADCAST_MISSED,
                    platform_id=platform_id,
                    correlation_id=correlation_id,
                    outcome=outcome,
                    module=module,
                )

    def _got(self, platform_id: str, window: _Window) -> None:
        window.got += 1
        if window.missed >= ENOUGH and window.missed >= window.got:
            del self._windows[platform_id]  # it was told of, and begins anew
            self._events.over(EventKind.BROADCAST_MISSED, platform_id=platform_id)
