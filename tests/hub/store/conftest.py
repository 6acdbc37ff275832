"""A store with its tables, on each of the two ways a hub can be run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import StoreUrls
from tests.hub.store.opened import Process, first_process


@pytest.fixture
async def store(store_urls: StoreUrls) -> AsyncIterator[Process]:
    """The store of a process that is alone. The test runs twice."""
    async with first_process(store_urls) as one:
        yield one
