from __future__ import annotations

import pytest

from hub.probing.schedule import Rhythm, Schedule, Watched

RHYTHM = Rhythm(alive_after_s=300, offline_every_s=60, failures=2)


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(RHYTHM)


def due(schedule: Schedule, now: float) -> list[str]:
    """Who is due; that many at most are begun."""
    found = list(schedule.due(now, 100))
    for each in found:
        schedule.begun(each, now)
    return sorted(each.id for each in found)


def one_due(schedule: Schedule, now: float) -> Watched:
    [found] = schedule.due(now, 100)
    schedule.begun(found, now)
    return found


def look(schedule: Schedule, now: float, *, is_there: bool) -> Watched:
    """Look at the one who is due."""
    found = one_due(schedule, now)
    schedule.ended(found, now, is_there=is_there)
    return found


def test_who_was_heard_of_is_due_when_it_was_silent_for_so_long(schedule: Schedule) -> None:
    schedule.appeared("a", is_offline=False, now=0)
    assert due(schedule, 299) == []
    [found] = schedule.due(331, 1)
    assert found.by_silence

    schedule.heard(found, silent_s=100, now=331)

    assert due(schedule, 331 + 199) == []
    assert due(schedule, 331 + 221) == ["a"]


def test_who_answers_is_looked_at_again_when_it_may_be_silent_again(schedule: Schedule) -> None:
    schedule.appeared("a", is_offline=False, now=0)
    found = look(schedule, 331, is_there=True)

    assert not found.is_to_turn
    assert due(schedule, 331 + 299) == []
    assert due(schedule, 331 + 331) == ["a"]


def test_failures_in_a_row_make_offline_and_one_answer_ends_the_row(schedule: Schedule) -> None:
    schedule.appeared("a", is_offline=False, now=0)
    assert not look(schedule, 400, is_there=False).is_to_turn
    assert not look(schedule, 406, is_there=True).is_to_turn
    assert not look(schedule, 800, is_there=False).is_to_turn

    assert look(schedule, 806, is_there=False).is_to_turn
    assert due(schedule, 806 + 59) == []  # as one who is offline
    assert due(schedule, 806 + 67) == ["a"]


def test_who_is_offline_is_back_with_one_answer(schedule: Schedule) -> None:
    schedule.consider("a", is_offline=True, now=0)
    found = look(schedule, 60, is_there=False)
    assert not found.is_to_turn
    assert due(schedule, 119) == []

    found = look(schedule, 127, is_there=True)
    assert found.is_to_turn

    schedule.appeared("a", is_offline=False, now=128)
    assert not found.is_offline
    assert due(schedule, 128 + 290) == []


def test_the_wanted_are_looked_at_at_once_and_then_not_too_often(schedule: Schedule) -> None:
    schedule.appeared("a", is_offline=False, now=0)
    schedule.wanted("a", 10)
    schedule.wanted("unknown", 10)
    found = look(schedule, 10, is_there=True)

    for now in (10.1, 10.2, 10.3):
        schedule.wanted("a", now)

    assert not found.by_silence
    assert due(schedule, 12.9) == []
    assert due(schedule, 13) == ["a"]


def test_what_is_wanted_during_a_look_is_looked_at_once_more(schedule: Schedule) -> None:
    schedule.consider("a", is_offline=True, now=0)
    found = one_due(schedule, 60)
    schedule.wanted("a", 61)
    assert due(schedule, 69) == []

    schedule.ended(found, 70, is_there=False)

    assert due(schedule, 70) == ["a"]


def test_messages_that_fail_make_nobody_offline_sooner(schedule: Schedule) -> None:
    schedule.appeared("a", is_offline=False, now=0)
    schedule.wanted("a", 10)
    look(schedule, 10, is_there=False)
    schedule.wanted("a", 10.5)

    assert due(schedule, 14.9) == []
    assert look(schedule, 15.6, is_there=False).is_to_turn


def test_who_is_gone_is_not_looked_at_and_what_was_found_of_it_counts_no_more(schedule: Schedule) -> None:
    schedule.consider("a", is_offline=True, now=0)
    found = one_due(schedule, 60)
    schedule.gone("a")
    schedule.gone("a")

    schedule.ended(found, 61, is_there=True)

    assert not found.is_to_turn
    assert "a" not in schedule
    assert due(schedule, 1e9) == []


def test_who_registers_anew_begins_anew(schedule: Schedule) -> None:
    schedule.appeared("a", is_offline=False, now=0)
    former = one_due(schedule, 400)
    schedule.appeared("a", is_offline=False, now=401)

    schedule.ended(former, 402, is_there=False)

    assert not former.is_to_turn
    assert due(schedule, 402 + 298) == []
    assert due(schedule, 401 + 331) == ["a"]


def test_who_could_not_be_made_offline_is_looked_at_again(schedule: Schedule) -> None:
    schedule.appeared("a", is_offline=False, now=0)
    look(schedule, 400, is_there=False)
    found = look(schedule, 410, is_there=False)

    schedule.not_turned(found, 411)

    assert not found.is_to_turn
    assert due(schedule, 416) == ["a"]


def test_all_are_considered_soon_after_a_term_began_and_not_at_the_same_time(schedule: Schedule) -> None:
    for number in range(1000):
        schedule.consider(f"{number}", is_offline=False, now=0)

    early = len(list(schedule.due(30, 1000)))

    assert 400 < early < 600
    assert early + len(list(schedule.due(60, 1000))) == 1000


def test_no_more_are_taken_than_there_is_room_for(schedule: Schedule) -> None:
    for number in range(10):
        schedule.appeared(f"{number}", is_offline=True, now=0)

    assert len(list(schedule.due(100, 4))) == 4
    assert len(list(schedule.due(100, 100))) == 6
    assert list(schedule.due(100, 0)) == []
