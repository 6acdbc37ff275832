"""A CPO that nobody here wrote, on 2.1.1, with eMSPs of ours on 2.1.1, 2.2.1 and 2.3.0.

Where `extrawest_ocpi` is not quite 2.1.1, the hub gets along without any setting:

- What it shows has every optional member, most of them null. A single object comes in a list of one.
- Its CDR has `end_date_time`, as later versions do, in place of `stop_date_time`, and its id in lower case.
- Its version details do not mention its commands; the launcher adds them.
- The result of a command arrives before its answer is complete.
- It cannot say whom a push is for. The launcher has it send routing headers, which the hub believes because of the
  setting `routing_headers_211`. It can push whole objects only, and for a CDR it tells the headers of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from loadtests.simulator.stations import cards, cdr, charging_network, session
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.hub.extrawest.platforms import ExtrawestPlatform, connect
from tests.ocpi import check
from tests.partners import EMSP, partner, path_of

pytestmark = pytest.mark.timeout(600)  # the first run on a machine installs the library

CPO = Party("NL", "EXC")
OLDER, NEWER = Version.V2_1_1, (Version.V2_2_1, Version.V2_3_0)
NETWORK = charging_network(CPO, OLDER, stations=2)
PARTIES = {version: Party("DE", f"E{number}0") for number, version in enumerate((OLDER, *NEWER))}
CARDS = {version: cards(party, version, count=1)[0] | {"valid": True} for version, party in PARTIES.items()}
CHANGED = {version: cards(party, version, count=2)[1] for version, party in PARTIES.items()}
PLACE = NETWORK.locations[0]
RESULTS = {"STOP_SESSION": "UNKNOWN_SESSION", "UNLOCK_CONNECTOR": "TIMEOUT"}


def the_used_evse() -> Json:
    """What a 2.1.1 session or CDR embeds: the location with the one EVSE and connector that is used."""
    evse = PLACE["evses"][0]
    return PLACE | {"evses": [evse | {"connectors": evse["connectors"][:1]}]}


def session_id(version: Version) -> str:
    return f"SESSION{version}"


def cdr_id(version: Version) -> str:
    return f"CDR{version}"


def as_the_library_has_it(record: Json) -> Json:
    """A CDR with the name that it has for the end."""
    return record | {"end_date_time": record["stop_date_time"]}


def its_objects() -> Json:
    contracts = {version: {"auth_id": CARDS[version]["contract_id"]} for version in NEWER}
    sessions = [session(OLDER, session_id(each), the_used_evse(), contracts[each], kwh=3.5) for each in NEWER]
    records = [cdr(OLDER, cdr_id(each), the_used_evse(), contracts[each], NETWORK.tariffs[0]) for each in NEWER]
    return {
        "locations": {each["id"]: each for each in NETWORK.locations},
        "tariffs": {each["id"]: each for each in NETWORK.tariffs},
        "sessions": {each["id"]: each for each in sessions},
        "cdrs": {each["id"]: as_the_library_has_it(each) for each in records},
    }


@pytest.fixture(scope="module")
def emsps(hub: HubProcess) -> Iterator[dict[Version, Partner]]:
    """Ours, by their versions. The one on 2.1.1 says whom it means although its version has no way to."""
    made = {version: partner(EMSP, version, party=party) for version, party in PARTIES.items()}
    made[OLDER] = Partner("Older", {PARTIES[OLDER]: EMSP}, version=OLDER, routing_headers_211=True)
    with ExitStack() as stack:
        for each in made.values():
            stack.enter_context(each.running())
            platform_id = hub.operator.registered(each)
            if each.version is OLDER:
                hub.operator.change(platform_id, routing_headers_211=True)
        yield made


@pytest.fixture(scope="module")
def their_cpo(
    hub: HubProcess, emsps: dict[Version, Partner], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ExtrawestPlatform]:
    """extrawest_ocpi as a CPO on 2.1.1, registered by the hub, with a card of every eMSP."""
    folder = tmp_path_factory.mktemp("extrawest-cpo")
    with ExtrawestPlatform(folder, CPO, Role.CPO, OLDER, its_objects(), RESULTS) as platform:
        hub.operator.change(connect(hub, platform, face=Role.CPO), routing_headers_211=True)
        for version, emsp in emsps.items():
            card = CARDS[version]
            assert emsp.put("tokens", path_of(emsp.party, card["uid"]), to=CPO, json=card).status_code == 1000
        yield platform


@pytest.fixture(params=NEWER)
def emsp(
    request: pytest.FixtureRequest,
    emsps: dict[Version, Partner],
    their_cpo: ExtrawestPlatform,  # noqa: ARG001  # asking for it brings the CPO
) -> Partner:
    """One on 2.2.1, then one on 2.3.0; the CPO is there."""
    one = emsps[request.param]
    one.received.clear()
    return one


def pulled(emsp: Partner, module: str, name: str) -> list[Json]:
    """A whole list of the CPO, all of it valid in the eMSP's version and the CPO's own.

    Of its Sessions and CDRs the hub makes a list of those that are the eMSP's: the CPO has one for all.
    """
    answer = emsp.get(module, to=CPO, params={"date_from": "2020-01-01T00:00:00Z"})
    assert (answer.http_status, answer.status_code) == (200, 1000)
    found: list[Json] = answer.data
    assert int(answer.header("x-total-count") or 0) == len(found) > 0
    for each in found:
        assert check(emsp.version, name, each, strict=True) == []
        assert (each["country_code"], each["party_id"]) == CPO
    return found


def command(emsp: Partner, name: str, **members: object) -> Json:
    """Send a command, which the CPO accepts; returns the result."""
    members["response_url"] = emsp.url("commands", InterfaceRole.SENDER, name, "1")
    answer = emsp.post("commands", name, to=CPO, json=members)
    assert (answer.http_status, answer.status_code) == (200, 1000), answer.body
    assert check(emsp.version, "CommandResponse", answer.data, strict=True) == []
    assert answer.data["result"] == "ACCEPTED"
    [result] = emsp.received.wait_for("commands")
    assert result.place.path == (name, "1")
    assert (result.sender, result.receiver) == (CPO, emsp.party)
    assert check(emsp.version, "CommandResult", result.json(), strict=True) == []
    became: Json = result.json()
    return became


def test_the_hub_registers_at_the_cpo(hub: HubProcess, their_cpo: ExtrawestPlatform) -> None:
    theirs = their_cpo.stored["registration"]["credentials"]

    assert theirs["url"] == hub.versions_url
    assert (theirs["country_code"], theirs["party_id"]) == ("EU", "HUB")


def test_a_token_of_the_same_version_reaches_the_cpo(their_cpo: ExtrawestPlatform) -> None:
    card = CARDS[OLDER]

    assert their_cpo.stored["objects"]["tokens"][card["uid"]]["auth_id"] == card["auth_id"]


def test_a_location_reaches_the_emsp_of_the_same_version(
    hub: HubProcess, emsps: dict[Version, Partner], their_cpo: ExtrawestPlatform
) -> None:
    emsp = emsps[OLDER]
    pushed = their_cpo.push(hub, "locations", "LOC1", to=emsp.party)

    assert pushed.answer["status_code"] == 1000
    [received] = emsp.received.wait_for("locations")
    assert received.place.path == (*CPO, "LOC1")
    assert received.json()["evses"][0]["connectors"][0]["tariff_id"]


def test_a_token_reaches_the_cpo(emsp: Partner, their_cpo: ExtrawestPlatform) -> None:
    card = CARDS[emsp.version]
    kept = their_cpo.stored["objects"]["tokens"][card["uid"]]

    assert check(OLDER, "Token", kept, strict=True) == []
    assert kept["auth_id"] == card["contract_id"]
    assert {name: kept[name] for name in ("type", "issuer", "valid", "visual_number", "last_updated")} == {
        name: card[name] for name in ("type", "issuer", "valid", "visual_number", "last_updated")
    }


def test_a_change_of_a_token_reaches_the_cpo_and_it_can_be_read_there(
    emsp: Partner, their_cpo: ExtrawestPlatform
) -> None:
    card = CHANGED[emsp.version]
    path = path_of(emsp.party, card["uid"])
    news = {"issuer": "Somebody else", "last_updated": "2026-11-23T10:00:00Z"}

    assert emsp.put("tokens", path, to=CPO, json=card).status_code == 1000
    assert emsp.patch("tokens", path, to=CPO, json=news).status_code == 1000

    assert their_cpo.stored["objects"]["tokens"][card["uid"]]["issuer"] == "Somebody else"
    kept = emsp.get("tokens", path, to=CPO, interface=InterfaceRole.RECEIVER).data
    assert check(emsp.version, "Token", kept, strict=True) == []
    assert (kept["uid"], kept["contract_id"], kept["issuer"]) == (card["uid"], card["contract_id"], "Somebody else")


def test_its_locations_can_be_pulled(emsp: Partner) -> None:
    found = pulled(emsp, "locations", "Location")

    assert [each["id"] for each in found] == [each["id"] for each in NETWORK.locations]
    assert [len(each["evses"]) for each in found] == [len(each["evses"]) for each in NETWORK.locations]
    tariffs = found[0]["evses"][0]["connectors"][0]["tariff_ids"]
    assert tariffs == [PLACE["evses"][0]["connectors"][0]["tariff_id"]]


@pytest.mark.parametrize("depth", [1, 2, 3], ids=["location", "evse", "connector"])
def test_one_of_its_locations_can_be_pulled(emsp: Partner, depth: int) -> None:
    evse = PLACE["evses"][0]
    ids = (PLACE["id"], evse["uid"], evse["connectors"][0]["id"])[:depth]

    answer = emsp.get("locations", "/".join(ids), to=CPO)

    assert answer.status_code == 1000
    assert check(emsp.version, ("Location", "EVSE", "Connector")[depth - 1], answer.data, strict=True) == []
    assert ids[-1] in (answer.data.get("uid"), answer.data.get("id"))


def test_a_location_it_does_not_have_is_not_found(emsp: Partner) -> None:
    answer = emsp.get("locations", "NONE", to=CPO)

    assert answer.http_status == 404
    assert answer.status_code in range(2000, 3000)


def test_its_tariffs_can_be_pulled(emsp: Partner) -> None:
    found = pulled(emsp, "tariffs", "Tariff")

    assert [each["id"] for each in found] == [each["id"] for each in NETWORK.tariffs]
    prices = [part["price"] for part in found[0]["elements"][0]["price_components"]]
    assert prices == [part["price"] for part in NETWORK.tariffs[0]["elements"][0]["price_components"]]


def test_its_sessions_can_be_pulled(emsp: Partner) -> None:
    found = {each["id"]: each for each in pulled(emsp, "sessions", "Session")}

    assert list(found) == [session_id(emsp.version)]
    mine, card = found[session_id(emsp.version)], CARDS[emsp.version]
    assert (mine["kwh"], mine["location_id"]) == (3.5, PLACE["id"])
    assert mine["evse_uid"] == PLACE["evses"][0]["uid"]
    assert (mine["cdr_token"]["uid"], mine["cdr_token"]["contract_id"]) == (card["uid"], card["contract_id"])


def test_its_cdrs_can_be_pulled(emsp: Partner) -> None:
    found = {each["id"]: each for each in pulled(emsp, "cdrs", "CDR")}

    mine = found[cdr_id(emsp.version).lower()]
    assert (mine["total_energy"], mine["cdr_location"]["id"]) == (20.5, PLACE["id"])
    assert mine["cdr_token"]["uid"] == CARDS[emsp.version]["uid"]


def test_a_location_it_pushes_reaches_the_emsp(hub: HubProcess, emsp: Partner, their_cpo: ExtrawestPlatform) -> None:
    pushed = their_cpo.push(hub, "locations", PLACE["id"], to=emsp.party)

    assert (pushed.http_status, pushed.answer["status_code"]) == (200, 1000)
    [received] = emsp.received.wait_for("locations")
    assert received.place.path == (*CPO, PLACE["id"])
    assert check(emsp.version, "Location", received.json(), strict=True) == []


def test_a_tariff_it_pushes_reaches_the_emsp(hub: HubProcess, emsp: Partner, their_cpo: ExtrawestPlatform) -> None:
    pushed = their_cpo.push(hub, "tariffs", "T1", to=emsp.party)

    assert (pushed.http_status, pushed.answer["status_code"]) == (200, 1000)
    [received] = emsp.received.wait_for("tariffs")
    assert received.place.path == (*CPO, "T1")
    assert check(emsp.version, "Tariff", received.json(), strict=True) == []


def test_a_session_it_pushes_reaches_the_emsp(hub: HubProcess, emsp: Partner, their_cpo: ExtrawestPlatform) -> None:
    pushed = their_cpo.push(hub, "sessions", session_id(emsp.version), to=emsp.party)

    assert (pushed.http_status, pushed.answer["status_code"]) == (200, 1000)
    [received] = emsp.received.wait_for("sessions")
    assert received.place.path == (*CPO, session_id(emsp.version))
    assert check(emsp.version, "Session", received.json(), strict=True) == []
    assert received.json()["cdr_token"]["uid"] == CARDS[emsp.version]["uid"]


def test_a_cdr_it_posts_reaches_the_emsp(hub: HubProcess, emsp: Partner, their_cpo: ExtrawestPlatform) -> None:
    pushed = their_cpo.push(hub, "cdrs", cdr_id(emsp.version), to=emsp.party)

    assert pushed.http_status in {200, 201}
    assert pushed.answer["location"].startswith(f"{hub.url}/ocpi/")
    [received] = emsp.received.wait_for("cdrs")
    record, posted = received.json(), their_cpo.stored["objects"]["cdrs"][cdr_id(emsp.version)]
    assert check(emsp.version, "CDR", record, strict=True) == []
    assert record["end_date_time"] == posted["stop_date_time"]
    amount = "before_taxes" if emsp.version is Version.V2_3_0 else "excl_vat"
    assert record["total_cost"] == {amount: posted["total_cost"]}
    assert record["cdr_token"]["uid"] == CARDS[emsp.version]["uid"]


def test_start_session(emsp: Partner, their_cpo: ExtrawestPlatform) -> None:
    evse, card = PLACE["evses"][0], CARDS[emsp.version]
    where = {"location_id": PLACE["id"], "evse_uid": evse["uid"], "connector_id": evse["connectors"][0]["id"]}

    result = command(emsp, "START_SESSION", token=card, authorization_reference="REF1", **where)

    assert result["result"] == "ACCEPTED"
    arrived = their_cpo.stored["objects"]["commands"]["START_SESSION"]
    assert (arrived["location_id"], arrived["evse_uid"]) == (PLACE["id"], evse["uid"])
    assert (arrived["token"]["uid"], arrived["token"]["auth_id"]) == (card["uid"], card["contract_id"])


def test_stop_session(emsp: Partner, their_cpo: ExtrawestPlatform) -> None:
    result = command(emsp, "STOP_SESSION", session_id=session_id(emsp.version))

    assert result["result"] == "FAILED", "which is what later versions call an unknown session"
    assert their_cpo.stored["objects"]["commands"]["STOP_SESSION"]["session_id"] == session_id(emsp.version)


def test_unlock_connector(emsp: Partner, their_cpo: ExtrawestPlatform) -> None:
    evse = PLACE["evses"][0]
    where = {"location_id": PLACE["id"], "evse_uid": evse["uid"], "connector_id": evse["connectors"][0]["id"]}

    assert command(emsp, "UNLOCK_CONNECTOR", **where)["result"] == "TIMEOUT"

    arrived = their_cpo.stored["objects"]["commands"]["UNLOCK_CONNECTOR"]
    assert {name: arrived[name] for name in where} == where


def test_reserve_now(emsp: Partner, their_cpo: ExtrawestPlatform) -> None:
    reservation = {
        "token": CARDS[emsp.version],
        "expiry_date": "2026-12-24T18:00:00Z",
        "reservation_id": f"RESERVATION-{emsp.version}",
        "location_id": PLACE["id"],
    }

    assert command(emsp, "RESERVE_NOW", **reservation)["result"] == "ACCEPTED"

    arrived = their_cpo.stored["objects"]["commands"]["RESERVE_NOW"]
    assert type(arrived["reservation_id"]) is int
    assert (arrived["expiry_date"], arrived["evse_uid"]) == ("2026-12-24T18:00:00Z", None)


def test_a_command_at_an_unknown_location_is_refused(emsp: Partner) -> None:
    asked = {
        "response_url": emsp.url("commands", InterfaceRole.SENDER, "START_SESSION", "1"),
        "token": CARDS[emsp.version],
        "location_id": "NONE",
    }

    answer = emsp.post("commands", "START_SESSION", to=CPO, json=asked)

    assert (answer.http_status, answer.status_code) == (200, 2003)
