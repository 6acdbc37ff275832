"""Events, the audit log and tokens, for people at a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hub.operator.client import Json
from hub.operator.tables import columns, pairs
from hub.plain_text import readable


def events_text(items: Iterable[Json]) -> str:
    """Events one below the other: what happened, and what to do."""
    return "\n\n".join(map(_event, items)) or "Nothing that needs looking after."


def _event(event: Json) -> str:
    known = event["acknowledged"]
    since = f"since {event['opened_at']}" + (f", until {event['closed_at']}" if event["closed_at"] else "")
    lines = [
        f"{event['severity'].upper()}  {event['title']}  ({event['kind']}, {since})",
        f"  {readable(event['sentence'], 1000)}",
        f"  Do: {event['do']}",
    ]
    if event["last_correlation_id"]:
        lines.append(f"  Message: {readable(event['last_correlation_id'])}")
    if known:
        until = f" until {known['until']}" if known["until"] else ""
        lines.append(f"  Known to {readable(known['by'])}{until}: {readable(known['reason'])}")
    return "\n".join(lines)


def audit_table(items: Iterable[Json]) -> str:
    """What operators did."""
    heads = ("AT", "ACTOR", "ACTION", "OBJECT", "OUTCOME", "CHANGED", "REASON")
    return columns(
        heads,
        (
            (each["at"], each["actor"], each["action"], each["object"], each["outcome"], _changed(each), each["reason"])
            for each in items
        ),
    )


def _changed(entry: Json) -> str:
    before, after = entry["before"], entry["after"]
    if before is None or after is None:
        return ""
    return ", ".join(_told(name, before.get(name), after.get(name)) for name in {**before, **after})


def _told(name: str, was: object, now: object) -> str:
    """The change of one member; only the name of a long one, for which there is --json."""
    match was, now:
        case dict(), dict():
            return ", ".join(_told(f"{name}.{part}", was.get(part), now.get(part)) for part in {**was, **now})
        case (list() | dict(), _) | (_, list() | dict()):
            return name
        case _:
            return f"{name}: {_short(was)} -> {_short(now)}"


def _short(value: object) -> str:
    return readable(value if isinstance(value, str) else json.dumps(value), 60)


def verification_text(found: Json) -> str:
    """Whether the audit log is as it was written."""
    return pairs(found)


def tokens_table(items: Iterable[Json]) -> str:
    """Who has a token."""
    names = ("id", "name", "role", "platform", "created_at", "expires_at")
    return columns(
        [name.replace("_", " ").upper() for name in names], ([each[name] for name in names] for each in items)
    )


def new_token_text(answer: Json) -> str:
    """A token that was just made."""
    return pairs(answer) + "\n\nGive the token to whom it is for. It is not shown again."


def settings_text(found: Json) -> str:
    """All settings, and what runs with them."""
    about = {"version": found["version"], "schema": found["schema"]}
    spoken = {"ocpi": [each["version"] for each in found["ocpi"]]}
    rows = ((each["id"], _value_of(each), each["source"]) for each in found["items"])
    return f"{pairs(about | spoken)}\n\n{columns(('VARIABLE', 'VALUE', 'SOURCE'), rows)}"


def _value_of(setting: Json) -> str | None:
    if setting["secret"]:
        return "set" if setting["is_set"] else None
    value: str | None = setting["value"]
    return value
