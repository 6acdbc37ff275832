"""Hubs that start in no time: forked from a process that has loaded everything a hub loads.

Half of what a hub does to start is loading modules: a second of a processor, for each of the hundred hubs of a run of
the tests. What is forked goes on as the command itself does, with its own environment, folder and log.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from hub.__main__ import main
from loadtests.hub_process import HubProcess, Running
from tests.migrated import migrated_file


class ForkedHub(HubProcess):
    """For all tests but those of starting and ending, which take what users start.

    It finds all tables there already, unless its settings name another database.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str | None] | None = None) -> None:
        settings = settings or {}
        if "database_url" not in settings:
            settings = {**settings, "database_url": migrated_file(folder)}
        super().__init__(folder, settings)

    def _launch(self, log: IO[bytes]) -> Running:
        return _Forked(self._environment, self._folder, Path(log.name))


class _Forked:
    """A process of `multiprocessing` as `subprocess` would show it."""

    def __init__(self, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.hub.loaded"])  # the first time counts
        self._process = context.Process(target=_serve, args=(dict(environment), folder, log), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        pid = self._process.pid
        assert pid is not None  # it was started
        return pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int, /) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("serve", timeout or 0)
        return code

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _serve(environment: Mapping[str, str], folder: Path, log: Path) -> None:
    """Become `python -m hub serve` with this environment in this folder."""
    with log.open("ab") as output:
        for descriptor in (1, 2):
            os.dup2(output.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["ocpi-hub", "serve"]
    main()
