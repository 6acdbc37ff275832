"""Which messages match, one row for each."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template
from msgspec import Struct

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.message_words import FAILURES, grouped
from hub.console.who_is_meant import Meant, who_is_meant
from hub.operator.message_filters import Result
from hub.operator.roles import FOR_PARTNERS
from routing.vocabulary import ModuleID, Version

_PATH: Final = "/messages"
_ROWS: Final = 50
_MANY: Final = 1000
_MOST_TRIED: Final = 6
"""Filters that are tried without, when nothing is found."""
_RANGES: Final = {
    "1h": ("last hour", timedelta(hours=1)),
    "24h": ("last 24 hours", timedelta(hours=24)),
    "7d": ("last 7 days", timedelta(days=7)),
    "all": ("as far back as there are any", None),
}
_RANGE: Final = "24h"
_IDS: Final = ("correlation_id", "request_id", "object_id", "token_hash")
"""With one of these nobody asks when it was."""
LABELS: Final = {
    "correlation_id": "correlation id {}",
    "request_id": "request id {}",
    "party": "party {}",
    "peer": "with {}",
    "platform": "partner {}",
    "one_way": "one way",
    "module": "{}",
    "route": "route {}",
    "outcome": "{}",
    "object_type": "{}",
    "object_id": "id {}",
    "token_hash": "one Token",
    "ocpi_status": "answer {}",
    "loss": "{}",
    "lossy": "lossy only",
    "source_version": "from {}",
    "target_version": "to {}",
    "min_ms": "at least {} ms",
    "since": "since {}",
    "until": "before {}",
}
"""Every filter, and how its chip reads."""
PRESETS: Final = (
    ("Failed, last hour", "outcome=failed&range=1h"),
    ("Lossy, last 24 hours", "lossy=true"),
    ("Slower than 2 s", "min_ms=2000"),
    ("Refused by the hub", "outcome=refused"),
)
OUTCOMES: Final = {
    Result.OK: "went well",
    Result.FAILED: "failed",
    Result.REFUSED: "refused by the hub",
    Result.UNANSWERED: "no good answer",
    **FAILURES,
}
_ENDS: Final = frozenset({"party", "platform"})
"""Of whom `peer` is the other side."""
_IN_FORM: Final = frozenset({"party", "peer", "outcome", "module", "route", "lossy", "min_ms"})
_FLAG: Final = "one_way"
IN_COMMAND: Final = frozenset(
    {"party", "peer", _FLAG, "module", "outcome", "ocpi_status", "loss", "object_id", "since", "until"}
)
"""Filters that the command has, too."""
ROUTES: Final = ("direct", "open", "broadcast", "get_all", "callback")

_SHAPES: Final = {
    "min_ms": "“From ms” takes a number of milliseconds, such as 2000.",
    "lossy": "“Lossy” is true or false.",
    "one_way": "“One way” is true or false.",
    "ocpi_status": "An answer is a status such as 4003, or 4xxx for all that begin so.",
    "loss": "A loss is the id of a rule of translation, such as L-24.",
    "token_hash": "This link to one Token is not complete.",
    "source_version": "A version is one of " + ", ".join(Version) + ".",
    "target_version": "A version is one of " + ", ".join(Version) + ".",
    "since": "A time is written like 2026-11-22T08:00:00Z.",
    "until": "A time is written like 2026-11-22T08:00:00Z.",
}
"""What a filter takes, for who filled it in with something else."""
_FILTERS_WRONG: Final = "These filters do not fit"
_NOTHING: Final[Json] = {"items": [], "next_cursor": None, "count": None, "covered_from": None}


class Chip(Struct, frozen=True):
    """A filter that is set, and the page without it."""

    label: str
    url: str


class Without(Struct, frozen=True):
    """How many there were without one filter."""

    label: str
    url: str
    count: int


@get(_PATH, opt=FOR_PARTNERS, include_in_schema=False)
async def show_messages(request: PageRequest, cursor: FromQuery[str] = "") -> Template:
    """The list, newest first."""
    api = Api(request)
    chosen = {name: text for name in LABELS if (text := request.query_params.get(name, "").strip())}
    within = _range_of(request.query_params.get("range", ""), chosen)
    pasted = request.query_params.get("q", "")
    meant = await who_is_meant(api, chosen)
    asked = _asked(meant.asked(chosen), within)
    found, refused = _NOTHING, meant.refused
    if refused is None:
        try:
            found = await api.get("/messages", **asked, limit=_ROWS, cursor=cursor)
        except Refused as error:
            if error.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
                raise
            refused = in_words(error)
    items = found["items"]
    more = found["next_cursor"]
    named = {**chosen, **({"range": within} if within != _range_of("", chosen) else {})}
    return await page(
        request,
        "messages.html",
        at="messages",
        same=_same(asked),
        headline=_FILTERS_WRONG if refused else "Older messages" if cursor else _headline(found["count"], len(items)),
        groups=grouped(items),
        found=found,
        refused=refused,
        chosen=dict.fromkeys(LABELS, "") | chosen,
        range=within,
        ranges={name: label for name, (label, _) in _RANGES.items()},
        wider=_wider(named, within),
        chips=chips_of(named, _PATH, meant.labels),
        kept={name: text for name, text in chosen.items() if name not in _IN_FORM},
        outcomes=OUTCOMES,
        modules=[*ModuleID],
        routes=ROUTES,
        versions=[*Version],
        presets=PRESETS,
        without=await _without(api, named, within, meant) if not items and not cursor and not refused else [],
        reading=await _reading(api, pasted) if pasted and not cursor else [],
        newest=_url(named) if cursor else None,
        next_page=_url({**named, "cursor": more}) if more else None,
    )


def _range_of(given: str, chosen: Mapping[str, str]) -> str:
    """How far back is looked: with an id as far as possible, else a day, unless somebody says otherwise."""
    if given in _RANGES:
        return given
    return "all" if any(name in chosen for name in (*_IDS, "since")) else _RANGE


def _asked(chosen: Mapping[str, str], within: str) -> dict[str, str]:
    """The query of the API."""
    past = _RANGES[within][1]
    if past is None or "since" in chosen:
        return dict(chosen)
    since = datetime.now(UTC) - past
    return {**chosen, "since": since.isoformat(timespec="seconds").replace("+00:00", "Z")}


def _headline(count: int | None, shown: int) -> str:
    if count is None:
        return "Messages"
    if count > _MANY:
        return f"More than {_MANY:,} messages"
    return "No message" if not shown else f"{count:,} message{'s' if count != 1 else ''}"


def in_words(error: Refused) -> str:
    """Why the API took no such filter."""
    return " ".join(_SHAPES.get(key, f"{key}: {said}.") for key, said in error.faults.items()) or error.detail


def chips_of(named: Mapping[str, str], path: str, labels: Mapping[str, str]) -> list[Chip]:
    """A chip for each filter, with where this page is without it. `labels` are those that have names in them."""
    return [
        Chip(labels.get(name) or _label(name, text), _url(_less(named, name), path)) for name, text in named.items()
    ]


def _label(name: str, text: str) -> str:
    if name == "range":
        return _RANGES[text][0]
    if name == "outcome":
        return OUTCOMES.get(text, text)
    return LABELS[name].format(text)


def _less(named: Mapping[str, str], name: str) -> dict[str, str]:
    """The other filters; what has no sense without this one goes with it."""
    others = (_ENDS - {name}) & {*named}
    gone = {name} | (set() if others or name not in _ENDS else {"peer", "one_way"})
    return {other: text for other, text in named.items() if other not in gone}


def _url(named: Mapping[str, str], path: str = _PATH) -> str:
    return f"{path}?{urlencode(named)}" if named else path


def _wider(named: Mapping[str, str], within: str) -> str | None:
    """The same with the next longer range."""
    names = list(_RANGES)
    if within == names[-1] or "since" in named:
        return None
    return _url({**named, "range": names[names.index(within) + 1]})


async def _without(api: Api, named: Mapping[str, str], within: str, meant: Meant) -> list[Without]:
    """Which filter hides how many, most first."""
    tried = [name for name in [*named][-_MOST_TRIED:] if name != "range"]
    counts = await asyncio.gather(*(_count(api, _less(named, name), within, meant) for name in tried))
    found = [
        Without(meant.labels.get(name) or _label(name, named[name]), _url(_less(named, name)), count)
        for name, count in zip(tried, counts, strict=True)
        if count
    ]
    return sorted(found, key=lambda each: -each.count)


async def _count(api: Api, named: Mapping[str, str], within: str, meant: Meant) -> int:
    """0 where it cannot be told quickly, or without that filter the others make no sense."""
    chosen = {name: text for name, text in named.items() if name != "range"}
    try:
        found = await api.get("/messages", **_asked(meant.asked(chosen), within), limit=1)
    except Refused:
        return 0
    return found["count"] or 0


async def _reading(api: Api, pasted: str) -> list[Json]:
    """What the text of the search box is, to be said above the list."""
    try:
        found = await api.get("/resolve", q=pasted)
    except Refused:
        return []
    objects: list[Any] = [each for each in found["candidates"] if each["kind"] == "object"]
    return objects


def _same(asked: Mapping[str, str]) -> Same:
    query = urlencode(asked)
    words = words_of(asked)
    is_said = asked.keys() <= IN_COMMAND and all(word.isascii() and word.isprintable() for word in words)
    command = shlex.join(["ocpi-hub", "messages", *words]) if is_said else None
    return Same(f"GET /api/v1/messages?{query}".rstrip("?"), command)


def words_of(asked: Mapping[str, str]) -> list[str]:
    """Filters as options of a command."""
    options = {f"--{name.replace('_', '-')}": text for name, text in asked.items() if name != _FLAG}
    return [word for option in options.items() for word in option] + (["--one-way"] if _FLAG in asked else [])
