"""One trouble of a partner, in place of an event for each thing that comes of it. Pure.

Every event stays as it was noted, and closes by itself. Only how they stand on a page is told here: a partner that
refuses the hub's access token is offline, too, and takes no client info; what it needs somebody for is the token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from hub.event_kinds import EventKind, Severity

Json = Mapping[str, Any]

_CAUSES: Final = (EventKind.PARTNER_REFUSES_TOKEN, EventKind.PARTNER_OFFLINE, EventKind.CIRCUIT_OPEN)
"""Of two that are open about one partner, the later one comes of the earlier one."""
_FOLLOWS: Final[Mapping[str, Sequence[EventKind]]] = {
    EventKind.PARTNER_OFFLINE: _CAUSES[:1],
    EventKind.CIRCUIT_OPEN: _CAUSES[:2],
    EventKind.CREDENTIALS_REFRESH_FAILED: _CAUSES,
    EventKind.CLIENT_INFO_MISSED: _CAUSES,
    EventKind.BROADCAST_MISSED: _CAUSES,
}
"""By kind, what it comes of, the deepest cause first."""
_OPEN: Final = "open"
_WORST_FIRST: Final = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


class Trouble(Struct, frozen=True):
    """An event, and those that come of it, in the order in which they were given."""

    event: Json
    follows: tuple[Json, ...] = ()


def troubles_of(events: Iterable[Json]) -> list[Trouble]:
    """The same events, each where the first one of its trouble stood. One that is over stands alone."""
    events = list(events)
    there = {(each["platform_id"], each["kind"]): each for each in events if each["state"] == _OPEN}
    heads: dict[str, Json] = {}
    follows: dict[str, list[Json]] = {}
    for event in events:
        head = _cause_of(event, there) or event
        heads[head["id"]] = head
        follows.setdefault(head["id"], []).extend([] if head is event else [event])
    return [Trouble(head, tuple(follows[event_id])) for event_id, head in heads.items()]


def _cause_of(event: Json, there: Mapping[tuple[str | None, str], Json]) -> Json | None:
    if event["state"] != _OPEN:
        return None
    causes = (there.get((event["platform_id"], kind)) for kind in _FOLLOWS.get(event["kind"], ()))
    return next((each for each in causes if each is not None), None)


def worst_first(troubles: Iterable[Trouble]) -> list[Trouble]:
    """Those that cannot wait before those that can."""
    return sorted(troubles, key=lambda each: _WORST_FIRST.index(each.event["severity"]))


def needs_somebody(event: Json, now: datetime) -> bool:
    """Whether it is open, and nobody knows of it, or nobody does any more."""
    known = event["acknowledged"]
    is_known = known is not None and (known["until"] is None or datetime.fromisoformat(known["until"]) > now)
    return event["state"] == _OPEN and not is_known
