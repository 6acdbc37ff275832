"""What a hub has to achieve to pass a load test: limits from a TOML file, and what they say about a run."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from loadtests.load.journal_times import Times
from loadtests.load.recording import EVERYBODY, Recording, Tally


class ObjectivesError(Exception):
    """The file of objectives cannot be used; the message is one line that names file, place and fault."""


class Limit(NamedTuple):
    """What one figure may be at most, or has to be at least."""

    figure: str
    value: float

    def holds(self, measured: float | None) -> bool:
        """Whether it is kept. What was not measured is not kept."""
        if measured is None:
            return False
        return measured >= self.value if self.figure in _AT_LEAST else measured <= self.value

    def __str__(self) -> str:
        return f"{'at least' if self.figure in _AT_LEAST else 'at most'} {shown(self.figure, self.value)}"


class Verdict(NamedTuple):
    """What became of one limit."""

    about: str  # overall, generator, a kind of message, a sender or a receiver
    limit: Limit
    measured: float | None

    @property
    def passed(self) -> bool:
        """Whether the limit was kept."""
        return self.limit.holds(self.measured)

    def __str__(self) -> str:
        measured = "not measured" if self.measured is None else shown(self.limit.figure, self.measured)
        return f"{'pass' if self.passed else 'FAIL'}  {self.about}: {self.limit.figure} {measured}, {self.limit}"


_AT_LEAST = {"achieved_share", "messages"}
_OF_MESSAGES: dict[str, Callable[[Tally], float | None]] = {
    "p50_ms": lambda tally: tally.histogram.quantile_ms(0.5),
    "p95_ms": lambda tally: tally.histogram.quantile_ms(0.95),
    "p99_ms": lambda tally: tally.histogram.quantile_ms(0.99),
    "mean_ms": lambda tally: tally.histogram.mean_ms,
    "max_ms": lambda tally: tally.histogram.greatest_us / 1000 if tally.histogram.count else None,
    "error_share": lambda tally: tally.failed / tally.histogram.count if tally.histogram.count else None,
    "messages": lambda tally: tally.histogram.count,
}
_OWN: dict[str, Callable[[Times], float | None]] = {
    "partner_p50_ms": lambda times: times.partner.quantile_ms(0.5),
    "partner_p95_ms": lambda times: times.partner.quantile_ms(0.95),
    "partner_p99_ms": lambda times: times.partner.quantile_ms(0.99),
}
_OVERALL = {*_OF_MESSAGES, "achieved_share"}
_GENERATOR = {"cpu_share", "faults", "late_p99_ms"}
_SENT = set(_OF_MESSAGES)
_RECEIVED = {*_OF_MESSAGES, *_OWN}
_SECTIONS = {"overall": _OVERALL, "generator": _GENERATOR, "each_partner": _SENT, "each_receiver": _RECEIVED}
_GROUPS = {"kinds": _SENT, "partners": _SENT, "receivers": _RECEIVED}
_COUNTS = {"messages", "faults"}
_SHARES = {"error_share", "achieved_share", "cpu_share"}
ALWAYS: dict[str, dict[str, float]] = {
    "overall": {"achieved_share": 0.95, "error_share": 0.1},
    "generator": {"cpu_share": 0.85, "late_p99_ms": 100.0, "faults": 0.0},
}
"""Without these a run says little about the hub; a file can change them."""


class Objectives:
    """All limits of one file, and those that always hold.

    [overall]                           the messages of everybody, and the rate
    [generator]                         the load test itself: was it able to?
    [each_partner]                      what each partner has sent
    [partners."NL*ABC"]                 what one has sent
    [each_receiver]                     what each partner was sent, and the time it took itself
    [receivers."DE*XYZ"]                that, of one
    [kinds."locations.PATCH.CPO"]       one kind of message; * stands for anything
    """

    def __init__(self, sections: Mapping[str, Mapping[str, Any]]) -> None:
        """`sections` as in the file, and read from it: nothing is checked here."""
        self._sections = {**sections}
        for name, limits in ALWAYS.items():
            self._sections[name] = {**limits, **sections.get(name, {})}

    @classmethod
    def load(cls, path: Path) -> Objectives:
        """The objectives of a file.

        Raises:
            ObjectivesError: it is not there, or says something that is no objective.
        """
        try:
            sections = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ObjectivesError(f"{path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ObjectivesError(f"{path}: this is not TOML: {error}") from error
        for name, section in sections.items():
            _check_section(f"{path}", name, section)
        return cls(sections)

    @property
    def partners(self) -> list[str]:
        """Those it names, as senders."""
        return list(self._sections.get("partners", {}))

    @property
    def receivers(self) -> list[str]:
        """Those it names, as receivers."""
        return list(self._sections.get("receivers", {}))

    @property
    def kinds(self) -> list[str]:
        """The kinds it names, which may have a * for anything."""
        return list(self._sections.get("kinds", {}))

    def judge(
        self, recording: Recording, cpu_share: float | None, times: Mapping[str, Times] | None = None
    ) -> list[Verdict]:
        """What became of every limit. A kind or partner of which nothing was seen fails.

        `times`: by receiver, how long it took itself.
        """
        return [
            *self._overall(recording),
            *self._generator(recording, cpu_share),
            *self._of_messages(recording),
            *self._of_receivers(recording, times or {}),
        ]

    def _overall(self, recording: Recording) -> Iterator[Verdict]:
        everything = merged(recording.by_sender, lambda _, kind: not kind.endswith("result"))
        for limit in _limits(self._sections["overall"]):
            if limit.figure == "achieved_share":
                share = recording.done / recording.offered if recording.offered else None
                yield Verdict("overall", limit, share)
            else:
                yield Verdict("overall", limit, _OF_MESSAGES[limit.figure](everything))

    def _generator(self, recording: Recording, cpu_share: float | None) -> Iterator[Verdict]:
        late_ms = recording.late.quantile_ms(0.99)
        figures = {"cpu_share": cpu_share, "late_p99_ms": late_ms, "faults": recording.faults}
        for limit in _limits(self._sections["generator"]):
            if (measured := figures[limit.figure]) is not None:  # else it is not the load test that failed
                yield Verdict("generator", limit, measured)

    def _of_messages(self, recording: Recording) -> Iterator[Verdict]:
        wanted = [
            *(("kind", pattern, section) for pattern, section in self._sections.get("kinds", {}).items()),
            *(("sender", partner, section) for partner, section in self._sections.get("partners", {}).items()),
        ]
        if "each_partner" in self._sections:
            partners = sorted({partner for partner, _ in recording.by_sender})
            wanted += [("sender", partner, self._sections["each_partner"]) for partner in partners]
        for about, name, section in wanted:
            tally = merged(recording.by_sender, _chosen(about, name))
            for limit in _limits(section):
                yield Verdict(f"{about} {name}", limit, _OF_MESSAGES[limit.figure](tally))

    def _of_receivers(self, recording: Recording, times: Mapping[str, Times]) -> Iterator[Verdict]:
        wanted = [*self._sections.get("receivers", {}).items()]
        if "each_receiver" in self._sections:
            receivers = sorted({receiver for receiver, _ in recording.by_receiver} - {EVERYBODY})
            wanted += [(receiver, self._sections["each_receiver"]) for receiver in receivers]
        for receiver, section in wanted:
            tally, own = merged(recording.by_receiver, _chosen("receiver", receiver)), times.get(receiver, Times())
            for limit in _limits(section):
                figure = limit.figure
                measured = _OWN[figure](own) if figure in _OWN else _OF_MESSAGES[figure](tally)
                yield Verdict(f"receiver {receiver}", limit, measured)


def matches(kind: str, pattern: str) -> bool:
    """Whether the section of this pattern is about this kind."""
    return fnmatchcase(kind, pattern)


def merged(tallies: Mapping[tuple[str, Any], Tally], chosen: Callable[[str, str], bool]) -> Tally:
    """The messages of those partners and kinds that are chosen, as one."""
    everything = Tally()
    for (partner, kind), tally in tallies.items():
        if chosen(partner, str(kind)):
            everything.merge(tally)
    return everything


def shown(figure: str, value: float) -> str:
    """A figure for people."""
    if figure in _SHARES:
        return f"{value:.2%}"
    return f"{value:,.0f}" if figure in _COUNTS else f"{value:,.1f} ms"


def _chosen(about: str, name: str) -> Callable[[str, str], bool]:
    if about == "kind":
        return lambda _, kind: matches(kind, name)
    return lambda partner, kind: partner == name and not kind.endswith("result")


def _limits(section: Mapping[str, float]) -> Iterator[Limit]:
    return (Limit(figure, float(value)) for figure, value in section.items())


def _check_section(place: str, name: str, section: object) -> None:
    if name in _GROUPS and isinstance(section, dict):
        for member, limits in section.items():
            _check_limits(f'{place}: [{name}."{member}"]', limits, _GROUPS[name])
    elif name in _SECTIONS:
        _check_limits(f"{place}: [{name}]", section, _SECTIONS[name])
    else:
        known = ", ".join([*_SECTIONS, *(f'{group}."…"' for group in _GROUPS)])
        raise ObjectivesError(f"{place}: there is no section [{name}]; there are {known}")


def _check_limits(place: str, limits: object, known: set[str]) -> None:
    if not isinstance(limits, dict):
        raise ObjectivesError(f"{place} is no section with limits such as p99_ms = 500")
    for figure, value in limits.items():
        if figure not in known:
            raise ObjectivesError(f"{place} has no figure {figure}; it has {', '.join(sorted(known))}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise ObjectivesError(f"{place} {figure} = {value!r} is no number of 0 or more")
        if figure in _SHARES and value > 1:
            raise ObjectivesError(f"{place} {figure} = {value!r} is no share of 1, such as 0.01 for 1 %")
