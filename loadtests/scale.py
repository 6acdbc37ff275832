"""A large network: 100,000 parties on 20,000 platforms. Does the hub start soon, fit into memory, and stay as fast?

Two hubs on one core, on one PostgreSQL and one Redis: one knows the whole network, the other two platforms. Both carry
the same messages between these two, in turn. The network is written into the database beforehand, and PostgreSQL has
counted it (ANALYZE), as it does by itself within minutes; nobody is looked at during the measurement, which is what
`presence` measures.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import click
import redis
from msgspec import Struct

from loadtests import wrk
from loadtests.hub_process import HubFailed, HubProcess, cpu_ticks
from loadtests.latency import percentile
from loadtests.noticing import seen_after, stalls
from loadtests.population import KEY, Settler, settle
from loadtests.presence import TICKS_A_SECOND
from loadtests.samples import memory_mib
from loadtests.scenarios import Company, Scenario, message
from loadtests.simulator.stock import numbered_party
from loadtests.subjects import ROAM, VOLT, elsewhere, location, partner
from routing.vocabulary import InterfaceRole, ModuleID, Role
from tests.servers import Postgres, PostgresServer, RedisServer

PLATFORMS: Final = 20_000
_COUNTRIES: Final = ("AT", "BE", "CH", "DK", "FR")
"""Each platform has a party in each."""
_SETTLED_WITHIN_S: Final = 180.0
_IDLE_S: Final = 2.0
_CONSIDERED_S: Final = 60.0
"""In this time a process that begins to lead considers everybody for a still alive check."""
_RECEIVER: Final = InterfaceRole.RECEIVER
_SENDER: Final = InterfaceRole.SENDER
MODULES: Final = {
    Role.CPO: [
        (ModuleID.LOCATIONS, _SENDER),
        (ModuleID.SESSIONS, _SENDER),
        (ModuleID.CDRS, _SENDER),
        (ModuleID.TARIFFS, _SENDER),
        (ModuleID.TOKENS, _RECEIVER),
        (ModuleID.COMMANDS, _RECEIVER),
    ],
    Role.EMSP: [
        (ModuleID.LOCATIONS, _RECEIVER),
        (ModuleID.SESSIONS, _RECEIVER),
        (ModuleID.CDRS, _RECEIVER),
        (ModuleID.TARIFFS, _RECEIVER),
        (ModuleID.TOKENS, _SENDER),
        (ModuleID.COMMANDS, _SENDER),
    ],
}


class Size(Struct, frozen=True):
    """What is measured. Starts are from the command to the first time `/readyz` says 200."""

    platforms: int
    parties: int
    start_empty_s: float
    """Of a hub that knows nobody."""
    start_from_truth_s: float
    """With an empty Redis."""
    start_from_redis_s: float
    snapshot_mib: float
    """Memory of a hub after it started, above one that knows nobody; the larger of the two starts."""
    small_messages_per_s: float
    messages_per_s: float
    ratio: float
    """Messages a second, to the hub that knows two platforms; the median of the rounds."""
    small_cpu_us: float
    cpu_us: float
    cpu_ratio: float
    here_p50_s: float
    here_longest_s: float
    """From an operator's request to the first message that is decided by it, in the process that was asked."""
    elsewhere_p50_s: float
    elsewhere_longest_s: float
    """In another one."""
    calm_p99_ms: float
    calm_longest_ms: float
    """Of messages, 200 a second."""
    changing_p99_ms: float
    changing_longest_ms: float
    """The same, while platforms change four times a second."""


class _Started(NamedTuple):
    seconds: float
    mib: float


class _Starts(NamedTuple):
    empty: _Started
    from_truth: _Started
    from_redis: _Started


class _Loaded(NamedTuple):
    """What one hub did in one round."""

    messages_per_s: float
    cpu_us: float


def measured_scale(folder: Path, core: int, rounds: int, seconds: int, platforms: int = PLATFORMS) -> Size:
    """Measure with hubs and servers of its own. Raises HubFailed."""
    with ExitStack() as stack:
        stack.enter_context(elsewhere(core))
        other = max(os.sched_getaffinity(0))
        postgres = stack.enter_context(PostgresServer(shared_buffers="256MB", max_wal_size="2GB"))
        server = stack.enter_context(RedisServer())
        behind = stack.enter_context(partner(folder, other))
        settings = {"redis_url": server.url, "secret_key": KEY.reveal(), "alive_after_s": "86400", "rate_limit": "off"}
        rig = _Rig(folder, core, postgres, settings, stack)
        small, large = rig.hub("small"), rig.hub("large")
        click.echo(f"writing {platforms:,} platforms", err=True)
        asyncio.run(_populate(large.database_url, large.process.url, platforms))
        starts = _starts(small, large, server.url, platforms)
        put = _message_between(large.process, behind, stack)
        small_put = _message_between(small.process, behind, stack)
        second = rig.hub("second", {"database_url": large.database_url, "public_url": large.process.url})
        second.process.start()
        here, there = seen_after(large.process, second.process, put)
        second.process.stop()
        calm, changing = stalls(large.process, put)
        click.echo("comparing, once everybody was considered for a look", err=True)
        time.sleep(_CONSIDERED_S)
        taken = _compared(rounds, seconds, other, folder, [(small.process, small_put), (large.process, put)])
    return _summary(platforms, starts, taken, (here, there), (calm, changing))


class _Hub(NamedTuple):
    process: HubProcess
    database_url: str


class _Rig:
    """Where the hubs of this measurement run."""

    def __init__(
        self, folder: Path, core: int, postgres: Postgres, settings: Mapping[str, str], stack: ExitStack
    ) -> None:
        self._folder = folder
        self._core = core
        self._postgres = postgres
        self._settings = settings
        self._stack = stack

    def hub(self, name: str, settings: Mapping[str, str] | None = None) -> _Hub:
        """A hub with a database of its own, unless `settings` name one; not started."""
        folder = self._folder / name
        folder.mkdir()
        settings = {**self._settings, **(settings or {})}
        url = settings.get("database_url") or asyncio.run(self._postgres.create_database())
        process = HubProcess(folder, {**settings, "database_url": url}, command=["taskset", "-c", str(self._core)])
        self._stack.callback(process.close)
        return _Hub(process, url)


async def _populate(database_url: str, hub_url: str, platforms: int) -> None:
    """Settle the network, every second platform a CPO's; nobody listens where they are said to be."""
    now = datetime.now(UTC)
    settlers = []
    for number in range(platforms):
        role = (Role.CPO, Role.EMSP)[number % 2]
        parties = [numbered_party(country, number) for country in _COUNTRIES]
        url = f"https://ocpi.platform-{number}.example/ocpi/2.2.1"
        settlers.append(Settler(f"Platform {number}", parties, role, url, MODULES[role], now))
    await settle(database_url, hub_url, settlers)
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await connection.execute("ANALYZE")
    await connection.close()


def _starts(small: _Hub, large: _Hub, redis_url: str, platforms: int) -> _Starts:
    """Start both, the large one twice; both run in the end."""
    _started(small.process)  # which makes its database
    small.process.stop()
    empty = _started(small.process)
    from_truth = _started(large.process)
    click.echo(f"started in {from_truth.seconds:.1f} s; waiting until Redis has everything", err=True)
    _wait_for_redis(redis_url, platforms)
    large.process.stop()
    return _Starts(empty, from_truth, _started(large.process))


def _started(process: HubProcess) -> _Started:
    began = time.monotonic()
    process.start()
    seconds = time.monotonic() - began
    time.sleep(_IDLE_S)  # its memory is measured once it has nothing to do
    return _Started(seconds, memory_mib(process.pid))


def _wait_for_redis(url: str, platforms: int) -> None:
    deadline = time.monotonic() + _SETTLED_WITHIN_S
    with redis.Redis.from_url(url) as client:
        while max((client.zcard(key) for key in client.scan_iter("*:directory:*:revisions")), default=0) < platforms:
            if time.monotonic() > deadline:
                raise HubFailed(f"Redis does not have everything within {_SETTLED_WITHIN_S:.0f} s")
            time.sleep(0.2)


def _message_between(hub: HubProcess, partner_url: str, stack: ExitStack) -> Scenario:
    """The message that both hubs carry."""
    company = Company(hub, partner_url, stack)
    cpo, emsp = company.registered("Volt", VOLT, Role.CPO), company.registered("Roam", ROAM, Role.EMSP)
    path = f"/{'/'.join(VOLT)}/LOC1"
    return message("put", "PUT", "locations", cpo, emsp, InterfaceRole.RECEIVER, path, location())


def _compared(
    rounds: int, seconds: int, core: int, folder: Path, pairs: Sequence[tuple[HubProcess, Scenario]]
) -> list[list[_Loaded]]:
    """By hub, what it did in each round. Raises HubFailed."""
    taken: list[list[_Loaded]] = [[] for _ in pairs]
    for number in range(rounds + 1):  # the first is to get warm
        for (hub, scenario), found in zip(pairs, taken, strict=True):
            ticks = cpu_ticks(hub.pid)
            run = wrk.run(hub.url, scenario, folder, core, seconds if number else 1)
            cpu_us = (cpu_ticks(hub.pid) - ticks) / TICKS_A_SECOND * 1e6 / run.requests
            if run.failed:
                raise HubFailed(f"{run.failed} messages failed")
            if number:
                found.append(_Loaded(run.requests / run.seconds, cpu_us))
    return taken


# ---------------------------------------------------------------- figures


def _summary(
    platforms: int,
    starts: _Starts,
    taken: Sequence[Sequence[_Loaded]],
    seen: tuple[Sequence[float], Sequence[float]],
    stalled: tuple[Sequence[float], Sequence[float]],
) -> Size:
    small, large = taken
    (here, there), (calm, changing) = seen, stalled
    rounds = list(zip(large, small, strict=True))
    larger = max(starts.from_truth.mib, starts.from_redis.mib)
    return Size(
        platforms=platforms,
        parties=platforms * len(_COUNTRIES),
        start_empty_s=round(starts.empty.seconds, 1),
        start_from_truth_s=round(starts.from_truth.seconds, 1),
        start_from_redis_s=round(starts.from_redis.seconds, 1),
        snapshot_mib=round(larger - starts.empty.mib, 1),
        small_messages_per_s=round(statistics.median(each.messages_per_s for each in small), 1),
        messages_per_s=round(statistics.median(each.messages_per_s for each in large), 1),
        ratio=round(statistics.median(one.messages_per_s / two.messages_per_s for one, two in rounds), 3),
        small_cpu_us=round(statistics.median(each.cpu_us for each in small), 1),
        cpu_us=round(statistics.median(each.cpu_us for each in large), 1),
        cpu_ratio=round(statistics.median(one.cpu_us / two.cpu_us for one, two in rounds), 3),
        here_p50_s=round(statistics.median(here), 3),
        here_longest_s=round(max(here), 3),
        elsewhere_p50_s=round(statistics.median(there), 3),
        elsewhere_longest_s=round(max(there), 3),
        calm_p99_ms=round(percentile(calm, 99), 2),
        calm_longest_ms=round(max(calm) * 1000, 2),
        changing_p99_ms=round(percentile(changing, 99), 2),
        changing_longest_ms=round(max(changing) * 1000, 2),
    )


def lines(found: Size) -> list[str]:
    """The figures for people."""
    size = f"{found.parties:,} parties on {found.platforms:,} platforms"
    start = f"{found.start_from_truth_s:.1f} s from PostgreSQL, {found.start_from_redis_s:.1f} s from Redis"
    here = f"{found.here_p50_s:.3f} s, longest {found.here_longest_s:.3f} s"
    there = f"{found.elsewhere_p50_s:.3f} s, longest {found.elsewhere_longest_s:.3f} s"
    many = f"{found.messages_per_s:,.0f} messages/s, {found.cpu_us:.1f} µs CPU"
    few = f"with 2 platforms {found.small_messages_per_s:,.0f} and {found.small_cpu_us:.1f} µs"
    calm = f"{found.calm_p99_ms:.2f} ms, longest {found.calm_longest_ms:.2f} ms"
    changing = f"{found.changing_p99_ms:.2f} ms, longest {found.changing_longest_ms:.2f} ms"
    rows = {
        "cold start": f"{start}; {found.start_empty_s:.1f} s with nobody",
        "memory of the snapshot": f"{found.snapshot_mib:.0f} MiB",
        "a 1.2 kB PUT": f"{many}; {few}",
        "  of the hub with 2 platforms": f"{found.ratio:.3f} messages/s, {found.cpu_ratio:.3f} CPU",
        "a change is seen here after": here,
        "  in another process after": there,
        "p99 at 200 messages/s": f"{calm}; while platforms change {changing}",
    }
    return [size, *(f"{f'  {name}':<34}{text}" for name, text in rows.items())]
