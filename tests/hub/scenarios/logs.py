"""What a hub has written into its log."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json

WITHIN_S = 10.0


def log_lines(hub: HubProcess, wanted: Callable[[Json], bool], *, count: int = 1) -> list[Json]:
    """The wanted lines, as soon as there are so many: the hub writes them a moment after it has answered.

    Raises:
        TimeoutError: they do not come.
    """
    deadline = time.monotonic() + WITHIN_S
    while len(found := list(filter(wanted, _lines(hub)))) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{count} lines expected, but there are only {found}")
        time.sleep(0.01)
    return found


def losses_of(hub: HubProcess, correlation_id: str) -> Json:
    """What was lost in the message of this correlation id, and how often."""
    [line] = log_lines(hub, lambda line: line.get("correlation_id") == correlation_id and "losses" in line)
    losses: Json = line["losses"]
    return losses


def conversation(hub: HubProcess, correlation_id: str, *, count: int = 1) -> list[Json]:
    """The lines about the messages of this correlation id."""
    return log_lines(hub, lambda line: line.get("correlation_id") == correlation_id, count=count)


def _lines(hub: HubProcess) -> list[Json]:
    complete, _, _ = hub.log.read_bytes().rpartition(b"\n")
    return [msgspec.json.decode(line) for line in complete.splitlines() if line.startswith(b"{")]
