"""Partners that nobody here wrote register and exchange messages with ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from loadtests.simulator.messages import HeaderLines, routing_headers
from loadtests.simulator.stations import cards, charging_network
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.hub.extrawest.platforms import ExtrawestPlatform
from tests.partners import CPO, EMSP, location, partner, path_of, registered, token

pytestmark = pytest.mark.timeout(600)  # the first run on a machine installs the library

EXTRAWEST_EMSP, EXTRAWEST_CPO = Party("DE", "EXW"), Party("NL", "EXC")


@pytest.fixture(scope="module")
def cpo(hub: HubProcess) -> Iterator[Partner]:
    with registered(hub, partner(CPO)) as [one]:
        yield one


@pytest.fixture(scope="module")
def their_emsp(hub: HubProcess, cpo: Partner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExtrawestPlatform]:
    """extrawest_ocpi as an eMSP on 2.2.1, registered by the hub."""
    folder = tmp_path_factory.mktemp("extrawest-emsp")
    objects = {"tokens": {"CARD1": token(EXTRAWEST_EMSP, "CARD1")}}
    platform = ExtrawestPlatform(folder, EXTRAWEST_EMSP, Role.EMSP, Version.V2_2_1, objects, to=cpo.party)
    with platform:
        connect(hub, platform)
        yield platform


@pytest.fixture(scope="module")
def emsp_211(hub: HubProcess) -> Iterator[Partner]:
    """One of ours on 2.1.1, which says whom it means although the version has no way to."""
    with partner(EMSP, Version.V2_1_1).running() as one:
        platform_id = hub.operator.registered(one)
        hub.operator.change(platform_id, routing_headers_211=True)
        yield one


@pytest.fixture(scope="module")
def their_cpo(
    hub: HubProcess, emsp_211: Partner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ExtrawestPlatform]:
    """extrawest_ocpi as a CPO on 2.1.1, registered by the hub."""
    folder: Path = tmp_path_factory.mktemp("extrawest-cpo")
    place = charging_network(EXTRAWEST_CPO, Version.V2_1_1, stations=1).locations[0]
    objects = {"locations": {place["id"]: place}}
    platform = ExtrawestPlatform(folder, EXTRAWEST_CPO, Role.CPO, Version.V2_1_1, objects, to=emsp_211.party)
    with platform:
        platform_id = connect(hub, platform, face=Role.CPO)
        hub.operator.change(platform_id, routing_headers_211=True)
        yield platform


def connect(hub: HubProcess, platform: ExtrawestPlatform, face: Role | None = None) -> str:
    """Let the hub register at the platform, and return the platform's id."""
    invitation = hub.operator.invite(f"Extrawest {platform.role}", face=face)
    body = {"versions_url": platform.versions_url, "token_a": platform.token_a}
    connected: Json = hub.operator.ask("POST", f"/api/v1/platforms/{invitation.platform_id}/connect", json=body)
    assert (connected["status"], connected["version"]) == ("CONNECTED", platform.version)
    return invitation.platform_id


def test_the_hub_registers_at_an_emsp_on_2_2_1(hub: HubProcess, their_emsp: ExtrawestPlatform) -> None:
    assert their_emsp.stored["registration"]["credentials"]["url"] == hub.versions_url
    parties = hub.operator.ask("GET", "/api/v1/parties?role=EMSP&q=EXW")["items"]
    assert [(found["party_id"], found["status"]) for found in parties] == [("EXW", "CONNECTED")]


def test_a_location_reaches_that_emsp(cpo: Partner, their_emsp: ExtrawestPlatform) -> None:
    path = path_of(cpo.party, "LOC1")

    answer = cpo.put("locations", path, to=EXTRAWEST_EMSP, json=location(cpo.party))

    assert answer.status_code == 1000
    assert answer.sender == EXTRAWEST_EMSP
    assert their_emsp.stored["objects"]["locations"]["loc1"]["address"] == "Oudegracht 1"
    read_back = cpo.get("locations", path.lower(), to=EXTRAWEST_EMSP, interface=InterfaceRole.RECEIVER)
    assert read_back.data[0]["city"] == "Utrecht"


def test_a_token_of_that_emsp_reaches_the_cpo(hub: HubProcess, cpo: Partner, their_emsp: ExtrawestPlatform) -> None:
    answer = their_emsp.push(hub, "tokens", "CARD1")

    assert answer["status_code"] == 1000
    [received] = cpo.received.wait_for("tokens")
    assert received.place.path == (*EXTRAWEST_EMSP, "CARD1")
    assert (received.sender, received.receiver) == (EXTRAWEST_EMSP, cpo.party)
    assert received.json()["issuer"] == "Roam"


def test_its_list_of_tokens_can_be_pulled_with_the_slash_it_registered(
    cpo: Partner, their_emsp: ExtrawestPlatform
) -> None:
    answer = cpo.get("tokens", to=their_emsp.party)

    assert [found["uid"] for found in answer.data] == ["card1"]
    assert answer.header("x-total-count") == "1"
    assert answer.next_url is None


def test_the_hub_registers_at_a_cpo_on_2_1_1(hub: HubProcess, their_cpo: ExtrawestPlatform) -> None:
    theirs = their_cpo.stored["registration"]["credentials"]

    assert theirs["url"] == hub.versions_url
    assert (theirs["country_code"], theirs["party_id"]) == ("EU", "HUB")


def test_a_token_reaches_that_cpo(emsp_211: Partner, their_cpo: ExtrawestPlatform) -> None:
    [card] = cards(emsp_211.party, Version.V2_1_1, count=1)
    path = path_of(emsp_211.party, card["uid"])
    addressed: HeaderLines = routing_headers(EXTRAWEST_CPO, emsp_211.party)

    answer = emsp_211.put("tokens", path, headers=addressed, json=card)

    assert answer.status_code == 1000
    assert their_cpo.stored["objects"]["tokens"][card["uid"]]["auth_id"] == card["auth_id"]


def test_a_location_of_that_cpo_reaches_the_emsp(
    hub: HubProcess, emsp_211: Partner, their_cpo: ExtrawestPlatform
) -> None:
    answer = their_cpo.push(hub, "locations", "LOC1")

    assert answer["status_code"] == 1000
    [received] = emsp_211.received.wait_for("locations")
    assert received.place.path == (*EXTRAWEST_CPO, "LOC1")
    assert received.json()["evses"][0]["connectors"][0]["tariff_id"]
