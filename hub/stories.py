"""What happened to a message, put together from the entries of the journal that have its correlation id. Pure.

A story begins with one message of a platform. To it belong the calls it led to (deliveries of a broadcast, units of a
list of everybody's), and the result that came back later under a correlation id of its own. Partners use correlation
ids again: then there are several stories, and each call belongs to the latest message that was there before it.

The journal knows how long the hub had a message in its hands altogether, and how long the receiver did. So in a story
the hub's time stands before the call, and both together are the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from hub.advice import Advice, advice_of, fate_of
from hub.deliveries import Became, became
from hub.store.journal_entries import Failure, Hop, JournalEntry, Receivers
from hub.story_words import sentence_of, why
from routing.vocabulary import Party, Version

SHOWN_USES: Final = 20
"""Stories of one id that are told of, the newest."""
SHOWN_CALLS: Final = 50
"""Calls of one message that are shown, those that failed first."""
_CALLBACK: Final = "callback"
_BROADCAST: Final = "broadcast"
_BY_HUB: Final = "hub"
_LONGEST_STORY: Final = timedelta(hours=24)
"""An entry that is later than that belongs to another use of the id."""


class StepKind(StrEnum):
    """What a step of a story is."""

    REQUEST = "request"
    ANSWER = "answer"
    CALLBACK = "callback"
    """A request that brings a result."""
    HUB = "hub"
    """What the hub did in between."""


class Step(Struct, frozen=True):
    """One arrow of a story, or the hub's work between two. `sender` and `receiver` are parties; None where unknown."""

    at: datetime
    kind: StepKind
    sender: Party | None
    receiver: Party | None
    method: str | None
    path: str | None
    version: Version | None
    http_status: int | None
    ocpi_status: int | None
    ms: float | None
    """What it took: the hub's time, or the receiver's until it answered."""
    message_id: str
    failure: Failure | None = None
    is_outside: bool = False
    """Between the hub and who gets the message; else between the hub and who sent it."""


class Use(Struct, frozen=True):
    """One message that began with this correlation id."""

    entry: JournalEntry
    later: tuple[JournalEntry, ...] = ()
    """What belongs to it."""

    @property
    def entries(self) -> tuple[JournalEntry, ...]:
        """All of it, in the order of time."""
        return (self.entry, *self.later)


class LossCount(Struct, frozen=True):
    """How often one rule was applied."""

    loss: str
    count: int


class Summary(Struct, frozen=True):
    """A story in short. Times are milliseconds, and those of the first message."""

    sentence: str
    outcome: str
    failure: Failure | None
    advice: Advice | None
    """What to do, where something failed."""
    fate: str | None
    """What becomes of what failed."""
    hub_ms: float
    upstream_ms: float
    whole_ms: float
    until_last_ms: float
    """From the beginning until the last answer, that to a result included."""
    losses: tuple[LossCount, ...]
    receivers: Receivers | None
    left_out: int
    """Calls that are not among the steps."""


class Story(Struct, frozen=True):
    """One use of a correlation id, told."""

    first: datetime
    last: datetime
    steps: tuple[Step, ...]
    entries: tuple[JournalEntry, ...]
    summary: Summary


def uses_of(entries: Iterable[JournalEntry]) -> list[Use]:
    """The stories that these entries tell, oldest first. The entries are in the order of time.

    Results without a message that they belong to, which may have been forgotten, are a story of their own.
    """
    uses: list[Use] = []
    for entry in entries:
        before = next((use for use in reversed(uses) if _belongs(entry, use.entry)), None)
        if before is None:
            uses.append(Use(entry))
        else:
            uses[uses.index(before)] = Use(before.entry, (*before.later, entry))
    return uses


def _belongs(entry: JournalEntry, first: JournalEntry) -> bool:
    """Whether an entry is a part of the story that begins with another. The calls of a message are made soon."""
    if entry.callback_hash is not None and entry.callback_hash == first.callback_hash:
        return True
    if entry.time - first.time > _LONGEST_STORY or _is_result(entry):
        return False
    return entry.hop is not Hop.MESSAGE and not _is_result(first)


def _is_result(entry: JournalEntry) -> bool:
    """Whether it is the result of an earlier request, brought by who was asked, or made up by the hub in the end."""
    return entry.route == _CALLBACK or _is_own(entry)


def _is_own(entry: JournalEntry) -> bool:
    return entry.route == _BY_HUB and entry.sender_platform_id is None


def story_of(use: Use, hub: Party) -> Story:
    """The story of one use. `hub` is what the hub is called."""
    calls = [entry for entry in use.later if entry.hop is not Hop.MESSAGE]
    shown = set(_shown(calls))
    told = [entry for entry in use.entries if entry.hop is Hop.MESSAGE or entry.id in shown]
    steps = sorted((step for entry in told for step in _steps(entry, hub)), key=lambda step: step.at)
    last = max(_end(entry) for entry in use.entries)
    return Story(
        first=use.entry.time,
        last=last,
        steps=tuple(steps),
        entries=tuple(told),
        summary=_summary(use, calls, last, len(calls) - len(shown)),
    )


def _shown(calls: Sequence[JournalEntry]) -> list[str]:
    worst_first = sorted(calls, key=lambda entry: (entry.failure is None, entry.time))
    return [entry.id for entry in worst_first[:SHOWN_CALLS]]


def _end(entry: JournalEntry) -> datetime:
    return entry.time + timedelta(milliseconds=entry.hub_ms + entry.upstream_ms)


def _steps(entry: JournalEntry, hub: Party) -> Iterable[Step]:
    """Request, the hub's work, request, answer, answer: as far as there were these."""
    asked = StepKind.CALLBACK if _is_result(entry) else StepKind.REQUEST
    called = entry.time + timedelta(milliseconds=entry.hub_ms)
    inside = entry.hop is Hop.MESSAGE and not _is_own(entry)
    if inside:
        yield _step(entry, entry.time, asked, entry.sender, hub, path=entry.path, version=entry.source_version)
    yield _step(entry, entry.time, StepKind.HUB, hub, hub, ms=entry.hub_ms)
    if entry.upstream_request_id is not None:
        yield from _outside(entry, asked, called, hub)
    if inside:
        yield _step(
            entry,
            _end(entry),
            StepKind.ANSWER,
            hub,
            entry.sender,
            statuses=(entry.http_status, entry.ocpi_status),
            failure=entry.failure,
        )


def _outside(entry: JournalEntry, asked: StepKind, called: datetime, hub: Party) -> Iterable[Step]:
    """What passed between the hub and the receiver."""
    version = entry.target_version
    path = entry.upstream_path
    yield _step(entry, called, asked, hub, entry.receiver, path=path, version=version, is_outside=True)
    yield _step(
        entry,
        _end(entry),
        StepKind.ANSWER,
        entry.receiver,
        hub,
        statuses=(entry.upstream_http_status, entry.upstream_ocpi_status),
        ms=entry.upstream_ms,
        failure=entry.failure,
        is_outside=True,
    )


def _step(
    entry: JournalEntry,
    at: datetime,
    kind: StepKind,
    sender: Party | None,
    receiver: Party | None,
    *,
    path: str | None = None,
    version: Version | None = None,
    statuses: tuple[int | None, int | None] = (None, None),
    ms: float | None = None,
    failure: Failure | None = None,
    is_outside: bool = False,
) -> Step:
    method = None if path is None else entry.method
    return Step(at, kind, sender, receiver, method, path, version, *statuses, ms, entry.id, failure, is_outside)


def _summary(use: Use, calls: Sequence[JournalEntry], last: datetime, left_out: int) -> Summary:
    entry = use.entry
    worst = _worst(use)
    receivers = _receivers(entry, calls)
    losses = Counter(lost.loss for each in use.entries for lost in each.losses for _ in range(lost.count))
    return Summary(
        sentence=" ".join([sentence_of(entry, receivers), *_what_came_later(use, worst)]),
        outcome=_outcome(worst),
        failure=None if worst is None else worst.failure,
        advice=None if worst is None else advice_of(worst),
        fate=None if worst is None else fate_of(worst),
        hub_ms=entry.hub_ms,
        upstream_ms=entry.upstream_ms,
        whole_ms=round(entry.hub_ms + entry.upstream_ms, 3),
        until_last_ms=(last - entry.time) / timedelta(milliseconds=1),
        losses=tuple(LossCount(loss, count) for loss, count in sorted(losses.items())),
        receivers=receivers,
        left_out=left_out,
    )


def _worst(use: Use) -> JournalEntry | None:
    """The entry whose failure an operator should know of: the message's own, a result's, else that of a call."""
    failed = [entry for entry in use.entries if entry.failure is not None]
    return min(failed, key=lambda entry: entry.hop is not Hop.MESSAGE, default=None)


def _outcome(worst: JournalEntry | None) -> str:
    if worst is None:
        return "ok"
    return "failed" if worst.hop is Hop.MESSAGE else "partly"


def _what_came_later(use: Use, worst: JournalEntry | None) -> list[str]:
    results = [entry for entry in use.later if entry.hop is Hop.MESSAGE]
    said = [
        f"The result came {(result.time - use.entry.time).total_seconds():.3g} s later"
        + (f", and failed: {why(result)}." if result.failure is not None else ".")
        for result in results[:1]
    ]
    if worst is not None and worst.hop is not Hop.MESSAGE:
        said.append(f"Of its calls, that at {worst.receiver} failed: {why(worst)}.")
    return said


def _receivers(entry: JournalEntry, calls: Sequence[JournalEntry]) -> Receivers | None:
    """How the calls of a message ended: as far as there are entries, of what the message itself could not know yet."""
    if not calls or (entry.receivers is not None and entry.route != _BROADCAST):
        return entry.receivers
    told = len(calls) if entry.receivers is None else max(len(calls), entry.receivers.told)
    ends = Counter(became_of(call) for call in calls)
    return Receivers(told, ends[Became.DELIVERED], ends[Became.FAILED], ends[Became.SKIPPED])


def became_of(call: JournalEntry) -> Became:
    """What became of one of the calls that a message led to."""
    was_called = call.upstream_request_id is not None
    return became(call.failure, was_called=was_called, was_dropped=not call.http_status)
