"""`ocpi-hub platform registration`: how a partner gets along with its registration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import click

from hub.operator.client import Json
from hub.operator.tables import columns
from hub.shell import as_json, call, show

_STEPS: Final = {
    "hub_versions_read": "partner read the hub's versions",
    "hub_details_read": "partner read the hub's endpoints",
    "credentials_received": "partner sent its credentials",
    "partner_versions_read": "hub read the partner's versions",
    "partner_details_read": "hub read the partner's endpoints",
    "credentials_sent": "hub sent its credentials",
    "connected": "tokens are exchanged",
}


@click.command("registration")
@click.argument("platform_id", metavar="ID")
@as_json
def registration(platform_id: str, as_json: bool) -> None:
    """Show how far a platform is with its registration, and why that failed."""
    if not platform_id:
        raise click.UsageError("ID is empty; `ocpi-hub platform list` shows the ids")
    show(call("GET", f"/platforms/{quote(platform_id, safe='')}/registration"), as_json, _text)


def _text(view: Json) -> str:
    """The attempts in the order of time, so that the newest stands where one looks."""
    rows = [row for attempt in reversed(view["attempts"]) for row in _rows(attempt)]
    parts = [f"{view['name']} is {view['status']}.", columns(("AT", "BEGUN BY", "STEP", "OUTCOME", "TIMES"), rows)]
    if view["attempts"]:
        parts += _advice(view["attempts"][0]["steps"][-1])
    elif view["to_come"]:
        parts.append("Nobody has come with the token of the invitation.")
    return "\n\n".join(parts)


def _rows(attempt: Json) -> Iterator[tuple[str, ...]]:
    for step in attempt["steps"]:
        outcome = "failed" if step["failed"] else "done"
        yield step["at"], attempt["begun_by"], _STEPS[step["step"]], outcome, str(step["times"])


def _advice(last: Json) -> list[str]:
    """What to do about an attempt that failed."""
    told = last["told"]
    lines = {
        "Failed": last["failed"] and last["reason"],
        "Asked": last["failed"] and last["url"],
        "They were told": told and f"{told['status_code']}, {told['status_message']}",
        "Likely": last["likely"],
        "Tell them": last["tell"],
    }
    return ["\n".join(f"{name}: {text}" for name, text in lines.items() if text)] if last["failed"] else []
