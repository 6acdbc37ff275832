"""One circuit: whether calls at a partner are worth making. Times are seconds of a clock that never goes back.

Closed, every call is made. Calls in a row that find nobody make the hub doubt, and look at the partner; only when that
look finds nobody either the circuit opens, and no call is made any more. While it is open the hub looks again from
time to time. Any answer, to a message or to a look, closes it.

Three things keep it closed where it should be:

- a single failure: doubt takes several, with no answer in between;
- one hiccup, however many calls it hits at once: they have to go on for a while, and the look comes after that;
- a partner that is slow with one kind of message only: it answers the look.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    """What a circuit lets through."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"
    """Open, and a look is under way."""


class Patience(Struct, frozen=True):
    """When a circuit looks at its partner. Durations are seconds."""

    failures: int = 5
    """In a row; before, a closed circuit has no doubt."""
    lasting_s: float = 2.0
    """The same: from the first of them to the last."""
    look_s: float = 5.0
    """What one look may take."""
    first_s: float = 5.0
    """From a look in vain to the next; each further pause is twice as long."""
    most_s: float = 60.0
    """The longest pause."""


class Circuit(Struct, eq=False):
    """Of one partner, in one process."""

    patience: Patience = Patience()
    failures: int = 0
    """Calls and looks in a row that found nobody."""
    is_open: bool = False
    is_looking: bool = False
    since: float = 0.0
    """When the failures began; of an open circuit, when it opened."""
    due_at: float = 0.0
    """When an open circuit looks next."""
    pause_s: float = 0.0

    @property
    def state(self) -> State:
        """In one word."""
        if not self.is_open:
            return State.CLOSED
        return State.PROBING if self.is_looking else State.OPEN

    def failed(self, now: float) -> None:
        """A call found nobody. One that was made before the circuit opened says nothing new."""
        if self.is_open:
            return
        if not self.failures:
            self.since = now
        self.failures += 1

    def answered(self) -> bool:
        """Somebody is there. Returns whether that closes the circuit."""
        was_open, self.is_open, self.failures = self.is_open, False, 0
        return was_open

    def wants_look(self, now: float) -> bool:
        """Whether it is time to look at the partner."""
        if self.is_looking:
            return False
        if self.is_open:
            return now >= self.due_at
        return self.failures >= self.patience.failures and now - self.since >= self.patience.lasting_s

    def begin_look(self) -> None:
        """A look is under way. When it finds somebody, tell that by `end_look` and `answered`."""
        self.is_looking = True

    def end_look(self) -> None:
        """The look is over."""
        self.is_looking = False

    def end_look_in_vain(self, now: float, jitter: float = 1.0) -> bool:
        """It found nobody. `jitter` stretches the next pause. Returns whether this opens the circuit.

        It does not when a call was answered meanwhile.
        """
        self.is_looking = False
        opens = not self.is_open
        if opens and self.failures < self.patience.failures:
            return False
        if opens:
            self.is_open, self.since = True, now
        self.pause_s = self.patience.first_s if opens else min(self.pause_s * 2, self.patience.most_s)
        self.due_at = now + self.pause_s * jitter
        self.failures += 1
        return opens
