"""How a hub process begins and ends, alone and with workers: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hub.listener.processes import free_ports, is_alive, refused, running, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_hub_ends_at_once(tmp_path: Path, number: int) -> None:
    with running(tmp_path) as hub:
        hub.ready()
        assert hub.get().status == hub.get("/readyz", operator=True).status == 200
        began = time.monotonic()
        hub.signal(number)

        assert hub.end() == (0, "")
        assert time.monotonic() - began < 10


def test_messages_in_flight_finish_while_new_ones_are_refused(tmp_path: Path, behind: ThreadPoolExecutor) -> None:
    with running(tmp_path) as hub:
        hub.ready()
        in_flight = [behind.submit(hub.get, "/wait?4") for _ in range(4)]
        for _ in in_flight:
            hub.says("waiting")
        hub.signal()
        until(lambda: refused(hub))
        new, ready = hub.get(), hub.get("/readyz", operator=True)

        assert [each.result().status for each in in_flight] == [200] * 4
        assert (new.status, new.headers["Connection"]) == (503, "close")
        assert int(new.headers["Retry-After"]) > 0
        assert json.loads(new.body)["status_code"] == 3000
        assert ready.status == 503
        assert hub.end() == (0, "")


def test_messages_that_take_too_long_are_cut(tmp_path: Path, behind: ThreadPoolExecutor) -> None:
    with running(tmp_path, grace_s=0.3, cut_s=0.2) as hub:
        hub.ready()
        in_flight = behind.submit(hub.get, "/wait?60")
        hub.says("waiting")
        began = time.monotonic()
        hub.signal()

        assert hub.end()[0] == 0
        assert time.monotonic() - began < 20
        assert isinstance(in_flight.exception(), ConnectionError)


def test_a_second_signal_cuts_at_once(tmp_path: Path, behind: ThreadPoolExecutor) -> None:
    with running(tmp_path, cut_s=0.2) as hub:
        hub.ready()
        in_flight = behind.submit(hub.get, "/wait?60")
        hub.says("waiting")
        hub.signal()
        until(lambda: refused(hub))
        hub.signal()

        assert hub.end()[0] == 0
        assert isinstance(in_flight.exception(), ConnectionError)


def test_a_drained_hub_stays_up_until_it_is_told_to_end(tmp_path: Path) -> None:
    with running(tmp_path) as hub:
        hub.ready()
        hub.get("/drain", operator=True)

        assert refused(hub)
        assert hub.problems() == ["draining"]
        assert hub.process.poll() is None
        hub.signal()
        assert hub.end() == (0, "")


@pytest.mark.parametrize(("variable", "attribute"), [("HUB_PORT", "partner"), ("HUB_OPERATOR_PORT", "operator")])
def test_a_port_in_use_is_one_line(tmp_path: Path, variable: str, attribute: str) -> None:
    with running(tmp_path) as hub:
        hub.ready()
        ports = free_ports()._replace(**{attribute: getattr(hub.ports, attribute)})
        with running(tmp_path, ports=ports) as second:
            code, said = second.end()

    assert code == 1
    assert said.count("\n") == 1
    assert (
        f"{variable}: cannot listen on 127.0.0.1 port {getattr(hub.ports, attribute)}: Address already in use" in said
    )
    assert f"for example {variable}=" in said


@pytest.mark.parametrize(
    ("mode", "workers", "words"),
    [
        ("failing_start", 1, "RuntimeError: the store does not answer"),
        ("failing_partner", 1, "RuntimeError: no partners today"),
        ("failing_partner", 2, "RuntimeError: no partners today"),
    ],
)
def test_a_start_that_fails_is_one_line(tmp_path: Path, mode: str, workers: int, words: str) -> None:
    with running(tmp_path, mode=mode, workers=workers) as hub:
        code, said = hub.end()

    assert code == 1
    assert said == f"ocpi-hub: cannot serve: {words}\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hub_that_is_still_starting_ends_when_told(tmp_path: Path, workers: int) -> None:
    with running(tmp_path, mode="slow_start", workers=workers) as hub:
        hub.says("starting")
        hub.signal()

        assert hub.end() == (0, "")


def test_a_hub_that_hangs_at_its_end_ends_anyway(tmp_path: Path) -> None:
    with running(tmp_path, mode="stuck_end", grace_s=0.1, cut_s=0.1, cleanup_s=0.3) as hub:
        hub.ready()
        hub.signal()

        assert hub.end()[0] == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_at_any_moment_of_the_start_ends_the_hub(
    tmp_path: Path, behind: ThreadPoolExecutor, workers: int
) -> None:
    def end_after(delay_s: float) -> int:
        with running(tmp_path, workers=workers) as hub:
            time.sleep(delay_s)
            hub.signal()
            code, said = hub.end()
            assert "Traceback" not in said
            return code

    codes = list(behind.map(end_after, [0, 0.2, 0.5, 0.8, 1.2, 1.6, 2.2, 3.0]))

    assert set(codes) <= {0, -signal.SIGTERM}, "the latter before the first line of Python"


# With workers


def test_workers_share_one_port_and_the_operator_meets_their_parent(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        pids = hub.worker_pids(2)

        assert json.loads(hub.get("/readyz", operator=True).body) == [hub.process.pid, []]
        assert hub.process.pid not in pids
        hub.signal()
        assert hub.end() == (0, "")
        until(lambda: not any(map(is_alive, pids)))


def test_a_worker_that_is_killed_is_replaced_while_the_others_serve(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        victim = int(hub.get().body)
        os.kill(victim, signal.SIGKILL)
        until(hub.problems)
        assert int(hub.get().body) != victim
        until(lambda: not hub.problems())

        pids = hub.worker_pids(2)
        assert victim not in pids


def test_messages_in_flight_in_a_worker_finish(tmp_path: Path, behind: ThreadPoolExecutor) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        in_flight = [behind.submit(hub.get, "/wait?4") for _ in range(4)]
        for _ in in_flight:
            hub.says("waiting")
        hub.signal()
        until(lambda: hub.get("/readyz", operator=True).status == 503)

        assert [each.result().status for each in in_flight] == [200] * 4
        assert hub.end() == (0, "")


def test_a_worker_told_to_end_on_its_own_finishes_and_is_replaced(tmp_path: Path, behind: ThreadPoolExecutor) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        in_flight = behind.submit(hub.get, "/wait?1")
        hub.says("waiting")
        pids = hub.worker_pids(2)
        for pid in pids:
            os.kill(pid, signal.SIGTERM)

        assert in_flight.result().status == 200
        until(lambda: not pids & {int(hub.get().body) for _ in range(4)})


def test_draining_reaches_every_worker(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        hub.get("/drain", operator=True)
        until(lambda: all(refused(hub) for _ in range(8)))

        assert hub.process.poll() is None
        hub.signal()
        assert hub.end() == (0, "")


def test_no_worker_outlives_its_parent(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        pids = hub.worker_pids(2)
        hub.signal(signal.SIGKILL)

        until(lambda: not any(map(is_alive, pids)))


def test_metrics_of_workers_begin_at_zero(tmp_path: Path) -> None:
    metrics = tmp_path / "var" / "metrics"
    metrics.mkdir(parents=True)
    (metrics / "counter_1.db").touch()

    with running(tmp_path, workers=2) as hub:
        hub.ready()
        assert not (metrics / "counter_1.db").exists()
