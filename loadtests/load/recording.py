"""What a load test keeps of every message: little, and so that the records of many processes add up to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from loadtests.load.histogram import Histogram

MOST_SPANS = 600
"""A longer run is kept in longer spans of time, so that hours take no more memory than minutes."""
GRACE_S = 2.0
"""An action counts as done if it ended at most so long after the end of the run."""

UNANSWERED, NO_RESULT = "unanswered", "no result"
"""Outcomes of a message, and of a command that was accepted, for which nothing had come when the run was over."""

RATE_LIMITED = "2000 (HTTP 429, rate limit)"
"""The outcome of a message that the hub did not take, because its sender had sent too many."""
EVERYBODY = "everybody"
"""The receiver of what is for whom it concerns."""

Plain = dict[str, Any]


class Kind(NamedTuple):
    """One kind of message, such as `locations.PATCH.CPO`; `result`: from a command to its result, not to its answer."""

    name: str
    result: bool = False

    def __str__(self) -> str:
        return f"{self.name} → result" if self.result else self.name


class Sample(NamedTuple):
    """One message that was answered, or was not."""

    kind: Kind
    partner: str  # who sent it, such as NL*ABC
    peer: str | None  # whom it was addressed to; None: nobody, or everybody
    milliseconds: float  # from when it was sent
    late_ms: float  # how long after it was due it was sent
    outcome: str  # the OCPI status, or what went wrong before there was one
    failed: bool


class Tally:
    """Messages of one kind from or to one partner: how long they took, and how they ended."""

    __slots__ = ("failed", "histogram", "outcomes")

    def __init__(self) -> None:
        self.histogram = Histogram()
        self.outcomes: Counter[str] = Counter()
        self.failed = 0

    def add(self, sample: Sample) -> None:
        """Count one message. Its time begins when it was due: what waited in the generator is not forgotten."""
        self.histogram.add(sample.milliseconds + sample.late_ms)
        self.outcomes[sample.outcome] += 1
        self.failed += sample.failed

    def merge(self, other: Tally) -> None:
        """Add all that another one has counted."""
        self.histogram.merge(other.histogram)
        self.outcomes.update(other.outcomes)
        self.failed += other.failed

    @property
    def unanswered(self) -> int:
        """So many had no answer when the run was over."""
        return self.outcomes[UNANSWERED]

    def plain(self) -> Plain:
        """As JSON."""
        return {"histogram": self.histogram.plain(), "outcomes": dict(self.outcomes), "failed": self.failed}

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """What `plain` was made of."""
        tally = cls()
        tally.histogram = Histogram.read(plain["histogram"])
        tally.outcomes = Counter(plain["outcomes"])
        tally.failed = plain["failed"]
        return tally


class Span:
    """What happened in some seconds of the run."""

    __slots__ = ("done", "failed", "histogram", "offered", "partners", "sent")

    def __init__(self) -> None:
        self.offered = 0  # actions that were due
        self.sent = 0  # actions that were begun
        self.done = 0  # actions that have ended
        self.failed = 0  # messages
        self.histogram = Histogram()  # of messages
        self.partners: Counter[str] = Counter()  # messages each has sent

    def merge(self, other: Span) -> None:
        """Add all that happened in another one."""
        self.offered += other.offered
        self.sent += other.sent
        self.done += other.done
        self.failed += other.failed
        self.histogram.merge(other.histogram)
        self.partners.update(other.partners)

    def plain(self) -> Plain:
        """As JSON."""
        return {
            "offered": self.offered,
            "sent": self.sent,
            "done": self.done,
            "failed": self.failed,
            "histogram": self.histogram.plain(),
            "partners": dict(self.partners),
        }

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """What `plain` was made of."""
        span = cls()
        span.offered, span.sent, span.done = plain["offered"], plain["sent"], plain["done"]
        span.failed = plain["failed"]
        span.histogram = Histogram.read(plain["histogram"])
        span.partners = Counter(plain["partners"])
        return span


class Recording:
    """All that is kept of a run, or of a part of it. Times are seconds since the first arrival could be due."""

    def __init__(self) -> None:
        self.by_sender: dict[tuple[str, Kind], Tally] = {}
        self.by_receiver: dict[tuple[str, Kind], Tally] = {}
        self.spans: dict[int, Span] = {}  # by the second in which each begins
        self.span_s = 1
        self.late = Histogram()  # from when an action was due until it was begun
        self.from_sending = Histogram()  # of messages, from when they were sent: what a test that forgets would show
        self.from_due = Histogram()  # of the same messages, from when they were due
        self.offered = self.sent = self.done = 0
        self.faults = 0  # of the load test itself
        self.cpu: dict[str, list[float]] = {}  # by process, one figure for each report: share of one core

    def span(self, at_s: float) -> Span:
        """What happened around this moment."""
        second = max(0, int(at_s))
        begin = second - second % self.span_s
        found = self.spans.get(begin)
        if found is None:
            found = self.spans[begin] = Span()
            if len(self.spans) > MOST_SPANS:
                self._widen()
                return self.span(at_s)
        return found

    def add_due(self, at_s: float) -> None:
        """An action is due."""
        self.offered += 1
        self.span(at_s).offered += 1

    def add_sent(self, at_s: float, late_s: float) -> None:
        """It has begun, so much later."""
        self.sent += 1
        self.span(at_s).sent += 1
        self.late.add(late_s * 1000)

    def add_done(self, at_s: float, end_s: float) -> None:
        """It has ended; the run ends at `end_s`."""
        if at_s <= end_s + GRACE_S:
            self.done += 1
        self.span(at_s).done += 1

    def add(self, at_s: float, sample: Sample) -> None:
        """A message was answered, or given up."""
        self._tally(self.by_sender, sample.partner, sample.kind).add(sample)
        if sample.peer is not None:
            self._tally(self.by_receiver, sample.peer, sample.kind).add(sample)
        if sample.kind.result:
            return
        self.from_sending.add(sample.milliseconds)
        self.from_due.add(sample.milliseconds + sample.late_ms)
        span = self.span(at_s)
        span.histogram.add(sample.milliseconds + sample.late_ms)
        span.failed += sample.failed
        span.partners[sample.partner] += 1

    def merge(self, other: Recording) -> None:
        """Add all that another process has kept."""
        for mine, theirs in ((self.by_sender, other.by_sender), (self.by_receiver, other.by_receiver)):
            for (partner, kind), tally in theirs.items():
                self._tally(mine, partner, kind).merge(tally)
        while self.span_s < other.span_s:
            self._widen()
        for begin, span in other.spans.items():
            self.span(begin).merge(span)
        self.late.merge(other.late)
        self.from_sending.merge(other.from_sending)
        self.from_due.merge(other.from_due)
        self.offered += other.offered
        self.sent += other.sent
        self.done += other.done
        self.faults += other.faults
        for process, figures in other.cpu.items():
            self.cpu.setdefault(process, []).extend(figures)

    def plain(self) -> Plain:
        """As JSON."""
        return {
            "by_sender": _plain_tallies(self.by_sender),
            "by_receiver": _plain_tallies(self.by_receiver),
            "spans": [[begin, span.plain()] for begin, span in sorted(self.spans.items())],
            "span_s": self.span_s,
            "late": self.late.plain(),
            "from_sending": self.from_sending.plain(),
            "from_due": self.from_due.plain(),
            "offered": self.offered,
            "sent": self.sent,
            "done": self.done,
            "faults": self.faults,
            "cpu": self.cpu,
        }

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """What `plain` was made of."""
        recording = cls()
        recording.by_sender = _read_tallies(plain["by_sender"])
        recording.by_receiver = _read_tallies(plain["by_receiver"])
        recording.spans = {begin: Span.read(span) for begin, span in plain["spans"]}
        recording.span_s = plain["span_s"]
        recording.late = Histogram.read(plain["late"])
        recording.from_sending = Histogram.read(plain["from_sending"])
        recording.from_due = Histogram.read(plain["from_due"])
        recording.offered, recording.sent, recording.done = plain["offered"], plain["sent"], plain["done"]
        recording.faults = plain["faults"]
        recording.cpu = {process: list(figures) for process, figures in plain["cpu"].items()}
        return recording

    def _widen(self) -> None:
        """Keep spans of twice the length."""
        self.span_s *= 2
        spans, self.spans = self.spans, {}
        for begin, span in spans.items():
            self.spans.setdefault(begin - begin % self.span_s, Span()).merge(span)

    @staticmethod
    def _tally(tallies: dict[tuple[str, Kind], Tally], partner: str, kind: Kind) -> Tally:
        found = tallies.get((partner, kind))
        if found is None:
            found = tallies[(partner, kind)] = Tally()
        return found


def _plain_tallies(tallies: Mapping[tuple[str, Kind], Tally]) -> list[Any]:
    return [[partner, kind.name, kind.result, tally.plain()] for (partner, kind), tally in sorted(tallies.items())]


def _read_tallies(plain: list[Any]) -> dict[tuple[str, Kind], Tally]:
    return {(partner, Kind(name, result)): Tally.read(tally) for partner, name, result, tally in plain}
