"""The embedded default fails as well: its database file is locked for a while, and the hub starts again."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import HubRefused, Partner
from tests.hub.failures.traffic import Traffic, unharmed
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.partners import CPO, EMSP, partner, registered

REFUSED_WITHIN_S = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[HubProcess]:
    with ForkedHub(folder, {"rate_limit": "off"}) as process:
        yield process


@pytest.fixture(scope="module")
def partners(hub: HubProcess) -> Iterator[Sequence[Partner]]:
    with registered(hub, *map(partner, [CPO, EMSP] * 2)) as partners:
        yield partners


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another process, which is this one, holds the database file for itself while the block lasts."""
    with closing(sqlite3.connect(folder / "hub.db", isolation_level=None, timeout=10)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield
        holder.execute("ROLLBACK")


def test_messages_go_on_while_the_database_file_is_locked(
    hub: HubProcess, folder: Path, partners: Sequence[Partner]
) -> None:
    newcomer = partner(CPO)
    invitation = hub.operator.invite(newcomer.name)
    with unharmed(partners) as traffic, newcomer.running():
        with locked(folder):
            began = time.monotonic()
            with pytest.raises(HubRefused) as refusal:
                newcomer.register(invitation.versions_url, invitation.token_a)
            assert time.monotonic() - began < REFUSED_WITHIN_S
            assert refusal.value.answer.status_code == 3000
            traffic.goes_on()
        newcomer.register(invitation.versions_url, invitation.token_a)
        eventually(lambda: hub.operator.api.get("/readyz").status_code == 200)


@pytest.mark.parametrize("end", [HubProcess.stop, HubProcess.kill], ids=["stopped", "killed"])
def test_everybody_is_still_registered_after_a_restart(
    hub: HubProcess, partners: Sequence[Partner], end: Callable[[HubProcess], object]
) -> None:
    with Traffic(partners) as traffic:
        traffic.goes_on()
        before = hub.operator.ask("GET", "/api/v1/parties")
        end(hub)
        eventually(lambda: any(isinstance(each.outcome, httpx.TransportError) for each in traffic.failures))
        hub.start()
        traffic.goes_on()
    assert hub.operator.ask("GET", "/api/v1/parties") == before
    traffic.check_arrivals()


def test_a_hub_ends_well_while_the_database_file_is_locked(
    hub: HubProcess, folder: Path, partners: Sequence[Partner]
) -> None:
    with locked(folder):
        refused = hub.operator.api.post("/api/v1/platforms", json={"name": "Nobody"})
        assert refused.status_code == 503

        assert hub.stop() == 0
    hub.start()
    with unharmed(partners):
        pass


def test_a_hub_that_starts_while_the_database_file_is_locked_waits_for_it(
    hub: HubProcess, folder: Path, partners: Sequence[Partner]
) -> None:
    hub.stop()
    with ThreadPoolExecutor() as threads:
        with locked(folder):
            starting = threads.submit(hub.start)
            eventually(lambda: is_listening(hub.port))
            assert not starting.done()
        starting.result()
    with unharmed(partners):
        pass


def is_listening(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False
