"""The figures at `/metrics`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from hub.observability import PLATFORM_LABELS, Metrics
from routing.vocabulary import ConnectionStatus, ModuleID, Version


def figures(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def count(metrics: Metrics, **changed: object) -> None:
    fields: dict[str, Any] = {
        "route": "direct",
        "module": ModuleID.SESSIONS,
        "method": "PUT",
        "source_version": Version.V2_2_1,
        "target_version": Version.V2_2_1,
        "ocpi_status": 1000,
        "seconds": 0.02,
    }
    metrics.message(**fields | changed)


def test_a_message_is_counted_and_timed() -> None:
    metrics = Metrics()
    count(metrics)
    count(metrics, seconds=0.04)
    metrics.upstream(ModuleID.SESSIONS, "p1", 0.01)

    found = figures(metrics.exposition())
    labels = {
        "route": "direct",
        "module": "sessions",
        "method": "PUT",
        "source_version": "2.2.1",
        "target_version": "2.2.1",
        "ocpi_status": "1000",
    }
    assert found["ocpi_hub_messages_total", frozenset(labels.items())] == 2
    route = {"route": "direct", "module": "sessions"}
    assert found["ocpi_hub_message_seconds_count", frozenset(route.items())] == 2
    assert found["ocpi_hub_message_seconds_sum", frozenset(route.items())] == pytest.approx(0.06)
    upstream = {"module": "sessions", "platform": "p1"}
    assert found["ocpi_hub_upstream_seconds_count", frozenset(upstream.items())] == 1


def test_each_duration_is_counted_in_the_first_bucket_that_holds_it() -> None:
    metrics = Metrics()
    for seconds in (0.0, 0.001, 0.0011, 30.0, 31.0):
        metrics.upstream(ModuleID.CDRS, "p1", seconds)

    found = figures(metrics.exposition())
    labels = {"module": "cdrs", "platform": "p1"}
    below = {
        bound: found["ocpi_hub_upstream_seconds_bucket", frozenset((labels | {"le": bound}).items())]
        for bound in ("0.001", "0.0025", "10.0", "30.0", "+Inf")
    }
    assert below == {"0.001": 2, "0.0025": 3, "10.0": 3, "30.0": 4, "+Inf": 5}
    assert found["ocpi_hub_upstream_seconds_sum", frozenset(labels.items())] == pytest.approx(61.0021)


def test_what_partners_choose_freely_never_becomes_a_label() -> None:
    metrics = Metrics()
    for number in range(300):
        count(metrics, route=f"r{number}", module=f"custom-{number}", method=f"M{number}", ocpi_status=19000 + number)
        count(metrics, ocpi_status=2900 + number % 100)
    count(metrics, ocpi_status=None, target_version=None)

    labels = {name: set[str]() for name in ("route", "module", "method", "target_version", "ocpi_status")}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            for name, values in labels.items():
                values.update(filter(None, [sample.labels.get(name)]))
    assert labels == {
        "route": {"direct", "other"},
        "module": {"sessions", "custom"},
        "method": {"PUT", "other"},
        "target_version": {"2.2.1", "none"},
        "ocpi_status": {"2xxx", "other", "unread"},
    }


def test_after_a_thousand_platforms_the_rest_share_one_label() -> None:
    metrics = Metrics()
    for number in range(PLATFORM_LABELS + 50):
        metrics.upstream(ModuleID.CDRS, f"p{number}", 0.01)
        metrics.upstream(ModuleID.CDRS, f"p{number}", 0.01)

    counts = {
        dict(labels)["platform"]: value
        for (name, labels), value in figures(metrics.exposition()).items()
        if name == "ocpi_hub_upstream_seconds_count"
    }
    assert len(counts) == PLATFORM_LABELS + 1
    assert counts["other"] == 100


def test_a_translation_is_timed_by_its_versions() -> None:
    metrics = Metrics()
    metrics.translated(ModuleID.CDRS, Version.V2_2_1, Version.V2_1_1, 0.00002)
    metrics.translated(ModuleID.CDRS, Version.V2_2_1, Version.V2_1_1, 0.00004)

    found = figures(metrics.exposition())
    labels = {"module": "cdrs", "source_version": "2.2.1", "target_version": "2.1.1"}
    assert found["ocpi_hub_translation_seconds_count", frozenset(labels.items())] == 2
    assert found["ocpi_hub_translation_seconds_sum", frozenset(labels.items())] == pytest.approx(0.00006)


def test_losses_are_counted_by_their_ids_in_the_catalogue() -> None:
    metrics = Metrics()
    metrics.losses(["L-24", "M-33", "L-24", "no such id", "another"])

    found = figures(metrics.exposition())
    counted = {dict(labels)["loss"]: value for (name, labels), value in found.items() if name.endswith("losses_total")}
    assert counted == {"L-24": 2, "M-33": 1, "other": 2}


def test_the_directory_shows_every_status_and_forgets_former_ones() -> None:
    metrics = Metrics()
    metrics.directory({ConnectionStatus.CONNECTED: 2}, {ConnectionStatus.PLANNED: 3}, age_s=1.5, reloads=4)
    metrics.directory({ConnectionStatus.SUSPENDED: 2}, {ConnectionStatus.CONNECTED: 3}, age_s=0.5, reloads=5)

    found = figures(metrics.exposition())
    assert found["ocpi_hub_platforms", frozenset({("status", "CONNECTED")})] == 0
    assert found["ocpi_hub_platforms", frozenset({("status", "SUSPENDED")})] == 2
    assert found["ocpi_hub_parties", frozenset({("status", "CONNECTED")})] == 3
    assert found["ocpi_hub_parties", frozenset({("status", "OFFLINE")})] == 0
    assert found["ocpi_hub_directory_snapshot_age_seconds", frozenset()] == 0.5
    assert found["ocpi_hub_directory_reloads_total", frozenset()] == 5


class NeedsTheLoop(Collector):
    """A metric that can be read only while the event loop goes on."""

    def __init__(self) -> None:
        self.went_on = threading.Event()

    def collect(self) -> Iterable[Metric]:
        assert self.went_on.wait(10)
        return []


def test_the_event_loop_goes_on_while_metrics_are_written() -> None:
    metrics, needs_the_loop = Metrics(), NeedsTheLoop()
    metrics._registry.register(needs_the_loop)

    async def scraped() -> bytes:
        asyncio.get_running_loop().call_later(0.01, needs_the_loop.went_on.set)
        return await metrics.exposed()

    assert b"# TYPE ocpi_hub_messages_total counter" in asyncio.run(scraped())


_WORK_OF_A_PROCESS = """
import asyncio
from hub.observability import Metrics
from routing.vocabulary import ConnectionStatus, Version

async def work(metrics):
    metrics.message(
        route="direct", module="cdrs", method="POST", source_version=Version.V2_2_1, target_version=None,
        ocpi_status=1000, seconds=0.1,
    )
    metrics.losses(["L-24"])
    metrics.directory({ConnectionStatus.CONNECTED: 5}, {}, age_s=0.5, reloads=1)
    print(metrics.exposition().decode())
    metrics.message(
        route="direct", module="cdrs", method="PUT", source_version=Version.V2_2_1, target_version=None,
        ocpi_status=1000, seconds=0.1,
    )
    metrics.close()

asyncio.run(work(Metrics()))
"""


def test_each_process_shows_the_sum_of_all_where_there_are_many(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    shown = [
        subprocess.run(
            [sys.executable, "-c", _WORK_OF_A_PROCESS], capture_output=True, check=True, env=environment, timeout=60
        ).stdout
        for _ in range(2)
    ]

    found = figures(shown[-1])
    methods = {
        dict(labels)["method"]: value for (name, labels), value in found.items() if name == "ocpi_hub_messages_total"
    }
    assert methods == {"POST": 2, "PUT": 1}
    assert [value for (name, _), value in found.items() if name == "ocpi_hub_translation_losses_total"] == [2]
    assert found["ocpi_hub_platforms", frozenset({("status", "CONNECTED")})] == 5
