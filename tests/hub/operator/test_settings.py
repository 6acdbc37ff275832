"""`GET /api/v1/settings`, and what `ocpi-hub settings` makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.operator.settings import SECTIONS, setting_views
from hub.settings import Settings
from loadtests.hub_process import HubProcess
from tests.hub.test_agreement_commands import Shell

SECRET = "Zq7-nobody-may-see-this-0123456789"


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, where settings come from what a test says."""
    monkeypatch.chdir(tmp_path)


def views() -> dict[str, Any]:
    return {each.id: each for each in setting_views(Settings.load())}


def test_every_setting_is_in_one_section_and_says_what_it_is_for() -> None:
    fields = [field for section in SECTIONS.values() for field in section]

    assert sorted(fields) == sorted(Settings.model_fields)
    assert all(each.text.endswith(".") for each in views().values())


def test_a_setting_says_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("HUB_LOG_LEVEL=debug\nHUB_NAME=File\n")
    (tmp_path / "key").write_text(SECRET)
    monkeypatch.setenv("HUB_NAME", "Environment")
    monkeypatch.setenv("HUB_PORT", "")
    monkeypatch.setenv("HUB_SECRET_KEY_FILE", str(tmp_path / "key"))

    found = views()

    sources = {name: str(found[f"HUB_{name}"].source) for name in ("NAME", "LOG_LEVEL", "PORT")}
    assert sources == {"NAME": "environment", "LOG_LEVEL": ".env", "PORT": "default"}
    assert (found["HUB_NAME"].value, found["HUB_NAME"].default) == ("Environment", "OCPI hub")
    assert (str(found["HUB_SECRET_KEY"].source), str(found["HUB_OPERATOR_TOKEN"].source)) == ("file", "generated")


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", SECRET)
    monkeypatch.setenv("HUB_OPERATOR_TOKEN", SECRET + "x")
    monkeypatch.setenv("HUB_DATABASE_URL", f"postgresql+asyncpg://hub:{SECRET}@db.example.com/hub?password={SECRET}")
    monkeypatch.setenv("HUB_REDIS_URL", f"rediss://:{SECRET}@r.example.com:6379/0")

    found = views()

    assert SECRET not in repr(found)
    assert found["HUB_DATABASE_URL"].value == "postgresql+asyncpg://hub:***@db.example.com/hub?password=***"
    assert found["HUB_REDIS_URL"].value == "rediss://:***@r.example.com:6379/0"
    secrets = ("HUB_SECRET_KEY", "HUB_OPERATOR_TOKEN", "HUB_OTHER_SECRET_KEY")
    assert [(found[each].secret, found[each].is_set, found[each].value) for each in secrets] == [
        (True, True, None),
        (True, True, None),
        (True, False, None),
    ]


def test_values_are_as_one_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = views()
    names = ("RATE_LIMIT", "FORWARD_TIMEOUT_S", "OPEN_BROADCAST", "TRUSTED_PROXIES", "PAGE_MAX")
    shown = [found[f"HUB_{name}"].value for name in names]
    assert shown == ["50/s burst 200", "30", "true", "127.0.0.1,::1", None]

    monkeypatch.setenv("HUB_RATE_LIMIT", "off")
    assert views()["HUB_RATE_LIMIT"].value == "off"


def test_a_running_hub_says_it_to_programs_and_people(hub: HubProcess) -> None:
    found = hub.operator.ask("GET", "/api/v1/settings")

    [port] = [each for each in found["items"] if each["id"] == "HUB_OPERATOR_PORT"]
    assert (port["value"], port["source"]) == (str(hub.operator_port), "environment")
    assert [each["version"] for each in found["ocpi"]] == ["2.1.1", "2.2", "2.2.1", "2.3.0"]
    assert found["schema"].isdecimal()
    lines = Shell(hub).text("settings").splitlines()
    assert any(line.split() == ["HUB_OPERATOR_PORT", str(hub.operator_port), "environment"] for line in lines)
    assert any(line.split() == ["HUB_OPERATOR_TOKEN", "set", "environment"] for line in lines)
