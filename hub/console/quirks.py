"""Changing what is odd about a partner: a form, a page that says what it will do, and then it is done."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct

from hub.console.api import Api, Json, PageRequest, Refused, Seen
from hub.console.frame import Same, page
from hub.console.pieces import piece
from hub.console.quirk_form import begins_late, decoded, encoded, fault_of, fields_of, read, rows_of, typed_in
from hub.operator.roles import FOR_OPERATORS


class Reviewed(Struct, frozen=True):
    """The form of the review. The values are JSON."""

    change: str = ""
    was: str = ""
    seen: str = ""
    reason: str = ""


class Review(Struct, frozen=True):
    """What is to be changed, and what somebody saw before."""

    change: Json
    was: Json
    reason: str = ""


@get("/partners/{platform_id:str}/quirks", opt=FOR_OPERATORS, include_in_schema=False)
async def show_quirks(request: PageRequest, platform_id: FromPath[str]) -> Template:
    """The form."""
    return await _form(request, await Api(request).see(f"/platforms/{platform_id}"))


@post("/partners/{platform_id:str}/quirks", opt=FOR_OPERATORS, include_in_schema=False, status_code=HTTPStatus.OK)
async def review_quirks(request: PageRequest, platform_id: FromPath[str]) -> Template:
    """What was typed, beside what is there. Nothing is changed yet."""
    api, at, form = Api(request), f"/platforms/{platform_id}", await request.form()
    typed, was = typed_in(form), decoded(form.get("was"))
    catalogue = (await api.get("/quirks"))["items"]
    platform = await api.see(at)
    change = read(typed, was, catalogue)
    if not change:
        return await _form(request, platform, typed, "Nothing is different from what it was.")
    try:
        await api.would("PATCH", at, {"settings": change})
    except Refused as error:
        if not error.is_about_the_form:
            raise
        return await _form(request, platform, typed, error.detail)
    said = await _outdated(api, at, change, str(form.get("seen", "")))
    return await _review(request, platform, Review(change, {name: was[name] for name in change}), said)


@post(
    "/partners/{platform_id:str}/quirks/save",
    opt=FOR_OPERATORS,
    include_in_schema=False,
    status_code=HTTPStatus.SEE_OTHER,
)
async def save_quirks(
    request: PageRequest,
    platform_id: FromPath[str],
    data: Annotated[Reviewed, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Redirect | Template:
    """Change them, if they still are what the review showed."""
    api, at = Api(request), f"/platforms/{platform_id}"
    review = Review(decoded(data.change), decoded(data.was), data.reason)
    if not data.reason.strip():
        said = "Say why: the reason stands in the audit log."
        return await _review(request, Seen((await api.get(at)), data.seen), review, said)
    try:
        await api.patch(at, {"settings": review.change}, reason=data.reason, seen=data.seen)
    except Refused as error:
        if not error.is_about_the_form:
            raise
        return await _review(request, await api.see(at), review, error.detail)
    return Redirect(f"/partners/{platform_id}#quirks", status_code=HTTP_303_SEE_OTHER)


async def _outdated(api: Api, at: str, change: Json, seen: str) -> str | None:
    """Who changed the partner since the form was opened; None when nobody did."""
    try:
        await api.would("PATCH", at, {"settings": change}, seen=seen)
    except Refused as error:
        return error.detail
    return None


async def _form(
    request: PageRequest, platform: Seen, typed: dict[str, str] | None = None, refused: str | None = None
) -> Template:
    api, at = Api(request), f"/platforms/{platform.found['id']}"
    catalogue, sights = await asyncio.gather(api.get("/quirks"), piece(api.get(f"{at}/quirks")))
    settings = platform.found["settings"]
    faults = fault_of(refused or "")
    seen = {each["id"]: each["seen"] for each in sights.items()}
    return await _page(
        request,
        "quirks.html",
        platform,
        refused,
        call=f"GET /api/v1{at}/quirks, PATCH /api/v1{at}",
        fields=fields_of(settings, catalogue["items"], typed, faults, seen),
        not_seen_because=sights.refused,
        counted_since=sights.found and begins_late(sights.found["covers"], datetime.now(UTC)),
        was=encoded(settings),
        is_refused_whole=refused is not None and not faults,
    )


async def _review(request: PageRequest, platform: Seen, review: Review, refused: str | None) -> Template:
    catalogue = (await Api(request).get("/quirks"))["items"]
    rows = rows_of(review.change, review.was, platform.found["settings"], catalogue)
    return await _page(
        request,
        "quirks_review.html",
        platform,
        refused,
        call=f"PATCH /api/v1/platforms/{platform.found['id']}",
        rows=rows,
        change=encoded(review.change),
        was=encoded(review.was),
        reason=review.reason,
    )


async def _page(
    request: PageRequest,
    name: str,
    platform: Seen,
    refused: str | None,
    *,
    call: str,
    **values: Any,  # noqa: ANN401 - whatever the template shows
) -> Template:
    answer = await page(
        request,
        name,
        at="partners",
        same=Same(call, f"ocpi-hub platform set {platform.found['id']} KEY=VALUE"),
        platform=platform.found,
        seen=platform.etag,
        refused=refused,
        **values,
    )
    answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return answer
