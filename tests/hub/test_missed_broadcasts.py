from __future__ import annotations

from hub.events import EventKind, Events
from hub.missed_broadcasts import ENOUGH, WINDOW_S, MissedBroadcasts
from hub.store.database import Database
from hub.store.events import EventKey, EventRows

KEY = EventKey(EventKind.BROADCAST_MISSED, "a", "")


class Counted:
    """Deliveries to one platform, and the event that may come of them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.events = Events(EventRows(Database("sqlite+aiosqlite:///never-opened.db")))
        self._missed = MissedBroadcasts(self.events, lambda: self.now)

    def ended(self, outcome: str, times: int = 1) -> None:
        for _ in range(times):
            self._missed.ended("a", outcome, "locations", "m1")

    def is_open(self) -> bool:
        pending = self.events._pending.get(KEY)
        return pending is not None and pending.count > 0 and not pending.over


def test_a_partner_that_gets_none_of_its_broadcasts_is_an_event_until_it_gets_one() -> None:
    counted = Counted()
    counted.ended("timeout", ENOUGH - 1)
    assert not counted.is_open()
    counted.ended("timeout")
    assert counted.is_open()
    counted.ended("delivered")

    assert not counted.is_open()


def test_a_few_misses_among_many_deliveries_are_none() -> None:
    counted = Counted()
    counted.ended("timeout")
    counted.ended("delivered", 100)
    counted.ended("unreachable", 50)

    assert not counted.is_open()


def test_misses_long_ago_do_not_count() -> None:
    counted = Counted()
    counted.ended("failed", ENOUGH - 1)
    counted.now += WINDOW_S
    counted.ended("failed", ENOUGH - 1)

    assert not counted.is_open()


def test_what_was_not_sent_for_good_reason_is_no_miss() -> None:
    counted = Counted()
    for outcome in ("offline", "unneeded", "untranslatable", "taken_over"):
        counted.ended(outcome, 2 * ENOUGH)

    assert not counted.is_open()
