"""One run as a whole: what was planned, measured and judged, as figures that every form of the report is made of."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtests.load.hub_time import HubFigures
from loadtests.load.journal_times import JournalTimes, Times
from loadtests.load.notes import notes
from loadtests.load.objectives import Verdict
from loadtests.load.recording import Kind, Recording, Tally

Json = dict[str, Any]


@dataclass(frozen=True)
class Results:
    """Everything a report shows. `names`: parties by the id of their platform."""

    plan: Json
    processes: int
    begun_at: str
    recording: Recording
    verdicts: list[Verdict]
    hub: HubFigures | None = None
    journal: JournalTimes = field(default_factory=JournalTimes)
    names: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    players: Mapping[str, str] = field(default_factory=dict)
    """Role and version of each party that was played."""
    hub_version: str | None = None
    cut_short_s: float | None = None
    """After so many seconds the run was ended by hand."""

    @property
    def seconds(self) -> float:
        """How long it went: shorter than planned when it was interrupted."""
        ends = [begin + self.recording.span_s for begin in self.recording.spans]
        planned = float(self.plan["duration_s"])
        return min(planned, float(max(ends, default=0))) or planned

    @property
    def passed(self) -> bool:
        """Whether it went to its end, and all objectives were met."""
        return self.cut_short_s is None and all(verdict.passed for verdict in self.verdicts)

    @property
    def verdict(self) -> str:
        """That, in a word for people."""
        if self.cut_short_s is not None:
            return f"cut short after {self.cut_short_s:.0f} of {self.plan['duration_s']:g} s"
        return "passed" if self.passed else "FAILED"

    @property
    def plays(self) -> dict[str, str]:
        """Role and version of everybody, also of those who were there already."""
        peers = {peer["party"]: f"{peer['role']} {peer['version']}" for peer in self.plan.get("peers", ())}
        return {**self.players, **peers}


def cpu_share(recording: Recording) -> float | None:
    """The busiest process's share of one core; None when nothing was measured."""
    means = [sum(shares) / len(shares) for shares in recording.cpu.values() if shares]
    return max(means, default=None)


def figures(results: Results) -> Json:
    """All figures, as the JSON report has them and every other form shows them."""
    recording = results.recording
    return {
        "passed": results.passed,
        "verdict": results.verdict,
        "cut_short_s": results.cut_short_s,
        "hub_version": results.hub_version,
        "verdicts": [_verdict(verdict) for verdict in results.verdicts],
        "notes": [*results.notes, *notes(recording)],
        "begun_at": results.begun_at,
        "plan": {**results.plan, "processes": results.processes},
        "machine": machine(),
        "overall": _overall(results),
        "generator": {
            "cpu_share": cpu_share(recording),
            "cpu_share_by_process": {name: sum(each) / len(each) for name, each in recording.cpu.items() if each},
            "late_p50_ms": recording.late.quantile_ms(0.5),
            "late_p99_ms": recording.late.quantile_ms(0.99),
            "late_max_ms": recording.late.greatest_us / 1000,
        },
        "kinds": _kinds(recording, results.seconds),
        "partners": _partners(recording.by_sender, results.journal.by_sender, results),
        "receivers": _partners(recording.by_receiver, results.journal.by_receiver, results),
        "messages": [
            {"partner": partner, "kind": str(kind), **_figures(tally, results.seconds)}
            for (partner, kind), tally in sorted(recording.by_sender.items())
        ],
        "hub": _hub(results),
        "timeline": _timeline(recording),
    }


def machine() -> Json:
    """What the load test itself ran on."""
    return {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}


def _verdict(verdict: Verdict) -> Json:
    return {
        "passed": verdict.passed,
        "about": verdict.about,
        "figure": verdict.limit.figure,
        "limit": verdict.limit.value,
        "measured": verdict.measured,
        "text": str(verdict),
    }


def _overall(results: Results) -> Json:
    recording, seconds = results.recording, results.seconds
    everything = _merged(tally for (_, kind), tally in recording.by_sender.items() if not kind.result)
    return {
        "seconds": seconds,
        "offered": recording.offered,
        "sent": recording.sent,
        "achieved": recording.done,
        "offered_per_s": recording.offered / seconds,
        "achieved_per_s": recording.done / seconds,
        "achieved_share": recording.done / recording.offered if recording.offered else None,
        "p99_from_sending_ms": recording.from_sending.quantile_ms(0.99),
        **_figures(everything, seconds),
    }


def _figures(tally: Tally, seconds: float) -> Json:
    histogram = tally.histogram
    return {
        "messages": histogram.count,
        "per_s": histogram.count / seconds,
        "p50_ms": histogram.quantile_ms(0.5),
        "p95_ms": histogram.quantile_ms(0.95),
        "p99_ms": histogram.quantile_ms(0.99),
        "mean_ms": histogram.mean_ms,
        "max_ms": histogram.greatest_us / 1000 if histogram.count else None,
        "errors": tally.failed,
        "unanswered": tally.unanswered,
        "error_share": tally.failed / histogram.count if histogram.count else None,
        "outcomes": dict(sorted(tally.outcomes.items(), key=lambda item: (-item[1], item[0]))),
    }


def _grouped(
    tallies: Mapping[tuple[str, Kind], Tally], seconds: float, group: Callable[[str, Kind], str]
) -> dict[str, Json]:
    groups: dict[str, Tally] = {}
    for (partner, kind), tally in sorted(tallies.items()):
        groups.setdefault(group(partner, kind), Tally()).merge(tally)
    return {name: _figures(tally, seconds) for name, tally in groups.items()}


def _kinds(recording: Recording, seconds: float) -> dict[str, Json]:
    """The most frequent first."""
    rows = _grouped(recording.by_sender, seconds, lambda _, kind: str(kind))
    return dict(sorted(rows.items(), key=lambda item: (-item[1]["messages"], item[0])))


def _partners(
    tallies: Mapping[tuple[str, Kind], Tally], times: Mapping[str, Times], results: Results
) -> dict[str, Json]:
    """A command's result is no message of its own."""
    messages = {key: tally for key, tally in tallies.items() if not key[1].result}
    plays = results.plays
    return {
        partner: {"plays": plays.get(partner), **row, **_times(times.get(partner, Times()))}
        for partner, row in _grouped(messages, results.seconds, lambda partner, _: partner).items()
    }


def _times(times: Times) -> Json:
    return {
        "sampled": times.hub.count,
        "hub_p50_ms": times.hub.quantile_ms(0.5),
        "hub_p99_ms": times.hub.quantile_ms(0.99),
        "partner_p50_ms": times.partner.quantile_ms(0.5),
        "partner_p95_ms": times.partner.quantile_ms(0.95),
        "partner_p99_ms": times.partner.quantile_ms(0.99),
    }


def _hub(results: Results) -> Json | None:
    if results.hub is None:
        return None
    return {
        "translation_losses": results.hub.losses,
        "modules": {
            module: {
                "messages": time.whole.times,
                "whole_mean_ms": time.whole.mean_ms,
                "partners_mean_ms": time.partners.mean_ms,
                "hub_mean_ms": time.hub_ms,
            }
            for module, time in results.hub.modules().items()
        },
        "platforms": {
            results.names.get(platform_id, platform_id): {"calls": spent.times, "mean_ms": spent.mean_ms}
            for platform_id, spent in sorted(results.hub.platforms().items())
        },
    }


def _timeline(recording: Recording) -> list[Json]:
    """One row for each span of the run; rates are of that span."""
    seconds = recording.span_s
    return [
        {
            "at_s": begin,
            "offered_per_s": span.offered / seconds,
            "sent_per_s": span.sent / seconds,
            "achieved_per_s": span.done / seconds,
            "messages_per_s": span.histogram.count / seconds,
            "errors": span.failed,
            "p50_ms": span.histogram.quantile_ms(0.5),
            "p95_ms": span.histogram.quantile_ms(0.95),
            "p99_ms": span.histogram.quantile_ms(0.99),
            "partners_per_s": {partner: count / seconds for partner, count in sorted(span.partners.items())},
        }
        for begin, span in sorted(recording.spans.items())
    ]


def _merged(tallies: Iterable[Tally]) -> Tally:
    everything = Tally()
    for tally in tallies:
        everything.merge(tally)
    return everything
