"""What can be done with a partner: a page each that says what will happen, and asks why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Final

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.partner_words import parties_of
from hub.console.pieces import Piece, piece
from hub.operator.roles import FOR_ADMINS, FOR_OPERATORS, FOR_OPERATORS_AND_OWN

_MOST_PARTIES: Final = 5
HOURS: Final = (("1", "an hour"), ("24", "24 hours"), ("168", "7 days"))


class Confirmed(Struct, frozen=True):
    """The form."""

    reason: str = ""
    name: str = ""
    """Typed where the action cannot be undone."""
    hours: str = "24"
    seen: str = ""
    """The tag of what the question was asked about."""


Doing = Callable[[Api, str, Confirmed], Awaitable[Json]]


@dataclass(frozen=True, slots=True)
class Action:
    """One of them."""

    name: str
    """Of the page."""
    do: Doing
    verb: str
    """On the button, and in the question."""
    keep: str
    """On the button that changes nothing."""
    command: str
    opt: dict[str, Any] = field(default_factory=lambda: FOR_OPERATORS)
    impact: bool = False
    """Whether the API says in numbers what it leads to."""
    takes_name: bool = False
    takes_hours: bool = False
    is_risk: bool = True


def _posts(path: str) -> Doing:
    async def do(api: Api, at: str, form: Confirmed) -> Json:
        return await api.post(f"{at}/{path}", reason=form.reason, seen=form.seen)

    return do


async def _removes(api: Api, at: str, form: Confirmed) -> Json:
    return await api.delete(at, reason=form.reason, seen=form.seen)


async def _captures(api: Api, at: str, form: Confirmed) -> Json:
    hours = float(form.hours) if form.hours in dict(HOURS) else 24.0
    return await api.post(f"{at}/capture", {"hours": hours}, reason=form.reason, seen=form.seen)


async def _stops_capture(api: Api, at: str, form: Confirmed) -> Json:
    return await api.delete(f"{at}/capture", reason=form.reason, seen=form.seen)


ACTIONS: Final = (
    Action("suspend", _posts("suspend"), "Suspend", "Keep connected", "platform suspend", impact=True),
    Action("resume", _posts("resume"), "Resume", "Keep suspended", "platform resume", impact=True, is_risk=False),
    Action(
        "rotate",
        _posts("rotate"),
        "Rotate the access tokens of",
        "Keep the access tokens",
        "platform rotate",
        FOR_OPERATORS_AND_OWN,
        is_risk=False,
    ),
    Action(
        "remove", _removes, "Remove", "Keep the partner", "platform remove", FOR_ADMINS, impact=True, takes_name=True
    ),
    Action(
        "close-circuit",
        _posts("circuit/close"),
        "Close the circuit of",
        "Leave it open",
        "platform close-circuit",
        is_risk=False,
    ),
    Action(
        "capture", _captures, "Capture messages of", "Keep none", "platform capture", takes_hours=True, is_risk=False
    ),
    Action(
        "stop-capture",
        _stops_capture,
        "Stop capturing messages of",
        "Go on",
        "platform capture --off",
        is_risk=False,
    ),
)


def _handlers(action: Action) -> list[HTTPRouteHandler]:
    path = "/partners/{platform_id:str}/" + action.name

    @get(path, opt=action.opt, include_in_schema=False, name=f"ask to {action.name}")
    async def ask(request: PageRequest, platform_id: FromPath[str]) -> Template:
        return await _question(request, action, platform_id, Confirmed())

    @post(path, opt=action.opt, include_in_schema=False, name=f"do {action.name}", status_code=HTTPStatus.SEE_OTHER)
    async def do(
        request: PageRequest,
        platform_id: FromPath[str],
        data: Annotated[Confirmed, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Redirect | Template:
        return await _done(request, action, platform_id, data)

    return [ask, do]


async def _done(request: PageRequest, action: Action, platform_id: str, form: Confirmed) -> Redirect | Template:
    api, at = Api(request), f"/platforms/{platform_id}"
    if not form.reason.strip():
        return await _question(request, action, platform_id, form, "Say why: the reason stands in the audit log.")
    if action.takes_name and form.name.strip() != (await api.get(at))["name"].strip():
        return await _question(request, action, platform_id, form, "That is not the partner's name; nothing was done.")
    try:
        await action.do(api, at, form)
    except Refused as error:
        if not error.is_about_the_form:
            raise
        return await _question(request, action, platform_id, form, error.detail)
    return Redirect(f"/partners/{platform_id}", status_code=HTTP_303_SEE_OTHER)


async def _question(
    request: PageRequest,
    action: Action,
    platform_id: str,
    form: Confirmed,
    refused: str | None = None,
) -> Template:
    api, at = Api(request), f"/platforms/{platform_id}"
    platform, etag = await api.see(at)
    impact = await piece(api.get(f"{at}/impact", action=action.name)) if action.impact else Piece(None)
    answer = await page(
        request,
        "confirm.html",
        at="partners",
        same=Same(
            f"GET /api/v1{at}/impact?action={action.name}" if action.impact else f"GET /api/v1{at}",
            f"ocpi-hub {action.command} {platform_id}",
        ),
        action=action,
        platform=platform,
        parties=parties_of(platform["parties"], _MOST_PARTIES),
        impact=impact,
        typed=form,
        seen=etag,
        hours=HOURS,
        refused=refused,
    )
    # Also where the partner refused: a 502 is what proxies put pages of their own in place of.
    answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return answer


HANDLERS: Final = [handler for action in ACTIONS for handler in _handlers(action)]
"""All pages of all actions."""
