"""What one process remembers: facts that were noted, and what is no news any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.store.facts import SessionSeen
from hub.store.remembered import UNKNOWN, Remembered
from hub.store.shelves import KnownSession
from routing.vocabulary import Party

CPO = Party("NL", "CPO")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEEP_S = 60.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def seen(status: str, minutes: int = 0) -> SessionSeen:
    said = KnownSession("S1", None, status, None, None, None, None, NOON + timedelta(minutes=minutes))
    return SessionSeen(CPO, said)


def pending(remembered: Remembered) -> int:
    return len(remembered.oldest(100))


def written(remembered: Remembered) -> None:
    remembered.written(remembered.oldest(100))


def test_what_nobody_asks_for_is_written_once_and_not_with_every_message() -> None:
    remembered = Remembered(KEEP_S, Clock())
    for minute in range(3):
        assert remembered.note(seen("ACTIVE", minute))
    assert pending(remembered) == 1
    written(remembered)
    remembered.note(seen("ACTIVE", 5))
    assert remembered.is_written


def test_what_changes_is_news_although_nobody_asks_for_it() -> None:
    remembered = Remembered(KEEP_S, Clock())
    remembered.note(seen("ACTIVE"))
    written(remembered)
    remembered.note(seen("COMPLETED"))
    assert pending(remembered) == 1


def test_after_a_while_it_is_written_again_because_others_may_have_changed_it() -> None:
    clock = Clock()
    remembered = Remembered(KEEP_S, clock)
    remembered.note(seen("ACTIVE"))
    written(remembered)
    clock.now = KEEP_S + 1
    remembered.note(seen("ACTIVE"))
    assert pending(remembered) == 1


def test_what_others_are_known_to_have_changed_is_news_at_once() -> None:
    remembered = Remembered(KEEP_S, Clock())
    remembered.note(seen("ACTIVE"))
    written(remembered)
    remembered.forget(seen("ACTIVE").lookups)
    remembered.note(seen("ACTIVE"))
    assert pending(remembered) == 1


def test_what_many_read_at_once_is_kept_although_there_is_always_one_who_reads() -> None:
    remembered = Remembered(KEEP_S, Clock())
    [lookup] = seen("ACTIVE").lookups
    first = remembered.begin_reading([lookup])
    remembered.begin_reading([lookup])
    remembered.end_reading({lookup: None}, first)
    assert remembered.get(lookup) is None


def test_what_was_forgotten_while_it_was_read_is_not_kept() -> None:
    remembered = Remembered(KEEP_S, Clock())
    [lookup] = seen("ACTIVE").lookups
    reader = remembered.begin_reading([lookup])
    remembered.forget([lookup])
    remembered.end_reading({lookup: None}, reader)
    assert remembered.get(lookup) is UNKNOWN


def test_what_is_written_while_somebody_reads_is_known_to_who_looked_just_before() -> None:
    remembered = Remembered(KEEP_S, Clock())
    fact = seen("ACTIVE")
    [lookup] = fact.lookups
    remembered.note(fact)
    reader = remembered.begin_reading([lookup])
    written(remembered)

    assert remembered.end_reading({lookup: None}, reader) == {lookup: fact.said}
    assert remembered.get(lookup) is UNKNOWN


def test_what_was_said_last_counts_until_something_else_was_noted() -> None:
    remembered = Remembered(KEEP_S, Clock())
    [about] = seen("ACTIVE").lookups
    remembered.note(seen("ACTIVE"))
    remembered.say(about, 1)
    assert remembered.was_said_last(about, 1)
    assert not remembered.was_said_last(about, 2)
    remembered.note(seen("COMPLETED"))
    assert not remembered.was_said_last(about, 1)


def test_what_was_said_last_counts_until_others_change_it_and_for_a_while_at_most() -> None:
    clock = Clock()
    remembered = Remembered(KEEP_S, clock)
    [about] = seen("ACTIVE").lookups
    remembered.say(about, 1)
    remembered.forget([about])
    assert not remembered.was_said_last(about, 1)
    remembered.say(about, 1)
    remembered.forget_all()
    assert not remembered.was_said_last(about, 1)
    remembered.say(about, 1)
    clock.now = KEEP_S + 1
    assert not remembered.was_said_last(about, 1)
