"""Who changed or looked at what."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template
from msgspec import Struct

from hub.console.api import Api, Json, PageRequest
from hub.console.frame import Same, page
from hub.operator.roles import FOR_AUDITORS, FOR_PARTNERS, is_allowed

_ROWS = 50


class Change(Struct, frozen=True):
    """What was different afterwards."""

    name: str
    before: Any
    after: Any


@get("/audit", opt=FOR_PARTNERS, include_in_schema=False)
async def show_audit(
    request: PageRequest,
    actor: FromQuery[str] = "",
    action: FromQuery[str] = "",
    object: FromQuery[str] = "",  # noqa: A002 - the name of the query parameter
    cursor: FromQuery[str] = "",
    verify: FromQuery[str] = "",
) -> Template:
    """The log, the newest first."""
    api, chosen = Api(request), {"actor": actor, "action": action, "object": object}
    found = await api.get("/audit", **chosen, limit=_ROWS, cursor=cursor)
    may_verify = verify and is_allowed(request.auth, FOR_AUDITORS)
    more = found["next_cursor"]
    return await page(
        request,
        "audit.html",
        at="audit",
        same=Same("GET /api/v1/audit", "ocpi-hub audit list"),
        lines=[{**line, "changes": changes_of(line)} for line in found["items"]],
        chosen=chosen,
        verification=await api.get("/audit/verification") if may_verify else None,
        next_page=f"/audit?{urlencode({**_given(chosen), 'cursor': more})}" if more else None,
    )


def _given(chosen: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if value}


def changes_of(line: Json) -> list[Change]:
    """What a line of the log says was different afterwards."""
    before, after = line["before"] or {}, line["after"] or {}
    names = [*before, *(name for name in after if name not in before)]
    return [Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]
