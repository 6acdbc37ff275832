"""Locust in processes of its own: it makes every library cooperate that it loads, and a command needs none of that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from loadtests.load.plan import PLAN_VARIABLE, TOKEN_VARIABLE, Plan

LOG = "locust.log"
"""What locust and the simulated partners say of themselves, in the folder of a run."""
_HERE = Path(__file__).resolve().parent
_END_WITHIN_S = 15.0


@dataclass(frozen=True)
class Mode:
    """Which processes send, and who begins the run."""

    processes: int = 1
    workers: int | None = None
    worker_of: str | None = None
    web_port: int | None = None

    @property
    def senders(self) -> int:
        """How many processes send."""
        return self.workers or self.processes

    @property
    def fewest(self) -> int:
        """Platforms without names that have something to say to each other in every process."""
        return 2 * self.senders

    def check(self, platforms: int) -> None:
        """Raises UsageError for what does not go together."""
        if sum((self.workers is not None, self.worker_of is not None, self.processes > 1)) > 1:
            raise click.UsageError("give one of --processes, --master and --worker-of")
        if self.worker_of is None and platforms < self.fewest:
            raise click.UsageError(
                f"{self.senders} processes need at least {self.fewest} platforms: each plays CPOs and eMSPs"
            )

    def arguments(self) -> list[str]:
        """What locust is told of it."""
        if self.worker_of is not None:
            return ["--worker", "--master-host", self.worker_of]
        arguments = (
            ["--headless"] if self.web_port is None else ["--web-host", "127.0.0.1", "--web-port", str(self.web_port)]
        )
        if self.workers is not None:
            return [*arguments, "--master", "--expect-workers", str(self.workers)]
        return [*arguments, "--processes", str(self.processes)] if self.processes > 1 else arguments


def run_locust(plan: Plan, mode: Mode, token: str) -> bool:
    """Run it to its end, in the folder of the plan; False if it was ended early, by interrupting this process.

    A terminal interrupts this process only: locust, in a group of its own, is told once, and leaves a report.
    """
    folder = Path(plan.folder)
    plan.save(folder / "plan.json")
    command = [
        *(sys.executable, "-m", "locust", "--locustfile", str(_HERE / "locustfile.py")),
        *("--users", str(plan.platforms), "--spawn-rate", str(plan.platforms), "--host", plan.operator_url),
        *("--loglevel", "WARNING"),
        *("--only-summary", "--exit-code-on-error", "0"),
        *([] if mode.worker_of else ["--html", str(folder / "locust.html"), "--csv", str(folder / "locust")]),
        *([] if mode.worker_of else ["--json-file", str(folder / "locust")]),
        *mode.arguments(),
    ]
    path = os.pathsep.join(filter(None, (str(_HERE.parents[1]), os.environ.get("PYTHONPATH"))))
    settings = {PLAN_VARIABLE: str(folder / "plan.json"), TOKEN_VARIABLE: token, "PYTHONPATH": path}
    # What a user has in a locust.conf or in LOCUST_… variables is for other tests.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=folder, env={**inherited, **settings}, stdin=subprocess.DEVNULL, stderr=log, process_group=0
        )
    try:
        process.wait()
    except KeyboardInterrupt:
        _end(process)
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """It writes down what it has."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait(_END_WITHIN_S)
