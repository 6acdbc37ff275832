"""Adding a partner: one that is invited, and one that the hub calls."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery
from litestar.response import Redirect, Template

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.connecting import called
from hub.console.frame import Same, page
from hub.console.invitation_form import FACES, LABELS, WE_CALL, NewPartner, faults_of, read
from hub.console.onboarding import invited_page
from hub.operator.roles import FOR_OPERATORS
from routing.vocabulary import Role, Version

_COMMANDS: Final = {
    False: Same("POST /api/v1/platforms", "ocpi-hub platform add"),
    True: Same("POST /api/v1/platforms/{id}/connect", "ocpi-hub platform connect ID VERSIONS_URL"),
}


@get("/partners/new", opt=FOR_OPERATORS, include_in_schema=False)
async def show_form(request: PageRequest, way: FromQuery[str] = "") -> Template:
    """The form."""
    return await _form(request, NewPartner(way=way), {})


@post("/partners/new", opt=FOR_OPERATORS, include_in_schema=False, status_code=HTTPStatus.CREATED)
async def create(
    request: PageRequest, data: Annotated[NewPartner, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> Template | Redirect:
    """Invite, and show the token in this answer and in no other; or call the partner."""
    body, faults = read(data)
    if faults:
        return await _form(request, data, faults)
    try:
        made = await Api(request).post("/platforms", body, reason=data.reason)
    except Refused as error:
        if not error.is_about_the_form:
            raise
        return await _form(request, data, faults_of(error.detail, error.faults, data), error.owner)
    if data.way == WE_CALL:
        return await called(request, made["id"], data)
    return await invited_page(request, made, body)


async def _form(request: PageRequest, typed: NewPartner, faults: dict[str, str], owner: Json | None = None) -> Template:
    we_call = typed.way == WE_CALL
    answer = await page(
        request,
        "invite.html",
        at="partners",
        same=_COMMANDS[we_call],
        typed=typed,
        we_call=we_call,
        faults=faults,
        owner=owner,
        labels=LABELS,
        versions=list(Version),
        faces=FACES,
        roles=list(Role),
    )
    answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return answer
