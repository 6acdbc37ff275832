from __future__ import annotations

import pytest

from hub.figures import rings as rings_module
from hub.figures.cells import COUNT, PARTNER_TIME, Cell, time_step
from hub.figures.flows import Flow
from hub.figures.rings import WHOLE_HUB, Direction, Kind, Rings, messages_in
from hub.figures.series import add_to_series, cell_at, forget_before, newest_first
from tests.hub.figures.rows import NOON

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86_400
IN_SESSIONS = Kind(Direction.IN, "sessions", "PUT")
OUT_SESSIONS = Kind(Direction.OUT, "sessions", "PUT")


def messages(number: int = 1, milliseconds: float = 40, sender: str = "cpo") -> dict[Flow, Cell]:
    flow = Flow(sender, "emsp", "NL*CPO", "DE*MSP", "sessions", "PUT", True)
    return {flow: {COUNT: number, PARTNER_TIME + time_step(int(milliseconds * 1000)): number}}


async def after(rings: Rings, at: float, **what: float) -> None:
    """Count messages at a moment."""
    await rings.merge(messages(**what), int(at) // 60, at)  # type: ignore[arg-type] # numbers


def sent(rings: Rings, platform_id: str, window_s: int, now: float) -> int:
    found = rings.detailed(platform_id, window_s, now)
    return sum(messages_in(cell) for cell in found.values())


async def test_a_message_counts_for_who_sent_it_who_got_it_and_the_hub() -> None:
    rings = Rings()
    await after(rings, NOON, number=3)

    assert rings.detailed("cpo", HOUR, NOON)[IN_SESSIONS][COUNT] == 3
    assert rings.detailed("emsp", HOUR, NOON)[OUT_SESSIONS][COUNT] == 3
    assert set(rings.detailed(WHOLE_HUB, HOUR, NOON)) == {IN_SESSIONS, OUT_SESSIONS}
    assert rings.detailed("unknown", HOUR, NOON) == {}


@pytest.mark.parametrize("window_s", [HOUR, DAY, 7 * DAY])
async def test_what_is_older_than_the_window_does_not_count(window_s: int) -> None:
    rings = Rings()
    await after(rings, NOON, number=1)
    inside, outside = NOON + 0.95 * window_s, NOON + 1.5 * window_s
    await rings.settle(inside)
    assert sent(rings, "cpo", window_s, inside) == 1
    await rings.settle(outside)
    assert sent(rings, "cpo", window_s, outside) == 0


async def test_figures_are_the_same_before_and_after_they_are_packed() -> None:
    rings = Rings()
    for minute in range(5):
        await after(rings, NOON + 60 * minute, number=minute + 1)
    now = NOON + 300
    before = [rings.detailed("cpo", window, now) for window in (HOUR, DAY, 7 * DAY)]
    steps = rings.steps("cpo", HOUR, 60, now)
    await rings.settle(now + 120)

    assert [rings.detailed("cpo", window, now) for window in (HOUR, DAY, 7 * DAY)] == before
    assert rings.steps("cpo", HOUR, 60, now) == steps
    assert sent(rings, "cpo", HOUR, now) == 15


async def test_what_comes_late_is_counted_where_it_belongs() -> None:
    rings = Rings()
    await after(rings, NOON)
    await after(rings, NOON + 600)
    await rings.settle(NOON + 900)
    await rings.merge(messages(5), int(NOON + 120) // 60, NOON + 900)
    await rings.settle(NOON + 900)

    found = rings.steps("cpo", 1200, 60, NOON + 600)[Direction.IN]
    assert [messages_in(cell) for cell in found][-11:] == [1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1]


async def test_the_last_hour_forgets_what_is_older() -> None:
    rings = Rings()
    await after(rings, NOON, number=4)
    await rings.settle(NOON + 120)
    assert messages_in(rings.last_hour("cpo")[Direction.IN]) == 4
    await after(rings, NOON + HOUR, number=1)
    await rings.settle(NOON + HOUR + 700)

    assert messages_in(rings.last_hour("cpo")[Direction.IN]) == 1
    assert rings.last_hour("unknown") == {Direction.IN: {}, Direction.OUT: {}}


async def test_a_day_of_five_minutes_and_a_week_of_hours_can_be_shown() -> None:
    rings = Rings()
    for hour in range(30):
        await after(rings, NOON + HOUR * hour, number=hour + 1)
        await rings.settle(NOON + HOUR * (hour + 1))
    now = NOON + 29 * HOUR + 10

    day = [messages_in(cell) for cell in rings.steps("cpo", DAY, 300, now)[Direction.IN]]
    assert [number for number in day if number] == list(range(7, 31))
    week = [messages_in(cell) for cell in rings.steps("cpo", 7 * DAY, HOUR, now)[Direction.IN]]
    assert week[-30:] == list(range(1, 31))
    assert [messages_in(cell) for cell in rings.steps("cpo", DAY, 21_600, now)[Direction.IN]][-1] == sum(range(25, 31))


async def test_whole_days_are_told_apart_and_today_is_none() -> None:
    rings = Rings()
    for day in range(9):
        await after(rings, NOON + DAY * day, number=day + 1)
        await rings.settle(NOON + DAY * day + 200)

    days = rings.days("cpo", NOON + 8 * DAY + 300)
    assert [each[IN_SESSIONS][COUNT] for each in days] == [2, 3, 4, 5, 6, 7, 8]


async def test_who_was_silent_for_a_week_is_forgotten() -> None:
    rings = Rings()
    await after(rings, NOON)
    await rings.settle(NOON + 120)
    assert set(rings.platforms) == {WHOLE_HUB, "cpo", "emsp"}
    await rings.settle(NOON + 8 * DAY)

    assert set(rings.platforms) == {WHOLE_HUB}
    assert rings.size() == 0


async def test_there_is_a_limit_to_the_platforms_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings_module, "MOST_PLATFORMS", 5)
    rings = Rings()
    for number in range(20):
        await rings.merge(messages(sender=f"p{number}"), int(NOON) // 60, NOON)

    assert len(rings.platforms) == 5
    assert messages_in(rings.last_hour(WHOLE_HUB)[Direction.IN]) == 20


async def test_a_busy_week_of_a_platform_takes_some_kilobytes() -> None:
    rings = Rings()
    for step in range(7 * 24 * 12):
        now = NOON + 300 * step
        await rings.merge(messages(3, 20 + step % 50), int(now) // 60, now)
        await rings.settle(now)

    assert rings.platforms["emsp"].size() < 16_000


def test_a_series_keeps_its_order_whatever_comes_when() -> None:
    series = bytearray()
    for slot in (5, 9, 7, 5, 12, 1, 7):
        add_to_series(series, slot, {COUNT: 1})
    assert [place.slot for place in newest_first(series)] == [12, 9, 7, 5, 1]
    assert (cell_at(series, 7), cell_at(series, 5), cell_at(series, 8)) == ({COUNT: 2}, {COUNT: 2}, {})
    forget_before(series, 7)
    assert [place.slot for place in newest_first(series)] == [12, 9, 7]
    forget_before(series, 100)
    assert series == bytearray()
