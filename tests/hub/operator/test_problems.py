from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from litestar import Litestar, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.testing import TestClient
from structlog.testing import capture_logs

from hub.operator.problems import EXCEPTION_HANDLERS
from loadtests.hub_process import HubProcess
from routing.errors import HubFault, ReceiverTimeout, Unauthorized

PLATFORMS = "/api/v1/platforms"


def check_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert problem["status"] == status
    assert problem["title"] == HTTPStatus(status).phrase
    assert 5 < len(problem["detail"]) <= 1000
    assert "Traceback" not in answer.text
    return problem


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "a JSON object is needed"),
        (b"{", "not JSON"),
        (b"name=x", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"null", "body"),
        (b"[]", "body"),
        (b'"x"', "body"),
        (b"{}", "name"),
        (b'{"name": 5}', "name"),
        (b'{"name": ""}', "name"),
        (b'{"name": "%s"}' % (b"x" * 101), "name"),
        (b'{"name": "x", "colour": "red"}', "colour"),
        (b'{"name": "x", "allow_hub": "maybe"}', "allow_hub"),
        (b'{"name": "x", "face": "cpo"}', "face"),
        (b'{"name": "x", "version": "2.1"}', "version"),
        (b'{"name": "x", "expires_at": "tomorrow"}', "expires_at"),
        (b'{"name": "x", "expires_at": "2036-01-01T00:00:00"}', "expires_at"),
        (b'{"name": "x", "parties": {}}', "parties"),
        (b'{"name": "x", "parties": [{"country_code": "NLD", "party_id": "ABC", "role": "CPO"}]}', "country_code"),
        (b'{"name": "x", "parties": [{"country_code": "NL\\n", "party_id": "ABC", "role": "CPO"}]}', "country_code"),
        (b'{"name": "x", "parties": [{"country_code": "NL", "party_id": "ABCD", "role": "CPO"}]}', "party_id"),
        (b'{"name": "x", "parties": [{"country_code": "NL", "party_id": "A C", "role": "CPO"}]}', "party_id"),
        (b'{"name": "x", "parties": [{"country_code": "NL", "party_id": "ABC", "role": "cpo"}]}', "role"),
        (b'{"name": "x", "parties": [{"country_code": "NL", "party_id": "ABC"}]}', "role"),
        (b'{"name": "x", "require_modules": ["a b"]}', "require_modules"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_a_body_that_has_not_the_described_form_is_refused(hub: HubProcess, body: bytes, said: str) -> None:
    answer = hub.operator.api.post(PLATFORMS, content=body)

    assert said in check_problem(answer, 400)["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"version": "2.1.1"}, "face is required"),
        ({"version": "2.2.1", "face": "CPO"}, "face is for 2.1.1"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "in the past"),
        ({"parties": [{"country_code": "EU", "party_id": "HUB", "role": "CPO"}]}, "the hub itself"),
        ({"parties": [{"country_code": "NL", "party_id": "DUP", "role": "CPO"}] * 2}, "2 times"),
    ],
)
def test_an_invitation_nobody_could_use_is_refused(hub: HubProcess, body: dict[str, Any], said: str) -> None:
    answer = hub.operator.api.post(PLATFORMS, json={"name": "x", **body})

    assert said in check_problem(answer, 422)["detail"]


def test_what_is_too_large_is_refused(hub: HubProcess) -> None:
    check_problem(hub.operator.api.post(PLATFORMS, content=b" " * (1024 * 1024 + 1)), 413)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/api/v1/platforms/x/nothing"),
        ("GET", "/schema/nothing"),
        ("GET", "/%00"),
        ("GET", "/api/v1/platforms/unknown"),
        ("GET", "/api/v1/platforms/..%2f..%2fetc"),
        ("GET", "/api/v1/platforms/%00"),
        ("GET", "/api/v1/platforms/" + "x" * 2000),
        ("PATCH", "/api/v1/platforms/unknown"),
        ("POST", "/api/v1/platforms/unknown/invite"),
        ("POST", "/api/v1/platforms/unknown/rotate"),
        ("POST", "/api/v1/platforms/unknown/suspend"),
        ("POST", "/api/v1/platforms/unknown/resume"),
        ("DELETE", "/api/v1/platforms/unknown"),
    ],
)
def test_what_is_not_there_is_a_problem_too(hub: HubProcess, method: str, path: str) -> None:
    body = {"name": "x"} if method == "PATCH" else None
    check_problem(hub.operator.api.request(method, path, json=body), 404)


def test_connecting_a_platform_that_is_not_there_is_a_problem(hub: HubProcess) -> None:
    body = {"versions_url": "http://127.0.0.1:9/versions", "token_a": "x"}
    check_problem(hub.operator.api.post(f"{PLATFORMS}/unknown/connect", json=body), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", PLATFORMS), ("POST", "/healthz"), ("DELETE", "/metrics"), ("GET", "/api/v1/drain"), ("POST", "/schema")],
)
def test_a_method_that_is_not_there_says_which_are(hub: HubProcess, method: str, path: str) -> None:
    answer = hub.operator.api.request(method, path)

    check_problem(answer, 405)
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("role=cpo", "role"),
        ("status=GONE", "status"),
        ("q=" + "x" * 101, "q"),
        ("cursor=" + "x" * 501, "cursor"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(hub: HubProcess, query: str, said: str) -> None:
    assert said in check_problem(hub.operator.api.get(f"/api/v1/parties?{query}"), 400)["detail"]


@pytest.mark.parametrize("cursor", ["x", "%00", "bnVsbA==", "W10=", "é"])
@pytest.mark.parametrize("path", [PLATFORMS, "/api/v1/parties"])
def test_a_cursor_that_no_answer_gave_is_refused(hub: HubProcess, path: str, cursor: str) -> None:
    assert "cursor" in check_problem(hub.operator.api.get(path, params={"cursor": cursor}), 422)["detail"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("not a url", "URL"),
        ("ftp://127.0.0.1/versions", "http"),
        ("http://user:pass@127.0.0.1/versions", "URL"),
        ("http://127.0.0.1/versions#x", "URL"),
        ("{hub}/ocpi/versions", "hub itself"),
    ],
)
def test_a_url_the_hub_may_not_call_is_refused(hub: HubProcess, url: str, said: str) -> None:
    platform = hub.operator.invite("x").platform_id
    body = {"versions_url": url.format(hub=hub.url), "token_a": "x"}
    answer = hub.operator.api.post(f"{PLATFORMS}/{platform}/connect", json=body)

    assert said in check_problem(answer, 422)["detail"]
    assert "user:pass" not in answer.text


@pytest.mark.parametrize("token", ["", "a b", "é", "x" * 65, "x\n"])
def test_a_token_that_cannot_be_one_is_refused(hub: HubProcess, token: str) -> None:
    platform = hub.operator.invite("x").platform_id
    body = {"versions_url": "http://127.0.0.1:9/versions", "token_a": token}
    answer = hub.operator.api.post(f"{PLATFORMS}/{platform}/connect", json=body)

    assert "token_a" in check_problem(answer, 400)["detail"]


def test_text_of_a_request_comes_back_as_data_only(hub: HubProcess) -> None:
    token = secrets.token_urlsafe(24)
    answer = hub.operator.api.get(f"/<script>alert(1)</script>/?token={token}")

    check_problem(answer, 404)
    assert token not in answer.text


@pytest.mark.parametrize(
    "content", [b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b'{"name": "x", "name": "y"}', b'{"name":"x"}\x00']
)
def test_no_odd_text_is_a_bug(hub: HubProcess, content: bytes) -> None:
    answer = hub.operator.api.post(PLATFORMS, content=content)

    assert answer.status_code in {201, 400, 422}, answer.text


@get("/{kind:str}", sync_to_thread=False)
def fail(kind: FromPath[str]) -> None:
    errors: dict[str, Exception] = {
        "bug": RuntimeError("Authorization: Token c3VwZXItc2VjcmV0"),
        "server": HTTPException(status_code=503, detail="inner workings"),
        "store": HubFault("PostgreSQL does not answer; try again"),
        "gone": Unauthorized(),
        "partner": ReceiverTimeout("The partner did not answer"),
    }
    raise errors[kind]


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        ("bug", 500, "its log has the details"),
        ("server", 500, "its log has the details"),
        ("store", 503, "PostgreSQL does not answer; try again"),
        ("gone", 409, "look at the platform and try again"),
        ("partner", 502, "The partner did not answer"),
    ],
)
def test_what_goes_wrong_inside_is_a_problem_without_inner_details(kind: str, status: int, said: str) -> None:
    with (
        capture_logs() as logged,
        TestClient(
            Litestar([fail], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None, logging_config=None),
            raise_server_exceptions=False,
        ) as client,
    ):
        answer = client.get(f"/{kind}")

    assert said in check_problem(answer, status)["detail"]
    assert "inner workings" not in answer.text
    assert "c3VwZXItc2VjcmV0" not in answer.text
    assert (answer.headers.get("retry-after") == "5") is (status == 503)
    assert [line["event"] for line in logged] == (["operator_request_failed"] if status == 500 else [])
