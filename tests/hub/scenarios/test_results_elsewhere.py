"""What one process of the hub begins, and another one, or the same after a restart, has to go on with.

OCPI 2.2.1, "Commands", "ChargingProfiles" and "Tokens"; 2.3.0, "Bookings".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

import pytest

from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.failures.waiting import eventually
from tests.hub.scenarios.elsewhere import Places, places
from tests.hub.scenarios.translated import made, new_id, status
from tests.partners import CPO, EMSP, new_party, path_of, registered, token

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
V230 = Version.V2_3_0
LATER = "2026-11-22T09:00:00Z"
BOOKINGS = frozenset({("bookings", SENDER), ("bookings", RECEIVER)})


class Everybody(NamedTuple):
    """Those who are registered."""

    places: Places
    cpo: Partner
    emsp: Partner
    other_emsp: Partner
    scsp: Partner
    booked: Partner
    booking: Partner


def _partner(name: str, roles: Sequence[Role], version: Version = Version.V2_2_1, **choices: object) -> Partner:
    return Partner(name, {new_party(): list(roles)}, version=version, **choices)  # type: ignore[arg-type]  # of one kind


@pytest.fixture(scope="module")
def registered_everywhere(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everybody]:
    """Hubs for the whole module, on each store."""
    profiles = {("chargingprofiles", SENDER), ("chargingprofiles", RECEIVER), ("sessions", RECEIVER)}
    everyone = (
        _partner("CPO", CPO),
        _partner("eMSP", EMSP),
        _partner("other eMSP", EMSP),
        _partner("SCSP", [Role.SCSP], modules=profiles),
        _partner("CPO with bookings", CPO, V230, modules=BOOKINGS),
        _partner("eMSP with bookings", EMSP, V230, modules=BOOKINGS),
    )
    with places(tmp_path_factory.mktemp("places"), stores) as where, registered(where.begin, *everyone) as found:
        yield Everybody(where, *found)


@pytest.fixture
def everybody(registered_everywhere: Everybody) -> Everybody:
    for each in registered_everywhere[1:]:
        each.script.clear()
        each.received.clear()
        each.command_result = None
    return registered_everywhere


def command(emsp: Partner, **fields: object) -> Json:
    return {"response_url": emsp.url("commands", SENDER, "any", new_id()), "token": token(emsp.party), **fields}


def posted_in_time(cpo: Partner, url: str, result: Json) -> Answer:
    """What the hub says to a result, of which it takes one in a second on each URL."""
    answers: list[Answer] = []

    def is_taken() -> bool:
        answers.append(cpo.post(url, json=result))
        return answers[-1].http_status != 429

    eventually(is_taken)
    return answers[-1]


def test_results_arrive_wherever_they_are_posted_and_a_reservation_is_cancelled_after_a_restart(
    everybody: Everybody,
) -> None:
    where, cpo, emsp = everybody.places, everybody.cpo, everybody.emsp
    ends = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = command(emsp, reservation_id="R1", location_id="LOC1", expiry_date=ends)
    emsp.post("commands", "RESERVE_NOW", to=cpo.party, json=body)
    profile: Json = {
        "charging_profile": {"charging_rate_unit": "W"},
        "response_url": emsp.url("chargingprofiles", SENDER, "result"),
    }
    emsp.put("chargingprofiles", "S1", to=cpo.party, json=profile)
    reservation, charging = (request.json()["response_url"] for request in cpo.received)

    confirmed = cpo.post(where.elsewhere(reservation), json={"result": "ACCEPTED"})
    set_ = cpo.post(charging, to=emsp.party, json={"result": "ACCEPTED"})
    where.restart()
    cancelled = posted_in_time(cpo, reservation, {"result": "CANCELED_RESERVATION"})

    assert [status(each) for each in (confirmed, set_, cancelled)] == [(200, 1000)] * 3
    assert [(request.raw_path, request.json()["result"]) for request in emsp.received] == [
        (body["response_url"].removeprefix(emsp.base), "ACCEPTED"),
        (profile["response_url"].removeprefix(emsp.base), "ACCEPTED"),
        (body["response_url"].removeprefix(emsp.base), "CANCELED_RESERVATION"),
    ]
    assert {(request.receiver, request.sender) for request in emsp.received} == {(emsp.party, cpo.party)}


def test_all_processes_count_the_results_on_one_callback_together(everybody: Everybody) -> None:
    where, cpo, emsp = everybody.places, everybody.cpo, everybody.emsp
    emsp.post("commands", "STOP_SESSION", to=cpo.party, json=command(emsp, session_id="S1"))
    url = cpo.received[0].json()["response_url"]

    answers = [cpo.post(each, json={"result": "ACCEPTED"}) for each in (url, where.elsewhere(url))]

    assert [status(each) for each in answers] == [(200, 1000), (429, 2000)]
    assert answers[1].header("retry-after") == "1"


def test_an_active_charging_profile_goes_to_who_set_it_last(everybody: Everybody) -> None:
    where, cpo, emsp, scsp = everybody.places, everybody.cpo, everybody.emsp, everybody.scsp
    session_id = new_id("S")
    profile = {"charging_profile": {"charging_rate_unit": "W"}}
    for each in (scsp, emsp):
        body = profile | {"response_url": each.url("chargingprofiles", SENDER, "result")}
        answer = each.put("chargingprofiles", session_id, to=cpo.party, json=body, interface=RECEIVER)
        assert answer.data["result"] == "ACCEPTED"
    active = {"start_date_time": LATER, "charging_profile": {"charging_rate_unit": "W"}}

    def put(session_id: str, url: str) -> tuple[int, int]:
        return status(cpo.put(f"{url}/{session_id}", json=active))

    url = where.url(cpo, "chargingprofiles", SENDER)
    eventually(lambda: put(session_id, url) == (200, 1000) and bool(emsp.received), within_s=5)
    scsp.received.clear()  # the other process may have heard of the first before the last

    assert put(session_id, url) == (200, 1000)
    assert emsp.received[-1].json() == active
    assert (emsp.received[-1].receiver, emsp.received[-1].sender) == (emsp.party, cpo.party)
    assert not scsp.received
    assert put("NEVER-HEARD-OF", url) == (200, 4001)


def test_a_booking_finds_its_cpo_and_its_result_finds_its_emsp(everybody: Everybody) -> None:
    where, cpo, emsp = everybody.places, everybody.booked, everybody.booking
    owner = {"country_code": cpo.party.country_code, "party_id": cpo.party.party_id}
    place = owner | {"id": new_id("BL"), "location_id": new_id("LOC"), "last_updated": LATER}
    cpo.put("bookings", f"bookinglocations/{path_of(cpo.party, place['id'])}", to=emsp.party, json=place)
    request_id, booking_id = new_id("R"), new_id("B")
    request = {
        "request_id": request_id,
        "booking_location_id": place["id"],
        "country_code": emsp.party.country_code,
        "party_id": emsp.party.party_id,
        "response_url": emsp.url("bookings", SENDER, "result"),
    }
    pending = {"id": booking_id, "request_id": request_id, **owner, "reservation_status": "PENDING"}

    cpo.received.clear()
    cpo.answers_next(envelope(pending | {"response_url": f"{cpo.base}/own", "more": [0.10]}), module="bookings")
    url = where.url(emsp, "bookings", SENDER)
    eventually(lambda: emsp.post(url, json=request).status_code == 1000, within_s=5)

    [requested] = [each for each in cpo.received if each.method == "POST"]
    assert (requested.receiver, requested.sender) == (cpo.party, emsp.party)
    callback = requested.json()["response_url"]
    assert "/ocpi/2.3.0/sender/bookings/callback/" in callback
    assert status(cpo.post(callback, json={"result": "ACCEPTED"})) == (200, 1000)
    assert emsp.base + emsp.received[-1].raw_path == request["response_url"]

    change = {"reservation_status": "RESERVED", "last_updated": LATER}
    emsp.answers_next(envelope(), module="bookings", times=3)
    where.restart()

    def patched(booking: str) -> int:
        return status(cpo.patch("bookings", path_of(cpo.party, booking), json=change))[0]

    def is_taken(booking: str) -> bool:
        return patched(booking) == 200

    for booking in (booking_id, request_id):
        eventually(partial(is_taken, booking))  # a database that does not answer soon makes things unknown
    assert patched(new_id("B")) == 404
    assert [each.raw_path.rpartition("/")[2] for each in emsp.received if each.method == "PATCH"] == [
        booking_id,
        request_id,
    ]


def test_the_response_url_in_an_answer_about_a_booking_leads_through_the_hub(everybody: Everybody) -> None:
    cpo, emsp = everybody.booked, everybody.booking
    own, foreign = cpo.url("bookings", SENDER, "own"), "https://evil.example/x"

    def asked(response_url: str) -> Json:
        cpo.answers_next(envelope({"id": "B1", "n": 0.5, "response_url": response_url}), module="bookings")
        body = {"request_id": new_id(), "response_url": emsp.url("bookings", SENDER, "result")}
        answer: Json = emsp.post("bookings", to=cpo.party, json=body, interface=SENDER).data
        return answer

    given = asked(own)
    assert given["response_url"].startswith(f"{everybody.places.begin.url}/ocpi/2.3.0/sender/bookings/callback/")
    assert emsp.post(given["response_url"], json={"fine": True}).status_code == 1000
    assert cpo.base + cpo.received[-1].raw_path == own
    assert asked(foreign) == {"id": "B1", "n": 0.5}

    callback = cpo.received[-1].json()["response_url"]
    assert asked(callback)["response_url"] == emsp.url("bookings", SENDER, "result")

    cpo.put("bookings", path_of(cpo.party, "B1"), to=emsp.party, json={"id": "B1", "response_url": own})
    pushed = emsp.received[-1].json()["response_url"]
    assert pushed.startswith(f"{everybody.places.begin.url}/ocpi/2.3.0/sender/bookings/callback/")
    assert emsp.post(pushed, json={"fine": True}).status_code == 1000


def test_a_token_that_nobody_has_heard_of_is_asked_for_everywhere_and_then_only_where_it_is(
    everybody: Everybody,
) -> None:
    where, cpo, emsp, other = everybody.places, everybody.cpo, everybody.emsp, everybody.other_emsp
    uid = new_id("UID")
    other.hold("tokens", token(other.party, uid))

    answer = cpo.post("tokens", f"{uid}/authorize", interface=SENDER)

    assert answer.data["allowed"] == "ALLOWED"
    assert (answer.receiver, answer.sender) == (cpo.party, other.party)
    assert (len(emsp.received), len(other.received)) == (1, 1)
    assert emsp.received[0].header("x-correlation-id") == other.received[0].header("x-correlation-id")

    url = where.url(cpo, "tokens", SENDER, f"{uid}/authorize")

    def only_the_owner_is_asked() -> bool:
        emsp.received.clear()
        return cpo.post(url).status_code == 1000 and not emsp.received

    eventually(only_the_owner_is_asked, within_s=5)


def test_nobody_knows_a_token_or_nobody_answers(everybody: Everybody) -> None:
    cpo, emsps = everybody.cpo, (everybody.emsp, everybody.other_emsp)

    unknown = cpo.post("tokens", f"{new_id('UID')}/authorize", interface=SENDER)
    for each in emsps:
        each.answers_next(Behaviour(silent=True), module="tokens")
    late = cpo.post("tokens", f"{new_id('UID')}/authorize", interface=SENDER)
    for each in emsps:
        each.answers_next(Behaviour(reset=True), module="tokens")
    broken = cpo.post("tokens", f"{new_id('UID')}/authorize", interface=SENDER)

    assert [status(each) for each in (unknown, late, broken)] == [(404, 2004), (200, 4002), (200, 4003)]
    assert unknown.sender == Party("EU", "HUB")


def test_an_scsp_gets_sessions_from_both_sides_and_sets_profiles(everybody: Everybody) -> None:
    where, cpo, emsp, scsp = everybody.places, everybody.cpo, everybody.emsp, everybody.scsp
    card = token(emsp.party, new_id("UID"))
    session = made(Version.V2_2_1, "Session", cpo.party, id=new_id("S"), authorization_reference=None)
    session["cdr_token"] = {name: card[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}
    path = path_of(cpo.party, session["id"])

    assert status(cpo.put("sessions", path, to=scsp.party, json=session)) == (200, 1000)
    body = {
        "charging_profile": {"charging_rate_unit": "W"},
        "response_url": scsp.url("chargingprofiles", SENDER, "result"),
    }
    answer = scsp.put("chargingprofiles", session["id"], to=cpo.party, json=body, interface=RECEIVER)
    assert status(answer) == (200, 1000)

    assert status(emsp.put("sessions", path, to=scsp.party, json=session, interface=RECEIVER)) == (404, 2000)
    cpo.put("sessions", path, to=emsp.party, json=session)
    url = where.url(emsp, "sessions", RECEIVER, path)
    eventually(lambda: status(emsp.put(url, to=scsp.party, json=session)) == (200, 1000), within_s=5)
    stranger = everybody.other_emsp.put("sessions", path, to=scsp.party, json=session, interface=RECEIVER)

    assert scsp.received[-1].sender == emsp.party
    assert scsp.received[-1].json() == session
    assert status(stranger) == (404, 2000)
