"""A hub of this process, shared by the tests of one module: its parties are new in each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.running_hub import RunningHub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that does not wait long for partners."""
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def fresh_hub(tmp_path: Path) -> Iterator[RunningHub]:
    """A hub at which nobody else is registered."""
    with RunningHub(tmp_path) as running:
        yield running
