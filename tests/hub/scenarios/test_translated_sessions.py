"""Sessions between versions: who pays, where it is, and the charging periods of a PATCH, which one version replaces.

OCPI 2.1.1 and 2.2.1, "Sessions", PATCH Method.
"""

from __future__ import annotations

import time

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from loadtests.simulator.stations import cards, charging_network, session
from routing.vocabulary import Role, Version
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.logs import conversation, losses_of
from tests.hub.scenarios.translated import V22, V211, V221, V230, Both, Everyone, between, new_id, path_of, status
from tests.ocpi import check

CONVERSATION = "x-correlation-id"


def place_of(cpo: Partner, version: Version | None = None) -> Json:
    """A location of the CPO that the hub has never heard of, with one EVSE in use."""
    place = charging_network(cpo.party, version or cpo.version, stations=1).locations[0]
    return place | {"id": new_id("LOC"), "evses": place["evses"][:1]}


def card_of(both: Both, version: Version) -> Json:
    return cards(both.emsp.party, version, count=1)[0] | {"uid": new_id("UID")}


def session_of(both: Both, place: Json | None = None, **fields: object) -> Json:
    """A session of the CPO."""
    body = session(both.cpo.version, new_id("S"), place or place_of(both.cpo), card_of(both, both.cpo.version))
    return body | {"charging_periods": [period("09:00")], **fields}


def period(at: str, kwh: float = 1.5) -> Json:
    return {"start_date_time": f"2026-11-22T{at}:00Z", "dimensions": [{"type": "ENERGY", "volume": kwh}]}


def put(both: Both, body: Json) -> Answer:
    return both.cpo.put("sessions", path_of(both.cpo.party, body["id"]), to=both.emsp.party, json=body)


def patch(both: Both, body: Json, change: Json) -> Answer:
    return both.cpo.patch("sessions", path_of(both.cpo.party, body["id"]), to=both.emsp.party, json=change)


def problems(version: Version, name: str, value: object) -> list[str]:
    return [str(each) for each in check(version, name, value) if version is not V211 or each.kind != "charset"]


# --- where, and who


@pytest.mark.parametrize("version", [V22, V221, V230])
def test_a_2_1_1_emsp_gets_the_location_as_its_cpo_has_it_now(everyone: Everyone, version: Version) -> None:
    both = between(everyone, version, V211)
    place = place_of(both.cpo)
    both.cpo.hold("locations", place)

    answer = put(both, session_of(both, place))

    assert status(answer) == (200, 1000)
    [looked_up] = both.cpo.received
    assert (looked_up.method, looked_up.raw_path) == ("GET", f"/{version}/locations/sender/{place['id']}")
    assert (looked_up.receiver, looked_up.sender) == (both.cpo.party, both.emsp.party)
    assert looked_up.header(CONVERSATION) == answer.header(CONVERSATION)
    [received] = both.emsp.received
    assert received.json()["location"]["address"] == place["address"]
    assert received.json()["location"]["evses"][0]["uid"] == place["evses"][0]["uid"]
    assert problems(V211, "Session", received.json()) == []


def test_a_list_of_sessions_has_their_locations_in_2_1_1(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    places = [place_of(both.cpo), place_of(both.cpo)]
    both.cpo.hold("locations", *places)
    held = [session_of(both, places[number % 2]) for number in range(5)]
    both.cpo.hold("sessions", *held)

    page = both.emsp.get("sessions", to=both.cpo.party, params={"date_from": "2026-01-01T00:00:00Z"})

    assert [each["location"]["id"] for each in page.data] == [each["location_id"] for each in held]
    assert {each["location"]["address"] for each in page.data} == {each["address"] for each in places}
    looked_up = both.cpo.received.of("locations")
    assert len(looked_up) == 2
    assert {(each.receiver, each.sender) for each in looked_up} == {(both.cpo.party, both.emsp.party)}


def test_not_more_than_a_hundred_locations_are_looked_up_for_one_page(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    both.cpo.interfaces.page_size = 200
    both.cpo.hold("sessions", *(session_of(both) for _ in range(150)))

    page = both.emsp.get("sessions", to=both.cpo.party, params={"date_from": "2026-01-01T00:00:00Z"})

    assert [problem for each in page.data for problem in problems(V211, "Session", each)] == []
    assert len(page.data) == 150
    assert len(both.cpo.received.of("locations")) == 100


def test_a_2_1_1_emsp_gets_a_placeholder_when_the_cpo_does_not_say_where(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    bad = [
        Behaviour(answer=envelope(status_code=2003, http_status=404)),
        Behaviour(answer=Answer(200, (), b"<html>")),
        Behaviour(answer=envelope(["no", "location"])),
        Behaviour(answer=Answer(200, (), b'{"data": %s, "status_code": 1000}' % (b"[" * 3000 + b"]" * 3000))),
        Behaviour(reset=True),
    ]
    for behaviour in bad:
        both.cpo.script.clear()
        both.cpo.answers_next(behaviour, module="locations", times=2)
        body = session_of(both)

        answer = put(both, body)

        assert status(answer) == (200, 1000)
        received = both.emsp.received[-1].json()
        assert (received["id"], received["location"]["id"]) == (body["id"], body["location_id"])
        assert (received["location"]["type"], received["location"]["address"]) == ("UNKNOWN", "#NA")
        assert problems(V211, "Session", received) == []
        assert "L-36" in losses_of(hub, answer.header(CONVERSATION) or "")


def test_a_cpo_that_does_not_say_where_in_time_does_not_hold_up_the_session(
    hub: HubProcess, everyone: Everyone
) -> None:
    both = between(everyone, V221, V211)
    hub.operator.change(platform_of(hub, both.emsp), timeout_s=2, routing_headers_211=True)
    both.cpo.answers_next(Behaviour(silent=True), module="locations")
    began = time.monotonic()

    answer = put(both, session_of(both))

    hub.operator.change(platform_of(hub, both.emsp), timeout_s=None, routing_headers_211=True)
    assert status(answer) == (200, 1000)
    assert time.monotonic() - began < 2
    assert both.emsp.received[0].json()["location"]["type"] == "UNKNOWN"


def test_what_the_hub_remembers_of_a_card_names_it_in_the_sessions_of_a_2_1_1_cpo(everyone: Everyone) -> None:
    for version in (V22, V221, V230):
        both = between(everyone, V211, version)
        card = card_of(both, version) | {"contract_id": new_id("".join((*both.emsp.party, "CX")))}
        both.emsp.put("tokens", path_of(both.emsp.party, card["uid"]), to=both.cpo.party, json=card)
        body = session_of(both, auth_id=card["contract_id"])

        assert status(put(both, body)) == (200, 1000)
        received = both.emsp.received[-1].json()
        token = {name: received["cdr_token"].get(name) for name in ("uid", "type", "contract_id")}
        assert token == {name: card[name] for name in token}
        assert received["location_id"] == body["location"]["id"]
        assert problems(version, "Session", received) == []


@pytest.mark.parametrize("by", ["a push", "a list"])
@pytest.mark.parametrize(("version", "through"), [(V22, V221), (V221, V22)])
def test_a_card_is_remembered_though_two_versions_have_it_alike(
    everyone: Everyone, version: Version, through: Version, by: str
) -> None:
    both, shown_to = between(everyone, V211, version), everyone[Role.CPO, through]
    card = card_of(both, version) | {"contract_id": new_id("".join((*both.emsp.party, "CX")))}
    if by == "a push":
        both.emsp.put("tokens", path_of(both.emsp.party, card["uid"]), to=shown_to.party, json=card)
    else:
        both.emsp.hold("tokens", card)
        shown_to.get("tokens", to=both.emsp.party)

    put(both, session_of(both, auth_id=card["contract_id"]))

    assert both.emsp.received[-1].json()["cdr_token"]["uid"] == card["uid"]


def test_a_2_2_cpo_does_not_say_whose_card_it_was_and_the_hub_does(everyone: Everyone) -> None:
    for version in (V221, V230):
        both = between(everyone, V22, version)

        put(both, session_of(both))

        token = both.emsp.received[0].json()["cdr_token"]
        assert (token["country_code"], token["party_id"]) == both.emsp.party


# --- charging periods, to a 2.1.1 eMSP, which replaces what it has


def begun(both: Both, *periods: Json) -> Json:
    """A session that the eMSP has."""
    place = place_of(both.cpo)
    both.cpo.hold("locations", place)
    body = session_of(both, place, charging_periods=list(periods or [period("09:00")]))
    assert status(put(both, body)) == (200, 1000)
    both.emsp.received.clear()
    both.cpo.received.clear()
    return body


@pytest.mark.parametrize("version", [V22, V221, V230])
def test_new_periods_come_to_2_1_1_behind_those_it_has(everyone: Everyone, version: Version) -> None:
    both = between(everyone, version, V211)
    body = begun(both)
    change = {"charging_periods": [period("10:00")], "kwh": 3.0, "last_updated": "2026-11-22T10:00:00Z"}

    answer = patch(both, body, change)

    assert status(answer) == (200, 1000)
    looked_up, received = both.emsp.received
    assert (looked_up.method, looked_up.raw_path) == ("GET", received.raw_path)
    assert looked_up.header(CONVERSATION) == received.header(CONVERSATION)
    assert received.json() == change | {"charging_periods": [period("09:00"), period("10:00")]}
    assert answer.header("x-request-id") != received.header("x-request-id") != looked_up.header("x-request-id")


def test_periods_are_left_out_when_those_2_1_1_has_cannot_be_read(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    body = begun(both)
    change = {"charging_periods": [period("10:00")], "kwh": 3.0, "last_updated": "2026-11-22T10:00:00Z"}
    both.emsp.answers_next(envelope(status_code=3000), method="GET")

    answer = patch(both, body, change)

    assert status(answer) == (200, 1000)
    assert both.emsp.received[-1].json() == {"kwh": 3.0, "last_updated": "2026-11-22T10:00:00Z"}
    assert conversation(hub, answer.header(CONVERSATION) or "")[-1]["losses"] == {"L-43": 1}


def test_a_patch_of_which_nothing_is_left_is_a_success_and_is_not_sent(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    body = begun(both)

    answer = patch(both, body, {"charging_periods": [period("09:00")]})

    assert status(answer) == (200, 1000)
    assert "data" not in answer.json()
    assert [request.method for request in both.emsp.received] == ["GET"]


def test_of_an_update_that_only_says_when_2_1_1_hears_when(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    body = begun(both)
    change = {"last_updated": "2026-11-22T10:00:00Z"}

    assert status(patch(both, body, change | {"charging_periods": []})) == (200, 1000)
    [received] = both.emsp.received
    assert (received.method, received.json()) == ("PATCH", change)


# --- charging periods of a 2.1.1 CPO, which sends all, or the new ones, or the last one again


@pytest.mark.parametrize("version", [V22, V221, V230])
@pytest.mark.parametrize("sent", [["09:00", "10:00"], ["10:00"]], ids=["all", "new ones"])
def test_of_the_periods_of_2_1_1_those_are_appended_that_are_new(
    everyone: Everyone, version: Version, sent: list[str]
) -> None:
    both = between(everyone, V211, version)
    body = begun(both)

    answer = patch(both, body, {"charging_periods": [period(at) for at in sent], "kwh": 3.0})

    assert status(answer) == (200, 1000)
    looked_up, received = both.emsp.received
    assert (looked_up.method, looked_up.raw_path) == ("GET", received.raw_path)
    assert (looked_up.receiver, looked_up.sender) == (both.emsp.party, both.cpo.party)
    assert (received.method, received.json().keys()) == ("PATCH", {"charging_periods", "kwh", "last_updated"})
    [added] = received.json()["charging_periods"]
    assert added | period("10:00") == added


@pytest.mark.parametrize("version", [V22, V221, V230])
def test_a_period_that_has_grown_makes_a_put_of_the_whole_session(everyone: Everyone, version: Version) -> None:
    both = between(everyone, V211, version)
    body = begun(both, period("09:00"), period("10:00", 0.5))
    both.emsp.answers_next(Behaviour(edit=lambda answer: Answer(201, answer.headers, answer.body)), method="PUT")

    answer = patch(both, body, {"charging_periods": [period("10:00", 2.5)], "kwh": 4.0})

    assert status(answer) == (200, 1000)
    received = both.emsp.received[-1]
    assert received.method == "PUT"
    assert problems(version, "Session", received.json()) == []
    assert received.json()["kwh"] == 4.0
    found = [
        (each["start_date_time"][11:16], each["dimensions"][0]["volume"])
        for each in received.json()["charging_periods"]
    ]
    assert found == [("09:00", 1.5), ("10:00", 2.5)]


def test_periods_of_2_1_1_need_the_session_they_belong_to(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    body = session_of(both)

    answer = patch(both, body, {"charging_periods": [period("10:00")], "kwh": 3.0})

    assert status(answer) == (404, 2000)
    assert (answer.envelope.status_message or "").startswith("RF-17: ")
    assert [request.method for request in both.emsp.received] == ["GET"]
    assert status(patch(both, body, {"kwh": 3.0})) == (404, 2000)
    assert both.emsp.received[-1].method == "PATCH"


# --- one after the other


def test_updates_of_a_session_do_not_pile_up_before_a_receiver_that_is_silent(
    hub: HubProcess, everyone: Everyone
) -> None:
    both = between(everyone, V221, V211)
    path = path_of(both.cpo.party, new_id("S"))
    hub.operator.change(platform_of(hub, both.emsp), timeout_s=1)
    with both.emsp.behaving(Behaviour(silent=True)):
        update = {"kwh": 9.0, "last_updated": "2026-11-22T12:00:00Z"}
        began = time.monotonic()
        under_way = [both.cpo.start("PATCH", "sessions", path, to=both.emsp.party, json=update) for _ in range(10)]
        codes = {each.result().status_code for each in under_way}
    hub.operator.change(platform_of(hub, both.emsp), timeout_s=None)

    assert codes == {4002, 4003}
    assert time.monotonic() - began < 5, "and not the 10 s of one after the other"
    assert len(both.emsp.received) < 4


@pytest.mark.parametrize(("cpo_version", "emsp_version"), [(V221, V211), (V211, V221)])
def test_updates_of_one_session_reach_the_receiver_one_after_the_other(
    everyone: Everyone, cpo_version: Version, emsp_version: Version
) -> None:
    both = between(everyone, cpo_version, emsp_version)
    body, other = begun(both), begun(both)
    path = path_of(both.cpo.party, body["id"])
    updates = [{"charging_periods": [period(at)], "last_updated": f"2026-11-22T{at}:00Z"} for at in ("10:00", "11:00")]

    with both.emsp.pausing(method="PATCH"):
        first = both.cpo.start("PATCH", "sessions", path, to=both.emsp.party, json=updates[0])
        both.emsp.received.wait_for(lambda request: request.method == "PATCH")
        second = both.cpo.start("PATCH", "sessions", path, to=both.emsp.party, json=updates[1])
        apart = patch(both, other, {"kwh": 9.0, "last_updated": "2026-11-22T12:00:00Z"})

    assert status(apart) == (200, 1000)
    assert (status(first.result()), status(second.result())) == ((200, 1000), (200, 1000))
    held = both.emsp.shelf.find_pushed("sessions", tuple(path.split("/"))) or {}
    assert held["last_updated"] == "2026-11-22T11:00:00Z"
    sent = [request.json() for request in both.emsp.received.of("sessions", "PATCH") if body["id"] in request.raw_path]
    starts = [[each["start_date_time"][11:16] for each in update["charging_periods"]] for update in sent]
    assert starts == (
        [["09:00", "10:00"], ["09:00", "10:00", "11:00"]] if emsp_version is V211 else [["10:00"], ["11:00"]]
    )
