"""The hub's main job, on each of the stores it runs on."""

from __future__ import annotations

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner, misbehaviour
from routing.vocabulary import Version
from tests.partners import CPO, EMSP, location, partner, path_of, registered


def test_a_location_reaches_the_party_it_is_addressed_to(hub_on_each_store: HubProcess) -> None:
    with registered(hub_on_each_store, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        path = path_of(cpo.party, "LOC1")

        answer = cpo.put("locations", path, to=emsp.party, json=location(cpo.party))

        assert answer.status_code == 1000
        [request] = emsp.received
        assert request.json() == location(cpo.party)
        assert (request.sender, request.receiver) == (cpo.party, emsp.party)
        assert (answer.sender, answer.receiver) == (emsp.party, cpo.party)


def test_a_restarted_hub_knows_its_platforms(hub_on_each_store: HubProcess) -> None:
    with registered(hub_on_each_store, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        assert hub_on_each_store.stop() == 0
        hub_on_each_store.start()

        assert cpo.get("tokens", to=emsp.party).status_code == 1000


@pytest.mark.parametrize("version", [Version.V2_2, Version.V2_2_1, Version.V2_3_0])
def test_platforms_of_one_version_exchange_messages(hub: HubProcess, version: Version) -> None:
    with registered(hub, partner(CPO, version), partner(EMSP, version)) as [cpo, emsp]:
        emsp.hold("tokens", {"uid": "CARD1"})

        assert cpo.get("tokens", to=emsp.party).data == [{"uid": "CARD1"}]
        assert emsp.get("tariffs", to=cpo.party).data == []


def test_the_hub_registers_where_it_is_told_to(hub: HubProcess) -> None:
    with partner(CPO).running() as cpo, partner(EMSP).running() as emsp:
        for one in (cpo, emsp):
            hub.operator.connected(one)

        assert cpo.get("tokens", to=emsp.party).sender == emsp.party


def test_a_silent_partner_costs_only_who_asks_it(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    with registered(hub, partner(EMSP)) as [other]:
        other.behaves(misbehaviour.DEAD)
        waiting = cpo.start("GET", "tokens", to=other.party)

        assert cpo.get("tokens", to=emsp.party).status_code == 1000
        assert not waiting.done()
        other.behaves()
        waiting.cancel()
