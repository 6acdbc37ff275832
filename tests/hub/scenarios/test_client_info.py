"""Who is there, as the hub tells its platforms. OCPI 2.2.1, "HubClientInfo"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner, envelope
from loadtests.simulator.messages import Received
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.event_waiting import event_of
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.partners import CPO, EMSP, new_party, partner, registered

LIST = ModuleID.HUB_CLIENT_INFO


@pytest.fixture(scope="module")
def hub(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub of its own, on each store: everybody is told of everybody."""
    with ForkedHub(tmp_path_factory.mktemp("hub"), {**stores._asdict(), "rate_limit": "off"}) as process:
        yield process


@contextmanager
def told(hub: HubProcess, *viewers: Partner) -> Iterator[list[Partner]]:
    """These partners, running and registered, and told of all that was before."""
    with registered(hub, *viewers):
        all_told(hub, *viewers)
        for viewer in viewers:
            viewer.ledger.clear()
        yield list(viewers)


def all_told(hub: HubProcess, *viewers: Partner) -> None:
    """Wait until these were told of everything so far."""
    last = new_party("XX")
    hub.operator.invite("last", parties={last: CPO})
    for viewer in viewers:
        wait_for_pushes(viewer, last, 1)


def says(request: Received) -> tuple[Party, str, str]:
    """Of whom one push is, in which role, and what it says."""
    info = request.json()
    return Party(info["country_code"], info["party_id"]), info["role"], info["status"]


def pushes(viewer: Partner, party: Party) -> list[tuple[str, str]]:
    """What this partner was told of a party: role and status, in the order it came."""
    said = (says(request) for request in viewer.ledger.of(LIST, "PUT"))
    return [(role, status) for about, role, status in said if about == party]


def wait_for_pushes(viewer: Partner, party: Party, count: int) -> list[Received]:
    """Wait for that many pushes about this party."""
    return viewer.ledger.wait_for(
        lambda request: request.module == LIST and request.method == "PUT" and says(request)[0] == party, count=count
    )


def everybody_hears(party: Party, count: int, viewers: Iterable[Partner]) -> None:
    """Wait for that many pushes about this party at each of these."""
    for viewer in viewers:
        wait_for_pushes(viewer, party, count)


def test_everybody_who_wants_to_know_is_told_of_who_comes_and_who_leaves(hub: HubProcess) -> None:
    newcomer, uninterested = partner(CPO), partner(EMSP)
    uninterested.modules = frozenset({(ModuleID.LOCATIONS, InterfaceRole.RECEIVER)})
    viewers = partner(EMSP), partner(EMSP, Version.V2_2), partner(EMSP, Version.V2_3_0)
    older = partner(EMSP, Version.V2_1_1)
    with registered(hub, uninterested, older), told(hub, *viewers), newcomer.running():
        invitation = hub.operator.invite(newcomer.name, parties=newcomer.parties)
        everybody_hears(newcomer.party, 1, viewers)
        newcomer.register(hub.versions_url, invitation.token_a)
        everybody_hears(newcomer.party, 2, viewers)
        newcomer.unregister()
        everybody_hears(newcomer.party, 3, viewers)

        for viewer in viewers:
            assert pushes(viewer, newcomer.party) == [("CPO", "PLANNED"), ("CPO", "CONNECTED"), ("CPO", "SUSPENDED")]
        for nobody in (uninterested, older):
            assert not nobody.ledger.of(LIST)
        assert pushes(newcomer, newcomer.party) == []  # of others it may hear


def test_a_push_goes_to_the_party_below_the_endpoint_without_routing_headers_and_with_ids_of_its_own(
    hub: HubProcess,
) -> None:
    with told(hub, partner(EMSP), partner(EMSP)) as [one, other], partner(CPO).running() as newcomer:
        hub.operator.registered(newcomer)
        [push] = wait_for_pushes(one, newcomer.party, 1)
        [same] = wait_for_pushes(other, newcomer.party, 1)
        listed = next(each for each in one.get(LIST).data if each["party_id"] == newcomer.party.party_id)

    endpoint = urlsplit(one.url(LIST, InterfaceRole.RECEIVER)).path
    assert push.raw_path == f"{endpoint}/{newcomer.party.country_code}/{newcomer.party.party_id}"
    assert push.json() == same.json() == listed
    assert not [name for name, _ in push.headers if name.startswith("ocpi-")]
    ids = [each.header(name) for each in (push, same) for name in ("x-request-id", "x-correlation-id")]
    assert len(set(ids)) == 4
    assert all(ids)


def test_a_party_of_two_roles_is_two_entries_and_two_pushes(hub: HubProcess) -> None:
    both = partner([Role.CPO, Role.EMSP])
    with told(hub, partner(EMSP)) as [viewer], registered(hub, both):
        wait_for_pushes(viewer, both.party, 2)
        roles = {(each["role"], each["party_id"]) for each in viewer.get(LIST).data}

        assert pushes(viewer, both.party) == [("CPO", "CONNECTED"), ("EMSP", "CONNECTED")]
        assert {("CPO", both.party.party_id), ("EMSP", both.party.party_id)} <= roles


def test_a_party_that_changes_its_roles_is_announced_and_one_that_renews_its_tokens_is_not(hub: HubProcess) -> None:
    with told(hub, partner(EMSP), partner(CPO)) as [viewer, cpo]:
        dropped, added = cpo.party, new_party()
        cpo.update()
        cpo.parties = {added: CPO}
        cpo.update()
        wait_for_pushes(viewer, added, 1)
        wait_for_pushes(viewer, dropped, 1)
        all_told(hub, viewer, cpo)

        assert pushes(viewer, dropped) == [("CPO", "SUSPENDED")]
        assert pushes(viewer, added) == [("CPO", "CONNECTED")]
        assert not pushes(cpo, added)


def test_a_role_that_a_party_drops_is_suspended_and_told_once_until_it_has_the_role_again(hub: HubProcess) -> None:
    cpo = partner([Role.CPO, Role.EMSP])

    def listed(viewer: Partner) -> list[tuple[str, str]]:
        infos = (info for page in viewer.pages(LIST) for info in page.data)
        return [(each["role"], each["status"]) for each in infos if each["party_id"] == cpo.party.party_id]

    with told(hub, partner(EMSP), cpo) as [viewer, _]:
        cpo.parties = {cpo.party: CPO}
        cpo.update()
        wait_for_pushes(viewer, cpo.party, 2)
        assert listed(viewer) == [("CPO", "CONNECTED"), ("EMSP", "SUSPENDED")]
        assert viewer.get(ModuleID.LOCATIONS, to=cpo.party).status_code == 1000
        cpo.parties = {cpo.party: [Role.CPO, Role.NSP]}
        cpo.update()
        wait_for_pushes(viewer, cpo.party, 4)
        cpo.parties = {cpo.party: [Role.CPO, Role.EMSP]}
        cpo.update()
        wait_for_pushes(viewer, cpo.party, 7)

        assert listed(viewer) == [("CPO", "CONNECTED"), ("EMSP", "CONNECTED"), ("NSP", "SUSPENDED")]
        assert sorted(pushes(viewer, cpo.party)[:2]) == [("CPO", "CONNECTED"), ("EMSP", "SUSPENDED")]
        assert sorted(pushes(viewer, cpo.party)[2:4]) == [("CPO", "CONNECTED"), ("NSP", "CONNECTED")]
        assert sorted(pushes(viewer, cpo.party)[4:]) == [
            ("CPO", "CONNECTED"),
            ("EMSP", "CONNECTED"),
            ("NSP", "SUSPENDED"),
        ]


def test_who_is_suspended_by_the_operator_is_announced_and_hears_of_nothing_until_it_is_back(hub: HubProcess) -> None:
    with told(hub, partner(EMSP), partner(CPO)) as [viewer, cpo], partner(EMSP).running() as newcomer:
        platform = f"/api/v1/platforms/{platform_of(hub, cpo)}"
        hub.operator.ask("POST", f"{platform}/suspend")
        wait_for_pushes(viewer, cpo.party, 1)
        hub.operator.registered(newcomer)
        wait_for_pushes(viewer, newcomer.party, 1)
        hub.operator.ask("POST", f"{platform}/resume")
        wait_for_pushes(viewer, cpo.party, 2)
        all_told(hub, viewer, cpo)

        assert not pushes(cpo, newcomer.party)


def test_a_platform_that_does_not_take_a_push_gets_no_other_and_delays_nobody(hub: HubProcess) -> None:
    with told(hub, partner(EMSP), partner(EMSP)) as [broken, fine], partner(CPO).running() as newcomer:
        broken.answers_next(envelope(status_code=3000, http_status=500), module=LIST)
        hub.operator.registered(newcomer)
        wait_for_pushes(broken, newcomer.party, 1)
        wait_for_pushes(fine, newcomer.party, 1)
        all_told(hub, broken, fine)

        assert pushes(broken, newcomer.party) == [("CPO", "CONNECTED")]
        # It is open until the platform takes the next one, which is here already.
        missed = event_of(hub, EventKind.CLIENT_INFO_MISSED, platform_of(hub, broken), state="closed")
        assert missed["count"] >= 1  # on a busy machine another one may take too long
        assert "did not take what the hub said about other parties: " in missed["sentence"]
        metrics = hub.operator.api.get("/metrics").text
        assert 'ocpi_hub_client_info_pushes_total{outcome="refused"} ' in metrics
        assert 'ocpi_hub_client_info_pushes_total{outcome="delivered"} ' in metrics


def test_a_platform_that_registers_anew_is_told_of_what_changes_from_then_on(hub: HubProcess) -> None:
    with told(hub, partner(EMSP)) as [viewer], partner(CPO).running() as early, partner(CPO).running() as late:
        platform_id = platform_of(hub, viewer)
        viewer.unregister()
        hub.operator.registered(early)
        invitation = hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/invite", json={})
        viewer.register(hub.versions_url, invitation["token_a"])
        hub.operator.registered(late)
        wait_for_pushes(viewer, late.party, 1)

        assert not pushes(viewer, early.party)
        assert early.party.party_id in {each["party_id"] for each in viewer.get(LIST).data}


def test_a_restarted_hub_tells_nobody_twice(hub: HubProcess) -> None:
    with told(hub, partner(EMSP), partner(CPO)) as [viewer, cpo]:
        cpo.parties = {cpo.party: CPO, new_party(): CPO}
        cpo.update()
        wait_for_pushes(viewer, list(cpo.parties)[1], 1)
        assert hub.stop() == 0
        hub.start()
        eventually(lambda: viewer.get(LIST).status_code == 1000)
        all_told(hub, viewer, cpo)

        assert len(pushes(viewer, list(cpo.parties)[1])) == 1
        assert not pushes(viewer, cpo.party)


def test_hub_and_payment_terminal_provider_are_said_only_to_who_knows_the_words(hub: HubProcess) -> None:
    knows = partner(EMSP, Version.V2_3_0)
    knows.modules = frozenset({(ModuleID.PAYMENTS, InterfaceRole.RECEIVER), (LIST, InterfaceRole.RECEIVER)})
    terminals = Partner("terminals", {new_party(): [Role.PTP]}, version=Version.V2_3_0)
    peer = Partner("peer", {new_party(): [Role.HUB]})
    with told(hub, partner(EMSP), partner(EMSP, Version.V2_3_0), knows) as viewers, terminals.running(), peer.running():
        hub.operator.registered(terminals)
        hub.operator.registered(peer, allow_hub=True)
        all_told(hub, *viewers)

        assert [pushes(viewer, terminals.party) for viewer in viewers] == [
            [("OTHER", "CONNECTED")],
            [("OTHER", "CONNECTED")],
            [("PTP", "CONNECTED")],
        ]
        assert [pushes(viewer, peer.party) for viewer in viewers] == [[("HUB", "CONNECTED")], [], []]


def test_who_is_behind_another_hub_is_announced_here_and_to_no_other_hub(hub: HubProcess) -> None:
    peer, other = (Partner(name, {new_party("BE"): [Role.HUB]}) for name in ("peer", "other peer"))
    behind = new_party("BE")
    with told(hub, partner(EMSP)) as [viewer], peer.running(), other.running():
        for each in (peer, other):
            hub.operator.registered(each, allow_hub=True)
        for status in ("CONNECTED", "OFFLINE"):
            info = {
                "country_code": behind.country_code,
                "party_id": behind.party_id,
                "role": "CPO",
                "status": status,
                "last_updated": "2026-11-22T08:00:00Z",
            }
            path = f"{behind.country_code}/{behind.party_id}"
            answer = peer.put(LIST, path, json=info, interface=InterfaceRole.RECEIVER, sender=None)
            assert answer.status_code == 1000
            wait_for_pushes(viewer, behind, 1 if status == "CONNECTED" else 2)
        peer.unregister()
        wait_for_pushes(viewer, behind, 3)
        all_told(hub, viewer, other)

        assert pushes(viewer, behind) == [("CPO", "CONNECTED"), ("CPO", "OFFLINE"), ("CPO", "SUSPENDED")]
        assert not pushes(other, behind)
        assert not pushes(other, peer.party)


def test_what_two_parties_agree_on_shows_them_to_each_other_and_what_ends_hides_them(tmp_path: Path) -> None:
    with (
        ForkedHub(tmp_path, {"agreements": "required", "rate_limit": "off"}) as hub,
        registered(hub, partner(EMSP), partner(CPO), partner(CPO)) as [emsp, cpo, stranger],
    ):
        agreement = hub.operator.ask("POST", "/api/v1/agreements", json={"a": str(cpo.party), "b": str(emsp.party)})
        wait_for_pushes(emsp, cpo.party, 1)
        wait_for_pushes(cpo, emsp.party, 1)
        cpo.parties = {cpo.party: [Role.CPO, Role.EMSP]}
        cpo.update()
        wait_for_pushes(emsp, cpo.party, 3)
        hub.operator.ask("DELETE", f"/api/v1/agreements/{agreement['id']}")
        wait_for_pushes(emsp, cpo.party, 5)
        wait_for_pushes(cpo, emsp.party, 2)

        both = [("CPO", "CONNECTED"), ("EMSP", "CONNECTED")]
        assert pushes(emsp, cpo.party) == [both[0], *both, ("CPO", "SUSPENDED"), ("EMSP", "SUSPENDED")]
        assert pushes(cpo, emsp.party) == [("EMSP", "CONNECTED"), ("EMSP", "SUSPENDED")]
        assert not stranger.ledger.of(LIST)
