"""Real hub processes with tiny apps, see `served`, and what tests ask of them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).resolve().parents[3]
PATIENCE_S = 30.0
_COMMAND = """\
from hub.listener.early import end_on_signals
end_on_signals()
import sys
from tests.hub.listener import served
sys.exit(served.main())
"""


class Said(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Ports(NamedTuple):
    """Where the two listeners of a process are."""

    partner: int
    operator: int


class Process:
    """The process under test."""

    def __init__(
        self, folder: Path, *, workers: int = 1, mode: str = "", ports: Ports | None = None, **timing: float
    ) -> None:
        self.ports = ports or free_ports()
        shared = {
            "HUB_WORKERS": str(workers),
            "HUB_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
            "HUB_REDIS_URL": "redis://127.0.0.1:1",
            "HUB_SECRET_KEY": "k" * 32,
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")} | {
            "PYTHONPATH": str(PROJECT),
            "HUB_PORT": str(self.ports.partner),
            "HUB_OPERATOR_PORT": str(self.ports.operator),
            "TEST_MODE": mode,
            "TEST_TIMING": json.dumps(timing),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND],
            cwd=folder,
            env=environment | shared if workers > 1 else environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> None:
        """Wait until both listeners accept."""
        self.says("ready")

    def says(self, word: str) -> None:
        """Wait for the process, or a worker of it, to say this next."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"{word}\n"

    def get(self, path: str = "/", *, operator: bool = False) -> Said:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.ports.operator if operator else self.ports.partner, timeout=PATIENCE_S
        )
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return Said(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def problems(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.get("/readyz", operator=True).body)[1]

    def worker_pids(self, count: int) -> set[int]:
        """Those of so many workers, each of which has answered."""
        pids: set[int] = set()

        def all_seen() -> bool:
            pids.add(int(self.get().body))
            return len(pids) == count

        until(all_seen)
        return pids

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Exit code and what was said on stderr."""
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said


@contextmanager
def running(folder: Path, **choices: Any) -> Iterator[Process]:  # noqa: ANN401 - those of Process
    process = Process(folder, **choices)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.communicate()


def free_ports() -> Ports:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return Ports(one.getsockname()[1], other.getsockname()[1])


def until(condition: Callable[[], object]) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether this process runs; one that has ended and nobody asked after does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def refused(hub: Process) -> bool:
    """Whether a new message gets the answer of a hub that goes out of service."""
    return hub.get().status == 503
