"""Who may talk to whom about what."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromQuery
from litestar.response import Template

from hub.console.agreement_words import MOST_PARTIES, headline, matrix_of, messages_between, tried
from hub.console.api import Api, Json, PageRequest
from hub.console.frame import Same, page
from hub.console.pieces import piece
from hub.console.who_is_meant import Unknown, which_party
from hub.operator.roles import FOR_ADMINS, FOR_AUDITORS, is_allowed

_ROWS: Final = 25
_AT_ONCE: Final = 200
_MOST: Final = 600
"""Agreements that the matrix has room for."""


@get("/agreements", opt=FOR_AUDITORS, include_in_schema=False)
async def show_agreements(request: PageRequest, party: FromQuery[str] = "", cursor: FromQuery[str] = "") -> Template:
    """The matrix, where it is not too large, and the list."""
    api, may_agree = Api(request), is_allowed(request.auth, FOR_ADMINS)
    chosen, nobody = await _party(api, party.strip())
    found, (every, is_more), cpos, emsps, traffic, settings = await asyncio.gather(
        _some(api, chosen, cursor) if nobody is None else _none(),
        _all(api),
        piece(api.get("/parties", role="CPO", limit=MOST_PARTIES)),
        piece(api.get("/parties", role="EMSP", limit=MOST_PARTIES)),
        piece(api.get("/traffic/matrix", window="7d", top=MOST_PARTIES)),
        api.get("/settings"),
    )
    is_required = is_required_by(settings)
    cells = (traffic.found or {}).get("cells", [])
    is_whole = not chosen and not cursor and not is_more
    is_whole = is_whole and not any((side.found or {}).get("next_cursor") for side in (cpos, emsps))
    more = found["next_cursor"]
    query = urlencode({name: value for name, value in (("party", chosen), ("cursor", more or "")) if value})
    return await page(
        request,
        "agreements.html",
        at="agreements",
        same=Same("GET /api/v1/agreements", f"ocpi-hub agreement list{f' --party {chosen}' if chosen else ''}"),
        headline=headline(len(every), is_required=is_required, is_more=is_more),
        is_required=is_required,
        matrix=matrix_of(
            [*cpos.items(), *emsps.items()],
            every,
            cells,
            modules=len(modules_of(settings)),
            is_required=is_required,
            may_agree=may_agree,
        )
        if is_whole
        else None,
        names=_names([*cpos.items(), *emsps.items()], [*every, *found["items"]]),
        tried=tried(cells) if is_whole else [],
        rows=[
            {**each, "messages": traffic.found and messages_between(each["a"], each["b"], traffic.found)}
            for each in found["items"]
        ],
        chosen=chosen,
        nobody=nobody,
        next_page=f"/agreements?{query}" if more else None,
        may_agree=may_agree,
    )


@get("/agreements.csv", opt=FOR_AUDITORS, include_in_schema=False)
async def export_agreements(request: PageRequest) -> Response[bytes]:
    """All of them as a file."""
    headers = {"Content-Disposition": 'attachment; filename="agreements.csv"'}
    return Response(await Api(request).file("/agreements.csv"), media_type="text/csv; charset=utf-8", headers=headers)


def is_required_by(settings: Json) -> bool:
    """Whether nobody may send anything without an agreement."""
    return any(each["id"] == "HUB_AGREEMENTS" and each["value"] == "required" for each in settings["items"])


def modules_of(settings: Json) -> list[str]:
    """Every module that messages are routed in, in whatever version."""
    return sorted({module for each in settings["ocpi"] for module in each["modules"]})


def _names(parties: list[Json], agreements: list[Json]) -> dict[str, str]:
    """What the partners are called here, or else what parties say of themselves."""
    said = {each["id"]: each["name"] for each in parties}
    here = {each[side]: each[f"{side}_name"] for each in agreements for side in ("a", "b")}
    return {party: name for party, name in (said | here).items() if name}


async def _party(api: Api, typed: str) -> tuple[str, str | None]:
    """NL*ABC of however it was typed: nl-abc, NL ABC, its name; or as it was typed, and why it is nobody."""
    try:
        return (await which_party(api, typed)).upper() if typed else "", None
    except Unknown as error:
        return typed, str(error)


async def _some(api: Api, party: str, cursor: str) -> Json:
    return await api.get("/agreements", party=party, limit=_ROWS, cursor=cursor)


async def _none() -> Json:
    return {"items": [], "next_cursor": None}


async def _all(api: Api) -> tuple[list[Json], bool]:
    """All agreements, up to _MOST; and whether there are more."""
    every: list[Json] = []
    cursor: str | None = None
    while len(every) < _MOST:
        found = await api.get("/agreements", limit=_AT_ONCE, cursor=cursor)
        every += found["items"]
        cursor = found["next_cursor"]
        if cursor is None:
            return every, False
    return every, True
