"""The demonstration, as a user starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "hub", "demo"]
PROJECT = Path(__file__).parents[2]


def test_the_demonstration_tells_the_story_and_ends_by_itself() -> None:
    ended = subprocess.run(COMMAND, cwd=PROJECT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
    told = ended.stdout
    for words in ("all 200 locations arrived", "L-07, 2 times: ", "20.5 kWh, COMPLETED", "CDR1", "4001"):
        assert words in told
    assert told.endswith("Everything arrived where it should.\n")


def test_the_demonstration_stays_up_when_told_to() -> None:
    with subprocess.Popen(
        COMMAND, cwd=PROJECT, env=os.environ | {"HUB_DEMO_STAY": "1"}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = next(line for line in process.stdout if "stays up" in line)
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert "Ctrl-C" in told
    assert "/ocpi/versions" in rest
    assert process.returncode == 0
