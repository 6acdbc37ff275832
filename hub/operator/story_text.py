"""What happened to messages, for people: the answers of the operator API as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from hub.operator.tables import columns, pairs
from hub.plain_text import readable

Json = dict[str, Any]

_WIDTH: Final = 100
_LINE: Final = 500
_MOST_PATHS: Final = 3
_NO_PATH: Final = "(not of the body)"


def story_text(story: Json) -> str:
    """A story from the first hop to the last: what came of it, what to do, where the time went, what was lost."""
    parts = [
        textwrap.fill(readable(story["summary"]["sentence"], 1000), _WIDTH),
        _head(story),
        _hops(story),
        *_losses(story),
        *_notes(story),
    ]
    return "\n\n".join(parts)


def messages_table(items: Iterable[Json]) -> str:
    """A list of messages."""
    return columns(
        ("TIME", "FROM", "TO", "ROUTE", "WHAT", "VERSIONS", "ANSWER", "HUB MS", "PARTNER MS", "LOST", "CORRELATION ID"),
        (
            (
                _moment(each["time"]),
                each["from"],
                each["to"],
                each["route"],
                f"{each['method']} {each['module']}",
                _versions(each),
                _answer(each["http_status"], each["ocpi_status"], each["failure"]),
                _ms(each["hub_ms"]),
                _ms(each["upstream_ms"]),
                ", ".join(sorted({lost["loss"] for lost in each["losses"]})),
                each["correlation_id"],
            )
            for each in items
        ),
    )


def event_line(name: str, data: Json) -> str:
    """One event of messages that are followed, on a line."""
    match name:
        case "message":
            return message_line(data)
        case "dropped":
            return f"... {data['count']} more, left out"
        case "gap":
            return f"... not followed from {_moment(data['since'])} to {_moment(data['until'])}"
        case "reach" if not data["everywhere"]:
            return "... Redis does not answer: only messages of the process that was asked"
        case _:
            return f"... {name}"


def message_line(message: Json) -> str:
    """One message on a line."""
    losses = sorted({lost["loss"] for lost in message["losses"]})
    parts = (
        _moment(message["time"]),
        f"{message['from'] or '?'} -> {message['to'] or '?'}",
        f"{message['method']} {message['module']}",
        _versions(message),
        _answer(message["http_status"], message["ocpi_status"], message["failure"]),
        _taken(message),
        ", ".join(losses),
        message["correlation_id"],
    )
    return readable("  ".join(part for part in parts if part), _LINE)


def _taken(message: Json) -> str:
    hub, partner = message["hub_ms"], message["upstream_ms"]
    if hub is None or partner is None:
        return " ".join(f"{_ms(message[name])} ms" for name in ("whole_ms", "upstream_ms") if message[name] is not None)
    return f"{_ms(hub)} + {_ms(partner)} ms"


def _head(story: Json) -> str:
    summary, first = story["summary"], _first(story)
    values: dict[str, object] = {
        "Correlation id": story["correlation_id"],
        "When": f"{_moment(story['first'])} UTC",
        "Time": _time(summary, first),
        "Route": first["route"],
        "Versions": _versions(first),
        "About": " ".join(filter(None, (first["object_type"], first["object_id"]))),
        "Sender was told": first["reason"],
        "Receivers": _receivers(summary["receivers"]),
        "What becomes of it": summary["fate"],
        "What to do": summary["advice"],
        "In a shell": "; ".join(summary["commands"]),
    }
    said = {name: value for name, value in values.items() if value not in (None, "")}
    indent = " " * (max(map(len, said)) + 2)
    text = pairs(said)
    lines = (textwrap.fill(line, _WIDTH, subsequent_indent=indent) for line in text.splitlines())
    return "\n".join(lines)


def _time(summary: Json, first: Json) -> str:
    whole = f"{_ms(summary['whole_ms'])} ms"
    if summary["hub_ms"] is None:
        return whole
    parts = [f"hub {_ms(summary['hub_ms'])}"]
    if first["upstream_request_id"] is not None:
        parts.append(f"{first['to'] or 'receiver'} {_ms(summary['upstream_ms'])}")
    later = summary["until_last_ms"] - summary["whole_ms"]
    last = f"; its last hop ended {_ms(summary['until_last_ms'])} ms after it began" if later > 1 else ""
    return f"{whole} = {' + '.join(parts)}{last}"


def _receivers(receivers: Json | None) -> str:
    if receivers is None:
        return ""
    told, ok, failed, skipped = (receivers[name] for name in ("told", "ok", "failed", "skipped"))
    return f"{told} called: {ok} well, {failed} failed; {skipped} left out"


def _hops(story: Json) -> str:
    """One line for each hop; that a message has an id is said once."""
    began = datetime.fromisoformat(story["first"])
    named: set[str] = set()
    rows = []
    for hop in story["hops"]:
        message_id = hop["message_id"]
        at = _ms((datetime.fromisoformat(hop["at"]) - began).total_seconds() * 1000)
        rows.append([cell or " " for cell in (at, *_hop(hop), "" if message_id in named else message_id)])
        named.add(message_id)
    return columns(("AT MS", "FROM", " ", "TO", "WHAT", "TOOK MS", "MESSAGE"), rows)


def _hop(hop: Json) -> tuple[str, ...]:
    """From, an arrow, to, what, and the time."""
    took = _ms(hop["ms"])
    if hop["kind"] == "hub":
        return hop["from"], "", "", "(the hub's own work)", took
    if hop["kind"] == "answer":
        said = _answer(hop["http_status"], hop["ocpi_status"], hop["failure"])
        return hop["from"] or "?", "-->", hop["to"] or "?", said, took
    result = "result: " if hop["kind"] == "callback" else ""
    version = f"  ({hop['version']})" if hop["version"] else ""
    return hop["from"] or "?", "==>", hop["to"] or "?", f"{result}{hop['method']} {hop['path']}{version}", took


def _losses(story: Json) -> list[str]:
    """What was lost between the versions: each rule, where, and what that means."""
    summed = story["summary"]["losses"]
    if not summed:
        return []
    rows = ((each["loss"], each["count"], _places(each["loss"], story), each["meaning"]) for each in summed)
    return [f"Between the versions:\n\n{columns(('RULE', 'TIMES', 'WHERE', 'WHAT HAPPENS'), rows)}"]


def _places(loss: str, story: Json) -> str:
    found = [lost for message in story["messages"] for lost in message["losses"] if lost["loss"] == loss]
    names = [
        f"{'answer ' if lost['in_answer'] else ''}{lost['object'] or ''}{lost['path'] or ''}" or _NO_PATH
        for lost in found
    ]
    places = list(dict.fromkeys(names))
    more = len(places) - _MOST_PATHS
    return ", ".join(places[:_MOST_PATHS]) + (f" +{more}" if more > 0 else "")


def _notes(story: Json) -> list[str]:
    notes = []
    if story["summary"]["left_out"]:
        notes.append(f"{story['summary']['left_out']} more calls are not shown; `ocpi-hub messages` lists them.")
    if story["summary"]["gaps"]:
        notes.append(
            f"The journal could not keep {story['summary']['gaps']} entries of that time: some of this may be missing."
        )
    if story["used_times"] > 1:
        notes.append(_uses(story))
    return notes


def _uses(story: Json) -> str:
    others = columns(
        ("TIME", "FROM", "TO", "WHAT", "ANSWER", "USE"),
        (
            (
                _moment(use["at"]),
                use["from"],
                use["to"],
                f"{use['method']} {use['module']}",
                _answer(None, use["ocpi_status"], use["failure"]),
                use["message_id"],
            )
            for use in story["uses"]
        ),
    )
    return (
        f"This id was used for {story['used_times']} messages; above is {story['use']}. "
        f"The newest, for `ocpi-hub trace ID --use USE`:\n\n{others}"
    )


def _first(story: Json) -> Json:
    found: Json = next(message for message in story["messages"] if message["id"] == story["use"])
    return found


def _versions(message: Json) -> str:
    source, target = message["source_version"], message["target_version"]
    return str(source) if target in (None, source) else f"{source} → {target}"


def _answer(http_status: int | None, ocpi_status: int | None, failure: str | None) -> str:
    """`1000`, `4002 (timeout)`, `2000 in HTTP 404 (refused)`; `none` where nobody answered."""
    said = str(ocpi_status) if ocpi_status else "none"
    if http_status and http_status not in (200, 201):
        said = f"{said} in HTTP {http_status}" if ocpi_status else f"HTTP {http_status}"
    return f"{said} ({failure})" if failure else said


def _moment(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03}"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
