"""`ocpi-hub loadtest`, typed: a short run, and what it refuses."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import UsageError
from msgspec.structs import replace

from hub.version import VERSION
from loadtests.hub_process import Operator
from loadtests.inviting import Inviting
from loadtests.load.checks import LoadTestFailed, answering, check_objectives, check_port, kinds, wait_for_master
from loadtests.load.command import run
from loadtests.load.hubs import check_company, own_hub, platforms, taken_parties
from loadtests.load.locust_process import Mode
from loadtests.load.objectives import Objectives
from loadtests.load.partners import senders
from loadtests.load.plan import Part, Plan
from loadtests.load.targets import TargetRefused
from loadtests.simulator import Partner
from loadtests.simulator.server import free_port
from routing.vocabulary import Party, Role, Version

PROJECT = Path(__file__).parents[3]
TWO = ("--party", "NL*ABC:CPO", "--party", "DE*XYZ:EMSP")
PATIENT = """
[overall]
achieved_share = 0.5
error_share = 0.5
[generator]
cpu_share = 1
late_p99_ms = 60_000
"""
"""Other tests may have the processors."""


@pytest.fixture(scope="module")
def hub() -> Iterator[Operator]:
    with own_hub({"database_url": None}) as operator:
        yield operator


def begun(*arguments: str, hub: Operator, folder: Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return subprocess.Popen(
        [sys.executable, "-m", "hub", "loadtest", "--operator-url", hub.url, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(PROJECT), "HUB_OPERATOR_TOKEN": hub.token},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_run_of_two_processes_ends_with_a_report_that_has_all_parts(hub: Operator, tmp_path: Path) -> None:
    (tmp_path / "slo.toml").write_text(PATIENT, encoding="utf-8")
    size = ("--duration", "3s", "--rate", "30", "--platforms", "4", "--processes", "2")
    with begun(*size, "--slo", "slo.toml", "--report", "out", hub=hub, folder=tmp_path) as process:
        said, _ = process.communicate(timeout=110)
    assert process.returncode == 0, said
    assert "passed; the report is out/report.html" in said
    assert "offered/s" in said
    assert "removed 4 platforms from the hub" in said
    assert {platform["status"] for platform in platforms(hub)} == {"SUSPENDED"}
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["plan"]["processes"] == 2
    assert report["hub_version"] == VERSION
    assert {partner["plays"] for partner in report["partners"].values()} <= {
        f"{role} {version}" for role in ("CPO", "EMSP") for version in ("2.1.1", "2.2.1", "2.3.0")
    }
    assert report["overall"]["achieved"] > 20
    assert len([partner for partner in report["partners"] if partner.startswith("NL*")]) == 2  # other parties in each
    assert report["kinds"]["locations.PATCH.CPO"]["outcomes"]["1000"] > 5
    assert report["hub"]["platforms"]
    assert sum(partner["sampled"] for partner in report["partners"].values()) > 0
    assert len(report["generator"]["cpu_share_by_process"]) == 4  # two that send, and a simulator for each
    for name in ("report.html", "partners.csv", "messages.csv", "timeline.csv", "locust.html", "locust_stats.csv"):
        assert (tmp_path / "out" / name).stat().st_size > 0, name
    for name in ("rate.png", "latency.png", "partners.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG"), name


def test_messages_that_nobody_answers_are_counted_and_named(hub: Operator, tmp_path: Path) -> None:
    size = ("--duration", "2s", "--rate", "20", "--profile", "dead")
    with begun(*TWO, *size, "--report", "out", hub=hub, folder=tmp_path) as process:
        said, _ = process.communicate(timeout=110)
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    overall = report["overall"]
    assert process.returncode == 1, said
    assert "waiting 2 s at most for answers" in said
    assert 0 < overall["unanswered"] == overall["errors"] == overall["messages"] == overall["offered"]
    assert f"{overall['errors']} errors, {overall['unanswered']} of them unanswered" in said


def test_a_hub_with_a_rate_limit_is_noticed(tmp_path: Path) -> None:
    with own_hub({"rate_limit": "10/s burst 10"}) as limited:
        size = ("--duration", "2s", "--rate", "40", "--report", "out")
        with begun(*TWO, *size, hub=limited, folder=tmp_path) as process:
            said, _ = process.communicate(timeout=110)
    assert "note  the hub's rate limit refused " in said
    assert "2000 (HTTP 429, rate limit): " in said


@pytest.fixture
def roam(hub: Operator) -> Iterator[str]:
    """A partner as `ocpi-hub simulate --register` registers them: the id of its platform."""
    with Partner("Simulated EMSP DE*ROM", {Party("DE", "ROM"): [Role.EMSP]}).running() as partner:
        invitation = Inviting(hub).invite(partner.name, Role.EMSP, partner.version)
        partner.register(invitation.versions_url, invitation.token_a)
        yield invitation.platform_id
        hub.ask("DELETE", f"/api/v1/platforms/{invitation.platform_id}")


def test_nobody_gets_messages_who_is_not_meant_to(hub: Operator, roam: str, tmp_path: Path) -> None:
    plan = Plan(hub.url, str(tmp_path))
    with pytest.raises(TargetRefused, match=r"so Simulated EMSP DE\*ROM would get their messages too"):
        check_company(hub, plan)
    check_company(hub, replace(plan, versions=(Version.V2_2_1, Version.V2_3_0)))
    assert taken_parties(hub) == {"DE*ROM"}
    assert hub.platform(roam)["status"] == "CONNECTED"


@pytest.mark.parametrize(
    ("party", "peer", "said"),
    [
        ("NL*ABC:CPO", "FR*EVE:EMSP", r"no platform of this hub has the party FR\*EVE"),
        ("NL*ABC:EMSP", "DE*ROM:CPO", r"DE\*ROM is EMSP on 2\.2\.1 at this hub, and not CPO on 2\.2\.1"),
        ("NL*ABC:CPO", "DE*ROM:EMSP:2.3.0", r"DE\*ROM is EMSP on 2\.2\.1 at this hub, and not EMSP on 2\.3\.0"),
        ("DE*ROM:EMSP", "NL*ABC:CPO", r"DE\*ROM is a party of 'Simulated EMSP DE\*ROM' at this hub already"),
    ],
)
@pytest.mark.usefixtures("roam")
def test_parties_that_are_not_as_they_were_said_are_refused_before_anything_is_sent(
    hub: Operator, tmp_path: Path, party: str, peer: str, said: str
) -> None:
    plan = Plan(hub.url, str(tmp_path), platforms=1, parts=(Part.read(party),), peers=(Part.read(peer),))
    with pytest.raises(TargetRefused, match=said):
        check_company(hub, plan)


def test_a_run_with_a_peer_that_is_interrupted_says_that_it_was_cut_short(
    hub: Operator, roam: str, tmp_path: Path
) -> None:
    two = ("--party", "NL*ABC:CPO:2.2.1", "--peer", "DE*ROM:EMSP:2.2.1", "--duration", "1h", "--rate", "20")
    with begun(*two, "--report", "out", hub=hub, folder=tmp_path) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(2)]  # the run has begun
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
    assert "1 platform, 1 peer" in first[0]
    assert process.returncode == 1
    assert "removed 1 platform from the hub" in said
    assert re.search(r"cut short after \d of 3600 s; the report is out/report\.html", said)
    assert "Cut short after" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert hub.platform(roam)["status"] == "CONNECTED"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--operator-url", "http://8.8.8.8", "--operator-token", "x"), 2, "say --i-own-this-target 8.8.8.8"),
        (("--slo", "none.toml"), 2, "none.toml: No such file or directory"),
        (("--operator-url", "http://127.0.0.1"), 2, "--operator-url needs the token"),
        (("--operator-url", "http://127.0.0.1", "--operator-token", "tökén"), 2, "has characters that no token has"),
        (
            ("--operator-url", "http://127.0.0.1:1", "--operator-token", "x"),
            1,
            "start it with `HUB_RATE_LIMIT=off make run`",
        ),
        (("--operator-url", "http://127.0.0.1", "--database-url", "x"), 2, "--database-url cannot be given beside"),
        (
            (*TWO, "--platforms", "4", "--version", "2.2.1"),
            2,
            "--platforms and --version cannot be given beside --party",
        ),
        ((*TWO, "--processes", "2"), 2, "parties by name are played by one process"),
        (("--party", "NL*ABC:CPO", "--peer", "DE*XYZ:EMSP"), 2, "a --peer is at a hub that runs already"),
        (("--party", "NL*ABC:CPO"), 2, "at least one --party or --peer that is a CPO, and one that is an EMSP"),
        (
            ("--operator-url", "http://127.0.0.1", "--peer", "DE*ROM:EMSP"),
            2,
            'sends to it, such as --party "NL*ABC:CPO:2.2.1"',
        ),
        (("--operator-url", "http://127.0.0.1", "--peer", "NL*ROM:CPO"), 2, '--party "DE*XYZ:EMSP:2.2.1"'),
        (("--party", "NLABC:CPO"), 2, "'NLABC:CPO' is not like NL*ABC:CPO:2.2.1"),
        (("--duration", "soon"), 2, "'soon' is not like 30s, 5m or 1h"),
        (("--processes", "3", "--platforms", "4"), 2, "3 processes need at least 6 platforms"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUB_OPERATOR_TOKEN", raising=False)
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == code
    lines = capsys.readouterr().err.splitlines()
    assert said in lines[-1]
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_and_a_token_that_is_wrong_are_said(hub: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(LoadTestFailed, match="Address already in use"):
        check_port(other.getsockname()[1])
    stranger = Operator(hub.url, "guessed")
    with stranger.api, pytest.raises(LoadTestFailed, match="does not take this operator token"):
        answering(stranger)


def test_a_worker_without_a_master_ends_and_says_what_to_do() -> None:
    port = free_port()
    with pytest.raises(
        LoadTestFailed, match=rf"no master on 127\.0\.0\.1, port {port}, within 0 s: .*--master N` there"
    ):
        wait_for_master("127.0.0.1", 0, port)


def test_a_worker_that_waits_for_a_master_says_so_until_ctrl_c(hub: Operator, tmp_path: Path) -> None:
    nobody = "192.0.2.1"  # on this machine another test may be a master, whose workers are counted
    with begun("--worker-of", nobody, "--report", "out", hub=hub, folder=tmp_path) as process:
        assert process.stdout is not None
        assert f"sending for the master on {nobody}" in process.stdout.readline()
        assert process.stdout.readline() == "waiting 120 s at most for the master; Ctrl-C ends it\n"
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
    assert said == "ocpi-hub loadtest: ended before there was a master\n"
    assert process.returncode == 1


def test_objectives_name_parties_of_the_run(hub: Operator, tmp_path: Path) -> None:
    plan, mode = Plan(hub.url, str(tmp_path), platforms=4), Mode(processes=2)
    check_objectives(Objectives({"partners": {"NL*AAA": {}, "NL*BTU": {}, "DE*AAA": {}}}), plan, mode, hub)
    with pytest.raises(UsageError, match=r"objectives for FR\*EVE, not in this run; in it are DE\*AAA,"):
        check_objectives(Objectives({"partners": {"NL*AAA": {}, "FR*EVE": {}}}), plan, mode, hub)


def test_a_peer_has_objectives_as_a_receiver_only(hub: Operator, tmp_path: Path) -> None:
    parts, peers = (Part.read("NL*ABC:CPO"),), (Part.read("DE*ROM:EMSP"),)
    plan, mode = Plan(hub.url, str(tmp_path), platforms=1, parts=parts, peers=peers), Mode()
    check_objectives(Objectives({"receivers": {"DE*ROM": {}}, "partners": {"NL*ABC": {}}}), plan, mode, hub)
    with pytest.raises(UsageError, match=r'a --peer sends nothing: .* is said in \[receivers\."DE\*ROM"\]'):
        check_objectives(Objectives({"partners": {"DE*ROM": {}}}), plan, mode, hub)
    with pytest.raises(UsageError, match=r"objectives for DE\*AAA, not in this run; in it are DE\*ROM, NL\*ABC"):
        check_objectives(Objectives({"receivers": {"DE*AAA": {}}}), plan, mode, hub)


@pytest.mark.parametrize(
    ("pattern", "plan"),
    [
        ("token.authorize.*", Plan("", "")),
        ("commands.*", Plan("", "", platforms=1, parts=(Part.read("NL*ABC:CPO"),))),
        ("credentials.*", Plan("", "")),
    ],
)
def test_a_kind_that_is_not_sent_is_refused_before_the_run(hub: Operator, pattern: str, plan: Plan) -> None:
    said = rf"objectives for kinds {re.escape(pattern)}, which this run does not send; it sends locations\.PATCH\.CPO, "
    with pytest.raises(UsageError, match=said):
        check_objectives(Objectives({"kinds": {pattern: {}}}), plan, Mode(), hub)


def test_kinds_that_are_sent_have_objectives(hub: Operator) -> None:
    sent = Objectives({"kinds": {"tokens.authorize.*": {}, "commands.*.EMSP → result": {}, "*.GET.EMSP": {}}})
    check_objectives(sent, Plan("", ""), Mode(), hub)
    back = Objectives({"kinds": {"credentials.PUT.*": {}}})
    check_objectives(back, Plan("", "", shape="mass-reconnect"), Mode(), hub)
    check_objectives(back, Plan("", ""), Mode(web_port=8089), hub)
    assert len(kinds({Role.CPO}, reconnecting=False)) == 7  # locations.PUT once


def test_versions_go_in_turn_over_all_processes() -> None:
    plan = Plan("", "", platforms=6)
    played = [plan.part(number, process) for process in range(3) for number in range(2)]
    assert [f"{part.role} {part.version}" for part in played] == [
        "CPO 2.1.1", "EMSP 2.2.1", "CPO 2.2.1", "EMSP 2.3.0", "CPO 2.3.0", "EMSP 2.1.1",
    ]  # fmt: skip
    narrow = replace(plan, versions=(Version.V2_2_1, Version.V2_3_0))
    assert narrow.part(0, 3).version == Version.V2_3_0


def test_numbered_parties_are_those_that_nobody_else_is() -> None:
    assert senders(Plan("", "", platforms=4), 1, {"NL*AAA"}) == {"NL*AAB", "NL*AAC", "DE*AAA", "DE*AAB"}
