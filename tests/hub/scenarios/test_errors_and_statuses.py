"""What can go wrong on the way, and how everyone is told. OCPI 2.2.1, "Status codes" and "Transport and format"."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from hub.limits import Buckets
from hub.setting_types import RateLimit
from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from loadtests.simulator.misbehaviour import (
    CUT_SHORT,
    DEAD,
    ENDLESS_HEADERS,
    GARBAGE,
    HTML,
    RESETTING,
    UNAUTHORIZED,
)
from routing.vocabulary import InterfaceRole, Party, Role
from tests.hub.running_hub import RunningHub
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.logs import conversation
from tests.hub.scenarios.wire import routed, say
from tests.partners import EMSP, location, new_party, partner, path_of, registered, token

HUB = Party("EU", "HUB")
JSON = (("content-type", "application/json"),)
SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER


def status(answer: Answer) -> tuple[int, int]:
    return answer.http_status, answer.status_code


def push_token(emsp: Partner, to: Partner, *, body: bytes | None = None, content_type: str = JSON[0][1]) -> Answer:
    """PUT of a token, as most tests here do."""
    whole = msgspec.json.encode(token(emsp.party, "1")) if body is None else body
    headers = {"content-type": content_type}
    return emsp.put("tokens", path_of(emsp.party, "1"), to=to.party, body=whole, headers=headers)


def is_envelope_of_the_hub(answer: Answer) -> bool:
    """An error of the hub has a status, a message, a time in UTC, and no data."""
    body = answer.json()
    datetime.strptime(body["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
    return bool(
        body.keys() == {"status_code", "status_message", "timestamp"}
        and body["timestamp"].endswith("Z")
        and len(body["timestamp"]) <= 25
        and answer.header("content-type") == "application/json"
    )


# --- who cannot be reached


def test_a_receiver_nobody_knows_is_4001(cpo: Partner, emsp: Partner) -> None:
    answer = emsp.get("locations", to=Party("XX", "XXX"))

    assert status(answer) == (200, 4001)
    assert is_envelope_of_the_hub(answer)
    assert not cpo.received


def test_a_message_without_a_receiver_is_4001_while_the_hub_cannot_find_one(emsp: Partner) -> None:
    assert status(emsp.get("locations", "NOBODY-HAS-IT")) == (200, 4001)


def test_a_receiver_that_does_not_answer_in_time_is_4002_and_is_asked_once(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    platform_id = platform_of(hub, cpo)
    hub.operator.change(platform_id, timeout_s=1.5)
    try:
        with cpo.behaving(DEAD):
            answer = push_token(emsp, cpo)
    finally:
        hub.operator.change(platform_id, timeout_s=None)
    later = push_token(emsp, cpo)

    assert status(answer) == (200, 4002)
    assert is_envelope_of_the_hub(answer)
    assert (answer.receiver, answer.sender) == (emsp.party, HUB)
    assert status(later) == (200, 1000)
    assert len(cpo.received) == 2


def test_a_receiver_whose_port_is_closed_is_4003(cpo: Partner, emsp: Partner) -> None:
    with cpo.port_closed():
        answer = push_token(emsp, cpo)
    later = push_token(emsp, cpo)

    assert status(answer) == (200, 4003)
    assert (answer.receiver, answer.sender) == (emsp.party, HUB)
    assert status(later) == (200, 1000)
    assert len(cpo.received) == 1, "the push that failed was kept for later"


def test_a_receiver_that_is_only_invited_is_4003(hub: HubProcess, emsp: Partner) -> None:
    planned = new_party()
    hub.operator.invite("planned", parties={planned: [Role.CPO]})

    assert status(emsp.get("locations", to=planned)) == (200, 4003)


def test_a_suspended_receiver_is_4003_and_is_not_called(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    platform_id = platform_of(hub, cpo)
    hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/suspend")
    try:
        answer = push_token(emsp, cpo)
    finally:
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/resume")

    assert status(answer) == (200, 4003)
    assert not cpo.received


def test_a_receiver_that_has_left_is_4003(hub: HubProcess, emsp: Partner) -> None:
    with registered(hub, partner([Role.CPO])) as [leaving]:
        leaving.unregister()
        leaving.received.clear()

        assert status(emsp.get("locations", to=leaving.party)) == (200, 4003)
        assert not leaving.received


def test_a_receiver_without_the_module_is_4000(hub: HubProcess, emsp: Partner) -> None:
    modules = {("locations", SENDER), ("tokens", RECEIVER)}
    small = Partner("small", {new_party(): [Role.CPO]}, modules=modules)
    with registered(hub, small):
        profile = {"charging_profile": {"charging_rate_unit": "W"}, "response_url": emsp.url("commands", SENDER, "1")}
        answer = emsp.put("chargingprofiles", "S1", to=small.party, json=profile, interface=RECEIVER)

        assert status(answer) == (200, 4000)
        assert not small.received


@pytest.mark.parametrize("role", [Role.NSP, Role.NAP, Role.SCSP, Role.OTHER])
def test_roles_do_not_matter_to_direct_messages_but_endpoints_do(hub: HubProcess, cpo: Partner, role: Role) -> None:
    modules = {("sessions", RECEIVER)}
    session = {"country_code": cpo.party.country_code, "party_id": cpo.party.party_id, "id": "S1"}
    for offered, expected in ((modules, 1000), (None, 1000 if role is Role.SCSP else 4000)):
        with registered(hub, Partner("of any role", {new_party(): [role]}, modules=offered)) as [one]:
            answer = cpo.put("sessions", path_of(cpo.party, "S1"), to=one.party, json=session)

            assert status(answer) == (200, expected)


def test_the_hub_itself_cannot_be_read_from_as_a_receiver(emsp: Partner) -> None:
    path = path_of(emsp.party, "1")

    assert status(emsp.get("tokens", path, to=HUB, interface=RECEIVER)) == (200, 2001)


# --- what the receiver answers


@pytest.mark.parametrize("code", [1000, 1950, 2000, 2001, 2002, 2003, 2004, 2950, 3001, 3950, 4001, 4950])
def test_codes_of_the_receiver_arrive_with_message_data_and_time(cpo: Partner, emsp: Partner, code: int) -> None:
    body = b'{"status_code": %d,  "data": {"why": [1.50]}, "status_message":"as it \\u0069s", "timestamp":' % code
    body += b'"2020-02-02T02:02:02Z", "extra": null}'
    cpo.answers_next(Answer(200, JSON, body))

    answer = push_token(emsp, cpo)

    assert answer.http_status == 200
    assert answer.body == body
    assert (answer.receiver, answer.sender) == (emsp.party, cpo.party)


ENVELOPE = b'{"status_code":3000,"status_message":"theirs","timestamp":"2020-02-02T02:02:02Z"}'


@pytest.mark.parametrize(
    ("given", "body", "expected"),
    [
        (201, ENVELOPE, (201, 3000)),
        (202, ENVELOPE, (202, 3000)),
        (299, ENVELOPE, (299, 3000)),
        (404, ENVELOPE, (404, 3000)),
        (404, b"", (404, 2000)),
        (404, b"<html>not here</html>", (404, 2000)),
        (405, ENVELOPE, (405, 3000)),
        (405, b"", (405, 2000)),
        (400, ENVELOPE, (200, 3000)),
        (400, b"", (200, 4000)),
        (409, ENVELOPE, (200, 3000)),
        (409, b"", (200, 4000)),
        (429, ENVELOPE, (200, 3000)),
        (500, ENVELOPE, (200, 3000)),
        (500, b"<html>sorry</html>", (200, 4000)),
        (501, ENVELOPE, (200, 3000)),
        (502, ENVELOPE, (200, 4003)),
        (502, b"", (200, 4003)),
        (503, b"", (200, 4003)),
        (504, b"", (200, 4003)),
        (403, ENVELOPE, (200, 4003)),
        (200, b"", (200, 4000)),
        (200, b"{}", (200, 4000)),
        (200, b"[1000]", (200, 4000)),
        (200, b'{"status_code":"1000"}', (200, 4000)),
        (200, b'{"status_code":1000', (200, 4000)),
        (200, b'{"status_code":1000,"data":"\xff"}', (200, 4000)),
        (200, b'\xef\xbb\xbf{"status_code":1000,"timestamp":"2020-02-02T02:02:02Z"}', (200, 1000)),
        (204, b"", (200, 4000)),
    ],
)
def test_http_statuses_of_the_receiver_arrive_as_far_as_they_concern_the_requester(
    cpo: Partner, emsp: Partner, given: int, body: bytes, expected: tuple[int, int]
) -> None:
    cpo.answers_next(Answer(given, JSON, body), module="tokens")

    answer = push_token(emsp, cpo)

    assert status(answer) == expected
    whose = cpo.party if expected[1] < 4000 else HUB
    assert (answer.receiver, answer.sender) == (emsp.party, whose)
    if body == ENVELOPE and expected[1] == 3000:
        assert answer.body == ENVELOPE
    elif body != ENVELOPE and expected[1] != 1000:
        assert is_envelope_of_the_hub(answer)


@pytest.mark.parametrize(
    ("misbehaviour", "expected"),
    [(HTML, 4000), (GARBAGE, 4000), (CUT_SHORT, 4000), (ENDLESS_HEADERS, 4000), (RESETTING, 4003)],
    ids=["html", "garbage", "cut short", "endless headers", "reset"],
)
def test_an_answer_that_is_none_is_told_as_such(
    cpo: Partner, emsp: Partner, misbehaviour: Behaviour, expected: int
) -> None:
    cpo.answers_next(misbehaviour)

    answer = push_token(emsp, cpo)

    assert status(answer) == (200, expected)
    assert len(cpo.received) == 1
    assert status(push_token(emsp, cpo)) == (200, 1000)


def test_only_a_get_is_repeated_when_a_connection_breaks_that_was_idle(cpo: Partner, emsp: Partner) -> None:
    for method, times in (("GET", 2), ("PUT", 1)):
        assert emsp.get("locations", to=cpo.party).status_code == 1000  # leaves a connection behind
        cpo.received.clear()
        cpo.answers_next(RESETTING)
        answer = emsp.get("locations", to=cpo.party) if method == "GET" else push_token(emsp, cpo)

        assert answer.status_code == (1000 if method == "GET" else 4003)
        assert len(cpo.received) == times


def test_a_receiver_that_refuses_the_hubs_token_is_4003_alarms_the_operator_and_is_looked_at(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    cpo.answers_next(UNAUTHORIZED, module="locations")

    answer = emsp.get("locations", to=cpo.party, headers={"x-correlation-id": "refused-token"})

    assert status(answer) == (200, 4003)
    assert answer.header("www-authenticate") is None
    [check] = cpo.ledger.wait_for("versions")
    assert check.method == "GET"
    events = {line["event"]: line for line in conversation(hub, "refused-token", count=2)}
    assert events["partner_refuses_our_token"]["level"] == "error"
    assert status(emsp.get("locations", to=cpo.party)) == (200, 1000)


def test_a_redirect_is_4000_and_is_not_followed(cpo: Partner, other_cpo: Partner, emsp: Partner) -> None:
    for code in (301, 302, 303, 307, 308):
        cpo.answers_next(Answer(code, (("location", other_cpo.url("locations", SENDER)),), ENVELOPE))

        answer = emsp.get("locations", to=cpo.party)

        assert status(answer) == (200, 4000)
        assert answer.header("location") is None
    assert not other_cpo.received
    assert len(cpo.received) == 5


# --- what the hub refuses

DEEP = b'{"a":' * 100 + b"1" + b"}" * 100


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":01}',
        b"{'a':1}",
        b'{"a":1}x',
        DEEP,
        b'{"uid":"1","name":"M\xfcller"}',
        '{"uid":"1"}'.encode("utf-16"),
        b'{"uid":"1","uid":"2"}',
        b'{"uid":"1","ui\\u0064":"1"}',
        b'{"last_updated":"2020-01-01T00:00:00Z","last_updated":"2021-01-01T00:00:00Z"}',
    ],
)
def test_a_body_that_cannot_be_read_in_one_way_only_is_400_and_goes_nowhere(
    cpo: Partner, emsp: Partner, body: bytes
) -> None:
    answer = push_token(emsp, cpo, body=body)

    assert status(answer) == (400, 2001)
    assert is_envelope_of_the_hub(answer)
    assert not cpo.received


@pytest.mark.parametrize("charset", ["ISO-8859-1", "latin1", '"utf-16"', "us-asci"])
def test_a_charset_other_than_utf_8_is_400(cpo: Partner, emsp: Partner, charset: str) -> None:
    answer = push_token(emsp, cpo, content_type=f"application/json; charset={charset}")

    assert status(answer) == (400, 2001)
    assert not cpo.received


@pytest.mark.parametrize(
    "content_type",
    ["application/json;charset=UTF-8", 'application/json; charset="utf-8"', "text/plain", "application/xml", ""],
)
def test_other_content_types_do_as_long_as_the_body_is_json_and_json_is_what_goes_on(
    cpo: Partner, emsp: Partner, content_type: str
) -> None:
    answer = push_token(emsp, cpo, content_type=content_type)

    assert status(answer) == (200, 1000)
    assert cpo.received[0].header("content-type") == "application/json"


def test_a_body_without_a_content_type_is_accepted(cpo: Partner, emsp: Partner) -> None:
    path = path_of(emsp.party, "1")
    answer = emsp.put("tokens", path, to=cpo.party, json=token(emsp.party, "1"), without=["content-type"])

    assert status(answer) == (200, 1000)
    assert cpo.received[0].header("content-type") == "application/json"


def test_a_body_where_none_belongs_is_ignored(cpo: Partner, emsp: Partner) -> None:
    path = path_of(cpo.party, "T1")
    cpo.put("tariffs", path, to=emsp.party, json={"id": "T1"})
    for method in ("GET", "DELETE"):
        answer = cpo.start(method, "tariffs", path, to=emsp.party, body=b"{no json", interface=RECEIVER).result()

        assert status(answer) == (200, 1000)
    assert [(request.method, request.body) for request in emsp.received][1:] == [("GET", b""), ("DELETE", b"")]
    assert emsp.received[1].header("content-type") is None
    assert emsp.received[1].header("content-length") is None


def test_odd_contents_are_the_receivers_business(cpo: Partner, emsp: Partner) -> None:
    odd: Json = {"uid": "1", "type": 5, "valid": "maybe", "whitelist": [], "last_updated": "yesterday", "n": 0}
    body = msgspec.json.encode(odd).replace(b'"n":0', b'"n":1e400')
    cpo.answers_next(envelope())  # the simulated one would mind

    answer = push_token(emsp, cpo, body=body)

    assert status(answer) == (200, 1000)
    assert cpo.received[0].body == body


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"true", b"null"])
def test_json_that_is_no_object_is_2001(cpo: Partner, emsp: Partner, body: bytes) -> None:
    answer = push_token(emsp, cpo, body=body)

    assert status(answer) == (200, 2001)
    assert not cpo.received


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "receiver/tariffs/{cc}/{pid}/1", "GET, PUT, DELETE"),
        ("DELETE", "receiver/tokens/{cc}/{pid}/1", "GET, PUT, PATCH"),
        ("POST", "receiver/locations/{cc}/{pid}/1", "GET, PUT, PATCH"),
        ("PUT", "sender/locations", "GET"),
        ("DELETE", "sender/locations/LOC1", "GET"),
        ("PUT", "receiver/cdrs", "POST"),
        ("GET", "receiver/cdrs", "POST"),
        ("GET", "receiver/commands/START_SESSION", "POST"),
        ("HEAD", "sender/locations", "GET"),
        ("OPTIONS", "sender/locations", "GET"),
        ("TRACE", "sender/locations", "GET"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_405_and_the_answer_says_which_it_has(
    hub: HubProcess, cpo: Partner, emsp: Partner, method: str, path: str, allowed: str
) -> None:
    url = f"{hub.url}/ocpi/2.2.1/" + path.format(cc=emsp.party.country_code, pid=emsp.party.party_id)

    answer = say(emsp, method, url, routed(cpo.party, emsp.party))

    assert answer.http_status == 405
    assert answer.header("allow") == allowed
    assert method == "HEAD" or (answer.status_code == 2000 and is_envelope_of_the_hub(answer))
    assert not cpo.received


@pytest.mark.parametrize(
    "path",
    [
        "sender/nothing",
        "sender",
        "sender/",
        "senderx/locations",
        "sender/locationsx",
        "receiver/bookings",
        "sender/payments/terminals",
        "sender/tariffs/T1",
        "sender/locations/1/2/3/4",
        "sender/locations//1",
        "sender//locations",
        "receiver/locations/{cc}",
        "receiver/commands/FLY",
        "receiver/cdrs/0123456789abcdef0123456789abcdef",
        "sender/commands/START_SESSION/0123456789abcdef0123456789abcdef",
        "receiver/hubclientinfo/{cc}/{pid}",
    ],
)
def test_a_path_that_does_not_exist_is_404(hub: HubProcess, cpo: Partner, emsp: Partner, path: str) -> None:
    url = f"{hub.url}/ocpi/2.2.1/" + path.format(cc=emsp.party.country_code, pid=emsp.party.party_id)
    method = "POST" if "commands" in path else "GET"
    headers = (
        ("X-Request-ID", "request-404"),
        ("X-Correlation-ID", "conversation-404"),
        *routed(cpo.party, emsp.party),
    )

    answer = say(emsp, method, url, headers, b"{}" if method == "POST" else None)

    assert status(answer) == (404, 2000)
    assert is_envelope_of_the_hub(answer)
    assert (answer.header("x-request-id"), answer.header("x-correlation-id")) == ("request-404", "conversation-404")
    assert not cpo.received


def test_paths_of_another_version_than_the_registered_one_do_not_exist(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    for version in ("2.2", "2.3.0", "2.1.1", "2.0", "2.2.2"):
        answer = emsp.get(f"{hub.url}/ocpi/{version}/sender/locations", to=cpo.party)

        assert answer.http_status == 404
        assert answer.status_code in {2000, 3002}
    assert not cpo.received


def test_who_is_calling_is_asked_before_what_for(hub: HubProcess) -> None:
    with httpx.Client(trust_env=False, transport=httpx.HTTPTransport(local_address="127.0.0.21")) as stranger:
        for method, path in (
            ("GET", "sender/locations"),
            ("GET", "sender/nothing"),
            ("PATCH", "receiver/tariffs/NL/ABC/1"),
            ("PUT", "receiver/tokens/NL/ABC/1"),
        ):
            answer = stranger.request(method, f"{hub.url}/ocpi/2.2.1/{path}", content=b"{" if method == "PUT" else None)

            assert (answer.status_code, answer.json()["status_code"]) == (401, 2000)
            assert answer.headers["www-authenticate"] == "Token"


# --- 2.1.1 knows fewer codes


def test_a_2_1_1_partner_is_told_of_hub_errors_in_the_codes_it_knows(
    hub: HubProcess, older_cpo: Partner, older_emsp: Partner
) -> None:
    unknown, known = routed(new_party(), older_emsp.party), routed(older_cpo.party, older_emsp.party)
    token_path = path_of(older_emsp.party, "1")
    platform_id = platform_of(hub, older_cpo)
    hub.operator.change(platform_id, timeout_s=1.5)
    try:
        with older_cpo.behaving(DEAD):
            late = older_emsp.get("locations", headers=known)
    finally:
        hub.operator.change(platform_id, timeout_s=None)
    with older_cpo.port_closed():
        closed = older_emsp.get("locations", headers=known)
    older_cpo.answers_next(HTML)
    html = older_emsp.get("locations", headers=known)

    assert status(older_emsp.get("locations", "NOWHERE", headers=unknown)) == (200, 2003)
    assert status(older_emsp.put("tokens", token_path, json={"uid": "1"}, headers=unknown)) == (200, 2002)
    assert [each.status_code for each in (late, closed, html)] == [3000] * 3
    assert len({each.envelope.status_message for each in (late, closed, html)}) == 3


def test_a_2_1_1_partner_learns_of_an_unknown_token_by_404(older_cpo: Partner, older_emsp: Partner) -> None:
    headers = routed(older_emsp.party, older_cpo.party)

    assert status(older_cpo.post("tokens", "NO-SUCH-CARD/authorize", headers=headers)) == (404, 2000)


@pytest.mark.parametrize(
    ("given", "expected"), [(2004, (404, 2000)), (4001, (200, 2002)), (4003, (200, 3000)), (4950, (200, 3000))]
)
def test_a_2_1_1_partner_never_sees_a_code_that_its_version_does_not_have(
    older_cpo: Partner, older_emsp: Partner, given: int, expected: tuple[int, int]
) -> None:
    older_emsp.answers_next(envelope(status_code=given, status_message="a newer code"))

    answer = older_cpo.post("tokens", "CARD/authorize", headers=routed(older_emsp.party, older_cpo.party))

    assert status(answer) == expected
    assert answer.envelope.status_message == f"[{given}] a newer code"


@pytest.mark.parametrize("code", [2000, 2001, 2002, 2003, 3000, 3001, 3002, 3003])
def test_errors_of_a_2_1_1_receiver_arrive_as_they_are(older_cpo: Partner, older_emsp: Partner, code: int) -> None:
    older_cpo.answers_next(given := envelope(status_code=code, status_message="theirs"))

    answer = older_emsp.get("locations", "LOC1", headers=routed(older_cpo.party, older_emsp.party))

    assert (answer.http_status, answer.body) == (200, given.body)


# --- limits


def test_a_body_that_is_too_large_is_413(cpo: Partner, emsp: Partner) -> None:
    mib = 1024 * 1024
    tokens = push_token(emsp, cpo, body=b'{"uid":"1","x":"%s"}' % (b"x" * 2 * mib))
    enormous = push_token(emsp, cpo, body=b'{"uid":"1","x":"%s"}' % (b"x" * 10 * mib))
    session = b'{"id":"S1","x":"%s"}'
    path = path_of(cpo.party, "S1")
    large = cpo.put("sessions", path, to=emsp.party, body=session % (b"x" * 3 * mib))
    too_large = cpo.put("sessions", path, to=emsp.party, body=session % (b"x" * 4 * mib))

    assert [each.http_status for each in (tokens, enormous, too_large)] == [413] * 3
    assert is_envelope_of_the_hub(tokens)
    assert status(large) == (200, 1000)
    assert (len(cpo.received), len(emsp.received)) == (0, 1)


def test_headers_and_urls_that_are_too_long_are_431_and_414(cpo: Partner, emsp: Partner) -> None:
    url = emsp.connection.url("locations", SENDER)
    headers = routed(cpo.party, emsp.party)

    assert status(say(emsp, "GET", url, [*headers, ("X-Long", "x" * 16 * 1024)])) == (431, 2001)
    assert status(say(emsp, "GET", f"{url}?x={'x' * 4096}", headers)) == (414, 2001)
    assert not cpo.received


def test_a_platform_that_sends_too_much_is_429_and_the_others_are_not(tmp_path: Path) -> None:
    cpo, busy, calm = partner([Role.CPO]), partner(EMSP), partner(EMSP)
    with RunningHub(tmp_path) as hub, cpo.running(), busy.running(), calm.running():
        for each in (cpo, busy, calm):
            hub.registered(each)
        hub.hub.limits._messages = Buckets(RateLimit(0.5, 10))
        cpo.hold("locations", location(cpo.party))
        sent = [busy.start("GET", "locations", "LOC1", to=cpo.party) for _ in range(30)]
        answers = [each.result() for each in sent]
        refused = [each for each in answers if each.http_status == 429]

        assert len(refused) >= 15
        assert all(is_envelope_of_the_hub(each) and each.status_code == 2000 for each in refused)
        assert all(1 <= int(each.header("retry-after") or 0) <= 10 for each in refused)
        assert len(cpo.received) == len(answers) - len(refused)
        assert calm.get("locations", "LOC1", to=cpo.party).status_code == 1000
