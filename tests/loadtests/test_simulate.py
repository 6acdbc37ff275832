"""`ocpi-hub simulate`, as a user starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.operator.client import Refused
from hub.simulate_command import simulate
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from loadtests.simulator.server import free_port
from routing.vocabulary import Party, Role
from tests.partners import path_of, registered, token

COMMAND = [sys.executable, "-m", "hub", "simulate"]
WAYS_TO_FAIL = [
    (["--role", "ptp"], "ptp"),
    (["--role", "cpo", "--latency", "gamma:80ms"], "'gamma:80ms' is not like constant:80ms"),
    (["--role", "cpo", "--profile", "quick"], "'quick' is none of fast, typical"),
    (["--role", "cpo", "--errors", "1"], "'1' is no share like 1%"),
    (["--role", "cpo", "--outage", "5m every 60s"], "shorter"),
    (["--role", "cpo", "--country", "N"], "'N' is not like NL"),
]
WHAT_CANNOT_BE = [
    (["--role", "cpo", "--platforms", "2"], "1 parties cannot be on 2 platforms"),
    (["--role", "cpo", "--version", "2.1.1", "--parties", "3", "--platforms", "2"], "2.1.1"),
    (["--role", "cpo", "--parties", "46657"], "46656"),
    (["--role", "cpo", "--ledger", "/nowhere/ledger"], "/nowhere/ledger: No such file"),
    (["--role", "cpo", "--host", "192.0.2.1"], "192.0.2.1"),
    (["--role", "cpo", "--operator-url", "http://127.0.0.1:9"], "platforms at http://127.0.0.1:9: "),
]


class Simulated:
    """One run of the command with --json. `platforms` are those it says it plays."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process, self._stdout = process, process.stdout
        self.platforms: list[dict[str, Any]] = json.loads(self._stdout.readline())["platforms"]

    def ended(self) -> dict[str, Any]:
        """Interrupt it: what came to each platform."""
        self._process.send_signal(signal.SIGINT)
        received: dict[str, Any] = json.loads(self._stdout.readline())["received"]
        assert self._process.wait(20) == 0
        return received


@contextmanager
def simulated(*arguments: str, hub: HubProcess | None = None) -> Iterator[Simulated]:
    environment = dict(os.environ)
    if hub is not None:
        environment["HUB_OPERATOR_TOKEN"] = hub.operator.api.headers["authorization"].removeprefix("Bearer ")
        arguments = (*arguments, "--operator-url", hub.operator.url)
    command = [*COMMAND, *arguments, "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Simulated(process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def emsp(hub: HubProcess) -> Iterator[Partner]:
    with registered(hub, Partner("Roam", {Party("DE", "ROM"): [Role.EMSP]})) as [partner]:
        yield partner


def test_cpos_of_2_1_1_register_and_take_what_comes(hub: HubProcess, emsp: Partner, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    options = ("--role", "cpo", "--version", "2.1.1", "--parties", "3", "--country", "be", "--ledger", str(ledger))
    with simulated(*options, hub=hub) as cpos:
        parties = [Party("BE", party_id) for party_id in ("AAA", "AAB", "AAC")]
        for party in parties:
            answer = emsp.put("tokens", path_of(emsp.party, "C1"), to=party, json=token(emsp.party, "C1"))
            assert answer.status_code == 1000
        received = cpos.ended()

    assert [each["parties"] for each in cpos.platforms] == [["BE*AAA"], ["BE*AAB"], ["BE*AAC"]]
    assert all(each["registered"] and each["token_a"] is None for each in cpos.platforms)
    assert {tally["by_kind"]["tokens.PUT"] for tally in received.values()} == {1}
    assert [tally["duplicates"] for tally in received.values()] == [0, 0, 0]
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [line["platform"] for line in lines] == [f"Simulated CPO {party}" for party in parties]
    assert {line["correlation_id"] for line in lines} == {sent.header("x-correlation-id") for sent in emsp.sent[-3:]}


def test_those_who_were_there_before_are_let_in_anew_with_their_stations(hub: HubProcess, emsp: Partner) -> None:
    options = ("--role", "cpo", "--parties", "5", "--platforms", "2", "--country", "FR", "--latency", "constant:50ms")
    with simulated(*options, hub=hub) as cpos:
        cpos.ended()
    with simulated(*options, hub=hub) as cpos:
        began = time.monotonic()
        places = emsp.get("locations", to=Party("FR", "AAE")).data
        assert time.monotonic() - began >= 0.05
        cpos.ended()

    assert [len(each["parties"]) for each in cpos.platforms] == [3, 2]
    assert [place["id"] for place in places] == [f"FRAAE-LOC{number}" for number in range(1, 5)]
    assert sum(each["name"].startswith("Simulated CPO FR") for each in hub.operator.platforms()) == 2


def test_a_hub_can_connect_to_them_with_what_they_print(hub: HubProcess, emsp: Partner) -> None:
    with simulated("--role", "cpo", "--country", "LU", "--profile", "outage 59s every 1m") as cpos:
        [cpo] = cpos.platforms
        invitation = hub.operator.invite("Lux")
        body = {"versions_url": cpo["versions_url"], "token_a": cpo["token_a"]}
        hub.operator.ask("POST", f"/api/v1/platforms/{invitation.platform_id}/connect", json=body)
        deadline = time.monotonic() + 10
        while emsp.get("locations", to=Party("LU", "AAA")).status_code == 1000 and time.monotonic() < deadline:
            time.sleep(0.05)

        assert emsp.get("locations", to=Party("LU", "AAA")).status_code == 4003
        cpos.ended()


@pytest.mark.parametrize(("arguments", "said"), WAYS_TO_FAIL)
def test_what_cannot_be_read_is_refused_as_wrong_usage(arguments: Sequence[str], said: str) -> None:
    ended = CliRunner().invoke(simulate, arguments)

    assert ended.exit_code == 2
    assert said in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(("arguments", "said"), WHAT_CANNOT_BE)
def test_what_cannot_be_played_is_said_in_a_line(
    arguments: Sequence[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_OPERATOR_TOKEN", "guessed")

    ended = CliRunner().invoke(simulate, arguments)

    assert isinstance(ended.exception, Refused)  # which `ocpi-hub` prints, and exits with 1
    assert said in str(ended.exception)
    assert "\n" not in str(ended.exception)


def test_a_port_that_is_taken_is_said_in_a_line() -> None:
    with Partner("Volt", {Party("NL", "VLT"): [Role.CPO]}).running() as other:
        port = other.base.rpartition(":")[2]
        ended = subprocess.run([*COMMAND, "--role", "cpo", "--port", port], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"ocpi-hub: 127.0.0.1:{port}: Address already in use\n"


def test_people_see_where_everybody_is_and_what_came() -> None:
    port = str(free_port())
    command = [*COMMAND, "--role", "emsp", "--parties", "3", "--platforms", "2", "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()

    assert lines[0].startswith(f"DE*AAA … DE*AAB (2)     http://127.0.0.1:{port}/p0000/versions  ")
    assert lines[1].startswith(f"DE*AAC                  http://127.0.0.1:{port}/p0001/versions  ")
    assert lines[2] == "Simulated until you press Ctrl-C.\n"
    assert rest == "         0  messages received, of which 0 had come before\n"
    assert process.returncode == 0
