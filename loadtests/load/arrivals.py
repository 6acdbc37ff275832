"""Arrivals by the clock: what is due is sent when it is due, whether or not what was sent before is answered."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from random import Random
from time import monotonic
from typing import Protocol

import gevent
from gevent.local import local
from gevent.pool import Pool

from loadtests.load.recording import Recording
from loadtests.load.shapes import Shape
from loadtests.traffic.ending import RunOver

MOST_UNDER_WAY = 5_000
"""In one process. What is due beyond that waits, and the report says how long."""
_TRIES = 8
_log = logging.getLogger(__name__)


class Speaker(Protocol):
    """A partner that says something when it is told to."""

    def do(self, action: str) -> bool:
        """Send it; False when there is nothing to send yet."""


class Speakers(Protocol):
    """Everybody who may be told to."""

    def drawn(self, luck: Random) -> tuple[Speaker, str] | None:
        """One of them, and what to say; None while there is nobody."""

    def everybody(self) -> Sequence[Reconnecting]:
        """All of them."""


class Reconnecting(Protocol):
    """A partner that can lose its connection."""

    def reconnect(self) -> None:
        """Register again."""


def due_times(shape: Shape, share: float, luck: Random) -> Iterator[float]:
    """When this share of the arrivals is due, in seconds: each independent of all others, as partners are (Poisson)."""
    arrived = luck.expovariate(share)
    while (at_s := shape.when(arrived)) is not None:
        yield at_s
        arrived += luck.expovariate(share)


class Arrivals:
    """One process's part of the arrivals of a run."""

    def __init__(self, shape: Shape, share: float, speakers: Speakers, recording: Recording, luck: Random) -> None:
        """`share` of all arrivals, from 0 to 1, is this process's."""
        self.recording = recording
        self._shape = shape
        self._share = share
        self._speakers = speakers
        self._luck = luck
        self._pool = Pool(MOST_UNDER_WAY)
        self._own = local()
        self._begun = monotonic()

    @property
    def now_s(self) -> float:
        """Since the beginning."""
        return monotonic() - self._begun

    def run(self, grace_s: float) -> None:
        """Send everything when it is due; returns when it has ended, or `grace_s` after the end of the shape.

        What has no answer then is told by `RunOver`, also when this greenlet is ended before the time.
        """
        self._begun = monotonic()
        falling = gevent.spawn_later(self._shape.reconnect_at_s, self._fall) if self._shape.reconnect_at_s else None
        try:
            for at_s in due_times(self._shape, self._share, self._luck):
                gevent.sleep(max(0.0, at_s - self.now_s))
                self.recording.add_due(at_s)
                self._pool.spawn(self._act, at_s)
            gevent.sleep(max(0.0, self._shape.duration_s - self.now_s))
            self._pool.join(timeout=grace_s)
        finally:
            self._pool.kill(RunOver, timeout=1)
            if falling is not None:
                falling.kill(timeout=1)

    def take_lateness_ms(self) -> float:
        """How late the action under way in this greenlet was begun; nothing for its messages after the first."""
        late_ms: float = getattr(self._own, "late_ms", 0.0)
        self._own.late_ms = 0.0
        return late_ms

    def _act(self, due_s: float) -> None:
        late_s = max(0.0, self.now_s - due_s)
        self._own.late_ms = late_s * 1000
        if self._say():
            self.recording.add_sent(due_s + late_s, late_s)
            self.recording.add_done(self.now_s, self._shape.duration_s)

    def _say(self) -> bool:
        """Whether somebody had something to say: at the very beginning of a run, few have."""
        for _ in range(_TRIES):
            drawn = self._speakers.drawn(self._luck)
            if drawn is not None and self._has_said(*drawn):
                return True
        return False

    def _has_said(self, speaker: Speaker, action: str) -> bool:
        try:
            return speaker.do(action)
        except Exception:  # noqa: BLE001 - a fault of one simulated partner must not end the others'; the run fails of it
            _log.exception("A simulated partner could not say: %s", action)
            self.recording.faults += 1
            return True

    def _fall(self) -> None:
        """All connections are lost at once, and everybody comes back."""
        for each in self._speakers.everybody():
            self._pool.spawn(self._reconnect, each)

    def _reconnect(self, speaker: Reconnecting) -> None:
        try:
            speaker.reconnect()
        except Exception:  # noqa: BLE001 - as above
            _log.exception("A simulated partner could not register again")
            self.recording.faults += 1
