"""What the operator API says of messages, and how much of it an engineer of one platform may see.

Such an engineer sees the side of its own platform: what it sent and was answered, or what it was sent and answered.
Of the other side it sees whose it is, and no header, no URL, no time and no error.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from hub.operator.resources import PartyText
from hub.retranslating import Retranslation
from hub.store.journal_entries import Capture, Failure, HeaderTexts, Hop, JournalEntry, NotedLoss, Receivers
from hub.store.live_directory import LiveDirectory
from hub.stories import SHOWN_USES, LossCount, Step, StepKind, Story, Use
from hub.story_words import BY_RECEIVER, asked_of
from routing.translation.losses import CATALOGUE
from routing.vocabulary import InterfaceRole, Party, Version

Sender: TypeAlias = Annotated[PartyText | None, Meta(description="Null where nobody is known.")]
Milliseconds: TypeAlias = Annotated[float, Meta(description="Milliseconds.")]


class LossPlace(Struct, frozen=True):
    """A rule that was applied on the way."""

    loss: Annotated[str, Meta(description="As in docs/translation.md.", examples=["L-24"])]
    object: str | None
    """None when it was something beside an object, such as a URL."""
    path: str | None
    """JSON pointer, where it is known."""
    in_answer: bool
    count: int


class MessageView(Struct, frozen=True):
    """One hop: a request at the hub or by the hub, and its answer. What is null is unknown, or not to be seen."""

    id: str
    time: datetime
    hop: Hop
    correlation_id: str
    request_id: str | None
    upstream_request_id: str | None
    sender: Sender = msgspec.field(name="from")
    receiver: Sender = msgspec.field(name="to")
    sender_platform: str | None = msgspec.field(name="from_platform")
    receiver_platform: str | None = msgspec.field(name="to_platform")
    sender_name: str | None = msgspec.field(name="from_name")
    """Of the platform, as it is called now."""
    receiver_name: str | None = msgspec.field(name="to_name")
    route: str
    module: str
    interface: InterfaceRole | None
    method: str
    path: str | None
    upstream_path: str | None
    source_version: Version
    target_version: Version | None
    http_status: int | None
    ocpi_status: int | None
    upstream_http_status: int | None
    upstream_ocpi_status: int | None
    hub_ms: Milliseconds | None
    upstream_ms: Milliseconds | None
    whole_ms: Milliseconds | None
    losses: tuple[LossPlace, ...]
    object_type: str | None
    object_id: str | None
    failure: Failure | None
    reason: str | None
    receivers: Receivers | None


class MessagesView(Struct, frozen=True):
    """Part of the list of messages, newest first."""

    items: tuple[MessageView, ...]
    next_cursor: str | None
    count: Annotated[
        int | None, Meta(description="On the first page: exact up to 1000, 1001 for more. Null when it took too long.")
    ]
    covered_from: Annotated[
        datetime | None, Meta(description="Set when there was no time to look at what is older than that.")
    ]


class HeaderLine(Struct, frozen=True):
    """One header, masked where it is secret."""

    name: str
    value: str


class MessageDetails(MessageView, frozen=True):
    """One message with everything there is to know of it. Headers and bodies are null unless capture was on."""

    request_headers: tuple[HeaderLine, ...] | None
    upstream_request_headers: tuple[HeaderLine, ...] | None
    upstream_answer_headers: tuple[HeaderLine, ...] | None
    answer_headers: tuple[HeaderLine, ...] | None
    request_body: str | None
    upstream_request_body: str | None
    upstream_answer_body: str | None
    answer_body: str | None
    translation: Retranslation | None
    """Null where nothing was translated."""


class HopView(Struct, frozen=True):
    """One arrow of a story, or what the hub did between two."""

    at: datetime
    kind: StepKind
    sender: Sender = msgspec.field(name="from")
    receiver: Sender = msgspec.field(name="to")
    method: str | None
    path: str | None
    version: Version | None
    http_status: int | None
    ocpi_status: int | None
    ms: Milliseconds | None
    message_id: str
    failure: Failure | None


class UseView(Struct, frozen=True):
    """One message that began with a correlation id."""

    message_id: str
    at: datetime
    sender: Sender = msgspec.field(name="from")
    receiver: Sender = msgspec.field(name="to")
    module: str
    method: str
    ocpi_status: int | None
    failure: Failure | None


class LossSum(Struct, frozen=True):
    """How often one rule was applied in a story."""

    loss: str
    count: int
    meaning: str | None
    """What happens; None for a rule that this version of the hub does not know."""


class SummaryView(Struct, frozen=True):
    """A story in short."""

    sentence: str
    outcome: Annotated[str, Meta(description="ok, failed, or partly: a call that the message led to failed.")]
    failure: Failure | None
    advice: Annotated[str | None, Meta(description="What to do about it.")]
    commands: Annotated[tuple[str, ...], Meta(description="The same for a shell, as far as a command helps.")]
    fate: Annotated[str | None, Meta(description="What becomes of what failed.")]
    hub_ms: Milliseconds | None
    upstream_ms: Milliseconds | None
    whole_ms: Milliseconds
    until_last_ms: Milliseconds
    losses: tuple[LossSum, ...]
    receivers: Receivers | None
    left_out: Annotated[int, Meta(description="Calls that are not among hops and messages.")]
    gaps: Annotated[int, Meta(description="Entries of that time that the journal could not keep, of any message.")]


class StoryView(Struct, frozen=True):
    """What happened to one message, from its first hop to its last."""

    correlation_id: str
    first: datetime
    last: datetime
    used_times: int
    uses: tuple[UseView, ...]
    """The newest 20, where the id was used for several messages."""
    use: str
    """Which of them is told here: the id of its first message."""
    hops: tuple[HopView, ...]
    messages: tuple[MessageView, ...]
    summary: SummaryView


def message_view(entry: JournalEntry, scope: str | None, directory: LiveDirectory) -> MessageView:
    """A message as somebody sees it. `scope` is the platform whose engineer that is; `directory` has the names."""
    sends, receives = _sides(entry, scope)
    source, target = (
        entry.sender_platform_id if sends else None,
        entry.receiver_platform_id if receives else None,
    )
    sees_all = sends and receives
    failure = entry.failure if sees_all or (sends and entry.failure not in BY_RECEIVER) else None
    return MessageView(
        id=entry.id,
        time=entry.time,
        hop=entry.hop,
        correlation_id=entry.correlation_id,
        request_id=entry.request_id if sends else None,
        upstream_request_id=entry.upstream_request_id if receives else None,
        sender=party_text(entry.sender),
        receiver=party_text(entry.receiver),
        sender_platform=source,
        receiver_platform=target,
        sender_name=_name_of(source, entry.sender if sees_all else None, directory),
        receiver_name=_name_of(target, entry.receiver if sees_all else None, directory),
        route=entry.route,
        module=entry.module,
        interface=None if entry.interface is None else InterfaceRole(entry.interface),
        method=entry.method,
        path=entry.path if sends else None,
        upstream_path=entry.upstream_path if receives else None,
        source_version=entry.source_version,
        target_version=entry.target_version,
        http_status=entry.http_status if sends else None,
        ocpi_status=entry.ocpi_status if sends else None,
        upstream_http_status=entry.upstream_http_status if receives else None,
        upstream_ocpi_status=entry.upstream_ocpi_status if receives else None,
        hub_ms=entry.hub_ms if sees_all else None,
        upstream_ms=entry.upstream_ms if receives else None,
        whole_ms=round(entry.hub_ms + entry.upstream_ms, 3) if sends else None,
        losses=tuple(map(loss_place, entry.losses)),
        object_type=entry.object_type,
        object_id=entry.object_id,
        failure=failure,
        reason=entry.reason if sends else None,
        receivers=entry.receivers if sees_all else None,
    )


def message_details(
    entry: JournalEntry,
    capture: Capture,
    translation: Retranslation | None,
    scope: str | None,
    directory: LiveDirectory,
    *,
    bodies: bool,
) -> MessageDetails:
    """All of a message that somebody sees; `bodies` says whether these are among it."""
    sends, receives = _sides(entry, scope)
    view = message_view(entry, scope, directory)
    return MessageDetails(
        **{name: getattr(view, name) for name in view.__struct_fields__},
        request_headers=_lines(capture.request_headers) if sends else None,
        upstream_request_headers=_lines(capture.upstream_request_headers) if receives else None,
        upstream_answer_headers=_lines(capture.upstream_answer_headers) if receives else None,
        answer_headers=_lines(capture.answer_headers) if sends else None,
        request_body=capture.request_body if sends and bodies else None,
        upstream_request_body=capture.upstream_request_body if receives and bodies else None,
        upstream_answer_body=capture.upstream_answer_body if receives and bodies else None,
        answer_body=capture.answer_body if sends and bodies else None,
        translation=translation,
    )


def story_view(
    correlation_id: str,
    uses: Sequence[Use],
    use: Use,
    story: Story,
    gaps: int,
    scope: str | None,
    directory: LiveDirectory,
) -> StoryView:
    """A story as somebody sees it."""
    by_id = {entry.id: entry for entry in story.entries}
    steps = [step for step in story.steps if _is_seen(step, by_id[step.message_id], scope)]
    return StoryView(
        correlation_id=correlation_id,
        first=story.first,
        last=story.last,
        used_times=len(uses),
        uses=tuple(_use_view(each, scope, directory) for each in uses[::-1][:SHOWN_USES]) if len(uses) > 1 else (),
        use=use.entry.id,
        hops=tuple(_hop_view(step, by_id[step.message_id], scope, directory) for step in steps),
        messages=tuple(message_view(entry, scope, directory) for entry in story.entries),
        summary=_summary_view(story, gaps, use.entry, scope, directory),
    )


def _sides(entry: JournalEntry, scope: str | None) -> tuple[bool, bool]:
    """Whether somebody sees the sender's side, and whether the receiver's."""
    return scope in (None, entry.sender_platform_id), scope in (None, entry.receiver_platform_id)


def _is_seen(step: Step, entry: JournalEntry, scope: str | None) -> bool:
    sends, receives = _sides(entry, scope)
    if step.kind is StepKind.HUB:
        return sends and receives
    return receives if step.is_outside else sends


def _name_of(platform_id: str | None, party: Party | None, directory: LiveDirectory) -> str | None:
    """What a platform is called; where the hub called none, whose party it was for."""
    snapshot = directory.snapshot
    if platform_id is None and party is not None:
        found = snapshot.entry(party)
        platform_id = None if found is None else found.platform_id
    part = None if platform_id is None else snapshot.parts.get(platform_id)
    return None if part is None else part.platform.name


def party_text(party: Party | None) -> str | None:
    """As it is written everywhere; None where nobody is known."""
    return None if party is None else str(party)


def loss_place(lost: NotedLoss) -> LossPlace:
    """Where a rule was applied."""
    return LossPlace(lost.loss, lost.kind or None, lost.path or None, lost.in_answer, lost.count)


def _loss_sum(lost: LossCount) -> LossSum:
    rule = CATALOGUE.get(lost.loss)
    return LossSum(lost.loss, lost.count, None if rule is None else rule.happens)


def _lines(headers: HeaderTexts) -> tuple[HeaderLine, ...] | None:
    return tuple(HeaderLine(name, value) for name, value in headers) or None


def _hop_view(step: Step, entry: JournalEntry, scope: str | None, directory: LiveDirectory) -> HopView:
    failure = message_view(entry, scope, directory).failure
    return HopView(
        at=step.at,
        kind=step.kind,
        sender=party_text(step.sender),
        receiver=party_text(step.receiver),
        method=step.method,
        path=step.path,
        version=step.version,
        http_status=step.http_status,
        ocpi_status=step.ocpi_status,
        ms=step.ms,
        message_id=step.message_id,
        failure=failure if step.kind is StepKind.ANSWER else None,
    )


def _use_view(use: Use, scope: str | None, directory: LiveDirectory) -> UseView:
    view = message_view(use.entry, scope, directory)
    return UseView(
        view.id, view.time, view.sender, view.receiver, view.module, view.method, view.ocpi_status, view.failure
    )


def _summary_view(
    story: Story, gaps: int, entry: JournalEntry, scope: str | None, directory: LiveDirectory
) -> SummaryView:
    """What a sentence says of both sides is only for those who see both."""
    told, view = story.summary, message_view(entry, scope, directory)
    sees_all = scope is None
    return SummaryView(
        sentence=told.sentence if sees_all else asked_of(entry),
        outcome=told.outcome,
        failure=told.failure if sees_all else view.failure,
        advice=told.advice.text if sees_all and told.advice else None,
        commands=told.advice.commands if sees_all and told.advice else (),
        fate=told.fate if sees_all else None,
        hub_ms=view.hub_ms,
        upstream_ms=view.upstream_ms,
        whole_ms=told.whole_ms,
        until_last_ms=told.until_last_ms,
        losses=tuple(map(_loss_sum, told.losses)),
        receivers=told.receivers if sees_all else None,
        left_out=told.left_out,
        gaps=gaps,
    )
