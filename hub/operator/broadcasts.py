"""`/api/v1/broadcasts`: what the hub spread to everybody, and what became of it at each receiver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery
from msgspec import Meta, Struct

from hub.broadcasts import on_its_way_to
from hub.deliveries import Became, Skip, became, why_skipped
from hub.hub import Hub
from hub.operator.message_filters import PartyName, Text
from hub.operator.message_views import LossPlace, Milliseconds, Sender, loss_place, party_text
from hub.operator.messages import Since, Until, UseID, aware
from hub.operator.platforms import Cursor, Limit, TheHub
from hub.operator.problems import Unacceptable, documented
from hub.operator.roles import FOR_AUDITORS
from hub.store.journal_entries import Failure, JournalEntry
from hub.store.journal_filters import MessageFilter
from hub.store.journal_reads import DeliverySum
from hub.stories import Use, became_of, uses_of
from routing.errors import NoSuchPath
from routing.vocabulary import Party, Version

UNDER_WAY: Final = timedelta(seconds=65)
"""So long after a broadcast there may be news of it: half a minute to begin, and another for the answer."""
_MOST_UNDER_WAY: Final = 100
_BROADCAST: Final = "broadcast"
_WORST_FIRST: Final = (Became.FAILED, Became.SKIPPED, Became.DELIVERED)
_UNNEEDED: Final = "The receiver's version has no word for what was changed"


class Spread(StrEnum):
    """What came of a broadcast, roughly."""

    OK = "ok"
    """It was accepted, and no delivery failed as far as is known."""
    MISSED = "missed"
    """Some receiver did not get it."""
    REFUSED = "refused"
    """The hub did not accept it."""


class ReasonView(Struct, frozen=True):
    """Receivers that did not get it, or did not have to, for the same reason."""

    outcome: Became
    why: Annotated[str, Meta(description="A failure as in messages; of the skipped merged, offline, stale, ...")]
    count: int


class BroadcastView(Struct, frozen=True):
    """One message for everybody. Of what the journal does not know, numbers are null."""

    id: str
    """Of the message."""
    at: datetime
    correlation_id: str
    sender: Sender = msgspec.field(name="from")
    sender_platform: str | None = msgspec.field(name="from_platform")
    module: str
    method: str
    path: str
    object_type: str | None
    object_id: str | None
    version: Version
    versions: tuple[Version, ...]
    """Those it was sent on in."""
    failure: Failure | None
    """Why the hub did not accept it."""
    reason: str | None
    told: int
    """Receivers it was for."""
    delivered: int | None
    failed: int | None
    skipped: int | None
    waiting: int | None
    """Those it may still come to."""
    unknown: int | None
    """Those of which the journal says nothing, and will not any more."""
    reasons: tuple[ReasonView, ...]
    """Failures first, the commonest first."""
    until_last_ms: Milliseconds | None
    """From when it came until the last receiver was done."""


class BroadcastsView(Struct, frozen=True):
    """Part of the list of broadcasts, newest first."""

    items: tuple[BroadcastView, ...]
    next_cursor: str | None
    count: Annotated[
        int | None, Meta(description="On the first page: exact up to 1000, 1001 for more. Null when it took too long.")
    ]
    covered_from: Annotated[
        datetime | None, Meta(description="Set when there was no time to look at what is older than that.")
    ]


class ReceiverView(Struct, frozen=True):
    """What became of it at one receiver."""

    message_id: str
    party: str | None
    platform: str | None
    outcome: Became
    failure: Failure | None
    skip: Skip | None
    """Why it was not called."""
    reason: str | None
    at: datetime
    after_ms: Milliseconds
    """When its turn came, since the broadcast did."""
    version: Version | None
    http_status: int | None
    """Of its answer, as `ocpi_status` is."""
    ocpi_status: int | None
    hub_ms: Milliseconds
    partner_ms: Milliseconds
    losses: tuple[LossPlace, ...]


class UnderWayView(Struct, frozen=True):
    """A receiver of which there is no outcome yet."""

    party: str
    platform: str | None


class BroadcastDetails(BroadcastView, frozen=True):
    """One broadcast with its receivers, those that failed first."""

    used_times: int
    """Broadcasts with this correlation id."""
    receivers: tuple[ReceiverView, ...]
    next_cursor: str | None
    under_way: Annotated[
        tuple[UnderWayView, ...] | None,
        Meta(description="Receivers where it waits for its turn, or the answer; at most 100. Null: that is not known."),
    ]


CorrelationID = FromPath[str]


@get("/broadcasts", tags=["messages"], responses=documented(422, 503), opt=FOR_AUDITORS)
async def list_broadcasts(
    hub: TheHub,
    party: PartyName = None,
    module: Text = None,
    outcome: FromQuery[Spread | None] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> BroadcastsView:
    """Messages for everybody, newest first: how many were told, and how many got it."""
    wanted = MessageFilter(
        broadcasts=True,
        party=None if party is None else Party.read(party[:2], party[3:]),
        module=module,
        failed=None if outcome is None else outcome is Spread.REFUSED,
        missed=None if outcome in {None, Spread.REFUSED} else outcome is Spread.MISSED,
        since=aware("since", since),
        until=aware("until", until),
    )
    found = await hub.journal_reads.page(wanted, limit=limit, cursor=cursor)
    try:
        sums = await hub.journal_reads.deliveries(found.items)
    except TimeoutError:
        sums = None
    now = datetime.now(UTC)
    items = tuple(_view(entry, _sums_of(entry, found.items, sums), now) for entry in found.items)
    return BroadcastsView(items, found.next_cursor, found.count, found.covered_from)


@get("/broadcasts/{correlation_id:path}", tags=["messages"], responses=documented(404, 422, 503), opt=FOR_AUDITORS)
async def show_broadcast(
    hub: TheHub, correlation_id: CorrelationID, use: UseID = None, limit: Limit = 100, cursor: Cursor = None
) -> BroadcastDetails:
    """One message for everybody, and what became of it at each receiver. `use` is one of several with this id."""
    entries = await hub.journal_reads.of_correlation(correlation_id.removeprefix("/"), scope=None)
    uses = [each for each in uses_of(entries) if each.entry.route == _BROADCAST]
    chosen = next((each for each in reversed(uses) if use in {None, each.entry.id}), None)
    if chosen is None:
        raise NoSuchPath("There is no broadcast with this correlation id; it may have been forgotten")
    first = 0 if cursor is None else _offset(cursor)
    receivers = _receivers(chosen)
    view = _view(chosen.entry, [_sum_of(each) for each in chosen.later], datetime.now(UTC))
    more = first + limit < len(receivers)
    return BroadcastDetails(
        **{name: getattr(view, name) for name in view.__struct_fields__},
        used_times=len(uses),
        receivers=tuple(receivers[first : first + limit]),
        next_cursor=str(first + limit) if more else None,
        under_way=await _under_way(chosen, uses, hub) if view.waiting else (),
    )


async def _under_way(use: Use, uses: Sequence[Use], hub: Hub) -> tuple[UnderWayView, ...] | None:
    """Where it still is, without those of which the journal knows more by now."""
    ids = (use.entry.correlation_id, use.entry.request_id)
    newest = next(each for each in reversed(uses) if (each.entry.correlation_id, each.entry.request_id) == ids)
    left = await on_its_way_to(*ids, hub) if newest is use else None
    if left is None:
        return None
    names = sorted(left - {str(call.receiver) for call in use.later})[:_MOST_UNDER_WAY]
    entries = [hub.directory.snapshot.entry(Party.read(name[:2], name[3:])) for name in names]
    return tuple(
        UnderWayView(name, None if entry is None else entry.platform_id)
        for name, entry in zip(names, entries, strict=True)
    )


def _offset(cursor: str) -> int:
    if not cursor.isdecimal() or len(cursor) > len("1000000"):
        raise Unacceptable(detail="The cursor is not one that an earlier answer gave")
    return int(cursor)


def _sums_of(
    entry: JournalEntry, page: Sequence[JournalEntry], sums: Sequence[DeliverySum] | None
) -> list[DeliverySum] | None:
    """What became of one of a page; None where that cannot be told from another one with the same ids."""
    ids = (entry.correlation_id, entry.request_id)
    if sums is None or sum((each.correlation_id, each.request_id) == ids for each in page) > 1:
        return None
    return [each for each in sums if (each.correlation_id, each.request_id) == ids]


def _sum_of(call: JournalEntry) -> DeliverySum:
    return DeliverySum(
        call.correlation_id,
        call.request_id,
        call.failure,
        call.upstream_request_id is not None,
        not call.http_status,
        call.target_version,
        1,
        call.time + timedelta(milliseconds=call.hub_ms + call.upstream_ms),
    )


def _view(entry: JournalEntry, sums: Sequence[DeliverySum] | None, now: datetime) -> BroadcastView:
    told = 0 if entry.receivers is None else entry.receivers.told
    known = () if sums is None else sums
    numbers = dict.fromkeys(Became, 0)
    for each in known:
        numbers[_became(each)] += each.number
    missing = max(told - sum(numbers.values()), 0) if entry.failure is None else 0
    is_under_way = now - entry.time < UNDER_WAY
    last = max((each.last for each in known), default=None)
    none = sums is None
    return BroadcastView(
        id=entry.id,
        at=entry.time,
        correlation_id=entry.correlation_id,
        sender=party_text(entry.sender),
        sender_platform=entry.sender_platform_id,
        module=entry.module,
        method=entry.method,
        path=entry.path,
        object_type=entry.object_type,
        object_id=entry.object_id,
        version=entry.source_version,
        versions=tuple(sorted({each.version for each in known if each.version is not None and each.was_called})),
        failure=entry.failure,
        reason=entry.reason,
        told=told,
        delivered=None if none else numbers[Became.DELIVERED],
        failed=None if none else numbers[Became.FAILED],
        skipped=None if none else numbers[Became.SKIPPED],
        waiting=None if none else missing if is_under_way else 0,
        unknown=None if none else 0 if is_under_way else missing,
        reasons=_reasons(known),
        until_last_ms=None if last is None else round((last - entry.time) / timedelta(milliseconds=1), 3),
    )


def _became(each: DeliverySum) -> Became:
    return became(each.failure, was_called=each.was_called, was_dropped=each.was_dropped)


def _reasons(sums: Iterable[DeliverySum]) -> tuple[ReasonView, ...]:
    counts: dict[tuple[Became, str], int] = {}
    for each in sums:
        end = _became(each)
        if end is Became.DELIVERED:
            continue
        skip = why_skipped(each.failure, was_dropped=each.was_dropped)
        why = str(skip) if end is Became.SKIPPED else str(each.failure)
        counts[end, why] = counts.get((end, why), 0) + each.number
    worst = sorted(counts.items(), key=lambda found: (_WORST_FIRST.index(found[0][0]), -found[1], found[0][1]))
    return tuple(ReasonView(*found, count) for found, count in worst)


def _receivers(use: Use) -> list[ReceiverView]:
    views = [_receiver(call, use.entry) for call in use.later]
    return sorted(views, key=lambda each: (_WORST_FIRST.index(each.outcome), each.at, each.message_id))


def _receiver(call: JournalEntry, broadcast: JournalEntry) -> ReceiverView:
    end = became_of(call)
    is_skipped = end is Became.SKIPPED
    skip = why_skipped(call.failure, was_dropped=not call.http_status) if is_skipped else None
    return ReceiverView(
        message_id=call.id,
        party=party_text(call.receiver),
        platform=call.receiver_platform_id,
        outcome=end,
        failure=call.failure,
        skip=skip,
        reason=_UNNEEDED if skip is Skip.UNNEEDED else call.reason,
        at=call.time,
        after_ms=round((call.time - broadcast.time) / timedelta(milliseconds=1), 3),
        version=call.target_version,
        http_status=call.upstream_http_status,
        ocpi_status=call.upstream_ocpi_status,
        hub_ms=call.hub_ms,
        partner_ms=call.upstream_ms,
        losses=tuple(map(loss_place, call.losses)),
    )
