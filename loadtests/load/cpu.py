"""How busy the processes of a load test are: one that is out of CPU measures itself and not the hub."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import psutil

_LEAST_S: Final = 0.5
"""Processor time comes in hundredths of a second: over less than this it says nothing."""


class CpuShare:
    """The share of one core that this process uses, and each of those that play partners for it."""

    def __init__(self) -> None:
        self._processes: dict[str, psutil.Process] = {}
        self._since = 0.0

    def begin(self, simulators: Sequence[int]) -> None:
        """Measure from now on; `simulators` are process ids."""
        self._processes = {"": psutil.Process()}
        for number, pid in enumerate(simulators):
            self._processes[f" simulator {number}"] = psutil.Process(pid)
        self._take("")

    def taken(self, name: str) -> dict[str, list[float]]:
        """Since the time before: one figure for each process, from 0 to 1 and a little; none after too short a time."""
        return self._take(name) if time.monotonic() - self._since >= _LEAST_S else {}

    def _take(self, name: str) -> dict[str, list[float]]:
        self._since = time.monotonic()
        shares: dict[str, list[float]] = {}
        for suffix, process in self._processes.items():
            try:
                shares[name + suffix] = [process.cpu_percent() / 100]
            except psutil.NoSuchProcess:
                shares[name + suffix] = [0.0]
        return shares
