"""What becomes known about one exchange by and by. See `hub.recording` for what is said about it at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from time import monotonic
from typing import Final

from msgspec import Struct, field

from hub.span_notes import SpanNotes
from hub.store.journal_entries import Failure, Receivers
from routing.bodies import Members
from routing.directory import Connection
from routing.message import JSON, Answer, Call, MessageIds, RawHeaders, Reply, id_headers
from routing.modules import Operation
from routing.paths import Entrance
from routing.receivers import routing_headers_at
from routing.translation.crossing import Loss
from routing.vocabulary import Party, Version

_FEW: Final = 16
_RULE: Final[Callable[[Loss], str]] = attrgetter("id")


class Lost(Struct, frozen=True, gc=False):
    """What an exchange lost in one direction. A page loses hundreds of things."""

    kind: str | None
    """What kind of object lost something."""
    in_answer: bool
    """Whether it was in the answer, on its way from the receiver to the sender."""
    losses: tuple[Loss, ...]

    def by_rule(self) -> tuple[tuple[str, int], ...]:
        """How often each rule was applied."""
        rules = tuple(map(_RULE, self.losses))
        return _few_counted(rules) if len(rules) <= _FEW else _counted(rules)


def _counted(rules: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(rules).items())


_few_counted: Final = lru_cache(maxsize=4096)(_counted)  # a Session loses the same with each of its messages


class Trace(Struct, eq=False):
    """For the headers of the answer, the log line, the metrics and the journal. Durations are seconds."""

    ids: MessageIds
    version: Version
    method: str
    started: float = field(default_factory=monotonic)
    operation: Operation | None = None
    sender: Party | None = None
    receiver: Party | None = None
    source: Connection | None = None
    target: Connection | None = None
    route: str = "refused"
    """How it was routed; one of the metrics' `ROUTES`."""
    upstream_request_id: str | None = None
    """Set once the receiver was called."""
    upstream_s: float = 0.0
    """What the receiver took of the time."""
    fault: str | None = None
    """Why the hub itself had to answer, if it had to."""
    losses: list[Lost] = []
    """What was lost between the versions of its two sides, there and back."""
    entrance: Entrance | None = None
    path: str = ""
    """Below the entrance, percent-encoded as it came."""
    query: str = ""
    headers: Sequence[tuple[bytes, bytes]] = ()
    """Of the request."""
    segments: tuple[str, ...] = ()
    """Those of the path that the operation names."""
    members: Members = {}
    """Of the request's body, as far as the hub reads it."""
    body: bytes | None = None
    """Of the request; kept for a capture only."""
    failure: Failure | None = None
    call: Call | None = None
    """The last one that was made for it."""
    reply: Reply | None = None
    """What came of that; kept where it is no success, and for a capture."""
    upstream_http_status: int | None = None
    upstream_ocpi_status: int | None = None
    """What the receiver itself said; None where it did not, or nobody has looked."""
    receivers: Receivers | None = None
    platform_id: str | None = None
    """Whose message it is, where there is no connection yet."""
    callback_id: str | None = None
    """What the receiver was given for the result."""
    spans: SpanNotes | None = None
    """For OpenTelemetry, where spans are made."""

    @property
    def is_captured(self) -> bool:
        """Whether bodies have to be kept until the journal has looked whether it may."""
        source, target = self.source, self.target
        return (source is not None and source.capture_until is not None) or (
            target is not None and target.capture_until is not None
        )

    def losses_header(self) -> tuple[bytes, bytes]:
        """The ids of the losses, for a sender who wants to hear of them."""
        rules = {loss.id for lost in self.losses for loss in lost.losses}
        return b"translation-loss", ", ".join(sorted(rules)).encode("ascii")


def answer_headers(answer: Answer, trace: Trace) -> RawHeaders:
    """All headers of the answer but Content-Length: those of the answer, ids, and who speaks to whom."""
    headers = [JSON, *id_headers(trace.ids), *answer.headers]
    if trace.source is not None and trace.sender is not None and answer.sender is not None:
        headers += routing_headers_at(trace.source, trace.sender, answer.sender)
    return headers
