"""For scenarios that lean on what is stored: the hub and its usual partners once more, on each store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import usual_older_partners, usual_partners


@pytest.fixture(scope="module")
def hub(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub on one of the stores."""
    settings = {**stores._asdict(), "rate_limit": "off", "log_level": "debug"}
    with ForkedHub(tmp_path_factory.mktemp("hub"), settings) as process:
        yield process


@pytest.fixture(scope="module")
def partners(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    """Its partners on 2.2.1."""
    with usual_partners(hub) as usual:
        yield usual


@pytest.fixture(scope="module")
def older_partners(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    """Its partners on 2.1.1."""
    with usual_older_partners(hub) as usual:
        yield usual
