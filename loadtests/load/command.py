"""`ocpi-hub loadtest`: put a hub under the load of simulated partners, and say whether it is good enough."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec

from loadtests.hub_process import HubFailed, Operator
from loadtests.load.checks import (
    MASTER_PORT,
    LoadTestFailed,
    answering,
    check_given,
    check_objectives,
    check_parts,
    check_port,
    check_token,
    wait_for_master,
)
from loadtests.load.hub_time import HubFigures
from loadtests.load.hubs import check_company, own_hub, party_names, remove, version_of
from loadtests.load.journal_times import JournalTimes
from loadtests.load.locust_process import LOG, Mode, run_locust
from loadtests.load.objectives import Objectives, ObjectivesError
from loadtests.load.plan import LOOPBACK, MEASURED, PLATFORMS, VERSIONS, Part, Plan, PlanError
from loadtests.load.recording import Recording
from loadtests.load.results import Results, cpu_share
from loadtests.load.shapes import SHAPES
from loadtests.load.targets import TargetRefused, check_target
from loadtests.simulator.profiles import read_profile
from routing.vocabulary import Version

Json = dict[str, Any]

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(s|m|h)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, None: 1}
_MASTER_WITHIN_S = 120.0
_NEEDED = ("locust", "matplotlib")


def run(arguments: Sequence[str]) -> None:
    """The command, with one line on stderr for whatever cannot be."""
    try:
        loadtest.main(list(arguments), prog_name="ocpi-hub loadtest")
    except (LoadTestFailed, HubFailed, TargetRefused) as error:
        click.echo(f"ocpi-hub loadtest: {' '.join(str(error).split())}", err=True)
        sys.exit(2 if isinstance(error, TargetRefused) else 1)


def _read_duration(_: click.Context, __: click.Parameter, value: str) -> float:
    match = _DURATION.fullmatch(value)
    if match is None or float(match[1]) <= 0:
        raise click.BadParameter(f"{value!r} is not like 30s, 5m or 1h")
    return float(match[1]) * _SECONDS[match[2]]


def _read_parts(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[Part, ...]:
    try:
        return tuple(map(Part.read, values))
    except PlanError as error:
        raise click.BadParameter(str(error)) from error


def _read_profile(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        read_profile(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return value


def _read_objectives(_: click.Context, __: click.Parameter, value: Path | None) -> Objectives:
    try:
        return Objectives({}) if value is None else Objectives.load(value)
    except ObjectivesError as error:
        raise click.BadParameter(str(error)) from error


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--shape", type=click.Choice(list(SHAPES)), default="steady", show_default=True, help="How the rate changes."
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    default=100.0,
    show_default=True,
    help="Highest rate, in actions a second.",
)
@click.option(
    "--duration",
    default="5m",
    show_default=True,
    callback=_read_duration,
    help="How long, once all have registered.",
)
@click.option(
    "--platforms", type=click.IntRange(2), default=20, show_default=True, help="How many, CPOs and eMSPs in turn."
)
@click.option(
    "--version",
    "versions",
    type=click.Choice(list(map(str, VERSIONS))),
    multiple=True,
    default=list(map(str, VERSIONS)),
    help="Versions they speak, in turn; all by default.",
)
@click.option(
    "--party",
    "parts",
    multiple=True,
    metavar="NL*ABC:CPO[:2.2.1]",
    callback=_read_parts,
    help="Play this party; then there are no others.",
)
@click.option(
    "--peer",
    "peers",
    multiple=True,
    metavar="NL*ABC:EMSP[:2.2.1]",
    callback=_read_parts,
    help="Send to this party of the hub, which somebody else is.",
)
@click.option("--profile", default="fast", show_default=True, callback=_read_profile, help="How partners answer.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same one gives the same arrivals, parties and objects."
)
@click.option(
    "--slo",
    "objectives",
    type=click.Path(path_type=Path),
    callback=_read_objectives,
    help="TOML file with what has to be achieved.",
)
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the report, where what is there is replaced; a new one in var/loadtest by default.",
)
@click.option("--operator-url", help="Operator listener of a hub that runs already; by default one is started.")
@click.option("--operator-token", envvar="HUB_OPERATOR_TOKEN", show_envvar=True, help="Its operator token.")
@click.option(
    "--i-own-this-target",
    "owned",
    multiple=True,
    metavar="HOST",
    help="For a host that is neither this machine nor in a private network.",
)
@click.option("--address", default=LOOPBACK, show_default=True, help="Where the hub reaches this machine.")
@click.option("--database-url", help="PostgreSQL for the hub that is started; SQLite by default.")
@click.option("--redis-url", help="Redis for the hub that is started; none by default.")
@click.option(
    "--processes", type=click.IntRange(1), default=1, show_default=True, help="Processes that send, on this machine."
)
@click.option("--master", "workers", type=click.IntRange(1), metavar="N", help="Wait for N workers on other machines.")
@click.option("--worker-of", metavar="HOST", help="Send for the master on this host.")
@click.option("--web", "web_port", type=click.IntRange(1, 65535), metavar="PORT", help="Begin runs on a web page.")
def loadtest(
    shape: str,
    rate: float,
    duration: float,
    platforms: int,
    versions: tuple[str, ...],
    parts: tuple[Part, ...],
    peers: tuple[Part, ...],
    profile: str,
    seed: int,
    objectives: Objectives,
    folder: Path | None,
    operator_url: str | None,
    operator_token: str | None,
    owned: tuple[str, ...],
    address: str,
    database_url: str | None,
    redis_url: str | None,
    processes: int,
    workers: int | None,
    worker_of: str | None,
    web_port: int | None,
) -> None:
    """Put a hub under load, and report what it did for each partner.

    Simulated CPOs and eMSPs register at the hub and send each other what partners send in a day, when it is due and not
    when the last message is answered. Without --operator-url a hub is started for it, and ends with it.

    Exit codes: 0 all objectives were met, 1 one was not, or there was no whole run, 2 what was asked for was refused.
    """
    _check_programs()
    mode = Mode(processes=processes, workers=workers, worker_of=worker_of, web_port=web_port)
    check_given(has_parts=bool(parts), has_url=operator_url is not None)
    check_parts(parts, peers, mode, has_url=operator_url is not None)
    platforms = len(parts) or platforms
    if not parts:
        mode.check(platforms)
    check_port(web_port)
    folder = folder or Path("var", "loadtest", datetime.now().astimezone().strftime("%Y-%m-%d-%H%M%S"))
    with _hub(operator_url, operator_token, owned, {"database_url": database_url, "redis_url": redis_url}) as hub:
        plan = Plan(
            operator_url=hub.url,
            folder=str(folder.absolute()),
            shape=shape,
            rate=rate,
            duration_s=duration,
            platforms=platforms,
            fewest=mode.fewest,
            versions=tuple(map(Version, versions)),
            parts=parts,
            peers=peers,
            seed=seed,
            profile=profile,
            address=address,
            owned=owned,
        )
        if operator_url is not None:
            check_company(hub, plan)
        if worker_of is None:
            check_objectives(objectives, plan, mode, hub)
        version = version_of(hub)
        _make(folder)
        _say_beginning(plan, mode, is_own=operator_url is None)
        if worker_of is not None:
            _wait_for_master(worker_of)
        try:
            is_whole = run_locust(plan, mode, hub.token)
            results = None if worker_of else _results(folder, objectives, hub, version, is_whole=is_whole)
        finally:
            if operator_url is not None and worker_of is None:
                _remove(hub, folder)
    if results is not None:
        _report(results, folder)


def _check_programs() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise LoadTestFailed(
            f"{' and '.join(missing)} not installed; use `make loadtest`, or pip install 'ocpi-hub[loadtest]'"
        )


def _make(folder: Path) -> None:
    """Make room for a report. Raises LoadTestFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LoadTestFailed(f"no report can be written to {folder}: {error.strerror}") from error
    for name in (MEASURED, PLATFORMS):
        folder.joinpath(name).unlink(missing_ok=True)


@contextmanager
def _hub(
    url: str | None, token: str | None, owned: tuple[str, ...], stores: dict[str, str | None]
) -> Iterator[Operator]:
    """The hub that is meant, or one of its own."""
    if url is not None:
        if token is None:
            raise click.UsageError("--operator-url needs the token of that hub, best in HUB_OPERATOR_TOKEN")
        check_token(token)
        check_target(url, owned)
        yield answering(Operator(url.rstrip("/"), token))
        return
    with own_hub(stores) as hub:
        yield hub


def _say_beginning(plan: Plan, mode: Mode, *, is_own: bool) -> None:
    if mode.worker_of is not None:
        click.echo(f"sending for the master on {mode.worker_of}, to the hub at {urlsplit(plan.operator_url).netloc}")
        return
    hub = "a hub of its own" if is_own else f"the hub at {urlsplit(plan.operator_url).netloc}"
    who = _counted(plan.platforms, "platform") + (f", {_counted(len(plan.peers), 'peer')}" if plan.peers else "")
    click.echo(f"{plan.shape}, highest rate {plan.rate:g} actions/s for {plan.duration_s:g} s, {who}, {hub}")
    if mode.workers is not None:
        click.echo(
            f"waiting for {_counted(mode.workers, 'worker')} at port {MASTER_PORT}: see --worker-of; Ctrl-C ends it"
        )
    if mode.web_port is not None:
        click.echo(f"begin and end runs at http://127.0.0.1:{mode.web_port}; Ctrl-C for the report of the last one")


def _wait_for_master(host: str) -> None:
    try:
        click.echo(f"waiting {_MASTER_WITHIN_S:g} s at most for the master; Ctrl-C ends it")
        wait_for_master(host, _MASTER_WITHIN_S)
    except KeyboardInterrupt as error:
        raise LoadTestFailed("ended before there was a master") from error
    click.echo("the master is there; it begins when all of its workers are")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _results(folder: Path, objectives: Objectives, hub: Operator, version: str, *, is_whole: bool) -> Results:
    """What locust left, and what the hub knows of it."""
    try:
        measured = msgspec.json.decode(folder.joinpath(MEASURED).read_bytes())
    except OSError as error:
        why = f"see {folder / LOG}" if is_whole else "it was ended before a run had begun"
        raise LoadTestFailed(f"nothing was measured; {why}") from error
    if "failed" in measured:
        raise LoadTestFailed(measured["failed"])
    recording = Recording.read(measured["recording"])
    begun, ended = (datetime.fromisoformat(measured[name]) for name in ("begun_at", "ended_at"))
    before, after = (measured["metrics"][0], measured["metrics"][-1])
    figures = HubFigures.read(after).since(HubFigures.read(before)) if before and after else None
    journal = JournalTimes.of(hub, begun, ended)
    notes = [] if figures else ["the hub's /metrics could not be read: no time of the hub apart from its partners'"]
    names: dict[str, str] = {}
    try:
        names = party_names(hub)
    except HubFailed as error:
        notes.append(f"the hub did not answer after the run: {error}")
    return Results(
        plan=measured["plan"],
        processes=measured["processes"],
        begun_at=measured["begun_at"],
        recording=recording,
        verdicts=objectives.judge(recording, cpu_share(recording), journal.by_receiver),
        hub=figures,
        journal=journal,
        names=names,
        notes=tuple(notes),
        players=measured["players"],
        hub_version=version,
        cut_short_s=measured["cut_short_s"],
    )


def _remove(hub: Operator, folder: Path) -> None:
    """Leave somebody's hub as it was found."""
    try:
        names = msgspec.json.decode(folder.joinpath(PLATFORMS).read_bytes(), type=list[str])
    except OSError:  # nobody had registered
        return
    try:
        left = remove(hub, names)
    except HubFailed as error:
        click.echo(f"\nnot removed from the hub: {', '.join(names)}: {error}", err=True)
        return
    click.echo(f"\nremoved {_counted(len(names) - len(left), 'platform')} from the hub")
    for each in left:
        click.echo(f"not removed: {each}", err=True)


def _report(results: Results, folder: Path) -> None:
    from loadtests.load.report import summary, write  # noqa: PLC0415 - it loads the library that draws, which takes a second

    report = write(results, folder)
    click.echo(f"\n{summary(report)}\n\n{results.verdict}; the report is {folder / 'report.html'}")
    sys.exit(0 if results.passed else 1)
