"""`/api/v1/messages/live`: messages as they end, as Server-Sent Events.

    event           data
    (none)          one message, as `/messages` has it; `id` is its id
    dropped         {"count": 12}: so many more fitted, and are left out
    gap             {"since": …, "until": …}: messages of that time are missing, as the stream was away too long
    reach           {"everywhere": false}: from now on only messages of the process that was asked are shown

WHATWG HTML, "Server-sent events". A stream ends after some minutes, so that a token that ends opens it no longer; who
comes back with `Last-Event-ID` goes on where it was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import lru_cache
from time import monotonic
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get
from litestar.di import Provide
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream
from msgspec import Struct

from hub.hub import Hub
from hub.live import News, Shown
from hub.operator.access import TheCaller
from hub.operator.message_filters import Wanted, message_filter
from hub.operator.message_views import MessageView, message_view
from hub.operator.platforms import TheHub
from hub.operator.problems import NotAcceptable, documented
from hub.operator.roles import FOR_PARTNERS, Me
from hub.store.journal_filters import MessageFilter
from hub.store.live_directory import LiveDirectory

MEDIA_TYPE: Final = "text/event-stream"
UNBUFFERED: Final = {"X-Accel-Buffering": "no"}
"""What has a proxy hand on each part as it comes."""
HEARTBEAT_S: Final = 3.0
"""Between signs of life."""
_LASTS_S: Final = 300.0
_BEGIN: Final = b"retry: 1000\n: messages as they end\n\n"
_ALIVE: Final = b": still here\n\n"
_MOST_MADE: Final = 1024

LastEventID = Annotated[
    str | None, HeaderParameter(name="Last-Event-ID", description="The id of the last message that was seen.")
]
After = Annotated[
    str | None, QueryParameter(max_length=50, description="The same, for a client that cannot set headers.")
]


class Dropped(Struct, frozen=True):
    """How many were left out."""

    count: int


class Missing(Struct, frozen=True):
    """When they were."""

    since: datetime
    until: datetime


class Reach(Struct, frozen=True):
    """Whose messages are shown."""

    everywhere: bool


@get(
    "/messages/live",
    tags=["messages"],
    media_type=MEDIA_TYPE,
    dependencies={"wanted": Provide(message_filter, sync_to_thread=False)},
    responses={
        200: ResponseSpec(
            MessageView, media_type=MEDIA_TYPE, generate_examples=False, description="Each event's data."
        ),
        **documented(406, 422, 503),
    },
    opt=FOR_PARTNERS,
)
async def follow_messages(
    hub: TheHub,
    me: TheCaller,
    request: Request[Any, Any, Any],
    wanted: Wanted,
    last_event_id: LastEventID = None,
    after: After = None,
) -> Stream:
    """Messages as they end, without those of which there are too many: see event `dropped`.

    Further events are `gap` and `reach`, see docs/operating.md. At most twenty may watch.
    """
    streams_only(request)
    hub.live.refuse_when_full()
    events = _events(hub, me, wanted, last_event_id or after)
    return Stream(events, media_type=MEDIA_TYPE, headers=UNBUFFERED)


def streams_only(request: Request[Any, Any, Any]) -> None:
    """Raises NotAcceptable for somebody who would wait in vain for the end of the answer."""
    if MEDIA_TYPE not in request.headers.get("accept", ""):
        raise NotAcceptable(detail=f"This answer does not end by itself; ask for it with Accept: {MEDIA_TYPE}")


def event(name: str, data: bytes) -> bytes:
    """One event with a name of its own."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


async def _events(hub: Hub, me: Me, wanted: MessageFilter, last_id: str | None) -> AsyncIterator[bytes]:
    live, ends_at, is_everywhere = hub.live, monotonic() + _seconds(me), True
    with live.watching(wanted, last_id) as viewer:
        yield _BEGIN
        if viewer.gap is not None:
            yield event("gap", msgspec.json.encode(Missing(*viewer.gap)))
        while not live.is_over and monotonic() < ends_at:
            news = await viewer.news(HEARTBEAT_S)
            if live.is_everywhere is not is_everywhere:
                is_everywhere = live.is_everywhere
                yield event("reach", msgspec.json.encode(Reach(is_everywhere)))
            yield _said(news, me.only_platform, hub.directory) or _ALIVE


def _seconds(me: Me) -> float:
    """How long a stream lasts."""
    if me.expires_at is None:
        return _LASTS_S
    return min(_LASTS_S, (me.expires_at - datetime.now(UTC)).total_seconds())


def _said(news: News, scope: str | None, directory: LiveDirectory) -> bytes:
    parts = [_message(shown, scope, directory) for shown in news.rows]
    if news.left_out:
        parts.append(event("dropped", msgspec.json.encode(Dropped(news.left_out))))
    return b"".join(parts)


@lru_cache(_MOST_MADE)
def _message(shown: Shown, scope: str | None, directory: LiveDirectory) -> bytes:
    """The event of one message, made once for all who see the same of it."""
    data = msgspec.json.encode(message_view(shown.entry, scope, directory))
    return b"id: %b\ndata: %b\n\n" % (shown.entry.id.encode(), data)
