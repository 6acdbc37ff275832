"""Inviting a partner: a form, and once the key for it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Template

from hub.console.api import Api, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.invitation_form import LABELS, NewPartner, faults_of, read
from hub.console.onboarding import invited_page
from hub.operator.roles import FOR_OPERATORS
from routing.vocabulary import Role, Version

_FACES: Final = ("CPO", "EMSP")


@get("/partners/new", opt=FOR_OPERATORS, include_in_schema=False)
async def show_form(request: PageRequest) -> Template:
    """The form."""
    return await _form(request, NewPartner(), {})


@post("/partners/new", opt=FOR_OPERATORS, include_in_schema=False, status_code=HTTPStatus.CREATED)
async def create(
    request: PageRequest, data: Annotated[NewPartner, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> Template:
    """Invite, and show the token in this answer and in no other."""
    body, faults = read(data)
    if faults:
        return await _form(request, data, faults)
    try:
        made = await Api(request).post("/platforms", body, reason=data.reason)
    except Refused as error:
        if not error.is_about_the_form:
            raise
        return await _form(request, data, faults_of(error.detail, error.faults, data))
    return await invited_page(request, made, body)


async def _form(request: PageRequest, typed: NewPartner, faults: dict[str, str]) -> Template:
    answer = await page(
        request,
        "invite.html",
        at="partners",
        same=Same("POST /api/v1/platforms", "ocpi-hub platform add"),
        typed=typed,
        faults=faults,
        labels=LABELS,
        versions=list(Version),
        faces=_FACES,
        roles=list(Role),
    )
    answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return answer
