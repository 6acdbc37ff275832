"""A hub and its usual partners, shared by all scenarios; each scenario finds them well-behaved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from routing.vocabulary import Role, Version
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.translated import Everyone
from tests.migrated import migrated_file
from tests.partners import CPO, EMSP, new_party, partner, registered


@pytest.fixture(scope="module", params=["embedded", "postgresql+redis"])
def stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreUrls]:
    """What a hub of the whole module keeps its data in; its tests run twice."""
    if request.param == "embedded":
        yield StoreUrls(migrated_file(tmp_path_factory.mktemp("stores")), None)
        return
    postgres, redis = request.getfixturevalue("postgres_server"), request.getfixturevalue("redis_server")
    database_url = asyncio.run(request.getfixturevalue("migrated_database").copied())
    yield StoreUrls(database_url, redis.url)
    asyncio.run(postgres.drop_database(database_url))


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub that takes as many messages as the scenarios send, and logs all there is to log."""
    with ForkedHub(tmp_path_factory.mktemp("hub"), {"rate_limit": "off", "log_level": "debug"}) as process:
        yield process


@pytest.fixture(scope="session")
def partners(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    """Those of the fixtures below."""
    with usual_partners(hub) as usual:
        yield usual


@pytest.fixture(scope="session")
def older_partners(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    """Those of the fixtures below that are on 2.1.1."""
    with usual_older_partners(hub) as usual:
        yield usual


@contextmanager
def usual_partners(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    """Two CPOs and two eMSPs on 2.2.1, registered at this hub."""
    with registered(hub, partner(CPO), partner(EMSP), partner(CPO), partner(EMSP)) as [cpo, emsp, cpo2, emsp2]:
        yield {"cpo": cpo, "emsp": emsp, "other_cpo": cpo2, "other_emsp": emsp2}


@contextmanager
def usual_older_partners(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    """A CPO and an eMSP on 2.1.1 who name each other in routing headers, and one eMSP who does as 2.1.1 says."""
    old = Version.V2_1_1
    with registered(hub, partner(CPO, old), partner(EMSP, old), partner(EMSP, old)) as [cpo, emsp, plain]:
        for each in (cpo, emsp):
            hub.operator.change(platform_of(hub, each), routing_headers_211=True)
        yield {"cpo": cpo, "emsp": emsp, "plain": plain}


@pytest.fixture(scope="session")
def everyone(hub: HubProcess) -> Iterator[Everyone]:
    """A CPO and an eMSP of every version; those on 2.1.1 name each other in routing headers."""
    all_of_them = {
        (role, version): Partner(
            f"{role} on {version}",
            {new_party(): [role]},
            version=version,
            routing_headers_211=version is Version.V2_1_1,
        )
        for role in (Role.CPO, Role.EMSP)
        for version in Version
    }
    with registered(hub, *all_of_them.values()):
        for each in all_of_them.values():
            if each.version is Version.V2_1_1:
                hub.operator.change(platform_of(hub, each), routing_headers_211=True)
        yield all_of_them


def platform_of(hub: HubProcess, of: Partner) -> str:
    """The id of a partner's platform."""
    found = hub.operator.ask("GET", "/api/v1/parties", params={"q": str(of.party)})
    platform_id: str = found["items"][0]["platform_id"]
    return platform_id


def _refreshed(one: Partner) -> Partner:
    one.script.clear()
    one.shelf.own.clear()
    one.shelf.pushed.clear()
    one.ledger.clear()
    one.received.clear()
    return one


@pytest.fixture
def cpo(partners: dict[str, Partner]) -> Partner:
    """A CPO on 2.2.1."""
    return _refreshed(partners["cpo"])


@pytest.fixture
def emsp(partners: dict[str, Partner]) -> Partner:
    """An eMSP on 2.2.1."""
    return _refreshed(partners["emsp"])


@pytest.fixture
def other_cpo(partners: dict[str, Partner]) -> Partner:
    """Another CPO on 2.2.1."""
    return _refreshed(partners["other_cpo"])


@pytest.fixture
def other_emsp(partners: dict[str, Partner]) -> Partner:
    """Another eMSP on 2.2.1."""
    return _refreshed(partners["other_emsp"])


@pytest.fixture
def older_cpo(older_partners: dict[str, Partner]) -> Partner:
    """A CPO on 2.1.1 whose routing headers the hub believes."""
    return _refreshed(older_partners["cpo"])


@pytest.fixture
def older_emsp(older_partners: dict[str, Partner]) -> Partner:
    """An eMSP on 2.1.1 whose routing headers the hub believes."""
    return _refreshed(older_partners["emsp"])


@pytest.fixture
def plain_older_emsp(older_partners: dict[str, Partner]) -> Partner:
    """An eMSP on 2.1.1 as that version has it, without routing headers."""
    return _refreshed(older_partners["plain"])
