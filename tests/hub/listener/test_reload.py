"""Workers are replaced while clients go on asking, over connections they keep: nobody notices."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import psutil

from tests.hub.listener.processes import Process, running, until

CLIENTS = 6


class Client:
    """Asks again and again, each time on the connection it has, unless that was said to end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.asked = self.connections = 0
        self.pids: set[bytes] = set()

    def ask_until(self, stop: Event) -> None:
        """Raises whatever goes wrong with one request; none is tried again."""
        connection = self._connect()
        while not stop.wait(0.002):
            connection.request("PUT", "/", b"x" * 100)
            answer = connection.getresponse()
            self.pids.add(answer.read())
            assert answer.status == 200
            self.asked += 1
            if answer.getheader("connection") == "close":
                connection.close()
                connection = self._connect()
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        self.connections += 1
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.auto_open = 0  # it must not connect again by itself and so hide what was lost
        connection.connect()
        return connection


@contextmanager
def asking(hub: Process) -> Iterator[list[Client]]:
    """Clients, all of whose requests succeed while the block lasts."""
    clients, stop = [Client(hub.ports.partner) for _ in range(CLIENTS)], Event()
    with ThreadPoolExecutor(CLIENTS) as threads:
        done: list[Future[None]] = [threads.submit(each.ask_until, stop) for each in clients]
        try:
            yield clients
        finally:
            stop.set()
    for each in done:
        each.result()


def last_reload(hub: Process) -> Any:  # noqa: ANN401 - JSON
    return json.loads(hub.get("/reloaded", operator=True).body)


def reloaded(hub: Process) -> Any:  # noqa: ANN401 - as above
    """The last reload, once it has ended."""
    until(lambda: last_reload(hub)["state"] not in {"never", "under_way"})
    return last_reload(hub)


def workers(hub: Process) -> set[int]:
    return {each.pid for each in psutil.Process(hub.process.pid).children()}


def test_three_reloads_fail_not_one_request_of_clients_that_keep_their_connections(
    tmp_path: Path, behind: ThreadPoolExecutor
) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        silent = socket.create_connection(("127.0.0.1", hub.ports.partner))
        in_flight = [behind.submit(hub.get, "/wait?2") for _ in range(4)]
        for _ in in_flight:
            hub.says("waiting")
        with silent, asking(hub) as clients:
            for _ in range(3):
                old, most = workers(hub), 0
                hub.signal(signal.SIGHUP)
                until(lambda: last_reload(hub)["state"] == "under_way")
                while last_reload(hub)["state"] == "under_way":
                    most = max(most, len(workers(hub)))
                assert last_reload(hub)["replaced"] == 2
                assert not workers(hub) & old
                assert most == 3
            assert silent.recv(1) == b""
        assert [each.result().status for each in in_flight] == [200] * 4
        hub.signal()
        code, said = hub.end()

    assert code == 0
    assert "Traceback" not in said
    assert all(each.asked > 100 and len(each.pids) >= 4 and each.connections >= 4 for each in clients)


def test_a_worker_that_cannot_start_leaves_the_old_ones_serving(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        old = hub.worker_pids(2)
        (tmp_path / "no-partners").touch()
        hub.get("/reload", operator=True)
        failed = reloaded(hub)

        assert (failed["state"], failed["replaced"]) == ("failed", 0)
        assert failed["reason"] == "cannot serve: RuntimeError: no partners today"
        assert hub.problems() == []
        assert hub.worker_pids(2) == old == workers(hub)


def test_a_reload_takes_on_settings_and_refuses_wrong_ones(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        environment = tmp_path / ".env"
        for wrong, words in [
            ("HUB_FORWARD_TIMEOUT_S=soon\n", b"HUB_FORWARD_TIMEOUT_S='soon'"),
            ("HUB_PARTY_ID=NEW\n", b"HUB_PARTY_ID changed, which takes a restart; nothing was reloaded"),
        ]:
            environment.write_text(wrong)
            refusal = hub.get("/reload", operator=True)
            assert refusal.status == 409
            assert words in refusal.body
        assert last_reload(hub)["state"] == "never"

        environment.write_text("HUB_FORWARD_TIMEOUT_S=7\n")
        os.kill(min(workers(hub)), signal.SIGKILL)
        until(hub.problems)
        until(lambda: not hub.problems())
        assert {hub.get("/timeout").body for _ in range(8)} == {b"30.0"}, "nobody has reloaded"
        hub.get("/reload", operator=True)
        assert reloaded(hub)["state"] == "done"
        assert {hub.get("/timeout").body for _ in range(8)} == {b"7.0"}


def test_a_hub_that_is_told_to_end_during_a_reload_ends(tmp_path: Path, behind: ThreadPoolExecutor) -> None:
    with running(tmp_path, workers=2) as hub:
        hub.ready()
        in_flight = [behind.submit(hub.get, "/wait?2") for _ in range(4)]
        for _ in in_flight:
            hub.says("waiting")
        hub.get("/reload", operator=True)
        until(lambda: len(workers(hub)) == 3)
        pids = workers(hub)
        hub.signal()

        assert [each.result().status for each in in_flight] == [200] * 4
        assert hub.end()[0] == 0
        until(lambda: not any(map(psutil.pid_exists, pids)))


def test_one_process_does_not_mind_a_sighup(tmp_path: Path) -> None:
    with running(tmp_path) as hub:
        hub.ready()
        hub.signal(signal.SIGHUP)
        assert hub.get().status == 200
        hub.signal()
        code, said = hub.end()

    assert code == 0
    assert "reload_refused" in said
