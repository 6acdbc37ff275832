"""The lines of the log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog

from hub.observability import (
    MessageLine,
    bind_fields,
    configure_logging,
    flush_logs,
    log_message,
)
from hub.plain_text import readable
from routing.vocabulary import ModuleID, Party, Secret, Version

NL_ABC = Party("NL", "ABC")
TOKEN = "c3VwZXItc2VjcmV0LXRva2Vu"


class Logging(NamedTuple):
    log_format: str = "json"
    log_level: str = "info"


class Lines:
    """What has been logged so far."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def text(self) -> str:
        flush_logs()
        return self._path.read_text(encoding="utf-8")

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.all[-1]


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Callable[..., Lines]]:
    path = tmp_path / "log"
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def configured(log_format: str = "json", log_level: str = "info") -> Lines:
        configure_logging(Logging(log_format, log_level), fd=fd)
        return Lines(path)

    yield configured
    configure_logging(Logging(), fd=2)
    structlog.reset_defaults()
    os.close(fd)


def test_a_line_has_its_time_level_event_and_fields_in_that_order(logged: Callable[..., Lines]) -> None:
    lines = logged()
    structlog.get_logger().info("message_forwarded", module=ModuleID.TOKENS, sender=NL_ABC, hub_ms=0.4)

    line = lines.last
    assert list(line) == ["time", "level", "event", "module", "sender", "hub_ms"]
    assert line["time"].endswith("Z")
    assert line | {"time": ""} == {
        "time": "",
        "level": "info",
        "event": "message_forwarded",
        "module": "tokens",
        "sender": "NL*ABC",
        "hub_ms": 0.4,
    }


def test_every_line_of_a_task_carries_the_fields_it_has_bound(logged: Callable[..., Lines]) -> None:
    lines = logged()
    log = structlog.get_logger()

    def task() -> None:
        bind_fields(correlation_id="c1", sender=NL_ABC)
        bind_fields(receiver=Party("DE", "XYZ"))
        log.info("message_forwarded")

    copy_context().run(task)
    log.info("hub_started")

    inside, outside = lines.all
    assert (inside["correlation_id"], inside["sender"], inside["receiver"]) == ("c1", "NL*ABC", "DE*XYZ")
    assert "correlation_id" not in outside


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "fields",
    [
        {"token": TOKEN},
        {"our_token": TOKEN},
        {"hub_next": TOKEN},
        {"secret": Secret(TOKEN)},
        {"nested": {"token": TOKEN, "list": [{"Authorization": TOKEN}]}},
        {"headers": {"Authorization": f"Token {TOKEN}"}},
        {"text": f"Authorization: Token {TOKEN}"},
        {"text": f"authorization={TOKEN}"},
        {"text": f"they sent Token {TOKEN}"},
        {"text": f"they sent bearer {TOKEN}"},
        {"body": f'{{"token": "{TOKEN}", "url": "https://example.com"}}'},
        {"body": f'{{"token_a":"{TOKEN}"}}'},
        {"url": f"https://example.com/ocpi?offset=1&hub_next={TOKEN}&limit=2"},
        {"url": f"https://example.com/ocpi?token={TOKEN}"},
        {"texts": [f"Token {TOKEN}"]},
        {"error": ValueError(f"Token {TOKEN}")},
    ],
)
def test_no_line_shows_a_secret(logged: Callable[..., Lines], log_format: str, fields: dict[str, Any]) -> None:
    lines = logged(log_format)
    structlog.get_logger().info("it_happened", **fields)

    assert "it_happened" in lines.text
    assert TOKEN not in lines.text
    assert "***" in lines.text


def message_line(**fields: Any) -> MessageLine:  # noqa: ANN401 - any field of the line
    known: dict[str, Any] = {
        "event": "message_forwarded",
        "correlation_id": "c1",
        "sender": "NL*ABC",
        "receiver": None,
        "request_id": "r1",
        "upstream_request_id": "u1",
        "module": ModuleID.TOKENS,
        "method": "PUT",
        "version": Version.V2_2_1,
        "http_status": 200,
        "ocpi_status": 1000,
        "hub_ms": 0.4,
        "upstream_ms": 7.25,
    }
    return MessageLine(**(known | fields))


@pytest.mark.parametrize("reason", [{}, {"reason": "NL*ABC is PLANNED"}], ids=["forwarded", "refused"])
def test_the_line_of_a_message_has_what_any_other_line_has(
    logged: Callable[..., Lines], reason: dict[str, Any]
) -> None:
    lines = logged()
    log_message(message_line(**reason))

    line = lines.last
    assert list(line)[:3] == ["time", "level", "event"]
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "event": "message_forwarded",
        "correlation_id": "c1",
        "sender": "NL*ABC",
        "receiver": None,
        "request_id": "r1",
        "upstream_request_id": "u1",
        "module": "tokens",
        "method": "PUT",
        "version": "2.2.1",
        "http_status": 200,
        "ocpi_status": 1000,
        "hub_ms": 0.4,
        "upstream_ms": 7.25,
        **reason,
    }


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_line_of_a_message_shows_no_secret_and_no_endless_text(
    logged: Callable[..., Lines], log_format: str
) -> None:
    lines = logged(log_format)
    log_message(message_line(reason=f"they sent Token {TOKEN}"))
    log_message(message_line(module="x" * 501, correlation_id="", request_id="", upstream_request_id=None))

    assert TOKEN not in lines.text
    assert "***" in lines.text
    assert "x" * 490 in lines.text
    assert "x" * 501 not in lines.text


def test_the_line_of_a_message_is_left_out_where_only_warnings_are_wanted(logged: Callable[..., Lines]) -> None:
    lines = logged(log_level="warning")
    log_message(message_line())

    assert lines.text == ""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_secret_and_no_local_variables(logged: Callable[..., Lines], log_format: str) -> None:
    lines = logged(log_format)
    our = TOKEN
    try:
        raise ValueError(f"refused: Authorization: Token {our}\nforged_event")  # noqa: TRY301 - the simplest way to have one
    except ValueError:
        structlog.get_logger().exception("call_failed")

    assert "Traceback" in lines.text
    assert TOKEN not in lines.text
    assert not any(line.startswith("forged_event") for line in lines.text.splitlines())


def test_text_of_a_partner_is_cut_and_cannot_forge_a_line(logged: Callable[..., Lines]) -> None:
    lines = logged("console")
    structlog.get_logger().info("call_failed", text="a\n2026 [info] forged\x1b[2J\x85\u202e", long="x" * 5000)

    [line] = lines.text.splitlines()
    assert line.isprintable()
    assert "forged" in line
    assert "x" * 499 + "…" in line
    assert "x" * 500 not in line


def test_json_lines_stay_one_line_each_whatever_is_in_them(logged: Callable[..., Lines]) -> None:
    lines = logged()
    structlog.get_logger().info("call_failed", text="a\n{}\x7f\u2028", long="é" * 5000, raw=b"\xff", odd=object)

    assert len(lines.text.splitlines()) == 1
    assert lines.last["text"] == "a\\n{}\\x7f\\u2028"
    assert len(lines.last["long"]) == 500


def test_a_line_below_the_level_is_not_written(logged: Callable[..., Lines]) -> None:
    lines = logged(log_level="warning")
    log = structlog.get_logger()
    log.info("message_forwarded")
    log.warning("partner_lost")

    assert [line["event"] for line in lines.all] == ["partner_lost"]


def test_lines_of_libraries_take_the_same_way_out(logged: Callable[..., Lines]) -> None:
    import logging  # noqa: PLC0415 - this is what a library does, and nothing else here does it

    lines = logged()
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("sqlalchemy.engine").info("SELECT secret FROM everything")
    logging.getLogger("uvicorn.access").info("GET /")
    try:
        raise OSError("gone")  # noqa: TRY301 - the simplest way to have one
    except OSError:
        logging.getLogger("asyncio").exception("Task failed with Token %s", TOKEN)

    first, second = lines.all
    assert (first["event"], first["logger"], first["level"]) == ("Started server process [7]", "uvicorn.error", "info")
    assert (second["event"], second["level"]) == ("Task failed with Token ***", "error")
    assert "OSError: gone" in second["exception"]


def test_lines_that_cannot_be_written_are_dropped_and_counted_not_waited_for(logged: Callable[..., Lines]) -> None:
    lines = logged()
    log = structlog.get_logger()
    reader, writer = os.pipe()
    os.close(reader)
    flush_logs()
    configure_logging(Logging(), fd=writer)
    log.info("lost")
    flush_logs()
    os.close(writer)

    logged()
    log.info("back")

    assert [line["event"] for line in lines.all] == ["back", "log_lines_dropped"]
    assert lines.last["lines"] == 1


def flush_and_close(fd: int) -> None:
    flush_logs()
    os.close(fd)


def test_a_reader_that_stalls_stops_nobody(logged: Callable[..., Lines]) -> None:
    logged()
    log = structlog.get_logger()
    reader, writer = os.pipe()
    configure_logging(Logging(), fd=writer)
    done = threading.Event()

    def talk() -> None:
        for _ in range(60_000):
            log.info("message_forwarded", text="x" * 100)
        done.set()

    threading.Thread(target=talk, daemon=True).start()
    assert done.wait(30)
    with os.fdopen(reader, "rb") as pipe:
        threading.Thread(target=flush_and_close, args=[writer], daemon=True).start()
        received = pipe.read()
    assert b"log_lines_dropped" in received
    assert received.endswith(b"\n")


def test_the_last_lines_of_a_process_are_written() -> None:
    script = (
        "import structlog; from types import SimpleNamespace as N; from hub.observability import configure_logging;"
        "configure_logging(N(log_format='json', log_level='info')); structlog.get_logger().info('hub_stopped')"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert json.loads(ended.stderr)["event"] == "hub_stopped"


def test_readable_text_is_short_and_plain() -> None:
    assert readable("NL*ABC") == "NL*ABC"
    assert readable("é\t<b>") == "é\\t<b>"
    assert readable("x" * 600) == "x" * 499 + "…"


def test_the_module_named_tokens_is_no_secret(logged: Callable[..., Lines]) -> None:
    lines = logged()
    structlog.get_logger().info(
        "message_forwarded", module="tokens", path="/ocpi/2.2.1/receiver/tokens/NL/ABC/012345678"
    )

    assert lines.last["path"] == "/ocpi/2.2.1/receiver/tokens/NL/ABC/012345678"


# ---------------------------------------------------------------- metrics
