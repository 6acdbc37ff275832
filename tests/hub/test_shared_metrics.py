"""Metrics of processes that come and go: their sums never go back, and their files do not pile up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.observability import prepare_shared_metrics, process_ended
from hub.observability.shared_metrics import DIRECTORY, SharedMetrics

ONE_PROCESS = """\
import asyncio
from hub.observability import Metrics

async def main():
    metrics = Metrics()
    metrics.message(route="direct", module="tokens", method="PUT", source_version=None, target_version=None,
                    ocpi_status=1000, seconds=0.002)
    metrics.journal_waiting(5)
    metrics.close()

asyncio.run(main())
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DIRECTORY, str(tmp_path / "metrics"))
    prepare_shared_metrics(tmp_path)
    return tmp_path / "metrics"


def worker() -> int:
    """A process that counts a message and ends; its id."""
    with subprocess.Popen([sys.executable, "-c", ONE_PROCESS]) as one:
        assert one.wait() == 0
    return one.pid


def figures() -> dict[str, float]:
    """What a scrape shows, without labels."""
    return {each.name: each.value for metric in SharedMetrics().collect() for each in metric.samples}


def test_counters_of_ended_processes_go_on_counting_in_one_file_and_their_gauges_vanish(directory: Path) -> None:
    for number in range(1, 4):
        pid = worker()
        before = figures()
        assert before["ocpi_hub_messages_total"] == before["ocpi_hub_message_seconds_count"] == number
        assert before["ocpi_hub_journal_waiting"] == 5

        process_ended(pid)

        assert figures() == {name: before[name] for name in figures()}
        assert "ocpi_hub_journal_waiting" not in figures()
        assert sorted(each.name for each in directory.iterdir()) == ["counter_ended.db", "histogram_ended.db"]


def test_processes_that_end_disturb_no_scrape(directory: Path) -> None:
    """Many have counted the same, and end while others read."""
    ended = worker()
    left = range(ended + 1, ended + 200)
    for pid in left:
        for kind in ("counter", "histogram"):
            shutil.copy(directory / f"{kind}_{ended}.db", directory / f"{kind}_{pid}.db")

    with ThreadPoolExecutor(1) as pool:
        endings = [pool.submit(process_ended, pid) for pid in (ended, *left)]
        while not all(each.done() for each in endings):
            assert figures()["ocpi_hub_messages_total"] == 1 + len(left)
        for each in endings:
            each.result()

    assert figures()["ocpi_hub_messages_total"] == 1 + len(left)


def test_a_file_that_a_process_has_just_begun_disturbs_no_scrape(directory: Path) -> None:
    (directory / "counter_1.db").touch()
    (directory / "gauge_livesum_1.db").touch()

    assert figures() == {}
    process_ended(1)
    assert list(directory.iterdir()) == []


def test_what_an_earlier_run_counted_is_forgotten(directory: Path) -> None:
    process_ended(worker())
    assert figures()

    prepare_shared_metrics(directory.parent)

    assert figures() == {}
    assert os.environ[DIRECTORY] == str(directory)
