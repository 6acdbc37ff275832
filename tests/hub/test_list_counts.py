from __future__ import annotations

from hub.list_counts import COUNTS_FOR_S, HABITS_FOR_S, Count, ListCounts


class Clock:
    """Seconds that go on when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_count_holds_for_a_minute() -> None:
    clock = Clock()
    counts = ListCounts(clock)
    counts.put(("c", "NL", "CPO"), Count(3, is_spooled=False))

    assert counts.get(("c", "NL", "CPO")) == (3, False)
    assert counts.get(("c", "NL", "XXX")) is None
    clock.now += COUNTS_FOR_S
    assert counts.get(("c", "NL", "CPO")) is None


def test_what_a_partner_ignores_is_remembered_for_an_hour() -> None:
    clock = Clock()
    counts = ListCounts(clock)
    counts.note_ignoring("c", "tariffs")

    assert counts.ignores_receivers("c", "tariffs")
    assert not counts.ignores_receivers("c", "locations")
    clock.now += HABITS_FOR_S
    assert not counts.ignores_receivers("c", "tariffs")
