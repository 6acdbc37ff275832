"""How many PUTs begin now: all that can, or so many that messages which share the process do not notice."""

from __future__ import annotations

from time import monotonic, thread_time
from typing import Final

from hub.listener.drain import Drain

_LATELY_S: Final = 1.0
"""Messages count as shared with for so long after the last one."""
_ALONE: Final = 8
"""PUTs that begin in one turn of the event loop where there are no messages."""
_BESIDE: Final = 2
"""The same beside messages, which wait for a few turns each."""
_SAVED: Final = 8.0
"""PUTs that begin in turns that follow on each other, when the event loop was late."""
_BUSY: Final = 0.4
"""The share of a core that the event loop may use beside messages, for everything it does, before PUTs give way."""
_LOOK_EVERY_S: Final = 0.05
_PER_S: Final = (500.0, 20_000.0)
"""PUTs a second beside messages: however busy the process is, and however idle."""
_MORE: Final = 250.0
_LESS: Final = 0.8


class Pace:
    """Grants beginnings, a few in each turn of the event loop, in whose thread this has to be used.

    Beside messages it looks how busy the event loop is: less than it may be, and a little more is granted from then
    on; more, and clearly less is. It is the work that counts, not how many are under way, which those who answer slowly
    would take up.
    """

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._entered = drain.entries
        self._message_at = -_LATELY_S
        self._per_s = _PER_S[0]
        self._credit = 0.0
        self._at = self._looked_at = monotonic()
        self._worked_s = thread_time()

    def granted(self) -> int:
        """How many may begin in this turn; with 0, ask again in a millisecond."""
        now = monotonic()
        if self._drain.in_flight or self._drain.entries != self._entered:
            self._entered, self._message_at = self._drain.entries, now
        if now - self._message_at >= _LATELY_S:
            return _ALONE
        if now - self._looked_at >= _LOOK_EVERY_S:
            self._look(now)
        self._credit = min(self._credit + (now - self._at) * self._per_s, _SAVED)
        self._at = now
        some = min(int(self._credit), _BESIDE)
        self._credit -= some
        return some

    def _look(self, now: float) -> None:
        worked_s = thread_time()
        busy = (worked_s - self._worked_s) / (now - self._looked_at)
        self._looked_at, self._worked_s = now, worked_s
        least, most = _PER_S
        self._per_s = max(self._per_s * _LESS, least) if busy > _BUSY else min(self._per_s + _MORE, most)
