"""How a partner gets along with its registration, while it tries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Final

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template
from msgspec import Struct

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.invitation_form import FACES, Called
from hub.console.onboarding_words import asked_url, heading, invitation_mail, mail, we_call
from hub.console.partner_words import parties_of
from hub.console.pieces import piece
from hub.console.remedies import undelivered
from hub.console.shell_blocks import INVITED_PLACE, Blocks, blocks
from hub.console.troubles import troubles_of, worst_first
from hub.operator.roles import FOR_OPERATORS, FOR_PARTNERS, is_allowed
from routing.vocabulary import ConnectionStatus, Version

_MOST_PARTIES: Final = 20
_WHILE_AWAITED_S: Final = 2
_LATER_S: Final = 15


class AnotherToken(Struct, frozen=True):
    """The form."""

    reason: str = ""
    face: str = ""
    """Of a partner that has no invitation, which would say it."""


@get("/partners/{platform_id:str}/registration", opt=FOR_PARTNERS, include_in_schema=False)
async def show_registration(request: PageRequest, platform_id: FromPath[str]) -> Template:
    """The page."""
    return await registration_page(request, platform_id)


@post(
    "/partners/{platform_id:str}/registration",
    opt=FOR_OPERATORS,
    include_in_schema=False,
    status_code=HTTPStatus.CREATED,
)
async def invite_again(
    request: PageRequest,
    platform_id: FromPath[str],
    data: Annotated[AnotherToken, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template:
    """Make a new token, and show it in this answer and in no other."""
    if not data.reason.strip():
        why = "Say why: the reason stands in the audit log."
        return await registration_page(request, platform_id, why, face=data.face)
    api, at = Api(request), f"/platforms/{platform_id}"
    platform = await api.get(at)
    face = next((each["face"] for each in platform["invitations"]), data.face or None)
    try:
        made = await api.post(f"{at}/invite", {"face": face}, reason=data.reason)
    except Refused as error:
        return await registration_page(request, platform_id, error.detail, face=data.face)
    return await invited_page(request, {**made, "id": platform_id, "name": platform["name"]}, _asked(platform, face))


async def invited_page(request: PageRequest, made: Json, asked: Json) -> Template:
    """A new token, and what its partner's engineer does with it."""
    named = [{**each, "id": f"{each['country_code']}*{each['party_id']}"} for each in asked["parties"]]
    return await page(
        request,
        "invited.html",
        at="partners",
        same=Same("POST /api/v1/platforms", "ocpi-hub platform add"),
        made=made,
        asked=asked,
        parties=parties_of(named, _MOST_PARTIES),
        blocks=_blocks(made, asked, made["token_a"]),
        mail=_invitation_mail(made, asked),
    )


def _blocks(made: Json, asked: Json, token: str = INVITED_PLACE) -> Blocks:
    version, face = asked.get("version"), asked.get("face")
    return blocks(made["versions_url"], token, made["name"], asked["parties"], version, face)


def _invitation_mail(made: Json, asked: Json) -> str:
    return invitation_mail(made["versions_url"], asked, _blocks(made, asked))


def _asked(platform: Json, face: str | None) -> Json:
    """What the invitation is for, as the form has it."""
    parties = [
        {"country_code": each["country_code"], "party_id": each["party_id"], "role": each["role"]}
        for each in platform["parties"]
    ]
    asked: Json = {"parties": parties, "require_modules": platform["require_modules"]}
    known = {"version": platform["version"], "face": face}
    return asked | {name: value for name, value in known.items() if value is not None}


async def registration_page(
    request: PageRequest,
    platform_id: str,
    refused: str | None = None,
    *,
    face: str | None = None,
    typed: Called | None = None,
    faults: dict[str, str] | None = None,
    owner: Json | None = None,
) -> Template:
    """How far a partner is; with what was typed to call or to invite it, and what is wrong with that."""
    api, at = Api(request), f"/platforms/{platform_id}"
    platform, view, events = await asyncio.gather(
        api.get(at),
        api.get(f"{at}/registration"),
        piece(api.get("/events", platform=platform_id, state="open")),
    )
    is_registered, is_invited = bool(platform["connections"]), bool(view["invitations"])
    said_of_now = _wrong_now(platform, events.items())
    is_operator = is_allowed(request.auth, FOR_OPERATORS)
    may_join = is_operator and not platform["suspended"] and (is_invited or not is_registered)
    invitation = next(iter(platform["invitations"]), None)
    asked = _asked(platform, invitation and invitation["face"])
    answer = await page(
        request,
        "onboarding.html",
        at="partners",
        same=Same(f"GET /api/v1{at}/registration", f"ocpi-hub platform registration {platform_id}"),
        platform=platform,
        parties=parties_of(platform["parties"], _MOST_PARTIES),
        view=view,
        heading=heading(view, is_registered=is_registered, said_of_now=said_of_now),
        said_of_now=said_of_now,
        troubles=_troubles(events.items()),
        is_done=is_registered and not is_invited,
        we_call=we_call(view, is_registered=is_registered),
        mail=mail(view, "our hub"),
        blocks=_blocks(view, asked) if is_invited else None,
        invitation_mail=_invitation_mail(view, asked) if is_invited else None,
        every_s=_WHILE_AWAITED_S if is_invited or not is_registered else _LATER_S,
        is_operator=is_operator,
        may_invite=may_join,
        may_call=may_join,
        face=_face_of(platform, view) if face is None else face,
        typed=typed or Called(versions_url=asked_url(view) or ""),
        faces=FACES,
        faults=faults or {},
        owner=owner,
        refused=refused,
    )
    answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if refused or faults else HTTPStatus.OK
    return answer


def _troubles(events: Sequence[Json]) -> list[Json]:
    """Why who is registered takes no messages, the cause alone."""
    causes = (each.event for each in worst_first(troubles_of(events)))
    return [dict(each) for each in causes if undelivered(each) is not None]


def _wrong_now(platform: Json, events: Sequence[Json]) -> str | None:
    if platform["status"] == ConnectionStatus.SUSPENDED:
        return "suspended now"
    if platform["status"] == ConnectionStatus.OFFLINE:
        return "offline now"
    return "takes no messages now" if _troubles(events) else None


def _face_of(platform: Json, view: Json) -> str:
    """The role of a partner whose version cannot say it, as far as it is known."""
    steps = (step for attempt in view["attempts"][:1] for step in attempt["steps"])
    versions = {platform["version"], *(step["version"] for step in steps)}
    roles = {each["role"] for each in platform["parties"]} & set(FACES)
    return roles.pop() if Version.V2_1_1 in versions and len(roles) == 1 else ""
