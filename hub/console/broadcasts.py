"""What did the hub spread, and who missed it?"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from hub.console.api import Api, Json, PageRequest
from hub.console.frame import Same, page
from hub.console.message_words import failure_of, subject_of
from hub.console.pieces import piece
from hub.operator.roles import FOR_AUDITORS
from routing.vocabulary import ModuleID

_ROWS: Final = 50
_MANY: Final = 1000
_RANGES: Final = {
    "1h": ("last hour", timedelta(hours=1)),
    "24h": ("last 24 hours", timedelta(hours=24)),
    "7d": ("last 7 days", timedelta(days=7)),
    "all": ("as far back as there are any", None),
}
_RANGE: Final = "24h"
_OUTCOMES: Final = {"missed": "missed by somebody", "ok": "missed by nobody", "refused": "not accepted"}
_MODULES: Final = (ModuleID.LOCATIONS, ModuleID.TARIFFS, ModuleID.TOKENS, ModuleID.SESSIONS, ModuleID.CDRS)
_SKIPPED: Final = {
    "merged": "replaced by a newer one",
    "offline": "went offline",
    "stale": "no turn within 30 s",
    "untranslatable": "no word for it in its version",
    "unneeded": "no word for it in its version, and no need of one",
}


@get("/broadcasts", opt=FOR_AUDITORS, include_in_schema=False)
async def show_broadcasts(
    request: PageRequest,
    party: FromQuery[str] = "",
    module: FromQuery[str] = "",
    outcome: FromQuery[str] = "",
    range: FromQuery[str] = "",  # noqa: A002 - the name of the query parameter
    cursor: FromQuery[str] = "",
) -> Template:
    """The list, newest first."""
    within = range if range in _RANGES else _RANGE
    filters = {"party": party.strip(), "module": module, "outcome": outcome}
    filters = {name: text for name, text in filters.items() if text}
    past = _RANGES[within][1]
    since = {} if past is None else {"since": f"{datetime.now(UTC) - past:%Y-%m-%dT%H:%M:%SZ}"}
    asked = {**filters, **since}
    found = await piece(Api(request).get("/broadcasts", **asked, limit=_ROWS, cursor=cursor))
    named = {**filters, **({} if within == _RANGE else {"range": within})}
    more = None if found.found is None else found.found["next_cursor"]
    return await page(
        request,
        "broadcasts.html",
        at="broadcasts",
        same=_same(asked),
        found=found,
        headline="Broadcasts" if found.found is None or cursor else _headline(found.found),
        rows=[_row(each) for each in found.items()],
        chosen={"party": "", "module": "", "outcome": ""} | filters,
        range=within,
        ranges={name: label for name, (label, _) in _RANGES.items()},
        outcomes=_OUTCOMES,
        modules=_MODULES,
        newest=_url(named) if cursor else None,
        next_page=_url({**named, "cursor": more}) if more else None,
        wider=_wider(named, within),
    )


def _row(broadcast: Json) -> Json:
    words = {**broadcast, "upstream_path": None}
    return {
        **broadcast,
        "subject": subject_of(words),
        "why": [f"{each['count']:,} {_why(each)}" for each in broadcast["reasons"]],
        "translated": [each for each in broadcast["versions"] if each != broadcast["version"]],
    }


def _why(reason: Json) -> str:
    return _SKIPPED.get(reason["why"], "") if reason["outcome"] == "skipped" else failure_of(reason["why"])


def _headline(found: Json) -> str:
    if not found["items"]:
        return "Nothing was spread"
    count = found["count"]
    if count is None:
        return "Broadcasts"
    many = f"More than {_MANY:,}" if count > _MANY else f"{count:,}"
    return f"{many} broadcast{'s' if count != 1 else ''}"


def _same(asked: dict[str, str]) -> Same:
    options = " ".join(f"--{name} {shlex.quote(text)}" for name, text in asked.items())
    query = urlencode(asked, safe="*:")
    return Same(f"GET /api/v1/broadcasts?{query}".rstrip("?"), f"ocpi-hub broadcasts {options}".rstrip())


def _url(named: dict[str, str]) -> str:
    return f"/broadcasts?{urlencode(named)}" if named else "/broadcasts"


def _wider(named: dict[str, str], within: str) -> str | None:
    """The same with the next longer range."""
    names = list(_RANGES)
    return None if within == names[-1] else _url({**named, "range": names[names.index(within) + 1]})
