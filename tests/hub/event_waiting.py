"""Waiting for an event of a hub: it is written a second after it happened."""

from __future__ import annotations

import time
from typing import Any

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess

WITHIN_S = 10.0


def event_of(
    hub: HubProcess,
    kind: EventKind,
    platform_id: str | None = None,
    *,
    state: str = "open",
    subject: str | None = None,
    saying: str = "",
) -> dict[str, Any]:
    """The newest event of this kind about this platform; waits for it, and until its sentence has these words."""
    query = {"kind": str(kind), "state": state} | ({} if platform_id is None else {"platform": platform_id})
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        for each in hub.operator.ask("GET", "/api/v1/events", params=query)["items"]:
            if subject in (None, each["subject"]) and saying in each["sentence"]:
                found: dict[str, Any] = each
                return found
        time.sleep(0.05)
    raise AssertionError(f"there is no {state} event {kind} about {platform_id} saying {saying!r}")
