from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.live.choosing import BURST, RATE, Allowance, chosen


@given(st.lists(st.booleans(), max_size=200), st.integers(0, 60))
def test_of_many_rows_so_many_are_chosen_and_those_that_failed_first(failed: list[bool], most: int) -> None:
    rows = list(enumerate(failed))

    picked = chosen(rows, most, lambda row: row[1])

    assert len(picked) == min(most, len(rows))
    assert picked == sorted(picked)
    assert sum(each[1] for each in picked) == min(most, sum(failed))


def test_rows_are_left_out_evenly() -> None:
    assert chosen(range(100), 5, lambda _: False) == [0, 20, 40, 60, 80]


def test_after_a_quiet_time_many_go_on_at_once_and_then_so_many_a_second() -> None:
    allowance = Allowance(0.0)
    assert allowance.take(200, 0.0) == BURST
    assert allowance.take(200, 0.1) == RATE * 0.1
    assert allowance.take(1, 3600.0) == 1
    assert sum(allowance.take(1000, 3600.0 + each / 4) for each in range(41)) <= BURST + RATE * 10
