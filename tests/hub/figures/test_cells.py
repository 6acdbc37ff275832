from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.figures.cells import (
    CODE_OF,
    COUNT,
    LEAST_SAMPLES,
    PARTNER_TIME,
    add,
    failures_in,
    packed,
    percentile_ms,
    take_away,
    time_step,
    times_in,
    unpacked,
)
from hub.store.journal_entries import Failure

cells = st.dictionaries(st.integers(0, 191), st.integers(1, 2**40))


def times(*milliseconds: float) -> dict[int, int]:
    cell: dict[int, int] = {}
    for each in milliseconds:
        add({PARTNER_TIME + time_step(int(each * 1000)): 1}, cell)
    return cell


@given(cells)
def test_a_cell_is_the_same_after_it_was_packed(cell: dict[int, int]) -> None:
    assert unpacked(packed(cell)) == cell


@given(cells, cells)
def test_what_is_added_can_be_taken_away(one: dict[int, int], other: dict[int, int]) -> None:
    whole = dict(one)
    add(other, whole)
    take_away(other, whole)

    assert whole == one


def test_failures_are_named_the_commonest_first() -> None:
    cell = {COUNT: 10, CODE_OF[Failure.TIMEOUT]: 1, CODE_OF[Failure.GATEWAY]: 3}

    assert list(failures_in(cell).items()) == [(Failure.GATEWAY, 3), (Failure.TIMEOUT, 1)]


@given(st.floats(0.01, 300_000))
def test_a_percentile_is_right_to_a_fifth(milliseconds: float) -> None:
    found = percentile_ms(times_in(times(*[milliseconds] * LEAST_SAMPLES), PARTNER_TIME), 0.5)

    assert found is not None
    assert abs(found - milliseconds) <= 0.22 * milliseconds


def test_percentiles_need_twenty_samples() -> None:
    assert percentile_ms(times_in(times(*[5] * (LEAST_SAMPLES - 1)), PARTNER_TIME), 0.95) is None


def test_percentiles_tell_the_many_from_the_few() -> None:
    cell = times_in(times(*[10] * 90, *[1000] * 10), PARTNER_TIME)

    middle, late = percentile_ms(cell, 0.5), percentile_ms(cell, 0.95)
    assert middle is not None
    assert late is not None
    assert middle < 13
    assert 700 < late < 1500


@given(st.integers(-5, 2**40))
def test_every_time_has_a_step(microseconds: int) -> None:
    assert 0 <= time_step(microseconds) < 64
