"""What a hub takes from other hubs, and what not: they are no partners like others. OCPI 2.2.1, "HubClientInfo"."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import HubRefused, Json, Partner, envelope
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.event_waiting import event_of
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.logs import log_lines
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token

HUB = Party("EU", "HUB")
SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
HUB_MODULES = [
    (module, side)
    for module in ("locations", "tariffs", "tokens", "sessions", "cdrs", "commands", "hubclientinfo")
    for side in (SENDER, RECEIVER)
]


class PeerHub(Partner):
    """Another hub, simulated. In 2.2.1 its ClientInfo list says who is behind it, in 2.3.0 its roles do."""

    def __init__(self, name: str, *behind: tuple[Party, Role], version: Version = Version.V2_2_1) -> None:
        parties: dict[Party, list[Role]] = {new_party("BE"): [Role.HUB]}
        if version is Version.V2_3_0:
            parties |= {party: [role] for party, role in behind}
        super().__init__(name, parties, version=version, modules=HUB_MODULES)
        self.hold("hubclientinfo", *(info(party, role) for party, role in behind))

    def announce(self, what: Json, at: Party | None = None, *, method: str = "PUT") -> tuple[int, int]:
        """Put a ClientInfo object at the hub; the statuses of its answer."""
        return announce(self, what, at, method=method)


def info(party: Party, role: Role = Role.CPO, status: str = "CONNECTED") -> Json:
    return {
        "id": f"{party}/{role}",  # only for the simulator's shelf
        "country_code": party.country_code,
        "party_id": party.party_id,
        "role": role.value,
        "status": status,
        "last_updated": "2026-11-22T08:00:00Z",
    }


def announce(by: Partner, what: Json, at: Party | None = None, *, method: str = "PUT") -> tuple[int, int]:
    party = at or Party(what["country_code"], what["party_id"])
    url = f"{by.connection.url('hubclientinfo', SENDER)}/{party.country_code}/{party.party_id}"
    answer = by.start(method, url, json=what, sender=None).result()
    return answer.http_status, answer.status_code


def told(viewer: Partner) -> dict[Party, tuple[str, str]]:
    """Role and status of everybody that a partner is told of."""
    infos = [each for page in viewer.pages("hubclientinfo") for each in page.data]
    return {Party(each["country_code"], each["party_id"]): (each["role"], each["status"]) for each in infos}


@pytest.fixture(scope="module")
def hub(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub of its own: what hubs announce is there for all its partners."""
    with ForkedHub(tmp_path_factory.mktemp("hub"), {**stores._asdict(), "rate_limit": "off"}) as process:
        yield process


@pytest.fixture(scope="module")
def partners(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    """A CPO and an eMSP here, and two hubs with a CPO and an eMSP each, one on each version."""
    knot = PeerHub("Knot", (new_party("BE"), Role.EMSP), (new_party("BE"), Role.CPO))
    loop = PeerHub("Loop", (new_party("FR"), Role.EMSP), (new_party("FR"), Role.CPO), version=Version.V2_3_0)
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp], knot.running(), loop.running():
        for each in (knot, loop):
            hub.operator.registered(each, allow_hub=True)
        everybody = {"cpo": cpo, "emsp": emsp, "knot": knot, "loop": loop}
        eventually(lambda: {behind(knot)[0], behind(loop)[0]} <= told(cpo).keys())
        yield everybody


def behind(peer: Partner) -> list[Party]:
    """The eMSP and the CPO behind a simulated hub."""
    return [Party(each["country_code"], each["party_id"]) for each in peer.shelf.own["hubclientinfo"].values()]


def _refreshed(one: Partner) -> Partner:
    one.script.clear()
    one.ledger.clear()
    one.received.clear()
    return one


@pytest.fixture
def cpo(partners: dict[str, Partner]) -> Partner:
    """A CPO here."""
    return _refreshed(partners["cpo"])


@pytest.fixture
def emsp(partners: dict[str, Partner]) -> Partner:
    """An eMSP here."""
    return _refreshed(partners["emsp"])


@pytest.fixture
def knot(partners: dict[str, Partner]) -> Partner:
    """A hub on 2.2.1."""
    return _refreshed(partners["knot"])


@pytest.fixture
def loop(partners: dict[str, Partner]) -> Partner:
    """A hub on 2.3.0."""
    return _refreshed(partners["loop"])


# --- who may peer


@pytest.mark.parametrize("version", [Version.V2_2_1, Version.V2_3_0])
def test_peering_without_leave_is_refused_and_the_invitation_stays_good(hub: HubProcess, version: Version) -> None:
    peer = PeerHub("Stranger", (new_party("BE"), Role.CPO), version=version)
    if version is Version.V2_2_1:
        peer.parties = {**peer.parties, new_party("BE"): CPO}
    with peer.running():
        invitation = hub.operator.invite("Stranger")
        for _ in range(2):
            with pytest.raises(HubRefused) as refused:
                peer.register(invitation.versions_url, invitation.token_a)
            assert refused.value.answer.status_code == 2001


def test_only_hubs_are_offered_a_place_to_announce_parties(cpo: Partner, knot: Partner, loop: Partner) -> None:
    key = (ModuleID.HUB_CLIENT_INFO, RECEIVER)

    assert [key in each.connection.endpoints for each in (knot, loop, cpo)] == [True, True, False]
    for method in ("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"):
        assert announce(cpo, info(new_party()), method=method) == (404, 2000)
    assert announce(knot, info(new_party()), method="DELETE") == (405, 2000)


# --- who is behind them


def test_a_hub_announces_a_party_and_what_becomes_of_it(cpo: Partner, knot: Partner) -> None:
    party = new_party("BE")

    assert announce(knot, info(party, Role.EMSP)) == (200, 1000)
    assert told(cpo)[party] == ("EMSP", "CONNECTED")
    assert cpo.get("tokens", to=party).status_code == 1000
    assert announce(knot, info(party, Role.EMSP, "OFFLINE")) == (200, 1000)
    assert told(cpo)[party] == ("EMSP", "OFFLINE")
    knot.received.clear()
    assert cpo.get("tokens", to=party).status_code == 4003
    assert not knot.received
    shown = knot.get(f"{knot.connection.url('hubclientinfo', RECEIVER)}/{party.country_code}/{party.party_id}")
    assert (shown.data["role"], shown.data["status"]) == ("EMSP", "OFFLINE")


def test_the_list_of_a_hub_is_read_to_its_end_whenever_it_registers(hub: HubProcess, cpo: Partner) -> None:
    parties = [new_party("BE") for _ in range(60)]
    peer = PeerHub("Crowded", *((party, Role.CPO) for party in parties))
    nonsense = [info(cpo.party, Role.HUB), info(HUB), {"id": "1", "role": "KING"}, {"id": "2"}]
    peer.hold("hubclientinfo", *nonsense)
    peer.answers_next(envelope(status_code=3000), module="hubclientinfo")
    with peer.running():
        platform_id = hub.operator.registered(peer, allow_hub=True)

        eventually(lambda: told(cpo).get(parties[-1]) == ("CPO", "CONNECTED"))
        assert set(parties) <= told(cpo).keys()
        assert HUB not in told(cpo)
        peer.shelf.own["hubclientinfo"].clear()
        peer.hold("hubclientinfo", info(parties[0]))
        peer.update()
        eventually(lambda: told(cpo)[parties[1]] == ("CPO", "SUSPENDED"))
        assert told(cpo)[parties[0]] == ("CPO", "CONNECTED")
    hub.operator.ask("DELETE", f"/api/v1/platforms/{platform_id}")


def test_a_hub_announces_nobody_who_is_not_behind_it(
    hub: HubProcess, cpo: Partner, knot: Partner, loop: Partner
) -> None:
    before = told(cpo)

    for party in (cpo.party, HUB, knot.party, loop.party, *behind(loop)):
        assert announce(knot, info(party)) == (200, 2001)
    assert announce(knot, info(new_party(), Role.HUB)) == (200, 2001)
    assert announce(knot, info(new_party()), at=new_party()) == (200, 2001)
    for broken in ({"role": "KING"}, {"status": "ASLEEP"}, {"last_updated": "today"}, {"country_code": "B"}):
        assert announce(knot, info(new_party()) | broken, at=new_party()) == (200, 2001)

    assert told(cpo) == before
    assert log_lines(hub, lambda line: line.get("event") == "announcement_refused", count=11)
    own = f"{knot.connection.url('hubclientinfo', SENDER)}/{cpo.party.country_code}/{cpo.party.party_id}"
    assert knot.get(own).http_status == 404


def test_a_party_here_comes_before_what_a_hub_says_and_operators_see_both(hub: HubProcess, emsp: Partner) -> None:
    with registered(hub, partner(CPO)) as [double]:
        peer = PeerHub("Double", (double.party, Role.CPO), version=Version.V2_3_0)
        with peer.running():
            platform_id = hub.operator.registered(peer, allow_hub=True)

            assert emsp.get("locations", to=double.party).status_code == 1000
            assert double.received.wait_for("locations")
            listed = hub.operator.ask("GET", "/api/v1/parties", params={"q": str(double.party)})["items"]
            assert [each["reachable_via"] for each in listed] == [None, str(peer.party)]
            in_conflict = log_lines(hub, lambda line: line.get("event") == "remote_parties_in_conflict")
            assert in_conflict[-1]["parties"] == [str(double.party)]
            refused = peer.get("tokens", to=emsp.party, sender=double.party)
            assert (refused.http_status, refused.status_code) == (403, 2001)
            event = event_of(hub, EventKind.REMOTE_PARTY_CONFLICT, platform_id)
            assert str(double.party) in event["sentence"]

            peer.unregister()
            closed = event_of(hub, EventKind.REMOTE_PARTY_CONFLICT, platform_id, state="closed")
            assert closed["id"] == event["id"]


def test_nobody_registers_a_party_behind_a_hub_unless_invited_by_name(hub: HubProcess, knot: Partner) -> None:
    claimed = partner(CPO, party=behind(knot)[1])
    with claimed.running():
        invitation = hub.operator.invite("Anybody")
        with pytest.raises(HubRefused) as refused:
            claimed.register(invitation.versions_url, invitation.token_a)
        assert refused.value.answer.status_code == 2001


def test_who_is_behind_a_hub_goes_with_it(hub: HubProcess, cpo: Partner) -> None:
    party = new_party("BE")
    peer = PeerHub("Passing", (party, Role.EMSP), version=Version.V2_3_0)
    with peer.running():
        platform_id = hub.operator.registered(peer, allow_hub=True)
        shown = hub.operator.platform(platform_id)
        assert (shown["is_hub"], shown["allow_hub"]) == (True, True)
        assert told(cpo)[party] == ("EMSP", "CONNECTED")
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/suspend")
        assert told(cpo)[party] == ("EMSP", "SUSPENDED")
        assert cpo.get("tokens", to=party).status_code == 4003
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/resume")
        assert cpo.get("tokens", to=party).status_code == 1000
        with peer.port_closed():
            assert cpo.get("tokens", to=party).status_code == 4003
        peer.unregister()
        assert told(cpo)[party] == ("EMSP", "SUSPENDED")


# --- no way through


def test_nothing_goes_from_one_hub_through_this_one_to_another(knot: Partner, loop: Partner) -> None:
    [emsp, cpo], [far_emsp, _] = behind(knot), behind(loop)

    for to in (far_emsp, loop.party, emsp, knot.party):
        refused = knot.get("tokens", to=to, sender=cpo)
        assert refused.status_code == 4001
    assert not loop.received
    assert not told(knot).keys() & {loop.party, *behind(loop), *behind(knot)}
    named = {(each["country_code"], each["party_id"]) for each in loop.update().data["roles"]}
    assert not named & {loop.party, *behind(loop), knot.party, *behind(knot)}


def test_messages_go_from_behind_a_hub_to_parties_here(cpo: Partner, knot: Partner) -> None:
    [emsp, _] = behind(knot)
    path = path_of(emsp, "CARD1")

    answer = knot.put("tokens", path, to=cpo.party, sender=emsp, json=token(emsp, "CARD1"), interface=RECEIVER)

    assert answer.status_code == 1000
    [request] = cpo.received
    assert (request.sender, request.receiver) == (emsp, cpo.party)


def test_a_push_to_everybody_goes_to_each_hub_once_and_one_from_a_hub_stays_here(
    cpo: Partner, emsp: Partner, knot: Partner, loop: Partner
) -> None:
    path = path_of(cpo.party, "LOC1")
    cpo.put("locations", path, to=HUB, json=location(cpo.party))
    for peer in (knot, loop):
        [push] = peer.received.wait_for("locations")
        assert (push.sender, push.receiver) == (HUB, peer.party)
    emsp.received.wait_for("locations")
    for each in (cpo, emsp, knot, loop):
        each.received.clear()

    far_cpo = behind(knot)[1]
    pushed = knot.put("locations", path_of(far_cpo, "LOC2"), to=HUB, json=location(far_cpo, "LOC2"), interface=RECEIVER)

    assert pushed.status_code == 1000
    [here] = emsp.received.wait_for("locations")
    assert (here.sender, here.receiver) == (HUB, emsp.party)
    # A push to the others would have been sent before the answer to this one.
    assert cpo.get("tokens", to=emsp.party).status_code == 1000
    assert not knot.received
    assert not loop.received


def test_a_list_of_everybodys_has_those_behind_hubs_and_is_of_parties_here_for_hubs(
    cpo: Partner, emsp: Partner, knot: Partner, loop: Partner
) -> None:
    cpo.hold("locations", location(cpo.party, "HERE"))
    for peer in (knot, loop):
        peer.hold("locations", location(behind(peer)[1], f"AT-{peer.name}"))

    everybodys = [each["id"] for page in emsp.pages("locations", to=HUB) for each in page.data]
    of_hub = [each["id"] for page in knot.pages("locations", to=HUB, sender=behind(knot)[0]) for each in page.data]

    assert sorted(everybodys) == ["AT-Knot", "AT-Loop", "HERE"]
    assert of_hub == ["HERE"]
    assert {request.receiver for request in loop.received} == {behind(loop)[1]}


# --- errors and circles


def test_an_error_of_a_hub_arrives_unchanged(cpo: Partner, knot: Partner) -> None:
    knot.answers_next(envelope(status_code=4002, status_message="There was no answer"), module="tokens")

    assert cpo.get("tokens", to=behind(knot)[0]).status_code == 4002


def test_a_message_that_a_hub_sends_back_goes_no_further(cpo: Partner, knot: Partner) -> None:
    far_emsp = behind(knot)[0]
    with knot.pausing(module="tokens"):
        first = cpo.start("GET", "tokens", to=far_emsp, headers={"x-correlation-id": "circle-1"})
        knot.received.wait_for("tokens")
        again = knot.get("tokens", to=far_emsp, sender=cpo.party, headers={"x-correlation-id": "circle-1"})
        other = knot.get("tokens", to=far_emsp, sender=cpo.party, headers={"x-correlation-id": "circle-2"})

    assert again.status_code == 4000
    assert "loop" in str(again.envelope.status_message)
    assert other.status_code == 2001
    assert first.result().status_code == 1000
    after = knot.get("tokens", to=far_emsp, sender=cpo.party, headers={"x-correlation-id": "circle-1"})
    assert after.status_code == 2001
