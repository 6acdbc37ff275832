"""Metrics of several processes as one: files of the library, one for each kind of metric and process.

A process that has ended leaves files behind. Its counters and histograms must go on counting, or sums would go back;
so they are added to those of all that have ended before it, and the number of files stays that of the processes. Its
gauges are of nothing any more, and go away. One process alone removes files, the one that also shows the sums, and
never while it reads them: nobody sees a file twice, or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Final

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
_ENDED: Final = "ended"
"""Stands in a file's name where others have the id of a process."""
_LASTING: Final = ("counter", "histogram")
_files = Lock()
"""Held by who reads all files, in a thread, and by who adds some up and removes them."""


def are_shared() -> bool:
    """Whether this process is one of several whose metrics are counted together."""
    return DIRECTORY in os.environ


def prepare_shared_metrics(var_dir: Path) -> None:
    """Have the metrics of all processes counted together, from zero. To be called before any metric is made."""
    directory = Path(os.environ.setdefault(DIRECTORY, str((var_dir / "metrics").absolute())))
    directory.mkdir(parents=True, exist_ok=True)
    for file in directory.glob("*.db"):
        file.unlink()


def process_ended(pid: int) -> None:
    """Let the counters of a process go on counting, and its gauges vanish. Waits for who reads them just now."""
    directory = Path(os.environ[DIRECTORY])
    with _files:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library lacks types here
        for kind in _LASTING:
            file = directory / f"{kind}_{pid}.db"
            if _has_content(file):
                _add(file, directory / f"{kind}_{_ENDED}.db")
            file.unlink(missing_ok=True)


class SharedMetrics(Collector):
    """The sums of all processes."""

    def collect(self) -> Iterable[Metric]:
        """Read all files, but for those that a process has just begun, which the library cannot read."""
        with _files:
            files = [str(file) for file in Path(os.environ[DIRECTORY]).glob("*.db") if _has_content(file)]
            metrics: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]  # as above
        return metrics


def _has_content(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def _add(file: Path, to: Path) -> None:
    total = MmapedDict(str(to))  # type: ignore[no-untyped-call]  # as above
    for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]  # as above
        total.write_value(key, total.read_value(key)[0] + value, 0.0)  # type: ignore[no-untyped-call]  # as above
    total.close()  # type: ignore[no-untyped-call]  # as above
