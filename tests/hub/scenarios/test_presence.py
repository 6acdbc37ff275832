"""Who is there: still alive checks, and what becomes of messages meanwhile. OCPI 2.2.1, "HubClientInfo"."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner, misbehaviour
from loadtests.simulator.messages import Received
from routing.vocabulary import ModuleID, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.test_client_info import pushes, wait_for_pushes
from tests.hub.scenarios.test_peer_hubs import PeerHub
from tests.partners import CPO, EMSP, new_party, partner, path_of, registered
from tests.servers import Postgres

ALIVE_AFTER_S = 0.5
EVERY_S = 0.2


@pytest.fixture(scope="module")
def attentive(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub that looks at silent partners soon, and at those who are offline all the time."""
    settings = {"alive_after_s": str(ALIVE_AFTER_S), "offline_probe_every_s": str(EVERY_S), "log_level": "debug"}
    with ForkedHub(tmp_path_factory.mktemp("hub"), {**stores._asdict(), **settings}) as hub:
        yield hub


@pytest.fixture(scope="module")
def calm(
    stores: StoreUrls, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HubProcess]:
    """A hub that only looks where it has a reason to, and believes what it sees."""
    folder, settings = tmp_path_factory.mktemp("calm"), {"offline_after_failures": "1", "log_level": "debug"}
    if stores.redis_url is None:
        with ForkedHub(folder, settings) as hub:
            yield hub
        return
    postgres: Postgres = request.getfixturevalue("postgres_server")
    database_url = asyncio.run(postgres.create_database())
    with ForkedHub(folder, {"database_url": database_url, "redis_url": stores.redis_url, **settings}) as hub:
        yield hub
    asyncio.run(postgres.drop_database(database_url))


def entries(viewer: Partner, *parties: Party) -> list[Json]:
    """What the viewer reads of these parties."""
    listed = viewer.get(ModuleID.HUB_CLIENT_INFO).data
    return [each for each in listed if (each["country_code"], each["party_id"]) in parties]


def shown(viewer: Partner, *parties: Party) -> set[str]:
    """The statuses in which the viewer sees these parties."""
    return {each["status"] for each in entries(viewer, *parties)}


def history(hub: HubProcess, platform_id: str) -> list[Json]:
    """What the operator reads of the statuses of a platform, the present one first."""
    items: list[Json] = hub.operator.ask("GET", f"/api/v1/platforms/{platform_id}/status-history")["items"]
    return items


def open_events(hub: HubProcess, platform_id: str) -> set[str]:
    """Which events are open about a platform."""
    events = hub.operator.ask("GET", f"/api/v1/events?state=open&platform={platform_id}")["items"]
    return {each["kind"] for each in events}


def becomes(hub: HubProcess, platform_id: str, status: str, *, within_s: float = 10) -> float:
    """Wait until the platform has this status; returns the seconds it took."""
    return eventually(lambda: hub.operator.platform(platform_id)["status"] == status, within_s=within_s)


def looks(request: Received) -> bool:
    """Whether this is a still alive check."""
    return request.module == "versions" and request.method == "GET"


def call(emsp: Partner, cpo: Partner) -> int:
    """Ask a CPO directly; the status code."""
    return emsp.get("locations", "LOC1", to=cpo.party).status_code


def test_a_silent_partner_is_looked_at_and_nothing_changes_when_it_answers(attentive: HubProcess) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    with registered(attentive, cpo, emsp):
        before = entries(emsp, cpo.party)
        cpo.ledger.clear()

        first, second = cpo.ledger.wait_for(looks, count=2)

        assert entries(emsp, cpo.party) == before
        assert [each["status"] for each in before] == ["CONNECTED"]
        assert not pushes(emsp, cpo.party)
        ids = {each.header(name) for each in (first, second) for name in ("x-request-id", "x-correlation-id")}
        assert len(ids) == 4
        assert None not in ids
        assert (first.receiver, first.sender) == (None, None)


def test_a_partner_that_talks_is_not_looked_at(attentive: HubProcess) -> None:
    quiet, talking = partner(EMSP), partner(EMSP)
    with registered(attentive, quiet, talking):
        talking.get(ModuleID.HUB_CLIENT_INFO)
        talking.ledger.clear()
        while len(quiet.ledger.of("versions")) < 4:
            talking.get(ModuleID.HUB_CLIENT_INFO)
        assert len(talking.ledger.of("versions")) <= 1  # one that was under way


def test_a_platform_that_does_not_answer_twice_is_offline_with_all_its_parties_and_is_looked_at_on(
    attentive: HubProcess,
) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    cpo.parties = {**cpo.parties, new_party(): CPO}
    with registered(attentive, cpo, emsp):
        platform_id = platform_of(attentive, cpo)
        cpo.ledger.clear()
        cpo.behaves(misbehaviour.HTML)

        becomes(attentive, platform_id, "OFFLINE")

        looked = cpo.ledger.of("versions")
        assert len(looked) >= 2  # maybe one more since
        for party in cpo.parties:
            wait_for_pushes(emsp, party, 1)
        eventually(lambda: shown(emsp, *cpo.parties) == {"OFFLINE"})
        assert len(entries(emsp, *cpo.parties)) == 2
        changed = {each["last_updated"] for each in entries(emsp, *cpo.parties)}
        cpo.ledger.wait_for(looks, count=5)
        assert {each["last_updated"] for each in entries(emsp, *cpo.parties)} == changed
        now, before = history(attentive, platform_id)
        assert (now["status"], now["cause"], now["until"]) == ("OFFLINE", "no_answer", None)
        assert now["why"] == "It answers with something else than an OCPI response"
        assert (before["status"], before["cause"], before["until"]) == ("CONNECTED", "registered", now["since"])

        cpo.behaves()
        becomes(attentive, platform_id, "CONNECTED")
        eventually(lambda: shown(emsp, *cpo.parties) == {"CONNECTED"})
        assert history(attentive, platform_id)[0]["cause"] == "answered"
        for party in cpo.parties:
            wait_for_pushes(emsp, party, 2)
            assert pushes(emsp, party) == [("CPO", "OFFLINE"), ("CPO", "CONNECTED")]
            assert not pushes(cpo, party)


def test_statuses_are_counted(attentive: HubProcess) -> None:
    cpo = partner(CPO)
    with registered(attentive, cpo):
        cpo.behaves(misbehaviour.RESETTING)
        becomes(attentive, platform_of(attentive, cpo), "OFFLINE")

        def are_counted() -> bool:
            figures = attentive.operator.api.get("/metrics").text.splitlines()
            offline = [line for line in figures if line.startswith(counters)]
            assert len(offline) == len(counters)
            return all(float(line.split()[-1]) >= 1 for line in offline)

        counters = tuple(f'ocpi_hub_{what}{{status="OFFLINE"}}' for what in ("platforms", "parties"))
        eventually(are_counted)


def test_a_company_with_two_registrations_is_there_as_long_as_one_of_them_answers(attentive: HubProcess) -> None:
    cpo = Partner("both", {new_party(): CPO}, version=Version.V2_1_1)
    emsp = Partner("both", {cpo.party: EMSP}, version=Version.V2_1_1)
    with cpo.running(), emsp.running():
        platform_id = attentive.operator.registered(cpo)
        invited = attentive.operator.ask("POST", f"/api/v1/platforms/{platform_id}/invite", json={"face": "EMSP"})
        emsp.register(attentive.versions_url, invited["token_a"])
        emsp.behaves(misbehaviour.RESETTING)
        emsp.ledger.clear()
        emsp.ledger.wait_for(looks, count=3)
        assert attentive.operator.platform(platform_id)["status"] == "CONNECTED"

        cpo.behaves(misbehaviour.RESETTING)
        becomes(attentive, platform_id, "OFFLINE")

        emsp.behaves()
        becomes(attentive, platform_id, "CONNECTED")


def test_suspended_and_planned_platforms_are_never_looked_at(attentive: HubProcess) -> None:
    cpo, emsp, other = partner(CPO), partner(EMSP), partner(CPO)
    with registered(attentive, cpo, emsp, other):
        platform_id = platform_of(attentive, cpo)
        cpo.behaves(misbehaviour.RESETTING)
        becomes(attentive, platform_id, "OFFLINE")

        attentive.operator.ask("POST", f"/api/v1/platforms/{platform_id}/suspend")
        eventually(lambda: shown(emsp, cpo.party) == {"SUSPENDED"})
        eventually(lambda: attentive.operator.platform(platform_id)["status"] == "SUSPENDED")
        other.ledger.clear()
        other.ledger.wait_for(looks)  # whatever was under way is over now
        cpo.ledger.clear()
        other.ledger.wait_for(looks, count=3)
        assert not any(map(looks, cpo.ledger))

        attentive.operator.ask("POST", f"/api/v1/platforms/{platform_id}/resume")
        cpo.ledger.wait_for(looks)
        becomes(attentive, platform_id, "OFFLINE")
        causes = [each["cause"] for each in history(attentive, platform_id)]
        assert causes[:4] == ["no_answer", "resumed", "suspended", "no_answer"]


def test_who_registers_anew_is_there_again(calm: HubProcess) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    with registered(calm, cpo, emsp):
        platform_id = platform_of(calm, cpo)
        with cpo.behaving(misbehaviour.RESETTING):
            assert call(emsp, cpo) == 4003
            becomes(calm, platform_id, "OFFLINE")

        cpo.update()

        assert calm.operator.platform(platform_id)["status"] == "CONNECTED"
        eventually(lambda: shown(emsp, cpo.party) == {"CONNECTED"})


def test_nobody_is_called_who_is_offline_and_nothing_is_kept_for_them(calm: HubProcess) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    with registered(calm, cpo, emsp):
        platform_id = platform_of(calm, emsp)
        with emsp.behaving(misbehaviour.RESETTING):
            assert cpo.get("tokens", to=emsp.party).status_code == 4003
            eventually(lambda: shown(cpo, emsp.party) == {"OFFLINE"})  # what is shown is what messages see
        emsp.received.clear()

        assert cpo.get("tokens", to=emsp.party).status_code == 4003
        assert cpo.put("tariffs", path_of(cpo.party, "T1"), to=emsp.party, json={}).status_code == 4003

        assert not emsp.received
        assert call(emsp, cpo) != 4003  # it is registered, and may call
        becomes(calm, platform_id, "CONNECTED")
        eventually(lambda: cpo.get("tokens", to=emsp.party).status_code != 4003)
        assert {request.module for request in emsp.received} == {"tokens"}


def test_who_is_offline_and_calls_is_looked_at_at_once(calm: HubProcess) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    with registered(calm, cpo, emsp):
        platform_id = platform_of(calm, cpo)
        with cpo.behaving(misbehaviour.RESETTING):
            assert call(emsp, cpo) == 4003
            becomes(calm, platform_id, "OFFLINE")
            cpo.get(ModuleID.HUB_CLIENT_INFO)
            cpo.ledger.wait_for(looks)
            assert calm.operator.platform(platform_id)["status"] == "OFFLINE"  # only an answer to a check counts

        cpo.get(ModuleID.HUB_CLIENT_INFO)

        assert becomes(calm, platform_id, "CONNECTED") < 8  # it is looked at every three seconds at most
        eventually(lambda: call(emsp, cpo) != 4003)


def test_one_refused_connection_makes_nobody_offline(calm: HubProcess) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    with registered(calm, cpo, emsp):
        cpo.ledger.clear()
        cpo.answers_next(misbehaviour.RESETTING, module="locations", times=2)

        assert call(emsp, cpo) == 4003

        cpo.ledger.wait_for(looks)
        cpo.script.clear()
        assert call(emsp, cpo) != 4003
        assert calm.operator.platform(platform_of(calm, cpo))["status"] == "CONNECTED"
        assert len(history(calm, platform_of(calm, cpo))) == 1


def test_many_failing_messages_make_few_checks(calm: HubProcess) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    with registered(calm, cpo, emsp):
        cpo.ledger.clear()
        cpo.answers_next(misbehaviour.RESETTING, module="locations", times=1000)

        for _ in range(40):
            assert call(emsp, cpo) == 4003

        cpo.ledger.wait_for(looks)
        assert len(cpo.ledger.of("versions")) <= 2


def test_a_partner_that_refuses_the_hubs_token_is_looked_at_and_its_operator_is_told(calm: HubProcess) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    with registered(calm, cpo, emsp):
        platform_id = platform_of(calm, cpo)
        cpo.ledger.clear()
        with cpo.behaving(misbehaviour.UNAUTHORIZED):
            assert call(emsp, cpo) == 4003
            cpo.ledger.wait_for(looks)
            becomes(calm, platform_id, "OFFLINE")
        assert history(calm, platform_id)[0]["why"] == (
            "It can be reached, but refuses the hub's access token: HTTP 401"
        )
        eventually(lambda: open_events(calm, platform_id) >= {"partner_refuses_token", "partner_offline"})

        calm.operator.ask("POST", f"/api/v1/platforms/{platform_id}/probe")
        eventually(lambda: not open_events(calm, platform_id) & {"partner_refuses_token", "partner_offline"})


def test_the_operator_looks_at_a_platform_at_once(calm: HubProcess) -> None:
    cpo, emsp = partner(CPO), partner(EMSP)
    with registered(calm, cpo, emsp):
        platform_id = platform_of(calm, cpo)

        found = calm.operator.ask("POST", f"/api/v1/platforms/{platform_id}/probe")
        assert found["answered"] is True
        [one] = found["connections"]
        assert (one["answered"], one["http_status"], one["ocpi_status"], one["reason"]) == (True, 200, 1000, None)

        cpo.behaves(misbehaviour.HTML)
        found = calm.operator.ask("POST", f"/api/v1/platforms/{platform_id}/probe")
        assert found["answered"] is False
        assert found["connections"][0]["reason"] == "It answers with something else than an OCPI response"
        becomes(calm, platform_id, "OFFLINE")


def test_everybody_behind_a_hub_that_is_dead_is_offline(calm: HubProcess) -> None:
    emsp, behind = partner(EMSP), new_party()
    peer = PeerHub("another hub", (behind, Role.CPO))
    with registered(calm, emsp), peer.running():
        platform_id = calm.operator.registered(peer, allow_hub=True)
        eventually(lambda: shown(emsp, behind) == {"CONNECTED"})
        with peer.behaving(misbehaviour.RESETTING):
            assert emsp.get("locations", "LOC1", to=behind).status_code == 4003
            becomes(calm, platform_id, "OFFLINE")

            eventually(lambda: shown(emsp, behind) == {"OFFLINE"})
            peer.received.clear()
            assert emsp.get("locations", "LOC1", to=behind).status_code == 4003
            assert not peer.received
