"""The demonstration, as a user starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from loadtests.simulator import Json

COMMAND = [sys.executable, "-m", "hub", "demo"]
PROJECT = Path(__file__).parents[2]


def test_the_demonstration_tells_the_story_and_ends_by_itself() -> None:
    ended = subprocess.run(COMMAND, cwd=PROJECT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
    told = ended.stdout
    for words in (
        "all 200 locations arrived",
        "L-07, 2 times: ",
        "20.5 kWh, COMPLETED",
        "CDR1",
        "4001",
        "Roam can be reached, but refuses the hub's access token",
    ):
        assert words in told
    assert told.endswith("Everything arrived where it should.\n")


def open_events(url: str, token: str) -> list[Json]:
    """What an operator would see there."""
    answer = httpx.get(f"{url}/api/v1/events?state=open", headers={"authorization": f"Bearer {token}"})
    found: list[Json] = answer.json()["items"]
    return found


def test_the_demonstration_stays_up_when_told_to() -> None:
    with subprocess.Popen(
        COMMAND, cwd=PROJECT, env=os.environ | {"HUB_DEMO_STAY": "1"}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            told = next(line for line in process.stdout if "stays up" in line)
            token = next(process.stdout).split()[-1]
            console = told.split("open ")[1].split()[0]
            found = open_events(console, token)
        finally:
            process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert "Ctrl-C" in told
    assert {each["kind"] for each in found} >= {"registration_failing", "partner_refuses_token"}
    assert "/ocpi/versions" in rest
    assert f"{console}/search?q=CDR2" in rest
    assert process.returncode == 0
