"""`ocpi-hub agreement` and the suspension of one party, from a shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli import commands
from hub.operator.client import Refused
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.hub.test_cli import rows
from tests.partners import new_party


class Shell:
    """Runs commands against one hub, inside this process: a new one for each would take most of the time."""

    def __init__(self, hub: HubProcess) -> None:
        token = hub.operator.api.headers["authorization"].removeprefix("Bearer ")
        self._settings = {"HUB_OPERATOR_PORT": str(hub.operator_port), "HUB_OPERATOR_TOKEN": token}

    def __call__(self, *arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(commands, arguments, env=self._settings, input=stdin, prog_name="ocpi-hub")

    def text(self, *arguments: str, stdin: str = "") -> str:
        """What a command that has to succeed prints."""
        done = self(*arguments, stdin=stdin)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        return done.stdout

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """What a command that has to succeed prints for programs."""
        return json.loads(self.text(*arguments, "--json"))

    def refusal(self, *arguments: str, stdin: str = "") -> str:
        """Why a command was refused; whoever starts the program gets it as one line."""
        done = self(*arguments, stdin=stdin)
        assert isinstance(done.exception, Refused), done.output
        return str(done.exception)


@pytest.fixture
def shell(hub: HubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    hub.operator.ask("POST", "/api/v1/agreements/import?replace=true", content=b"a,b\n")
    return Shell(hub)


def test_an_agreement_is_added_listed_and_removed(shell: Shell) -> None:
    a, b = new_party(), new_party()
    made = shell.json("agreement", "add", str(a), str(b), "--module", "cdrs", "--module", "tokens")
    assert shell.text("agreement", "add", str(a), "XX*X", "--direction", "a_to_b").startswith(
        f"{a} -> XX*X, modules all"
    )

    table = rows(shell.text("agreement", "list", "--party", str(b)))
    assert table[0] == ["ID", "A", "B", "DIRECTION", "MODULES", "CREATED AT"]
    assert table[1][:5] == [made["id"], str(a), str(b), "both", "cdrs, tokens"]
    assert len(shell.json("agreement", "list")["items"]) == 2
    assert "\nOf 2 agreements 0 without a message since 20" in shell.text("agreement", "silent")

    assert shell.text("agreement", "remove", made["id"]).startswith(f"Ended: {a} <-> {b}, modules cdrs, tokens")
    assert shell.refusal("agreement", "remove", made["id"]) == "No agreement has this id"
    assert rows(shell.text("agreement", "list", "--party", str(b))) == table[:1]


def test_agreements_are_written_to_a_file_and_read_from_one(shell: Shell, tmp_path: Path) -> None:
    shell.text("agreement", "add", "NL*ONE", "NL*TWO")
    shell.text("agreement", "export", "all.csv")
    assert (tmp_path / "all.csv").read_text() == "a,b,modules,direction\nNL*ONE,NL*TWO,,both\n"
    assert shell.text("agreement", "export", "-") == (tmp_path / "all.csv").read_text()

    with (tmp_path / "all.csv").open("a") as file:
        file.write("NL*ONE,NL*SIX,cdrs,a_to_b\n")
    planned = shell.json("agreement", "import", "all.csv", "--dry-run")
    assert planned == {"added": 1, "changed": 0, "ended": 0, "unchanged": 1, "dry_run": True}
    assert rows(shell.text("agreement", "import", "all.csv"))[0] == ["added", "1"]
    assert shell.text("agreement", "import", "-", "--replace", stdin="a,b\n").split()[4:6] == ["ended", "2"]


def test_what_is_wrong_with_a_file_is_said(shell: Shell) -> None:
    said = shell.refusal("agreement", "import", "-", stdin="a,b\nNL*ONE,here\n")

    assert "line 2: 'here' is no party" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "NL*ONE"),
        ("add", "NL*ONE", "here"),
        ("list", "--party", "x"),
        ("remove", ""),
        ("import", "no-such-file"),
    ],
)
def test_wrong_usage_is_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = shell("agreement", *arguments)

    assert done.exit_code == 2, done.output


def test_one_party_is_suspended_and_resumed(shell: Shell, cpo: Partner) -> None:
    [suspended] = shell.json("party", "suspend", str(cpo.party))["items"]
    assert (suspended["id"], suspended["status"], suspended["suspended"]) == (str(cpo.party), "SUSPENDED", True)

    table = rows(shell.text("party", "resume", str(cpo.party)))
    assert table[0] == ["PARTY", "ROLE", "STATUS", "SUSPENDED", "NAME", "PLATFORM", "VIA", "LAST UPDATED"]
    assert table[1][:4] == [str(cpo.party), "CPO", "CONNECTED", "no"]
    assert "knows no party of this name" in shell.refusal("party", "suspend", "XX*NON")
    assert shell("party", "suspend", "x").exit_code == 2
