"""What it costs messages that people watch them live: the same messages, watched by nobody and by twenty."""

from __future__ import annotations

import asyncio
import os
import re
import selectors
import socket
import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click
from msgspec import Struct

from loadtests.arrivals import precise_loop
from loadtests.hub_process import HubFailed, HubProcess, cpu_ticks
from loadtests.latency import percentile, send_at_rate
from loadtests.scenarios import Company, Scenario, message
from loadtests.subjects import ROAM, VOLT, elsewhere, location, partner
from routing.vocabulary import InterfaceRole, Role

RATE: Final = 300.0
SECONDS: Final = 4.0
VIEWERS: Final = 20
_WARM_S: Final = 1.0
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_ROW: Final = re.compile(rb"^id: ", re.MULTILINE)
_DROPPED: Final = re.compile(rb'^event: dropped\ndata: \{"count":(\d+)', re.MULTILINE)
_AT_ONCE: Final = 256 * 1024


class Watched(Struct, frozen=True):
    """What is measured: medians of the rounds. Times count from when a message was due."""

    messages_per_s: float
    viewers: int
    alone_p50_ms: float
    watched_p50_ms: float
    alone_p99_ms: float
    watched_p99_ms: float
    alone_cpu_us: float
    """Of the whole hub, by message."""
    watched_cpu_us: float
    shown_per_s: float
    """Rows that one viewer got."""
    left_out_per_s: float
    """Rows that one viewer was told it did not get."""


class _Round(NamedTuple):
    p50_ms: float
    p99_ms: float
    cpu_us: float


class _Crowd:
    """People at open streams. One thread reads for all of them."""

    def __init__(self, hub: HubProcess, viewers: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        self._viewers = viewers
        self.received = [b""] * viewers
        for number in range(viewers):
            stream = socket.create_connection(("127.0.0.1", hub.operator_port))
            head = f"host: 127.0.0.1\r\naccept: text/event-stream\r\nauthorization: Bearer {hub.operator.token}"
            stream.sendall(f"GET /api/v1/messages/live HTTP/1.1\r\n{head}\r\n\r\n".encode())
            self._selector.register(stream, selectors.EVENT_READ, number)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def counted(self) -> tuple[float, float]:
        """Rows that a viewer got, and how many were left out, on average."""
        rows = sum(len(_ROW.findall(each)) for each in self.received)
        left_out = sum(sum(map(int, _DROPPED.findall(each))) for each in self.received)
        return rows / self._viewers, left_out / self._viewers

    def _read(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(0.2):
                if isinstance(key.fileobj, socket.socket):
                    self.received[key.data] += key.fileobj.recv(_AT_ONCE)


def measured_viewers(folder: Path, core: int, rounds: int, seconds: float = SECONDS, viewers: int = VIEWERS) -> Watched:
    """Measure with a hub of its own on this core. Raises HubFailed."""
    with ExitStack() as stack:
        stack.enter_context(elsewhere(core))
        at_once = stack.enter_context(partner(folder, max(os.sched_getaffinity(0))))
        hub = stack.enter_context(HubProcess(folder, {"rate_limit": "off"}, command=["taskset", "-c", str(core)]))
        company = Company(hub, at_once, stack)
        cpo, emsp = company.registered("Volt", VOLT, Role.CPO), company.registered("Roam", ROAM, Role.EMSP)
        path = f"/{'/'.join(VOLT)}/LOC1"
        put = message("put", "PUT", "locations", cpo, emsp, InterfaceRole.RECEIVER, path, location())
        _round(hub, put, _WARM_S, 0)
        alone: list[_Round] = []
        watched: list[_Round] = []
        seen: list[tuple[float, float]] = []
        for number in range(rounds):
            click.echo(f"round {number + 1}", err=True)
            alone.append(_round(hub, put, seconds, number + 1))
            with _crowd(hub, viewers) as crowd:
                watched.append(_round(hub, put, seconds, number + 1))
            seen.append(crowd.counted())
        return _summary(alone, watched, seen, seconds, viewers)


@contextmanager
def _crowd(hub: HubProcess, viewers: int) -> Iterator[_Crowd]:
    crowd = _Crowd(hub, viewers)
    try:
        yield crowd
    finally:
        crowd.close()
    if not all(b" 200 OK" in each[:100] for each in crowd.received):
        raise HubFailed("not everybody was let in to watch")


def _round(hub: HubProcess, put: Scenario, seconds: float, seed: int) -> _Round:
    ticks = cpu_ticks(hub.pid)
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        took = runner.run(send_at_rate(hub.url, put, 0.0, seconds, seed, RATE))
    cpu_us = (cpu_ticks(hub.pid) - ticks) / _TICKS_A_SECOND * 1e6 / len(took)
    times = [each.seconds for each in took]
    return _Round(percentile(times, 50), percentile(times, 99), cpu_us)


def _summary(
    alone: Sequence[_Round],
    watched: Sequence[_Round],
    seen: Sequence[tuple[float, float]],
    seconds: float,
    viewers: int,
) -> Watched:
    def median(values: Iterator[float]) -> float:
        return round(statistics.median(values), 2)

    return Watched(
        messages_per_s=RATE,
        viewers=viewers,
        alone_p50_ms=median(each.p50_ms for each in alone),
        watched_p50_ms=median(each.p50_ms for each in watched),
        alone_p99_ms=median(each.p99_ms for each in alone),
        watched_p99_ms=median(each.p99_ms for each in watched),
        alone_cpu_us=median(each.cpu_us for each in alone),
        watched_cpu_us=median(each.cpu_us for each in watched),
        shown_per_s=median(rows / seconds for rows, _ in seen),
        left_out_per_s=median(left_out / seconds for _, left_out in seen),
    )


def lines(found: Watched) -> list[str]:
    """The figures for people."""
    title = f"{found.messages_per_s:.0f} messages/s"
    alone = f"{found.alone_p50_ms:>9.2f}{found.alone_p99_ms:>9.2f}{found.alone_cpu_us:>9.0f}"
    watched = f"{found.watched_p50_ms:>9.2f}{found.watched_p99_ms:>9.2f}{found.watched_cpu_us:>9.0f}"
    each = f"{found.shown_per_s:>19.1f}{found.left_out_per_s:>15.1f}"
    return [
        f"{title:<20}   p50 ms   p99 ms   CPU µs rows a second each   and left out",
        f"{'  watched by nobody':<20}{alone}",
        f"{f'  watched by {found.viewers}':<20}{watched}{each}",
    ]
