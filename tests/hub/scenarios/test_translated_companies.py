"""Companies with more than one role, and many messages at a time, between versions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from loadtests.simulator.stations import cards, cdr, charging_network, session, tariff
from routing.vocabulary import Role
from tests.hub.scenarios.translated import (
    RECEIVER,
    SENDER,
    V211,
    V221,
    V230,
    Both,
    Everyone,
    between,
    new_id,
    path_of,
    seeded,
    status,
)
from tests.partners import new_party, registered


@pytest.fixture(scope="module")
def company(hub: HubProcess) -> Iterator[Both]:
    """A 2.1.1 company that is a CPO at one connection and an eMSP at the other."""
    party = new_party()
    cpo_side = Partner("CPO side", {party: [Role.CPO]}, version=V211, routing_headers_211=True)
    emsp_side = Partner("eMSP side", {party: [Role.EMSP]}, version=V211, routing_headers_211=True)
    with cpo_side.running(), emsp_side.running():
        platform_id = hub.operator.registered(cpo_side)
        invitation = hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/invite", json={"face": "EMSP"})
        emsp_side.register(invitation["versions_url"], invitation["token_a"])
        hub.operator.change(platform_id, routing_headers_211=True)
        yield Both(cpo_side, emsp_side)


def test_what_is_for_the_emsp_of_a_2_1_1_company_reaches_its_emsp_side(everyone: Everyone, company: Both) -> None:
    cpo = between(everyone, V230, V230).cpo
    for side in company:
        side.received.clear()
    network = charging_network(cpo.party, V230, stations=1)
    cpo.hold("locations", *network.locations)
    place, price = network.locations[0], network.tariffs[0]
    card = cards(company.emsp.party, V230, count=1)[0]
    under_way = session(V230, new_id("S"), place, card)
    path = path_of(cpo.party, under_way["id"])
    to = company.emsp.party

    assert status(cpo.put("tariffs", path_of(cpo.party, price["id"]), to=to, json=price)) == (200, 1000)
    assert status(cpo.post("tokens", f"{new_id('U')}/authorize", to=to, json={"location_id": "L"})) == (404, 2004)
    assert status(cpo.put("sessions", path, to=to, json=under_way)) == (200, 1000)
    more = {"charging_periods": [{"start_date_time": "2026-11-22T09:00:00Z", "dimensions": []}]}
    change: Json = {**more, "last_updated": "2026-11-22T09:00:00Z"}
    assert status(cpo.patch("sessions", path, to=to, json=change)) == (200, 1000)
    posted = cpo.post("cdrs", to=to, json=cdr(V230, new_id("CDR"), place, card, price))
    assert status(cpo.get(posted.header("location") or "")) == (200, 1000)
    assert [(each.method, each.module) for each in company.emsp.received] == [
        ("PUT", "tariffs"),
        ("POST", "tokens"),
        ("PUT", "sessions"),
        ("GET", "sessions"),
        ("PATCH", "sessions"),
        ("POST", "cdrs"),
        ("GET", "cdrs"),
    ]
    assert not company.cpo.received


def test_commands_from_and_to_a_2_1_1_company_have_results_on_the_right_side(everyone: Everyone, company: Both) -> None:
    cpo, emsp = between(everyone, V230, V221)
    for side in company:
        side.received.clear()
    for giver, taker in ((company.emsp, cpo), (emsp, company.cpo)):
        body = {"response_url": giver.url("commands", SENDER, "result"), "session_id": "S1"}

        assert status(giver.post("commands", "STOP_SESSION", to=taker.party, json=body)) == (200, 1000)
        taker.settle()
        [result] = giver.received
        assert result.json() == {"result": "ACCEPTED"}
    assert [each.method for each in company.cpo.received] == ["POST"]


def test_a_platform_that_is_cpo_and_emsp_meets_2_1_1_on_both_sides(hub: HubProcess, everyone: Everyone) -> None:
    older = between(everyone, V211, V211)
    both = Partner("both", {new_party(): [Role.CPO, Role.EMSP]}, version=V230)
    with registered(hub, both):
        price, card = tariff(both.party, V230, "T1", seeded()), cards(both.party, V230, count=1)[0]
        both.hold("locations", *charging_network(both.party, V230, stations=2).locations)
        both.hold("tokens", card)

        there = (
            both.put("tariffs", path_of(both.party, "T1"), to=older.emsp.party, json=price, interface=RECEIVER),
            both.put("tokens", path_of(both.party, card["uid"]), to=older.cpo.party, json=card, interface=RECEIVER),
        )

        assert [status(each) for each in there] == [(200, 1000)] * 2
        assert len(older.emsp.get("locations", to=both.party).data) == 2
        assert [each["auth_id"] for each in older.cpo.get("tokens", to=both.party).data] == [card["contract_id"]]


def test_a_hundred_updates_at_a_time_all_arrive(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    places = charging_network(both.cpo.party, V221, stations=10).locations
    both.cpo.hold("locations", *places)
    card = cards(both.emsp.party, V221, count=1)[0]
    first = [session(V221, new_id("S"), place, card) for place in places]
    paths = [path_of(both.cpo.party, each["id"]) for each in first]

    answers = [
        both.cpo.start("PUT", "sessions", path, to=both.emsp.party, json=each | {"kwh": kwh})
        for kwh in range(10)
        for path, each in zip(paths, first, strict=True)
    ]

    assert {status(each.result()) for each in answers} == {(200, 1000)}
    assert len(both.emsp.received) == 100
    for each, place in zip(first, places, strict=True):
        sent = [request.json() for request in both.emsp.received if request.raw_path.endswith(f"/{each['id']}")]
        assert {one["kwh"] for one in sent} == set(range(10))
        assert {one["location"]["address"] for one in sent} == {place["address"]}
