"""As many messages as fit: wrk sends them on so many connections, each as soon as the one before is answered."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from loadtests.scenarios import NUMBERED, Scenario

CONNECTIONS: Final = 32
_OBJECTS: Final = 64
"""Objects that are written about in turn."""


class Run(Struct):
    """What the generator's script prints."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failed: int


def run(url: str, scenario: Scenario, folder: Path, core: int, seconds: int) -> Run:
    """Send this message over and over for so long. Raises CalledProcessError."""
    script = folder / f"{scenario.name}.lua"
    script.write_text(_lua(scenario))
    command = ["taskset", "-c", str(core), "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s"]
    command += ["--timeout", "10s"]  # the last of 32 pages may have to wait longer than the two seconds it has usually
    ended = subprocess.run([*command, "-s", str(script), url], capture_output=True, check=True)  # noqa: S603 - the command above
    return msgspec.json.decode(ended.stdout.splitlines()[-1], type=Run)


def _lua(scenario: Scenario) -> str:
    """The generator's script: requests about so many objects in turn, over and over, and the figures as JSON."""
    headers = "".join(f"wrk.headers[ [=[{name}]=] ] = [=[{value}]=]\n" for name, value in scenario.headers)
    body = f"wrk.body = [=[{scenario.body.decode()}]=]\n" if scenario.body else ""
    return f"""wrk.method = "{scenario.method}"
wrk.path = [=[{scenario.path}]=]
{headers}{body}
local requests, following = {{}}, 0
function init(args)
    for number = 1, {_OBJECTS} do
        local path = wrk.path:gsub("{NUMBERED}", "{NUMBERED[:-2]}" .. string.format("%02d", number))
        local body = wrk.body and wrk.body:gsub("{NUMBERED}", "{NUMBERED[:-2]}" .. string.format("%02d", number))
        requests[number] = wrk.format(nil, path, nil, body)
    end
end
function request()
    following = following % {_OBJECTS} + 1
    return requests[following]
end
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "failed": %d}}\\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""
