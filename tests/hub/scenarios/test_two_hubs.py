"""Two hubs that peer: messages between parties of each. OCPI 2.2.1, "Message Routing", and "HubClientInfo"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from routing.vocabulary import InterfaceRole, Party, Version
from tests.conftest import StoreUrls
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.stories import story
from tests.partners import CPO, EMSP, location, partner, path_of, registered, token

# So both kinds of stores are seen: the far hubs are on the embedded one.
pytestmark = pytest.mark.parametrize("stores", ["postgresql+redis"], indirect=True)

NEAR_HUB = Party("EU", "HUB")
FAR_HUBS = {Version.V2_2_1: Party("BE", "KNO"), Version.V2_3_0: Party("FR", "LOO")}
"""The hubs that peer with the near one, by the version they do so in."""
SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
_SOON = {"offline_after_failures": "1", "offline_probe_every_s": "0.5"}
"""How the near hub sees that the far one is gone, and that it is back."""


@dataclass(frozen=True)
class Peers:
    """Two hubs, and a CPO and an eMSP on 2.2.1 at each."""

    near: HubProcess
    far: HubProcess
    far_hub: Party
    cpo: Partner
    emsp: Partner
    far_cpo: Partner
    far_emsp: Partner

    @property
    def partners(self) -> tuple[Partner, ...]:
        return self.cpo, self.emsp, self.far_cpo, self.far_emsp


def peer(near: HubProcess, far: HubProcess, version: Version) -> str:
    """Let the far hub register at the near one, in this version; returns the id of its platform there."""
    invitation = near.operator.invite("Far", allow_hub=True, version=version)
    hub = far.operator.invite("Near", allow_hub=True)
    url = f"/api/v1/platforms/{hub.platform_id}/connect"
    body = {"versions_url": near.versions_url, "token_a": invitation.token_a}
    assert far.operator.ask("POST", url, json=body)["version"] == version
    return invitation.platform_id


def reached(hub: HubProcess) -> dict[str, str]:
    """Who can be called through another hub, and through which."""
    items = hub.operator.ask("GET", "/api/v1/parties")["items"]
    there = (each for each in items if each["reachable_via"] is not None and each["status"] == "CONNECTED")
    return {each["id"]: each["reachable_via"] for each in there}


def client_infos(viewer: Partner) -> dict[Party, tuple[str, str]]:
    """Role and status of everybody that a partner is told of, and that has not left."""
    infos = (each for each in viewer.get("hubclientinfo").data if each["status"] != "SUSPENDED")
    return {Party(each["country_code"], each["party_id"]): (each["role"], each["status"]) for each in infos}


def cdr(owner: Party, emsp: Party) -> Json:
    """A small CDR of 2.2 and later, for a card of this eMSP."""
    uid = token(emsp)["uid"]
    return {
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "id": "CDR1",
        "start_date_time": "2026-11-22T08:00:00Z",
        "end_date_time": "2026-11-22T09:00:00Z",
        "cdr_token": {
            "country_code": emsp.country_code,
            "party_id": emsp.party_id,
            "uid": uid,
            "type": "RFID",
            "contract_id": token(emsp)["contract_id"],
        },
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": "LOC1",
            "address": "Oudegracht 1",
            "city": "Utrecht",
            "country": "NLD",
            "coordinates": {"latitude": "52.090700", "longitude": "5.121400"},
            "evse_uid": "EVSE1",
            "evse_id": "NL*VLT*E1",
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "currency": "EUR",
        "charging_periods": [
            {"start_date_time": "2026-11-22T08:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 10.5}]}
        ],
        "total_cost": {"excl_vat": 4.2, "incl_vat": 5.0},
        "total_energy": 10.5,
        "total_time": 1.0,
        "last_updated": "2026-11-22T09:00:00Z",
    }


@pytest.fixture(scope="module")
def near(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubProcess, Partner, Partner]]:
    """The near hub with its CPO and its eMSP."""
    with (
        ForkedHub(tmp_path_factory.mktemp("near"), {**stores._asdict(), **_SOON, "rate_limit": "off"}) as hub,
        registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp],
    ):
        yield hub, cpo, emsp


@pytest.fixture(scope="module", params=FAR_HUBS)
def peering(
    request: pytest.FixtureRequest,
    near: tuple[HubProcess, Partner, Partner],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Peers]:
    """The near hub while another one peers with it, in one version."""
    hub, cpo, emsp = near
    party = FAR_HUBS[request.param]
    settings = {"rate_limit": "off", "country_code": party.country_code, "party_id": party.party_id}
    with (
        ForkedHub(tmp_path_factory.mktemp("far"), settings) as far,
        registered(far, partner(CPO), partner(EMSP)) as [far_cpo, far_emsp],
    ):
        platform_id = peer(hub, far, request.param)
        eventually(lambda: len(reached(hub)) == len(reached(far)) == 2)
        # What is in their stores, the hubs go by a moment later.
        eventually(lambda: emsp.get("locations", to=far_cpo.party).status_code == 1000)
        eventually(lambda: far_emsp.get("locations", to=cpo.party).status_code == 1000)
        yield Peers(hub, far, party, cpo, emsp, far_cpo, far_emsp)
        hub.operator.ask("DELETE", f"/api/v1/platforms/{platform_id}")


@pytest.fixture
def peers(peering: Peers) -> Peers:
    """The same, everybody well-behaved and with empty hands."""
    for each in peering.partners:
        each.script.clear()
        each.shelf.own.clear()
        each.shelf.pushed.clear()
        each.ledger.clear()
        each.received.clear()
    return peering


def test_each_hub_knows_who_is_behind_the_other_and_tells_its_partners(peers: Peers) -> None:
    near, far = {peers.cpo.party, peers.emsp.party}, {peers.far_cpo.party, peers.far_emsp.party}

    assert reached(peers.near) == {str(party): str(peers.far_hub) for party in far}
    assert reached(peers.far) == {str(party): str(NEAR_HUB) for party in near}
    told = client_infos(peers.cpo)
    assert told == {
        peers.emsp.party: ("EMSP", "CONNECTED"),
        peers.far_cpo.party: ("CPO", "CONNECTED"),
        peers.far_emsp.party: ("EMSP", "CONNECTED"),
        peers.far_hub: ("HUB", "CONNECTED"),
    }


def test_a_message_crosses_both_hubs_with_its_addresses_and_its_correlation_id(peers: Peers) -> None:
    tariffs = peers.cpo.get("tokens", to=peers.far_emsp.party)
    [there] = peers.far_emsp.received
    sent = peers.cpo.sent[-1]

    assert tariffs.status_code == 1000
    assert (there.sender, there.receiver) == (peers.cpo.party, peers.far_emsp.party)
    assert (tariffs.sender, tariffs.receiver) == (peers.far_emsp.party, peers.cpo.party)
    assert there.header("x-correlation-id") == sent.header("x-correlation-id")
    assert there.header("x-request-id") != sent.header("x-request-id")
    assert tariffs.header("x-request-id") == sent.header("x-request-id")


def test_each_hub_has_its_part_of_the_story_under_one_correlation_id(peers: Peers) -> None:
    correlation_id = f"across-{peers.far_hub}"
    sent = peers.cpo.get("tokens", to=peers.far_emsp.party, headers={"x-correlation-id": correlation_id})
    assert sent.status_code == 1000

    stories = [story(each, correlation_id) for each in (peers.near, peers.far)]

    ends = (str(peers.cpo.party), str(peers.far_emsp.party))
    for told, hub in zip(stories, (NEAR_HUB, peers.far_hub), strict=True):
        [message] = told["messages"]
        assert (message["from"], message["to"]) == ends
        assert [hop["to"] for hop in told["hops"] if hop["kind"] == "request"] == [str(hub), ends[1]]
    near, far = (told["messages"][0] for told in stories)
    assert near["upstream_request_id"] == far["request_id"]
    assert near["upstream_ms"] >= far["hub_ms"] + far["upstream_ms"]


def test_objects_are_pushed_across_and_back(peers: Peers) -> None:
    for cpo, emsp in ((peers.cpo, peers.far_emsp), (peers.far_cpo, peers.emsp)):
        path = path_of(cpo.party, "LOC1")

        assert cpo.put("locations", path, to=emsp.party, json=location(cpo.party)).status_code == 1000
        assert cpo.get("locations", path, to=emsp.party, interface=RECEIVER).data["id"] == "LOC1"
        assert emsp.received[0].json()["party_id"] == cpo.party.party_id


def test_nobody_speaks_for_a_party_of_the_other_hub(peers: Peers) -> None:
    foreign = location(peers.far_cpo.party)
    path = path_of(peers.far_cpo.party, "LOC1")

    as_sender = peers.cpo.put("locations", path, to=peers.emsp.party, sender=peers.far_cpo.party, json=foreign)
    as_owner = peers.cpo.put("locations", path, to=peers.emsp.party, json=foreign)

    assert (as_sender.http_status, as_sender.status_code) == (403, 2001)
    assert as_owner.http_status == 404
    assert not peers.emsp.received


def test_an_error_of_a_party_behind_the_other_hub_arrives_unchanged(peers: Peers) -> None:
    missing = peers.emsp.get("locations", "NOWHERE", to=peers.far_cpo.party)
    with peers.far_cpo.port_closed():
        unreachable = peers.emsp.get("locations", to=peers.far_cpo.party)

    assert (missing.http_status, missing.status_code) == (404, 2003)
    assert unreachable.status_code == 4003


def test_the_pages_of_a_list_lead_through_both_hubs(peers: Peers) -> None:
    peers.far_cpo.hold("locations", *(location(peers.far_cpo.party, f"LOC{number}") for number in range(120)))

    pages = list(peers.emsp.pages("locations", to=peers.far_cpo.party))

    assert [len(page.data) for page in pages] == [50, 50, 20]
    assert all((page.next_url or peers.near.url).startswith(peers.near.url) for page in pages)


def test_the_result_of_a_command_comes_back_through_both_hubs(peers: Peers) -> None:
    original = peers.emsp.url("commands", SENDER, "START_SESSION", "42")
    command = {"response_url": original, "token": token(peers.emsp.party), "location_id": "LOC1"}

    answer = peers.emsp.post("commands", "START_SESSION", to=peers.far_cpo.party, json=command)
    peers.far_cpo.settle()

    assert answer.data["result"] == "ACCEPTED"
    [there] = peers.far_cpo.received
    assert there.json()["response_url"].startswith(peers.far.url)
    [result] = peers.emsp.received.wait_for("commands")
    assert f"{peers.emsp.base}{result.raw_path}" == original
    assert (result.json()["result"], result.sender) == ("ACCEPTED", peers.far_cpo.party)


def test_a_cdr_that_was_posted_across_can_be_read_again(peers: Peers) -> None:
    posted = peers.cpo.post("cdrs", to=peers.far_emsp.party, json=cdr(peers.cpo.party, peers.far_emsp.party))
    where = posted.header("location") or ""

    again = peers.cpo.get(where)

    assert urlsplit(where).netloc == urlsplit(peers.near.url).netloc
    assert again.data["id"] == "CDR1"
    assert peers.far_emsp.received[-1].receiver == peers.far_emsp.party


def test_a_broadcast_reaches_everybody_at_both_hubs_once(peers: Peers) -> None:
    path = path_of(peers.cpo.party, "LOC1")

    answer = peers.cpo.put("locations", path, to=NEAR_HUB, json=location(peers.cpo.party))

    assert answer.status_code == 1000
    [here] = peers.emsp.received.wait_for("locations")
    [there] = peers.far_emsp.received.wait_for("locations")
    assert (here.sender, here.receiver) == (NEAR_HUB, peers.emsp.party)
    assert (there.sender, there.receiver) == (peers.far_hub, peers.far_emsp.party)
    assert not peers.far_cpo.received
    assert not peers.cpo.received


def test_a_list_of_everybodys_has_the_lists_of_both_hubs(peers: Peers) -> None:
    peers.cpo.hold("locations", location(peers.cpo.party, "HERE"))
    peers.far_cpo.hold("locations", location(peers.far_cpo.party, "THERE"))

    for emsp, hub in ((peers.emsp, NEAR_HUB), (peers.far_emsp, peers.far_hub)):
        pages = list(emsp.pages("locations", to=hub))

        assert sorted(each["id"] for page in pages for each in page.data) == ["HERE", "THERE"]


def test_an_authorization_finds_the_emsp_at_the_other_hub(peers: Peers) -> None:
    peers.far_emsp.hold("tokens", token(peers.far_emsp.party, "FAR-CARD"))

    answer = peers.cpo.post("tokens", "FAR-CARD/authorize", to=NEAR_HUB)

    assert answer.data["allowed"] == "ALLOWED"
    assert [request.sender for request in peers.far_emsp.received] == [peers.cpo.party]


@pytest.mark.parametrize("peering", [Version.V2_2_1], indirect=True)
def test_a_restarted_hub_knows_who_is_behind_the_other(peers: Peers) -> None:
    assert peers.near.stop() == 0
    peers.near.start()

    assert peers.cpo.get("tokens", to=peers.far_emsp.party).status_code == 1000


def test_who_comes_and_leaves_at_one_hub_is_announced_to_the_partners_of_the_other(peers: Peers) -> None:
    newcomer = partner(CPO)

    def told(viewer: Partner) -> list[str]:
        infos = [request.json() for request in viewer.ledger.of("hubclientinfo", "PUT")]
        return [info["status"] for info in infos if info["party_id"] == newcomer.party.party_id]

    with registered(peers.far, newcomer):
        for viewer in (peers.emsp, peers.far_emsp):
            eventually(lambda: told(viewer) == ["CONNECTED"])  # noqa: B023 - called before the next viewer comes
        assert client_infos(peers.emsp)[newcomer.party] == ("CPO", "CONNECTED")
        newcomer.unregister()
        for viewer in (peers.emsp, peers.far_emsp):
            eventually(lambda: told(viewer) == ["CONNECTED", "SUSPENDED"])  # noqa: B023 - as above


@pytest.mark.parametrize("peering", [Version.V2_2_1], indirect=True)
def test_everybody_behind_a_hub_that_was_killed_is_offline_until_it_is_back(peers: Peers) -> None:
    everybody = {peers.far_hub, peers.far_cpo.party, peers.far_emsp.party}

    def are(status: str) -> bool:
        told = [request.json() for request in peers.emsp.ledger.of("hubclientinfo", "PUT")]
        pushed = {Party(info["country_code"], info["party_id"]) for info in told if info["status"] == status}
        infos = client_infos(peers.emsp)
        return pushed == everybody and {infos[party][1] for party in everybody} == {status}

    peers.far.kill()
    try:
        assert peers.emsp.get("locations", to=peers.far_cpo.party).status_code == 4003
        eventually(lambda: are("OFFLINE"), within_s=60)
        again = peers.emsp.get("locations", to=peers.far_cpo.party)
        assert (again.http_status, again.status_code) == (200, 4003)
        assert client_infos(peers.emsp)[peers.cpo.party] == ("CPO", "CONNECTED")
    finally:
        peers.far.start()

    eventually(lambda: are("CONNECTED"), within_s=60)
    eventually(lambda: peers.emsp.get("locations", to=peers.far_cpo.party).status_code == 1000)
    infos = [request.json() for request in peers.emsp.ledger.of("hubclientinfo", "PUT")]
    about_the_cpo = [each["status"] for each in infos if each["party_id"] == peers.far_cpo.party.party_id]
    assert about_the_cpo == ["OFFLINE", "CONNECTED"]
