"""Registering the hub at a partner that gave a URL and a token."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from litestar import post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER

from hub.console.api import Api, PageRequest, Refused
from hub.console.invitation_form import Called, faults_of_call, faults_of_refused_call
from hub.console.onboarding import registration_page
from hub.operator.roles import FOR_OPERATORS


@post(
    "/partners/{platform_id:str}/connect",
    opt=FOR_OPERATORS,
    include_in_schema=False,
    status_code=HTTPStatus.SEE_OTHER,
)
async def connect(
    request: PageRequest,
    platform_id: FromPath[str],
    data: Annotated[Called, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Redirect | Template:
    """Call a partner that is known already."""
    return await called(request, platform_id, data)


async def called(request: PageRequest, platform_id: str, typed: Called) -> Redirect | Template:
    """Call a partner. The page of its registration says how that went."""
    at = f"/platforms/{platform_id}"
    if faults := faults_of_call(typed):
        return await registration_page(request, platform_id, typed=typed, faults=faults)
    try:
        await Api(request).post(f"{at}/connect", typed.body, reason=typed.reason)
    except Refused as error:
        if not error.is_about_the_form:
            raise
        if error.status == HTTPStatus.BAD_GATEWAY:
            faults = {"": error.detail}
        else:
            faults = faults_of_refused_call(error.detail, error.faults)
        return await registration_page(request, platform_id, typed=typed, faults=faults, owner=error.owner)
    return Redirect(f"/partners/{platform_id}/registration", status_code=HTTP_303_SEE_OTHER)
