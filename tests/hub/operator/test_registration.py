from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from hub.cli import commands
from hub.operator.registration import RegistrationView
from loadtests.hub_process import HubFailed, HubProcess, Invitation
from loadtests.simulator import Behaviour, HubRefused, Json, Partner, envelope
from loadtests.simulator.misbehaviour import HTML, REDIRECTING, RESETTING, UNAUTHORIZED
from routing.vocabulary import Role, Version
from tests.hub.operator.people import somebody
from tests.partners import CPO, new_party, partner, registered

LOOKS = ["hub_versions_read", "hub_details_read"]
ALL = [*LOOKS, "credentials_received", "partner_versions_read", "partner_details_read", "connected"]
OTHER_VERSION = envelope([{"version": "1.9", "url": "https://example.com"}])
NO_ENDPOINTS = envelope({"version": "2.2.1", "endpoints": []})


def until(hub: HubProcess, platform_id: str, is_so: Callable[[Json], bool]) -> Json:
    """How the registration is, as soon as it is so: steps are written a moment later."""
    deadline = time.monotonic() + 10
    while True:
        view = hub.operator.ask("GET", f"/api/v1/platforms/{platform_id}/registration")
        if is_so(view):
            return view
        assert time.monotonic() < deadline, view
        time.sleep(0.05)


def failed(hub: HubProcess, platform_id: str) -> Json:
    """The newest attempt, once it has failed."""
    view = until(hub, platform_id, lambda view: bool(view["attempts"]) and view["attempts"][0]["state"] == "failed")
    newest: Json = view["attempts"][0]
    return newest


def steps_of(attempt: Json) -> list[str]:
    return [each["step"] for each in attempt["steps"]]


def tries(one: Partner, invited: Invitation) -> None:
    """The partner registers, and is refused."""
    with pytest.raises(HubRefused):
        one.register(invited.versions_url, invited.token_a)


def test_a_registration_is_told_step_by_step(hub: HubProcess) -> None:
    with partner(CPO).running() as one:
        invited = hub.operator.invite(one.name)
        waiting = until(hub, invited.platform_id, lambda _: True)
        one.register(invited.versions_url, invited.token_a)

        view = until(hub, invited.platform_id, lambda view: "done" in [each["state"] for each in view["attempts"]])

    assert (waiting["status"], waiting["attempts"], waiting["to_come"]) == ("PLANNED", [], ALL)
    assert [each["expires_at"] for each in waiting["invitations"]] == [None]
    [attempt] = view["attempts"]
    assert steps_of(attempt) == ALL
    assert (attempt["begun_by"], attempt["to_come"]) == ("partner", [])
    assert attempt["steps"][0]["source"] == "127.0.0.1"
    assert attempt["steps"][3]["url"] == one.versions_url
    assert [each["failed"] for each in attempt["steps"]] == [False] * 6
    assert (view["status"], view["invitations"], view["to_come"]) == ("CONNECTED", [], [])
    msgspec.convert(view, RegistrationView, strict=False)


@pytest.mark.parametrize(
    ("module", "behaviour", "step", "cause"),
    [
        ("versions", UNAUTHORIZED, "partner_versions_read", "token_refused"),
        ("versions", Behaviour(answer=envelope(http_status=404)), "partner_versions_read", "wrong_url"),
        ("versions", HTML, "partner_versions_read", "not_ocpi"),
        ("versions", REDIRECTING, "partner_versions_read", "redirect"),
        ("versions", RESETTING, "partner_versions_read", "unreachable"),
        ("versions", Behaviour(answer=OTHER_VERSION), "partner_versions_read", "no_common_version"),
        ("details", Behaviour(answer=envelope(http_status=500)), "partner_details_read", "their_fault"),
        ("details", Behaviour(answer=envelope(status_code=2000)), "partner_details_read", "they_refused"),
        ("details", Behaviour(answer=NO_ENDPOINTS), "partner_details_read", "missing_endpoints"),
    ],
)
def test_why_a_partner_could_not_be_registered_is_known(
    hub: HubProcess, module: str, behaviour: Behaviour, step: str, cause: str
) -> None:
    with partner(CPO).running() as one:
        invited = hub.operator.invite(one.name)
        one.answers_next(behaviour, module=module, times=2)

        tries(one, invited)

        attempt = failed(hub, invited.platform_id)
    last = attempt["steps"][-1]
    assert (last["step"], last["cause"]) == (step, cause)
    assert last["told"]["status_code"] in {3001, 3002, 3003}
    assert last["told"]["status_message"] == last["reason"]
    assert last["likely"]
    assert last["tell"]
    assert attempt["to_come"][-1] == "connected"


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("https://127.0.0.1:{port}/versions", "tls"),
        ("/versions", "url_refused"),
        ("http://127.0.0.1:1/versions", "unreachable"),
        ("http://169.254.169.254/versions", "url_refused"),
    ],
)
def test_a_url_that_leads_nowhere_is_explained(hub: HubProcess, url: str, cause: str) -> None:
    with partner(CPO).running() as one:
        invited = hub.operator.invite(one.name)
        url = url.format(port=one.versions_url.split(":")[2].split("/")[0])
        body = one.registration.credentials(Version.V2_2_1, one.invite("token-of-a-test")) | {"url": url}
        headers = {"authorization": f"Token {invited.token_a}"}
        answer = hub.operator.api.post(f"{hub.url}/ocpi/2.2.1/credentials", json=body, headers=headers).json()

        last = failed(hub, invited.platform_id)["steps"][-1]

    assert (last["step"], last["cause"], last["url"]) == ("partner_versions_read", cause, url)
    assert last["told"] == {"status_code": answer["status_code"], "status_message": answer["status_message"]}


def test_credentials_that_are_not_acceptable_are_explained(hub: HubProcess) -> None:
    with registered(hub, partner(CPO)) as [taken], partner(CPO, party=taken.party).running() as same:
        invited = hub.operator.invite("The same")
        tries(same, invited)
        assert failed(hub, invited.platform_id)["steps"][-1]["cause"] == "party_taken"

        other = hub.operator.invite("For another", parties={new_party(): [Role.CPO]})
        tries(same, other)
        assert failed(hub, other.platform_id)["steps"][-1]["cause"] in {"bad_credentials", "party_taken"}

        broken = hub.operator.invite("Broken")
        headers = {"authorization": f"Token {broken.token_a}", "content-type": "application/json"}
        hub.operator.api.post(f"{hub.url}/ocpi/2.2.1/credentials", content=b"{token: x}", headers=headers)
        [step] = failed(hub, broken.platform_id)["steps"]
        assert (step["step"], step["method"], step["cause"]) == ("credentials_received", "POST", "unreadable")


def test_the_same_refusal_again_and_again_is_counted_and_not_listed(hub: HubProcess) -> None:
    invited = hub.operator.invite("Impatient")
    headers = {"authorization": f"Token {invited.token_a}"}
    for _ in range(30):
        hub.operator.api.put(f"{hub.url}/ocpi/2.2.1/credentials", json={}, headers=headers)

    view = until(
        hub, invited.platform_id, lambda view: [each["steps"][0]["times"] for each in view["attempts"]] == [30]
    )

    [step] = view["attempts"][0]["steps"]
    assert (step["cause"], step["told"]["status_code"]) == ("not_registered", 2000)


def test_who_comes_too_late_is_known(hub: HubProcess) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=1)
    invited = hub.operator.invite("Late", expires_at=ends.isoformat())
    time.sleep((ends - datetime.now(UTC)).total_seconds() + 0.05)
    refused = hub.operator.api.get(hub.versions_url, headers={"authorization": f"Token {invited.token_a}"})

    last = failed(hub, invited.platform_id)["steps"][-1]

    assert (refused.status_code, last["cause"]) == (401, "invitation_ended")


def test_registrations_that_the_hub_begins_are_told_too(hub: HubProcess) -> None:
    with partner(CPO).running() as one:
        platform_id = hub.operator.connected(one)
        one.answers_next(UNAUTHORIZED, module="versions", times=2)
        with pytest.raises(HubFailed):
            hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/rotate")

        view = until(hub, platform_id, lambda view: len(view["attempts"]) == 2)

    rotation, first = view["attempts"]
    assert (first["begun_by"], first["state"]) == ("hub", "done")
    assert [step for step in steps_of(first) if step not in LOOKS] == [*ALL[3:5], "credentials_sent", "connected"]
    assert (rotation["begun_by"], rotation["state"]) == ("hub", "failed")
    assert (rotation["steps"][-1]["cause"], rotation["steps"][-1]["told"]) == ("token_refused", None)


def test_steps_are_streamed_as_they_happen(hub: HubProcess) -> None:
    with partner(CPO).running() as one:
        invited = hub.operator.invite(one.name)
        url, headers = f"/api/v1/platforms/{invited.platform_id}/registration", {"accept": "text/event-stream"}
        with hub.operator.api.stream("GET", url, headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            first = next_of(lines)
            one.register(invited.versions_url, invited.token_a)
            later = next_of(lines)
            while later["status"] != "CONNECTED" or later["attempts"][0]["state"] != "done":
                later = next_of(lines)

    assert (first["status"], first["attempts"]) == ("PLANNED", [])
    assert steps_of(later["attempts"][0]) == ALL


def next_of(lines: Any) -> Json:  # noqa: ANN401 - httpx gives an iterator
    """The data of the next event."""
    assert next(line for line in lines if line) == "event: registration"
    data: Json = msgspec.json.decode(next(lines).removeprefix("data: "))
    return data


def test_an_engineer_of_the_partner_sees_its_own_and_no_other(hub: HubProcess) -> None:
    own, foreign = hub.operator.invite("Own").platform_id, hub.operator.invite("Foreign").platform_id
    with somebody(hub, "partner", platform=own) as engineer:
        assert engineer.get(f"/api/v1/platforms/{own}/registration").status_code == 200
        assert engineer.get(f"/api/v1/platforms/{foreign}/registration").status_code == 404


def test_the_command_says_what_to_tell_the_partner(hub: HubProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_OPERATOR_PORT", str(hub.operator_port))
    monkeypatch.setenv("HUB_OPERATOR_TOKEN", hub.operator.token)
    with partner(CPO).running() as one:
        invited = hub.operator.invite("Kobalt")
        run = CliRunner().invoke(commands, ["platform", "registration", invited.platform_id])
        assert "Nobody has come" in run.stdout
        one.answers_next(UNAUTHORIZED, module="versions", times=2)
        tries(one, invited)
        failed(hub, invited.platform_id)

        run = CliRunner().invoke(commands, ["platform", "registration", invited.platform_id])

    assert (run.exit_code, run.stderr) == (0, "")
    assert run.stdout.startswith("Kobalt is PLANNED.")
    assert "They were told: 3001, The GET of the versions URL was answered with HTTP 401" in run.stdout
    assert "Likely: They compare the Base64 text" in run.stdout


def test_an_attempt_of_the_hub_is_told_as_soon_as_it_has_failed(hub: HubProcess) -> None:
    invited = hub.operator.invite("called")
    at = f"/api/v1/platforms/{invited.platform_id}"
    with partner(CPO).running() as one, pytest.raises(HubFailed, match="401"):
        hub.operator.ask("POST", f"{at}/connect", json={"versions_url": one.versions_url, "token_a": "wrong"})

    view = hub.operator.ask("GET", f"{at}/registration")

    assert view["versions_url"] == hub.versions_url
    [attempt] = view["attempts"]
    assert (attempt["begun_by"], attempt["state"], steps_of(attempt)) == ("hub", "failed", ["partner_versions_read"])
    assert "not the one they gave us" in attempt["steps"][0]["likely"]


def test_whose_a_party_is_that_somebody_asks_for_is_said_to_operators_only(hub: HubProcess) -> None:
    with registered(hub, partner(CPO)) as [owner], partner(CPO, party=owner.party).running() as thief:
        party = {"country_code": owner.party.country_code, "party_id": owner.party.party_id, "role": "CPO"}
        body = {"name": "thief", "parties": [party]}
        answer = hub.operator.api.post("/api/v1/platforms", json=body)
        assert answer.status_code == 422
        found = answer.json()["owner"]
        assert (found["party"], found["name"], found["status"]) == (str(owner.party), owner.name, "CONNECTED")
        assert (
            f"{owner.party} belongs to another platform: {owner.name} ({found['platform_id']})"
            in answer.json()["detail"]
        )

        invited = hub.operator.invite("thief")
        called = {"versions_url": thief.versions_url, "token_a": thief.invite("first")}
        answer = hub.operator.api.post(f"/api/v1/platforms/{invited.platform_id}/connect", json=called)
        assert (answer.status_code, answer.json()["owner"]) == (502, found)
        attempt = failed(hub, invited.platform_id)
        assert owner.name not in str(attempt)
