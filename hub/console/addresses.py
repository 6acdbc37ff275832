"""Where a message came in and where it was sent, and with which headers, side by side. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.console.diff import Change, Diff, Row, summed

Json = Mapping[str, Any]

_FIRST: Final = ("authorization", "x-request-id", "x-correlation-id")
_ROUTING: Final = "ocpi-"
_NOTES: Final = {
    "authorization": "each side has a token of its own",
    "x-request-id": "fresh for each hop",
    "link": "the hub's own pages",
}
_OF_A_CONNECTION: Final = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"}
)
"""Headers that are about one connection and say nothing of a message."""


def addresses_of(message: Json) -> Diff:
    """Method and path, then headers; only the ids where nothing was captured."""
    before, after = _headers(message, "request"), _headers(message, "upstream_request")
    lines = (_first_line(message, "path"), _first_line(message, "upstream_path"))
    if not after and lines[1] is None:
        received = (lines[0], *(f"{name}: {before[name]}" for name in _ordered(before)))
        return Diff(tuple(Row(line, None, 0, is_same=True) for line in received if line), "as it was received")
    rows = [_row(*lines, "the receiver's endpoint")]
    for name in _ordered({**before, **after}):
        left, right = (None if name not in side else f"{name}: {side[name]}" for side in (before, after))
        rows.append(_row(left, right, _NOTES.get(name, "")))
    return Diff(tuple(rows), summed([change for row in rows for change in row.changes], None))


def _headers(message: Json, side: str) -> dict[str, str]:
    captured = message.get(f"{side}_headers")
    if captured is not None:
        return {line["name"]: line["value"] for line in captured if line["name"] not in _OF_A_CONNECTION}
    own = "request_id" if side == "request" else "upstream_request_id"
    known = {"x-request-id": message[own], "x-correlation-id": message["correlation_id"] if message[own] else None}
    return {name: value for name, value in known.items() if value}


def _first_line(message: Json, name: str) -> str | None:
    return None if message[name] is None else f"{message['method']} {message[name]}"


def _ordered(headers: Mapping[str, str]) -> list[str]:
    """The ones that matter for OCPI before all others."""
    first = [name for name in _FIRST if name in headers]
    routing = sorted(name for name in headers if name.startswith(_ROUTING))
    return first + routing + sorted(headers.keys() - {*first, *routing})


def _row(left: str | None, right: str | None, note: str) -> Row:
    is_secret = left is not None and left.startswith(_FIRST[0])  # both are masked
    if left == right and not is_secret:
        return Row(left, right, 0, is_same=True)
    action = "Dropped" if right is None else "Added" if left is None else "Replaced"
    said = note if action == "Replaced" else ""
    return Row(left, right, 0, (Change(action, "", note=said or None),))
