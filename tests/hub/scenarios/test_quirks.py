"""What is odd about one partner: each setting with the two partners it stands between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Behaviour, Json, Partner, envelope
from loadtests.simulator.misbehaviour import DEAD
from routing.vocabulary import Party, Version
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.translated import RECEIVER, SENDER, V211, V221, V230, Everyone, between, made, new_id, status
from tests.hub.scenarios.wire import routed, say
from tests.partners import location, path_of, token


@contextmanager
def odd(hub: HubProcess, one: Partner, **settings: Any) -> Iterator[None]:  # noqa: ANN401 - any setting
    """This partner is like that while the block lasts."""
    platform_id = platform_of(hub, one)
    before = hub.operator.platform(platform_id)["settings"]
    hub.operator.change(platform_id, **settings)
    try:
        yield
    finally:
        hub.operator.change(platform_id, **{name: before[name] for name in settings})


# --- how it writes parties and URLs


def test_a_partner_that_wants_lower_case_gets_parties_in_lower_case(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    lower = (emsp.party.country_code.lower(), emsp.party.party_id.lower())
    with odd(hub, cpo, lowercase_party_ids=True):
        answer = emsp.put("tokens", path_of(emsp.party, "TK1"), to=cpo.party, json=token(emsp.party, "TK1"))
        [request] = cpo.received
        own = cpo.get("tokens", to=emsp.party)

    assert status(answer) == (200, 1000)
    assert request.raw_path.endswith(f"/{lower[0]}/{lower[1]}/TK1")
    assert (request.header("ocpi-from-country-code"), request.header("ocpi-from-party-id")) == lower
    assert request.header("ocpi-to-party-id") == cpo.party.party_id.lower()
    assert request.json() == token(emsp.party, "TK1")
    assert own.header("ocpi-from-party-id") == lower[1]
    assert own.header("ocpi-to-party-id") == cpo.party.party_id.lower()
    assert answer.header("ocpi-from-party-id") == cpo.party.party_id


def test_a_partner_may_write_parties_in_lower_case_itself(cpo: Partner, emsp: Partner) -> None:
    lower = Party(cpo.party.country_code.lower(), cpo.party.party_id.lower())
    url = f"{cpo.connection.url('locations', RECEIVER)}/{path_of(lower, 'LOC1')}"
    body = json.dumps(location(lower)).encode()

    answer = say(cpo, "PUT", url, routed(emsp.party, lower), body)

    assert status(answer) == (200, 1000)
    [request] = emsp.received
    assert (request.sender, request.body) == (cpo.party, body)


def test_every_url_at_a_partner_can_end_in_a_slash(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    with odd(hub, cpo, trailing_slash=True):
        emsp.get("locations", "LOC1", to=cpo.party)
        emsp.get("locations", to=cpo.party, params={"limit": "5"})
        emsp.put("tokens", path_of(emsp.party, "TK1"), to=cpo.party, json=token(emsp.party, "TK1"))

    assert [request.raw_path[-1] for request in cpo.received] == ["/", "/", "/"]
    assert cpo.received[1].query == "limit=5"


# --- how patient the hub is with it


def test_a_partner_can_have_a_time_of_its_own(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    emsp.answers_next(DEAD, module="tokens")
    with odd(hub, emsp, timeout_s=0.3):
        answer = cpo.post("tokens", "CARD/authorize", to=emsp.party, interface=SENDER)

    assert status(answer) == (200, 4002)


def test_the_next_messages_wait_while_a_partner_has_as_many_as_it_takes(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    with odd(hub, emsp, concurrency=1, timeout_s=0.5):
        emsp.answers_next(DEAD, module="tokens")
        first = cpo.start("GET", "tokens", to=emsp.party, interface=SENDER)
        emsp.received.wait_for("tokens")
        second = cpo.get("tokens", to=emsp.party, interface=SENDER)

    assert (status(first.result()), len(emsp.received)) in [((200, 4002), 1), ((200, 4002), 2)]
    assert status(second) in [(200, 4003), (200, 1000)]


# --- what it takes for an answer


@pytest.mark.parametrize("data", ["null", "{}", "[]"])
def test_a_partner_that_cannot_do_without_data_gets_some(
    hub: HubProcess, cpo: Partner, emsp: Partner, data: str
) -> None:
    whole = {"data": {"said": "anyway"}, "status_code": 1000, "timestamp": "2026-11-22T08:00:00Z"}
    body = location(cpo.party)
    with odd(hub, cpo, empty_data=data):
        pushed = cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=body)
        refused = cpo.put("locations", path_of(cpo.party, "LOC1"), to=Party("XX", "XXX"), json=body)
        missing = cpo.get("tokens", to=Party("XX", "XXX"), interface=SENDER)
        emsp.answers_next(envelope(whole["data"]))
        said = cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=body)
        emsp.answers_next(envelope())
        read = cpo.get("tokens", to=emsp.party, interface=SENDER)
        emsp.answers_next(envelope())
        authorized = cpo.post("tokens", "CARD/authorize", to=emsp.party, interface=SENDER)

    for answer, code in ((pushed, 1000), (refused, 4001), (missing, 4001)):
        assert answer.status_code == code
        assert json.loads(answer.body)["data"] == json.loads(data)
    assert said.data == whole["data"]
    assert "data" not in json.loads(read.body)
    assert "data" not in json.loads(authorized.body)


def test_others_get_no_data_where_there_is_none(cpo: Partner, emsp: Partner) -> None:
    emsp.answers_next(envelope())
    answer = cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))

    assert "data" not in json.loads(answer.body)


# --- whole objects where others get a PATCH

LATER = "2026-11-22T09:00:00Z"


def evse(uid: str = "E1", **fields: object) -> Json:
    return {"uid": uid, "status": "AVAILABLE", "connectors": [], "last_updated": "2026-11-22T08:00:00Z", **fields}


def test_a_partner_that_takes_no_patch_gets_the_whole_object_of_its_owner(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    whole = location(cpo.party) | {"x-own": {"deep": [0.10]}, "evses": [evse(), evse("E2")]}
    cpo.hold("locations", whole)
    with odd(hub, emsp, no_patch=True):
        emsp.answers_next(envelope(http_status=201), module="locations", method="PUT", times=2)
        place = cpo.patch(
            "locations", path_of(cpo.party, "LOC1"), to=emsp.party, json={"name": "New", "last_updated": LATER}
        )
        part = cpo.patch(
            "locations",
            path_of(cpo.party, "LOC1", "E2"),
            to=emsp.party,
            json={"status": "CHARGING", "last_updated": LATER},
        )

    assert [status(place), status(part)] == [(200, 1000)] * 2
    one, two = emsp.received
    assert (one.method, two.method) == ("PUT", "PUT")
    assert one.json() == whole | {"name": "New", "last_updated": LATER}
    assert two.raw_path.endswith("/LOC1/E2")
    assert two.json() == evse("E2", status="CHARGING", last_updated=LATER)
    asked = cpo.received[0]
    assert (asked.method, asked.raw_path.rpartition("/")[2]) == ("GET", "LOC1")
    assert (asked.receiver, asked.sender) == (cpo.party, emsp.party)
    assert asked.header("x-correlation-id") == one.header("x-correlation-id")


def test_what_only_lists_have_is_found_among_what_was_updated_lately(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    session: Json = {
        "country_code": cpo.party.country_code,
        "party_id": cpo.party.party_id,
        "id": "S1",
        "kwh": 1.0,
        "charging_periods": [{"start_date_time": "2026-11-22T08:00:00Z", "dimensions": []}],
        "last_updated": LATER,
    }
    period = {"start_date_time": LATER, "dimensions": []}
    cards = [token(emsp.party, "TK1") | {"type": kind, "last_updated": LATER} for kind in ("APP_USER", "RFID")]
    cpo.hold("sessions", session | {"id": "S0"}, session)
    emsp.answers_next(envelope(cards), module="tokens", method="GET")
    patch = {"kwh": 2.5, "charging_periods": [period], "last_updated": LATER}
    with odd(hub, emsp, no_patch=True), odd(hub, cpo, no_patch=True):
        cpo.patch("sessions", path_of(cpo.party, "S1"), to=emsp.party, json=patch)
        change = {"valid": False, "last_updated": LATER}
        emsp.patch("tokens", path_of(emsp.party, "TK1") + "?type=RFID", to=cpo.party, json=change)

    pushed = [request for request in (*emsp.received, *cpo.received) if request.method == "PUT"]
    whole_session, whole_token = (each.json() for each in pushed)
    assert whole_session["kwh"] == 2.5
    assert whole_session["charging_periods"] == [*session["charging_periods"], period]
    assert whole_token == cards[1] | change
    assert pushed[1].query == "type=RFID"
    asked = next(request for request in cpo.received if request.module == "sessions")
    assert asked.params["date_from"] == "2026-11-22T08:59:59Z"


def test_an_owner_that_is_already_further_says_how_things_are(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    whole = location(cpo.party) | {"name": "Newest", "last_updated": "2026-11-22T10:00:00Z"}
    cpo.hold("locations", whole)
    with odd(hub, emsp, no_patch=True):
        cpo.patch("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json={"name": "New", "last_updated": LATER})

    assert emsp.received[0].json() == whole


def test_a_2_1_1_partner_gets_the_whole_object_of_a_2_1_1_owner(hub: HubProcess, everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V211, V211)
    place = made(V211, "Location", cpo.party, id=new_id())
    place["evses"] = [evse()]
    path = path_of(cpo.party, place["id"])
    with odd(hub, emsp, no_patch=True):
        cpo.put("locations", path, to=emsp.party, json=place, interface=RECEIVER)
        cpo.hold("locations", place)
        answer = cpo.patch("locations", path, to=emsp.party, json={"name": "New"}, interface=RECEIVER)

    assert status(answer) == (200, 1000)
    assert emsp.received[-1].method == "PUT"
    assert emsp.received[-1].json() == place | {"name": "New"}


@pytest.mark.parametrize("to_version", [V221, V230])
def test_a_partner_of_another_version_gets_what_a_2_1_1_owner_pushed_before_in_its_own(
    hub: HubProcess, everyone: Everyone, to_version: Version
) -> None:
    cpo, emsp = between(everyone, V211, to_version)
    place = made(V211, "Location", cpo.party, id=new_id()) | {"name": "Old"}
    path = path_of(cpo.party, place["id"])
    with odd(hub, emsp, no_patch=True):
        cpo.put("locations", path, to=emsp.party, json=place, interface=RECEIVER)
        answer = cpo.patch("locations", path, to=emsp.party, json={"name": "New"}, interface=RECEIVER)

    assert status(answer) == (200, 1000)
    put, patched = emsp.received
    assert (put.method, patched.method) == ("PUT", "PUT")
    assert patched.json() == put.json() | {"name": "New"}
    assert not cpo.received


def test_without_the_whole_object_a_patch_is_4000(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    cpo.answers_next(Behaviour(reset=True), times=2)
    with odd(hub, emsp, no_patch=True):
        answer = cpo.patch("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json={"last_updated": LATER})

    assert status(answer) == (200, 4000)
    assert not emsp.received


def test_of_a_broadcast_everybody_gets_what_they_take(
    hub: HubProcess, cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    place = location(cpo.party, new_id("LOC"))
    path = path_of(cpo.party, place["id"])
    cpo.put("locations", path, to=Party("EU", "HUB"), json=place)
    for each in (emsp, other_emsp):
        each.received.wait_for("locations")
    cpo.hold("locations", place)
    change = {"name": "New", "last_updated": LATER}
    with odd(hub, emsp, no_patch=True):
        answer = cpo.patch("locations", path, to=Party("EU", "HUB"), json=change)
        for each in (emsp, other_emsp):
            each.received.wait_for("locations", count=2)
        cpo.answers_next(Behaviour(reset=True), times=2)
        cpo.patch("locations", path, to=Party("EU", "HUB"), json=change)
        other_emsp.received.wait_for("locations", count=3)

    assert status(answer) == (200, 1000)
    assert [(request.method, request.json()) for request in emsp.received[1:]] == [("PUT", place | change)]
    assert [(request.method, request.json()) for request in other_emsp.received[1:]] == [("PATCH", change)] * 2


def test_no_other_patch_becomes_a_put(hub: HubProcess, everyone: Everyone) -> None:
    """A Terminal is the receiver's own."""
    cpo, other = between(everyone, V230, V230)
    modules = {("payments", SENDER), ("payments", RECEIVER)}
    former = [each.modules for each in (cpo, other)]
    try:
        for each in (cpo, other):
            each.modules = frozenset(modules)
            each.update()
        with odd(hub, other, no_patch=True):
            cpo.patch("payments", "terminals/T1", to=other.party, json={"location_ids": ["L"]}, interface=SENDER)
    finally:
        for each, modules_before in zip((cpo, other), former, strict=True):
            each.modules = modules_before
            each.update()

    assert [request.method for request in other.received] == ["PATCH"]
