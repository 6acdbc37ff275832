"""What a partner's answer means to the one who asked: the table of `routing.outcome`, row by row."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from routing.dialects import DIALECTS, Dialect
from routing.errors import (
    AlreadyRegistered,
    ForeignSender,
    HubError,
    HubFault,
    InvalidParameters,
    NoSuchPath,
    NotRoutable,
    Overloaded,
    ReceiverTimeout,
    ReceiverUnreachable,
    TooManyRequests,
    Unauthorized,
    UnknownReceiver,
    UnreadableBody,
    UnsupportedVersion,
    Untranslatable,
    WrongMethod,
)
from routing.message import Answer, Reply
from routing.modules import Operation, operation_at
from routing.outcome import answer_of, failure, in_codes_of, refuses_our_token, with_data
from routing.vocabulary import InterfaceRole, Party, Version

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HUB, RECEIVER = Party("EU", "HUB"), Party("NL", "ABC")
ENVELOPE = b'{"status_code":1000,"data":{"kwh": 0.10},"status_message":"fine","timestamp":"2015-06-30T21:59:59Z"}'
PAGE = b"<html>sorry</html>"


def reply(http_status: int, body: bytes = ENVELOPE, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(http_status, list(headers), body)


@pytest.mark.parametrize("http_status", [200, 201, 202, 204, 206, 299])
@pytest.mark.parametrize("ocpi_status", [1000, 1950, 2000, 2001, 2003, 2004, 2950, 3000, 3001, 4000, 4002, 4950])
def test_an_accepted_message_is_answered_with_what_the_receiver_says(http_status: int, ocpi_status: int) -> None:
    body = ENVELOPE.replace(b"1000", str(ocpi_status).encode())

    answer = answer_of(reply(http_status, body), RECEIVER, NOON)

    assert (answer.http_status, answer.ocpi_status, answer.sender) == (http_status, ocpi_status, RECEIVER)
    assert answer.body == body


@pytest.mark.parametrize("http_status", [404, 405])
def test_a_missing_object_or_method_stays_one(http_status: int) -> None:
    answer = answer_of(reply(http_status, ENVELOPE.replace(b"1000", b"2003")), RECEIVER, NOON)

    assert (answer.http_status, answer.ocpi_status) == (http_status, 2003)
    assert b'"fine"' in answer.body


@pytest.mark.parametrize("http_status", [404, 405])
@pytest.mark.parametrize("body", [PAGE, b"", b"{}"])
def test_a_missing_object_or_method_gets_an_envelope_if_it_has_none(http_status: int, body: bytes) -> None:
    answer = answer_of(reply(http_status, body, (b"allow", b"GET")), RECEIVER, NOON)

    assert (answer.http_status, answer.ocpi_status, answer.sender) == (http_status, 2000, RECEIVER)
    assert json.loads(answer.body) == {
        "status_code": 2000,
        "status_message": f"NL*ABC answers {http_status}",
        "timestamp": "2026-06-01T12:00:00.000Z",
    }
    assert answer.headers == [(b"allow", b"GET")]


@pytest.mark.parametrize("http_status", [400, 402, 406, 409, 410, 413, 418, 422, 429, 500, 501, 505, 599])
def test_another_failure_with_an_envelope_is_an_answer(http_status: int) -> None:
    answer = answer_of(reply(http_status, ENVELOPE.replace(b"1000", b"3000")), RECEIVER, NOON)

    assert (answer.http_status, answer.ocpi_status, answer.sender) == (200, 3000, RECEIVER)
    assert b'"fine"' in answer.body


@pytest.mark.parametrize("http_status", [200, 201, 204, 400, 409, 429, 500, 501])
@pytest.mark.parametrize("body", [PAGE, b"", b"{}", b'{"status_code":"1000"}', b'{"status_code":1000,"data":"\xff"}'])
def test_an_answer_that_is_not_ocpi_is_4000(http_status: int, body: bytes) -> None:
    with pytest.raises(NotRoutable, match=str(http_status)):
        answer_of(reply(http_status, body), RECEIVER, NOON)


@pytest.mark.parametrize("http_status", [401, 403])
@pytest.mark.parametrize("body", [ENVELOPE, PAGE, b""])
def test_a_receiver_that_refuses_the_hub_is_unreachable(http_status: int, body: bytes) -> None:
    with pytest.raises(ReceiverUnreachable):
        answer_of(reply(http_status, body), RECEIVER, NOON)
    assert refuses_our_token(reply(http_status, body))


@pytest.mark.parametrize("http_status", [502, 503, 504])
@pytest.mark.parametrize("body", [ENVELOPE, PAGE, b""])
def test_a_gateway_before_the_receiver_means_that_it_is_unreachable(http_status: int, body: bytes) -> None:
    with pytest.raises(ReceiverUnreachable, match=str(http_status)):
        answer_of(reply(http_status, body), RECEIVER, NOON)
    assert not refuses_our_token(reply(http_status, body))


@pytest.mark.parametrize("http_status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_an_answer(http_status: int) -> None:
    with pytest.raises(NotRoutable, match="redirect"):
        answer_of(reply(http_status, ENVELOPE, (b"location", b"https://elsewhere.example")), RECEIVER, NOON)


def test_a_byte_order_mark_is_taken_off_an_answer() -> None:
    assert answer_of(reply(200, b"\xef\xbb\xbf" + ENVELOPE), RECEIVER, NOON).body == ENVELOPE


def test_headers_that_mean_the_same_to_everybody_are_kept() -> None:
    headers = [
        (b"x-total-count", b"5"),
        (b"content-type", b"text/plain"),
        (b"set-cookie", b"a=b"),
        (b"x-limit", b"2"),
        (b"x-request-id", b"theirs"),
        (b"ocpi-from-party-id", b"XXX"),
        (b"link", b'<https://cpo.example/2>; rel="next"'),
        (b"location", b"https://cpo.example/cdrs/1"),
        (b"content-encoding", b"gzip"),
        (b"transfer-encoding", b"chunked"),
    ]

    answer = answer_of(reply(200, ENVELOPE, *headers), RECEIVER, NOON)

    assert answer.headers == [(b"x-total-count", b"5"), (b"x-limit", b"2")]


# ---------------------------------------------------------------------------------------------- the hub's own failures

LIST = operation_at(Version.V2_1_1, "locations", InterfaceRole.SENDER, "GET", ())
LOCATION = operation_at(Version.V2_1_1, "locations", InterfaceRole.SENDER, "GET", ("L1",))
UNLOCK, STOP = (
    operation_at(Version.V2_1_1, "commands", InterfaceRole.RECEIVER, "POST", (command,))
    for command in ("UNLOCK_CONNECTOR", "STOP_SESSION")
)
SESSION = operation_at(Version.V2_1_1, "sessions", InterfaceRole.RECEIVER, "PUT", ("NL", "ABC", "S1"))
SINCE_2_2 = [version for version, dialect in DIALECTS.items() if dialect.hub_status_codes]
FAILURES: list[HubError] = [
    Unauthorized(),
    ForeignSender("why"),
    InvalidParameters("why"),
    UnreadableBody("why"),
    NoSuchPath("why"),
    UnsupportedVersion("why"),
    WrongMethod("why", ("GET", "PUT")),
    AlreadyRegistered("why", ("GET",)),
    TooManyRequests("why", 3),
    Overloaded("why", 5),
    HubFault("why"),
]
ROUTING_FAILURES: list[HubError] = [
    NotRoutable("why"),
    UnknownReceiver("why"),
    ReceiverTimeout("why"),
    ReceiverUnreachable("why"),
]


@pytest.mark.parametrize("version", SINCE_2_2)
@pytest.mark.parametrize("error", FAILURES + ROUTING_FAILURES, ids=lambda error: type(error).__name__)
def test_a_failure_of_the_hub_is_an_answer_of_the_hub(error: HubError, version: Version) -> None:
    answer = failure(error, DIALECTS[version], LOCATION, HUB, NOON)

    assert (answer.http_status, answer.ocpi_status, answer.sender) == (error.http_status, error.ocpi_status, HUB)
    assert json.loads(answer.body) == {
        "status_code": error.ocpi_status,
        "status_message": str(error),
        "timestamp": "2026-06-01T12:00:00.000Z",
    }
    assert answer.headers == [(name.lower().encode(), value.encode()) for name, value in error.answer_headers().items()]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_2_1_1_knows_every_failure_below_4000(error: HubError) -> None:
    for operation in (None, LIST, LOCATION, SESSION):
        answer = failure(error, DIALECTS[Version.V2_1_1], operation, HUB, NOON)
        assert (answer.http_status, answer.ocpi_status) == (error.http_status, error.ocpi_status)


@pytest.mark.parametrize(
    ("error", "operation", "status"),
    [
        (UnknownReceiver("why"), LOCATION, 2003),
        (UnknownReceiver("why"), UNLOCK, 2003),
        (UnknownReceiver("why"), STOP, 2002),
        (UnknownReceiver("why"), LIST, 2002),
        (UnknownReceiver("why"), SESSION, 2002),
        (UnknownReceiver("why"), None, 2002),
        (NotRoutable("why"), LOCATION, 3000),
        (ReceiverTimeout("why"), LOCATION, 3000),
        (ReceiverUnreachable("why"), LOCATION, 3000),
        (ReceiverUnreachable("why"), None, 3000),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, HubError) else None,
)
def test_2_1_1_gets_the_code_it_has_for_a_failure_it_has_no_code_for(
    error: HubError, operation: Operation | None, status: int
) -> None:
    answer = failure(error, DIALECTS[Version.V2_1_1], operation, HUB, NOON)

    assert (answer.http_status, answer.ocpi_status) == (200, status)
    assert json.loads(answer.body)["status_code"] == status
    assert json.loads(answer.body)["status_message"] == f"[{error.ocpi_status}] why"


def test_a_refused_translation_gives_2_1_1_the_rule_in_the_first_place() -> None:
    error = Untranslatable("RF-06", "why")

    answer = failure(error, DIALECTS[Version.V2_1_1], LOCATION, HUB, NOON)

    assert (answer.ocpi_status, json.loads(answer.body)["status_message"]) == (3000, "RF-06: why")


@pytest.mark.parametrize("version", SINCE_2_2)
def test_a_refused_translation_is_what_its_rule_says(version: Version) -> None:
    error = Untranslatable("RF-12", "why", http_status=404)

    answer = failure(error, DIALECTS[version], LOCATION, HUB, NOON)

    assert (answer.http_status, answer.ocpi_status) == (404, 4000)


# ----------------------------------------------------------------------------- a receiver's answer in another's codes

AUTHORIZE = operation_at(Version.V2_2_1, "tokens", InterfaceRole.SENDER, "POST", ("04A1", "authorize"))
NEW, OLD = DIALECTS[Version.V2_2_1], DIALECTS[Version.V2_1_1]


def answered(http_status: int, ocpi_status: int, body: bytes = ENVELOPE) -> Answer:
    body = body.replace(b"1000", str(ocpi_status).encode())
    return Answer(http_status, ocpi_status, body, RECEIVER, [(b"x-limit", b"2")])


@pytest.mark.parametrize(
    ("operation", "http_status", "ocpi_status", "known"),
    [
        (SESSION, 201, 1950, 1000),
        (SESSION, 200, 2004, 2000),
        (SESSION, 200, 2950, 2000),
        (SESSION, 200, 3999, 3000),
        (SESSION, 200, 4000, 3000),
        (SESSION, 200, 4001, 2002),
        (LOCATION, 200, 4001, 2003),
        (SESSION, 200, 4002, 3000),
        (SESSION, 200, 4003, 3000),
        (SESSION, 404, 4900, 3000),
    ],
)
def test_2_1_1_gets_a_newer_code_in_front_of_the_message(
    operation: Operation, http_status: int, ocpi_status: int, known: int
) -> None:
    answer = in_codes_of(OLD, answered(http_status, ocpi_status), operation, NOON, spoken=NEW)

    assert (answer.http_status, answer.ocpi_status) == (404 if ocpi_status == 2004 else http_status, known)
    assert (answer.sender, answer.headers) == (RECEIVER, [(b"x-limit", b"2")])
    assert json.loads(answer.body) == {
        "status_code": known,
        "data": {"kwh": 0.10},
        "status_message": f"[{ocpi_status}] fine",
        "timestamp": "2015-06-30T21:59:59Z",
    }
    assert b"0.10" in answer.body


def test_a_newer_code_without_a_message_is_the_message() -> None:
    answer = in_codes_of(OLD, answered(200, 4002, b'{"status_code":1000}'), SESSION, NOON, spoken=NEW)

    assert json.loads(answer.body) == {
        "status_code": 3000,
        "status_message": "[4002]",
        "timestamp": "2026-06-01T12:00:00.000Z",
    }


@pytest.mark.parametrize("ocpi_status", [1000, 1001, 2000, 2001, 2002, 2003, 2899, 3000, 3001, 3002, 3003])
def test_a_code_that_both_versions_have_or_neither_stays(ocpi_status: int) -> None:
    for dialect, spoken in ((OLD, NEW), (NEW, OLD)):
        answer = answered(200, ocpi_status)
        assert in_codes_of(dialect, answer, AUTHORIZE, NOON, spoken=spoken) is answer


@pytest.mark.parametrize("ocpi_status", [1950, 2004, 2950, 3950, 4000, 4001, 4950])
def test_versions_since_2_2_know_every_code(ocpi_status: int) -> None:
    answer = answered(200, ocpi_status)

    assert in_codes_of(NEW, answer, AUTHORIZE, NOON) is answer


@pytest.mark.parametrize("ocpi_status", [2000, 2001])
def test_a_2_1_1_emsp_that_does_not_find_a_token_does_not_know_it(ocpi_status: int) -> None:
    answer = in_codes_of(NEW, answered(404, ocpi_status), AUTHORIZE, NOON, spoken=OLD)

    assert (answer.http_status, answer.ocpi_status) == (404, 2004)
    assert json.loads(answer.body) == {
        "status_code": 2004,
        "status_message": "fine",
        "timestamp": "2015-06-30T21:59:59Z",
    }


def test_a_2_1_1_emsp_that_does_not_find_a_token_may_say_so_without_an_envelope() -> None:
    answer = in_codes_of(NEW, answer_of(reply(404, PAGE), RECEIVER, NOON), AUTHORIZE, NOON, spoken=OLD)

    assert (answer.http_status, answer.ocpi_status) == (404, 2004)


@pytest.mark.parametrize(
    ("operation", "http_status", "ocpi_status", "spoken"),
    [
        (AUTHORIZE, 404, 2002, OLD),
        (AUTHORIZE, 404, 2003, OLD),
        (AUTHORIZE, 200, 2000, OLD),
        (SESSION, 404, 2000, OLD),
        (AUTHORIZE, 404, 2000, NEW),
        (AUTHORIZE, 404, 2000, None),
    ],
)
def test_nothing_else_means_an_unknown_token(
    operation: Operation, http_status: int, ocpi_status: int, spoken: Dialect | None
) -> None:
    answer = answered(http_status, ocpi_status)

    assert in_codes_of(NEW, answer, operation, NOON, spoken=spoken) is answer


def test_a_failure_brings_the_headers_that_http_wants() -> None:
    dialect = DIALECTS[Version.V2_2_1]

    assert failure(WrongMethod("why", ("GET", "PUT")), dialect, None, HUB, NOON).headers == [(b"allow", b"GET, PUT")]
    assert failure(Overloaded("why", 5), dialect, None, HUB, NOON).headers == [(b"retry-after", b"5")]
    assert failure(Unauthorized(), dialect, None, HUB, NOON).headers == [(b"www-authenticate", b"Token")]


PUSH = operation_at(Version.V2_2_1, "tokens", InterfaceRole.RECEIVER, "PUT", ("NL", "ABC", "TK1"))
READ = operation_at(Version.V2_2_1, "tokens", InterfaceRole.SENDER, "GET", ())
RESULT = operation_at(Version.V2_2_1, "commands", InterfaceRole.SENDER, "POST", ("STOP_SESSION", "x"))


def saying(body: str, ocpi_status: int = 1000) -> Answer:
    return Answer(200, ocpi_status, body.encode(), RECEIVER)


@pytest.mark.parametrize("operation", [PUSH, RESULT, None])
@pytest.mark.parametrize("data", ["", '"data":null,', '"data":{},', '"data": [] ,', '"data":"",'])
def test_data_is_filled_in_where_none_is_asked_for_and_there_is_none(operation: Operation | None, data: str) -> None:
    answer = with_data(saying(f'{{{data}"status_code":1000,"x":0.10}}'), operation, "[]")

    assert json.loads(answer.body) == {"data": [], "status_code": 1000, "x": 0.10}
    assert b'"x":0.10' in answer.body


def test_data_that_says_something_stays() -> None:
    answer = saying('{"data":{"kwh":1},"status_code":1000}')

    assert with_data(answer, PUSH, "{}") is answer


@pytest.mark.parametrize("operation", [READ, AUTHORIZE])
def test_data_that_is_asked_for_is_not_made_up_but_an_error_has_none(operation: Operation) -> None:
    missing = saying('{"status_code":1000}')
    assert with_data(missing, operation, "{}") is missing

    refused = with_data(saying('{"status_code":2001}', 2001), operation, "{}")
    assert json.loads(refused.body) == {"status_code": 2001, "data": {}}
