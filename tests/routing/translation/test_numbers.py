"""Numbers keep their digits."""

import msgspec
import pytest

from routing.translation import numbers


@pytest.mark.parametrize(
    "text", ["4.00", "0.1", "-0.0", "12345678901234567890.123456789", "7", "123456789012345678901"]
)
def test_a_number_is_written_as_it_was_read(text: str) -> None:
    assert numbers.write(numbers.read(text)).decode() == text


@pytest.mark.parametrize(("text", "plain"), [("1e2", "100"), ("1.5E-3", "0.0015")])
def test_an_exponent_is_written_out(text: str, plain: str) -> None:
    assert numbers.write(numbers.read(text)).decode() == plain


def test_an_enormous_exponent_fills_no_memory() -> None:
    assert numbers.write(numbers.read("1e999999")) == b"1E+999999"


@pytest.mark.parametrize("text", ["{", '{"kwh": 1e99999999999999999999}', "[-1e-99999999999999999999]"])
def test_what_is_no_json_is_said_to_be_none(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        numbers.read(text)


def test_what_is_not_looked_at_goes_on_as_it_came() -> None:
    text = b'{"id": "S1", "kwh": 4.00, "periods": [ {"volume": 1E2, "name": "\\u00e9"} ]}'

    value = numbers.read_only(dict.fromkeys(("id", "kwh", "absent"), numbers.read), text)

    assert numbers.write(value) == b'{"id":"S1","kwh":4.00,"periods":[ {"volume": 1E2, "name": "\\u00e9"} ]}'


@pytest.mark.parametrize("text", [b"[{}]", b"null", b'"text"', b" 4.00"])
def test_what_is_no_object_is_read_whole(text: bytes) -> None:
    assert numbers.read_only({"id": numbers.read}, text) == numbers.read(text)


@pytest.mark.parametrize("text", [b"{", b'{"periods": [}', b'{"id": 1e99999999999999999999}'])
def test_what_is_no_json_is_noticed_although_it_is_not_read_whole(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        numbers.read_only({"id": numbers.read}, text)
