"""Making, changing and ending an agreement: what would come of it is shown before it is done."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

from litestar import get, post
from litestar.datastructures import FormMultiDict
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct

from hub.console.agreements import modules_of
from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.audit import changes_of
from hub.console.frame import Same, page
from hub.console.pieces import piece
from hub.operator.roles import FOR_ADMINS, FOR_AUDITORS, is_allowed

_LINES: Final = 10
_SOME: Final = "some"
_WHY: Final = "Say why: the reason stands in the audit log."


class Typed(Struct, frozen=True):
    """What is in the form."""

    a: str = ""
    b: str = ""
    scope: str = "all"
    """`some`: only the modules."""
    modules: tuple[str, ...] = ()
    direction: str = "both"
    reason: str = ""
    seen: str = ""
    is_confirmed: bool = False

    @property
    def terms(self) -> Json:
        """What the API takes of it when an agreement is changed."""
        return {"modules": list(self.modules) if self.scope == _SOME else None, "direction": self.direction}


@get("/agreements/new", opt=FOR_ADMINS, include_in_schema=False)
async def show_agreement_form(request: PageRequest, a: FromQuery[str] = "", b: FromQuery[str] = "") -> Template:
    """The form."""
    return await _form(request, Typed(a=a, b=b))


@post("/agreements/new", opt=FOR_ADMINS, include_in_schema=False, status_code=HTTPStatus.OK)
async def agree(request: PageRequest) -> Template | Redirect:
    """What would come of it; and once that is confirmed, the agreement."""
    api, typed = Api(request), _typed(await request.form())
    body = {"a": typed.a.strip(), "b": typed.b.strip(), **typed.terms}
    try:
        effect = await api.would("POST", "/agreements", body)
        if not typed.is_confirmed or not typed.reason.strip():
            return await _review(request, "new", typed, effect, None, _WHY if typed.is_confirmed else None)
        made = await api.post("/agreements", body, reason=typed.reason)
    except Refused as error:
        if not error.is_about_the_form:
            raise
        return await _form(request, typed, error.detail)
    return Redirect(f"/agreements/{made['id']}", status_code=HTTP_303_SEE_OTHER)


@get("/agreements/{agreement_id:str}", opt=FOR_AUDITORS, include_in_schema=False)
async def show_agreement(request: PageRequest, agreement_id: FromPath[str]) -> Template:
    """One agreement, and the form that changes it."""
    return await _agreement(request, agreement_id)


@post("/agreements/{agreement_id:str}", opt=FOR_ADMINS, include_in_schema=False, status_code=HTTPStatus.OK)
async def change_agreement(request: PageRequest, agreement_id: FromPath[str]) -> Template | Redirect:
    """What would come of other terms; and once that is confirmed, they hold."""
    api, at, typed = Api(request), f"/agreements/{agreement_id}", _typed(await request.form())
    held, etag = await api.see(at)
    try:
        effect = await api.would("PATCH", at, typed.terms)
    except Refused as error:
        if not error.is_about_the_form:
            raise
        return await _agreement(request, agreement_id, typed, error.detail)
    refused = _WHY if typed.is_confirmed and not typed.reason.strip() else None
    if refused is None:
        try:
            if typed.is_confirmed:
                await api.patch(at, typed.terms, reason=typed.reason, seen=typed.seen)
                return Redirect(f"/agreements/{agreement_id}", status_code=HTTP_303_SEE_OTHER)
            await api.would("PATCH", at, typed.terms, seen=typed.seen)
        except Refused as error:
            if not error.is_about_the_form:
                raise
            refused = error.detail
    return await _review(request, "change", typed, effect, held | {"etag": etag}, refused)


@get("/agreements/{agreement_id:str}/end", opt=FOR_ADMINS, include_in_schema=False)
async def ask_to_end(request: PageRequest, agreement_id: FromPath[str]) -> Template:
    """What would come of its end."""
    return await _ending(request, agreement_id, Typed())


@post("/agreements/{agreement_id:str}/end", opt=FOR_ADMINS, include_in_schema=False, status_code=HTTPStatus.OK)
async def end_agreement(request: PageRequest, agreement_id: FromPath[str]) -> Template | Redirect:
    """End it."""
    typed = _typed(await request.form())
    if not typed.reason.strip():
        return await _ending(request, agreement_id, typed, _WHY)
    try:
        await Api(request).delete(f"/agreements/{agreement_id}", reason=typed.reason, seen=typed.seen)
    except Refused as error:
        if not error.is_outdated:
            raise
        return await _ending(request, agreement_id, typed, error.detail)
    return Redirect("/agreements", status_code=HTTP_303_SEE_OTHER)


def _typed(form: FormMultiDict) -> Typed:
    texts = {name: str(form.get(name, "")) for name in ("a", "b", "scope", "direction", "reason", "seen")}
    modules = tuple(str(each) for each in form.getall("modules", []))
    return Typed(**texts, modules=modules, is_confirmed=form.get("confirmed") == "yes")


async def _ending(request: PageRequest, agreement_id: str, typed: Typed, refused: str | None = None) -> Template:
    api, at = Api(request), f"/agreements/{agreement_id}"
    (held, etag), effect = await asyncio.gather(api.see(at), api.would("DELETE", at))
    return await _review(request, "end", typed, effect, held | {"etag": etag}, refused)


async def _agreement(
    request: PageRequest, agreement_id: str, typed: Typed | None = None, refused: str | None = None
) -> Template:
    api, at = Api(request), f"/agreements/{agreement_id}"
    (held, etag), history, settings = await asyncio.gather(
        api.see(at), piece(api.get("/audit", object=agreement_id, limit=_LINES)), api.get("/settings")
    )
    is_some = held["modules"] is not None
    shown = typed or Typed(
        scope=_SOME if is_some else "all", modules=tuple(held["modules"] or ()), direction=held["direction"]
    )
    return await _page(
        request,
        "agreement.html",
        Same(f"GET /api/v1{at}", "ocpi-hub agreement list"),
        refused,
        agreement=held,
        typed=shown,
        seen=etag,
        modules=_offered(settings, held["modules"]),
        history=history,
        lines=[{**line, "changes": changes_of(line)} for line in history.items()],
        may_agree=is_allowed(request.auth, FOR_ADMINS),
    )


async def _form(request: PageRequest, typed: Typed, refused: str | None = None) -> Template:
    api = Api(request)
    parties, settings = await asyncio.gather(piece(api.get("/parties", limit=200)), api.get("/settings"))
    return await _page(
        request,
        "agreement_new.html",
        Same("POST /api/v1/agreements", "ocpi-hub agreement add NL*ABC DE*XYZ"),
        refused,
        typed=typed,
        parties=sorted({each["id"] for each in parties.items()}),
        modules=_offered(settings, typed.modules),
    )


async def _review(
    request: PageRequest, step: str, typed: Typed, effect: Json, held: Json | None, refused: str | None
) -> Template:
    at = "/agreements" if held is None else f"/agreements/{held['id']}"
    method, command = {
        "new": ("POST", f"add {effect['a']} {effect['b']}"),
        "change": ("PATCH", "list"),
        "end": ("DELETE", f"remove {held and held['id']}"),
    }[step]
    dry = "" if step == "change" else " --dry-run"
    return await _page(
        request,
        "agreement_review.html",
        Same(f"{method} /api/v1{at}?dry_run=true", f"ocpi-hub agreement {command}{dry}"),
        refused,
        step=step,
        typed=typed,
        effect=effect,
        held=held,
        address={"new": "/agreements/new", "change": at, "end": f"{at}/end"}[step],
        back="/agreements/new" if held is None else at,
    )


def _offered(settings: Json, chosen: Any) -> list[str]:  # noqa: ANN401 - a list or nothing
    """The modules to choose from: those of all versions, and custom ones that were agreed on."""
    return sorted({*modules_of(settings), *(chosen or ())})


async def _page(request: PageRequest, name: str, same: Same, refused: str | None, **values: Any) -> Template:  # noqa: ANN401 - whatever the template shows
    answer = await page(request, name, at="agreements", same=same, refused=refused, **values)
    answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return answer
