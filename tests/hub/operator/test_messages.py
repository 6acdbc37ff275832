"""`/api/v1/messages`, `/api/v1/stories` and `/api/v1/resolve`: what they take and refuse, and who sees bodies."""

from __future__ import annotations

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from tests.hub.failures.waiting import eventually
from tests.hub.operator.test_schema import check

NOBODY = "0" * 22


@pytest.fixture(scope="module")
def schema(hub: HubProcess) -> Json:
    found: Json = hub.operator.api.get("/schema").json()
    return found


@pytest.fixture
def message(hub: HubProcess, cpo: Partner, emsp: Partner) -> Json:
    """One that was captured."""
    platform_id = hub.operator.ask("GET", "/api/v1/parties", params={"q": str(emsp.party)})["items"][0]["platform_id"]
    hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/capture", json={"hours": 1})
    emsp.get("locations", "NOWHERE", to=cpo.party, headers={"x-correlation-id": "captured-1"})
    query = {"correlation_id": "captured-1"}
    eventually(lambda: hub.operator.ask("GET", "/api/v1/messages", params=query)["items"])
    hub.operator.ask("DELETE", f"/api/v1/platforms/{platform_id}/capture")
    found: Json = hub.operator.ask("GET", "/api/v1/messages", params=query)["items"][0]
    return found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"party": "NLZDL"}, "party"),
        ({"peer": "NL*ZDL"}, "peer is the other side"),
        ({"outcome": "bad"}, "outcome is one of ok, failed, refused"),
        ({"ocpi_status": "40"}, "ocpi_status"),
        ({"loss": "L-1"}, "loss"),
        ({"lossy": "perhaps"}, "lossy"),
        ({"source_version": "2.0"}, "source_version"),
        ({"min_ms": "-1"}, "min_ms"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-22T08:00:00"}, "since"),
        ({"limit": "201"}, "limit"),
        ({"token_hash": "ab"}, "token_hash"),
        ({"cursor": "x"}, "cursor"),
        ({"correlation_id": "x" * 256}, "correlation_id"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_its_name(hub: HubProcess, query: dict[str, str], words: str) -> None:
    answer = hub.operator.api.get("/api/v1/messages", params=query)

    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("text", ["'; DROP TABLE journal", "%", "\x00", "ü", "x" * 255])
def test_text_of_any_kind_is_searched_and_not_found(hub: HubProcess, text: str) -> None:
    for name in ("correlation_id", "request_id", "module", "route", "object_id", "platform", "token_uid"):
        answer = hub.operator.api.get("/api/v1/messages", params={name: text})
        assert (answer.status_code, answer.json().get("items")) == (200, []), (name, answer.text)
    assert hub.operator.ask("GET", "/api/v1/resolve", params={"q": text})["candidates"] == []


@pytest.mark.parametrize(
    "path", [f"messages/{NOBODY}", "messages/x", "stories?correlation_id=nobody", "rules/L-99", "rules/L-88", "rules/x"]
)
def test_what_is_not_there_is_not_found(hub: HubProcess, path: str) -> None:
    answer = hub.operator.api.get(f"/api/v1/{path}")

    assert (answer.status_code, answer.json()["status"]) == (404, 404)


def test_answers_have_the_form_that_is_described(hub: HubProcess, schema: Json, message: Json) -> None:
    ask = hub.operator.ask
    check(schema, "MessagesView", ask("GET", "/api/v1/messages", params={"limit": 5}))
    check(schema, "MessageDetails", ask("GET", f"/api/v1/messages/{message['id']}"))
    check(schema, "StoryView", ask("GET", "/api/v1/stories", params={"correlation_id": "captured-1"}))
    check(schema, "RuleView", ask("GET", "/api/v1/rules/L-24"))
    check(schema, "Resolved", ask("GET", "/api/v1/resolve", params={"q": "captured-1"}))


def test_auditors_see_headers_and_no_bodies(hub: HubProcess, message: Json) -> None:
    path = f"/api/v1/messages/{message['id']}"
    token = hub.operator.ask("POST", "/api/v1/tokens", json={"name": "auditor-1", "role": "auditor"})["token"]

    seen = hub.operator.api.get(path, headers={"authorization": f"Bearer {token}"}).json()
    whole = hub.operator.ask("GET", path)

    assert whole["upstream_answer_body"] is not None
    assert [name for name in seen if name.endswith("_body") and seen[name] is not None] == []
    assert seen["request_headers"] == whole["request_headers"] != []


def test_who_looked_at_a_message_is_in_the_audit_log(hub: HubProcess, message: Json) -> None:
    hub.operator.ask("GET", f"/api/v1/messages/{message['id']}")

    latest = hub.operator.ask("GET", "/api/v1/audit", params={"limit": 1})["items"][0]
    assert message["id"] in str(latest)


def test_a_rule_says_what_it_does_between_which_versions(hub: HubProcess) -> None:
    rule = hub.operator.ask("GET", "/api/v1/rules/l-81")

    assert (rule["id"], rule["effects"], rule["counted"]) == ("L-81", ["lost"], True)
    assert {"source_version": "2.2.1", "target_version": "2.1.1"} in rule["ways"]
    assert "connector_id" in rule["happens"]


def test_a_story_is_told_by_any_message_of_it(hub: HubProcess, message: Json) -> None:
    query = {"correlation_id": message["correlation_id"], "use": message["id"]}

    assert hub.operator.ask("GET", "/api/v1/stories", params=query)["use"] == message["id"]
    assert hub.operator.api.get("/api/v1/stories", params=query | {"use": NOBODY}).status_code == 404
