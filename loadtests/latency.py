"""What the hub adds to the time of a message, at a rate that is far from its limit.

The same messages, due at the same moments, go to the partner directly and through the hub. The partner answers at
once, or takes some time for each: the same time for the same message. Everything stays on loopback.
"""

from __future__ import annotations

import asyncio
import math
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import click
from msgspec import Struct

from loadtests.arrivals import Due, Sender, Took, poisson, precise_loop, request_of
from loadtests.hub_process import HubFailed, HubProcess
from loadtests.scenarios import Company, Scenario, message
from loadtests.simulator import Partner
from loadtests.simulator.server import free_port
from loadtests.simulator.shapes import endpoint_path
from loadtests.subjects import ROAM, VOLT, elsewhere, location, partner, process, wait_for
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version

RATE: Final = 200.0
SECONDS: Final = 10.0
SERVICE_MS: Final = 20.0
"""Median of what a partner takes; lognormal, so one of a hundred takes 64 ms."""
_SIGMA: Final = 0.5
_SLOW: Final = Party("DE", "SLO")
_CONNECTIONS: Final = 8
_WARM_S: Final = 2.0
_ID: Final = "LOC1"


class Added(Struct, frozen=True):
    """What is measured with one kind of partner: medians of the rounds, all from when a message was due."""

    partner: str
    messages_per_s: float
    messages: int
    """Each way."""
    direct_p50_ms: float
    hub_p50_ms: float
    added_p50_ms: float
    direct_p99_ms: float
    hub_p99_ms: float
    added_p99_ms: float
    pair_p99_ms: float
    """Of what one and the same message takes longer through the hub."""
    late_p99_ms: float
    """How long after it was due a message left the generator; the same either way."""


class _Way(NamedTuple):
    """One kind of partner, and the messages to it, directly and through the hub."""

    name: str
    median_ms: float
    partner_url: str
    hub_url: str
    direct: Scenario
    through: Scenario


class _Round(NamedTuple):
    direct: list[Took]
    through: list[Took]


def measured_latency(folder: Path, core: int, rounds: int, seconds: float = SECONDS) -> list[Added]:
    """Measure with a hub of its own on this core. Raises HubFailed."""
    with ExitStack() as stack:
        stack.enter_context(elsewhere(core))
        other = max(os.sched_getaffinity(0))
        at_once = stack.enter_context(partner(folder, other))
        slow = stack.enter_context(_delaying(folder, other))
        hub = stack.enter_context(HubProcess(folder, {"rate_limit": "off"}, command=["taskset", "-c", str(core)]))
        ways = _ways(hub, at_once, slow, stack)
        taken: dict[str, list[_Round]] = {way.name: [] for way in ways}
        for way in ways:
            _compared(way, _WARM_S, seed=0)
        for number in range(rounds):
            click.echo(f"round {number + 1}", err=True)
            for way in ways:
                taken[way.name].append(_compared(way, seconds, seed=number + 1))
        return [_summary(way, taken[way.name]) for way in ways]


def _ways(hub: HubProcess, at_once: str, slow: str, stack: ExitStack) -> list[_Way]:
    quick, delayed = Company(hub, at_once, stack), Company(hub, slow, stack)
    cpo = quick.registered("Volt", VOLT, Role.CPO)
    roam = quick.registered("Roam", ROAM, Role.EMSP)
    slow_one = delayed.registered("Slow", _SLOW, Role.EMSP)
    return [
        _way("answers at once", 0.0, at_once, hub, cpo, roam),
        _way(f"takes {SERVICE_MS:.0f} ms, lognormal", SERVICE_MS, slow, hub, cpo, slow_one),
    ]


def _way(name: str, median_ms: float, url: str, hub: HubProcess, cpo: Partner, emsp: Partner) -> _Way:
    path = f"/{'/'.join(VOLT)}/{_ID}"
    through = message("put", "PUT", "locations", cpo, emsp, InterfaceRole.RECEIVER, path, location())
    direct = endpoint_path(Version.V2_2_1, ModuleID.LOCATIONS, InterfaceRole.RECEIVER) + path
    return _Way(name, median_ms, url, hub.url, through._replace(path=direct), through)


def _compared(way: _Way, seconds: float, seed: int) -> _Round:
    """Directly and through the hub; which goes first changes from round to round."""
    with asyncio.Runner(loop_factory=precise_loop) as runner:

        def sent(url: str, scenario: Scenario) -> list[Took]:
            return runner.run(send_at_rate(url, scenario, way.median_ms, seconds, seed))

        if seed % 2:
            direct = sent(way.partner_url, way.direct)
            return _Round(direct, sent(way.hub_url, way.through))
        through = sent(way.hub_url, way.through)
        return _Round(sent(way.partner_url, way.direct), through)


async def send_at_rate(
    url: str, scenario: Scenario, median_ms: float, seconds: float, seed: int, rate: float = RATE
) -> list[Took]:
    """Send messages that come independently of each other. Raises HubFailed when one is not answered with 1000.

    A seed gives the same moments and the same `median_ms` at the partner every time.
    """
    dice, took = Random(seed), list[Took]()  # noqa: S311 - arrivals, no secrets
    sender = Sender(url, took.append)
    await sender.warm(_CONNECTIONS)
    due = [Due(at_s, _taking(scenario, median_ms, sender.host, dice)) for at_s in poisson(rate, seconds, dice)]
    await sender.send_all(due)
    await sender.settled()
    await sender.close()
    failed = [each for each in took if (each.http_status, each.ocpi_status) != (200, 1000)]
    if failed or len(took) < len(due):
        raise HubFailed(f"{len(failed)} of {len(due)} messages were not delivered, the first with {failed[:1]}")
    return sorted(took, key=lambda each: each.at_s)


def _taking(scenario: Scenario, median_ms: float, host: str, dice: Random) -> bytes:
    """The message about an object whose id says how many microseconds the partner takes."""
    service_us = median_ms * 1000 * math.exp(dice.gauss(0, _SIGMA))
    id_ = f"L{round(service_us):07d}"
    body = scenario.body.replace(f'"{_ID}"'.encode(), f'"{id_}"'.encode(), 1)
    return request_of(scenario._replace(path=scenario.path.replace(_ID, id_), body=body), host)


def percentile(seconds: Sequence[float], of_100: int) -> float:
    """In milliseconds."""
    return statistics.quantiles(seconds, n=100, method="inclusive")[of_100 - 1] * 1000


def _summary(way: _Way, rounds: Sequence[_Round]) -> Added:
    def each(of_100: int) -> list[tuple[float, float]]:
        return [
            (percentile([t.seconds for t in one.direct], of_100), percentile([t.seconds for t in one.through], of_100))
            for one in rounds
        ]

    def median(values: Sequence[float]) -> float:
        return round(statistics.median(values), 2)

    p50, p99 = each(50), each(99)
    pairs = [[hub.seconds - own.seconds for own, hub in zip(*one, strict=True)] for one in rounds]
    late = [[took.late_s for took in (*one.direct, *one.through)] for one in rounds]
    return Added(
        partner=way.name,
        messages_per_s=RATE,
        messages=sum(len(one.direct) for one in rounds),
        direct_p50_ms=median([own for own, _ in p50]),
        hub_p50_ms=median([hub for _, hub in p50]),
        added_p50_ms=median([hub - own for own, hub in p50]),
        direct_p99_ms=median([own for own, _ in p99]),
        hub_p99_ms=median([hub for _, hub in p99]),
        added_p99_ms=median([hub - own for own, hub in p99]),
        pair_p99_ms=median([percentile(some, 99) for some in pairs]),
        late_p99_ms=median([percentile(some, 99) for some in late]),
    )


@contextmanager
def _delaying(folder: Path, core: int) -> Iterator[str]:
    """A partner that takes its time; gives its URL."""
    port = free_port()
    command = ["taskset", "-c", str(core), sys.executable, "-m", "loadtests.delaying", str(port)]
    with process(command, folder / "delaying.log"):
        wait_for(f"http://127.0.0.1:{port}/0")
        yield f"http://127.0.0.1:{port}"


def lines(found: Sequence[Added]) -> list[str]:
    """The figures for people."""
    rate = f"{RATE:.0f} messages/s, the partner"
    title = f"{rate:<34}  p50 ms: direct      hub     more  p99 ms: direct      hub     more  p99 of one's more"
    return [title, *(f"{f'  {each.partner}':<34}{_columns(each)}" for each in found)]


def _columns(found: Added) -> str:
    p50 = f"{found.direct_p50_ms:>16.2f}{found.hub_p50_ms:>9.2f}{found.added_p50_ms:>9.2f}"
    p99 = f"{found.direct_p99_ms:>16.2f}{found.hub_p99_ms:>9.2f}{found.added_p99_ms:>9.2f}"
    return f"{p50}{p99}{found.pair_p99_ms:>19.2f}"
