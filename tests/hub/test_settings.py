"""Settings: what an operator writes, what the hub makes of it, and what it says when something is wrong."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.secret_files import kept_secret
from hub.setting_types import RateLimit
from hub.settings import Settings, SettingsError
from routing.vocabulary import Party, Secret

KEY = "k" * 32
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - a setting, nothing is bound here
POSTGRESQL = "postgresql+asyncpg://hub:pass-word@db.example.com/hub"


@pytest.fixture(autouse=True)
def _empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("HUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.load()


def fault(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **variables)
    return str(caught.value)


def test_nothing_has_to_be_set() -> None:
    settings = Settings.load()

    assert settings.public_url == "http://127.0.0.1:8000"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.operator_host, settings.operator_port) == ("127.0.0.1", 8001)
    assert settings.hub_party == Party("EU", "HUB")
    assert settings.name == "OCPI hub"
    assert settings.database_url == "sqlite+aiosqlite:///var/hub.db"
    assert settings.redis_url is None
    assert settings.workers == 1
    assert settings.allow_private_partners is True
    assert (settings.forward_timeout_s, settings.connect_timeout_s, settings.authorize_timeout_s) == (30, 5, 10)
    assert settings.max_body_bytes is None
    assert settings.rate_limit == RateLimit(per_second=50, burst=200)
    assert settings.log_format == "json"
    assert settings.log_level == "info"
    assert settings.var_dir == Path("var")


def test_every_setting_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        HUB_PUBLIC_URL="https://Hub.Example.com/roaming/",
        HUB_HOST=EVERY_ADDRESS,
        HUB_PORT="443",
        HUB_OPERATOR_HOST="::1",
        HUB_OPERATOR_PORT="9001",
        HUB_OPERATOR_TOKEN="operators-only",
        HUB_WORKERS="4",
        HUB_COUNTRY_CODE="nl",
        HUB_PARTY_ID="rmr",
        HUB_NAME="Röaming",
        HUB_DATABASE_URL=POSTGRESQL,
        HUB_REDIS_URL="rediss://:pass-word@redis.example.com:6380/1",
        HUB_SECRET_KEY=KEY,
        HUB_ALLOW_PRIVATE_PARTNERS="true",
        HUB_TRUSTED_PROXIES="10.1.2.3, 172.30.0.0/16,fd00::/8",
        HUB_FORWARD_TIMEOUT_S="12.5",
        HUB_CONNECT_TIMEOUT_S="1",
        HUB_AUTHORIZE_TIMEOUT_S="3",
        HUB_MAX_BODY_BYTES="65536",
        HUB_RATE_LIMIT="0.5/s burst 10",
        HUB_DRAIN_NOTICE_S="7.5",
        HUB_LOG_FORMAT="Console",
        HUB_LOG_LEVEL="DEBUG",
    )

    assert settings.drain_notice_s == 7.5
    assert settings.public_url == "https://hub.example.com/roaming"
    assert settings.hub_party == Party("NL", "RMR")
    assert settings.operator_token == Secret("operators-only")
    assert settings.secret_key == Secret(KEY)
    assert settings.trusted_proxies == ("10.1.2.3", "172.30.0.0/16", "fd00::/8")
    assert settings.forward_timeout_s == 12.5
    assert settings.max_body_bytes == 65536
    assert settings.rate_limit == RateLimit(per_second=0.5, burst=10)
    assert (settings.log_format, settings.log_level) == ("console", "debug")
    assert not Path("var").exists()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HUB_PUBLIC_URL", "hub.example.com", "http or https"),
        ("HUB_PUBLIC_URL", "ftp://hub.example.com", "http or https"),
        ("HUB_PUBLIC_URL", "https://", "host"),
        ("HUB_PUBLIC_URL", "https://user:pw@hub.example.com", "host"),
        ("HUB_PUBLIC_URL", "https://hub.example.com:port", "port"),
        ("HUB_PUBLIC_URL", "https://hub.example.com:99999", "port"),
        ("HUB_PUBLIC_URL", "https://[::1", "URL"),
        ("HUB_PUBLIC_URL", "https://hub.example.com/?a=b", "plain path"),
        ("HUB_PUBLIC_URL", "https://hub.example.com/#top", "plain path"),
        ("HUB_PUBLIC_URL", "https://hub.example.com//ocpi", "plain path"),
        ("HUB_PUBLIC_URL", "https://hub.example.com/" + "a" * 120, "128"),
        ("HUB_PUBLIC_URL", "https://hüb.example.com", "URL"),
        ("HUB_PUBLIC_URL", "http://hub.example.com", "https is required"),
        ("HUB_PUBLIC_URL", "http://192.168.1.1", "https is required"),
        ("HUB_HOST", "a b", "pattern"),
        ("HUB_HOST", "http://127.0.0.1", "pattern"),
        ("HUB_PORT", "eighty", "integer"),
        ("HUB_PORT", "0", "greater than or equal to 1"),
        ("HUB_PORT", "65536", "less than or equal to 65535"),
        ("HUB_PORT", "tcp://10.0.0.1:80", "integer"),
        ("HUB_OPERATOR_HOST", "*", "pattern"),
        ("HUB_OPERATOR_PORT", "-1", "greater"),
        ("HUB_OPERATOR_PORT", "8000", "HUB_PORT"),
        ("HUB_OPERATOR_TOKEN", "with space", "ASCII"),
        ("HUB_OPERATOR_TOKEN", "gehäim", "ASCII"),
        ("HUB_WORKERS", "0", "greater"),
        ("HUB_WORKERS", "257", "less"),
        ("HUB_WORKERS", "many", "integer"),
        ("HUB_WORKERS", "2", "HUB_REDIS_URL"),
        ("HUB_TRUSTED_PROXIES", "proxy.example.com", "neither an address nor a network"),
        ("HUB_TRUSTED_PROXIES", "10.1.2.3/16", "neither an address nor a network"),
        ("HUB_COUNTRY_CODE", "NLD", "pattern"),
        ("HUB_COUNTRY_CODE", "1", "pattern"),
        ("HUB_PARTY_ID", "LONG", "pattern"),
        ("HUB_PARTY_ID", "a*b", "pattern"),
        ("HUB_NAME", "n" * 101, "100 characters"),
        ("HUB_NAME", "two\nlines", "printable"),
        ("HUB_NAME", "  ", "printable"),
        ("HUB_DATABASE_URL", "hub.db", "postgresql+asyncpg://"),
        ("HUB_DATABASE_URL", "postgresql://db.example.com/hub", "postgresql+asyncpg://"),
        ("HUB_DATABASE_URL", "sqlite:///hub.db", "sqlite+aiosqlite:///"),
        ("HUB_DATABASE_URL", "sqlite+aiosqlite://", "names no database"),
        ("HUB_DATABASE_URL", "postgresql+asyncpg://db.example.com:x/hub", "port"),
        ("HUB_REDIS_URL", "localhost:6379", "redis://"),
        ("HUB_REDIS_URL", "redis://", "redis://"),
        ("HUB_REDIS_URL", "redis://redis.example.com:x", "port"),
        ("HUB_SECRET_KEY", "short", "16 characters"),
        ("HUB_ALLOW_PRIVATE_PARTNERS", "maybe", "boolean"),
        ("HUB_FORWARD_TIMEOUT_S", "0", "greater than 0"),
        ("HUB_FORWARD_TIMEOUT_S", "301", "less than or equal to 300"),
        ("HUB_FORWARD_TIMEOUT_S", "nan", "finite"),
        ("HUB_CONNECT_TIMEOUT_S", "-1", "greater than 0"),
        ("HUB_CONNECT_TIMEOUT_S", "inf", "number"),
        ("HUB_AUTHORIZE_TIMEOUT_S", "10s", "number"),
        ("HUB_MAX_BODY_BYTES", "1", "1024"),
        ("HUB_MAX_BODY_BYTES", "2MiB", "integer"),
        ("HUB_MAX_BODY_BYTES", "99999999999", "16777216"),
        ("HUB_RATE_LIMIT", "50", "burst"),
        ("HUB_RATE_LIMIT", "50/m burst 200", "burst"),
        ("HUB_RATE_LIMIT", "0/s burst 1", "more than nothing"),
        ("HUB_RATE_LIMIT", "1/s burst 0", "more than nothing"),
        ("HUB_LOG_FORMAT", "xml", "console"),
        ("HUB_LOG_LEVEL", "loud", "debug"),
        ("HUB_PROT", "8000", "did you mean HUB_PORT"),
        ("HUB_PORT_FILE", "port.txt", "is not a setting"),
        ("HUB_XYZ", "1", "is not a setting; for example"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable_the_fault_and_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    text = fault(monkeypatch, **{name: value})

    assert text.startswith(name)
    assert words in text
    assert "for example HUB_" in text or "did you mean HUB_" in text
    assert "\n" not in text


def test_nothing_is_generated_for_a_start_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch, HUB_LOG_LEVEL="loud")

    assert not Path("var").exists()


@pytest.mark.parametrize("name", ["HUB_OPERATOR_TOKEN", "HUB_SECRET_KEY", "HUB_DATABASE_URL", "HUB_REDIS_URL"])
def test_no_error_shows_a_secret(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert "hünter2" not in fault(monkeypatch, **{name: "hünter2"})


def test_no_form_of_the_settings_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        HUB_OPERATOR_TOKEN="pass-word",
        HUB_SECRET_KEY="pass-word" * 4,
        HUB_DATABASE_URL=POSTGRESQL,
        HUB_REDIS_URL="redis://:pass-word@127.0.0.1",
    )

    assert "pass-word" not in f"{settings} {settings!r} {settings.secret_key} {settings.operator_token!r}"


def test_settings_cannot_be_changed_after_the_start() -> None:
    with pytest.raises(ValidationError):
        Settings.load().port = 1


@pytest.mark.parametrize("limit", ["off", "0.5/s burst 10"])
def test_a_worker_has_the_settings_of_its_parent_whatever_it_finds_itself(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    settings = load(
        monkeypatch,
        HUB_WORKERS="2",
        HUB_DATABASE_URL=POSTGRESQL,
        HUB_REDIS_URL="redis://redis.example.com",
        HUB_SECRET_KEY=KEY,
        HUB_ALLOW_PRIVATE_PARTNERS="false",
        HUB_RATE_LIMIT=limit,
    )
    texts = settings.texts
    monkeypatch.setenv("HUB_NAME", "Another")
    Path(".env").write_text("HUB_FORWARD_TIMEOUT_S=7\n")

    assert Settings.of_parent(texts).changed(settings) == []
    assert settings.changed(Settings.load()) == ["HUB_NAME", "HUB_FORWARD_TIMEOUT_S"]


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("HUB_PORT=9000\nHUB_NAME='From the file'\n# HUB_X=1\nOTHER_X=1\n")

    settings = load(monkeypatch, HUB_PORT="9001")

    assert (settings.port, settings.name) == (9001, "From the file")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"HUB_PROT=8000\n", "HUB_PROT is not a setting; did you mean HUB_PORT"),
        (b"HUB_PORT=80 80\n", "HUB_PORT='80 80'"),
        (b"HUB_PORT\n", "HUB_PORT in .env has no value"),
        (b"HUB_NAME=\xff\n", ".env is not UTF-8"),
    ],
)
def test_a_fault_in_the_file_stops_the_start_too(content: bytes, words: str) -> None:
    Path(".env").write_bytes(content)

    with pytest.raises(SettingsError) as caught:
        Settings.load()

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, HUB_PORT="", HUB_REDIS_URL="", HUB_OPERATOR_TOKEN="")

    assert settings.port == 8000
    assert settings.redis_url is None
    assert settings.operator_token.reveal()


@pytest.mark.parametrize("name", ["HUB_OPERATOR_TOKEN", "HUB_SECRET_KEY", "HUB_DATABASE_URL", "HUB_REDIS_URL"])
def test_a_secret_can_be_given_as_a_file(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    values = {
        "HUB_OPERATOR_TOKEN": "from-a-file",
        "HUB_SECRET_KEY": KEY,
        "HUB_DATABASE_URL": "sqlite+aiosqlite:///other.db",
        "HUB_REDIS_URL": "redis://127.0.0.1",
    }
    Path("secret.txt").write_text(values[name] + "\n")

    settings = load(monkeypatch, **{f"{name}_FILE": "secret.txt"})

    value = getattr(settings, name.removeprefix("HUB_").lower())
    assert (value.reveal() if isinstance(value, Secret) else value) == values[name]


def test_a_secret_file_can_be_named_in_the_env_file() -> None:
    Path("secret.txt").write_text("from-a-file\n")
    Path(".env").write_text("HUB_OPERATOR_TOKEN_FILE=secret.txt\n")

    assert Settings.load().operator_token == Secret("from-a-file")


def test_a_secret_file_that_is_missing_or_empty_or_doubled_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("empty").touch()
    Path("full").write_text("text")

    missing = fault(monkeypatch, HUB_OPERATOR_TOKEN_FILE="nowhere")
    empty = fault(monkeypatch, HUB_OPERATOR_TOKEN_FILE="empty")
    doubled = fault(monkeypatch, HUB_OPERATOR_TOKEN_FILE="full", HUB_OPERATOR_TOKEN="token")

    assert missing.startswith("HUB_OPERATOR_TOKEN_FILE='nowhere' cannot be read (No such file")
    assert empty.startswith("HUB_OPERATOR_TOKEN_FILE='empty' is empty")
    assert doubled.startswith("HUB_OPERATOR_TOKEN and HUB_OPERATOR_TOKEN_FILE are both given")


def test_generated_secrets_are_kept_and_private() -> None:
    first, second = Settings.load(), Settings.load()

    assert first.operator_token == second.operator_token
    assert first.secret_key == second.secret_key
    assert first.operator_token != first.secret_key
    for name in ("operator-token", "secret-key"):
        assert (Path("var") / name).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in Path("var").iterdir()) == ["operator-token", "secret-key"]


def _kept_in(directory: Path) -> str:
    return kept_secret(directory / "var" / "secret-key", "HUB_SECRET_KEY").reveal()


def test_processes_that_start_at_once_agree_on_the_generated_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_kept_in, [tmp_path] * 32, chunksize=1))) == 1


def test_a_generated_secret_that_cannot_be_kept_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("var").write_text("not a directory")

    text = fault(monkeypatch)

    assert text.startswith("HUB_OPERATOR_TOKEN is not set and cannot be kept in var/operator-token")
    assert "for example HUB_OPERATOR_TOKEN_FILE=" in text


def test_an_emptied_secret_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("var").mkdir()
    Path("var/operator-token").touch()

    assert "var/operator-token is empty" in fault(monkeypatch)


def test_the_secret_key_comes_from_outside_when_the_database_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fault(monkeypatch, HUB_DATABASE_URL=POSTGRESQL).startswith("HUB_SECRET_KEY is required")


def test_private_partners_are_refused_as_soon_as_the_hub_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, HUB_PUBLIC_URL="https://hub.example.com").allow_private_partners is False
    assert load(monkeypatch, HUB_PUBLIC_URL="http://[::1]:8000").allow_private_partners is True
    assert load(monkeypatch, HUB_PUBLIC_URL="http://localhost:8000").allow_private_partners is True


def test_a_rate_limit_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, HUB_RATE_LIMIT="off").rate_limit is None


def test_several_workers_need_shared_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = {"HUB_WORKERS": "2", "HUB_REDIS_URL": "redis://127.0.0.1", "HUB_SECRET_KEY": KEY}

    assert "PostgreSQL" in fault(monkeypatch, **shared)
    assert load(monkeypatch, **shared, HUB_DATABASE_URL=POSTGRESQL).workers == 2


def test_the_listeners_may_share_a_port_on_different_addresses_only(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {"HUB_PORT": "8001", "HUB_OPERATOR_PORT": "8001"}

    assert load(monkeypatch, **same, HUB_HOST="127.0.0.2").port == 8001
    assert fault(monkeypatch, **same, HUB_HOST=EVERY_ADDRESS).startswith("HUB_OPERATOR_PORT")


def test_an_operator_token_that_is_exposed_must_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, HUB_OPERATOR_TOKEN="short").operator_token == Secret("short")
    assert "16 characters" in fault(monkeypatch, HUB_OPERATOR_HOST=EVERY_ADDRESS)


def test_names_of_commands_beside_the_hub_are_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, HUB_DEMO_STAY="1").port == 8000
