"""Who may use the operator API and the console: giving tokens to people and programs, and taking them away."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.invitation_form import moment_of
from hub.operator.roles import FOR_ADMINS, OperatorRole

_LABELS: Final = {"name": "Name", "role": "Role", "platform": "Partner", "expires_at": "It ends, in UTC"}
_MAY: Final = {
    OperatorRole.PARTNER: "sees the own side of one partner",
    OperatorRole.AUDITOR: "reads everything but bodies",
    OperatorRole.OPERATOR: "also works with partners",
    OperatorRole.ADMIN: "also removes, agrees and gives tokens",
}


class NewToken(Struct, frozen=True):
    """The form."""

    name: str = ""
    role: str = OperatorRole.OPERATOR.value
    platform: str = ""
    expires_at: str = ""
    reason: str = ""


class Taken(Struct, frozen=True):
    """The form of the question whether to take a token away."""

    reason: str = ""


@get("/tokens/new", opt=FOR_ADMINS, include_in_schema=False)
async def show_token_form(request: PageRequest) -> Template:
    """The form."""
    return await _form(request, NewToken(), {})


@post("/tokens/new", opt=FOR_ADMINS, include_in_schema=False, status_code=HTTPStatus.CREATED)
async def create_token(
    request: PageRequest, data: Annotated[NewToken, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> Template:
    """Give somebody a token, which is in this answer and in no other."""
    body: Json = {"name": data.name.strip(), "role": data.role}
    if data.platform.strip():
        body["platform"] = data.platform.strip()
    if data.expires_at:
        body["expires_at"] = moment_of(data.expires_at)
    if not data.reason.strip():
        return await _form(request, data, {"why": "Say why: the reason stands in the audit log."})
    try:
        made = await Api(request).post("/tokens", body, reason=data.reason)
    except Refused as error:
        if not (error.is_about_the_form or error.status == HTTPStatus.NOT_FOUND):
            raise
        return await _form(request, data, _faults(error, data))
    return await _page(request, "token_made.html", made=made)


@get("/tokens/{token_id:str}/remove", opt=FOR_ADMINS, include_in_schema=False)
async def ask_to_remove_token(request: PageRequest, token_id: FromPath[str]) -> Template:
    """Whether to take it away."""
    return await _question(request, token_id, "")


@post("/tokens/{token_id:str}/remove", opt=FOR_ADMINS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def remove_token(
    request: PageRequest,
    token_id: FromPath[str],
    data: Annotated[Taken, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Redirect | Template:
    """Take it away."""
    if not data.reason.strip():
        return await _question(request, token_id, data.reason, "Say why: the reason stands in the audit log.")
    await Api(request).delete(f"/tokens/{token_id}", reason=data.reason)
    return Redirect("/settings#tokens", status_code=HTTP_303_SEE_OTHER)


def _faults(error: Refused, form: NewToken) -> dict[str, str]:
    """What the API refused, by field; under no name what is about none of them."""
    found = {key: message for key, message in error.faults.items() if key in _LABELS}
    if found:
        return found
    about = "platform" if form.platform and error.status == HTTPStatus.NOT_FOUND else error.detail.partition(" ")[0]
    return {about if about in _LABELS else "": error.detail}


async def _form(request: PageRequest, typed: NewToken, faults: dict[str, str]) -> Template:
    return await _page(
        request,
        "token_new.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
        typed=typed,
        faults=faults,
        labels=_LABELS,
        roles=[(str(role), may) for role, may in _MAY.items()],
    )


async def _question(request: PageRequest, token_id: str, reason: str, refused: str | None = None) -> Template:
    return await _page(
        request,
        "token_remove.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
        token=await Api(request).get(f"/tokens/{token_id}"),
        reason=reason,
        refused=refused,
    )


async def _page(request: PageRequest, name: str, status: int | None = None, **values: Any) -> Template:  # noqa: ANN401 - whatever the template shows
    answer = await page(request, name, at="settings", same=Same("GET /api/v1/tokens", "ocpi-hub token list"), **values)
    answer.status_code = status
    return answer
