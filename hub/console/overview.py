"""Is the hub well, and what needs somebody?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from litestar import get
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER

from hub.console.api import Api, Json, PageRequest
from hub.console.charts import bars, bars_width
from hub.console.frame import Same, page
from hub.console.pieces import Piece, piece
from hub.operator.roles import FOR_OPERATORS, FOR_PARTNERS, is_allowed

_HEIGHT: Final = 96
_LOW: Final = 44
_LATE: Final = timedelta(seconds=90)
_TICKS: Final = 4


@get("/", opt=FOR_PARTNERS, include_in_schema=False)
async def show_overview(request: PageRequest) -> Template | Redirect:
    """The page; an engineer of a partner is led to that partner's."""
    own = request.auth.only_platform
    if own is not None:
        return Redirect(f"/partners/{own}", status_code=HTTP_303_SEE_OTHER)
    api = Api(request)
    overview, series, health = await asyncio.gather(
        piece(api.get("/overview")), piece(api.get("/traffic/series", window="1h", step=60)), piece(api.get("/health"))
    )
    return await page(
        request,
        "overview.html",
        at="overview",
        same=Same(
            "GET /api/v1/overview, /api/v1/traffic/series?window=1h, /api/v1/health",
            "ocpi-hub events list",
        ),
        overview=overview,
        series=series,
        health=health,
        chart=_chart(series),
        is_new=overview.found is not None and not sum(overview.found["platforms"].values()),
        late_since=_late_since(overview.found),
        may_invite=is_allowed(request.auth, FOR_OPERATORS),
    )


def _chart(series: Piece) -> Json | None:
    """The last hour as bars: messages, and on a scale of their own the errors of partners and of the hub."""
    points = [] if series.found is None else series.found["points"]
    messages = [each["messages"] for each in points]
    if not any(messages):
        return None
    partner = [each["failed"]["partner"] for each in points]
    hub = [each["failed"]["hub"] + each["failed"]["refused"] for each in points]
    errors = [ours + theirs for ours, theirs in zip(hub, partner, strict=True)]
    most_errors = max(errors)
    return {
        "width": bars_width(messages),
        "messages": bars(messages, _HEIGHT, max(messages)),
        "partner": bars(partner, _LOW, most_errors or 1),
        "hub": bars(hub, _LOW, most_errors or 1, on=partner),
        "most": max(messages),
        "most_errors": most_errors,
        "total": sum(messages),
        "errors": sum(errors),
        "ticks": [points[at * (len(points) - 1) // _TICKS]["at"] for at in range(_TICKS + 1)],
    }


def _late_since(overview: Json | None) -> str | None:
    """From when the figures are, where that is longer ago than one takes for now."""
    last = [each["last_at"] for each in (overview or {}).get("covers", {}).get("processes", ())]
    if not last:
        return None
    oldest: str = min(last)
    return oldest if datetime.now(UTC) - datetime.fromisoformat(oldest) > _LATE else None
