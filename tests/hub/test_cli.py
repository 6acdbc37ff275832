from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli import commands
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from loadtests.simulator.misbehaviour import UNAUTHORIZED
from loadtests.simulator.server import free_port
from routing.translation.losses import CATALOGUE
from tests.hub.counted import count
from tests.partners import CPO, new_party, partner

PROJECT = Path(__file__).resolve().parents[2]
ANSI_AND_OVERRIDES = "\x1b[2J\u202e"

Done = subprocess.CompletedProcess[str]


def run(folder: Path, *arguments: str, settings: Mapping[str, str] | None = None, stdin: str = "") -> Done:
    """The real command, in a folder of its own, with these HUB_ settings and no others."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    environment |= {f"HUB_{name.upper()}": value for name, value in (settings or {}).items()}
    environment["PYTHONPATH"] = str(PROJECT)
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        capture_output=True,
        cwd=folder,
        env=environment,
        input=stdin,
        text=True,
        timeout=60,
        check=False,
    )


class Shell:
    """Runs commands against one hub."""

    def __init__(self, hub: HubProcess, folder: Path) -> None:
        self._folder = folder
        self._settings = {
            "operator_port": str(hub.operator_port),
            "operator_token": hub.operator.api.headers["authorization"].removeprefix("Bearer "),
        }

    def __call__(self, *arguments: str, stdin: str = "") -> Done:
        return run(self._folder, *arguments, settings=self._settings, stdin=stdin)

    def text(self, *arguments: str, stdin: str = "") -> str:
        """What a command that has to succeed prints."""
        done = self(*arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """What a command that has to succeed prints for programs."""
        return json.loads(self.text(*arguments, "--json"))


@pytest.fixture
def shell(hub: HubProcess, tmp_path: Path) -> Shell:
    return Shell(hub, tmp_path)


def check_refusal(done: Done, *said: str) -> None:
    """Exit code 1, nothing on stdout, and one line on stderr that says all this."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("ocpi-hub: ")
    assert "Traceback" not in line
    for words in said:
        assert words in line


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in table.splitlines()]


# ---------------------------------------------------------------- what it does


def test_a_platform_is_invited_registers_and_is_listed(hub: HubProcess, shell: Shell) -> None:
    with partner(CPO).running() as cpo:
        added = shell.json("platform", "add", cpo.name, "--party", f"{cpo.party}:CPO", "--require-module", "locations")
        assert set(added) == {"id", "name", "status", "token_a", "versions_url"}
        planned = shell.json("platform", "show", added["id"])
        cpo.register(added["versions_url"], added["token_a"])
        listed = shell.json("platform", "list")
        table = rows(shell.text("platform", "list"))

    assert planned["status"] == "PLANNED"
    assert [party["id"] for party in planned["parties"]] == [str(cpo.party)]
    assert set(listed) == {"items", "next_cursor", "counts", "matched"}
    [one] = [item for item in listed["items"] if item["id"] == added["id"]]
    assert (one["status"], one["version"]) == ("CONNECTED", "2.2.1")
    assert table[0] == ["ID", "NAME", "STATUS", "VERSION", "PARTIES", "LAST SEEN"]
    [row] = [row for row in table if row[0] == added["id"]]
    assert row[:5] == [added["id"], cpo.name, "CONNECTED", "2.2.1", str(cpo.party)]
    assert hub.operator.platform(added["id"])["require_modules"] == ["locations"]


def test_people_get_what_the_partner_needs(hub: HubProcess, shell: Shell) -> None:
    text = shell.text("platform", "add", "Volt", "--face", "CPO", "--version", "2.1.1")

    values = dict(line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("Give"))
    assert values["status"] == "PLANNED"
    assert values["versions_url"] == hub.versions_url
    assert len(values["token_a"]) >= 22
    assert "not shown again" in text
    invited = shell.json("platform", "invite", values["id"], "--face", "CPO")
    assert set(invited) == {"token_a", "versions_url"}
    assert invited["token_a"] != values["token_a"]


def test_one_platform_is_shown_with_everything_that_belongs_to_it(shell: Shell, cpo: Partner) -> None:
    [party] = shell.json("party", "list", "--q", str(cpo.party))["items"]
    text = shell.text("platform", "show", party["platform_id"])

    for words in (cpo.name, "CONNECTED", str(cpo.party), "CPO", "locations", cpo.base, "timeout_s", "30"):
        assert words in text
    assert cpo.connection.our_token not in text


def test_settings_are_set_by_key_and_value(shell: Shell) -> None:
    added = shell.json("platform", "add", "Volt")["id"]
    changed = shell.json(
        "platform",
        "set",
        added,
        "timeout_s=2.5",
        "strict_ids=true",
        'hosts_allowed=["a.example"]',
        "auth_encoding=plain",
    )
    renamed = shell.json("platform", "set", added, "--name", "Volt 2", "timeout_s=null")

    settings = changed["settings"]
    assert (settings["timeout_s"], settings["strict_ids"], settings["hosts_allowed"]) == (2.5, True, ["a.example"])
    assert settings["auth_encoding"] == "plain"
    assert (renamed["name"], renamed["settings"]["timeout_s"]) == ("Volt 2", 30)


def test_a_platform_is_suspended_resumed_rotated_and_removed(shell: Shell) -> None:
    with partner(CPO).running() as cpo:
        added = shell.json("platform", "add", cpo.name)
        cpo.register(added["versions_url"], added["token_a"])
        token = cpo.connection.our_token

        assert shell.json("platform", "suspend", added["id"])["status"] == "SUSPENDED"
        assert shell.json("platform", "resume", added["id"])["status"] == "CONNECTED"
        assert shell.json("platform", "rotate", added["id"])["status"] == "CONNECTED"
        assert cpo.connection.our_token != token
        assert shell.json("platform", "remove", added["id"])["status"] == "SUSPENDED"


def test_the_hub_connects_with_a_token_that_is_in_no_list_of_processes(shell: Shell) -> None:
    with partner(CPO).running() as cpo:
        token = cpo.invite("token-of-the-partner")
        platform = shell.json("platform", "add", cpo.name)["id"]
        text = shell.text("platform", "connect", platform, cpo.versions_url, stdin=f"{token}\n")

        assert "CONNECTED" in text
        assert token not in text


def test_losses_are_listed_with_what_they_mean(hub: HubProcess, shell: Shell) -> None:
    platform_id = hub.operator.invite("Lossy").platform_id
    count(hub, platform_id, "M-33", "L-24")
    text = shell.text("platform", "losses", platform_id)
    table, meanings = map(rows, text.split("\n\n"))

    assert table[0] == ["DIRECTION", "MODULE", "OBJECT", "LOSS", "OTHER VERSION", "COUNT", "FIRST AT", "LAST AT"]
    assert [row[:6] for row in table[1:]] == [
        ["to", "locations", "Connector", loss, "2.2.1", "3"] for loss in ("L-24", "M-33")
    ]
    assert meanings == [[loss, CATALOGUE[loss].meaning] for loss in ("L-24", "M-33")]
    assert [item["loss"] for item in shell.json("platform", "losses", platform_id)["items"]] == ["L-24", "M-33"]


def test_parties_are_filtered(shell: Shell, cpo: Partner, emsp: Partner) -> None:
    found = shell.json("party", "list", "--role", "EMSP", "--status", "CONNECTED", "--limit", "200")["items"]
    table = rows(shell.text("party", "list", "--q", cpo.party.party_id))

    assert str(emsp.party) in {item["id"] for item in found}
    assert str(cpo.party) not in {item["id"] for item in found}
    assert table[0] == ["PARTY", "ROLE", "STATUS", "SUSPENDED", "NAME", "PLATFORM", "VIA", "LAST UPDATED"]
    assert table[1][:3] == [str(cpo.party), "CPO", "CONNECTED"]


def test_programs_get_pages_and_people_get_all(hub: HubProcess, shell: Shell) -> None:
    made = [hub.operator.invite(f"Page {number}").platform_id for number in range(3)]
    first = shell.json("platform", "list", "--limit", "1")
    second = shell.json("platform", "list", "--limit", "1", "--cursor", first["next_cursor"])

    assert len(first["items"]) == len(second["items"]) == 1
    assert first["items"] != second["items"]
    assert set(made) <= {row[0] for row in rows(shell.text("platform", "list", "--limit", "1"))}


def test_a_name_cannot_drive_the_terminal(hub: HubProcess, shell: Shell) -> None:
    platform = hub.operator.invite(f"evil{ANSI_AND_OVERRIDES}").platform_id
    for command in (["list"], ["show", platform]):
        assert r"evil\x1b[2J\u202e" in shell.text("platform", *command)
    assert shell.json("platform", "show", platform)["name"] == f"evil{ANSI_AND_OVERRIDES}"


def test_the_version_is_told(tmp_path: Path) -> None:
    text = run(tmp_path, "version").stdout.split()
    assert text[0] == "ocpi-hub"
    assert json.loads(run(tmp_path, "version", "--json").stdout) == {"version": text[1]}


@pytest.mark.parametrize(
    "command",
    [
        "",
        "serve",
        "migrate",
        "rekey",
        "demo",
        "version",
        "reload",
        "party",
        "party list",
        "platform",
        "platform add",
        "platform list",
        "platform show",
        "platform set",
        "platform suspend",
        "platform resume",
        "platform rotate",
        "platform connect",
        "platform invite",
        "platform remove",
        "platform losses",
    ],
)
def test_every_command_explains_itself(command: str) -> None:
    done = CliRunner().invoke(commands, [*command.split(), "--help"], prog_name="ocpi-hub")

    assert done.exit_code == 0
    assert f"Usage: ocpi-hub {command}".rstrip() in done.stdout


def test_asking_for_help_does_nothing_else(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--help")

    assert done.returncode == 0
    assert "Usage: ocpi-hub serve" in done.stdout
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- what it refuses


def test_without_a_hub_it_says_how_to_start_one(tmp_path: Path) -> None:
    settings = {"operator_port": str(free_port()), "operator_token": "x"}
    done = run(tmp_path, "platform", "list", settings=settings)

    check_refusal(done, "no hub answers at http://127.0.0.1:", "ocpi-hub serve")


def test_without_a_token_it_says_where_to_find_one(tmp_path: Path) -> None:
    done = run(tmp_path, "platform", "list")

    check_refusal(done, "HUB_OPERATOR_TOKEN", "operator-token")
    assert list(tmp_path.iterdir()) == []


def test_the_token_a_hub_has_kept_is_used(hub: HubProcess, tmp_path: Path) -> None:
    token = hub.operator.api.headers["authorization"].removeprefix("Bearer ")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "operator-token").write_text(f"{token}\n", encoding="ascii")
    done = run(tmp_path, "party", "list", settings={"operator_port": str(hub.operator_port)})

    assert done.returncode == 0, done.stderr


def test_a_wrong_token_is_refused(hub: HubProcess, tmp_path: Path) -> None:
    settings = {"operator_port": str(hub.operator_port), "operator_token": "wrong"}

    check_refusal(run(tmp_path, "platform", "list", settings=settings), "operator token", "HUB_OPERATOR_TOKEN")


def test_a_hub_of_one_process_is_not_reloaded(shell: Shell) -> None:
    check_refusal(shell("reload"), "This hub is one process", "HUB_WORKERS")


def test_a_port_of_something_else_is_recognised(hub: HubProcess, cpo: Partner, tmp_path: Path) -> None:
    for port in (hub.port, int(cpo.base.rpartition(":")[2])):
        settings = {"operator_port": str(port), "operator_token": "x", "port": "1"}

        check_refusal(run(tmp_path, "platform", "list", settings=settings), "HUB_OPERATOR_PORT")


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    for command in ("serve", "migrate"):
        check_refusal(run(tmp_path, command, settings={"operator_port": "many"}), "HUB_OPERATOR_PORT", "for example")
    check_refusal(run(tmp_path, "platform", "list", settings={"operator_port": "many"}), "HUB_OPERATOR_PORT")
    check_refusal(run(tmp_path, "platform", "list", settings={"colour": "red"}), "HUB_COLOUR")


def test_what_the_hub_refuses_is_passed_on_in_one_line(shell: Shell, cpo: Partner) -> None:
    check_refusal(shell("platform", "show", "unknown"), "No platform has this id")
    check_refusal(shell("platform", "show", "../parties"), "")
    check_refusal(shell("platform", "add", "Volt", "--version", "2.1.1"), "face is required")
    check_refusal(shell("platform", "add", "Thief", "--party", f"{cpo.party}:CPO"), "belongs to another platform")
    [party] = shell.json("party", "list", "--q", str(cpo.party))["items"]
    check_refusal(shell("platform", "set", party["platform_id"], "speed=1"), "settings.speed", "timeout_s")
    check_refusal(shell("platform", "invite", party["platform_id"]), "registered already")


def test_what_the_partner_refuses_is_passed_on_in_one_line(shell: Shell) -> None:
    with partner(CPO).running() as cpo:
        platform = shell.json("platform", "add", cpo.name, "--party", f"{new_party()}:CPO")["id"]
        cpo.behaves(UNAUTHORIZED)
        done = shell("platform", "connect", platform, cpo.versions_url, "--token-a", "token-of-the-partner")

    check_refusal(done, "401")
    assert "token-of-the-partner" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "fly",
        "platform",
        "platform fly",
        "platform show",
        "platform show ",
        "platform show a b",
        "platform add",
        "platform add Volt --face HUB",
        "platform add Volt --party NL*ABC",
        "platform add Volt --party NL*ABC:KING",
        "platform add Volt --party NLABC:CPO",
        "platform add Volt --version 3.0",
        "platform list --limit 0",
        "platform list --colour",
        "platform set x",
        "platform set x timeout_s",
        "platform connect x",
        "platform losses",
        "party list --role KING",
        "party list --status GONE",
    ],
)
def test_wrong_usage_is_told_from_refusal(command: str) -> None:
    done = CliRunner().invoke(commands, command.split(" "), prog_name="ocpi-hub")

    assert done.exit_code == 2
    assert done.stdout == ""
    assert "Usage: ocpi-hub" in done.stderr


def test_wrong_usage_ends_a_process_with_two(tmp_path: Path) -> None:
    done = run(tmp_path, "platform", "list", "--colour")

    assert (done.returncode, done.stdout) == (2, "")
    assert "--colour" in done.stderr


# ---------------------------------------------------------------- serving


def test_a_hub_says_where_it_is_and_with_which_token(tmp_path: Path) -> None:
    port, operator_port = free_port(), free_port()
    settings = {"HUB_PORT": str(port), "HUB_OPERATOR_PORT": str(operator_port), "PYTHONPATH": str(PROJECT)}
    settings["HUB_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")} | settings
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "serve"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = "".join(process.stdout.readline() for _ in range(3))
        listed = run(tmp_path, "platform", "list", settings={"operator_port": str(operator_port)})
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)

    token = (tmp_path / "var" / "operator-token").read_text(encoding="ascii").strip()
    assert f"http://127.0.0.1:{port}/ocpi/versions" in printed
    assert f"http://127.0.0.1:{operator_port}" in printed
    assert token in printed
    assert token not in log
    assert listed.returncode == 0, listed.stderr
    assert process.returncode == 0


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    settings = {
        "database_url": f"postgresql+asyncpg://hub:pw-of-it@127.0.0.1:{free_port()}/hub",
        "secret_key": "x" * 32,
    }
    done = run(tmp_path, "migrate", settings=settings)

    check_refusal(done, "database")
    assert "pw-of-it" not in done.stderr
