"""The soak as a command, for some seconds; and what counts as growth."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from loadtests.mixture import INJECTED, STEADY, Mixture
from loadtests.samples import growth
from loadtests.scenarios import Scenario
from loadtests.soak import Soak, verdict
from routing.vocabulary import Party

PROJECT = Path(__file__).parents[2]
NAMES = ("put_location", "get_location", "session", "session_211_221", "session_221_230")
PAGES = ("page", "page_211_221", "page_221_230")


@pytest.mark.skipif(shutil.which("nginx", path=f"{os.defpath}:/usr/sbin") is None, reason="needs nginx")
def test_the_soak_carries_messages_and_says_of_each_thing_whether_it_grew(tmp_path: Path) -> None:
    report = tmp_path / "soak.json"
    command = [sys.executable, "-m", "loadtests.soak", "--minutes", "0.1", "--share", "0.3", "--report", str(report)]

    ended = subprocess.run(
        [*command, "--every", "0.3", "--churn", "0.3"], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert "descriptors:" in ended.stdout, ended.stderr
    found = msgspec.json.decode(report.read_bytes())
    assert found["sent"] > 0
    assert found["failed"] == {}
    assert found["churn_failures"] == []
    assert {each["what"] for each in found["growths"]} >= {"memory MiB", "descriptors", "tasks", "threads"}
    assert sum(found["steps"].values()) >= 6


def test_what_breathes_does_not_grow() -> None:
    samples = [(float(at), 100.0 + 3 * (at % 2)) for at in range(60)]

    found = growth("descriptors", samples, warm_at=10)

    assert found is not None
    assert not found.is_growth


@pytest.mark.parametrize(("what", "per_sample"), [("memory MiB", 1.0), ("threads", 0.2), ("tasks", 2.0)])
def test_what_becomes_more_and_more_grows(what: str, per_sample: float) -> None:
    found = growth(what, [(float(at), 100 + per_sample * at) for at in range(60)], warm_at=0)

    assert found is not None
    assert found.is_growth
    assert found.an_hour == pytest.approx(per_sample * 3600)


def test_growth_during_the_warm_up_counts_for_nothing() -> None:
    samples = [(float(at), min(100.0 + 20 * at, 300.0)) for at in range(60)]

    found = growth("memory MiB", samples, warm_at=12)

    assert found is not None
    assert (found.before, found.after, found.is_growth) == (300.0, 300.0, False)


def test_a_few_samples_tell_nothing() -> None:
    assert growth("tasks", [(float(at), 1.0) for at in range(5)], warm_at=0) is None


def test_one_error_that_was_not_injected_is_one_too_many() -> None:
    found = Soak(limit=1000, limit_cpu=1, offered=700, minutes=1)
    found.injected["200/4003"] = 5
    assert [text for good, text in verdict(found) if not good] == ["things looked at often enough to tell: 0"]

    found.failed["200/4002"] = 1

    assert "messages between healthy partners that failed: 1 (200/4002: 1)" in [
        text for good, text in verdict(found) if not good
    ]


def test_every_message_of_the_mixture_is_about_another_object() -> None:
    headers = (("authorization", "Token x"), ("ocpi-to-country-code", "DE"), ("ocpi-to-party-id", "ROM"))
    scenarios = [Scenario(name, "PUT", "/NL/VLT/SESSION00", headers, b"SESSION00") for name in (*NAMES, *PAGES)]
    mixture = Mixture(scenarios, Party("DE", "FLK"), "hub")

    messages = [mixture.message(0.0) for _ in range(1000)]

    assert len({each.request.partition(b"HTTP")[0] for each in messages}) == 1000
    assert {each.kind for each in messages} == {STEADY, INJECTED}
    assert all(b"/NL/VLT/S0" in each.request and each.request[-9:-7] == b"S0" for each in messages)
