"""With which settings the hub runs, and who may use it."""

from __future__ import annotations

import asyncio
from itertools import groupby

from litestar import get
from litestar.response import Template

from hub.console.api import Api, Json, PageRequest
from hub.console.frame import Same, page
from hub.console.pieces import Piece, piece
from hub.operator.roles import FOR_ADMINS, FOR_AUDITORS, is_allowed

_MOST: int = 200


@get("/settings", opt=FOR_AUDITORS, include_in_schema=False)
async def show_settings(request: PageRequest) -> Template:
    """The page. Nothing can be changed on it: settings are read once, when the hub starts."""
    api = Api(request)
    may_give = is_allowed(request.auth, FOR_ADMINS)
    found, health, tokens = await asyncio.gather(
        api.get("/settings"),
        piece(api.get("/health")),
        piece(api.get("/tokens", limit=_MOST)) if may_give else _nothing(),
    )
    settings = found["items"]
    return await page(
        request,
        "settings.html",
        at="settings",
        same=Same("GET /api/v1/settings, /tokens", "ocpi-hub settings"),
        found=found,
        sections=[(name, list(each)) for name, each in groupby(settings, key=lambda each: each["section"])],
        changed=sum(each["source"] != "default" for each in settings),
        health=health,
        workers=[] if health.found is None else health.found["workers"],
        tokens=tokens,
        may_give=may_give,
        support=support_text(found),
    )


async def _nothing() -> Piece:
    return Piece(None)


def support_text(found: Json) -> str:
    """All settings as lines, for somebody who is to help."""
    spoken = ", ".join(each["version"] for each in found["ocpi"])
    head = f"ocpi-hub {found['version']}, database schema {found['schema']}, OCPI {spoken}"
    return "\n".join([head, *(f"{each['id']}={value_of(each)}  ({each['source']})" for each in found["items"])])


def value_of(setting: Json) -> str:
    """The value of a setting; of a secret whether there is one."""
    if setting["secret"]:
        return "set" if setting["is_set"] else "not set"
    return str(setting["value"] or "")
