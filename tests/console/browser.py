"""A real browser: the Chromium of this machine, installed from the system's packages where it is missing."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first has no windows at all, not even hidden ones, and takes a fifth less of a processor."""
ARGUMENTS = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Nothing is asked of any server but the hub."""


class NoBrowser(Exception):
    """There is none, and none can be installed. The message says what to do."""


@functools.cache
def chromium() -> Path:
    """The program. Raises NoBrowser."""
    with (Path(tempfile.gettempdir()) / "ocpi-hub-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the processes of one run would install it side by side
        return _found() or _installed()


def _found() -> Path | None:
    given = os.environ.get("TEST_CHROMIUM")
    paths = [given] if given else [shutil.which(name) for name in _NAMES]
    return next((Path(path) for path in paths if path), None)


def _installed() -> Path:
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for words in (["update"], ["install", "--yes", "--no-install-recommends", _NAMES[0]]):
        try:
            subprocess.run([*rights, "apt-get", *words], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoBrowser("Chromium cannot be installed; install it, or set TEST_CHROMIUM to a program") from error
    path = _found()
    if path is None:
        raise NoBrowser("Chromium was installed and is not on the PATH; set TEST_CHROMIUM to the program")
    return path
