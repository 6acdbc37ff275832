"""`ocpi-hub loadtest`, typed: a short run, and what it refuses."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from loadtests.hub_process import Operator
from loadtests.load.command import run
from loadtests.load.hubs import check_company, own_hub, platforms
from loadtests.load.plan import Part, Plan
from loadtests.load.targets import TargetRefused
from loadtests.simulator import Partner
from routing.vocabulary import Party, Role, Version

PROJECT = Path(__file__).parents[3]
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


def loadtest(*arguments: str, hub: Operator, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return subprocess.run(
        [sys.executable, "-m", "hub", "loadtest", "--operator-url", hub.url, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(PROJECT), "HUB_OPERATOR_TOKEN": hub.token},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_a_run_of_two_processes_ends_with_a_report_that_has_all_parts(hub: Operator, tmp_path: Path) -> None:
    (tmp_path / "slo.toml").write_text(PATIENT, encoding="utf-8")
    size = ("--duration", "3s", "--rate", "30", "--platforms", "4", "--processes", "2")
    done = loadtest(*size, "--slo", "slo.toml", "--report", "out", hub=hub, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed; the report is out/report.html" in done.stdout
    assert "offered/s" in done.stdout
    assert "removed 4 platforms from the hub" in done.stdout
    assert {platform["status"] for platform in platforms(hub)} == {"SUSPENDED"}
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["plan"]["processes"] == 2
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


def test_nobody_gets_messages_who_is_not_meant_to(hub: Operator, tmp_path: Path) -> None:
    plan = Plan(hub.url, str(tmp_path))
    party, eve = Part.read("NL*ABC:CPO"), Part.read("FR*EVE:EMSP")
    with Partner("Roam", {Party("DE", "ROM"): [Role.EMSP]}).running() as roam:
        platform_id = hub.registered(roam)
        with pytest.raises(TargetRefused, match="so Roam would get their messages too"):
            check_company(hub, plan)
        check_company(hub, replace(plan, versions=(Version.V2_2_1, Version.V2_3_0)))
        check_company(hub, replace(plan, platforms=1, parts=(party,), peers=(Part.read("DE*ROM:EMSP"),)))
        with pytest.raises(TargetRefused, match=r"no platform of this hub has the party FR\*EVE"):
            check_company(hub, replace(plan, platforms=1, parts=(party,), peers=(eve,)))
        hub.ask("DELETE", f"/api/v1/platforms/{platform_id}")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--operator-url", "http://8.8.8.8", "--operator-token", "x"), 1, "say --i-own-this-target 8.8.8.8"),
        (("--slo", "none.toml"), 1, "none.toml: No such file or directory"),
        (("--operator-url", "http://127.0.0.1"), 2, "--operator-url needs the token"),
        (("--party", "NL*ABC:CPO"), 2, "at least one --party or --peer that is a CPO, and one that is an EMSP"),
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
    assert not list(tmp_path.glob("var/loadtest/*/measured.json"))
