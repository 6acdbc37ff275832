"""Where in the console one does what an advice says: links, as far as the reader may follow them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from hub.event_kinds import EventKind
from hub.operator.message_filters import Result
from hub.operator.roles import (
    FOR_ADMINS,
    FOR_AUDITORS,
    FOR_OPERATORS,
    FOR_OPERATORS_AND_OWN,
    FOR_PARTNERS,
    Me,
    is_allowed,
)
from hub.store.journal_entries import Failure

Json = Mapping[str, Any]


class Way(NamedTuple):
    """One link."""

    text: str
    url: str


class _Place(NamedTuple):
    """A link whose braces are to be filled in."""

    text: str
    url: str
    opt: Mapping[str, Any] = FOR_PARTNERS


_RECEIVER: Final = _Place("{receiver_name}", "/partners/{receiver_platform}")
_SENDER: Final = _Place("{sender_name}", "/partners/{sender_platform}")
_ROTATE: Final = _Place("Rotate token…", "/partners/{receiver_platform}/rotate", FOR_OPERATORS_AND_OWN)
_REMOVE: Final = _Place("Remove…", "/partners/{receiver_platform}/remove", FOR_ADMINS)
_CLOSE: Final = _Place("Close circuit…", "/partners/{receiver_platform}/close-circuit", FOR_OPERATORS)
_QUIRKS: Final = _Place("Change quirks…", "/partners/{receiver_platform}/quirks", FOR_OPERATORS)
_ERRORS: Final = _Place("Its errors", "/partners/{receiver_platform}#errors")
_REGISTRATION: Final = _Place("Its registration, step by step", "/partners/{receiver_platform}/registration")
_BY_FAILURE: Final[Mapping[str, tuple[_Place, ...]]] = {
    Failure.NOT_AUTHENTICATED: (_SENDER,),
    Failure.LIMITED: (_SENDER,),
    Failure.UNREADABLE: (_SENDER,),
    Failure.REFUSED: (_SENDER,),
    Failure.UNKNOWN_RECEIVER: (_Place("All partners", "/partners"), _SENDER),
    Failure.NO_AGREEMENT: (
        _Place("Their agreements", "/agreements?party={receiver}", FOR_AUDITORS),
        _Place("Agree…", "/agreements/new?a={sender}&b={receiver}", FOR_ADMINS),
    ),
    Failure.RECEIVER_PLANNED: (_REGISTRATION,),
    Failure.RECEIVER_SUSPENDED: (
        _RECEIVER,
        _Place("Resume…", "/partners/{receiver_platform}/resume", FOR_OPERATORS),
    ),
    Failure.CIRCUIT_OPEN: (_ERRORS, _CLOSE),
    Failure.TIMEOUT: (_RECEIVER, _QUIRKS),
    Failure.REFUSES_TOKEN: (_RECEIVER, _ROTATE, _REMOVE),
    Failure.UNTRANSLATABLE: (_RECEIVER, _QUIRKS),
    Failure.LOOP: (),
    Failure.HUB_ERROR: (),
}
_BY_EVENT: Final[Mapping[str, tuple[_Place, ...]]] = {
    EventKind.PARTNER_REFUSES_TOKEN: (_RECEIVER, _ROTATE, _REMOVE),
    EventKind.REGISTRATION_FAILING: (_REGISTRATION, _RECEIVER),
    EventKind.CIRCUIT_OPEN: (_ERRORS, _CLOSE),
    EventKind.CREDENTIALS_REFRESH_FAILED: (_RECEIVER, _ROTATE),
}
_KEEPS_MESSAGES_AWAY: Final = frozenset(
    {EventKind.PARTNER_REFUSES_TOKEN, EventKind.PARTNER_OFFLINE, EventKind.CIRCUIT_OPEN}
)
_NOTED_LATER: Final = timedelta(minutes=1)
"""So long before an event the message may have been that led to it."""


def ways_of(message: Json, names: Mapping[str, str], me: Me) -> list[Way]:
    """For a message that failed. `names` are those of platforms, by their ids."""
    known = {
        "receiver": message["to"],
        "sender": message["from"],
        "receiver_platform": message["to_platform"],
        "sender_platform": message["from_platform"],
        "receiver_name": names.get(message["to_platform"] or ""),
        "sender_name": names.get(message["from_platform"] or ""),
    }
    return _filled(_BY_FAILURE.get(message["failure"], (_RECEIVER,)), known, me)


def ways_of_error(error: Json, platform_id: str, me: Me) -> list[Way]:
    """For what went wrong with messages to, or from, a partner on whose page this is said."""
    if error["direction"] == "in":
        return [
            Way(each["name"], f"/partners/{quote(each['platform_id'])}#errors")
            for each in {each["platform_id"]: each for each in error["receivers"]}.values()
            if each["platform_id"] not in {None, platform_id}
        ]
    return _filled(_BY_FAILURE.get(error["reason"], ()), {"receiver_platform": platform_id}, me)


def ways_of_event(event: Json, me: Me) -> list[Way]:
    """For an event."""
    known = {"receiver_platform": event["platform_id"], "receiver_name": event["platform"]}
    return _filled(_BY_EVENT.get(event["kind"], (_RECEIVER,)), known, me)


def undelivered(event: Json) -> str | None:
    """Where the messages are that an open event keeps, or kept, from its partner; None where it keeps none away."""
    if event["kind"] not in _KEEPS_MESSAGES_AWAY or event["platform_id"] is None:
        return None
    since = datetime.fromisoformat(event["opened_at"]) - _NOTED_LATER
    asked = {"platform": event["platform_id"], "outcome": Result.UNANSWERED, "since": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
    return f"/messages?{urlencode(asked)}"


def _filled(places: Iterable[_Place], known: Mapping[str, str | None], me: Me) -> list[Way]:
    """Those of which everything is known, and that the reader may follow."""
    values = {name: value for name, value in known.items() if value}
    found = []
    for each in places:
        try:
            url = each.url.format(**{name: quote(value, safe="") for name, value in values.items()})
            text = each.text.format(**values)
        except KeyError:
            continue
        if is_allowed(me, each.opt):
            found.append(Way(text, url))
    return found


FILTERS: Final = {"undelivered": undelivered, "ways_of_error": ways_of_error, "ways_of_event": ways_of_event}
