"""The envelope around every answer: the hub's own, and what is read of a partner's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.envelope import SUCCESS, envelope, read_envelope

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_an_answer_has_data_a_status_and_the_time_in_utc() -> None:
    assert json.loads(envelope(SUCCESS, NOON, data=[{"id": "L1"}])) == {
        "data": [{"id": "L1"}],
        "status_code": 1000,
        "timestamp": "2026-06-01T12:00:00.000Z",
    }


def test_the_time_is_utc_wherever_it_was_taken() -> None:
    moment = datetime(2026, 6, 1, 14, tzinfo=timezone(timedelta(hours=2)))

    assert json.loads(envelope(SUCCESS, moment))["timestamp"] == "2026-06-01T12:00:00.000Z"


def test_an_error_has_a_message_and_no_data() -> None:
    assert json.loads(envelope(2001, NOON, message='no "id"')) == {
        "status_code": 2001,
        "status_message": 'no "id"',
        "timestamp": "2026-06-01T12:00:00.000Z",
    }


@pytest.mark.parametrize("data", [None, [], {}, ""])
def test_empty_data_is_data(data: object) -> None:
    assert json.loads(envelope(SUCCESS, NOON, data=data))["data"] == data


def test_text_beyond_ascii_is_utf_8() -> None:
    assert "Straße" in envelope(2000, NOON, message="Straße").decode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"status_code":1000}', 1000),
        (b'{"status_code":1000,"timestamp":"2026-06-01T12:00:00Z"}', 1000),
        (b'{"data":[{"a":1}],"status_code":2950,"status_message":"ours","more":{}}', 2950),
        (b'{"status_code":1000,"status_message":null,"data":null}', 1000),
        ('{"status_code":1000,"data":"Straße"}'.encode(), 1000),
        (b' {"status_code" : 1000 } \n', 1000),
    ],
)
def test_the_status_of_a_partners_envelope_is_read(body: bytes, status: int) -> None:
    head = read_envelope(body)

    assert head is not None
    assert head.status_code == status


def test_the_data_of_an_envelope_stays_as_it_was_written() -> None:
    head = read_envelope(b'{"data":{"kwh": 0.10 },"status_code":1000,"status_message":"fine"}')

    assert head is not None
    assert (bytes(head.data), head.status_message) == (b'{"kwh": 0.10 }', "fine")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"1000",
        b"<html></html>",
        b'{"status":1000}',
        b'{"status_code":"1000"}',
        b'{"status_code":null}',
        b'{"status_code":true}',
        b'{"status_code":1000',
        b'{"status_code":1000}x',
        b'{"status_code":1000,"data":NaN}',
        b'{"status_code":1000,"status_message":"\xff"}',
        b'{"status_code":1000,"data":"\xe4"}',
        b'{"status_code":' + b"9" * 5000 + b"}",
        b'{"status_code":1000,"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_envelope_is_none(body: bytes) -> None:
    assert read_envelope(body) is None


@given(st.binary(max_size=60) | st.binary(max_size=20).map(b'{"status_code":1000,"status_message":"%b"}'.__mod__))
def test_no_answer_does_more_harm_than_not_being_an_envelope(body: bytes) -> None:
    head = read_envelope(body)

    assert head is None or isinstance(head.status_code, int)


@given(st.integers(min_value=1000, max_value=4999), st.text(max_size=40))
def test_the_hubs_own_envelope_can_be_read(status: int, message: str) -> None:
    head = read_envelope(envelope(status, NOON, data={"a": 1}, message=message))

    assert head is not None
    assert (head.status_code, head.status_message, bytes(head.data)) == (status, message, b'{"a":1}')
