"""The one search box: what a pasted id means."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from litestar import get
from litestar.params import FromQuery
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.operator.roles import FOR_PARTNERS

LONGEST: Final = 1000
_API: Final = "/api/v1"
_KINDS: Final = {
    "correlation_id": "Correlation id",
    "request_id": "Request id",
    "party": "Party",
    "platform": "Partner",
    "evse": "EVSE",
    "object": "Object",
    "token": "Token",
    "rule": "Rule",
    "status": "Answer",
    "url": "URL",
}


class Meaning(Struct, frozen=True):
    """One thing that it means."""

    kind: str
    id: str
    label: str
    url: str
    messages: int | None
    stories: int | None

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.label.rpartition(", ")[0] if self.kind == "platform" else self.id


@get("/search", opt=FOR_PARTNERS, include_in_schema=False)
async def show_search(request: PageRequest, q: FromQuery[str] = "") -> Template | Redirect:
    """What it means: one thing is shown at once."""
    pasted = q.strip()[:LONGEST]
    if not pasted:
        return Redirect("/messages", status_code=HTTP_303_SEE_OTHER)
    api = Api(request)
    found = await api.get("/resolve", q=pasted)
    meanings = [await _meaning(api, each) for each in found["candidates"]]
    meanings = _apart(meanings)
    if len(meanings) == 1 and not found["unfinished"]:
        return Redirect(meanings[0].url, status_code=HTTP_303_SEE_OTHER)
    return await page(
        request,
        "search.html",
        at="messages",
        same=Same(f"GET /api/v1/resolve?{urlencode({'q': pasted})}"),
        meanings=meanings,
        kinds=_KINDS,
        similar=_apart([await _meaning(api, each) for each in found["similar"]]),
        unfinished=[_KINDS[each].lower() for each in found["unfinished"]],
        searched_from=found["searched_from"],
    )


async def _meaning(api: Api, candidate: Json) -> Meaning:
    kind, named = candidate["kind"], candidate["id"]
    url = await _partner_of(api, named) if kind == "party" else None
    if kind == "object":  # the list says what it is, as its headline cannot
        candidate = {**candidate, "url": f"{candidate['url']}&{urlencode({'q': named})}"}
    return Meaning(
        kind, named, candidate["label"], url or page_of(candidate["url"]), candidate["messages"], candidate["stories"]
    )


async def _partner_of(api: Api, party: str) -> str | None:
    """The partner whose party it is; None for who may not see that, or where it is none of ours."""
    try:
        found = await api.get(f"/parties/{party}")
    except Refused as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return None
    platform_id = next((each["platform_id"] for each in found["items"]), None)
    return None if platform_id is None else f"/partners/{platform_id}"


def page_of(url: str) -> str:
    """The page that shows what is at a URL of the API."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    path = parts.path.removeprefix(_API)
    if path == "/stories":
        use = query.get("use")
        shown = {"id": query["correlation_id"], **({"use": use} if use else {})}
        return f"/story?{urlencode(shown)}{f'#m-{use}' if use else ''}"
    return f"{path.replace('/platforms/', '/partners/')}{'?' if query else ''}{urlencode(query)}"


def _apart(meanings: list[Meaning]) -> list[Meaning]:
    """Without those that another one says already: of what leads to one story, the first."""
    by_page = {each.url.partition("&use=")[0]: each for each in reversed(meanings)}
    return list(by_page.values())[::-1]
