from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.console.charts import Interval, bar, bars, share_of_time, spark, strip

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEEK_AGO = NOW - timedelta(days=7)


def test_a_spark_begins_at_nought_and_has_its_most_on_top() -> None:
    found = spark([0, 5, 10])

    assert found is not None
    assert found.line == "M0,22 44,11 88,0"
    assert found.area == "M0,22 44,11 88,0V22H0z"


def test_nothing_makes_no_spark() -> None:
    assert spark([0, 0, 0]) is None
    assert spark([7]) is None


def test_bars_stand_on_one_another_and_few_are_still_seen() -> None:
    assert bars([50, 0, 100], 40, 100) == "M1 20h10v20h-10zM25 0h10v40h-10z"
    assert bars([50], 40, 100, on=[50]) == "M1 0h10v20h-10z"
    assert bars([1], 40, 10_000) == "M1 39h10v1h-10z"


def test_a_strip_shows_what_is_within_its_time() -> None:
    away = Interval(NOW - timedelta(days=3.5), NOW - timedelta(days=3.5) + timedelta(seconds=1), "OFFLINE")
    before = Interval(NOW - timedelta(days=30), NOW - timedelta(days=20), "OFFLINE")
    there = Interval(NOW - timedelta(days=30), None, "CONNECTED")

    assert [tuple(each) for each in strip([before, there, away], WEEK_AGO, NOW)] == [
        (0, 700, "CONNECTED"),
        (350, 1, "OFFLINE"),
    ]


def test_the_share_is_of_the_time_that_is_known() -> None:
    day = timedelta(days=1)
    spans = [Interval(NOW - 2 * day, NOW - day, "OFFLINE"), Interval(NOW - day, None, "CONNECTED")]

    assert share_of_time(spans, "CONNECTED", WEEK_AGO, NOW) == 0.5
    assert share_of_time([], "CONNECTED", WEEK_AGO, NOW) is None


def test_a_bar_is_never_longer_than_its_image_nor_too_short_to_see() -> None:
    assert [bar(value, 100) for value in (None, 0, 0.01, 50, 200)] == [0, 0, 1, 50, 100]
