"""The simulator itself: two partners talk to each other without a hub between them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import pytest

from loadtests.simulator import Behaviour, HubRefused, Partner, envelope, misbehaviour
from loadtests.simulator.stations import cards, cdr, charging_network, session
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.partners import CPO, EMSP, location, path_of

VOLT, ROAM = Party("NL", "VLT"), Party("DE", "ROM")


@pytest.fixture(params=list(Version))
def version(request: pytest.FixtureRequest) -> Version:
    return Version(request.param)


@pytest.fixture
def emsp() -> Iterator[Partner]:
    with Partner("Roam", {ROAM: EMSP}, versions=list(Version)).running() as partner:
        partner.invite("an-invitation")
        yield partner


@pytest.fixture
def cpo(emsp: Partner) -> Iterator[Partner]:
    with Partner("Volt", {VOLT: CPO}).running() as partner:
        partner.register(emsp.versions_url, "an-invitation")
        yield partner


def test_partners_register_in_every_version(emsp: Partner, version: Version) -> None:
    with Partner("Volt", {VOLT: [Role.CPO]}, version=version).running() as cpo:
        cpo.register(emsp.versions_url, "an-invitation")

        assert cpo.connection.version == version
        assert cpo.get("tokens").status_code == 1000
        assert emsp.get("tariffs").status_code == 1000


def test_the_credentials_name_the_party_as_the_version_wants_it(emsp: Partner, version: Version) -> None:
    credentials = emsp.registration.credentials(version, "secret")

    named = credentials if version is Version.V2_1_1 else credentials["roles"][0]
    assert (named["country_code"], named["party_id"]) == ROAM
    assert ("roles" in credentials) == (version is not Version.V2_1_1)


def test_a_location_and_a_change_to_its_evse_are_kept(cpo: Partner, emsp: Partner) -> None:
    whole = location(VOLT, "A B/ö#1") | {"evses": [{"uid": "E1", "status": "AVAILABLE"}]}
    path = path_of(VOLT, "A%20B%2F%C3%B6%231")

    cpo.put("locations", path, to=ROAM, json=whole)
    cpo.patch("locations", f"{path}/E1", to=ROAM, json={"status": "CHARGING"})

    assert cpo.get("locations", path, interface=InterfaceRole.RECEIVER).data["evses"][0]["status"] == "CHARGING"
    put, *_ = emsp.received
    assert put.place.path == (*VOLT, "A B/ö#1")
    assert (put.sender, put.receiver) == (VOLT, ROAM)


def test_a_list_comes_in_pages_with_a_link_to_the_next(cpo: Partner, emsp: Partner) -> None:
    cpo.hold("locations", *charging_network(VOLT, Version.V2_2_1, stations=120).locations)

    pages = list(emsp.pages("locations", params={"date_from": "2020-01-01T00:00:00Z"}))

    assert [len(page.data) for page in pages] == [50, 50, 20]
    assert [page.header("x-total-count") for page in pages] == ["120"] * 3
    assert all("date_from=2020" in request.query for request in cpo.received)


def test_a_command_is_answered_and_its_result_follows(cpo: Partner, emsp: Partner) -> None:
    response_url = emsp.url("commands", InterfaceRole.SENDER, "START_SESSION", "42")

    answer = emsp.post("commands", "START_SESSION", to=VOLT, json={"response_url": response_url})

    assert answer.data["result"] == "ACCEPTED"
    [result] = emsp.received.wait_for("commands")
    assert result.json() == {"result": "ACCEPTED"}
    assert result.place.path == ("START_SESSION", "42")
    assert cpo.command_result == {"result": "ACCEPTED"}


def test_a_result_that_meets_a_change_of_tokens_is_posted_again(cpo: Partner, emsp: Partner) -> None:
    emsp.answers_next(envelope(status_code=2000, http_status=401), module="commands")
    response_url = emsp.url("commands", InterfaceRole.SENDER, "START_SESSION", "42")
    with ThreadPoolExecutor(1) as pool:
        with emsp.pausing(module="credentials", method="PUT"):
            updating = pool.submit(cpo.update)
            emsp.ledger.wait_for(lambda request: (request.module, request.method) == ("credentials", "PUT"))
            emsp.post("commands", "START_SESSION", to=VOLT, json={"response_url": response_url})
            emsp.received.wait_for("commands")
        updating.result()

    cpo.settle()

    assert [sent.answer.http_status for sent in cpo.sent if sent.url == response_url] == [401, 200]
    assert [step.method for step in cpo.registration.handshake] == ["GET", "GET", "PUT"]


def test_a_cdr_gets_a_location_where_it_can_be_read(cpo: Partner) -> None:
    answer = cpo.post("cdrs", to=ROAM, json={"id": "CDR1"})

    assert answer.http_status == 201
    assert cpo.get(answer.header("location") or "").data == {"id": "CDR1"}


def test_only_known_cards_are_authorized(cpo: Partner, emsp: Partner) -> None:
    card = cards(ROAM, Version.V2_2_1, count=1)[0] | {"valid": True}
    emsp.hold("tokens", card)

    assert cpo.post("tokens", f"{card['uid']}/authorize").data["allowed"] == "ALLOWED"
    assert cpo.post("tokens", "unknown/authorize").http_status == 404


def test_a_wrong_token_is_refused(cpo: Partner, emsp: Partner) -> None:
    assert cpo.get("tokens", token="guessed").http_status == 401
    assert cpo.get("tokens", headers={"authorization": f"Token {cpo.connection.our_token}"}).http_status == 401
    emsp.registration.forget()
    with pytest.raises(HubRefused, match=r"^GET versions: HTTP \d{3}, 2\d{3} \w"):
        cpo.update()


def test_the_next_request_is_answered_as_the_script_says(cpo: Partner, emsp: Partner) -> None:
    emsp.answers_next(envelope(status_code=2950, http_status=418), module="tokens", method="GET")

    assert cpo.put("locations", path_of(VOLT, "L"), json={}).status_code == 1000
    assert cpo.get("tokens").status_code == 2950
    assert cpo.get("tokens").status_code == 1000


@pytest.mark.parametrize(
    "profile",
    [misbehaviour.DEAD, misbehaviour.RESETTING, misbehaviour.GARBAGE, misbehaviour.CUT_SHORT],
    ids=["dead", "resetting", "garbage", "cut short"],
)
def test_a_misbehaving_partner_gives_no_answer(cpo: Partner, emsp: Partner, profile: Behaviour) -> None:
    with emsp.behaving(profile), pytest.raises(httpx.TransportError):
        cpo.get("tokens", timeout_s=0.3)

    assert cpo.get("tokens").status_code == 1000


def test_a_closed_port_refuses_and_later_answers_again(cpo: Partner, emsp: Partner) -> None:
    with emsp.port_closed(), pytest.raises(httpx.ConnectError):
        cpo.get("tokens")

    assert cpo.get("tokens").status_code == 1000


def test_waiting_for_what_does_not_come_says_what_came(cpo: Partner, emsp: Partner) -> None:
    cpo.get("tokens")

    with pytest.raises(TimeoutError, match=r"GET /2.2.1/tokens/sender"):
        emsp.received.wait_for("cdrs", timeout_s=0.01)


@pytest.mark.anyio
async def test_asynchronous_code_sends_and_waits_without_blocking(cpo: Partner, emsp: Partner) -> None:
    answer = await cpo.send("GET", "tokens", to=ROAM)

    assert answer.sender == ROAM
    assert await emsp.received.arrival("tokens", timeout_s=1)


def test_the_same_seed_gives_the_same_stations_in_every_version(version: Version) -> None:
    network = charging_network(VOLT, version)
    assert msgspec.json.encode(network) == msgspec.json.encode(charging_network(VOLT, version))

    known = {tariff["id"] for tariff in network.tariffs}
    connectors = [
        connector for place in network.locations for evse in place["evses"] for connector in evse["connectors"]
    ]
    used = {name for one in connectors for name in one.get("tariff_ids", [one.get("tariff_id")])}
    assert len(network.locations) >= 200
    assert used <= known

    place, card = network.locations[0], cards(ROAM, version, count=1)[0]
    under_way = session(version, "S1", place, card)
    record = cdr(version, "C1", place, card, network.tariffs[0])
    assert ("cdr_token" in under_way) == ("cdr_token" in record) == (version is not Version.V2_1_1)
