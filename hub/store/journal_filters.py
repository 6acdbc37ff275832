"""Which entries of the journal somebody wants, as conditions that its indexes can serve."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Struct
from sqlalchemy import ColumnElement, Text, type_coerce
from sqlalchemy.orm import aliased
from sqlmodel import and_, col, exists, not_, or_, tuple_

from hub.store.journal_entries import Failure, Hop
from hub.store.journal_tables import IS_BROADCAST, EntryKey, JournalRow
from routing.vocabulary import Party, Version

Conditions: TypeAlias = list[ColumnElement[bool]]


class MessageFilter(Struct, frozen=True, kw_only=True):
    """Which entries are wanted; None for any. `scope` is the platform whose messages somebody may see."""

    scope: str | None = None
    correlation_id: str | None = None
    request_id: str | None = None
    """That of the request that came in, or of the one that was sent on."""
    party: Party | None = None
    platform_id: str | None = None
    peer: Party | str | None = None
    """The other side of `party` or `platform_id`: a party, or the id of a platform."""
    one_way: bool = False
    """Of these only what `party` or `platform_id` sent."""
    broadcasts: bool = False
    """Only messages for everybody, without the calls they led to."""
    module: str | None = None
    route: str | None = None
    failed: bool | None = None
    failures: Collection[Failure] = ()
    missed: bool | None = None
    """Of broadcasts: whether a call failed, or a receiver was left out for a failure."""
    object_type: str | None = None
    object_id: str | None = None
    token_hash: bytes | None = None
    statuses: tuple[int, int] | None = None
    """OCPI status codes, from the first to the last."""
    loss: str | None = None
    lossy: bool | None = None
    source_version: Version | None = None
    target_version: Version | None = None
    min_ms: float | None = None
    """Whole time, hub and receiver together."""
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""


def branches(wanted: MessageFilter) -> list[Conditions]:
    """What holds for an entry: one list for each way in which it may match, of which each entry has one.

    Somebody's messages are those it sent, and those it received from others. Each of the two is the order of an index.
    """
    everywhere = _conditions(wanted)
    forwards, backwards = _ends(wanted)
    if not forwards:
        return [everywhere]
    if wanted.one_way:
        return [[*everywhere, *forwards]]
    return [[*everywhere, *forwards], [*everywhere, *backwards, _unlike(and_(*forwards))]]


def seen_from(scope: str | None) -> Conditions:
    """Only what this platform sent or received; anything for None."""
    if scope is None:
        return []
    return [or_(col(JournalRow.sender_platform_id) == scope, col(JournalRow.receiver_platform_id) == scope)]


def before(key: EntryKey) -> ColumnElement[bool]:
    """Entries that are older. The first condition says a part of the second, to who chooses among partitions."""
    place = tuple_(col(JournalRow.time), col(JournalRow.number))
    return and_(col(JournalRow.time) <= key.time, place < tuple_(key.time, key.number))


def _ends(wanted: MessageFilter) -> tuple[Conditions, Conditions]:
    """Who is asked for as the sender, and who as the receiver."""
    row = JournalRow
    sender, receiver = (row.sender, row.sender_platform_id), (row.receiver, row.receiver_platform_id)
    is_asked = wanted.party is not None or wanted.platform_id is not None
    platform_id = wanted.platform_id or (None if is_asked else wanted.scope)
    if not is_asked and platform_id is None:
        return [], []
    return (
        _at(sender, wanted.party, platform_id) + _peer_at(receiver, wanted.peer),
        _at(receiver, wanted.party, platform_id) + _peer_at(sender, wanted.peer),
    )


def _at(end: tuple[Any, Any], party: Party | None, platform_id: str | None) -> Conditions:
    names = zip(end, (party, platform_id), strict=True)
    return [col(column) == value for column, value in names if value is not None]


def _peer_at(end: tuple[Any, Any], peer: Party | str | None) -> Conditions:
    return _at(end, peer, None) if isinstance(peer, Party) else _at(end, None, peer)


def _unlike(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The opposite; of what is unknown, too."""
    return not_(condition).is_not(False)


def _conditions(wanted: MessageFilter) -> Conditions:
    """What holds for an entry whichever way it matches."""
    row = JournalRow
    equal: list[tuple[Any, object]] = [
        (row.correlation_id, wanted.correlation_id),
        (row.module, wanted.module),
        (row.route, wanted.route),
        (row.object_type, wanted.object_type),
        (row.object_id, wanted.object_id),
        (row.token_hash, wanted.token_hash),
        (row.source_version, wanted.source_version),
        (row.target_version, wanted.target_version),
    ]
    found = [col(column) == value for column, value in equal if value is not None]
    if wanted.request_id is not None:
        ids = (row.request_id, row.upstream_request_id)
        found.append(or_(*(col(column) == wanted.request_id for column in ids)))
    if wanted.party is not None or wanted.platform_id is not None:
        found += seen_from(wanted.scope)
    return [*found, *_measured(wanted), *_failing(wanted), *_losing(wanted), *_broadcast(wanted)]


def _measured(wanted: MessageFilter) -> Conditions:
    row = JournalRow
    found: Conditions = []
    if wanted.since is not None:
        found.append(col(row.time) >= wanted.since)
    if wanted.until is not None:
        found.append(col(row.time) < wanted.until)
    if wanted.statuses is not None:
        found.append(col(row.ocpi_status).between(*wanted.statuses))
    if wanted.min_ms is not None:
        found.append(col(row.hub_us) + col(row.upstream_us) >= int(wanted.min_ms * 1000))
    return found


def _failing(wanted: MessageFilter) -> Conditions:
    failure = col(JournalRow.failure)
    found: Conditions = []
    if wanted.failures:
        found += [failure.is_not(None), failure.in_(list(wanted.failures))]
    if wanted.failed is not None:
        found.append(failure.is_not(None) if wanted.failed else failure.is_(None))
    return found


def _broadcast(wanted: MessageFilter) -> Conditions:
    found: Conditions = [IS_BROADCAST] if wanted.broadcasts else []
    if wanted.missed is not None:
        row, call = JournalRow, aliased(JournalRow)
        missed = exists().where(
            col(call.correlation_id) == col(row.correlation_id),
            col(call.request_id) == col(row.request_id),
            col(call.time) >= col(row.time),
            col(call.hop) == Hop.DELIVERY,
            col(call.failure).is_not(None),
        )
        found.append(missed if wanted.missed else not_(missed))
    return found


def _losing(wanted: MessageFilter) -> Conditions:
    losses = col(JournalRow.losses)
    found: Conditions = []
    if wanted.lossy is not None:
        found.append(losses.is_not(None) if wanted.lossy else losses.is_(None))
    if wanted.loss is not None:
        written = f'"loss":"{wanted.loss}"'  # the column is JSON text
        found += [losses.is_not(None), type_coerce(losses, Text).contains(written, autoescape=True)]
    return found
