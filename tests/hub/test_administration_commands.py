from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli import commands
from hub.event_kinds import KINDS, EventKind
from hub.operator.client import Refused
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.hub.event_waiting import event_of
from tests.hub.operator.people import new_token
from tests.hub.scenarios.conftest import platform_of
from tests.partners import location, new_party

Run = Callable[..., Result]


@pytest.fixture
def run(hub: HubProcess, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command against the hub, as the admin `operator` or with another token."""
    monkeypatch.setenv("HUB_OPERATOR_PORT", str(hub.operator_port))

    def run(*arguments: str, token: str | None = None) -> Result:
        right = hub.operator.api.headers["authorization"].removeprefix("Bearer ")
        return CliRunner().invoke(commands, arguments, env={"HUB_OPERATOR_TOKEN": token or right})

    return run


def done(result: Result) -> str:
    assert (result.exit_code, result.stderr) == (0, ""), result
    return result.stdout


def as_json(result: Result) -> Any:  # noqa: ANN401 - JSON
    return json.loads(done(result))


def test_a_token_is_made_listed_used_and_removed(run: Run) -> None:
    made = as_json(run("token", "add", "anna", "--role", "auditor", "--json"))
    assert "not shown again" in done(run("token", "add", "bert", "--role", "operator"))
    listed = done(run("token", "list"))
    assert "anna" in listed
    assert made["token"] not in listed

    assert done(run("token", "remove", "anna", "--reason", "she left")) == "Removed: anna (auditor)\n"
    refused = run("audit", token=made["token"])
    assert isinstance(refused.exception, Refused)


def test_what_a_role_may_not_do_is_refused_in_one_line(run: Run, hub: HubProcess) -> None:
    refused = run("token", "list", token=new_token(hub, "auditor")["token"])

    assert isinstance(refused.exception, Refused)
    assert "takes the role admin" in str(refused.exception)


def test_a_reason_on_the_command_line_is_in_the_audit_log(run: Run) -> None:
    made = as_json(run("platform", "add", "Volt", "--reason", "a new contract", "--json"))
    done(run("platform", "suspend", made["id"], "--reason", "they didn't pay: 100 €"))

    [suspended, added] = as_json(run("audit", "--object", made["id"], "--json"))["items"]
    assert (added["action"], added["reason"]) == ("platform.add", "a new contract")
    assert (suspended["action"], suspended["reason"]) == ("platform.suspend", "they didn't pay: 100 €")
    assert suspended["source"] == "cli 127.0.0.1"
    table = done(run("audit", "--object", made["id"]))
    assert "status: PLANNED -> SUSPENDED" in table
    assert "verifies   yes" in done(run("audit", "--verify"))


def test_events_say_what_to_do(run: Run, hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    cpo.put("locations", f"{'/'.join(cpo.party)}/L", to=emsp.party, sender=new_party(), json=location(cpo.party, "L"))
    event_of(hub, EventKind.FOREIGN_SENDER, platform_of(hub, cpo))

    text = done(run("events", "--kind", "foreign_sender", "--platform", platform_of(hub, cpo)))
    assert f"{cpo.name} writes in the name of a party that is not its own" in text
    assert f"Do: {KINDS[EventKind.FOREIGN_SENDER].do}" in text
    assert done(run("events", "--kind", "no_leader")) == "Nothing that needs looking after.\n"


@pytest.mark.parametrize(
    "arguments", [("token", "add", "anna"), ("token", "add", "anna", "--role", "king"), ("token", "remove", "")]
)
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
