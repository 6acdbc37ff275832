"""Still alive checks of ten thousand platforms: how long one round takes, and what it costs.

So many platforms are not registered one by one, which would take longer than what is measured: they are written into
the hub's database.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click
from msgspec import Struct

from loadtests.crowd import Crowd
from loadtests.hub_process import HubFailed, HubProcess, cpu_ticks
from loadtests.population import KEY, Settler, settle
from loadtests.simulator import Json
from loadtests.subjects import elsewhere
from routing.vocabulary import InterfaceRole, ModuleID, Role

PLATFORMS: Final = 10_000
_ALIVE_AFTER_S: Final = 60
"""In this time a process that begins to lead looks at everybody, however long they may be silent."""
_WITHIN_S: Final = 180.0
TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


class Checks(Struct, frozen=True, rename={"checks_per_s": "checks/s"}):
    """What is measured of a hub that begins, and has heard nothing of any platform."""

    platforms: int
    round_s: float
    """From the first check to the last; they are spread over a minute on purpose."""
    checks_per_s: float
    most_in_a_second: int
    most_connections: int
    """Open at the same time."""
    cpu_share: float
    """Of one core, in that time."""
    cpu_us_per_check: float


class _Asked(Crowd):
    """A crowd that notes when each of it was looked at."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.looks: list[float] = []
        self.most_connections = 0
        self._all = threading.Event()

    def document(self, number: int, path: Sequence[str]) -> Json | list[Json] | None:
        self.looks.append(time.monotonic())
        self.most_connections = max(self.most_connections, len(self.connections))
        if len(self.looks) == len(self.parties):
            self._all.set()
        return super().document(number, path)

    def wait_for_all(self) -> None:
        """Wait until as many looks were taken as there are platforms. Raises HubFailed."""
        if not self._all.wait(_WITHIN_S):
            raise HubFailed(f"only {len(self.looks)} platforms were looked at within {_WITHIN_S:.0f} s")


def measured_checks(folder: Path, core: int) -> Checks:
    """Measure with a hub of its own on this core. Raises HubFailed."""
    database_url = f"sqlite+aiosqlite:///{folder}/hub.db"
    settings = {
        "database_url": database_url,
        "secret_key": KEY.reveal(),
        "alive_after_s": str(_ALIVE_AFTER_S),
        "allow_private_partners": "true",
    }
    with ExitStack() as stack:
        stack.enter_context(elsewhere(core))
        crowd = stack.enter_context(_Asked(PLATFORMS).running())
        click.echo(f"writing {PLATFORMS:,} platforms", err=True)
        process = HubProcess(folder, settings, command=["taskset", "-c", str(core)])
        asyncio.run(populate(database_url, process.url, crowd))
        hub = stack.enter_context(process)
        ticks = cpu_ticks(hub.pid)
        click.echo("waiting until each was looked at", err=True)
        crowd.wait_for_all()
        return _summary(crowd, (cpu_ticks(hub.pid) - ticks) / TICKS_A_SECOND)


async def populate(
    database_url: str, hub_url: str, crowd: Crowd, modules: Sequence[str] = (ModuleID.LOCATIONS,), *, first: int = 0
) -> None:
    """Make a database in which the whole crowd is registered; `modules` are those that each takes pushes of.

    The rest is as for `loadtests.population.settle`.
    """
    pushes = [(module, InterfaceRole.RECEIVER) for module in modules]
    settlers = [
        Settler(f"Crowd {number}", [party], Role.EMSP, f"{crowd.base}/{number}", pushes)
        for number, party in enumerate(crowd.parties)
    ]
    await settle(database_url, hub_url, settlers, first=first)


def _summary(crowd: _Asked, cpu_s: float) -> Checks:
    looks = crowd.looks[: len(crowd.parties)]
    round_s = looks[-1] - looks[0]
    per_second: dict[int, int] = {}
    for at in looks:
        per_second[int(at)] = per_second.get(int(at), 0) + 1
    return Checks(
        platforms=len(looks),
        round_s=round(round_s, 1),
        checks_per_s=round(len(looks) / round_s, 1),
        most_in_a_second=max(per_second.values()),
        most_connections=crowd.most_connections,
        cpu_share=round(cpu_s / round_s, 3),
        cpu_us_per_check=round(cpu_s / len(looks) * 1e6, 1),
    )


def lines(found: Checks) -> list[str]:
    """The figures for people."""
    title = f"still alive checks of {found.platforms:,}"
    figures = (
        f"{found.round_s:>9.1f}{found.checks_per_s:>11,.0f}{found.most_in_a_second:>18}{found.most_connections:>13}"
    )
    return [
        f"{title:<34}  seconds   checks/s  most in a second  connections  share of a core   CPU µs",
        f"{'  none of them heard of before':<34}{figures}{found.cpu_share:>17.2f}{found.cpu_us_per_check:>9.0f}",
    ]
