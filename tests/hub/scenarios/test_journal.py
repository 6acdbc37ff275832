"""What the journal says of messages: every hop of them, and why one did not get through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from loadtests.simulator.misbehaviour import DEAD, HTML, UNAUTHORIZED
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token

HUB = Party("EU", "HUB")
UID = "C0FFEE0102"
WITHIN_S = 10.0


@pytest.fixture(scope="module")
def hub(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub of its own, on each kind of store."""
    settings = {"rate_limit": "off", "forward_timeout_s": "0.5", "connect_timeout_s": "0.5"}
    with ForkedHub(tmp_path_factory.mktemp("hub"), {**stores._asdict(), **settings}) as process:
        yield process


@pytest.fixture(scope="module")
def company(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    with registered(hub, partner(CPO), partner(EMSP), partner(EMSP), partner(EMSP, Version.V2_1_1)) as everybody:
        yield dict(zip(("cpo", "emsp", "other", "older"), everybody, strict=True))


@pytest.fixture
def cpo(company: dict[str, Partner]) -> Partner:
    return company["cpo"]


@pytest.fixture
def emsp(company: dict[str, Partner]) -> Partner:
    return company["emsp"]


@pytest.fixture(autouse=True)
def well_behaved(company: dict[str, Partner]) -> None:
    for each in company.values():
        each.script.clear()
        each.shelf.pushed.clear()


def story_id(answer: Answer) -> str:
    return answer.header("x-correlation-id") or ""


def entries(hub: HubProcess, correlation_id: str, count: int = 1, **hop: str) -> list[Json]:
    """The hops of one story, oldest first, once there are so many with these members."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        found = hub.operator.ask("GET", "/api/v1/messages", params={"correlation_id": correlation_id})["items"]
        wanted = [each for each in reversed(found) if all(each[name] == value for name, value in hop.items())]
        if len(wanted) >= count:
            assert len(wanted) == count, wanted
            return wanted
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def push(cpo: Partner, emsp: Partner, **options: Any) -> Answer:  # noqa: ANN401 - as for `put`
    session = session_of(cpo, emsp)
    return cpo.put("sessions", path_of(cpo.party, session["id"]), to=emsp.party, **{"json": session, **options})


def session_of(cpo: Partner, emsp: Partner) -> Json:
    members = ("country_code", "party_id", "uid", "type", "contract_id")
    return {
        "country_code": cpo.party.country_code,
        "party_id": cpo.party.party_id,
        "id": "S1",
        "start_date_time": "2026-11-22T08:00:00Z",
        "kwh": 4.25,
        "cdr_token": {name: token(emsp.party, UID)[name] for name in members},
        "auth_method": "WHITELIST",
        "location_id": "LOC1",
        "evse_uid": "E1",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": "2026-11-22T08:00:00Z",
    }


def test_a_message_is_one_entry_with_both_sides_of_it(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    answer = push(cpo, emsp)

    [entry] = entries(hub, story_id(answer))
    assert (entry["from"], entry["to"], entry["route"]) == (str(cpo.party), str(emsp.party), "direct")
    assert (entry["from_platform"], entry["to_platform"]) == (platform_of(hub, cpo), platform_of(hub, emsp))
    assert (entry["from_name"], entry["to_name"]) == (cpo.name, emsp.name)
    assert (entry["request_id"], entry["hop"]) == (answer.header("x-request-id"), "message")
    assert entry["upstream_request_id"] == emsp.received[-1].header("x-request-id")
    assert entry["path"] == f"/ocpi/2.2.1/receiver/sessions/{path_of(cpo.party, 'S1')}"
    assert entry["upstream_path"] == f"/2.2.1/sessions/receiver/{path_of(cpo.party, 'S1')}"
    assert (entry["http_status"], entry["ocpi_status"], entry["upstream_ocpi_status"]) == (200, 1000, 1000)
    assert (entry["object_type"], entry["object_id"]) == ("session", "S1")
    assert (entry["failure"], entry["reason"]) == (None, None)
    assert entry["upstream_ms"] > 0


def test_the_same_can_be_found_by_the_uid_of_the_card_which_is_nowhere(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    session = push(cpo, emsp)
    pushed = emsp.put("tokens", path_of(emsp.party, UID), to=cpo.party, json=token(emsp.party, UID))
    entries(hub, story_id(session))
    [entry] = entries(hub, story_id(pushed))

    found = hub.operator.ask("GET", "/api/v1/messages", params={"token_uid": UID.lower()})
    assert {story_id(session), story_id(pushed)} <= {each["correlation_id"] for each in found["items"]}
    assert UID not in str(found)
    assert entry["path"].endswith("/••••")
    assert (entry["object_type"], entry["object_id"]) == ("token", None)


FAILING_RECEIVERS: Final = (
    (UNAUTHORIZED, "refuses_token", 2000),
    (Behaviour(answer=Answer(502, (), b"")), "gateway", None),
    (HTML, "not_ocpi", None),
    (DEAD, "timeout", None),
    (None, "connect_failed", None),
)


@pytest.mark.parametrize(("behaviour", "failure", "upstream_status"), FAILING_RECEIVERS)
def test_a_receiver_that_does_not_take_a_message_is_said_with_what_it_said(
    hub: HubProcess, cpo: Partner, emsp: Partner, behaviour: Behaviour | None, failure: str, upstream_status: int | None
) -> None:
    wrong: AbstractContextManager[None] = emsp.port_closed() if behaviour is None else emsp.behaving(behaviour)
    with wrong:
        answer = push(cpo, emsp)

    [entry] = entries(hub, story_id(answer))
    assert (entry["failure"], entry["reason"]) == (failure, answer.json()["status_message"])
    assert (entry["http_status"], entry["ocpi_status"]) == (200, answer.status_code)
    assert entry["upstream_ocpi_status"] == upstream_status


def test_an_error_of_the_receivers_own_is_its_own(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    emsp.answers_next(envelope(status_code=2001, status_message="no such card"), module="sessions")

    answer = push(cpo, emsp)

    [entry] = entries(hub, story_id(answer))
    assert (entry["failure"], entry["ocpi_status"], entry["upstream_ocpi_status"]) == ("partner_error", 2001, 2001)


def _without_token(_: HubProcess, cpo: Partner, emsp: Partner) -> Answer:
    return push(cpo, emsp, headers={"authorization": "Token d3Jvbmc="})


def _to_nobody(_: HubProcess, cpo: Partner, emsp: Partner) -> Answer:
    return cpo.put("sessions", path_of(cpo.party, "S1"), to=Party("XX", "XXX"), json=session_of(cpo, emsp))


def _garbage(_: HubProcess, cpo: Partner, emsp: Partner) -> Answer:
    return cpo.put(
        "sessions", path_of(cpo.party, "S1"), to=emsp.party, body=b"{", headers={"content-type": "application/json"}
    )


def _as_another(_: HubProcess, cpo: Partner, emsp: Partner) -> Answer:
    return push(cpo, emsp, sender=emsp.party)


def _contradiction(_: HubProcess, cpo: Partner, emsp: Partner) -> Answer:
    return cpo.put("sessions", path_of(cpo.party, "OTHER"), to=emsp.party, json=session_of(cpo, emsp))


def _nowhere(_: HubProcess, cpo: Partner, emsp: Partner) -> Answer:
    return cpo.get(f"{cpo.connection.url('sessions', InterfaceRole.RECEIVER)}/NL/ABC/1/2/3", to=emsp.party)


def _to_invited(hub: HubProcess, cpo: Partner, emsp: Partner) -> Answer:
    planned = new_party("DE")
    hub.operator.invite("planned", parties={planned: [Role.EMSP]})
    return cpo.put("sessions", path_of(cpo.party, "S1"), to=planned, json=session_of(cpo, emsp))


def _to_suspended(hub: HubProcess, cpo: Partner, emsp: Partner) -> Answer:
    platform_id = platform_of(hub, emsp)
    hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/suspend")
    try:
        return push(cpo, emsp)
    finally:
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/resume")


def _not_offered(_: HubProcess, cpo: Partner, emsp: Partner) -> Answer:
    return cpo.get(
        "sessions", to=emsp.party, interface=InterfaceRole.SENDER, params={"date_from": "2026-01-01T00:00:00Z"}
    )


REFUSED: Final = (
    (_without_token, "not_authenticated"),
    (_to_nobody, "unknown_receiver"),
    (_garbage, "unreadable"),
    (_as_another, "refused"),
    (_contradiction, "refused"),
    (_nowhere, "refused"),
    (_to_invited, "receiver_planned"),
    (_to_suspended, "receiver_suspended"),
    (_not_offered, "not_offered"),
)


@pytest.mark.parametrize(("send", "failure"), REFUSED)
def test_every_refusal_says_why(
    hub: HubProcess,
    cpo: Partner,
    emsp: Partner,
    send: Callable[[HubProcess, Partner, Partner], Answer],
    failure: str,
) -> None:
    answer = send(hub, cpo, emsp)

    [entry] = entries(hub, story_id(answer))
    assert (entry["failure"], entry["reason"]) == (failure, answer.json()["status_message"])
    assert (entry["http_status"], entry["ocpi_status"]) == (answer.http_status, answer.status_code)
    assert (entry["route"] == "refused") == (entry["upstream_path"] is None)


def test_what_a_translation_loses_is_said_with_its_place(
    hub: HubProcess, cpo: Partner, company: dict[str, Partner]
) -> None:
    older = company["older"]
    translated = cpo.put("locations", path_of(cpo.party, "LOC1"), to=older.party, json=location(cpo.party))
    [entry] = entries(hub, story_id(translated))
    assert (entry["source_version"], entry["target_version"]) == ("2.2.1", "2.1.1")
    assert {"loss", "path", "in_answer", "count"} <= entry["losses"][0].keys()


def test_a_broadcast_is_one_entry_and_one_more_for_each_receiver(
    hub: HubProcess, cpo: Partner, emsp: Partner, company: dict[str, Partner]
) -> None:
    with emsp.behaving(HTML):
        answer = cpo.put("locations", path_of(cpo.party, "LOC1"), to=HUB, json=location(cpo.party))
        found = entries(hub, story_id(answer), 4)

    [message] = [each for each in found if each["hop"] == "message"]
    deliveries = {each["to"]: each for each in found if each["hop"] == "delivery"}
    receivers = {str(company[name].party) for name in ("emsp", "other", "older")}
    assert (message["route"], message["receivers"]["told"]) == ("broadcast", 3)
    assert deliveries.keys() == receivers
    assert {each["failure"] for to, each in deliveries.items() if to != str(emsp.party)} == {None}
    assert deliveries[str(emsp.party)]["failure"] == "not_ocpi"
    assert {each["path"] for each in deliveries.values()} == {message["path"]}


def test_a_list_of_everybodys_is_one_entry_and_one_more_for_each_call(
    hub: HubProcess, cpo: Partner, company: dict[str, Partner]
) -> None:
    for name in ("emsp", "other", "older"):
        company[name].hold("tokens", token(company[name].party, f"00{name}"))

    answer = cpo.get("tokens", to=HUB)

    message, *_ = entries(hub, story_id(answer), 1, hop="message")
    calls = [each for each in _all(hub, story_id(answer)) if each["hop"] == "unit"]
    assert (message["route"], message["upstream_path"]) == ("get_all", None)
    assert message["receivers"] == {"told": 3, "ok": 3, "failed": 0, "skipped": 0}
    assert {each["to"] for each in calls} == {str(company[name].party) for name in ("emsp", "other", "older")}
    assert {(each["upstream_http_status"], each["upstream_ocpi_status"]) for each in calls} == {(200, 1000)}


def _all(hub: HubProcess, correlation_id: str) -> list[Json]:
    found: list[Json] = hub.operator.ask("GET", "/api/v1/messages", params={"correlation_id": correlation_id})["items"]
    return found


def test_a_card_that_all_are_asked_about_shows_all_of_them(hub: HubProcess, cpo: Partner) -> None:
    answer = cpo.post("tokens", "UNKNOWNCARD/authorize", json={"location_id": "LOC1"})

    entries(hub, story_id(answer), 1, hop="message")
    found = _all(hub, story_id(answer))
    [message] = [each for each in found if each["hop"] == "message"]
    units = [each for each in found if each["hop"] == "unit"]
    assert message["receivers"]["told"] == len(units) > 0
    assert "UNKNOWNCARD" not in str(found)


def test_a_command_and_its_result_are_one_story(
    hub: HubProcess, cpo: Partner, emsp: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpo, "command_result", None)
    command = {
        "response_url": emsp.url("commands", InterfaceRole.SENDER, "STOP_SESSION", "my-secret-id"),
        "session_id": "S1",
    }
    answer = emsp.post("commands", "STOP_SESSION", to=cpo.party, json=command)
    [asked] = entries(hub, story_id(answer))
    assert (asked["object_type"], asked["object_id"]) == ("session", "S1")
    response_url = cpo.received[-1].json()["response_url"]

    same = {"x-correlation-id": story_id(answer)}
    told = cpo.post(response_url, to=emsp.party, json={"result": "ACCEPTED"}, headers=same)

    assert told.status_code == 1000
    asked, result, *_ = entries(hub, story_id(answer), 2)
    assert (result["route"], result["method"]) == ("callback", "POST")
    assert result["path"].endswith("/commands/STOP_SESSION/••••")
    assert result["upstream_path"].endswith("/••••")
    assert "my-secret-id" not in str(result)


def test_a_capture_shows_what_both_sides_wrote_without_what_is_personal(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    where = f"/api/v1/platforms/{platform_of(hub, emsp)}/capture"
    begun = hub.operator.ask("POST", where, json={"hours": 1})
    assert begun["capture_until"] is not None
    answer = push(cpo, emsp)
    ended = hub.operator.ask("DELETE", where)
    assert ended["capture_until"] is None
    after = push(cpo, emsp)

    [entry] = entries(hub, story_id(answer))
    [without] = entries(hub, story_id(after))
    details = _details(hub, entry["id"])
    assert '"uid":"••••"' in details["request_body"]
    assert '"kwh":4.25' in details["upstream_request_body"]
    assert '"status_code":1000' in details["answer_body"]
    lines = {line["name"]: line["value"] for line in details["request_headers"]}
    assert lines["authorization"] == "••••"
    assert UID not in str(details)
    assert _details(hub, without["id"])["request_body"] is None


def _details(hub: HubProcess, entry_id: str) -> Json:
    deadline = time.monotonic() + WITHIN_S
    while True:
        details = hub.operator.ask("GET", f"/api/v1/messages/{entry_id}")
        if details["request_body"] is not None or time.monotonic() > deadline - WITHIN_S + 1:
            return details
        time.sleep(0.05)


@pytest.mark.parametrize("hours", [0, 169, "many"])
def test_nothing_is_captured_for_longer_than_it_is_kept(hub: HubProcess, emsp: Partner, hours: object) -> None:
    response = hub.operator.api.post(f"/api/v1/platforms/{platform_of(hub, emsp)}/capture", json={"hours": hours})

    assert response.status_code == 400
