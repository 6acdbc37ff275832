"""What the page of a registration says: a sentence for each step, and the mail for a partner's engineer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from hub.console.shell_blocks import INVITED_PLACE, Blocks

Json = Mapping[str, Any]


class Said(NamedTuple):
    """Of one kind of step: when it is done, when it failed, and when it is to come."""

    done: str
    failed: str
    to_come: str


_STEPS: Final = {
    "hub_versions_read": Said("They read our versions", "They were refused our versions", "They read our versions"),
    "hub_details_read": Said("They read our endpoints", "They were refused our endpoints", "They read our endpoints"),
    "credentials_received": Said(
        "They sent their credentials", "They sent credentials that we could not accept", "They send their credentials"
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
_LOOKS: Final = (
    "While your POST of the credentials waits for our answer, we read your versions and your\n"
    "endpoints, with the token in these credentials. So accept that token before you send them."
)
_PARTNER: Final = "partner"
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


def heading(view: Json, *, is_registered: bool, said_of_now: str | None = None) -> str:
    """What there is to say first, after the name. `said_of_now` is what is wrong with who is registered."""
    newest = view["attempts"][0] if view["attempts"] else None
    if newest is not None and newest["state"] == "failed":
        if newest["begun_by"] == _PARTNER:
            return "could not be registered"
        return "did not take new tokens; the old ones stay" if is_registered else "is not connected: our call failed"
    if is_registered:
        return "is connected" if said_of_now is None else f"is registered, and {said_of_now}"
    if newest is not None and newest["state"] == "open":
        return "is registering" if newest["begun_by"] == _PARTNER else "is being called"
    return "has not called yet" if view["to_come"] else "is not registered"


def we_call(view: Json, *, is_registered: bool) -> bool:
    """Whether it is the hub that registers, or did: that of a partner which is registered it did so is in a step."""
    ours = [each for each in view["attempts"] if each["begun_by"] != _PARTNER]
    if is_registered:
        return any(step["method"] == "POST" for each in ours for step in each["steps"])
    return bool(ours) and view["attempts"][0] is ours[0]


def asked_url(view: Json) -> str | None:
    """Where the hub asked for a partner's versions the last time."""
    steps = [step for each in view["attempts"] if each["begun_by"] != _PARTNER for step in each["steps"]]
    return next((each["url"] for each in steps if each["step"] == "partner_versions_read"), None)


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
    is_theirs = view["attempts"][0]["begun_by"] == _PARTNER
    what = f"Your registration at {hub_name}" if is_theirs else f"The registration of {hub_name} at your system"
    lines = [f"{what} failed at {at}.", "", f"What happened: {last['reason']}"]
    if last["url"]:
        lines.append(f"What we asked for: {last['url']}")
    if last["told"]:
        lines.append(f"What we answered you: {last['told']['status_code']}, {last['told']['status_message']}")
    if last["tell"]:
        lines += ["", f"What to do: {last['tell']}"]
    if not is_theirs:
        lines += ["", "Tell us when we shall try again."]
    elif any(not each["ended"] for each in view["invitations"]):
        lines += ["", "The token of your invitation is still good; try again whenever you like."]
    return "\n".join(lines)


def invitation_mail(versions_url: str, asked: Json, commands: Blocks) -> str:
    """How a partner's engineer registers. The token is not in it: mails are kept, and forwarded."""
    parties = ", ".join(f"{each['country_code']}*{each['party_id']} {each['role']}" for each in asked["parties"])
    first = commands.register[0]
    facts = {
        "Our versions": versions_url,
        "Your parties": parties or "those of your credentials",
        "OCPI version": asked.get("version") or ("2.1.1" if asked.get("face") else "any that both of us have"),
        "Modules we need from you": ", ".join(asked["require_modules"]),
        "Your token": "comes to you by another way than this mail. It works once, and only to register",
    }
    return "\n".join(
        [
            "You are invited to connect to our hub by OCPI. It is you who call: we wait for your registration.",
            "",
            *(f"{name}: {text}" for name, text in facts.items() if text),
            "",
            _LOOKS,
            "",
            f"To try it from a shell, with the token in place of {INVITED_PLACE}:",
            "",
            "# 1. Is the door open? Expect status_code 1000 and a list of versions",
            commands.look,
            "",
            f"# 2. Register with {first.version}. Expect status_code 1000 and a new token in data.token",
            first.text,
        ]
    )


FILTERS: Final[dict[str, Callable[..., Any]]] = {"step_text": step_text, "to_come_text": to_come_text}
