"""What is happening right now: the last messages, and each new one as it ends."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode

import jinja2
import msgspec
from litestar import get
from litestar.params import FromQuery
from litestar.response import Stream, Template

from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.frame import Same, page, reader_of
from hub.console.messages import IN_COMMAND, LABELS, OUTCOMES, ROUTES, chips_of, in_words, words_of
from hub.console.sign_in import is_still_signed_in
from hub.console.who_is_meant import who_is_meant
from hub.hub import Hub
from hub.operator.inside import streamed
from hub.operator.live import HEARTBEAT_S, MEDIA_TYPE, UNBUFFERED, event, streams_only
from hub.operator.platforms import TheHub
from hub.operator.roles import FOR_PARTNERS
from routing.errors import HubFault
from routing.vocabulary import ModuleID

_ROWS: Final = 50
_PATH: Final = "/live"
_FOLLOWED: Final = tuple(name for name in LABELS if name not in {"since", "until"})
_IN_FORM: Final = frozenset({"party", "peer", "outcome", "module", "route", "lossy"})
_MOST_MADE: Final = 1024


@get(_PATH, opt=FOR_PARTNERS, include_in_schema=False)
async def show_live(request: PageRequest) -> Template:
    """The last messages. A script adds those that come."""
    api, chosen = Api(request), _chosen(request)
    meant = await who_is_meant(api, chosen)
    asked, found, refused = meant.asked(chosen), [], meant.refused
    may_follow = refused is None
    if refused is None:
        try:
            found = (await api.get("/messages", **asked, limit=_ROWS))["items"]
        except Refused as error:
            refused, may_follow = in_words(error), not error.is_about_the_form
    query = urlencode(chosen)
    return await page(
        request,
        "live.html",
        at="live",
        same=_same(asked),
        messages=found,
        refused=refused,
        chosen=dict.fromkeys(LABELS, "") | chosen,
        chips=chips_of(chosen, _PATH, meant.labels),
        kept={name: text for name, text in chosen.items() if name not in _IN_FORM},
        outcomes=OUTCOMES,
        modules=[*ModuleID],
        routes=ROUTES,
        here=f"{_PATH}?{query}" if query else _PATH,
        stream=f"{_PATH}/rows?{urlencode(asked)}" if may_follow else "",
    )


@get(f"{_PATH}/rows", opt=FOR_PARTNERS, include_in_schema=False, media_type=MEDIA_TYPE)
async def follow(request: PageRequest, hub: TheHub, after: FromQuery[str] = "") -> Stream:
    """New rows, as the API gives them, made into lines of the table. It ends with the session."""
    streams_only(request)
    chosen = _chosen(request)
    query = urlencode({**chosen, "after": after} if after else chosen).encode()

    async def lines() -> AsyncIterator[bytes]:
        reader = _Reader(request, chosen)
        headers = {b"accept": MEDIA_TYPE.encode()}
        async with streamed(request, "/api/v1/messages/live", query=query, headers=headers, me=request.auth) as (
            status,
            parts,
        ):
            if status != HTTPStatus.OK:
                yield event("refused", _detail(b"".join([part async for part in parts])))
                return
            look_at = monotonic() + HEARTBEAT_S
            async for part in parts:
                if monotonic() >= look_at:
                    look_at = monotonic() + HEARTBEAT_S
                    if (end := await _end(request, hub)) is not None:
                        yield end
                        return
                yield reader.shown(part)

    return Stream(lines(), media_type=MEDIA_TYPE, headers=UNBUFFERED)


async def _end(request: PageRequest, hub: Hub) -> bytes | None:
    """The last event, where the session is over, or nobody knows whether it is."""
    try:
        return None if await is_still_signed_in(request, hub) else event("over", b"signed out")
    except HubFault as error:
        return event("refused", str(error).encode())


class _Reader:
    """Who reads, in which zone, with which filters."""

    def __init__(self, request: PageRequest, chosen: Mapping[str, str]) -> None:
        engine = request.app.template_engine
        self._templates: jinja2.Environment = engine.engine  # type: ignore[union-attr] # the console has one
        self._zone: str = reader_of(request)["zone"]
        self._chosen = chosen

    def shown(self, part: bytes) -> bytes:
        """The same events for a browser."""
        return b"".join(self._event(each) + b"\n\n" for each in part.split(b"\n\n") if each)

    def _event(self, text: bytes) -> bytes:
        lines = dict(line.split(b": ", 1) for line in text.split(b"\n"))
        data = lines.get(b"data", b"")
        if b"id" in lines:
            return b"id: %b\ndata: %b" % (lines[b"id"], _row(self._templates, self._zone, data))
        if lines.get(b"event") == b"gap":
            missing = msgspec.json.decode(data)
            query = urlencode({**self._chosen, **missing})
            return b"event: gap\ndata: " + _line(
                self._templates, "live_gap.html", zone=self._zone, query=query, **missing
            )
        return text


@lru_cache(_MOST_MADE)
def _row(templates: jinja2.Environment, zone: str, data: bytes) -> bytes:
    """One message as a row of the table; made once for all who see the same of it."""
    return _line(templates, "live_row.html", zone=zone, message=msgspec.json.decode(data))


def _line(templates: jinja2.Environment, name: str, **values: Any) -> bytes:  # noqa: ANN401 - what the template shows
    """On one line, as events have to be."""
    return " ".join(templates.get_template(name).render(**values).splitlines()).encode()


def _detail(body: bytes) -> bytes:
    problem: Json = msgspec.json.decode(body)
    return str(problem.get("detail", "")).encode()


def _chosen(request: PageRequest) -> dict[str, str]:
    return {name: text for name in _FOLLOWED if (text := request.query_params.get(name, "").strip())}


def _same(chosen: Mapping[str, str]) -> Same:
    words = words_of(chosen)
    is_said = chosen.keys() <= IN_COMMAND and all(word.isascii() and word.isprintable() for word in words)
    command = shlex.join(["ocpi-hub", "messages", "--follow", *words]) if is_said else None
    return Same(f"GET /api/v1/messages/live?{urlencode(chosen)}".rstrip("?"), command)
