from __future__ import annotations

import msgspec
import pytest

from hub.journal.bodies import MOST_BYTES, masked_body
from hub.journal.masking import (
    LONGEST,
    MASK,
    clean,
    masked_headers,
    masked_path,
    masked_query,
    masked_unread_path,
    path_of_url,
)
from hub.journal.subjects import object_id, subject_of, token_uid
from routing.bodies import read_members
from routing.modules import operation_at
from routing.vocabulary import InterfaceRole, Version

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ""),
        ("offset=50&limit=25", "?offset=50&limit=25"),
        ("date_from=2026-01-01T00:00:00Z&type=RFID", "?date_from=2026-01-01T00:00:00Z&type=RFID"),
        ("limit=5&hub_next=c2VjcmV0", f"?limit=5&hub_next={MASK}"),
        ("response_url=https%3A%2F%2Fexample.com%2Fcb%2F1&duration=60", f"?response_url={MASK}&duration=60"),
        ("uid=0123;token=abc", f"?uid={MASK};token={MASK}"),
        ("LIMIT=5&flag", "?LIMIT=5&flag"),
    ],
)
def test_values_of_a_query_are_shown_only_where_they_are_known_to_say_nothing(query: str, shown: str) -> None:
    assert masked_query(query) == shown


@pytest.mark.parametrize(
    ("module", "interface", "method", "segments", "shown"),
    [
        ("tokens", RECEIVER, "PUT", ("DE", "MSP", "0123"), f"/tokens/DE/MSP/{MASK}"),
        ("tokens", SENDER, "POST", ("0123", "authorize"), f"/tokens/{MASK}/authorize"),
        ("commands", SENDER, "POST", ("START_SESSION", "c4llb4ck"), f"/commands/START_SESSION/{MASK}"),
        ("chargingprofiles", SENDER, "POST", ("callback", "c4llb4ck"), f"/chargingprofiles/callback/{MASK}"),
        ("sessions", RECEIVER, "PUT", ("NL", "CPO", "S%2F1"), "/sessions/NL/CPO/S%2F1"),
    ],
)
def test_uids_of_tokens_and_ids_of_callbacks_are_in_no_path(
    module: str, interface: InterfaceRole, method: str, segments: tuple[str, ...], shown: str
) -> None:
    operation = operation_at(Version.V2_2_1, module, interface, method, segments)

    path = "/".join(("", module, *segments))

    assert masked_path(path, subject_of(operation).hidden) == shown
    assert masked_path(f"/ocpi/somewhere{path}/", subject_of(operation).hidden) == f"/ocpi/somewhere{shown}"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/tokens/0123/authorize", f"/tokens/{MASK}/authorize"),
        ("/TOKENS/DE/MSP/0123", f"/{MASK}/{MASK}/{MASK}/{MASK}"),
        ("/%74okens/0123", f"/{MASK}/{MASK}"),
        ("/commands/START_SESSION/c4llb4ck", f"/commands/{MASK}/{MASK}"),
        ("/sessions/NL/CPO/0123", f"/sessions/{MASK}/{MASK}/{MASK}"),
        ("", ""),
        ("/", "/"),
    ],
)
def test_of_a_path_that_was_not_read_only_what_is_sure_is_shown(path: str, shown: str) -> None:
    assert masked_unread_path(path) == shown


def test_what_opens_something_is_in_no_header() -> None:
    headers = [
        (b"Authorization", b"Token c2VjcmV0"),
        (b"cookie", b"a=b"),
        (b"link", b'<https://hub.example/ocpi?limit=5&hub_next=c2VjcmV0>; rel="next"'),
        (b"x-request-id", b"r1"),
        (b"odd", b"\xff"),
    ]

    assert masked_headers(headers) == (
        ("authorization", MASK),
        ("cookie", MASK),
        ("link", f'<https://hub.example/ocpi?limit=5&hub_next={MASK}>; rel="next"'),
        ("x-request-id", "r1"),
        ("odd", "ÿ"),
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [("plain", "plain"), ("Größe", "Größe"), ("a\x00b", "a\N{REPLACEMENT CHARACTER}b"), ("a\ud800b", "a?b")],
)
def test_a_text_becomes_one_that_every_database_takes(text: str, kept: str) -> None:
    assert clean(text) == kept
    assert clean(text).encode()


def test_a_long_text_is_cut() -> None:
    assert len(clean("x" * 5000)) == LONGEST


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("https://example.com/ocpi/2.2.1/sessions/S1?a=b", "/ocpi/2.2.1/sessions/S1", "a=b"),
        ("http://127.0.0.1:8000/x", "/x", ""),
        ("https://example.com", "/", ""),
    ],
)
def test_the_path_of_a_url(url: str, path: str, query: str) -> None:
    assert path_of_url(url) == (path, query)


@pytest.mark.parametrize(
    ("module", "interface", "method", "segments", "body", "found"),
    [
        ("sessions", RECEIVER, "PATCH", ("NL", "CPO", "S%2F1"), {}, ("session", "S/1", None)),
        ("sessions", RECEIVER, "PUT", ("NL", "CPO", "S1"), {"cdr_token": {"uid": "7"}}, ("session", "S1", "7")),
        ("sessions", RECEIVER, "PUT", ("NL", "CPO", "S1"), {"cdr_token": 5}, ("session", "S1", None)),
        ("locations", RECEIVER, "PUT", ("NL", "CPO", "L1", "E1", "1"), {"id": "1"}, ("location", "L1", None)),
        ("locations", SENDER, "GET", (), {}, (None, None, None)),
        ("tariffs", RECEIVER, "DELETE", ("NL", "CPO", "T1"), {}, ("tariff", "T1", None)),
        ("cdrs", RECEIVER, "POST", (), {"id": "C1", "cdr_token": {"uid": "7"}}, ("cdr", "C1", "7")),
        ("cdrs", RECEIVER, "POST", (), {"id": ["C1"]}, ("cdr", None, None)),
        ("tokens", RECEIVER, "PUT", ("DE", "MSP", "0%2A1"), {"uid": "0*1"}, ("token", None, "0*1")),
        ("tokens", SENDER, "POST", ("0123", "authorize"), {}, ("token", None, "0123")),
        ("commands", RECEIVER, "POST", ("STOP_SESSION",), {"session_id": "S1"}, ("session", "S1", None)),
        (
            "commands",
            RECEIVER,
            "POST",
            ("RESERVE_NOW",),
            {"reservation_id": "R1", "location_id": "L1", "token": {"uid": "7"}},
            ("reservation", "R1", "7"),
        ),
        ("commands", SENDER, "POST", ("STOP_SESSION", "callback-id"), {"result": "ACCEPTED"}, (None, None, None)),
    ],
)
def test_what_a_message_is_about(
    module: str,
    interface: InterfaceRole,
    method: str,
    segments: tuple[str, ...],
    body: dict[str, object],
    found: tuple[str | None, str | None, str | None],
) -> None:
    subject = subject_of(operation_at(Version.V2_2_1, module, interface, method, segments))
    members = read_members(msgspec.json.encode(body))

    said = object_id(subject, segments, members), token_uid(subject, segments, members)

    assert (subject.kind, *said) == found


def test_a_body_keeps_its_digits_and_loses_its_people() -> None:
    body = b"""{"id": "S1", "kwh": 4.00, "n": 12345678901234567890, "cdr_token": {"uid": "0123", "contract_id": "C",
      "country_code": "DE"}, "tokens": [{"uid": "7", "visual_number": "DF000-2001", "group_id": "G", "issuer": "I"}],
      "license_plate": "AB-12-CD", "eft_data": ["1"], "response_url": "https://x/secret", "token": {"type": "RFID"},
      "phone": null}"""

    assert masked_body(body, "sessions") == (
        '{"id":"S1","kwh":4.00,"n":12345678901234567890,"cdr_token":{"uid":"••••","contract_id":"••••",'
        '"country_code":"DE"},"tokens":[{"uid":"••••","visual_number":"••••","group_id":"••••","issuer":"I"}],'
        '"license_plate":"••••","eft_data":"••••","response_url":"••••","token":{"type":"RFID"},"phone":null}'
    )


def test_the_uid_of_an_evse_is_no_persons() -> None:
    assert masked_body(b'{"uid":"E1","status":"CHARGING"}', "locations") == '{"uid":"E1","status":"CHARGING"}'
    assert masked_body(b'{"location":{"evses":[{"uid":"E1"}]},"auth_id":"7"}', "cdrs") == (
        '{"location":{"evses":[{"uid":"E1"}]},"auth_id":"••••"}'
    )


def test_the_token_of_credentials_is_masked() -> None:
    assert masked_body(b'{"token":"c2VjcmV0","url":"https://x"}', "credentials") == '{"token":"••••","url":"https://x"}'


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (None, None),
        (b"", None),
        (b"<html>\x00</html>", "[14 bytes, no JSON] <html>\N{REPLACEMENT CHARACTER}</html>"),
        (b"\xff\xfe", "[2 bytes, no JSON] \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        (b'"bare"', '"bare"'),
        (b"\xef\xbb\xbf[1]", "[1]"),
        (b'{"a":"\\u0000"}', '{"a":"\\ufffd"}'),
        (b"x" * (MOST_BYTES + 1), f"[{MOST_BYTES + 1} bytes: too long to be kept]"),
    ],
)
def test_a_body_that_is_no_json_is_described(body: bytes | None, kept: str | None) -> None:
    assert masked_body(body, "sessions") == kept


def test_a_body_of_garbage_is_cut_and_one_that_is_nested_deeply_costs_nothing() -> None:
    assert len(masked_body(b"<" + b"x" * 9000, "cdrs") or "") < 600
    deep = b"[" * 900 + b"]" * 900

    assert MASK in (masked_body(deep, "cdrs") or "")
