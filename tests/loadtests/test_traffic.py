"""The users of a load test, at a real hub."""

from __future__ import annotations

import json
import subprocess
import sys

from loadtests.hub_process import HubProcess
from loadtests.load.checks import kinds
from loadtests.traffic.day import DAY, actions, share
from routing.vocabulary import Role


def test_users_of_every_kind_register_and_say_everything_without_a_failure(hub: HubProcess) -> None:
    token = hub.operator.api.headers["authorization"].removeprefix("Bearer ")
    command = [sys.executable, "-m", "tests.loadtests.traffic_run", hub.operator.url]

    ended = subprocess.run(command, input=f"{token}\n", capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["missing"] == []
    assert report["failures"] == []
    [refused] = report["refused"]
    assert refused.startswith("tariffs.PUT.CPO 2.2.1 ZZ*ZZZ 4001: 4001 ")
    [given_up] = report["given_up"]
    assert given_up.startswith("commands.ST")
    assert report["statuses"] == ["1000", "4001", "None"]  # a callback has no status of its own
    registered = {f"credentials.POST.{role}" for role in (Role.CPO, Role.EMSP)}
    assert set(report["kinds"]) - registered == set(kinds((Role.CPO, Role.EMSP), reconnecting=True))
    assert report["partners"] == [*(f"DE*AA{end}" for end in "ABCD"), *(f"NL*AA{end}" for end in "ABCD")]
    assert sum(tally["messages"] for tally in report["tallies"].values()) > 100
    assert sum(tally["duplicates"] for tally in report["tallies"].values()) == 0


def test_a_day_is_mostly_changes_of_evses_and_hardly_ever_a_crawl() -> None:
    weights = {line.action: line.weight for line in DAY}
    most_first = ["evse_status", "session", "authorize", "location", "crawl"]

    assert sorted(most_first, key=lambda action: -weights[action]) == most_first
    assert share(Role.CPO) + share(Role.EMSP) == 1
    assert sum(len(actions(role)) for role in (Role.CPO, Role.EMSP)) == len(DAY)
