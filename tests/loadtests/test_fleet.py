"""Many simulated partners behind one port."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from loadtests.simulator import HubRefused, Partner
from loadtests.simulator.fleet import Fleet, Member
from loadtests.simulator.premises import Premises
from loadtests.simulator.profiles import Profile, read_profile
from loadtests.traffic.simulator_process import NotRegistered, SimulatorProcess
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.partners import CPO, EMSP, location, path_of

VOLT, ROAM = Party("NL", "VLT"), Party("DE", "ROM")


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    fleet = Fleet(Premises("fleet", is_busy=True), profile=Profile(), seed=1)
    fleet.open()
    yield fleet
    fleet.close()


@pytest.fixture
def emsp(fleet: Fleet) -> Member:
    fleet.add("Rover", {Party("FR", "RVR"): EMSP}, Version.V2_2_1)
    return fleet.add("Roam", {ROAM: EMSP}, Version.V2_2_1)


@pytest.fixture
def cpo(emsp: Member) -> Iterator[Partner]:
    with Partner("Volt", {VOLT: CPO}).running() as partner:
        partner.register(emsp.partner.versions_url, emsp.partner.invite("an-invitation"))
        yield partner


def test_each_knows_its_own_tokens_only(fleet: Fleet, cpo: Partner) -> None:
    rover, roam = (member.partner for member in fleet.members)

    assert rover.base != roam.base
    assert cpo.get("tokens").status_code == 1000
    assert cpo.get(cpo.connection.url("tokens", InterfaceRole.SENDER).replace(roam.base, rover.base)).http_status == 401
    with pytest.raises(HubRefused):
        cpo.register(rover.versions_url, "an-invitation")
    assert cpo.get(f"{fleet.premises.origin}/p9999/versions").http_status == 404


def test_what_comes_is_counted_and_so_is_what_comes_twice(emsp: Member, cpo: Partner) -> None:
    for correlation_id in ("1", "2", "2"):
        cpo.put("locations", path_of(VOLT, "L"), json=location(VOLT, "L"), headers={"x-correlation-id": correlation_id})
    cpo.patch("locations", path_of(VOLT, "never-put"), json={}, headers={"x-correlation-id": "2"})

    tally = emsp.tally
    assert (tally.messages, tally.duplicates) == (4, 1)
    assert tally.by_kind == {"locations.PUT": 3, "locations.PATCH": 1}


def test_only_the_latest_objects_are_kept(cpo: Partner) -> None:
    for number in range(101):
        cpo.put("locations", path_of(VOLT, f"L{number}"), json=location(VOLT, f"L{number}"))

    assert cpo.get("locations", path_of(VOLT, "L0"), interface=InterfaceRole.RECEIVER).http_status == 404
    assert cpo.get("locations", path_of(VOLT, "L100"), interface=InterfaceRole.RECEIVER).status_code == 1000
    assert cpo.patch("locations", path_of(VOLT, "L0"), json={}).status_code == 1000


@pytest.mark.parametrize("profile", ["dead", "resetting", "garbage"])
def test_a_sick_profile_gives_no_answer(fleet: Fleet, cpo: Partner, profile: str) -> None:
    fleet.become(read_profile(profile), [1])

    with pytest.raises(httpx.TransportError):
        cpo.get("tokens", timeout_s=0.3)


def test_closing_and_huge_profiles_answer_in_their_way(fleet: Fleet, cpo: Partner) -> None:
    fleet.become(read_profile("closing"))
    assert cpo.get("tokens").header("connection") == "close"

    fleet.become(read_profile("html"))
    assert b"Welcome" in cpo.get("tokens").body

    fleet.become(read_profile("fast"))
    assert cpo.get("tokens").header("connection") is None


def test_a_partner_can_register_however_bad_it_will_be(fleet: Fleet) -> None:
    fleet.become(read_profile("garbage"))
    member = fleet.add("Later", {Party("FR", "LTR"): EMSP}, Version.V2_1_1)

    with Partner("Volt", {VOLT: CPO}, version=Version.V2_1_1).running() as cpo:
        cpo.register(member.partner.versions_url, member.partner.invite("an-invitation"))
        with pytest.raises(httpx.TransportError):
            cpo.get("tokens")


def test_the_same_seed_gives_the_same_stock_in_every_process(fleet: Fleet, cpo: Partner) -> None:
    other = Fleet(fleet.premises, profile=Profile(), seed=1).add("Again", {ROAM: EMSP}, Version.V2_2_1)

    assert cpo.get("tokens").data == list(other.partner.shelf.page("tokens", {}, owner=None, most=50).items)


def test_a_simulator_in_a_process_of_its_own_does_as_it_is_told(cpo: Partner) -> None:
    simulator = SimulatorProcess.started(profile="fast", seed=2)
    try:
        platform = simulator.add("Roam", ROAM, Role.EMSP, Version.V2_2_1)
        with pytest.raises(NotRegistered, match="401"):
            simulator.register(platform.number, cpo.versions_url, "guessed")
        cpo.invite("right")
        connection = simulator.register(platform.number, cpo.versions_url, "right")

        assert connection.endpoints["tokens", InterfaceRole.RECEIVER].startswith(cpo.base)
        assert [step.method for step in connection.steps] == ["GET", "GET", "POST"]
        assert [step.ocpi_status for step in connection.steps] == [1000, 1000, 1000]

        cpo.post(f"{platform.base}/2.2.1/commands/sender/START_SESSION/42", json={"result": "ACCEPTED"})
        found = simulator.result(platform.number, "START_SESSION/42", 5)
        assert found is not None
        assert found[1] == {"result": "ACCEPTED"}
        assert simulator.result(platform.number, "START_SESSION/43", 0.05) is None
        assert simulator.tallies()["Roam"]["by_kind"] == {"commands.POST": 1}
        assert simulator.update(platform.number).token != connection.token
    finally:
        simulator.close()
