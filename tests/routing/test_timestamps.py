"""DateTime in every spelling that partners use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.timestamps import read_timestamp, write_timestamp

NOON = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-06-01T12:00:00Z", NOON),
        ("2026-06-01T12:00:00", NOON),
        ("2026-06-01t12:00:00z", NOON),
        ("2026-06-01T12:00Z", NOON),
        ("2026-06-01T12:00", NOON),
        ("2026-06-01T12:00:00.0Z", NOON),
        ("2026-06-01T12:00:00.000000000Z", NOON),
        ("2026-06-01T12:00:00.25Z", NOON.replace(microsecond=250_000)),
        ("2026-06-01T12:00:00.25", NOON.replace(microsecond=250_000)),
        ("2026-06-01T12:00:00,25Z", NOON.replace(microsecond=250_000)),
        ("2026-06-01T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
        ("2026-06-01T12:00:00+00:00", NOON),
        ("2026-06-01T12:00:00-00:00", NOON),
        ("2026-06-01T14:00:00+02:00", NOON),
        ("2026-06-01T14:00:00+0200", NOON),
        ("2026-06-01T08:30:00.5-03:30", NOON.replace(microsecond=500_000)),
        ("2026-06-02T00:00:00+12:00", NOON),
        (" 2026-06-01T12:00:00Z\n", NOON),
    ],
)
def test_every_spelling_is_read(text: str, moment: datetime) -> None:
    assert read_timestamp(text) == moment
    assert read_timestamp(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-06-01",
        "2026-06-01T",
        "2026-06-01 12:00:00Z",
        "2026-06-01T12Z",
        "2026-6-1T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2026-06-01T24:00:00Z",
        "2026-06-01T12:60:00Z",
        "2026-06-01T12:00:61Z",
        "2026-06-01T12:00:00.Z",
        "2026-06-01T12:00:00.1234567890Z",
        "2026-06-01T12:00:00ZZ",
        "2026-06-01T12:00:00+02",
        "2026-06-01T12:00:00+25:00",
        "2026-06-01T12:00:00+02:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "12026-06-01T12:00:00Z",
        "-2026-06-01T12:00:00Z",
        "２０２６-06-01T12:00:00Z",  # noqa: RUF001  # digits that only look like digits
        "1780315200",
    ],
)
def test_anything_else_is_no_datetime(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_timestamp(text)


@given(st.text(max_size=40) | st.text(alphabet="0123456789-:.TZ+", max_size=40))
def test_no_text_does_more_harm_than_a_value_error(text: str) -> None:
    try:
        moment = read_timestamp(text)
    except ValueError:
        return
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-06-01T12:00:00.000Z"),
        (NOON.replace(microsecond=999_999), "2026-06-01T12:00:00.999Z"),
        (datetime(2026, 6, 1, 14, tzinfo=timezone(timedelta(hours=2))), "2026-06-01T12:00:00.000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_one_spelling_is_written(moment: datetime, text: str) -> None:
    assert write_timestamp(moment) == text


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_again_to_the_millisecond(moment: datetime) -> None:
    text = write_timestamp(moment)

    assert len(text) <= 25
    assert read_timestamp(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert write_timestamp(read_timestamp(text)) == text


OFFSETS = st.integers(min_value=-14 * 60, max_value=14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=OFFSETS)  # noqa: DTZ001  # hypothesis wants naive limits
)
def test_an_offset_is_taken_into_account(moment: datetime) -> None:
    assert read_timestamp(moment.isoformat()) == moment
