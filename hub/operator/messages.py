"""`/api/v1/messages` and `/api/v1/stories`: what happened to messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from hub.hub import Hub
from hub.operator.access import TheCaller
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
from hub.store.journal_entries import Capture, Failure
from hub.store.journal_filters import MessageFilter
from hub.stories import Use, story_of, uses_of
from hub.story_words import BY_RECEIVER, REFUSED
from routing.errors import NoSuchPath
from routing.vocabulary import Party, Version

_PARTY: Final = re.compile(r"[A-Za-z]{2}\*[!-~]{1,3}")
_STATUS: Final = re.compile(r"([1-9])(?:([0-9]{3})|xxx)", re.IGNORECASE)
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_CLASS: Final = 1000


class Result(StrEnum):
    """What came of a message, roughly. Each of the failures may be named instead."""

    OK = "ok"
    FAILED = "failed"
    """For whatever reason."""
    REFUSED = "refused"
    """The hub itself answered that it cannot be."""
    UNANSWERED = "unanswered"
    """The receiver did not answer, or not well."""


_OUTCOMES: Final = ", ".join([*Result, *Failure])

Text = Annotated[str | None, QueryParameter(max_length=255)]
PartyName = Annotated[str | None, QueryParameter(pattern=r"^[A-Za-z]{2}\*[!-~]{1,3}$", description="Such as NL*ABC.")]
Peer = Annotated[
    str | None,
    QueryParameter(max_length=32, description="The other side of `party` or `platform`: NL*ABC, or a platform's id."),
]
OneWay = Annotated[bool, QueryParameter(description="Only what `party` or `platform` sent, and not what it got.")]
Outcome = Annotated[str | None, QueryParameter(max_length=30, description=f"One of {_OUTCOMES}.")]
Statuses = Annotated[
    str | None,
    QueryParameter(pattern=r"^[1-9]([0-9]{3}|[xX]{3})$", description="Such as 4003, or 4xxx for all of these."),
]
LossID = Annotated[str | None, QueryParameter(pattern=r"^(L|M|RF)-[0-9]{2}$", description="Such as L-24.")]
Since = Annotated[Moment | None, QueryParameter(description="The first moment.")]
Until = Annotated[Moment | None, QueryParameter(description="The first moment that is too late.")]
Least = Annotated[float | None, QueryParameter(ge=0, description="Least time altogether, in milliseconds.")]
Uid = Annotated[
    str | None, QueryParameter(max_length=255, description="Uid of a Token. It is stored nowhere, only a keyed hash.")
]
TokenHash = Annotated[
    str | None, QueryParameter(pattern=r"^[0-9a-f]{64}$", description="That hash, as `resolve` gives it in URLs.")
]
MessageID = FromPath[str]
CorrelationID = Annotated[str, QueryParameter(min_length=1, max_length=255)]
UseID = Annotated[
    str | None,
    QueryParameter(
        max_length=50,
        description="Which of several stories with this id: that of this message. The newest when left out.",
    ),
]


@get("/messages", tags=["messages"], responses=documented(422, 503), opt=FOR_PARTNERS)
async def list_messages(
    hub: TheHub,
    me: TheCaller,
    correlation_id: Text = None,
    request_id: Text = None,
    party: PartyName = None,
    platform: Text = None,
    peer: Peer = None,
    one_way: OneWay = False,
    module: Text = None,
    route: Text = None,
    outcome: Outcome = None,
    object_type: Text = None,
    object_id: Text = None,
    token_uid: Uid = None,
    token_hash: TokenHash = None,
    ocpi_status: Statuses = None,
    loss: LossID = None,
    lossy: FromQuery[bool | None] = None,
    source_version: FromQuery[Version | None] = None,
    target_version: FromQuery[Version | None] = None,
    min_ms: Least = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> MessagesView:
    """Messages, newest first: every hop, so also each call of a broadcast and each part of a list of everybody's."""
    if peer is not None and party is None and platform is None:
        raise Unacceptable(detail="peer is the other side of party or platform; give one of these, too")
    if one_way and party is None and platform is None:
        raise Unacceptable(detail="one_way is from party or platform; give one of these, too")
    failed, failures = _outcome(outcome)
    wanted = MessageFilter(
        scope=me.only_platform,
        correlation_id=correlation_id,
        request_id=request_id,
        party=None if party is None else _party(party),
        platform_id=platform,
        peer=_party(peer) if peer is not None and _PARTY.fullmatch(peer) else peer,
        one_way=one_way,
        module=module,
        route=route,
        failed=failed,
        failures=failures,
        object_type=object_type,
        object_id=object_id,
        token_hash=_token_hash(token_uid, token_hash, hub),
        statuses=None if ocpi_status is None else _statuses(ocpi_status),
        loss=loss,
        lossy=lossy,
        source_version=source_version,
        target_version=target_version,
        min_ms=min_ms,
        since=aware("since", since),
        until=aware("until", until),
    )
    found = await hub.journal_reads.page(wanted, limit=limit, cursor=cursor)
    items = tuple(message_view(entry, me.only_platform) for entry in found.items)
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
    return message_details(entry, capture or Capture(), translation, me.only_platform, bodies=bodies)


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
    return story_view(correlation_id, uses, chosen, story, gaps, scope)


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


def _outcome(name: str | None) -> tuple[bool | None, frozenset[Failure]]:
    """Whether it failed, and how."""
    match name:
        case None:
            return None, frozenset()
        case Result.OK:
            return False, frozenset()
        case Result.FAILED:
            return True, frozenset()
        case Result.REFUSED:
            return None, REFUSED
        case Result.UNANSWERED:
            return None, BY_RECEIVER
        case _ if name in set(Failure):
            return None, frozenset({Failure(name)})
        case _:
            raise Unacceptable(detail=f"outcome is one of {_OUTCOMES}")


def aware(name: str, moment: datetime | None) -> datetime | None:
    """A moment that is one: without an offset nobody knows which is meant."""
    if moment is not None and moment.tzinfo is None:
        raise Unacceptable(detail=f"{name} has no offset; write it with Z at its end, such as 2026-11-22T08:00:00Z")
    return moment


def _party(text: str) -> Party:
    return Party.read(text[:2], text[3:])


def _statuses(text: str) -> tuple[int, int]:
    if text.isdigit():
        return int(text), int(text)
    first = int(text[0]) * _CLASS
    return first, first + _CLASS - 1


def _token_hash(uid: str | None, hashed: str | None, hub: Hub) -> bytes | None:
    if uid is not None:
        return hub.vault.uid_hash(uid)
    return None if hashed is None else bytes.fromhex(hashed)
