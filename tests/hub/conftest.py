"""Hubs to test: the real command in a process of its own, started once for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub
from tests.partners import CPO, EMSP, partner, registered


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub on the embedded default, shared by the tests of one module."""
    with ForkedHub(tmp_path_factory.mktemp("hub")) as process:
        yield process


@pytest.fixture
def hub_on_each_store(tmp_path: Path, store_urls: StoreUrls) -> Iterator[HubProcess]:
    """A fresh hub for one test, which thereby runs twice: on SQLite alone, and on PostgreSQL and Redis."""
    with ForkedHub(tmp_path, store_urls._asdict()) as process:
        yield process


@pytest.fixture
def cpo(hub: HubProcess) -> Iterator[Partner]:
    """A registered CPO on 2.2.1, with a party of its own."""
    with registered(hub, partner(CPO)) as [one]:
        yield one


@pytest.fixture
def emsp(hub: HubProcess) -> Iterator[Partner]:
    """A registered eMSP on 2.2.1, with a party of its own."""
    with registered(hub, partner(EMSP)) as [one]:
        yield one
