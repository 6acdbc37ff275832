"""What changes an object that somebody saw, and is not any more as it was seen."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.hub.operator.people import somebody
from tests.hub.operator.test_problems import check_problem
from tests.partners import new_party

PLATFORMS = "/api/v1/platforms"
AGREEMENTS = "/api/v1/agreements"


@pytest.fixture
def path(hub: HubProcess) -> str:
    """Of a platform."""
    return f"{PLATFORMS}/{hub.operator.invite('Volt').platform_id}"


def tag(hub: HubProcess, path: str) -> dict[str, str]:
    """The header with which somebody changes what it saw just now."""
    return {"if-match": hub.operator.api.get(path).headers["etag"]}


def lines(hub: HubProcess) -> list[Any]:
    found: list[Any] = hub.operator.ask("GET", "/api/v1/audit", params={"limit": 20})["items"]
    return found


def test_the_second_of_two_who_saw_the_same_changes_nothing_and_hears_who_was_first(hub: HubProcess, path: str) -> None:
    seen = tag(hub, path)
    with somebody(hub, "operator") as other:
        first = other.patch(path, json={"settings": {"timeout_s": 9}}, headers=seen)
        anna = other.get("/api/v1/me").json()["name"]

    answer = hub.operator.api.patch(path, json={"settings": {"max_page": 7}}, headers=seen)

    detail = check_problem(answer, 412)["detail"]
    assert f"The last change is platform.change by {anna} at 2" in detail
    settings = hub.operator.ask("GET", path)["settings"]
    assert (settings["timeout_s"], settings["max_page"]) == (9, None)
    again = hub.operator.api.patch(
        path, json={"settings": {"max_page": 7}}, headers={"if-match": first.headers["etag"]}
    )
    assert (again.status_code, again.headers["etag"]) == (200, tag(hub, path)["if-match"])
    assert lines(hub)[1]["status"] == 412


def test_everything_that_is_done_with_a_platform_takes_the_tag(hub: HubProcess, path: str) -> None:
    stale = {"if-match": '"0"'}
    for method, ending in (("POST", "/suspend"), ("POST", "/capture"), ("POST", "/invite"), ("DELETE", "")):
        check_problem(hub.operator.api.request(method, path + ending, headers=stale), 412)
        assert hub.operator.ask("GET", path)["status"] == "PLANNED"
    for fits in (tag(hub, path)["if-match"], "*", f'"0", {tag(hub, path)["if-match"]}'):
        assert hub.operator.api.post(f"{path}/suspend", headers={"if-match": fits}).status_code == 200
        hub.operator.ask("POST", f"{path}/resume")
    weak = {"if-match": f"W/{tag(hub, path)['if-match']}"}
    check_problem(hub.operator.api.post(f"{path}/suspend", headers=weak), 412)
    check_problem(hub.operator.api.delete(f"{PLATFORMS}/nobody", headers=stale), 404)


def test_a_sign_of_life_leaves_the_tag_as_it_is_and_a_new_token_does_not(hub: HubProcess, cpo: Partner) -> None:
    [found] = hub.operator.ask("GET", PLATFORMS, params={"q": str(cpo.party)})["items"]
    path = f"{PLATFORMS}/{found['id']}"
    before = tag(hub, path)
    hub.operator.ask("POST", f"{path}/probe")
    assert tag(hub, path) == before

    cpo.update()

    answer = hub.operator.api.post(f"{path}/suspend", headers=before)
    assert "its partner registered anew" in check_problem(answer, 412)["detail"]


def test_changes_of_one_platform_at_once_keep_each_other(hub: HubProcess, path: str) -> None:
    """Each names one setting, and all of them hold in the end."""
    changes: list[dict[str, Any]] = [{"timeout_s": 9}, {"max_page": 7}, {"no_patch": True}, {"concurrency": 5}]

    async def at_once() -> None:
        headers = {"authorization": f"Bearer {hub.operator.token}"}
        async with httpx.AsyncClient(base_url=hub.operator.url, headers=headers, timeout=30) as client:
            await asyncio.gather(*(client.patch(path, json={"settings": each}) for each in changes))

    asyncio.run(at_once())

    settings = hub.operator.ask("GET", path)["settings"]
    assert all(settings[name] == value for each in changes for name, value in each.items())


def test_a_change_of_a_platform_can_be_tried_out(hub: HubProcess, path: str) -> None:
    before, noted = hub.operator.api.get(path), lines(hub)
    body = {"name": "Ampere", "settings": {"no_patch": True}}

    would = hub.operator.api.patch(path, json=body, params={"dry_run": "true"})

    assert (would.json()["name"], would.json()["settings"]["no_patch"]) == ("Ampere", True)
    assert would.headers["etag"] != before.headers["etag"]
    assert hub.operator.ask("GET", path) == before.json()
    wrong = {"settings": {"no_patch": 3}}
    check_problem(hub.operator.api.patch(path, json=wrong, params={"dry_run": "true"}), 400)
    stale = {"if-match": '"0"'}
    check_problem(hub.operator.api.patch(path, json=body, params={"dry_run": "true"}, headers=stale), 412)
    assert lines(hub) == noted


def test_a_change_that_says_both_is_no_trial_and_is_noted(hub: HubProcess, path: str) -> None:
    hub.operator.api.patch(path, json={"name": "Ampere"}, params=[("dry_run", "true"), ("dry_run", "false")])

    assert lines(hub)[0]["object"] == path.removeprefix("/api/v1/")


def test_agreements_are_changed_and_ended_as_they_were_seen(hub: HubProcess) -> None:
    a, b = str(new_party()), str(new_party())
    made = hub.operator.api.post(AGREEMENTS, json={"a": a, "b": b})
    path = made.headers["location"]
    seen = {"if-match": made.headers["etag"]}
    assert seen == tag(hub, path)

    changed = hub.operator.api.patch(path, json={"modules": ["cdrs"]}, headers=seen)

    assert changed.headers["etag"] == tag(hub, path)["if-match"] != made.headers["etag"]
    answer = hub.operator.api.patch(path, json={"modules": ["tokens"]}, headers=seen)
    assert "The last change is agreement.change by operator at 2" in check_problem(answer, 412)["detail"]
    check_problem(hub.operator.api.delete(path, headers=seen), 412)
    assert hub.operator.ask("GET", path)["modules"] == ["cdrs"]
    assert hub.operator.api.delete(path, headers=tag(hub, path)).status_code == 204
