from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from loadtests.hub_process import HubProcess
from tests.hub.operator.people import client_from_elsewhere, new_token, somebody


def me(hub: HubProcess, token: str) -> httpx.Response:
    return httpx.get(f"{hub.operator.url}/api/v1/me", headers={"authorization": f"Bearer {token}"})


def test_the_operator_token_is_the_admin_named_operator(hub: HubProcess) -> None:
    assert hub.operator.ask("GET", "/api/v1/me") == {
        "name": "operator",
        "role": "admin",
        "platform": None,
        "expires_at": None,
    }


def test_a_named_token_is_shown_once_and_says_who_is_asking(hub: HubProcess) -> None:
    made = new_token(hub, "auditor", name="anna")
    assert made["token"].startswith("ohk_")

    answer = me(hub, made["token"])
    assert answer.json() == {"name": "anna", "role": "auditor", "platform": None, "expires_at": None}
    for path in ("/api/v1/tokens", f"/api/v1/tokens/{made['id']}", "/api/v1/tokens/anna", "/api/v1/audit"):
        text = hub.operator.api.get(path).text
        assert "anna" in text
        assert made["token"] not in text
    assert made["token"] not in hub.log.read_text()


def test_a_removed_token_opens_nothing_from_then_on(hub: HubProcess) -> None:
    made = new_token(hub, "operator")
    assert me(hub, made["token"]).status_code == 200

    assert hub.operator.api.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert me(hub, made["token"]).status_code == 401
    assert hub.operator.api.delete(f"/api/v1/tokens/{made['id']}").status_code == 404


def test_a_token_that_ended_opens_nothing(hub: HubProcess) -> None:
    end = datetime.now(UTC) + timedelta(seconds=0.5)
    made = new_token(hub, "auditor", expires_at=end.isoformat())
    assert me(hub, made["token"]).status_code == 200
    while datetime.now(UTC) <= end:
        me(hub, made["token"])

    assert me(hub, made["token"]).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"name": "Operator", "role": "admin"}, 422, "HUB_OPERATOR_TOKEN"),
        ({"name": "paul", "role": "partner"}, 422, "platform"),
        ({"name": "paul", "role": "auditor", "platform": "0" * 32}, 422, "platform"),
        ({"name": "paul", "role": "partner", "platform": "0" * 32}, 404, "platform"),
        ({"name": "paul", "role": "admin", "expires_at": "2020-01-01T00:00:00Z"}, 422, "past"),
        ({"name": "paul", "role": "king"}, 400, "role"),
        ({"name": "p\u00e4ul", "role": "admin"}, 400, "name"),
        ({"name": "paul"}, 400, "role"),
    ],
)
def test_a_token_nobody_could_use_is_not_made(hub: HubProcess, body: dict[str, Any], status: int, why: str) -> None:
    answer = hub.operator.api.post("/api/v1/tokens", json=body)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert why in answer.text


def test_only_admins_make_tokens(hub: HubProcess) -> None:
    with somebody(hub, "operator") as oscar:
        assert oscar.post("/api/v1/tokens", json={"name": "mine", "role": "admin"}).status_code == 403
        assert oscar.get("/api/v1/tokens").status_code == 403


def test_too_many_wrong_tokens_of_one_address_have_to_wait(hub: HubProcess) -> None:
    with client_from_elsewhere(hub) as stranger, client_from_elsewhere(hub) as neighbour:
        wrong = [{"authorization": f"Bearer ohk_wrong{number}"} for number in range(12)]
        statuses = [stranger.get("/api/v1/me", headers=each).status_code for each in wrong]
        assert statuses == [401] * 10 + [429] * 2
        answer = stranger.get("/api/v1/me", headers=wrong[0])
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) >= 1

        anna = new_token(hub, "auditor")["token"]
        assert stranger.get("/api/v1/me", headers={"authorization": f"Bearer {anna}"}).text == answer.text
        assert stranger.get("/api/v1/me", headers=dict(hub.operator.api.headers)).status_code == 200
        assert neighbour.get("/api/v1/me", headers=wrong[0]).status_code == 401
