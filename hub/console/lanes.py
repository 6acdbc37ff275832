"""The hops of a story as three lanes: who asked, the hub, who was asked. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

Json = Mapping[str, Any]

_SAID_GAP_S: Final = 1.0
"""A pause that is told."""
_GOOD: Final = range(1000, 2000)
_SUCCESS: Final = range(200, 300)


class Lane(Struct, frozen=True):
    """One arrow, or what the hub did between two."""

    at: str
    kind: str
    is_right: bool
    """Between the hub and who was asked; else between it and who asked."""
    points_left: bool
    state: str
    """`good`, `bad`, or `lost` where nothing came."""
    hop: Json
    message: Json
    after_s: float | None
    """How long nothing happened before it, where that is worth telling."""
    offset_ms: float
    """Since the beginning."""


def lanes_of(story: Json, hub: str, hidden: Collection[str] = ()) -> list[Lane]:
    """Every hop but those of the messages in `hidden`. `hub` is the hub's party."""
    messages = {each["id"]: each for each in story["messages"]}
    lanes: list[Lane] = []
    began = before = datetime.fromisoformat(story["first"])
    results = {hop["message_id"] for hop in story["hops"] if hop["kind"] == "callback"}
    for hop in story["hops"]:
        if hop["message_id"] in hidden:
            continue
        at = datetime.fromisoformat(hop["at"])
        lanes.append(_lane(hop, messages[hop["message_id"]], hub, results, (at - before, at - began)))
        before = max(before, at)
    return lanes


def _lane(hop: Json, message: Json, hub: str, results: Collection[str], times: Sequence[Any]) -> Lane:
    since, offset = (each.total_seconds() for each in times)
    is_answer = hop["kind"] == "answer"
    is_outside = hop["to" if is_answer else "from"] == hub
    is_right = is_outside is not (hop["message_id"] in results)
    to_hub = is_outside is is_answer
    is_waiting = is_answer and is_outside
    return Lane(
        at=hop["at"],
        kind=hop["kind"],
        is_right=is_right,
        points_left=is_right is to_hub,
        state=_state(hop, is_refusal=hop.get("failure") is not None and not is_outside) if is_answer else "",
        hop=hop,
        message=message,
        after_s=since if since >= _SAID_GAP_S and not is_waiting and hop["kind"] != "hub" else None,
        offset_ms=offset * 1000,
    )


def _state(hop: Json, *, is_refusal: bool) -> str:
    if hop["ocpi_status"] is None and hop["http_status"] is None:
        return "lost"
    if is_refusal:
        return "bad"
    is_well = hop["ocpi_status"] in _GOOD if hop["ocpi_status"] is not None else hop["http_status"] in _SUCCESS
    return "good" if is_well else "bad"


def calls_of(story: Json) -> list[Json]:
    """The calls that the message led to, of a broadcast or of a list of everybody's: those that failed first."""
    calls = [each for each in story["messages"] if each["hop"] != "message"]
    return sorted(calls, key=lambda each: (each["failure"] is None, each["upstream_request_id"] is not None))
