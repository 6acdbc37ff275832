"""A hub for the tests of a module, without a limit on the rate of messages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadtests.hub_process import HubProcess
from tests.hub.forked import ForkedHub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with ForkedHub(tmp_path_factory.mktemp("hub"), {"rate_limit": "off"}) as hub:
        yield hub
