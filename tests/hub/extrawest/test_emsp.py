"""An eMSP that nobody here wrote, on 2.2.1, with CPOs of ours on 2.2.1 and 2.1.1.

Where `extrawest_ocpi` is not quite 2.2.1, the hub gets along without any setting:

- It shows and keeps what is case-insensitive in lower case. A single object comes in a list of one.
- It reads `token_type` where the `type` of a Token is asked for, so it takes every Token for RFID.
- It forgets the `evse_uid` of a CDR's location, and gives a URL for a CDR that it does not serve.
- A PATCH of a Session replaces the charging periods it has, where it should add to them.
- It answers what it does not know with 404 and no envelope.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from loadtests.simulator.stations import cdr, charging_network, session
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.hub.extrawest.platforms import ExtrawestPlatform, connect
from tests.ocpi import check
from tests.partners import CPO, location, partner, path_of, registered, token

pytestmark = pytest.mark.timeout(600)  # the first run on a machine installs the library

EMSP = Party("DE", "EXW")
OLDER = Version.V2_1_1
CARDS = {uid: token(EMSP, uid) | {"contract_id": f"DEEXWC{uid}"} for uid in ("CARD1", "CARD2")}
CONTRACT = {"auth_id": "deexwccard1"}
OLD_CPO = Party("NL", "OLD")
NETWORK = charging_network(OLD_CPO, OLDER, stations=2)
PLACE = NETWORK.locations[0]


@pytest.fixture(scope="module")
def cpo(hub: HubProcess) -> Iterator[Partner]:
    with registered(hub, partner(CPO)) as [one]:
        yield one


@pytest.fixture(scope="module")
def old_cpo(hub: HubProcess, their_emsp: ExtrawestPlatform) -> Iterator[Partner]:
    """One of ours on 2.1.1, which says whom it means although its version has no way to, and has the eMSP's card."""
    with Partner("Older", {OLD_CPO: CPO}, version=OLDER, routing_headers_211=True).running() as one:
        hub.operator.change(hub.operator.registered(one), routing_headers_211=True)
        one.hold("locations", *NETWORK.locations)
        one.hold("tariffs", *NETWORK.tariffs)
        assert their_emsp.push(hub, "tokens", "CARD1", to=OLD_CPO).answer["status_code"] == 1000
        yield one


@pytest.fixture(scope="module")
def their_emsp(hub: HubProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExtrawestPlatform]:
    """extrawest_ocpi as an eMSP on 2.2.1, registered by the hub."""
    folder = tmp_path_factory.mktemp("extrawest-emsp")
    with ExtrawestPlatform(folder, EMSP, Role.EMSP, Version.V2_2_1, {"tokens": CARDS}) as platform:
        connect(hub, platform)
        yield platform


def the_used_evse() -> Json:
    """What a 2.1.1 session or CDR embeds: the location with the one EVSE and connector that is used."""
    evse = PLACE["evses"][0]
    return PLACE | {"evses": [evse | {"connectors": evse["connectors"][:1]}]}


def kept(platform: ExtrawestPlatform, module: str, object_id: str) -> Json:
    """What it has made of an object; its members are those that it knows."""
    found: Json = platform.stored["objects"][module][object_id.lower()]
    return found


def test_the_hub_registers_at_the_emsp(hub: HubProcess, their_emsp: ExtrawestPlatform) -> None:
    assert their_emsp.stored["registration"]["credentials"]["url"] == hub.versions_url
    parties = hub.operator.ask("GET", "/api/v1/parties?role=EMSP&q=EXW")["items"]
    assert [(found["party_id"], found["status"]) for found in parties] == [("EXW", "CONNECTED")]


def test_a_location_of_the_same_version_reaches_the_emsp(cpo: Partner, their_emsp: ExtrawestPlatform) -> None:
    path = path_of(cpo.party, "LOC1")

    answer = cpo.put("locations", path, to=EMSP, json=location(cpo.party))

    assert answer.status_code == 1000
    assert answer.sender == EMSP
    assert kept(their_emsp, "locations", "LOC1")["address"]
    read_back = cpo.get("locations", path.lower(), to=EMSP, interface=InterfaceRole.RECEIVER)
    assert read_back.data[0]["city"]


def test_a_token_reaches_the_cpo_of_the_same_version(
    hub: HubProcess, cpo: Partner, their_emsp: ExtrawestPlatform
) -> None:
    pushed = their_emsp.push(hub, "tokens", "CARD1", to=cpo.party)

    assert pushed.answer["status_code"] == 1000
    [received] = cpo.received.wait_for("tokens")
    assert received.place.path == (*EMSP, "CARD1")
    assert (received.sender, received.receiver) == (EMSP, cpo.party)
    assert received.json()["issuer"] == "Roam"


@pytest.mark.usefixtures("their_emsp")
def test_its_list_of_tokens_can_be_pulled_with_the_slash_it_registered(cpo: Partner) -> None:
    answer = cpo.get("tokens", to=EMSP)

    assert [found["uid"] for found in answer.data] == ["card1", "card2"]
    assert answer.header("x-total-count") == "2"
    assert answer.next_url is None


def test_a_token_reaches_the_older_cpo(old_cpo: Partner) -> None:
    arrived = old_cpo.shelf.find_pushed("tokens", (*EMSP, "CARD1"))

    assert arrived is not None
    assert check(OLDER, "Token", arrived, strict=True) == []
    assert (arrived["uid"], arrived["auth_id"]) == ("card1", CONTRACT["auth_id"])


def test_its_list_of_tokens_can_be_pulled_by_the_older_cpo(old_cpo: Partner) -> None:
    answer = old_cpo.get("tokens", to=EMSP)

    assert answer.header("x-total-count") == "2"
    assert [check(OLDER, "Token", each, strict=True) for each in answer.data] == [[], []]
    assert [(each["uid"], each["auth_id"]) for each in answer.data] == [
        ("card1", "deexwccard1"),
        ("card2", "deexwccard2"),
    ]


def test_its_token_is_authorized_for_the_older_cpo(old_cpo: Partner, their_emsp: ExtrawestPlatform) -> None:
    asked = {"location_id": PLACE["id"], "evse_uids": [PLACE["evses"][0]["uid"]]}

    answer = old_cpo.post("tokens", "CARD1/authorize?type=RFID", to=EMSP, json=asked)

    assert answer.status_code == 1000
    assert check(OLDER, "AuthorizationInfo", answer.data, strict=True) == []
    assert answer.data["allowed"] == "ALLOWED"
    assert kept(their_emsp, "authorizations", "CARD1")["location_reference"]["location_id"] == PLACE["id"].lower()


def test_a_token_it_does_not_have_is_not_found(old_cpo: Partner) -> None:
    answer = old_cpo.post("tokens", "NONE/authorize", to=EMSP)

    assert (answer.http_status, answer.status_code) == (404, 2000)


@pytest.mark.usefixtures("old_cpo")
@pytest.mark.parametrize("module", ["locations", "tariffs"])
def test_it_reads_a_list_of_the_older_cpo(hub: HubProcess, their_emsp: ExtrawestPlatform, module: str) -> None:
    found = their_emsp.pull(module, f"{hub.url}/ocpi/2.2.1/sender/{module}", to=OLD_CPO)

    wanted = getattr(NETWORK, module)
    assert [each["id"] for each in found] == [each["id"].lower() for each in wanted]
    assert {(each["country_code"], each["party_id"]) for each in found} == {tuple(part.lower() for part in OLD_CPO)}


def test_a_location_of_the_older_cpo_reaches_the_emsp(old_cpo: Partner, their_emsp: ExtrawestPlatform) -> None:
    answer = old_cpo.put("locations", path_of(OLD_CPO, PLACE["id"]), to=EMSP, json=PLACE)

    assert answer.status_code == 1000
    arrived = kept(their_emsp, "locations", PLACE["id"])
    assert check(Version.V2_2_1, "Location", arrived, strict=True) == []
    assert (arrived["address"], arrived["publish"]) == (PLACE["address"], True)
    assert len(arrived["evses"]) == len(PLACE["evses"])


def test_a_session_of_the_older_cpo_reaches_the_emsp(old_cpo: Partner, their_emsp: ExtrawestPlatform) -> None:
    under_way = session(OLDER, "SESSION1", the_used_evse(), CONTRACT, kwh=1.5)
    path = path_of(OLD_CPO, "SESSION1")

    assert old_cpo.put("sessions", path, to=EMSP, json=under_way).status_code == 1000
    news = {"kwh": 8.25, "status": "COMPLETED", "total_cost": 2.5}
    assert old_cpo.patch("sessions", path, to=EMSP, json=news).status_code == 1000

    arrived = kept(their_emsp, "sessions", "SESSION1")
    assert check(Version.V2_2_1, "Session", arrived, strict=True) == []
    assert (arrived["kwh"], arrived["status"], arrived["total_cost"]) == (8.25, "COMPLETED", {"excl_vat": 2.5})
    assert (arrived["cdr_token"]["uid"], arrived["cdr_token"]["type"]) == ("card1", "RFID")
    read_back = old_cpo.get("sessions", path, to=EMSP, interface=InterfaceRole.RECEIVER).data
    wrong = check(OLDER, "Session", read_back, strict=True)
    assert [each for each in wrong if each.kind != "charset"] == [], "the CPO spells its own places in UTF-8"
    assert (read_back["kwh"], read_back["auth_id"]) == (8.25, CONTRACT["auth_id"])
    assert read_back["location"]["id"].upper() == PLACE["id"]


def test_the_hub_knows_a_token_it_saw_authorized_for_another_cpo(
    cpo: Partner, old_cpo: Partner, their_emsp: ExtrawestPlatform
) -> None:
    """Of that answer nothing had to be translated, and it is a list of one."""
    assert cpo.post("tokens", "CARD2/authorize", to=EMSP).data[0]["allowed"] == "ALLOWED"

    under_way = session(OLDER, "SESSION3", the_used_evse(), {"auth_id": "DEEXWCCARD2"})
    assert old_cpo.put("sessions", path_of(OLD_CPO, "SESSION3"), to=EMSP, json=under_way).status_code == 1000

    assert kept(their_emsp, "sessions", "SESSION3")["cdr_token"]["uid"] == "card2"


def test_periods_in_a_change_of_the_older_cpo_are_the_new_ones(old_cpo: Partner, their_emsp: ExtrawestPlatform) -> None:
    """2.1.1 tells all periods once more, 2.2.1 those to add. This eMSP does not add them, it keeps only these."""
    under_way = session(OLDER, "SESSION2", the_used_evse(), CONTRACT, kwh=1.5)
    first, second = (
        {"start_date_time": f"2026-11-22T{hour}:00:00Z", "dimensions": [{"type": "ENERGY", "volume": volume}]}
        for hour, volume in (("08", 1.5), ("09", 2.25))
    )
    under_way |= {"start_datetime": first["start_date_time"], "charging_periods": [first]}
    path = path_of(OLD_CPO, "SESSION2")

    assert old_cpo.put("sessions", path, to=EMSP, json=under_way).status_code == 1000
    assert old_cpo.patch("sessions", path, to=EMSP, json={"charging_periods": [first, second]}).status_code == 1000

    [period] = kept(their_emsp, "sessions", "SESSION2")["charging_periods"]
    assert (period["start_date_time"], period["dimensions"]) == (second["start_date_time"], second["dimensions"])


def test_a_cdr_of_the_older_cpo_reaches_the_emsp(
    hub: HubProcess, old_cpo: Partner, their_emsp: ExtrawestPlatform
) -> None:
    record = cdr(OLDER, "CDR1", the_used_evse(), CONTRACT, NETWORK.tariffs[0])

    answer = old_cpo.post("cdrs", to=EMSP, json=record)

    assert answer.status_code == 1000
    assert (answer.header("location") or "").startswith(f"{hub.url}/ocpi/")
    arrived = kept(their_emsp, "cdrs", "CDR1")
    arrived["cdr_location"]["evse_uid"] = PLACE["evses"][0]["uid"]
    assert check(Version.V2_2_1, "CDR", arrived, strict=True) == []
    assert (arrived["total_energy"], arrived["total_cost"]) == (20.5, {"excl_vat": record["total_cost"]})
    assert arrived["end_date_time"] == record["stop_date_time"]
    assert arrived["cdr_token"]["uid"] == "card1"


def test_a_cdr_it_has_cannot_be_read_back(old_cpo: Partner) -> None:
    """The URL it gives for a CDR is none of its own: `https://…/emsp/VersionNumber.v_2_2_1/ModuleID.cdrs/…`."""
    record = cdr(OLDER, "CDR2", the_used_evse(), CONTRACT, NETWORK.tariffs[0])
    url = old_cpo.post("cdrs", to=EMSP, json=record).header("location")

    answer = old_cpo.get(url or "")

    assert (answer.http_status, answer.status_code) == (200, 3000)
