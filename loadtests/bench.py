"""How fast the hub is: beside nginx doing plain header-map routing, and beside the bare framework.

The hub is there twice: with its database in its own process, and on PostgreSQL and Redis. All answer the same messages
in the same run on the same core, one after the other, several rounds; generator, partner and stores have the other
core. Only the ratios mean something on another machine. Everything stays on loopback.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import click
import httpx
import msgspec
from msgspec import Struct

from loadtests import broadcasting, latency, outage, presence, scale, watched, wrk
from loadtests.hub_process import HubFailed, cpu_ticks
from loadtests.scenarios import Scenario
from loadtests.simulator import HubRefused
from loadtests.subjects import (
    Subject,
    floor_subject,
    hub_on_servers_subject,
    hub_subject,
    hub_without_subject,
    nginx_subject,
    partner,
)
from loadtests.tools import install_missing

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PARTS = ("messages", "without", "latency", "live", "broadcast", "scale", "presence", "outage")
_COMPARED = ("put_location", "get_location")
"""What nginx and the bare framework carry, too; the other scenarios are between versions."""
_LATER_S = 0.5
"""What is done so much later for messages that were answered counts as well: the last rows of the journal are written
then. More than these may not wait, or more than one writing takes."""
_ONE_WRITING = 500
_LEFT_OUT = (["journal"], ["learning"], ["journal", "learning"])
"""What is left out of a hub, each time, to see what that costs."""


class Figures(Struct, frozen=True, rename={"messages_per_s": "messages/s"}):
    """What is measured of one subject in one scenario."""

    messages_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us_per_message: float
    ratio_to_nginx: float = 1.0
    ratio_to_floor: float = 1.0
    """0 where the other cannot carry the message."""
    twin: str | None = None
    """The scenario that this is compared with."""
    cpu_to_twin: float | None = None
    """CPU per message, relative to that one."""
    extra_us_per_object: float | None = None
    """CPU per object more than in that one."""


Results: TypeAlias = dict[str, dict[str, Figures]]
"""Subject → scenario → figures."""


@click.command()
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 100))
@click.option("--seconds", default=3, show_default=True, type=click.IntRange(1, 60), help="of each measurement")
@click.option("--output", default="bench.json", show_default=True, type=click.Path(path_type=Path))
@click.option("--part", "parts", multiple=True, type=click.Choice(_PARTS), help="Only these; everything unless given.")
@click.option(
    "--dropped",
    default=outage.DROPPED,
    show_default=True,
    type=click.IntRange(1, 5000),
    help="platforms that go away at once; a thousand are told of each",
)
def main(rounds: int, seconds: int, output: Path, parts: tuple[str, ...], dropped: int) -> None:
    """Measure the hub beside nginx and the bare framework, and what it does alone; print tables, and write JSON."""
    text: list[str] = []
    found: dict[str, object] = {}
    try:
        for part in parts or _PARTS:
            more, figures = _part(part, rounds, seconds, dropped)
            text += ["", *more] if text else more
            found |= figures
    except (HubFailed, HubRefused, httpx.HTTPError, subprocess.CalledProcessError) as error:
        click.echo(f"The measurement failed: {error}", err=True)
        sys.exit(1)
    click.echo("\n".join(text))
    output.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")


def _part(part: str, rounds: int, seconds: int, dropped: int) -> tuple[list[str], dict[str, object]]:
    """Measure one part: its table, and its figures by name. All but the first have hubs of their own."""
    if part in {"messages", "without"}:
        install_missing("nginx", "wrk")
        results = measured(rounds, seconds) if part == "messages" else measured_without(rounds, seconds)
        return table(results), dict(results) if part == "messages" else {"without": results}
    if part in {"latency", "live", "scale"}:
        install_missing("nginx", "wrk")
    core = min(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="ocpi-hub-bench-") as name:
        if part == "latency":
            added = latency.measured_latency(Path(name), core, rounds)
            return latency.lines(added), {"latency": added}
        if part == "live":
            viewed = watched.measured_viewers(Path(name), core, rounds)
            return watched.lines(viewed), {"live": viewed}
        if part == "scale":
            size = scale.measured_scale(Path(name), core, rounds, seconds)
            return scale.lines(size), {"scale": size}
        if part == "broadcast":
            broadcasts = broadcasting.measured_broadcasts(Path(name), core, rounds)
            return broadcasting.lines(broadcasts), {"broadcast": broadcasts}
        if part == "outage":
            told = outage.measured_outage(Path(name), core, dropped)
            return outage.lines(told), {"outage": told}
        checks = presence.measured_checks(Path(name), core)
        return presence.lines(checks), {"presence": checks}


def measured(rounds: int, seconds: int) -> Results:
    """Measure all subjects. Raises HubFailed."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="ocpi-hub-bench-") as name, ExitStack() as stack:
        folder, core = Path(name), cores[0]
        behind = stack.enter_context(partner(folder, cores[-1]))
        hub, scenarios = stack.enter_context(hub_subject(folder, core, behind))
        on_servers, its_own = stack.enter_context(hub_on_servers_subject(folder / "on-servers", core, behind))
        floor = stack.enter_context(floor_subject(folder, core))
        proxy = stack.enter_context(nginx_subject(folder, core, behind))
        carried = {hub: scenarios, on_servers: its_own, proxy: scenarios, floor: scenarios}
        return _Bench(carried, folder, cores[-1], behind).results(rounds, seconds)


def measured_without(rounds: int, seconds: int) -> Results:
    """Measure hubs that leave something out, and one that does not. Raises HubFailed."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="ocpi-hub-bench-") as name, ExitStack() as stack:
        folder, core = Path(name), cores[0]
        behind = stack.enter_context(partner(folder, cores[-1]))
        hub, scenarios = stack.enter_context(hub_subject(folder, core, behind))
        compared = [each for each in scenarios if each.name in _COMPARED]
        carried = {hub: compared}
        for number, left_out in enumerate(_LEFT_OUT):
            leaner, its_own = stack.enter_context(
                hub_without_subject(folder / f"without-{number}", core, behind, left_out)
            )
            carried[leaner] = its_own
        carried[stack.enter_context(nginx_subject(folder, core, behind))] = compared
        carried[stack.enter_context(floor_subject(folder, core))] = compared
        return _Bench(carried, folder, cores[-1], behind).results(rounds, seconds)


class _Bench:
    def __init__(
        self, carried: Mapping[Subject, Sequence[Scenario]], folder: Path, core: int, partner_url: str
    ) -> None:
        """What each subject carries: the first, a hub, everything; tokens in the messages differ between hubs."""
        self._carried = carried
        self._folder = folder
        self._core = core
        self._partner_url = partner_url

    def results(self, rounds: int, seconds: int) -> Results:
        """Pages come last: their hundreds of objects leave work to the collector for the next seconds."""
        click.echo(
            f"{wrk.CONNECTIONS} connections, {rounds} rounds of {seconds} s; "
            f"subjects on core {min(os.sched_getaffinity(0))}, generator and partner on core {self._core}"
        )
        taken: dict[tuple[str, str], list[Figures]] = {}
        for pairs in (self._compared(), *self._families()):
            for subject, scenario in pairs:
                _check_answer(subject, scenario)
                self._measure(subject, scenario, 1)  # connections, caches and branch predictors get warm
            for number in range(rounds):
                click.echo(f"round {number + 1}", err=True)
                for subject, scenario in pairs:
                    figures = self._measure(subject, scenario, seconds)
                    taken.setdefault((subject.name, scenario.name), []).append(figures)
        results: Results = {subject.name: {} for subject in self._carried}
        for subject, scenario in chain(self._compared(), *self._families()):
            results[subject.name][scenario.name] = _summary(taken, subject.name, scenario)
        return results

    def _compared(self) -> list[tuple[Subject, Scenario]]:
        pairs = [(subject, scenario) for subject, scenarios in self._carried.items() for scenario in scenarios]
        return [pair for name in _COMPARED for pair in pairs if pair[1].name == name]

    def _families(self) -> list[list[tuple[Subject, Scenario]]]:
        """What only the hub carries: messages that have no twin, each with its twins, and theirs."""
        hub, scenarios = next(iter(self._carried.items()))
        families: dict[str, list[tuple[Subject, Scenario]]] = {}
        for each in scenarios:
            if each.name not in _COMPARED:
                family = families[each.twin] if each.twin else []
                family.append((hub, each))
                families[each.name] = family
        return [family for name, family in families.items() if family[0][1].name == name]

    def _measure(self, subject: Subject, scenario: Scenario, seconds: int) -> Figures:
        reached, ticks = self._reached(), cpu_ticks(subject.pid)
        run = wrk.run(subject.url, scenario, self._folder, self._core, seconds)
        subject.check_kept_up(max(run.requests / run.seconds * _LATER_S, _ONE_WRITING))
        time.sleep(_LATER_S)
        ticks = cpu_ticks(subject.pid) - ticks
        carried = self._reached() - reached if subject.forwards else run.requests
        if run.failed or carried < run.requests:
            raise HubFailed(f"{subject.name} did not deliver every {scenario.name}: {run.failed} errors")
        cpu_us = ticks / _TICKS_A_SECOND * 1e6 / carried  # also those that nobody waited for any more at the end
        return Figures(run.requests / run.seconds, run.p50_ms, run.p99_ms, cpu_us)

    def _reached(self) -> int:
        """How many requests the partner has had so far."""
        status = httpx.get(f"{self._partner_url}/counted", trust_env=False).text
        return int(status.splitlines()[2].split()[2])


def _check_answer(subject: Subject, scenario: Scenario) -> None:
    """One message, looked at: a fast error would be worth nothing."""
    answer = httpx.request(
        scenario.method,
        subject.url + scenario.path,
        headers=list(scenario.headers),
        content=scenario.body,
        trust_env=False,
    )
    if answer.status_code != 200 or answer.json()["status_code"] != 1000:
        raise HubFailed(f"{subject.name} answers {scenario.name} with HTTP {answer.status_code} {answer.text}")


def _summary(taken: dict[tuple[str, str], list[Figures]], subject: str, scenario: Scenario) -> Figures:
    """Medians of the rounds; a ratio is taken within each round."""
    own = taken[subject, scenario.name]

    def ratio(other: str) -> float:
        rounds = zip(own, taken.get((other, scenario.name), []), strict=False)
        return _median(ours.messages_per_s / theirs.messages_per_s for ours, theirs in rounds)

    summary = Figures(
        messages_per_s=round(_median(figures.messages_per_s for figures in own), 1),
        p50_ms=round(_median(figures.p50_ms for figures in own), 3),
        p99_ms=round(_median(figures.p99_ms for figures in own), 3),
        cpu_us_per_message=round(_median(figures.cpu_us_per_message for figures in own), 1),
        ratio_to_nginx=round(ratio("nginx"), 3),
        ratio_to_floor=round(ratio("floor"), 3),
    )
    if scenario.twin is None:
        return summary
    rounds = list(zip(own, taken[subject, scenario.twin], strict=True))
    times = _median(ours.cpu_us_per_message / twin.cpu_us_per_message for ours, twin in rounds)
    more = _median((ours.cpu_us_per_message - twin.cpu_us_per_message) / scenario.objects for ours, twin in rounds)
    return msgspec.structs.replace(
        summary, twin=scenario.twin, cpu_to_twin=round(times, 2), extra_us_per_object=round(more, 1)
    )


def _median(values: Iterable[float]) -> float:
    return statistics.median(list(values) or [0.0])


def table(results: Results) -> list[str]:
    """The results for people, a line each: what all carry, then what only a hub can."""
    width = max(9, *(len(subject) + 1 for subject in results))
    lines = [f"scenario      {'subject':<{width}} messages/s   p50 ms   p99 ms   CPU µs  of nginx  of floor"]
    for scenario in _COMPARED:
        for subject, found in results.items():
            lines.append(f"{scenario:<14}{subject:<{width}}{_columns(found[scenario])}{_ratios(found[scenario])}")
    alone = {scenario: found for scenario, found in results["hub"].items() if scenario not in _COMPARED}
    if alone:
        lines += [
            "",
            "hub alone              messages/s   p50 ms   p99 ms   CPU µs  beside               more µs an object",
            *(f"{scenario:<22}{_columns(found)}{_beside_twin(found)}" for scenario, found in alone.items()),
        ]
    return lines


def _columns(found: Figures) -> str:
    return f"{found.messages_per_s:>11,.0f}{found.p50_ms:>9.2f}{found.p99_ms:>9.2f}{found.cpu_us_per_message:>9.1f}"


def _ratios(found: Figures) -> str:
    return f"{found.ratio_to_nginx:>10.3f}{found.ratio_to_floor:>10.3f}"


def _beside_twin(found: Figures) -> str:
    if found.twin is None:
        return ""
    return f"{found.cpu_to_twin:>7.2f} of {found.twin:<11}{found.extra_us_per_object:>18.1f}"


if __name__ == "__main__":
    main()
