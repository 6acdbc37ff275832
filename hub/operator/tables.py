"""The answers of the operator API, for people: plain aligned columns.

Text in them may come from partners, so control characters are escaped: a name cannot drive a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hub.plain_text import readable

Json = dict[str, Any]

_PARTIES_SHOWN = 3
_ALL = "all"
_PARTY = ("id", "role", "status", "suspended", "name", "platform_id", "reachable_via", "last_updated")
_PLATFORM = ("id", "name", "status", "version", "is_hub", "allow_hub", "last_seen", "capture_until", "created_at")


def columns(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a line of heads; only that line when there are no rows."""
    lines = [list(heads), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def pairs(values: dict[str, object]) -> str:
    """One line for each name and value."""
    width = max(map(len, values), default=0)
    return "\n".join(f"{name.ljust(width)}  {_cell(value)}".rstrip() for name, value in values.items())


def platforms_table(items: Iterable[Json]) -> str:
    """A list of platforms."""
    return columns(
        ("ID", "NAME", "STATUS", "VERSION", "PARTIES", "LAST SEEN"),
        (
            (each["id"], each["name"], each["status"], each["version"], _parties(each["parties"]), each["last_seen"])
            for each in items
        ),
    )


def parties_table(items: Iterable[Json]) -> str:
    """A list of parties."""
    return columns(
        ("PARTY", "ROLE", "STATUS", "SUSPENDED", "NAME", "PLATFORM", "VIA", "LAST UPDATED"),
        ([each[name] for name in _PARTY] for each in items),
    )


def agreements_table(items: Iterable[Json]) -> str:
    """A list of agreements."""
    names = ("id", "a", "b", "direction", "modules", "created_at")
    heads = [name.replace("_", " ").upper() for name in names]
    return columns(heads, ([_ALL if each[name] is None else each[name] for name in names] for each in items))


def agreement_text(agreement: Json) -> str:
    """One agreement in one line."""
    arrow = "->" if agreement["direction"] == "a_to_b" else "<->"
    about = _ALL if agreement["modules"] is None else _cell(agreement["modules"])
    return f"{agreement['a']} {arrow} {agreement['b']}, modules {about}, id {agreement['id']}"


def effect_text(effect: Json) -> str:
    """What would come of an agreement."""
    names = ("messages_24h", "would_be_refused", "would_go_through")
    sights = columns(
        ("PLATFORM", "VERSIONS", "SEES", "BEFORE", "AFTER", "TOLD", "NEW CREDENTIALS"),
        (
            (
                each["name"],
                each["versions"],
                each["sees"],
                each["before"],
                each["after"],
                each["told"],
                each["new_credentials"],
            )
            for each in effect["sights"]
        ),
    )
    return f"{pairs({name: effect[name] for name in names})}\n\n{sights}"


def probe_text(probe: Json) -> str:
    """Whether a platform answers, and what came of the look through each of its connections."""
    table = columns(
        ("CONNECTION", "VERSION", "ANSWERED", "SECONDS", "HTTP", "OCPI", "REASON"),
        (
            (
                each["id"],
                each["version"],
                each["answered"],
                f"{each['seconds']:.3f}",
                each["http_status"],
                each["ocpi_status"],
                each["reason"],
            )
            for each in probe["connections"]
        ),
    )
    return f"{'The platform answers.' if probe['answered'] else 'The platform does not answer.'}\n\n{table}"


def statuses_table(items: Iterable[Json]) -> str:
    """The statuses a platform has had."""
    names = ("status", "since", "until", "cause", "why")
    return columns([name.upper() for name in names], ([each[name] for name in names] for each in items))


def losses_text(items: Iterable[Json]) -> str:
    """What went lost to and from a platform, and below it what each of the losses means."""
    listed = list(items)
    names = ("direction", "module", "object", "loss", "other_version", "count", "first_at", "last_at")
    heads = [name.replace("_", " ").upper() for name in names]
    table = columns(heads, ([each[name] for name in names] for each in listed))
    meanings = {each["loss"]: each["meaning"] for each in sorted(listed, key=lambda each: str(each["loss"]))}
    return f"{table}\n\n{pairs(meanings)}" if meanings else table


def platform_text(platform: Json) -> str:
    """One platform with everything that belongs to it."""
    parts = [
        pairs({name: platform[name] for name in _PLATFORM} | {"circuit": _circuit_text(platform["circuit"])}),
        columns(
            ("PARTY", "ROLE", "STATUS", "NAME"),
            ((each["id"], each["role"], each["status"], each["name"]) for each in platform["parties"]),
        ),
        columns(
            ("MODULE", "INTERFACE", "URL"),
            ((each["module"], each["interface"], each["url"]) for each in platform["endpoints"]),
        ),
        columns(("SETTING", "VALUE"), sorted(platform["settings"].items())),
    ]
    if platform["invitations"]:
        parts.append(_invitations_table(platform["invitations"]))
    return "\n\n".join(parts)


def _circuit_text(circuit: Json | None) -> str:
    if circuit is None:
        return "unknown, as Redis does not answer"
    if not circuit["failures"]:
        return str(circuit["state"])
    return f"{circuit['state']}, {circuit['failures']} failures in a row, since {circuit['since']}"


def _invitations_table(items: Iterable[Json]) -> str:
    return columns(
        ("INVITATION", "VERSION", "FACE", "PARTIES", "EXPIRES"),
        ((each["id"], each["version"], each["face"], ", ".join(each["parties"]), each["expires_at"]) for each in items),
    )


def _parties(parties: list[Json]) -> str:
    names = list(dict.fromkeys(each["id"] for each in parties))
    more = len(names) - _PARTIES_SHOWN
    return ", ".join(names[:_PARTIES_SHOWN]) + (f" +{more}" if more > 0 else "")


def _cell(value: object) -> str:
    match value:
        case None | "" | []:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(_cell, value))
        case _:
            return readable(str(value))
