"""From what a message leaves behind to a row of the journal.

This runs between messages, a few microseconds for each: it reads what is at hand, and nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from hub.journal.bodies import Exchanged
from hub.journal.failures import failure_said
from hub.journal.masking import clean, masked_path, masked_query, masked_unread_path, path_of_url
from hub.journal.subjects import object_id, subject_of, token_uid
from hub.plain_text import readable
from hub.store.journal_entries import Failure, Hop, NotedLoss
from hub.store.journal_tables import METHOD_LENGTH
from hub.trace import Lost, Trace, answer_headers
from routing.envelope import read_envelope
from routing.message import Answer
from routing.modules import CALLBACK_ID, Operation
from routing.paths import Entrance, endpoint_path
from routing.vocabulary import Face, Party, Version

Row: TypeAlias = tuple[Any, ...]
"""The columns of `hub.store.journal_tables.JournalRow`, in their order."""

MOST_LOSSES: Final = 100
"""Losses of one hop that are noted with their places; what is more is counted by rule and kind."""
_FEW_LOSSES: Final = 8
_LONGEST_REASON: Final = 500
_NO_STATUS: Final = 99_999
"""Stands for every number that is no status; partners may send any."""
_NOTHING_HIDDEN: Final = ()
_encode: Final = msgspec.json.Encoder().encode
party_name: Final = lru_cache(maxsize=65_536)(Party.__str__)


class Noted(Struct, frozen=True, eq=False):
    """One hop, once it is over."""

    hop: Hop
    trace: Trace
    http_status: int
    ocpi_status: int
    ended: float
    """As `time.monotonic` has it."""
    answer: Answer | None = None
    """For a capture, and of what failed."""


def row_of(noted: Noted, number: int, clock: float, uid_hash: Callable[[str], bytes]) -> Row:
    """The row of one hop. `clock` is what has to be added to monotonic times to get seconds since 1970."""
    trace = noted.trace
    operation, source, target = trace.operation, trace.source, trace.target
    sender, receiver = trace.sender, trace.receiver
    kind = identity = token = None
    hidden: Sequence[int] = _NOTHING_HIDDEN
    if operation is not None:
        subject = subject_of(operation)
        kind, hidden = subject.kind, subject.hidden
        identity = object_id(subject, trace.segments, trace.members)
        uid = token_uid(subject, trace.segments, trace.members)
        token = None if uid is None else uid_hash(uid)
    was_called = trace.upstream_http_status is not None
    failure = trace.failure or failure_said(noted.http_status, noted.ocpi_status, was_called=was_called)
    upstream_us = int(trace.upstream_s * 1_000_000)
    return (
        datetime.fromtimestamp(trace.started + clock, UTC),
        number,
        noted.hop,
        trace.ids.correlation_id,
        trace.ids.request_id,
        None if trace.call is None else trace.upstream_request_id,
        None if sender is None else party_name(sender),
        None if receiver is None else party_name(receiver),
        trace.platform_id if source is None else source.platform_id,
        None if target is None else target.platform_id,
        trace.route,
        "unknown" if operation is None else operation.module,
        None if operation is None else operation.interface,
        trace.method if len(trace.method) <= METHOD_LENGTH else trace.method[:METHOD_LENGTH],
        _path(trace, operation, hidden),
        None if trace.call is None else _upstream_path(trace.call.url, hidden),
        trace.version,
        None if target is None else target.version,
        noted.http_status,
        noted.ocpi_status if 0 <= noted.ocpi_status < _NO_STATUS else _NO_STATUS,
        trace.upstream_http_status,
        _said(trace),
        int((noted.ended - trace.started) * 1_000_000) - upstream_us,
        upstream_us,
        _losses(trace.losses) if trace.losses else None,
        kind,
        identity,
        token,
        failure,
        None if failure is None and trace.fault is None else _reason(noted, failure),
        None if trace.receivers is None else _encode(trace.receivers).decode(),
        None if (callback_id := _callback_id(trace)) is None else uid_hash(callback_id),
    )


def _callback_id(trace: Trace) -> str | None:
    """What tells whose result it is: given out with a command, and the end of the path of its result."""
    operation = trace.operation
    if operation is not None and operation.hub_made == CALLBACK_ID and trace.segments:
        return trace.segments[-1]
    return trace.callback_id


def _path(trace: Trace, operation: Operation | None, hidden: Sequence[int]) -> str:
    if trace.entrance is None:
        path = _own_path(trace, operation)
    elif operation is None:
        path = _below(trace.entrance) + masked_unread_path(trace.path)
    else:
        path = _below(trace.entrance) + trace.path
    if hidden:
        path = masked_path(path, hidden)
    return clean(path + masked_query(trace.query) if trace.query else path)


_below: Callable[[Entrance], str] = lru_cache(maxsize=64)(Entrance.path.fget)  # type: ignore[attr-defined]  # a property has its function


@lru_cache(maxsize=1024)
def _endpoint(version: Version, operation: Operation, face: Face | None) -> str:
    return endpoint_path(version, operation.module, operation.interface, face)


def _own_path(trace: Trace, operation: Operation | None) -> str:
    """Where at the hub the message had come to, of one that this process did not read itself."""
    if operation is None or trace.path:
        return trace.path
    face = None if trace.source is None else trace.source.face
    return "/".join((_endpoint(trace.version, operation, face), *trace.segments))


def _upstream_path(url: str, hidden: Sequence[int]) -> str:
    path, query = path_of_url(url)
    if hidden:
        path = masked_path(path, hidden)
    return clean(path + masked_query(query) if query else path)


def _said(trace: Trace) -> int | None:
    """The status in the receiver's own envelope."""
    said = trace.upstream_ocpi_status
    if trace.reply is not None:  # what the hub made of that may be something else
        head = read_envelope(trace.reply.body)
        said = None if head is None else head.status_code
    return said if said is None or 0 <= said < _NO_STATUS else _NO_STATUS


def _reason(noted: Noted, failure: Failure | None) -> str | None:
    """What the sender was told: by the hub, or by the receiver whose answer went on."""
    said = noted.trace.fault
    if said is None and failure is Failure.PARTNER_ERROR and noted.answer is not None:
        head = read_envelope(noted.answer.body)
        said = None if head is None or head.status_message is None else readable(head.status_message)
    return None if said is None else clean(said, _LONGEST_REASON)


def _losses(lost: Sequence[Lost]) -> str:
    if len(lost) == 1 and len(lost[0].losses) <= _FEW_LOSSES:
        return _few_losses(lost[0])
    return _encode(noted_losses(lost)).decode()


@lru_cache(maxsize=4096)  # a Session loses the same with each of its messages
def _few_losses(lost: Lost) -> str:
    return _encode(noted_losses((lost,))).decode()


def noted_losses(lost: Sequence[Lost]) -> list[NotedLoss]:
    """What was lost: each place, as long as these are few enough, and how often each rule was applied beyond."""
    noted: list[NotedLoss] = []
    more: Counter[tuple[str, str, bool]] = Counter()
    for each in lost:
        kind, room = each.kind or "", MOST_LOSSES - len(noted)
        noted += [NotedLoss(loss.id, kind, clean(loss.pointer), each.in_answer) for loss in each.losses[:room]]
        rest = msgspec.structs.replace(each, losses=each.losses[room:])
        more.update({(rule, kind, each.in_answer): times for rule, times in rest.by_rule()})
    return noted + [NotedLoss(rule, kind, "", in_answer, times) for (rule, kind, in_answer), times in more.items()]


def exchanged_in(noted: Noted) -> Exchanged:
    """Everything that was said, for a capture."""
    trace, call, reply, answer = noted.trace, noted.trace.call, noted.trace.reply, noted.answer
    return Exchanged(
        module="" if trace.operation is None else trace.operation.module,
        request_headers=trace.headers,
        upstream_request_headers=() if call is None else call.headers,
        upstream_answer_headers=() if reply is None else reply.headers,
        answer_headers=() if answer is None else answer_headers(answer, trace),
        request_body=trace.body,
        upstream_request_body=None if call is None else call.body,
        upstream_answer_body=None if reply is None else reply.body,
        answer_body=None if answer is None else answer.body,
    )
