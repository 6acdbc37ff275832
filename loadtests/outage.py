"""A thousand platforms go away at once, and a thousand are told so: how long it takes, and do messages wait for it?"""

from __future__ import annotations

import asyncio
import statistics
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click
from msgspec import Struct

from loadtests.crowd import Arrival, Crowd
from loadtests.hub_process import HubFailed, HubProcess, cpu_ticks
from loadtests.population import KEY
from loadtests.presence import TICKS_A_SECOND, populate
from loadtests.simulator import Partner
from loadtests.subjects import VOLT, elsewhere, location
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role

RECEIVERS: Final = 1000
DROPPED: Final = 1000
_ROAM: Final = Party("DE", "ROM")
_ALIVE_AFTER_S: Final = 10
_EVERY_S: Final = 0.02
_BEFORE_S: Final = 20.0
_WITHIN_S: Final = 3600.0
_SWITCH_S: Final = 0.0005
"""The crowd and the messages share this process; each would make the other wait for ten times as long."""


class Outage(Struct, frozen=True, rename={"pushes_per_s": "pushes/s"}):
    """What is measured at the receivers, and by a CPO that sends one message after the other."""

    receivers: int
    dropped: int
    pushes: int
    all_told_s: float
    """From the first push to the last."""
    pushes_per_s: float
    cpu_us_per_push: float
    """Of the hub, messages and all else included."""
    p99_ms_before: float
    p99_ms: float
    p99_ratio: float


class _Told(Crowd):
    """A crowd that counts what it is told."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.told = 0
        self.first_at = self.last_at = 0.0
        self.awaited = 0
        self.all_told = threading.Event()

    def note(self, arrival: Arrival) -> None:
        self.told += 1
        self.last_at = arrival.at
        self.first_at = self.first_at or arrival.at
        if self.told == self.awaited:
            self.all_told.set()


class _Messages:
    """Sends a message every now and then while it runs, and notes how long each takes."""

    def __init__(self, cpo: Partner) -> None:
        self._cpo = cpo
        self._took: list[float] = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._send, name="messages")
        self._thread.start()

    def p99_ms(self) -> float:
        """Of those since the last time this was asked."""
        took, self._took = self._took, []
        return statistics.quantiles(took, n=100)[98] * 1000

    def end(self) -> None:
        """Send no more."""
        self._ends.set()
        self._thread.join()

    def _send(self) -> None:
        while not self._ends.wait(_EVERY_S):
            began = time.monotonic()
            self._cpo.put("locations", "/".join((*VOLT, "LOC1")), to=_ROAM, body=location())
            self._took.append(time.monotonic() - began)


def measured_outage(folder: Path, core: int, dropped: int, receivers: int = RECEIVERS) -> Outage:
    """Measure with a hub of its own on this core. Raises HubFailed."""
    database_url = f"sqlite+aiosqlite:///{folder}/hub.db"
    settings = {
        "database_url": database_url,
        "secret_key": KEY.reveal(),
        "alive_after_s": str(_ALIVE_AFTER_S),
        "offline_after_failures": "1",
        "rate_limit": "off",
        "log_level": "warning",
    }
    with ExitStack() as stack:
        stack.enter_context(elsewhere(core))
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_S)
        told = stack.enter_context(_Told(receivers).running())
        gone = Crowd(dropped, country_code="FR")
        click.echo(f"writing {receivers + dropped:,} platforms", err=True)
        process = HubProcess(folder, settings, command=["taskset", "-c", str(core)])
        asyncio.run(populate(database_url, process.url, told, (ModuleID.HUB_CLIENT_INFO,)))
        going = stack.enter_context(ExitStack())
        going.enter_context(gone.running())
        asyncio.run(populate(database_url, process.url, gone, (ModuleID.LOCATIONS,), first=receivers))
        hub = stack.enter_context(process)
        messages = _Messages(_cpo(hub, stack))
        stack.callback(messages.end)
        _wait_until_told(told, 2 * receivers)  # of the two that have just come
        time.sleep(_ALIVE_AFTER_S)
        messages.p99_ms()
        time.sleep(_BEFORE_S)
        before = messages.p99_ms()
        told.told, told.first_at = 0, 0.0
        ticks = cpu_ticks(hub.pid)
        click.echo(f"{dropped:,} platforms go away", err=True)
        going.close()
        _wait_until_told(told, dropped * receivers)
        cpu_s = (cpu_ticks(hub.pid) - ticks) / TICKS_A_SECOND
        return _summary(told, dropped, cpu_s, (before, messages.p99_ms()))


def _wait_until_told(told: _Told, pushes: int) -> None:
    told.all_told.clear()
    told.awaited = pushes
    if told.told < pushes and not told.all_told.wait(_WITHIN_S):
        raise HubFailed(f"only {told.told} of {pushes} pushes came within {_WITHIN_S:.0f} s")


def _cpo(hub: HubProcess, stack: ExitStack) -> Partner:
    """A CPO, which sends to an eMSP; neither wants to be told."""
    emsp = Partner("Roam", {_ROAM: [Role.EMSP]}, modules={(ModuleID.LOCATIONS, InterfaceRole.RECEIVER)})
    cpo = Partner("Volt", {VOLT: [Role.CPO]}, modules={(ModuleID.LOCATIONS, InterfaceRole.SENDER)})
    for each in (emsp, cpo):
        stack.enter_context(each.running())
        hub.operator.registered(each)
    return cpo


def _summary(told: _Told, dropped: int, cpu_s: float, p99_ms: tuple[float, float]) -> Outage:
    took, (before, meanwhile) = told.last_at - told.first_at, p99_ms
    return Outage(
        receivers=len(told.parties),
        dropped=dropped,
        pushes=told.told,
        all_told_s=round(took, 1),
        pushes_per_s=round(told.told / took, 1),
        cpu_us_per_push=round(cpu_s / told.told * 1e6, 1),
        p99_ms_before=round(before, 1),
        p99_ms=round(meanwhile, 1),
        p99_ratio=round(meanwhile / before, 2),
    )


def lines(found: Outage) -> list[str]:
    """The figures for people."""
    title = f"{found.dropped:,} drop, {found.receivers:,} are told"
    figures = f"{found.pushes:>9,}{found.all_told_s:>9.1f}{found.pushes_per_s:>10,.0f}{found.cpu_us_per_push:>9.1f}"
    return [
        f"{title:<34}   pushes  seconds  pushes/s   CPU µs  p99 ms of messages: before  meanwhile  ratio",
        f"{'':<34}{figures}{found.p99_ms_before:>28.1f}{found.p99_ms:>11.1f}{found.p99_ratio:>7.2f}",
    ]
