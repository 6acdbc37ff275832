"""A short run of every kind of user, in a process that locust may patch: `python -m tests.loadtests.traffic_run URL`.

Reads the operator's token from stdin and prints what happened, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from locust import constant_throughput
from locust.env import Environment
from locust.runners import LocalRunner

from loadtests.hub_process import Operator
from loadtests.load.recording import Kind
from loadtests.traffic.cpo import Cpo211, Cpo221, Cpo230
from loadtests.traffic.day import DAY
from loadtests.traffic.emsp import Emsp211, Emsp221, Emsp230
from loadtests.traffic.stage import close_stage, open_stage
from loadtests.traffic.users import OcpiUser
from routing.vocabulary import InterfaceRole, Party, Role

USERS: list[type[OcpiUser]] = [Cpo211, Cpo221, Cpo230, Emsp211, Emsp221, Emsp230]
SAID = {
    Role.CPO: "locations.PUT locations.PATCH tariffs.PUT sessions.PUT sessions.PATCH cdrs.POST tokens.authorize",
    Role.EMSP: "tokens.PUT locations.GET commands.START_SESSION commands.STOP_SESSION "
    "commands.START_SESSION:result commands.STOP_SESSION:result",
}
_WITHIN_S = 60.0


class Heard:
    """What locust was told."""

    def __init__(self, environment: Environment) -> None:
        self.seen: Counter[str] = Counter()
        self.kinds: set[str] = set()
        self.failures: list[str] = []
        self.contexts: list[dict[str, Any]] = []
        environment.events.request.add_listener(self._note)

    def _note(
        self, request_type: str, name: str, context: dict[str, Any], exception: Exception | None, **_: object
    ) -> None:
        what, role = name.rsplit(".", 1)
        callback = ":result" if request_type == "CALLBACK" else ""
        self.seen[f"{what}{callback} {role} {context['version']}"] += 1
        self.kinds.add(str(Kind(name, result=request_type == "CALLBACK")))
        self.contexts.append(context)
        if exception is not None:
            self.failures.append(f"{name} {context['version']} {context['peer']} {context['ocpi_status']}: {exception}")


def wait(until: Callable[[], bool]) -> None:
    """Let users act until something is so, or it has taken too long: the report shows what is missing."""
    deadline = time.monotonic() + _WITHIN_S
    while not until() and time.monotonic() < deadline:
        time.sleep(0.1)


def main() -> None:
    """Run, and print the report."""
    for user in USERS:
        user.fixed_count = 1
        user.wait_time = constant_throughput(8)
    environment = Environment(user_classes=list(USERS), stop_timeout=10)
    heard = Heard(environment)
    often = [line._replace(weight=1) for line in DAY]
    stage = open_stage(environment, Operator(sys.argv[1], sys.stdin.readline().strip()), day=often)
    stage.session_patches = 1
    runner: LocalRunner = environment.create_local_runner()
    wanted = {f"{what} {user.role} {user.version}" for user in USERS for what in SAID[user.role].split()}
    try:
        runner.start(len(USERS), spawn_rate=10)
        wait(lambda: wanted <= set(heard.seen))
        tallies = stage.simulator.tallies()
        runner.stop()
        again = {f"credentials.PUT {user.role} {user.version}" for user in USERS}
        runner.start(len(USERS), spawn_rate=10)
        wait(lambda: again <= set(heard.seen))
        failures, heard.failures = heard.failures, []
        refused(environment)
        refusals, heard.failures = heard.failures, []
        given_up(environment)
        runner.quit()
        report = {
            "missing": sorted((wanted | again) - set(heard.seen)),
            "failures": failures,
            "refused": refusals,
            "given_up": [each for each in heard.failures if each.endswith("no result")],
            "partners": sorted({context["partner"] for context in heard.contexts}),
            "statuses": sorted({str(context["ocpi_status"]) for context in heard.contexts}),
            "kinds": sorted(heard.kinds),
            "tallies": tallies,
        }
    finally:
        close_stage(environment)
    print(json.dumps(report))  # noqa: T201 - for the test


def refused(environment: Environment) -> None:
    """Send something for a party that is not there: the hub refuses, in HTTP 200."""
    user = Cpo221(environment)
    user.on_start()
    nobody = msgspec.structs.replace(user.part, party=Party("ZZ", "ZZZ"))
    assert (
        user.send(
            "PUT", "tariffs", "/".join(("", *user.part.party, "T")), {}, to=nobody, interface=InterfaceRole.RECEIVER
        )
        is None
    )
    user.on_stop()


def given_up(environment: Environment) -> None:
    """Order something, and end before its result can have come."""
    user = Emsp221(environment)
    user.on_start()
    assert user.do("command")
    user.give_up()
    user.on_stop()


main()
