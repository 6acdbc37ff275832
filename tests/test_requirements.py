"""The lock files say what `pyproject.toml` asks for, and nothing about where they were made."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME, EXTRAS = PROJECT["project"]["dependencies"], PROJECT["project"]["optional-dependencies"]
WANTED = {
    "requirements.txt": RUNTIME,
    "requirements-loadtest.txt": RUNTIME + EXTRAS["loadtest"],
    "requirements-otel.txt": RUNTIME + EXTRAS["otel"],
    "requirements-dev.txt": RUNTIME + EXTRAS["loadtest"] + EXTRAS["otel"] + PROJECT["dependency-groups"]["dev"],
    "requirements-build.txt": PROJECT["dependency-groups"]["build"],
    "requirements-ops.txt": PROJECT["dependency-groups"]["ops"],
}


def locked(file: str) -> dict[str, str]:
    """Version by package."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", text, re.MULTILINE))


@pytest.mark.parametrize("file", WANTED)
def test_every_dependency_is_locked_in_a_version_that_will_do(file: str) -> None:
    versions = locked(file)
    for line in WANTED[file]:
        wanted = Requirement(line)
        assert versions[canonicalize_name(wanted.name)] in wanted.specifier, f"{line}: run make lock"


def test_what_runs_the_hub_is_what_the_tests_run_on() -> None:
    hub, loadtest, otel, everything = (locked(f"requirements{each}.txt") for each in ("", "-loadtest", "-otel", "-dev"))
    assert hub.items() <= loadtest.items() <= everything.items()
    assert hub.items() <= otel.items() <= everything.items()


def test_what_checks_the_deployment_changes_nothing_the_tests_run_on() -> None:
    ops, dev = locked("requirements-ops.txt"), locked("requirements-dev.txt")
    assert all(ops[name] == dev[name] for name in ops.keys() & dev.keys())


@pytest.mark.parametrize("file", WANTED)
def test_every_package_has_its_hashes_and_no_place(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in package for package in packages)
    assert not re.search(r"://|--(extra-)?index-url|--find-links|file:|^\s*#.*\s/", text, re.MULTILINE)
