"""A hub under load for a long time: does anything grow, and does anything fail?

The hub, on a PostgreSQL and a Redis of its own, first carries as many messages as it can; then, for as long as asked,
a share of that, due at times of their own however long others take. Beside the traffic partners come, change their
tokens, leave and come back, one is often ill, and some messages are wrong: what they are answered is counted apart.
Everything stays on loopback.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click
import httpx
import msgspec
import uvloop
from msgspec import Struct, field

from loadtests import translated
from loadtests.arrivals import Sender, Took
from loadtests.churn import FLAKY, Churn
from loadtests.hub_process import HubFailed, HubProcess, cpu_ticks
from loadtests.latency import percentile
from loadtests.mixture import STEADY, Mixture
from loadtests.presence import TICKS_A_SECOND
from loadtests.samples import Growth, Sampler, growth
from loadtests.scenarios import Company, Scenario, message
from loadtests.simulator import HubRefused
from loadtests.subjects import ROAM, VOLT, elsewhere, location, partner
from loadtests.tools import install_missing
from routing.vocabulary import InterfaceRole, Role
from tests.servers import PostgresServer, RedisServer, ServerFault

_AT_ONCE: Final = 32
"""Connections while the limit is looked for."""
_RAMP_S: Final = 10.0
_RAMPS: Final = 3
_WARM_SHARE: Final = 0.2
"""Of the time: what grows in it is what a hub gets warm with, such as what it remembers of objects."""
_KEPT: Final = 200_000
"""Times of the latest messages, for the percentiles."""
_SAY_EVERY_S: Final = 30.0


class Soak(Struct):
    """What is found."""

    limit: float
    """Messages a second."""
    limit_cpu: float
    """Cores that the hub used then: well below the number it may use, the generator was the limit."""
    offered: float
    minutes: float
    sent: int = 0
    achieved: float = 0.0
    cpu: float = 0.0
    """Cores used."""
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    failed: Counter[str] = field(default_factory=Counter)
    """What messages between partners that are well were answered, but for success."""
    injected: Counter[str] = field(default_factory=Counter)
    """What the others were answered, and errors in the hub's log that name one of these partners."""
    unsent: int = 0
    """Messages that there was no connection for, because so many were not answered."""
    steps: Counter[str] = field(default_factory=Counter)
    """What partners did that come and go."""
    churn_failures: Sequence[str] = ()
    errors_logged: Counter[str] = field(default_factory=Counter)
    growths: Sequence[Growth] = ()


class _Traffic:
    """One phase of sending, and what came of it."""

    def __init__(self, url: str, mixture: Mixture) -> None:
        self.answered = 0
        self.failed: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self.times: list[float] = []
        self.sender = Sender(url, self._note)
        self._mixture = mixture
        self._until = 0.0

    async def saturate(self, seconds: float) -> float:
        """As many as fit, each sent as soon as one is answered; returns messages a second."""
        loop = asyncio.get_running_loop()
        await self.sender.warm(_AT_ONCE - self.sender.connections)
        self._until, before = loop.time() + seconds, self.answered
        for _ in range(_AT_ONCE):
            self._send_another()
        await asyncio.sleep(seconds)
        rate = (self.answered - before) / seconds
        await self.sender.settled()
        return rate

    async def offer(self, rate: float, seconds: float) -> None:
        """So many a second, whatever becomes of them."""
        until = time.monotonic() + seconds
        await self.sender.send_all(self._mixture.at_rate(rate, lambda: time.monotonic() > until))
        await self.sender.settled()

    def _note(self, took: Took) -> None:
        self.answered += 1
        outcome = f"{took.http_status}/{took.ocpi_status}"
        if took.kind != STEADY:
            self.injected[outcome] += 1
        elif outcome != "200/1000":
            self.failed[outcome] += 1
        else:
            self.times.append(took.seconds)
            if len(self.times) > 2 * _KEPT:
                del self.times[:_KEPT]
        if self._until > 0:
            self._send_another()

    def _send_another(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._until:
            asyncio.get_running_loop().call_soon(self.sender.send, self._mixture.message(0.0), now)


@click.command("make soak")
@click.option("--minutes", default=30.0, show_default=True, type=click.FloatRange(min=0.05))
@click.option("--share", default=0.7, show_default=True, type=click.FloatRange(0.05, 1.0), help="of the limit")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 16), help="Processes that serve.")
@click.option("--every", default=5.0, show_default=True, type=click.FloatRange(min=0.1), help="Seconds; a sample.")
@click.option("--churn", default=2.0, show_default=True, type=click.FloatRange(min=0.1), help="Seconds; a step.")
@click.option("--report", type=click.Path(path_type=Path), help="Also write what was found here, as JSON.")
def main(minutes: float, share: float, workers: int, every: float, churn: float, report: Path | None) -> None:
    """Load a hub for a long time; the exit code is 1 if something grew or failed."""
    try:
        install_missing("nginx")
        with tempfile.TemporaryDirectory(prefix="ocpi-hub-soak-") as name:
            found = soaked(Path(name), minutes, share, workers=workers, every_s=every, churn_s=churn)
    except (HubFailed, HubRefused, ServerFault, httpx.HTTPError) as error:
        click.echo(f"The soak failed: {error}", err=True)
        sys.exit(1)
    verdicts = verdict(found)
    click.echo("\n".join([*lines(found), *(f"{'ok  ' if good else 'FAIL'}  {text}" for good, text in verdicts)]))
    if report is not None:
        report.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    sys.exit(0 if all(good for good, _ in verdicts) else 1)


def soaked(folder: Path, minutes: float, share: float, *, workers: int, every_s: float, churn_s: float) -> Soak:
    """Load a hub of its own. Raises HubFailed."""
    core = min(os.sched_getaffinity(0))
    with ExitStack() as stack:
        stack.enter_context(elsewhere(core))
        postgres = stack.enter_context(PostgresServer(on_disk=True, shared_buffers="256MB", max_wal_size="2GB"))
        server = stack.enter_context(RedisServer())
        behind = stack.enter_context(partner(folder, max(os.sched_getaffinity(0))))
        settings = {
            "database_url": asyncio.run(postgres.create_database()),
            "redis_url": server.url,
            "rate_limit": "off",
            "workers": str(workers),
        }
        alone = ["taskset", "-c", str(core)] if workers == 1 else ["taskset", "-c", _all_cores(core)]
        hub = stack.enter_context(HubProcess(folder, settings, command=alone))
        scenarios = _scenarios(hub, behind, stack)
        churn = Churn(hub, stack, churn_s)
        traffic = _Traffic(hub.url, Mixture(scenarios, FLAKY, hub.url.removeprefix("http://")))
        return uvloop.run(_soaked(hub, churn, traffic, minutes, share, every_s))


def _all_cores(core: int) -> str:
    return ",".join(map(str, sorted({core, *os.sched_getaffinity(0)})))


def _scenarios(hub: HubProcess, partner_url: str, stack: ExitStack) -> list[Scenario]:
    company = Company(hub, partner_url, stack)
    cpo, emsp = company.registered("Volt", VOLT, Role.CPO), company.registered("Roam", ROAM, Role.EMSP)
    path = f"/{'/'.join(VOLT)}/LOC1"
    put = message("put_location", "PUT", "locations", cpo, emsp, InterfaceRole.RECEIVER, path, location())
    get = message("get_location", "GET", "locations", emsp, cpo, InterfaceRole.SENDER, "/LOC1")
    return [put, get, *translated.scenarios(company, cpo, emsp)]


async def _soaked(
    hub: HubProcess, churn: Churn, traffic: _Traffic, minutes: float, share: float, every_s: float
) -> Soak:
    found = await _limit(hub, traffic, share, minutes)
    click.echo(f"the limit is {found.limit:,.0f} messages/s, {found.limit_cpu:.2f} cores of the hub", err=True)
    traffic.failed.clear()  # at the limit, a message may come too late for its partner
    sampler = Sampler(hub, every_s, lambda: traffic.sender.under_way, churn.restless)
    churn.start()
    sampler.start()
    began, ticks, answered = time.monotonic(), cpu_ticks(hub.pid), traffic.answered
    progress = asyncio.create_task(_say(traffic, sampler, churn))
    await traffic.offer(found.offered, minutes * 60)
    seconds = time.monotonic() - began
    progress.cancel()
    await asyncio.to_thread(churn.end)
    await asyncio.to_thread(sampler.end)
    await traffic.sender.close()
    found.sent = traffic.answered - answered
    found.achieved = found.sent / seconds
    found.cpu = (cpu_ticks(hub.pid) - ticks) / TICKS_A_SECOND / seconds
    found.p50_ms, found.p99_ms = (percentile(traffic.times, of_100) for of_100 in (50, 99))
    found.failed, found.injected, found.unsent = traffic.failed, traffic.injected, traffic.sender.unsent
    found.injected += sampler.injected
    found.steps, found.churn_failures, found.errors_logged = churn.steps, churn.failures, sampler.errors
    warm_at = began + _WARM_SHARE * minutes * 60
    every = (growth(what, samples, warm_at) for what, samples in sampler.taken.items())
    found.growths = [each for each in every if each is not None]
    return found


async def _limit(hub: HubProcess, traffic: _Traffic, share: float, minutes: float) -> Soak:
    """What the hub carries at most of messages that are due at times of their own; the first ramp is to get warm.

    Where each is sent as soon as another is answered the hub finds many at once, and each is cheaper. So that says what
    the hub can get of the processor, and messages at times of their own, half as many, what they take of it.
    """
    seconds = min(_RAMP_S, minutes * 60 / _RAMPS / 4)
    await traffic.saturate(seconds)
    ticks, began = cpu_ticks(hub.pid), time.monotonic()
    rates = sorted([await traffic.saturate(seconds) for _ in range(_RAMPS)])
    cpu = (cpu_ticks(hub.pid) - ticks) / TICKS_A_SECOND / (time.monotonic() - began)
    await asyncio.to_thread(hub.calm)  # what it learned at the limit it still writes
    ticks, answered = cpu_ticks(hub.pid), traffic.answered
    await traffic.offer(rates[len(rates) // 2] / 2, seconds)
    each_s = max(cpu_ticks(hub.pid) - ticks, 1) / TICKS_A_SECOND / max(traffic.answered - answered, 1)
    traffic.times.clear()
    traffic.injected.clear()
    return Soak(limit=cpu / each_s, limit_cpu=cpu, offered=share * cpu / each_s, minutes=minutes)


async def _say(traffic: _Traffic, sampler: Sampler, churn: Churn) -> None:
    """What happens, every now and then."""
    while True:
        await asyncio.sleep(_SAY_EVERY_S)
        latest = {what: samples[-1][1] for what, samples in dict(sampler.taken).items()}
        held = ", ".join(f"{what} {value:,.0f}" for what, value in latest.items())
        bad = traffic.failed.total() + len(churn.failures) + traffic.sender.unsent
        click.echo(f"{traffic.answered:,} answered, {bad} errors not injected; {held}", err=True)


def verdict(found: Soak) -> list[tuple[bool, str]]:
    """Each thing that has to hold, whether it does, and the words for it."""
    grown = [(not each.is_growth, _said(each)) for each in found.growths]
    failed = f"messages between healthy partners that failed: {found.failed.total()}{_list(found.failed)}"
    unsent = f"messages that could not be sent: {found.unsent}"
    churned = f"steps of partners that come and go that failed: {len(found.churn_failures)}"
    first = f", the first: {found.churn_failures[0]}" if found.churn_failures else ""
    logged = f"errors in the hub's log: {found.errors_logged.total()}{_list(found.errors_logged)}"
    return [
        *grown,
        (bool(found.growths), f"things looked at often enough to tell: {len(found.growths)}"),
        (not found.failed, failed),
        (not found.unsent, unsent),
        (not found.churn_failures, churned + first),
        (not found.errors_logged, logged),
    ]


def _said(each: Growth) -> str:
    return f"{each.what}: {each.before:,.1f} after the warm-up, {each.after:,.1f} at the end ({each.an_hour:+,.1f}/h)"


def _list(counted: Counter[str]) -> str:
    return f" ({', '.join(f'{what}: {times}' for what, times in counted.most_common(5))})" if counted else ""


def lines(found: Soak) -> list[str]:
    """The figures for people."""
    limit = f"limit {found.limit:,.0f} messages/s with {found.limit_cpu:.2f} cores"
    carried = f"carried {found.sent:,}, {found.achieved:,.0f} messages/s, with {found.cpu:.2f} cores"
    times = f"p50 {found.p50_ms:.1f} ms, p99 {found.p99_ms:.1f} ms of the last {_KEPT:,}"
    return [
        f"{limit}; offered {found.offered:,.0f} for {found.minutes:g} minutes",
        f"{carried}; {times}",
        f"injected:{_list(found.injected)}; partners:{_list(found.steps)}",
    ]


if __name__ == "__main__":
    main()
