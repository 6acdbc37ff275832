from __future__ import annotations

import pytest

from hub.figures.habits import DAY_S, Days, Habit, Habits, Seen
from tests.hub.figures.rows import NOON

pytestmark = pytest.mark.anyio


def test_what_is_seen_again_and_again_is_one_number() -> None:
    habits = Habits()
    habits.saw("cpo", Habit.NO_ZONE, 300)
    habits.saw("cpo", Habit.NO_ZONE)
    habits.saw("emsp", Habit.NO_SENDER)

    assert sorted(habits.take()) == [("cpo", "no_zone", 301), ("emsp", "no_sender", 1)]
    assert habits.take() == []


async def test_a_day_is_the_sum_of_its_hours_and_nothing_older() -> None:
    days = Days()
    for hours_ago in (25, 23, 1, 0):
        await days.merge([("cpo", "no_zone", 100), ("cpo", "lower_case", 1)], NOON - hours_ago * 3600)

    assert days.of("cpo", NOON) == {Habit.NO_ZONE: Seen(300, NOON), Habit.LOWER_CASE: Seen(3, NOON)}
    assert days.of("emsp", NOON) == {}

    await days.settle(NOON + DAY_S - 3600)
    assert days.of("cpo", NOON + DAY_S - 3600)[Habit.NO_ZONE] == Seen(200, NOON)
    await days.settle(NOON + DAY_S + 2 * 3600)
    assert days.of("cpo", NOON) == {}


async def test_what_only_a_newer_hub_counts_is_left_out() -> None:
    days = Days()
    await days.merge([("cpo", "sings", 1), ("cpo", "no_sender", 1)], NOON)

    assert days.of("cpo", NOON) == {Habit.NO_SENDER: Seen(1, NOON)}
