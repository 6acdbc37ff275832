"""A broadcast to a thousand receivers, with and without sick ones among them: do the healthy ones wait for these?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from msgspec import Struct

from loadtests.crowd import Crowd
from loadtests.hub_process import HubFailed, HubProcess, cpu_ticks
from loadtests.presence import TICKS_A_SECOND
from loadtests.simulator import Partner
from loadtests.subjects import VOLT, elsewhere, location
from routing.vocabulary import Party, Role

RECEIVERS = 1000
DEAD = frozenset({500})
SLOW = frozenset(range(5, RECEIVERS, 100))
SICK = DEAD | SLOW
SLOW_S = 2.0
_TIMEOUT_S = 4
"""How long the hub waits for a receiver."""
_IN_A_ROW = 5
"""Broadcasts, each begun as soon as the healthy ones have the one before: the sick ones have no time to recover."""
_HUB = Party("EU", "HUB")


class Broadcasts(Struct, frozen=True, rename={"deliveries_per_s": "deliveries/s"}):
    """What is measured, at the receivers that are healthy all the time. Delays are from the sender's request on."""

    receivers: int
    dead: int
    slow: int
    registered_s: float
    """What it took until the hub knew them all."""
    deliveries_per_s: float
    deliveries_per_s_with_sick: float
    cpu_us_per_delivery: float
    """Of the hub, while all are well."""
    p50_ms: float
    p99_ms: float
    p50_ms_with_sick: float
    p99_ms_with_sick: float
    p99_ratio: float
    """With sick ones, relative to without; the median of the rounds."""


class _Block(Struct):
    """Some broadcasts in a row."""

    rate: float
    cpu_us: float
    """Of the hub, for each delivery."""
    p50_ms: float
    p99_ms: float


def measured_broadcasts(folder: Path, core: int, rounds: int) -> Broadcasts:
    """Measure with a hub of its own on this core. Raises HubFailed."""
    settings = {"rate_limit": "off", "forward_timeout_s": str(_TIMEOUT_S)}
    with ExitStack() as stack:
        hub = stack.enter_context(HubProcess(folder, settings, command=["taskset", "-c", str(core)]))
        stack.enter_context(elsewhere(core))
        crowd = stack.enter_context(Crowd(RECEIVERS, slow_s=SLOW_S).running())
        click.echo(f"registering {RECEIVERS} platforms", err=True)
        registered_s = crowd.register(hub)
        cpo = stack.enter_context(Partner("Volt", {VOLT: [Role.CPO]}).running())
        hub.operator.registered(cpo)
        _block(cpo, crowd, hub)  # connections get warm
        well, sick = [], []
        for number in range(rounds):
            click.echo(f"round {number + 1}", err=True)
            well.append(_block(cpo, crowd, hub))
            with _sick(crowd):
                sick.append(_block(cpo, crowd, hub))
        return _summary(registered_s, well, sick)


@contextmanager
def _sick(crowd: Crowd) -> Iterator[None]:
    crowd.dead, crowd.slow = DEAD, SLOW
    try:
        yield
    finally:
        crowd.dead, crowd.slow = (), ()


def _block(cpo: Partner, crowd: Crowd, hub: HubProcess) -> _Block:
    delays: list[float] = []
    rates: list[float] = []
    healthy, ticks = RECEIVERS - len(SICK), cpu_ticks(hub.pid)
    for _ in range(_IN_A_ROW):
        crowd.forget()
        began = time.monotonic()
        answer = cpo.put("locations", "/".join((*VOLT, "LOC1")), to=_HUB, body=location())
        if answer.status_code != 1000:
            raise HubFailed(f"the broadcast is refused: {answer.body.decode()}")
        found = [each.at - began for each in crowd.wait_for(healthy, but=SICK)]
        delays += found
        rates.append(healthy / max(found))
    hub.calm()  # what it writes is written later; and what it is asked below costs more than that
    cpu_us = (cpu_ticks(hub.pid) - ticks) / TICKS_A_SECOND * 1e6 / (_IN_A_ROW * RECEIVERS)
    _wait_idle(hub)
    cuts = statistics.quantiles(delays, n=100)
    return _Block(statistics.median(rates), cpu_us, cuts[49] * 1000, cuts[98] * 1000)


def _wait_idle(hub: HubProcess) -> None:
    """Wait until the hub has no delivery under way. Raises HubFailed."""
    deadline = time.monotonic() + _TIMEOUT_S * (_IN_A_ROW + 2)
    while b"\nocpi_hub_broadcast_inflight 0.0" not in hub.operator.api.get("/metrics").content:
        if time.monotonic() > deadline:
            raise HubFailed("broadcasts do not come to an end")
        time.sleep(0.1)


def _summary(registered_s: float, well: Sequence[_Block], sick: Sequence[_Block]) -> Broadcasts:
    ratios = [with_sick.p99_ms / without.p99_ms for without, with_sick in zip(well, sick, strict=True)]
    return Broadcasts(
        receivers=RECEIVERS,
        dead=len(DEAD),
        slow=len(SLOW),
        registered_s=round(registered_s, 1),
        deliveries_per_s=round(statistics.median(each.rate for each in well), 1),
        deliveries_per_s_with_sick=round(statistics.median(each.rate for each in sick), 1),
        cpu_us_per_delivery=round(statistics.median(each.cpu_us for each in well), 1),
        p50_ms=round(statistics.median(each.p50_ms for each in well), 1),
        p99_ms=round(statistics.median(each.p99_ms for each in well), 1),
        p50_ms_with_sick=round(statistics.median(each.p50_ms for each in sick), 1),
        p99_ms_with_sick=round(statistics.median(each.p99_ms for each in sick), 1),
        p99_ratio=round(statistics.median(ratios), 3),
    )


def lines(found: Broadcasts) -> list[str]:
    """The figures for people."""
    title = f"broadcast to {found.receivers:,} receivers"
    well = f"{found.deliveries_per_s:>14,.0f}{found.p50_ms:>9.1f}{found.p99_ms:>9.1f}"
    sick = f"{found.deliveries_per_s_with_sick:>14,.0f}{found.p50_ms_with_sick:>9.1f}{found.p99_ms_with_sick:>9.1f}"
    return [
        f"{title:<32}  deliveries/s   p50 ms   p99 ms  p99 of all well",
        f"{'  all well':<32}{well}",
        f"{f'  {found.dead} dead, {found.slow} slow (the others)':<32}{sick}{found.p99_ratio:>17.3f}",
        f"  {found.cpu_us_per_delivery:.1f} µs CPU of the hub for each; they registered in {found.registered_s:.0f} s",
    ]
