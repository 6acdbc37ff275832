"""What does this partner believe about all others?"""

from __future__ import annotations

import shlex
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from litestar import get
from litestar.params import FromQuery
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.pieces import piece
from hub.operator.roles import FOR_PARTNERS

_ROWS: Final = 50
_PARTNERS: Final = 50


@get("/client-info", opt=FOR_PARTNERS, include_in_schema=False)
async def show_client_info(
    request: PageRequest, name: FromQuery[str] = "", party: FromQuery[str] = "", cursor: FromQuery[str] = ""
) -> Template | Redirect:
    """The list as one partner gets it; without a partner, the choice of one."""
    seen_as = request.query_params.get("as", "").strip() or request.auth.only_platform
    if not seen_as:
        return await _choice(request, name.strip())
    asked = {"as": seen_as, "party": party.strip()}
    found, refused = await _found(Api(request), asked, cursor)
    more = found["next_cursor"]
    return await page(
        request,
        "client_info.html",
        at="client-info",
        same=_same({"as": seen_as} if refused else asked),
        found=found,
        refused=refused,
        headline=_headline(found, "" if refused else asked["party"]),
        chosen=asked,
        may_choose=request.auth.only_platform is None,
        first_page=_url(asked) if cursor else None,
        next_page=_url({**asked, "cursor": more}) if more and not refused else None,
    )


async def _found(api: Api, asked: dict[str, str], cursor: str) -> tuple[Json, str | None]:
    """The list; and what is wrong with what somebody typed, beside all of it."""
    try:
        return await api.get("/client-info", **asked, limit=_ROWS, cursor=cursor), None
    except Refused as error:
        if error.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
            raise
        return await api.get("/client-info", **{"as": asked["as"]}, limit=_ROWS), error.detail


async def _choice(request: PageRequest, name: str) -> Template | Redirect:
    found = await piece(Api(request).get("/platforms", q=name, sort="name", limit=_PARTNERS))
    partners = found.items()
    if name and len(partners) == 1:
        return Redirect(_url({"as": partners[0]["id"]}), status_code=HTTP_303_SEE_OTHER)
    return await page(
        request,
        "client_info_choice.html",
        at="client-info",
        same=Same("GET /api/v1/client-info?as={platform id}", "ocpi-hub client-info --as ID"),
        found=found,
        partners=partners,
        chosen=name,
    )


def _headline(found: Json, party: str) -> str:
    missed = len(found["missed"])
    if missed:
        return f"{missed} of the last pushes did not arrive"
    if found["version"] is None:
        return "It gets no list"
    if party:
        return "What it sees of this party" if found["items"] else "It does not see this party"
    total = found["total"]
    return f"Its list has {total:,} line{'s' if total != 1 else ''}" if total else "It sees nobody"


def _same(asked: dict[str, str]) -> Same:
    given = {name: text for name, text in asked.items() if text}
    options = " ".join(f"--{name} {shlex.quote(text)}" for name, text in given.items())
    return Same(f"GET /api/v1/client-info?{_query(given)}", f"ocpi-hub client-info {options}")


def _url(named: dict[str, str]) -> str:
    return f"/client-info?{_query({name: text for name, text in named.items() if text})}"


def _query(given: dict[str, str]) -> str:
    return urlencode(given, quote_via=quote, safe="*")
