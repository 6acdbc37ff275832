"""What the hub reads of a body, and that it refuses whatever two readers could understand differently."""

from __future__ import annotations

import json
from contextlib import suppress
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routing.bodies import (
    MAX_DEPTH,
    Members,
    check_body,
    check_charset,
    is_absent,
    owner_in,
    owner_in_path,
    owners_of_tokens,
    read_members,
    text,
    without_bom,
)
from routing.errors import HubError, InvalidParameters, NoSuchPath, UnreadableBody
from routing.modules import Operation, operation_at
from routing.vocabulary import InterfaceRole, Party, Version
from tests.ocpi import example

RECEIVER = InterfaceRole.RECEIVER
DECIDING = [
    "cdr_token",
    "country_code",
    "id",
    "last_updated",
    "party_id",
    "request_id",
    "response_url",
    "token",
    "tokens",
    "uid",
]


def members(**fields: object) -> Members:
    return read_members(json.dumps(fields).encode())


def nested(depth: int) -> bytes:
    """An object with lists inside, so many levels in all."""
    return b'{"x":' + (b"[" * (depth - 1) + b"]" * (depth - 1) or b"1") + b"}"


# ---------------------------------------------------------------------------------------------------- is it readable


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"id":"L1"',
        b'{"id":"L1",}',
        b'{"id":"L1"}}',
        b'{"id":"L1"} x',
        b"{'id':'L1'}",
        b'{"id":L1}',
        b'{id:"L1"}',
        b'{"kwh":NaN}',
        b'{"kwh":Infinity}',
        b'{"kwh":-Infinity}',
        b'{"deep":{"kwh":NaN}}',
        b'{"kwh":01}',
        b'{"kwh":1.}',
        b'{"kwh":+1}',
        b'{"name":"tab\tinside"}',
        b'{"name":"nul\x00inside"}',
        b'{"name":"\\x41"}',
        b'{"name":"\\ud800"}',
        b'{"name":"\\udc00 alone"}',
        b'{"\\ud800":1}',
        b'{"name":"\xe4"}',
        b'{"name":"\xed\xa0\x80"}',
        b'{"name":"\xc0\xaf"}',
        b'{"name":"\xff"}',
        "{}".encode("utf-16"),
        "{}".encode("utf-32"),
        b"\xef\xbb\xbf{}",
        b"<html></html>",
    ],
)
def test_what_is_not_json_in_utf_8_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBody) as caught:
        read_members(body)

    assert (caught.value.http_status, caught.value.ocpi_status) == (400, 2001)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"5", b"true", b" [ {} ] "])
def test_json_that_is_no_object_is_wrong_but_readable(body: bytes) -> None:
    with pytest.raises(InvalidParameters):
        read_members(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b' \r\n\t{ "id" : "L1" } \n',
        b'{"name":"Stra\xc3\x9fe \xf0\x9f\x94\x8c"}',
        b'{"name":"\\ud83d\\udd0c"}',
        b'{"kwh":0.10,"more":1e999,"less":-0}',
        b'{"kwh":' + b"9" * 5000 + b"}",
        b'{"unknown_to_us":{"a":[1,2,{"b":null}]}}',
        b'{"name":"#NA"}',
        b'{"":1}',
    ],
)
def test_whatever_is_json_is_readable(body: bytes) -> None:
    read = read_members(body)

    assert read.keys() == json.loads(body, parse_int=str).keys()
    assert all(bytes(value) in body for value in read.values())


def test_a_byte_order_mark_is_taken_off() -> None:
    assert without_bom(b"\xef\xbb\xbf{}") == b"{}"
    assert without_bom(b"{}") == b"{}"


@pytest.mark.parametrize("depth", [1, 2, MAX_DEPTH - 1, MAX_DEPTH])
def test_a_body_may_be_64_levels_deep(depth: int) -> None:
    assert read_members(nested(depth))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 200, 5_000, 500_000])
def test_a_deeper_body_is_unreadable(depth: int) -> None:
    with pytest.raises(UnreadableBody, match="deeper"):
        read_members(nested(depth))


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
@pytest.mark.parametrize(
    "noise",
    [
        '"' + "[" * 100 + '"',
        '"' + "]" * 100 + '"',
        json.dumps('"[{' * 50),
        json.dumps('\\"[' * 50),
        json.dumps("\\" * 99),
        json.dumps("}" * 100 + "\\"),
        ",".join(['"",""', '"["', '"]"', '"\\\\"', '"\\""', '"\\n["', '"\\u0022["'] * 9),
    ],
)
def test_brackets_and_quotes_in_texts_are_no_levels(noise: str, depth: int) -> None:
    inside = f"[{noise}]"
    levels = depth - 2
    body = f'{{"a":{noise.split(",", maxsplit=1)[0]},"x":{"[" * levels}{inside}{"]" * levels}}}'.encode()
    json.loads(body)

    if depth <= MAX_DEPTH:
        assert read_members(body)
    else:
        with pytest.raises(UnreadableBody, match="deeper"):
            read_members(body)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert read_members(b'{"x":[' + b",".join([b"[{}]"] * 1000) + b"]}")


def depth_of(value: object) -> int:
    """How many levels of objects and lists there are."""
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


BRACKETS = st.text(alphabet='[]{}"\\,:n', max_size=12)


@given(
    st.recursive(
        BRACKETS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(BRACKETS, inner, max_size=4),
        max_leaves=30,
    ),
    st.integers(min_value=0, max_value=MAX_DEPTH),
)
@settings(deadline=None)
def test_depth_is_measured_as_json_means_it(value: object, around: int) -> None:
    for _ in range(around):
        value = [value]
    body = json.dumps({"x": value, "noise": "[]" * 40}).encode()

    if depth_of(value) + 1 <= MAX_DEPTH:
        assert read_members(body)
    else:
        with pytest.raises(UnreadableBody, match="deeper"):
            read_members(body)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "text/plain",
        "nonsense",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; Charset = utf8",
        "application/json; charset=us-ascii",
    ],
)
def test_any_content_type_will_do_that_names_no_other_charset(content_type: str | None) -> None:
    check_charset(None if content_type is None else content_type.encode())


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=iso-8859-1",
        "application/json; charset=latin-1",
        "application/json; charset=UTF-16",
        "application/json; charset=",
    ],
)
def test_another_charset_is_unreadable(content_type: str) -> None:
    with pytest.raises(UnreadableBody):
        check_charset(content_type.encode())


@pytest.mark.parametrize("body", [b"", b" \n", b"null", b" null "])
def test_nothing_blanks_and_null_are_no_object(body: bytes) -> None:
    assert is_absent(body)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"0", b'""', b"nul"])
def test_anything_else_is_there(body: bytes) -> None:
    assert not is_absent(body)


# --------------------------------------------------------------------------------------------------- is it ambiguous


@pytest.mark.parametrize("name", DECIDING)
def test_a_second_member_of_a_name_that_decides_is_refused(name: str) -> None:
    with pytest.raises(UnreadableBody, match=name):
        read_members(f'{{"{name}":"a","other":1,"{name}":"a"}}'.encode())


@pytest.mark.parametrize(
    "body",
    [
        '{"id":"a","\\u0069d":"b"}',
        '{"\\u0069\\u0064":"a","id":"b"}',
        '{"id":"a","\\u0069d":"b","id,id":1}',
        '{"id":"a",\n\t"id"  :  "b"}',
        '{"id":null,"id":null}',
        '{"id":"a,b","id":"a"}',
        '{"id":"a","id":"a,b"}',
        '{"id":[1,2],"id":"a","x":"}{"}',
        '{"id":"a","a,b":1,"id":"c"}',
        '{"a\\u002cb":1,"id":"a","id":"c"}',
        '{"id":"a","id":"b","id":"c"}',
        '{"x":{"id":1,"id":2},"id":"a","id":"b"}',
        '{"other":1,"other":2,"id":"a","id":"b"}',
        '{"token":{"uid":"1"},"token":{"uid":"2"}}',
    ],
)
def test_no_spelling_hides_a_second_member(body: str) -> None:
    json.loads(body)

    with pytest.raises(UnreadableBody, match="more than one"):
        read_members(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        '{"name":"a","name":"b","id":"c"}',
        '{"x":{"id":1,"id":2}}',
        '{"x":[{"id":1},{"id":2}],"id":3}',
        '{"ID":1,"id":2}',
        '{"id":"a,b,c","name":",,,"}',
        '{"a,b":1,"id":"c"}',
        '{"a\\u002cb":1,"id":"c"}',
        '{",":",",",,":[",",1,2]}',
    ],
)
def test_everything_else_is_the_receivers_business(body: str) -> None:
    assert read_members(body.encode())


NAMES = st.sampled_from([*DECIDING, "name", "a,b", "", '"', "\\", "[{", "é"]) | st.text(max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30, max_value=10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=8)
BLANKS = st.text(alphabet=" \t\r\n", max_size=2)
ASCII_ONLY = st.booleans()


@st.composite
def texts_of(draw: st.DrawFn, pairs: list[tuple[str, Any]]) -> bytes:
    """These members as the text of an object, in one of the many ways it can be written."""
    parts = []
    for name, value in pairs:
        key = json.dumps(name, ensure_ascii=draw(ASCII_ONLY))
        if draw(st.booleans()):
            units = name.encode("utf-16-be")
            key = '"' + "".join(f"\\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2)) + '"'
        indent = draw(st.none() | st.integers(min_value=0, max_value=2))
        written = json.dumps(value, ensure_ascii=draw(ASCII_ONLY), indent=indent)
        parts.append("".join((draw(BLANKS), key, draw(BLANKS), ":", draw(BLANKS), written, draw(BLANKS))))
    return "".join((draw(BLANKS), "{", ",".join(parts) or draw(BLANKS), "}", draw(BLANKS))).encode()


def names_in(body: bytes) -> list[str]:
    """The reference: every name of the outermost object, read with nothing but the standard library."""
    read: list[list[str]] = []
    json.loads(body, object_pairs_hook=lambda pairs: read.append([name for name, _ in pairs]))
    return read[-1]


@given(st.data())
@settings(deadline=None)
def test_an_object_without_repetitions_is_never_refused(data: st.DataObject) -> None:
    pairs = list(data.draw(OBJECTS).items())
    body = data.draw(texts_of(pairs))

    read = read_members(body)

    assert read.keys() == dict(pairs).keys()
    assert {name: json.loads(bytes(value)) for name, value in read.items()} == json.loads(body)
    assert all(bytes(value) in body for value in read.values())


@given(st.data(), st.sampled_from(DECIDING), VALUES, VALUES)
@settings(deadline=None)
def test_an_object_with_a_deciding_name_twice_is_always_refused(
    data: st.DataObject, name: str, first: object, second: object
) -> None:
    pairs: list[tuple[str, object]] = [pair for pair in data.draw(OBJECTS).items() if pair[0] != name]
    for value in (first, second):
        pairs.insert(data.draw(st.integers(min_value=0, max_value=len(pairs))), (name, value))

    with pytest.raises(UnreadableBody, match="more than one"):
        read_members(data.draw(texts_of(pairs)))


@given(st.data(), st.lists(st.tuples(NAMES, VALUES), max_size=8))
@settings(deadline=None)
def test_counting_commas_finds_what_reading_every_name_finds(data: st.DataObject, pairs: list[tuple[str, Any]]) -> None:
    body = data.draw(texts_of(pairs))
    names = names_in(body)
    ambiguous = any(names.count(name) > 1 for name in DECIDING)

    try:
        read_members(body)
    except UnreadableBody:
        assert ambiguous
    else:
        assert not ambiguous


PIECES = [b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"u", b"d800", b"0", b"1", b"e", b".", b"-", b"null", b" "]
PIECES += [b'"id"', b'"token":', b'"country_code":', b'"party_id":', b"\x00", b"\xc3", b"\xa9", b"\xed\xa0\x80"]


def read_all(body: bytes) -> None:
    """Everything that is ever read of a body."""
    read = read_members(body)
    for name in DECIDING:
        text(read, name)
    owner_in(read)
    owners_of_tokens(read)


@given(st.binary(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
@settings(deadline=None)
def test_no_bytes_do_more_harm_than_a_refusal(body: bytes) -> None:
    with suppress(HubError):
        read_all(body)


@given(st.data())
@settings(deadline=None)
def test_no_damaged_object_does_more_harm_than_a_refusal(data: st.DataObject) -> None:
    body = bytearray(data.draw(texts_of(list(data.draw(OBJECTS).items()))))
    for _ in range(data.draw(st.integers(min_value=1, max_value=3))):
        assume(body)
        body[data.draw(st.integers(min_value=0, max_value=len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(HubError):
        read_all(bytes(body))


# ------------------------------------------------------------------------------------------------ what does it say


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"L1"', "L1"),
        ('"\\u004c1"', "L1"),
        ('""', ""),
        ('"null"', "null"),
        ('"#NA"', None),
        ("null", None),
        ("[]", None),
        ("5", "5"),
        ("1.0", "1.0"),
        ("true", "true"),
        ("9" * 5000, "9" * 5000),
        ("1e999", "1e999"),
        ('["L1"]', '["L1"]'),
        ('{"a": 1}', '{"a": 1}'),
    ],
)
def test_a_member_is_read_as_text(written: str, expected: str | None) -> None:
    assert text(read_members(f'{{"id": {written} }}'.encode()), "id") == expected


def test_an_absent_member_has_no_text() -> None:
    assert text(members(other=1), "id") is None


def _operation(version: str, module: str, method: str, path: str, interface: InterfaceRole = RECEIVER) -> Operation:
    return operation_at(Version(version), module, interface, method, tuple(path.split("/")) if path else ())


def check(version: str, module: str, method: str, path: str, body: dict[str, Any], query: str = "") -> None:
    operation = _operation(version, module, method, path)
    assert operation.body is not None
    segments = tuple(path.split("/")) if path else ()
    check_body(operation, operation.body, members(**body), segments, query)


L1 = {"country_code": "NL", "party_id": "ABC", "id": "L1", "last_updated": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("NL/ABC/L1", L1),
        ("nl/abc/l1", L1),
        ("NL/ABC/L1", L1 | {"country_code": "nl", "party_id": "Abc", "id": "l1"}),
        ("N%4c/%41BC/%4C1", L1),
        ("NL/ABC/A%20B%2F%C3%B6%231", L1 | {"id": "A B/ö#1"}),
        ("NL/ABC/A%20B%2F%c3%b6%231", L1 | {"id": "a b/Ö#1"}),
        ("NL/ABC/L1", {}),
        ("NL/ABC/L1", {"id": None, "country_code": None}),
        ("NL/ABC/L1", {"id": "#NA"}),
        ("NL/ABC/7", {"id": 7}),
        ("NL/ABC/L1/E1", {"uid": "E1", "id": "anything", "country_code": "DE"}),
        ("NL/ABC/L1/E1/1", {"id": "1", "uid": "anything"}),
    ],
)
def test_an_object_that_agrees_with_its_path_passes(path: str, body: dict[str, Any]) -> None:
    check("2.2.1", "locations", "PUT", path, body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("NL/ABC/L1", {"id": "L2"}),
        ("NL/ABC/L1", {"id": ""}),
        ("NL/ABC/L1", {"id": ["L1"]}),
        ("NL/ABC/L1", {"id": {"value": "L1"}}),
        ("NL/ABC/L1", {"id": "L1 "}),
        ("NL/ABC/L1", {"id": "L1", "country_code": "DE"}),
        ("NL/ABC/L1", {"id": "L1", "party_id": "ABD"}),
        ("NL/ABC/L1", {"id": "L1", "party_id": ["ABC"]}),
        ("NL/ABC/L1/E1", {"uid": "L1"}),
        ("NL/ABC/L1/E1/1", {"id": "E1"}),
        ("NL/ABC/A%2520B", {"id": "A B"}),
        ("NL/ABC/%FF", {"id": "ÿ"}),
    ],
)
def test_an_object_that_contradicts_its_path_is_wrong(path: str, body: dict[str, Any]) -> None:
    for method in ("PUT", "PATCH"):
        with pytest.raises(InvalidParameters, match="URL"):
            check("2.2.1", "locations", method, path, {"last_updated": "2026-01-01T00:00:00Z"} | body)


@pytest.mark.parametrize(
    ("version", "module", "class_name", "id_field"),
    [
        ("2.1.1", "locations", "Location", "id"),
        ("2.1.1", "sessions", "Session", "id"),
        ("2.1.1", "tariffs", "Tariff", "id"),
        ("2.1.1", "tokens", "Token", "uid"),
        ("2.2", "tokens", "Token", "uid"),
        ("2.2.1", "sessions", "Session", "id"),
        ("2.2.1", "tariffs", "Tariff", "id"),
        ("2.3.0", "tokens", "Token", "uid"),
        ("2.3.0", "invoicereconciliation", "InvoiceReconciliationRecord", "id"),
    ],
)
def test_every_pushed_object_is_compared_with_its_path(
    version: str, module: str, class_name: str, id_field: str
) -> None:
    body = example(version, class_name, Random(1)) | {id_field: "X1"}
    country_code, party_id = body.get("country_code", "NL"), body.get("party_id", "ABC")

    check(version, module, "PUT", f"{country_code}/{party_id}/X1", body)
    with pytest.raises(InvalidParameters, match=id_field):
        check(version, module, "PUT", f"{country_code}/{party_id}/X2", body)


@pytest.mark.parametrize("body", [{"id": "B1"}, {"request_id": "B1"}, {"id": "B1", "request_id": "R1"}])
def test_a_booking_carries_the_id_of_its_path_as_id_or_as_request_id(body: dict[str, Any]) -> None:
    check("2.3.0", "bookings", "PUT", "NL/ABC/B1", body)
    check("2.3.0", "bookings", "PUT", "NL/ABC/B1", dict(reversed(body.items())))


@pytest.mark.parametrize("body", [{"id": "B2"}, {"request_id": "B2"}, {"id": "B2", "request_id": "B3"}])
def test_a_booking_with_neither_is_wrong(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameters):
        check("2.3.0", "bookings", "PUT", "NL/ABC/B1", body)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("type=RFID", {"uid": "U1", "type": "RFID"}),
        ("type=rfid", {"uid": "U1", "type": "RFID"}),
        ("type=RFID", {"uid": "U1"}),
        ("", {"uid": "U1", "type": "APP_USER"}),
        ("other=1", {"uid": "U1", "type": "APP_USER"}),
        ("type=", {"uid": "U1", "type": "APP_USER"}),
    ],
)
def test_the_type_of_a_token_is_compared_only_with_one_in_the_query(query: str, body: dict[str, Any]) -> None:
    check("2.2.1", "tokens", "PUT", "NL/ABC/U1", body, query)


@pytest.mark.parametrize("query", ["type=RFID", "type=RFID&type=APP_USER", "type=APP_USER&type=RFID", "t%79pe=RFID"])
def test_another_type_in_the_query_is_wrong(query: str) -> None:
    with pytest.raises(InvalidParameters, match="type"):
        check("2.2.1", "tokens", "PUT", "NL/ABC/U1", {"uid": "U1", "type": "APP_USER"}, query)


PATCHES = [
    ("locations", "NL/ABC/L1"),
    ("locations", "NL/ABC/L1/E1"),
    ("locations", "NL/ABC/L1/E1/1"),
    ("sessions", "NL/ABC/S1"),
    ("tokens", "NL/ABC/U1"),
]
PATCHES_OF_BOOKINGS = [
    ("bookings", "NL/ABC/B1"),
    ("bookings", "NL/ABC/booking_locations/BL1"),
    ("bookings", "NL/ABC/booking_locations/BL1/C1"),
]


@pytest.mark.parametrize(
    ("version", "module", "path"),
    [(version, *row) for version in ("2.2", "2.2.1", "2.3.0") for row in PATCHES]
    + [("2.3.0", *row) for row in PATCHES_OF_BOOKINGS],
)
def test_a_patch_has_to_say_when_the_object_was_updated(version: str, module: str, path: str) -> None:
    check(version, module, "PATCH", path, {"last_updated": "2026-01-01T00:00:00Z"})
    for missing in ({}, {"last_updated": None}, {"last_updated": ""}, {"status": "VALID"}):
        with pytest.raises(InvalidParameters, match="last_updated"):
            check(version, module, "PATCH", path, missing)


@pytest.mark.parametrize(("module", "path"), [*PATCHES, ("tariffs", "NL/ABC/T1")])
def test_a_patch_of_2_1_1_has_not(module: str, path: str) -> None:
    check("2.1.1", module, "PATCH", path, {"name": "new"})


def test_a_patch_of_a_terminal_has_not() -> None:
    operation = _operation("2.3.0", "payments", "PATCH", "terminals/T1", InterfaceRole.SENDER)
    assert operation.body is not None

    check_body(operation, operation.body, members(location_ids=["L1"]), ("terminals", "T1"), "")


@pytest.mark.parametrize("version", ["2.1.1", "2.2", "2.2.1", "2.3.0"])
@pytest.mark.parametrize("body", [{}, {"response_url": None}, {"response_url": ""}])
def test_a_command_has_to_say_where_its_result_goes(version: str, body: dict[str, Any]) -> None:
    check(version, "commands", "POST", "START_SESSION", {"response_url": "https://emsp.example/1"})
    with pytest.raises(InvalidParameters, match="response_url"):
        check(version, "commands", "POST", "START_SESSION", body)


# ----------------------------------------------------------------------------------------------------- whose is it


@pytest.mark.parametrize(
    ("body", "owner"),
    [
        ({"country_code": "nl", "party_id": "abc"}, Party("NL", "ABC")),
        ({"country_code": "NL"}, None),
        ({"party_id": "ABC"}, None),
        ({"country_code": "NL", "party_id": None}, None),
        ({}, None),
    ],
)
def test_an_object_names_its_owner_or_not(body: dict[str, Any], owner: Party | None) -> None:
    assert owner_in(members(**body)) == owner


TOKEN = {"uid": "U1", "country_code": "de", "party_id": "msp"}
OTHER = {"uid": "U2", "country_code": "BE", "party_id": "ABC"}


@pytest.mark.parametrize(
    ("body", "owners"),
    [
        ({"token": TOKEN}, ["DE*MSP"]),
        ({"tokens": [TOKEN, OTHER]}, ["DE*MSP", "BE*ABC"]),
        ({"token": TOKEN, "tokens": [OTHER]}, ["DE*MSP", "BE*ABC"]),
        ({"token": {"uid": "U1"}}, []),
        ({"token": None}, []),
        ({"token": "U1"}, []),
        ({"tokens": [None, "U1", 5, [TOKEN]]}, []),
        ({"tokens": []}, []),
        ({}, []),
    ],
)
def test_the_tokens_in_an_object_name_their_owners(body: dict[str, Any], owners: list[str]) -> None:
    assert [str(owner) for owner in owners_of_tokens(members(**body))] == owners


def test_a_token_with_numbers_no_computer_holds_is_read_all_the_same() -> None:
    read = read_members(b'{"token":{"country_code":"DE","party_id":"MSP","x":' + b"9" * 5000 + b',"y":1e999}}')

    assert owners_of_tokens(read) == [Party("DE", "MSP")]


@pytest.mark.parametrize("name", ["country_code", "party_id"])
def test_a_token_that_names_two_owners_is_unreadable(name: str) -> None:
    token = f'{{"country_code":"DE","party_id":"MSP","{name}":"BE"}}'
    for body in (f'{{"token":{token}}}', f'{{"tokens":[{{}},{token}]}}'):
        with pytest.raises(UnreadableBody, match=name):
            owners_of_tokens(read_members(body.encode()))


@pytest.mark.parametrize(
    ("segments", "owner"),
    [
        (("NL", "ABC", "L1"), Party("NL", "ABC")),
        (("nl", "abc", "L1"), Party("NL", "ABC")),
        (("%4eL", "A%42C", "L1"), Party("NL", "ABC")),
        (("XXX", "Y%20Z", "L1"), Party("XXX", "Y Z")),
    ],
)
def test_a_path_names_an_owner(segments: tuple[str, ...], owner: Party) -> None:
    assert owner_in_path(segments) == owner


@pytest.mark.parametrize("segments", [("N%2FL", "ABC", "L1"), ("NL", "AB%2fC", "L1"), ("NL%2F", "ABC", "L1")])
def test_a_path_that_hides_a_slash_in_its_owner_is_not_found(segments: tuple[str, ...]) -> None:
    with pytest.raises(NoSuchPath):
        owner_in_path(segments)


def test_members_can_be_written_again_as_they_came() -> None:
    body = b'{"id":"L1","kwh":0.10,"big":' + b"9" * 50 + b"}"

    assert msgspec.json.encode(read_members(body)) == body
