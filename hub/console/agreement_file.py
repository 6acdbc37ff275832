"""Taking over the agreements of a CSV file: first what would become of it, then it is done."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from litestar import get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.operator.roles import FOR_ADMINS

_CSV: Final = "text/csv"
_SHOWN: Final = 20


@get("/agreements/import", opt=FOR_ADMINS, include_in_schema=False)
async def show_import(request: PageRequest) -> Template:
    """The form."""
    return await _page(request, "agreement_file.html", text="", is_replacing=False, faults={}, more=0)


@post("/agreements/import", opt=FOR_ADMINS, include_in_schema=False, status_code=HTTPStatus.OK)
async def import_agreements(request: PageRequest) -> Template | Redirect:
    """What would become of the agreements; and once that is confirmed, it does."""
    api, form = Api(request), await request.form()
    content = await _content(form)
    replace, reason = str(bool(form.get("replace"))).lower(), str(form.get("reason", ""))
    is_confirmed = form.get("confirmed") == "yes"
    try:
        if is_confirmed and reason.strip():
            await api.upload("/agreements/import", content, _CSV, replace=replace, reason=reason)
            return Redirect("/agreements", status_code=HTTP_303_SEE_OTHER)
        effect = await api.upload("/agreements/import", content, _CSV, replace=replace, dry_run="true")
    except Refused as error:
        if not error.is_about_the_form:
            raise
        return await _refused(request, content, error, is_replacing=replace == "true")
    return await _page(
        request,
        "agreement_file_review.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if is_confirmed else HTTPStatus.OK,
        effect=effect,
        text=content.decode(),
        is_replacing=replace == "true",
        reason=reason,
        refused="Say why: the reason stands in the audit log." if is_confirmed else None,
    )


async def _refused(request: PageRequest, content: bytes, error: Refused, *, is_replacing: bool) -> Template:
    faults = dict(list(error.faults.items())[:_SHOWN]) or {"": error.detail}
    return await _page(
        request,
        "agreement_file.html",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        text=content.decode(errors="replace"),
        is_replacing=is_replacing,
        faults=faults,
        more=max(len(error.faults) - _SHOWN, 0),
    )


async def _content(form: FormMultiDict) -> bytes:
    """Of the file, or where there is none, of the text."""
    file = form.get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    return content or str(form.get("text", "")).encode()


async def _page(request: PageRequest, name: str, status: int | None = None, **values: Any) -> Template:  # noqa: ANN401 - whatever the template shows
    same: Json = {
        "call": "POST /api/v1/agreements/import?dry_run=true",
        "command": "ocpi-hub agreement import FILE --dry-run",
    }
    answer = await page(request, name, at="agreements", same=Same(**same), **values)
    answer.status_code = status
    return answer
