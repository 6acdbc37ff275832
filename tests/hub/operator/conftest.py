from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from loadtests.hub_process import HubProcess


@pytest.fixture(scope="module")
def anyone(hub: HubProcess) -> Iterator[httpx.Client]:
    """A client of the operator listener without a token."""
    with httpx.Client(base_url=hub.operator.url, trust_env=False, timeout=30) as client:
        yield client
