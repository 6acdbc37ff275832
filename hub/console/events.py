"""What went wrong, since when, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.invitation_form import moment_of
from hub.console.troubles import needs_somebody, troubles_of
from hub.event_kinds import EventKind
from hub.operator.roles import FOR_OPERATORS, FOR_PARTNERS, is_allowed

_ROWS = 50
_MOST_OF_ONE = 200


class Acknowledging(Struct, frozen=True):
    """The form. The moment is in UTC, without an offset."""

    reason: str = ""
    until: str = ""


class Placed(Struct, frozen=True):
    """An event among the others about the same partner."""

    event: Json
    comes_of: Mapping[str, Any] | None = None
    """The one to see to first."""
    follows: tuple[Mapping[str, Any], ...] = ()
    """Those that come of it."""


@get("/events", opt=FOR_PARTNERS, include_in_schema=False)
async def show_events(
    request: PageRequest, event_state: FromQuery[str] = "", kind: FromQuery[str] = "", cursor: FromQuery[str] = ""
) -> Template:
    """The list."""
    its_state = request.query_params.get("state", event_state)
    found = await Api(request).get("/events", state=its_state, kind=kind, limit=_ROWS, cursor=cursor)
    chosen = {"state": its_state, "kind": kind}
    more = found["next_cursor"]
    return await page(
        request,
        "events.html",
        at="events",
        same=Same(f"GET /api/v1/events?{_query(chosen)}".rstrip("?"), "ocpi-hub events list"),
        headline=_headline(its_state, found["items"]),
        troubles=troubles_of(found["items"]),
        kinds=sorted(EventKind),
        chosen=chosen,
        next_page=f"/events?{_query({**chosen, 'cursor': more})}" if more else None,
    )


@get("/events/{event_id:str}", opt=FOR_PARTNERS, include_in_schema=False)
async def show_event(request: PageRequest, event_id: FromPath[str]) -> Template:
    """One event."""
    return await _one(request, event_id, Acknowledging(), None)


@post("/events/{event_id:str}", opt=FOR_OPERATORS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def acknowledge(
    request: PageRequest,
    event_id: FromPath[str],
    data: Annotated[Acknowledging, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Redirect | Template:
    """Somebody knows of it, and of what comes of it now."""
    body: dict[str, Any] = {"reason": data.reason.strip()}
    if data.until:
        body["until"] = moment_of(data.until)
    api = Api(request)
    placed, now = await _placed(api, event_id), datetime.now(UTC)
    follows = [each["id"] for each in placed.follows if needs_somebody(each, now)]
    try:
        for each in [event_id, *follows]:
            await api.post(f"/events/{each}/acknowledge", body)
    except Refused as error:
        if error.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
            raise
        again = await _one(request, event_id, data, error.detail)
        again.status_code = error.status
        return again
    return Redirect(f"/events/{event_id}", status_code=HTTP_303_SEE_OTHER)


async def _one(request: PageRequest, event_id: str, typed: Acknowledging, refused: str | None) -> Template:
    placed = await _placed(Api(request), event_id)
    return await page(
        request,
        "event.html",
        at="events",
        same=Same(f"GET /api/v1/events/{event_id}", f"ocpi-hub events show {event_id}"),
        event=placed.event,
        comes_of=placed.comes_of,
        its_follows=placed.follows,
        may_acknowledge=is_allowed(request.auth, FOR_OPERATORS),
        typed=typed,
        refused=refused,
    )


async def _placed(api: Api, event_id: str) -> Placed:
    event = await api.get(f"/events/{event_id}")
    if event["platform_id"] is None:
        return Placed(event)
    found = await api.get("/events", platform=event["platform_id"], state="open", limit=_MOST_OF_ONE)
    troubles = troubles_of([event, *(each for each in found["items"] if each["id"] != event_id)])
    return next(
        Placed(event, follows=each.follows) if each.event is event else Placed(event, comes_of=each.event)
        for each in troubles
        if event in (each.event, *each.follows)
    )


def _headline(its_state: str, events: list[Json]) -> str:
    if its_state == "closed":
        return "What is over"
    now = datetime.now(UTC)
    waiting = len(troubles_of(each for each in events if needs_somebody(each, now)))
    return "Nothing needs you" if not waiting else f"{waiting} need{'s' if waiting == 1 else ''} you"


def _query(given: dict[str, str]) -> str:
    return urlencode({name: value for name, value in given.items() if value})
