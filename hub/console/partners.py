"""Who is connected, and how they are doing."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlencode

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.charts import spark
from hub.console.frame import Same, page
from hub.console.partner_words import odd_settings, parties_of
from hub.operator.roles import FOR_OPERATORS, FOR_PARTNERS, is_allowed
from routing.vocabulary import ConnectionStatus, Role, Version

_ROWS: Final = 50
_WORST: Final = "worst"
_SORTS: Final = {
    "name": "name",
    "status": "status",
    "version": "version",
    "messages": "-messages",
    "ok_share": "ok_share",
    "p95_ms": "-p95_ms",
    "token_age": "-token_age",
    "last_seen": "-last_seen",
}
"""By which columns the list can be sorted, and which way first."""


@get("/partners", opt=FOR_PARTNERS, include_in_schema=False)
async def show_partners(
    request: PageRequest,
    status: FromQuery[str] = "",
    role: FromQuery[str] = "",
    version: FromQuery[str] = "",
    name: FromQuery[str] = "",
    sort: FromQuery[str] = _WORST,
    cursor: FromQuery[str] = "",
) -> Template:
    """The list, the worst first."""
    api = Api(request)
    chosen = {"status": status, "role": role, "version": version, "name": name.strip(), "sort": sort}
    asked = {"status": status, "role": role, "version": version, "q": chosen["name"], "sort": sort or _WORST}
    found, refused, catalogue = await _found(api, asked, cursor)
    more = None if found is None else found["next_cursor"]
    query = urlencode({name: value for name, value in asked.items() if value} | {"limit": _ROWS})
    return await page(
        request,
        "partners.html",
        at="partners",
        same=Same(f"GET /api/v1/platforms?{query}", "ocpi-hub platform list"),
        found=found,
        refused=refused,
        rows=[] if found is None else [_row(each, catalogue) for each in found["items"]],
        chosen=chosen,
        is_filtered=any(chosen[each] for each in ("status", "role", "version", "name")),
        statuses=list(ConnectionStatus),
        roles=list(Role),
        versions=list(Version),
        links={each: _link({**chosen, "status": each}) for each in ("", *ConnectionStatus)},
        sorts={column: _link({**chosen, "sort": _turned(column, sort)}) for column in _SORTS},
        sorted_by=sort.removeprefix("-"),
        goes_down=sort.startswith("-"),
        is_later=bool(cursor),
        first_page=_link(chosen),
        next_page=_link({**chosen, "cursor": more}) if more else None,
        may_invite=is_allowed(request.auth, FOR_OPERATORS),
    )


async def _found(api: Api, asked: dict[str, str], cursor: str) -> tuple[Json | None, str | None, list[Json]]:
    """The list, or why there is none; and the catalogue of settings, as far as it is for the reader."""

    async def catalogue() -> list[Json]:
        try:
            return list((await api.get("/quirks"))["items"])
        except Refused:
            return []

    async def platforms() -> tuple[Json | None, str | None]:
        try:
            return await api.get("/platforms", **asked, limit=_ROWS, cursor=cursor), None
        except Refused as error:
            return None, error.detail

    (found, refused), known = await asyncio.gather(platforms(), catalogue())
    return found, refused, known


def _row(platform: Json, catalogue: list[Json]) -> Json:
    health = platform["health"]
    return platform | {
        "shown_parties": parties_of(platform["parties"]),
        "behind": sum(each["reachable_via"] is not None for each in platform["parties"]),
        "odd": len(odd_settings(platform["settings"], catalogue)),
        "spark": None if health is None else spark(health["spark"]),
    }


def _turned(column: str, sort: str) -> str:
    """How the list is sorted after a click on a column: the other way, when it is already sorted by it."""
    first = _SORTS[column]
    if sort != first:
        return first
    return first.removeprefix("-") if first.startswith("-") else f"-{first}"


def _link(query: dict[str, str]) -> str:
    given = {name: value for name, value in query.items() if value and (name, value) != ("sort", _WORST)}
    return f"/partners?{urlencode(given)}" if given else "/partners"
