"""Who talks to whom, and where does it fail?"""

from __future__ import annotations

import asyncio
import shlex
from typing import Final
from urllib.parse import quote, urlencode

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.network_words import headline, messages_url, rows_of
from hub.console.pieces import Piece, piece
from hub.console.who_is_meant import Unknown, which_party
from hub.operator.roles import FOR_AUDITORS
from routing.vocabulary import ModuleID

_TOP: Final = 12
_MORE: Final = 16
"""Parties beside each other; more would make the page too large for a phone."""
_SILENT: Final = 12
_WINDOW: Final = "24h"
_WINDOWS: Final = {"1h": "1 h", "24h": "24 h", "7d": "7 d"}
_BY: Final = {"party": "Parties", "platform": "Partners", "country": "Countries"}
_ORDERS: Final = {"traffic": "most messages", "errors": "most errors"}
_USUAL: Final = {"window": _WINDOW, "by": "party", "order": "traffic", "top": str(_TOP)}


@get("/network", opt=FOR_AUDITORS, include_in_schema=False)
async def show_network(
    request: PageRequest,
    window: FromQuery[str] = "",
    module: FromQuery[str] = "",
    by: FromQuery[str] = "",
    order: FromQuery[str] = "",
    party: FromQuery[str] = "",
    top: FromQuery[str] = "",
) -> Template:
    """The table, and the pairs that fail most."""
    chosen = {"window": window, "module": module, "by": by, "order": order, "party": party.strip(), "top": top}
    chosen = {name: text or _USUAL.get(name, "") for name, text in chosen.items()}
    api = Api(request)
    found, silent, asked = await _found(api, chosen)
    matrix = found.found
    return await page(
        request,
        "network.html",
        at="network",
        same=Same(f"GET /api/v1/traffic/matrix?{_query(asked)}", _command(asked)),
        found=found,
        silent=silent,
        headline="Who talks to whom" if matrix is None else headline(matrix, chosen["by"]),
        rows=[] if matrix is None else rows_of(matrix, chosen["by"], module),
        worst=[] if matrix is None else [_pair(cell, chosen) for cell in matrix["worst"]],
        kept_apart=[] if matrix is None else [_pair(cell, chosen) for cell in matrix["kept_apart"]],
        chosen=chosen,
        windows={each: (text, _link(chosen, window=each)) for each, text in _WINDOWS.items()},
        groups={each: (text, _link(chosen, by=each, party="")) for each, text in _BY.items()},
        orders=_ORDERS,
        modules=[*ModuleID],
        more=_link(chosen, top=str(_MORE)) if chosen["top"] == str(_TOP) else None,
        is_filtered=bool(module or chosen["party"]),
    )


async def _found(api: Api, chosen: dict[str, str]) -> tuple[Piece, Piece, dict[str, str]]:
    """The table, who is silent, and what was asked for; a party that is given by a name is put in its place."""
    try:
        if chosen["party"]:
            chosen["party"] = await which_party(api, chosen["party"])
    except (Unknown, Refused) as error:
        nothing = Piece(None, str(error))
        return nothing, nothing, {name: text for name, text in chosen.items() if text}
    asked = {name: text for name, text in chosen.items() if text}
    of_party = {name: text for name, text in asked.items() if name == "party"}
    found, silent = await asyncio.gather(
        piece(api.get("/traffic/matrix", **asked)), piece(api.get("/traffic/silent", **of_party, limit=_SILENT))
    )
    return found, silent, asked


def _pair(cell: Json, names: dict[str, str]) -> Json:
    url = messages_url(cell, names["window"], names["by"], names["module"], outcome=_outcome(cell))
    return {**cell, "url": url}


def _outcome(cell: Json) -> str:
    """Of a pair that may not talk only what was refused for that."""
    is_apart = cell["mostly"] == "no_agreement" and cell["errors"] == cell["n"]
    return "no_agreement" if is_apart else "failed"


def _link(names: dict[str, str], **other: str) -> str:
    query = {name: text for name, text in (names | other).items() if text and _USUAL.get(name) != text}
    return f"/network?{_query(query)}" if query else "/network"


def _query(given: dict[str, str]) -> str:
    return urlencode(given, quote_via=quote, safe="*")


def _command(asked: dict[str, str]) -> str:
    """With the window, and the options that are not as they are by default."""
    options = {name: text for name, text in asked.items() if name == "window" or _USUAL.get(name) != text}
    return " ".join(["ocpi-hub traffic", *(f"--{name} {shlex.quote(text)}" for name, text in options.items())])
