"""Durations are counted in little memory, and sums of counts are exact."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.load.histogram import Histogram

durations = st.lists(st.floats(0, 3_600_000), max_size=60)


@given(durations, durations, durations)
def test_histograms_of_three_processes_add_up_to_what_one_would_have_counted(
    first: list[float], second: list[float], third: list[float]
) -> None:
    merged = Histogram()
    for part in (first, second, third):
        merged.merge(Histogram.read(Histogram.of(part).plain()))
    assert merged == Histogram.of([*third, *first, *second])


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95, 0.99, 1.0])
def test_a_quantile_is_off_by_less_than_half_a_per_cent(share: float) -> None:
    luck = Random(1)
    values = sorted(luck.lognormvariate(3, 1.5) for _ in range(5_000))
    exact = values[max(0, -int(-share * len(values) // 1) - 1)]
    assert Histogram.of(values).quantile_ms(share) == pytest.approx(exact, rel=0.005)


def test_nothing_has_no_quantile_and_no_mean() -> None:
    assert Histogram().quantile_ms(0.99) is None
    assert Histogram().mean_ms is None


def test_the_greatest_is_exact_and_no_quantile_goes_beyond_it() -> None:
    histogram = Histogram.of([1.0, 2.0, 12_345.678])
    assert histogram.greatest_us == 12_345_678
    assert histogram.quantile_ms(1.0) == 12_345.678


def test_an_hour_of_all_durations_fits_into_few_buckets() -> None:
    luck = Random(1)
    histogram = Histogram.of(10 ** luck.uniform(-3, 6.5) for _ in range(100_000))
    assert len(histogram.buckets) < 3_400
