"""Hubs of this process, and partners that run. A shared hub has new parties in each test."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from loadtests.simulator import Partner
from routing.vocabulary import Role
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, new_party, partner


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that does not wait long for partners."""
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def untrusted() -> Iterator[Partner]:
    """A partner whose certificate nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Partner("untrusted", {new_party(): [Role.CPO]}, tls=context).running() as one:
        yield one


@pytest.fixture
def cpo() -> Iterator[Partner]:
    """A CPO that runs and is not registered."""
    with partner(CPO).running() as one:
        yield one


@pytest.fixture
def emsp() -> Iterator[Partner]:
    """An eMSP that runs and is not registered."""
    with partner(EMSP).running() as one:
        yield one


@pytest.fixture
def fresh_hub(tmp_path: Path) -> Iterator[RunningHub]:
    """A hub at which nobody else is registered."""
    with RunningHub(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def public_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub whose partners have to be on the public net."""
    with RunningHub(tmp_path_factory.mktemp("hub"), allow_private_partners=False) as running:
        yield running
