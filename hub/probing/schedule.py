"""When each platform is looked at, and what follows from what was found.

Times are seconds of a clock that never goes back.

==============  ====================================================================================
a platform is   it is looked at
==============  ====================================================================================
CONNECTED       when nothing was heard of it for `alive_after_s`
failing         `again_s` after the look before; the `failures`-th failure in a row makes it OFFLINE
OFFLINE         every `offline_every_s`; the first answer makes it CONNECTED
wanted          at once, but not sooner than `apart_s` after the look before
==============  ====================================================================================

Pauses are stretched a little at random, so that platforms that went or came together are not looked at together.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from random import SystemRandom
from typing import Final

from msgspec import Struct

_AGAIN_S: Final = 5.0
_APART_S: Final = 3.0
_FIRST_S: Final = 60.0
"""In which all platforms are considered when a term begins."""
_SPLAY: Final = 0.1
_random = SystemRandom()


class Rhythm(Struct, frozen=True):
    """How often partners are looked at."""

    alive_after_s: float
    offline_every_s: float
    failures: int

    @property
    def again_s(self) -> float:
        """After a failure; not longer than between the looks at somebody who is OFFLINE."""
        return min(_AGAIN_S, self.offline_every_s)

    @property
    def apart_s(self) -> float:
        """Between two looks at somebody whom messages do not reach, however many those are."""
        return min(_APART_S, self.offline_every_s)

    @property
    def first_s(self) -> float:
        """In which all platforms are considered when a term begins."""
        return min(_FIRST_S, self.alive_after_s)


class Watched(Struct, eq=False):
    """One registered platform."""

    id: str
    is_offline: bool
    due_at: float = math.inf
    looked_at: float = -math.inf
    failures: int = 0
    is_under_way: bool = False
    is_wanted: bool = False
    is_to_turn: bool = False
    """What was found is not what it is shown as; that is being settled."""

    @property
    def by_silence(self) -> bool:
        """Whether it is looked at only if nothing was heard of it."""
        return not (self.is_offline or self.failures or self.is_wanted)


class Schedule:
    """Of all registered platforms."""

    def __init__(self, rhythm: Rhythm) -> None:
        self._rhythm = rhythm
        self._watched: dict[str, Watched] = {}
        self._due: list[tuple[float, int, Watched]] = []
        self._count = 0

    def __contains__(self, platform_id: str) -> bool:
        return platform_id in self._watched

    def consider(self, platform_id: str, *, is_offline: bool, now: float) -> None:
        """Watch a platform that was there when the term began."""
        within_s = self._rhythm.offline_every_s if is_offline else self._rhythm.first_s
        self._put(Watched(platform_id, is_offline), now + within_s * _random.random())

    def appeared(self, platform_id: str, *, is_offline: bool, now: float) -> None:
        """Watch a platform that has just registered, or has another status now; forget what was found before."""
        former = self._watched.get(platform_id)
        if former is not None and former.is_to_turn and former.is_offline is not is_offline:
            former.is_offline, former.is_to_turn = is_offline, False  # as settled
            return
        if former is not None:
            former.due_at = math.inf
        # Nobody but the process that leads makes a platform OFFLINE, so it has just found an answer if this is news.
        pause_s = self._rhythm.apart_s if is_offline else self._rhythm.alive_after_s
        self._put(Watched(platform_id, is_offline), now + _stretched(pause_s))

    def gone(self, platform_id: str) -> None:
        """Watch it no more."""
        watched = self._watched.pop(platform_id, None)
        if watched is not None:
            watched.due_at = math.inf

    def wanted(self, platform_id: str, now: float) -> None:
        """Look at it soon."""
        watched = self._watched.get(platform_id)
        if watched is None:
            return
        watched.is_wanted = True
        if not watched.is_under_way:
            self._put(watched, min(watched.due_at, self._soonest(watched, now)))

    def heard(self, watched: Watched, silent_s: float, now: float) -> None:
        """It was not silent for long enough."""
        self._put(watched, now + _stretched(self._rhythm.alive_after_s - max(silent_s, 0.0)))

    def later(self, watched: Watched, now: float) -> None:
        """It could not be looked at now."""
        self._put(watched, now + _stretched(self._rhythm.again_s))

    def due(self, now: float, most: int) -> Iterator[Watched]:
        """Those to look at now. Each has to be begun, or put somewhere else with `heard` or `later`."""
        while most > 0 and self._due and self._due[0][0] <= now:
            due_at, _, watched = heapq.heappop(self._due)
            if watched.due_at == due_at and not watched.is_under_way:
                watched.due_at = math.inf
                most -= 1
                yield watched

    def begun(self, watched: Watched, now: float) -> None:
        """It is being looked at."""
        watched.is_under_way, watched.is_wanted, watched.looked_at = True, False, now

    def ended(self, watched: Watched, now: float, *, is_there: bool) -> None:
        """The look is over. When `is_to_turn` is set then, the status of the platform is to be changed."""
        watched.is_under_way = False
        watched.failures = 0 if is_there else watched.failures + 1
        watched.is_to_turn = is_there if watched.is_offline else watched.failures >= self._rhythm.failures
        if self._watched.get(watched.id) is not watched:
            watched.is_to_turn = False
            return
        due_at = now + _stretched(self._pause_s(watched))
        self._put(watched, min(due_at, self._soonest(watched, now)) if watched.is_wanted else due_at)

    def not_turned(self, watched: Watched, now: float) -> None:
        """Its status was not changed, as it became another platform meanwhile: find out again."""
        watched.is_to_turn, watched.failures = False, 0
        if not watched.is_under_way:
            self._put(watched, min(watched.due_at, now + self._rhythm.again_s))

    def _pause_s(self, watched: Watched) -> float:
        if watched.is_offline is not watched.is_to_turn:  # what it is, or will be
            return self._rhythm.offline_every_s
        return self._rhythm.again_s if watched.failures else self._rhythm.alive_after_s

    def _soonest(self, watched: Watched, now: float) -> float:
        is_failing = watched.failures > 0 and not watched.is_offline
        apart_s = self._rhythm.again_s if is_failing else self._rhythm.apart_s
        return max(now, watched.looked_at + apart_s)

    def _put(self, watched: Watched, due_at: float) -> None:
        self._watched[watched.id] = watched
        watched.due_at = due_at
        self._count += 1
        heapq.heappush(self._due, (due_at, self._count, watched))


def _stretched(pause_s: float) -> float:
    return pause_s * _random.uniform(1.0, 1.0 + _SPLAY)
