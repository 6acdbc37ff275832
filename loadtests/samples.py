"""What a hub holds, looked at every few seconds, and whether it becomes more."""

from __future__ import annotations

import os
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import httpx
from msgspec import Struct

from loadtests.hub_process import HubProcess

_GAUGES: Final = {
    "tasks": "ocpi_hub_tasks",
    "journal waiting": "ocpi_hub_journal_waiting",
    "journal dropped": "ocpi_hub_journal_dropped_total",
    "broadcasts under way": "ocpi_hub_broadcast_inflight",
}
_MIB: Final = 1024 * 1024
_BYTES_A_PAGE: Final = os.sysconf("SC_PAGESIZE")


class Limit(NamedTuple):
    """How much more of something is no growth."""

    share: float
    amount: float


LIMITS: Final = {
    "memory MiB": Limit(0.05, 8.0),
    "descriptors": Limit(0.05, 16.0),
    "threads": Limit(0.0, 2.0),
    "tasks": Limit(0.05, 32.0),
    "journal waiting": Limit(0.0, 20_000.0),
    "broadcasts under way": Limit(0.0, 50.0),
    "journal dropped": Limit(0.0, 0.0),
}
"""What breathes with the traffic may be a little more by chance; the larger of the two counts."""


class Growth(Struct, frozen=True):
    """How much of something there is in the first and in the last third of the time after the warm-up; medians."""

    what: str
    before: float
    after: float
    an_hour: float
    """By a straight line through all samples after the warm-up."""
    is_growth: bool


class Sampler(threading.Thread):
    """Looks at the hub, and at `waiting`, the messages that are not answered, until the end.

    It empties the hub's log each time; `errors` are the events of lines of level error in it, `injected` those of lines
    that name one of `restless`: a partner that comes and goes, or is often ill.
    """

    def __init__(
        self, hub: HubProcess, every_s: float, waiting: Callable[[], int], restless: Sequence[str] = ()
    ) -> None:
        super().__init__(name="samples", daemon=True)
        self.taken: dict[str, list[tuple[float, float]]] = {}
        """By what it is, when, and how much."""
        self.errors: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self._hub = hub
        self._every_s = every_s
        self._waiting = waiting
        self._restless = [f'"{name}"'.encode() for name in restless]
        self._ends = threading.Event()

    def run(self) -> None:
        """Take samples."""
        while not self._ends.wait(self._every_s):
            self._take()

    def end(self) -> None:
        """Take no more; the log is read to its end."""
        self._ends.set()
        self.join()
        self._read_log()

    def _take(self) -> None:
        self._read_log()
        at = time.monotonic()
        for what, value in {**_held(self._hub.pid), **self._gauges(), "messages under way": self._waiting()}.items():
            self.taken.setdefault(what, []).append((at, value))

    def _gauges(self) -> dict[str, float]:
        try:
            text = self._hub.operator.api.get("/metrics").text
        except httpx.HTTPError as error:
            self.errors[f"/metrics: {error!r}"] += 1
            return {}
        found = {what: re.search(rf"^{name} (\S+)$", text, re.MULTILINE) for what, name in _GAUGES.items()}
        return {what: float(match[1]) for what, match in found.items() if match is not None}

    def _read_log(self) -> None:
        """The hub appends to it, so it may be emptied while that goes on."""
        with self._hub.log.open("r+b") as log:
            for line in log:
                if b'"level":"error"' in line:
                    event = re.search(rb'"event":"([^"]*)"', line)
                    counted = self.injected if any(name in line for name in self._restless) else self.errors
                    counted[event[1].decode() if event else line[:200].decode(errors="replace")] += 1
            log.truncate(0)


def memory_mib(pid: int) -> float:
    """Resident memory of one process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _BYTES_A_PAGE / _MIB


def _held(pid: int) -> dict[str, float]:
    """By the hub and its workers."""
    family = _with_descendants(pid)
    return {
        "memory MiB": sum(map(memory_mib, family)),
        "descriptors": sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in family),
        "threads": sum(len(list(Path(f"/proc/{each}/task").iterdir())) for each in family),
    }


def _with_descendants(pid: int) -> list[int]:
    children = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")).split()
    return [pid, *(each for child in children for each in _with_descendants(int(child)))]


def growth(what: str, samples: Sequence[tuple[float, float]], warm_at: float) -> Growth | None:
    """Whether there is more and more of it. None with fewer than six samples after the warm-up."""
    counted = [(at, value) for at, value in samples if at >= warm_at]
    third = len(counted) // 3
    if third < 2:
        return None
    before = statistics.median(value for _, value in counted[:third])
    after = statistics.median(value for _, value in counted[-third:])
    slope = statistics.linear_regression([at for at, _ in counted], [value for _, value in counted]).slope
    limit = LIMITS.get(what)
    allowed = None if limit is None else max(limit.share * before, limit.amount)
    return Growth(
        what,
        round(before, 1),
        round(after, 1),
        round(slope * 3600, 1),
        allowed is not None and after - before > allowed,
    )
