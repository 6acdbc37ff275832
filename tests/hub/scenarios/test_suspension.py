"""One party that its operator suspends, while the rest of its platform goes on: at every worker, within a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from routing.vocabulary import InterfaceRole, Party
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.operator.test_problems import check_problem
from tests.hub.scenarios.translated import new_id, status
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered
from tests.servers import Postgres, Redis

HUB = Party("EU", "HUB")
_IN_A_ROW = 8
_SOON_S = 3.0
"""The hub promises a second; a machine full of tests gets more."""


@pytest.fixture(scope="module")
def hub(
    postgres_server: Postgres, redis_server: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HubProcess]:
    """One with two workers."""
    database_url = asyncio.run(postgres_server.create_database())
    settings = {"database_url": database_url, "redis_url": redis_server.url, "workers": "2", "rate_limit": "off"}
    with ForkedHub(tmp_path_factory.mktemp("hub"), settings) as process:
        yield process
    asyncio.run(postgres_server.drop_database(database_url))


@pytest.fixture(scope="module")
def partners(hub: HubProcess) -> Iterator[tuple[Partner, Partner]]:
    """A CPO platform of two parties, and an eMSP."""
    cpo = Partner("Two companies", {new_party("NL"): CPO, new_party("NL"): CPO})
    with registered(hub, cpo, partner(EMSP)) as [both, emsp]:
        yield both, emsp


def set_suspended(hub: HubProcess, party: Party, *, to: bool) -> None:
    [item] = hub.operator.ask("POST", f"/api/v1/parties/{party}/{'suspend' if to else 'resume'}")["items"]
    assert item["suspended"] is to


def statuses(asker: Partner, sender: Party, receiver: Party) -> list[tuple[int, int]]:
    """Those of a few requests, each through a connection of its own, so that every worker answers some."""
    headers = {
        "authorization": asker.authorization,
        "connection": "close",
        **{f"ocpi-from-{name.replace('_', '-')}": value for name, value in sender._asdict().items()},
        **{f"ocpi-to-{name.replace('_', '-')}": value for name, value in receiver._asdict().items()},
    }
    url = asker.connection.url("locations", InterfaceRole.SENDER)
    with httpx.Client(headers=headers, trust_env=False) as client:
        answers = [client.get(url) for _ in range(_IN_A_ROW)]
    return [(each.status_code, each.json()["status_code"]) for each in answers]


def shown(viewer: Partner, of: Partner) -> dict[Party, str]:
    """The statuses in which a partner sees the parties of another."""
    infos = viewer.get("hubclientinfo").data
    statuses = {Party(each["country_code"], each["party_id"]): each["status"] for each in infos}
    return {party: status for party, status in statuses.items() if party in of.parties}


def test_a_suspended_party_may_send_nothing_and_gets_nothing(
    hub: HubProcess, partners: tuple[Partner, Partner]
) -> None:
    cpo, emsp = partners
    suspended, sibling = cpo.parties
    set_suspended(hub, suspended, to=True)
    at_once = time.monotonic()
    refused, unreachable = [(403, 2001)] * _IN_A_ROW, [(200, 4003)] * _IN_A_ROW
    try:
        eventually(lambda: statuses(cpo, suspended, emsp.party) == refused, within_s=_SOON_S)
        assert statuses(emsp, emsp.party, suspended) == unreachable
        assert time.monotonic() - at_once < _SOON_S

        assert (403, 2001) not in statuses(cpo, sibling, emsp.party)
        assert set(statuses(emsp, emsp.party, sibling)) == {(200, 1000)}
        assert shown(emsp, cpo) == {suspended: "SUSPENDED", sibling: "CONNECTED"}
    finally:
        set_suspended(hub, suspended, to=False)
    eventually(lambda: set(statuses(emsp, emsp.party, suspended)) == {(200, 1000)}, within_s=_SOON_S)


def test_a_list_of_everybodys_leaves_a_suspended_party_out(hub: HubProcess, partners: tuple[Partner, Partner]) -> None:
    cpo, emsp = partners
    suspended, sibling = cpo.parties
    cpo.hold("locations", *(location(party, new_id("LOC")) for party in (suspended, sibling)))

    def owners() -> set[str]:
        pages = emsp.pages("locations", to=HUB, params={"mark": new_id("mark")})
        return {each["party_id"] for page in pages for each in page.data}

    assert owners() == {suspended.party_id, sibling.party_id}
    set_suspended(hub, suspended, to=True)
    try:
        eventually(lambda: owners() == {sibling.party_id}, within_s=_SOON_S)
    finally:
        set_suspended(hub, suspended, to=False)
    eventually(lambda: len(owners()) == 2, within_s=_SOON_S)


def test_a_broadcast_leaves_a_suspended_party_out(hub: HubProcess, partners: tuple[Partner, Partner]) -> None:
    cpo, _ = partners
    owner = next(iter(cpo.parties))
    with registered(hub, Partner("Two eMSPs", {new_party("DE"): EMSP, new_party("DE"): EMSP})) as [both]:
        suspended, sibling = both.parties

        def told() -> set[Party | None]:
            place = location(owner, new_id("LOC"))
            pushed = cpo.put("locations", path_of(owner, place["id"]), to=HUB, sender=owner, json=place)
            assert status(pushed) == (200, 1000)
            with suppress(TimeoutError):  # the worker that took it may not have heard of them yet
                both.received.wait_for(
                    lambda request: request.receiver == sibling and place["id"] in request.raw_path, timeout_s=2
                )
            return {each.receiver for each in both.received if place["id"] in each.raw_path}

        eventually(lambda: told() == {suspended, sibling})
        set_suspended(hub, suspended, to=True)
        eventually(lambda: told() == {sibling}, within_s=_SOON_S)
        both.received.clear()
        for _ in range(_IN_A_ROW):
            told()  # with so many, one to the other party would be among those that are here
        assert {each.receiver for each in both.received} == {sibling}


def test_a_party_that_is_not_there_cannot_be_suspended(hub: HubProcess) -> None:
    for name in ("XX*NON", "XX", "XXX*A", "XX*LONG"):
        check_problem(hub.operator.api.post(f"/api/v1/parties/{name}/suspend"), 404)
        check_problem(hub.operator.api.get(f"/api/v1/parties/{name}"), 404)


def test_a_suspended_platform_is_refused_as_a_whole(hub: HubProcess, partners: tuple[Partner, Partner]) -> None:
    cpo, emsp = partners
    platform_id = hub.operator.ask("GET", f"/api/v1/parties/{cpo.party}")["items"][0]["platform_id"]
    hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/suspend")
    try:
        # Whoever goes on with a token that is none is told to wait, too.
        eventually(lambda: {each for each, _ in statuses(cpo, cpo.party, emsp.party)} <= {401, 429}, within_s=_SOON_S)
        assert set(statuses(emsp, emsp.party, cpo.party)) == {(200, 4003)}
        assert set(shown(emsp, cpo).values()) == {"SUSPENDED"}
        assert status(cpo.get("hubclientinfo"))[0] in {401, 429}
    finally:
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/resume")
