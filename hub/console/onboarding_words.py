"""What the page of a registration says: a sentence for each step, and the mail for a partner's engineer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

Json = Mapping[str, Any]


class Said(NamedTuple):
    """Of one kind of step: when it is done, when it failed, and when it is to come."""

    done: str
    failed: str
    to_come: str


_STEPS: Final = {
    "hub_versions_read": Said("Read our versions", "Was refused our versions", "They read our versions"),
    "hub_details_read": Said("Read our endpoints", "Was refused our endpoints", "They read our endpoints"),
    "credentials_received": Said(
        "Sent their credentials", "Sent credentials that we could not accept", "They send their credentials"
    ),
    "partner_versions_read": Said(
        "We read their versions", "We could not use their versions", "We read their versions, with the token they sent"
    ),
    "partner_details_read": Said(
        "We read their endpoints", "We could not use their endpoints", "We read their endpoints"
    ),
    "credentials_sent": Said(
        "We sent our credentials", "They did not take our credentials", "We send them our credentials"
    ),
    "connected": Said(
        "Connected: both sides have their tokens", "We could not register them", "Connected, and the others are told"
    ),
}
_WITH_VERSION: Final = frozenset({"hub_details_read", "credentials_received", "partner_details_read", "connected"})


def step_text(step: Json) -> str:
    """What happened."""
    said = _STEPS[step["step"]]
    text = said.failed if step["failed"] else said.done
    if step["version"] and step["step"] in _WITH_VERSION:
        text += f", OCPI {step['version']}"
    return text + (f", {step['times']} times" if step["times"] > 1 else "")


def to_come_text(step: str) -> str:
    """What is to happen."""
    return _STEPS[step].to_come


def heading(view: Json) -> str:
    """What there is to say first, after the name."""
    newest = view["attempts"][0] if view["attempts"] else None
    if newest is not None and newest["state"] == "failed":
        return "could not be registered" if newest["begun_by"] == "partner" else "did not register us"
    if view["status"] == "CONNECTED":
        return "is connected"
    if newest is not None and newest["state"] == "open":
        return "is registering"
    return "has not called yet" if view["to_come"] else "is not registered"


def failed_step(view: Json) -> Json | None:
    """Where the newest attempt is stuck."""
    if not view["attempts"]:
        return None
    last: Json = view["attempts"][0]["steps"][-1]
    return last if last["failed"] else None


def mail(view: Json, hub_name: str) -> str | None:
    """What went wrong, for the partner's engineer; None where nothing did."""
    last = failed_step(view)
    if last is None:
        return None
    at = datetime.fromisoformat(last["last_at"]).strftime("%Y-%m-%d %H:%M:%S UTC")
    lines = [f"Your registration at {hub_name} failed at {at}.", "", f"What happened: {last['reason']}"]
    if last["url"]:
        lines.append(f"What we asked for: {last['url']}")
    if last["told"]:
        lines.append(f"What we answered you: {last['told']['status_code']}, {last['told']['status_message']}")
    if last["tell"]:
        lines += ["", f"What to do: {last['tell']}"]
    if any(not each["ended"] for each in view["invitations"]):
        lines += ["", "The token of your invitation is still good; try again whenever you like."]
    return "\n".join(lines)


FILTERS: Final[dict[str, Callable[..., Any]]] = {"step_text": step_text, "to_come_text": to_come_text}
