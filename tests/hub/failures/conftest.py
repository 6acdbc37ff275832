"""A cluster and its partners, shared by all tests of this folder; each test finds them healthy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from loadtests.simulator import Partner
from tests.hub.failures.cluster import Cluster
from tests.partners import CPO, EMSP, partner


@pytest.fixture(scope="session")
def cluster_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def partners_of_all(cluster_of_all: Cluster) -> Iterator[Sequence[Partner]]:
    roles = [CPO, EMSP] * 3
    with cluster_of_all.registered(*map(partner, roles)) as partners:
        yield partners


@pytest.fixture
def cluster(cluster_of_all: Cluster) -> Cluster:
    """A healthy hub with two workers."""
    cluster_of_all.heals()
    return cluster_of_all


@pytest.fixture
def partners(cluster: Cluster, partners_of_all: Sequence[Partner]) -> Sequence[Partner]:  # noqa: ARG001 - a healthy one
    """Three registered CPOs and three registered eMSPs, well-behaved."""
    for each in partners_of_all:
        each.script.clear()
        each.ledger.clear()
        each.received.clear()
    return partners_of_all


@pytest.fixture
def cpo(partners: Sequence[Partner]) -> Partner:
    """One of these."""
    return partners[0]


@pytest.fixture
def emsp(partners: Sequence[Partner]) -> Partner:
    """Another of these."""
    return partners[1]


@pytest.fixture
def guest(cluster: Cluster) -> Iterator[Partner]:
    """A registered CPO that takes no part in the traffic, so that it may change."""
    with cluster.registered(partner(CPO)) as [one]:
        yield one
