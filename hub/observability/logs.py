"""Log lines: made in the caller, written by a thread, so that a slow or full disk costs lines and never messages.

Lines of libraries that use `logging` take the same way out. No line shows a token or a `Secret`, text from partners
is cut at 500 characters, and control characters are escaped.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from enum import Enum
from typing import Any, Final, Protocol

import msgspec
import structlog
from msgspec import UNSET, Struct, UnsetType

from hub.plain_text import TEXT_LIMIT, readable
from routing.vocabulary import Party

EventDict = MutableMapping[str, Any]

_SECRET_NAMES = frozenset(
    {"authorization", "hub_next", "operator_token", "password", "secret", "secret_key", "token"}
    | {f"{name}_token" for name in ("our", "their")}
    | {f"token_{letter}" for letter in "abc"}
)


def _safe(value: Any) -> Any:  # noqa: ANN401 - a field of a log line may be anything
    match value:
        case None | bool() | int() | float():
            return value
        case Party():
            return str(value)
        case str():
            return readable(value)
        case Mapping():
            return {str(key): _safe_field(str(key), item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_safe(item) for item in value]
        case _:
            return readable(str(value))


def _safe_field(name: str, value: Any) -> Any:  # noqa: ANN401 - a field of a log line may be anything
    if name == "exception":
        return "\n".join(map(readable, str(value).splitlines()))
    return "***" if name.lower() in _SECRET_NAMES else _safe(value)


# ---------------------------------------------------------------- log lines

_fields: ContextVar[Mapping[str, Any] | None] = ContextVar("log_fields", default=None)


def bind_fields(**fields: Any) -> None:  # noqa: ANN401 - a field of a log line may be anything
    """Put these fields on every line from here to the end of this task, and of the tasks it starts."""
    before = _fields.get()
    _fields.set(fields if before is None else {**before, **fields})


def _as_text(value: object) -> str:
    return str(value)


_ALWAYS_SHORT = (int, float, Enum, type(None))
_encoder = msgspec.json.Encoder(enc_hook=_as_text)


class _Clock:
    """RFC 3339 in milliseconds; the part down to the second is written once a second."""

    second = 0
    text = ""

    def now(self) -> str:
        now = time.time()
        second = int(now)
        if second != self.second:
            self.text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self.second = second
        return f"{self.text}{int((now - second) * 1000):03d}Z"


_clock = _Clock()


def _complete(_: object, level: str, event: EventDict) -> EventDict:
    """Give the line its time, its level and the bound fields, in the order people read them."""
    line: EventDict = {"time": _clock.now(), "level": level, "event": event.pop("event", "")}
    bound = _fields.get()
    if bound is not None:
        line.update(bound)
    line.update(event)
    for name, value in line.items():
        if value.__class__ is Party:
            line[name] = str(value)
    exc_info = line.pop("exc_info", None)
    if exc_info:
        line["exception"] = _traceback(exc_info)
    return line


def _traceback(exc_info: object) -> str:
    if isinstance(exc_info, BaseException):
        return "".join(traceback.format_exception(exc_info))
    found = exc_info if isinstance(exc_info, tuple) else sys.exc_info()
    return "" if found[1] is None else "".join(traceback.format_exception(*found))


def _as_json(_: object, __: str, event: EventDict) -> bytes:
    """The line as JSON.

    Looking through every field for secrets would cost more than everything else. So the line is written first,
    and only one that could hold something to hide, to cut or to escape is written again with every field looked at.
    """
    line = _encoder.encode(event)
    is_short = len(line) <= TEXT_LIMIT or all(map(_is_short, event.values()))
    if is_short and _is_plain(line) and _SECRET_NAMES.isdisjoint(event):
        return line + b"\n"
    return _encoder.encode({name: _safe_field(name, value) for name, value in event.items()}) + b"\n"


def _is_short(value: object) -> bool:
    if value.__class__ is str:
        return len(value) <= TEXT_LIMIT
    return isinstance(value, _ALWAYS_SHORT)


_DOUBTFUL: Final = b" =\\\x7f"


def _is_plain(line: bytes) -> bool:
    """Whether nothing in this line can be a secret: each form of one has a blank, an equals sign or a quote in it."""
    return (
        line.isascii()
        and len(line.translate(None, _DOUBTFUL)) == len(line)
        and line.find(b"{", 1) < 0
        and b"uthorization" not in line
    )


class MessageLine(Struct, kw_only=True, gc=False):
    """The line about one message."""

    time: str = ""
    level: str = "info"
    event: str
    correlation_id: str
    sender: str | None
    receiver: str | None
    request_id: str
    upstream_request_id: str | None
    module: str
    method: str
    version: str
    http_status: int
    ocpi_status: int
    hub_ms: float
    upstream_ms: float
    reason: str | UnsetType = UNSET
    """Why there was nothing to forward."""
    outcome: str | UnsetType = UNSET
    """What became of a broadcast at one receiver."""
    target_version: str | UnsetType = UNSET
    """Of the receiver, where it is another than the sender's."""
    losses: dict[str, int] | UnsetType = UNSET
    """How often which rule lost something between the two versions."""


_LONGEST_PLAIN: Final = TEXT_LIMIT + 250
"""A message's line that is no longer has no text beyond the limit: its names and marks alone take more than that."""


def log_message(line: MessageLine) -> None:
    """Log what became of a message, as `log.info` would, or `log.debug` by its level. It takes a third of the time."""
    if line.level in _message_levels_as_json:
        line.time = _clock.now()
        losses, line.losses = line.losses, UNSET  # whose names are our own
        written = _encoder.encode(line)
        if len(written) <= _LONGEST_PLAIN and _is_plain(written):
            if losses is not UNSET:
                written = b'%b,"losses":%b}' % (written[:-1], _encoder.encode(losses))
            _writer.write(written + b"\n")
            return
        line.losses = losses
    fields = msgspec.structs.asdict(line)
    del fields["time"], fields["level"]
    write = structlog.get_logger().debug if line.level == "debug" else structlog.get_logger().info
    write(**{name: value for name, value in fields.items() if value is not UNSET})


_MESSAGE_LEVELS: Final[dict[str, frozenset[str]]] = {
    "debug": frozenset({"debug", "info"}),
    "info": frozenset({"info"}),
}
_message_levels_as_json: frozenset[str] = frozenset()
"""Of these levels these settings have a message's line written, and as JSON."""


class _AsConsole:
    """The line for people: aligned, coloured on a terminal, a traceback below it."""

    def __init__(self, *, colors: bool) -> None:
        self._render = structlog.dev.ConsoleRenderer(
            colors=colors, timestamp_key="time", pad_event_to=24, sort_keys=False
        )

    def __call__(self, logger: Any, level: str, event: EventDict) -> bytes:  # noqa: ANN401 - structlog's own signature
        safe = {name: _safe_field(name, value) for name, value in event.items()}
        text = str(self._render(logger, level, safe)).replace(
            "\n", "\n    "
        )  # only a line of its own starts at the edge
        return f"{text}\n".encode("utf-8", "backslashreplace")


class _LineWriter:
    """Writes lines to a file descriptor from a thread of its own, in batches, at most 50 ms late.

    A reader that stalls or a disk that is full must not stop messages: beyond `LIMIT` waiting lines the newest
    are dropped, counted, and the number is logged when writing works again.
    """

    LIMIT = 20_000
    DELAY_S = 0.05

    def __init__(self) -> None:
        self.fd = 2
        self.dropped = 0
        self._lines: deque[bytes] = deque()
        self._waiting = threading.Event()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, fd: int) -> None:
        self.flush()
        self.fd = fd
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
            self._thread.start()

    def write(self, line: bytes) -> None:
        """Take one line; never waits."""
        if len(self._lines) >= self.LIMIT:
            self.dropped += 1
            return
        self._lines.append(line)
        if not self._waiting.is_set():
            self._waiting.set()

    msg = debug = info = warning = error = critical = write  # the names under which structlog calls a logger

    def flush(self) -> None:
        """Write what has been taken so far; a line that cannot be written is dropped and counted."""
        with self._writing:
            self._waiting.clear()  # before anything is taken: what comes from here on sets it again
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if self.dropped and lines:
                dropped, self.dropped = self.dropped, 0
                lines.append(_as_json(None, "", {"time": _clock.now(), "event": "log_lines_dropped", "lines": dropped}))
            try:
                _write_all(self.fd, b"".join(lines))
            except OSError:  # the place where one would report this is the one that fails
                self.dropped += len(lines)

    def _run(self) -> None:
        while True:
            self._waiting.wait()
            time.sleep(self.DELAY_S)
            self.flush()


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


_writer = _LineWriter()
flush_logs = _writer.flush
atexit.register(flush_logs)


class _FromLogging(logging.Handler):
    """Lines of libraries, in the hub's format: the message is the event, `logger` says who wrote it."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno // 10 * 10, record.getMessage(), logger=record.name, exc_info=record.exc_info
        )


class LogSettings(Protocol):
    """The two settings that logging needs."""

    @property
    def log_format(self) -> str:
        """`console` or `json`."""

    @property
    def log_level(self) -> str:
        """`debug`, `info`, `warning`, `error` or `critical`."""


def configure_logging(settings: LogSettings, *, fd: int = 2) -> None:
    """Send every log line of this process to `fd`, in the format and from the level of the settings on."""
    global _message_levels_as_json  # noqa: PLW0603 - logging is configured for the whole process
    wanted = _MESSAGE_LEVELS.get(settings.log_level, frozenset())
    _message_levels_as_json = wanted if settings.log_format == "json" else frozenset()
    _writer.start(fd)
    structlog.configure(
        processors=[_complete, _as_json if settings.log_format == "json" else _AsConsole(colors=os.isatty(fd))],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=lambda *_: _writer,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_FromLogging()], level=settings.log_level.upper(), force=True)
    # Below a warning these log statements with their values, every call, and every start.
    for name in ("sqlalchemy", "aiosqlite", "alembic", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # the hub's own line says more
