"""`/api/v1/messages` and `/api/v1/stories`: what happened to messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import Provide
from litestar.params import FromPath, QueryParameter

from hub.hub import Hub
from hub.operator.access import TheCaller
from hub.operator.message_filters import Wanted, message_filter
from hub.operator.message_views import (
    MessageDetails,
    MessagesView,
    StoryView,
    message_details,
    message_view,
    story_view,
)
from hub.operator.platforms import Cursor, Limit, TheHub
from hub.operator.problems import Unacceptable, documented
from hub.operator.resources import Moment
from hub.operator.roles import FOR_PARTNERS, OperatorRole, audited_read
from hub.retranslating import retranslated
from hub.store.journal_entries import Capture
from hub.stories import Use, story_of, uses_of
from routing.errors import NoSuchPath

Since = Annotated[Moment | None, QueryParameter(description="The first moment.")]
Until = Annotated[Moment | None, QueryParameter(description="The first moment that is too late.")]
MessageID = FromPath[str]
CorrelationID = Annotated[str, QueryParameter(min_length=1, max_length=255)]
UseID = Annotated[
    str | None,
    QueryParameter(
        max_length=50,
        description="Which of several stories with this id: that of this message. The newest when left out.",
    ),
]


@get(
    "/messages",
    tags=["messages"],
    dependencies={"wanted": Provide(message_filter, sync_to_thread=False)},
    responses=documented(422, 503),
    opt=FOR_PARTNERS,
)
async def list_messages(
    hub: TheHub,
    me: TheCaller,
    wanted: Wanted,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> MessagesView:
    """Messages, newest first: every hop, so also each call of a broadcast and each part of a list of everybody's."""
    within = msgspec.structs.replace(wanted, since=aware("since", since), until=aware("until", until))
    found = await hub.journal_reads.page(within, limit=limit, cursor=cursor)
    items = tuple(message_view(entry, me.only_platform, hub.directory) for entry in found.items)
    return MessagesView(items, found.next_cursor, found.count, found.covered_from)


@get("/messages/{message_id:str}", tags=["messages"], responses=documented(404, 503), opt=audited_read(FOR_PARTNERS))
async def show_message(hub: TheHub, me: TheCaller, message_id: MessageID) -> MessageDetails:
    """One message, with its headers, bodies and translation as far as they were captured. Auditors see no bodies."""
    entry = await hub.journal_reads.get(message_id, scope=me.only_platform)
    if entry is None:
        raise NoSuchPath("There is no message of this id; it may have been forgotten, see HUB_JOURNAL_DAYS")
    capture = await hub.journal_reads.capture(message_id)
    translation = await retranslated(entry, capture, hub)
    bodies = me.role is not OperatorRole.AUDITOR
    return message_details(entry, capture or Capture(), translation, me.only_platform, hub.directory, bodies=bodies)


@get("/stories", tags=["messages"], responses=documented(404, 422, 503), opt=FOR_PARTNERS)
async def show_story(hub: TheHub, me: TheCaller, correlation_id: CorrelationID, use: UseID = None) -> StoryView:
    """Everything that happened under one correlation id: who asked whom what, what came of it, and where time went."""
    scope = me.only_platform
    uses = uses_of(await hub.journal_reads.of_correlation(correlation_id, scope=scope))
    if not uses:
        raise NoSuchPath(await _nothing(hub))
    chosen = _chosen(uses, use)
    story = story_of(chosen, hub.party)
    gaps = sum(gap.entries for gap in await hub.journal_reads.gaps(story.first, story.last))
    return story_view(correlation_id, uses, chosen, story, gaps, scope, hub.directory)


async def _nothing(hub: Hub) -> str:
    oldest = await hub.journal_reads.oldest()
    since = "; the journal is empty" if oldest is None else f" since {oldest:%Y-%m-%d %H:%M} UTC"
    return f"No message has this correlation id{since}. Check that it is complete"


def _chosen(uses: Sequence[Use], named: str | None) -> Use:
    if named is None:
        return uses[-1]
    chosen = next((use for use in uses if any(entry.id == named for entry in use.entries)), None)
    if chosen is None:
        raise NoSuchPath("No message of this id has this correlation id; `uses` lists those that began with it")
    return chosen


def aware(name: str, moment: datetime | None) -> datetime | None:
    """A moment that is one: without an offset nobody knows which is meant."""
    if moment is not None and moment.tzinfo is None:
        raise Unacceptable(detail=f"{name} has no offset; write it with Z at its end, such as 2026-11-22T08:00:00Z")
    return moment
