"""What went wrong, since when, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct

from hub.console.api import Api, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.invitation_form import moment_of
from hub.event_kinds import EventKind
from hub.operator.roles import FOR_OPERATORS, FOR_PARTNERS, is_allowed

_ROWS = 50


class Acknowledging(Struct, frozen=True):
    """The form. The moment is in UTC, without an offset."""

    reason: str = ""
    until: str = ""


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
        events=found["items"],
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
    """Somebody knows of it."""
    body: dict[str, Any] = {"reason": data.reason.strip()}
    if data.until:
        body["until"] = moment_of(data.until)
    try:
        await Api(request).post(f"/events/{event_id}/acknowledge", body)
    except Refused as error:
        if error.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
            raise
        again = await _one(request, event_id, data, error.detail)
        again.status_code = error.status
        return again
    return Redirect(f"/events/{event_id}", status_code=HTTP_303_SEE_OTHER)


async def _one(request: PageRequest, event_id: str, typed: Acknowledging, refused: str | None) -> Template:
    event = await Api(request).get(f"/events/{event_id}")
    return await page(
        request,
        "event.html",
        at="events",
        same=Same(f"GET /api/v1/events/{event_id}", f"ocpi-hub events show {event_id}"),
        event=event,
        may_acknowledge=is_allowed(request.auth, FOR_OPERATORS),
        typed=typed,
        refused=refused,
    )


def _headline(its_state: str, events: list[Any]) -> str:
    if its_state == "closed":
        return "What is over"
    waiting = sum(each["state"] == "open" and each["acknowledged"] is None for each in events)
    return "Nothing needs you" if not waiting else f"{waiting} need{'s' if waiting == 1 else ''} you"


def _query(given: dict[str, str]) -> str:
    return urlencode({name: value for name, value in given.items() if value})
