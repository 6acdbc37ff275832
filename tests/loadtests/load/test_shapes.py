"""When something is due follows from the shape, whatever the answers are."""

from itertools import pairwise
from random import Random

import pytest

from loadtests.load.arrivals import due_times
from loadtests.load.shapes import SHAPES, steady

AVERAGE_OF_THE_HIGHEST = {
    "steady": 1.0,
    "ramp": 0.5,
    "step": 0.625,
    "spike": 0.325,
    "morning-peak": 0.0 + 0.04 + 0.15 + 0.15 + 0.1875 + 0.075,
    "mass-reconnect": 1.0,
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_has_as_many_arrivals_as_the_area_below_it(name: str) -> None:
    shape = SHAPES[name](200, 50)
    assert shape.arrivals == pytest.approx(200 * 50 * AVERAGE_OF_THE_HIGHEST[name])
    assert shape.duration_s == 50


@pytest.mark.parametrize("name", SHAPES)
def test_the_moment_of_an_arrival_is_when_so_much_has_arrived(name: str) -> None:
    shape = SHAPES[name](40, 30)
    for step in range(1, 100):
        wanted = shape.arrivals * step / 100
        at_s = shape.when(wanted)
        assert at_s is not None
        assert shape.arrived(at_s) == pytest.approx(wanted)
    assert shape.when(shape.arrivals) is None


@pytest.mark.parametrize("name", SHAPES)
def test_the_rate_is_never_above_the_one_that_was_asked_for(name: str) -> None:
    shape = SHAPES[name](40, 30)
    rates = [shape.rate(tenth / 10) for tenth in range(300)]
    assert max(rates) == pytest.approx(40, rel=0.01)


def test_only_a_mass_reconnect_breaks_connections() -> None:
    assert {name for name, shape in SHAPES.items() if shape(1, 90).reconnect_at_s} == {"mass-reconnect"}


def test_arrivals_are_independent_and_as_many_as_the_shape_says() -> None:
    times = list(due_times(steady(100, 100), 1.0, Random(1)))
    gaps = [right - left for left, right in pairwise(times)]
    assert len(times) == pytest.approx(10_000, rel=0.05)
    assert times == sorted(times)
    assert sum(gap < 0.01 for gap in gaps) / len(gaps) == pytest.approx(0.632, abs=0.02)  # exponential: 1 - 1/e


def test_processes_share_the_arrivals() -> None:
    shape = SHAPES["morning-peak"](100, 100)
    shares = [len(list(due_times(shape, share, Random(share)))) for share in (0.75, 0.25)]
    assert sum(shares) == pytest.approx(shape.arrivals, rel=0.05)
    assert shares[0] / shares[1] == pytest.approx(3, rel=0.15)
