from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from time import monotonic
from typing import Any

import httpx
import pytest

from hub.operator.audited import action_of, object_path, resource_of
from loadtests.hub_process import HubProcess
from tests.hub.operator.people import from_elsewhere, somebody
from tests.hub.operator.route_table import API, api_routes

Json = dict[str, Any]
CHANGES = [route for route in api_routes() if route.method != "GET"]


def entries(hub: HubProcess, **search: Any) -> list[Json]:  # noqa: ANN401  query parameters
    found: list[Json] = hub.operator.ask("GET", "/api/v1/audit", params={"limit": 200, **search})["items"]
    return found


def last(hub: HubProcess, **search: Any) -> Json:  # noqa: ANN401  query parameters
    return entries(hub, **search)[0]


@pytest.fixture(scope="module")
def platform_id(hub: HubProcess) -> str:
    return hub.operator.invite("Volt").platform_id


def test_every_route_that_changes_something_is_audited(hub: HubProcess) -> None:
    """Also of what is refused there is an entry: who tried."""
    with somebody(hub, "auditor") as anna:
        statuses = {anna.request(route.method, route.at()).status_code for route in CHANGES}
        name = anna.get("/api/v1/me").json()["name"]

    assert statuses == {403}
    found = list(reversed(entries(hub, actor=name)))
    assert [each["action"] for each in found] == [
        action_of(route.method, "/" + route.path.removeprefix(API)) for route in CHANGES
    ]
    assert {(each["outcome"], each["status"]) for each in found} == {("refused", 403)}


def test_a_change_has_who_what_before_after_and_why(hub: HubProcess, platform_id: str) -> None:
    with somebody(hub, "operator") as oscar:
        name = oscar.get("/api/v1/me").json()["name"]
        oscar.post(f"/api/v1/platforms/{platform_id}/suspend", headers={"hub-reason": "they asked for it"})

    entry = last(hub, actor=name)
    assert (entry["actor"], entry["role"], entry["source"]) == (name, "operator", "api 127.0.0.1")
    assert (entry["action"], entry["object"]) == ("platform.suspend", f"platforms/{platform_id}")
    assert (entry["outcome"], entry["status"], entry["platform_id"]) == ("done", 200, platform_id)
    assert entry["reason"] == "they asked for it"
    assert (entry["before"]["status"], entry["after"]["status"]) == ("PLANNED", "SUSPENDED")
    assert entry["at"] <= entry["ended_at"]


@pytest.mark.parametrize(
    ("headers", "query", "said"),
    [
        ({}, {"reason": "größer"}, "größer"),
        ({"hub-reason": "größer".encode()}, {}, "größer"),
        ({"hub-reason": "x" * 600}, {}, "x" * 499 + "…"),
        ({}, {"reason": "one\nanother"}, "one\\nanother"),
        ({}, {"reason": "  "}, None),
        ({}, {}, None),
    ],
)
def test_a_reason_is_kept_as_one_line(
    hub: HubProcess, platform_id: str, headers: dict[str, Any], query: dict[str, str], said: str | None
) -> None:
    hub.operator.api.patch(f"/api/v1/platforms/{platform_id}", json={"name": "Volt"}, headers=headers, params=query)

    assert last(hub)["reason"] == said


def test_what_is_made_is_in_the_log_without_its_token(hub: HubProcess) -> None:
    made = hub.operator.ask("POST", "/api/v1/platforms", json={"name": "Made"})
    entry = last(hub)
    assert (entry["object"], entry["platform_id"]) == (f"platforms/{made['id']}", made["id"])
    assert (entry["before"], entry["after"]["token_a"]) == (None, "***")
    assert entry["asked"] == {"name": "Made"}

    connect = {"versions_url": "http://127.0.0.1:1/ocpi/versions", "token_a": "their-token-a"}
    assert hub.operator.api.post(f"/api/v1/platforms/{made['id']}/connect", json=connect).status_code == 502
    entry = last(hub)
    assert (entry["outcome"], entry["status"], entry["asked"]["token_a"]) == ("failed", 502, "***")
    assert entry["detail"]
    assert "their-token-a" not in hub.operator.api.get("/api/v1/audit").text


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[" * 50_000, 400), (b'{"name": 5}', 400), (b'{"nonsense": 1}', 400), (b"x" * 2_000_000, 413)],
)
def test_what_is_refused_is_in_the_log_with_the_reason(
    hub: HubProcess, platform_id: str, body: bytes, status: int
) -> None:
    answer = hub.operator.api.patch(f"/api/v1/platforms/{platform_id}", content=body)

    entry = last(hub)
    assert (answer.status_code, entry["outcome"], entry["status"]) == (status, "refused", status)
    assert entry["detail"] == answer.json()["detail"]
    assert (entry["before"], entry["after"]) == (None, None)


def test_reading_is_not_in_the_log_but_exports_are(hub: HubProcess, platform_id: str) -> None:
    assert platform_id
    before = last(hub)["id"]
    for path in ("platforms", "parties", "events", "audit", "me"):
        hub.operator.ask("GET", f"/api/v1/{path}")
    assert last(hub)["id"] == before

    assert hub.operator.api.get("/api/v1/agreements.csv").status_code == 200
    assert (last(hub)["action"], last(hub)["outcome"]) == ("agreement.export", "done")
    assert hub.operator.api.get("/api/v1/messages/nothing").status_code == 404
    assert (last(hub)["action"], last(hub)["object"]) == ("message.read", "messages/nothing")


def test_who_cannot_be_told_is_not_in_the_log(hub: HubProcess, platform_id: str) -> None:
    assert platform_id
    before = last(hub)["id"]
    transport = httpx.HTTPTransport(local_address=from_elsewhere())
    with httpx.Client(base_url=hub.operator.url, transport=transport) as stranger:
        assert stranger.post("/api/v1/drain").status_code == 401

    assert last(hub)["id"] == before


def test_operators_see_what_they_did_and_partners_what_was_done_to_them(hub: HubProcess, platform_id: str) -> None:
    other = hub.operator.invite("Other").platform_id
    with somebody(hub, "operator") as oscar, somebody(hub, "partner", platform=platform_id) as paul:
        for each in (platform_id, other):
            oscar.post(f"/api/v1/platforms/{each}/resume")
        name = oscar.get("/api/v1/me").json()["name"]
        mine, his = oscar.get("/api/v1/audit").json()["items"], paul.get("/api/v1/audit").json()["items"]
        assert {each["actor"] for each in mine} == {name}
        assert {each["platform_id"] for each in mine} == {platform_id, other}
        assert oscar.get("/api/v1/audit", params={"actor": "operator"}).json()["items"] == []
        assert {each["platform_id"] for each in his} == {platform_id}
        assert paul.get("/api/v1/audit/verification").status_code == 403


def test_actions_at_once_leave_a_log_that_verifies(hub: HubProcess, platform_id: str) -> None:
    async def at_once() -> list[int]:
        headers = dict(hub.operator.api.headers)
        async with httpx.AsyncClient(base_url=hub.operator.url, headers=headers, timeout=30) as client:
            path = f"/api/v1/platforms/{platform_id}"
            answers = await asyncio.gather(
                *(client.patch(path, json={"name": f"Volt {number}"}) for number in range(20))
            )
        return [each.status_code for each in answers]

    assert asyncio.run(at_once()) == [200] * 20
    found = hub.operator.ask("GET", "/api/v1/audit/verification")
    assert (found["verifies"], found["broken_at"]) == (True, None)
    within = monotonic() + 5
    while f'"hash":"{found["hash"]}"' not in hub.log.read_text():
        assert monotonic() < within


def in_database(hub: HubProcess, statement: str) -> None:
    """Change what the hub keeps, behind its back."""
    with closing(sqlite3.connect(hub.log.with_name("hub.db"), timeout=10)) as database, database:
        database.execute(statement)


def test_a_line_that_is_changed_in_the_database_is_found(hub: HubProcess) -> None:
    while len(entries(hub)) < 3:
        hub.operator.invite("One more")
    in_database(hub, "UPDATE audit SET actor = actor || 's' WHERE number = 3")
    found = hub.operator.ask("GET", "/api/v1/audit/verification")
    in_database(hub, "UPDATE audit SET actor = substr(actor, 1, length(actor) - 1) WHERE number = 3")

    assert (found["verifies"], found["broken_at"], found["lines"]) == (False, "3", 2)
    assert hub.operator.ask("GET", "/api/v1/audit/verification")["verifies"]


def test_nothing_is_done_whose_beginning_cannot_be_noted(hub: HubProcess) -> None:
    in_database(hub, "ALTER TABLE audit RENAME TO audit_is_away")
    try:
        answer = hub.operator.api.post("/api/v1/drain")
    finally:
        in_database(hub, "ALTER TABLE audit_is_away RENAME TO audit")

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "try again" in answer.json()["detail"]
    assert hub.operator.api.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("method", "template", "action"),
    [
        ("POST", "/platforms", "platform.add"),
        ("PATCH", "/platforms/{platform_id}", "platform.change"),
        ("DELETE", "/platforms/{platform_id}", "platform.remove"),
        ("POST", "/platforms/{platform_id}/suspend", "platform.suspend"),
        ("DELETE", "/platforms/{platform_id}/capture", "platform.capture.remove"),
        ("POST", "/platforms/{platform_id}/circuit/close", "platform.circuit.close"),
        ("POST", "/parties/{party}/suspend", "party.suspend"),
        ("POST", "/agreements/import", "agreement.import"),
        ("GET", "/agreements.csv", "agreement.export"),
        ("GET", "/messages/{message_id}", "message.read"),
        ("POST", "/drain", "drain"),
        ("POST", "/reload", "reload"),
    ],
)
def test_an_action_is_named_after_what_it_does(method: str, template: str, action: str) -> None:
    assert action_of(method, template) == action


def test_the_object_is_read_where_it_can_be() -> None:
    readable = {"/api/v1/platforms", "/api/v1/platforms/{platform_id}"}

    template, path = "/api/v1/platforms/{platform_id}/suspend", "/api/v1/platforms/p1/suspend"
    assert object_path(path, template, readable) == "/api/v1/platforms/p1"
    assert object_path("/api/v1/platforms", "/api/v1/platforms", readable) is None
    assert object_path("/api/v1/events/e1", "/api/v1/events/{event_id}", readable) is None
    assert resource_of("/platforms/p1/suspend", "/platforms/{platform_id}/suspend") == "platforms/p1"
    assert resource_of("/drain", "/drain") == "drain"
