"""How busy the processes of a load test are: one that is out of CPU measures itself and not the hub."""

from __future__ import annotations

from collections.abc import Sequence

import psutil


class CpuShare:
    """The share of one core that this process uses, and each of those that play partners for it."""

    def __init__(self) -> None:
        self._processes: dict[str, psutil.Process] = {}

    def begin(self, simulators: Sequence[int]) -> None:
        """Measure from now on; `simulators` are process ids."""
        self._processes = {"": psutil.Process()}
        for number, pid in enumerate(simulators):
            self._processes[f" simulator {number}"] = psutil.Process(pid)
        self.taken("")

    def taken(self, name: str) -> dict[str, list[float]]:
        """Since the time before: one figure for each process, from 0 to 1 and a little."""
        shares: dict[str, list[float]] = {}
        for suffix, process in self._processes.items():
            try:
                shares[name + suffix] = [process.cpu_percent() / 100]
            except psutil.NoSuchProcess:
                shares[name + suffix] = [0.0]
        return shares
