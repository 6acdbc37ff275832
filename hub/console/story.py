"""What happened to one message, and what the hub changed in it."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from msgspec import Struct

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page
from hub.console.lanes import calls_of, lanes_of
from hub.console.legs import Leg, answered, leg_of, result_in, said_in
from hub.console.message_words import (
    first_of,
    grouped,
    headline_of,
    is_refused,
    is_result_awaited,
    route_of,
    story_url,
    subject_of,
)
from hub.console.pieces import piece
from hub.console.remedies import ways_of
from hub.operator.broadcasts import UNDER_WAY
from hub.operator.roles import FOR_AUDITORS, FOR_PARTNERS, OperatorRole, is_allowed
from hub.operator.story_text import story_text

_MOST_LEGS: Final = 4
"""Messages whose translation is shown; all others are a click away."""
_MOST_OTHERS: Final = 8
_LOOKED_AT: Final = 50
_MOST_NAMED: Final = 8
_WAITS_S: Final = 300.0
"""After that nobody waits for a result any more."""


class Told(Struct, frozen=True):
    """A story with what is worked out of it."""

    story: Json
    legs: tuple[Leg, ...]
    waited_s: float | None
    """Since when a result is awaited."""
    timeout_s: float | None
    """How long the receiver said that takes, where that was captured."""
    result: str | None
    """What the receiver said of a command at last, where that was captured."""

    @property
    def is_refused(self) -> bool:
        """Whether that is that it is not done."""
        return is_refused(self.result)


@get("/messages/{message_id:str}", opt=FOR_PARTNERS, include_in_schema=False)
async def show_message(request: PageRequest, message_id: FromPath[str]) -> Redirect:
    """The story of one message, at this message."""
    message = await Api(request).get(f"/messages/{message_id}")
    return Redirect(story_url(message, at=message_id), status_code=HTTP_303_SEE_OTHER)


@get("/story", opt=FOR_PARTNERS, include_in_schema=False)
async def show_story(
    request: PageRequest,
    id: FromQuery[str] = "",  # noqa: A002 - the name of the query parameter
    use: FromQuery[str] = "",
) -> Template | Redirect:
    """The page."""
    if not id:
        return Redirect("/messages", status_code=HTTP_303_SEE_OTHER)
    api = Api(request)
    story = await api.get("/stories", correlation_id=id, use=use)
    first, calls = first_of(story), calls_of(story)
    told, others, spread, platforms = await asyncio.gather(
        _told(api, story, use), _others(api, story), _spread(request, first), _platforms(api, story)
    )
    failed, names = _failed(story), _names(story, platforms)
    return await page(
        request,
        "story.html",
        at="messages",
        same=_same(id),
        story=story,
        chosen_use=use,
        failed=failed,
        answered=_own_words(told, failed),
        names=names,
        ways=ways_of(failed, platforms, request.auth) if failed else [],
        first=first,
        told=told,
        headline=headline_of(story, is_waiting=told.waited_s is not None, result=told.result, names=names),
        subject=subject_of(first),
        why=route_of(first),
        lanes=lanes_of(story, _hub_of(story), {each["id"] for each in calls}),
        calls=calls,
        shown={leg.message["id"] for leg in told.legs},
        others=others,
        spread=spread,
        is_auditor=request.auth.role is OperatorRole.AUDITOR,
        text=story_text(story) if _is_whole(story) else None,
    )


async def _told(api: Api, story: Json, use: str) -> Told:
    wanted = [each for each in story["messages"] if each["hop"] == "message"][: _MOST_LEGS - 1]
    if use and all(each["id"] != use for each in wanted):
        wanted += [each for each in story["messages"] if each["id"] == use]
    details = await asyncio.gather(*(_details(api, each) for each in wanted))
    # In a thread: a body may have many lines, and messages must not wait for them.
    legs = await asyncio.to_thread(lambda: tuple(leg_of(each) for each in details))
    answer = answered(legs[0]) if legs else None
    waited_s = (datetime.now(UTC) - datetime.fromisoformat(story["first"])).total_seconds()
    timeout = (answer or {}).get("timeout")
    is_waiting = is_result_awaited(story, answer) and waited_s < _WAITS_S
    return Told(
        story, legs, waited_s if is_waiting else None, timeout if isinstance(timeout, int) else None, result_in(legs)
    )


async def _spread(request: PageRequest, first: Mapping[str, Any]) -> Json | None:
    """Where a broadcast still is; None when it is none, or is over."""
    is_over = first["route"] != "broadcast" or datetime.now(UTC) - datetime.fromisoformat(first["time"]) > UNDER_WAY
    if is_over or not is_allowed(request.auth, FOR_AUDITORS):
        return None
    try:
        found = await Api(request).get(f"/broadcasts/{first['correlation_id']}", use=first["id"], limit=1)
    except Refused:
        return None
    return found if found["waiting"] else None


async def _details(api: Api, message: Json) -> Json:
    """With what was captured, as far as that can be had: looking is noted, and where nothing can be noted, refused."""
    try:
        return await api.get(f"/messages/{message['id']}")
    except Refused:
        return message


async def _others(api: Api, story: Json) -> list[list[Json]]:
    """Other stories of the same object, the newest first."""
    first = first_of(story)
    if first["object_id"] is None:
        return []
    query = {name: first[name] for name in ("object_type", "object_id")}
    try:
        found = await api.get("/messages", **query, limit=_LOOKED_AT)
    except Refused:
        return []
    own = {each["id"] for each in story["messages"]}
    ids = {each["correlation_id"] for each in story["messages"]}
    return _apart(found["items"], own, ids)[:_MOST_OTHERS]


def _failed(story: Json) -> Json | None:
    """The message that the advice is about: one of a platform rather than a call that it led to."""
    failed = [each for each in story["messages"] if each["failure"] is not None]
    return min(failed, key=lambda each: each["hop"] != "message", default=None)


def _own_words(told: Told, failed: Json | None) -> str | None:
    """What the receiver itself said of it, where that was captured."""
    leg = next((each for each in told.legs if failed is not None and each.message["id"] == failed["id"]), None)
    return None if leg is None else said_in(leg)


async def _platforms(api: Api, story: Json) -> dict[str, str]:
    """The names of the first partners of a story, by their ids, as far as the reader may know them."""
    ends = (each[end] for each in story["messages"] for end in ("from_platform", "to_platform"))
    ids = [each for each in dict.fromkeys(ends) if each is not None][:_MOST_NAMED]
    found = await asyncio.gather(*(piece(api.get(f"/platforms/{each}")) for each in ids))
    return {each.found["id"]: each.found["name"] for each in found if each.found}


def _names(story: Json, platforms: Mapping[str, str]) -> dict[str, str]:
    """The same by party."""
    ends = ((each[end], each[f"{end}_platform"]) for each in story["messages"] for end in ("from", "to"))
    return {party: platforms[platform] for party, platform in ends if party and platform in platforms}


def _apart(messages: Sequence[Json], own: Collection[str], ids: Collection[str]) -> list[list[Json]]:
    groups = grouped([each for each in messages if each["id"] not in own and each["correlation_id"] not in ids])
    return [[dict(each) for each in group] for group in groups]


def _hub_of(story: Json) -> str:
    """What the hub is called: it is at one end of every hop."""
    ends = [{hop["from"], hop["to"]} for hop in story["hops"]]
    own: Any = next((hop["from"] for hop in story["hops"] if hop["kind"] == "hub"), None)
    if own is None and ends:
        own = next(iter(set.intersection(*ends)), None)
    return own or ""


def _is_whole(story: Json) -> bool:
    """Whether both sides may be seen: the text says all of it."""
    return story["summary"]["hub_ms"] is not None


def _same(correlation_id: str) -> Same:
    call = f"GET /api/v1/stories?{urlencode({'correlation_id': correlation_id})}"
    is_plain = correlation_id.isascii() and correlation_id.isprintable()
    return Same(call, f"ocpi-hub trace {shlex.quote(correlation_id)}" if is_plain else None)
