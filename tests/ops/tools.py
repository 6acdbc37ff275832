"""Programs that check what is deployed. `make check-ops` fetches them; a test that lacks one is skipped."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

OPS = Path(__file__).parents[2] / "ops"


def run(name: str, *arguments: str | Path, cwd: Path = OPS) -> str:
    """Run a program, which must succeed; what it printed."""
    beside = Path(sys.executable).with_name(name)
    program = str(beside) if beside.exists() else shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not here; make check-ops fetches it")
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def module(name: str) -> ModuleType:
    """A package that only `make check-ops` installs."""
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not here; make check-ops installs it")


def documents(path: Path) -> list[Any]:
    """Everything a YAML file holds."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def document(path: Path) -> Any:  # noqa: ANN401 - any YAML there is
    """The one thing a YAML file holds."""
    [one] = documents(path)
    return one
