"""Secrets in files: those the operator puts there, and those the hub makes and keeps for itself."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from routing.vocabulary import Secret

FILE_SUFFIX = "_FILE"
"""`HUB_SECRET_KEY_FILE` is the path of a file that holds what `HUB_SECRET_KEY` would."""


class SettingsError(Exception):
    """The hub cannot start with these settings. The message is one line."""


def kept_secret(path: Path, variable: str) -> Secret:
    """The secret in this file, which is made with a fresh one (mode 600) when it does not exist.

    Of processes that start at once all get the same one: the file appears complete, and only once.

    Raises:
        SettingsError: the file is empty or unreadable, or cannot be made.
    """
    try:
        if not path.exists():
            _keep_new_secret(path)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        fault = error.strerror if isinstance(error, OSError) else "it is not ASCII text"
        raise SettingsError(
            f"{variable} is not set and cannot be kept in {path} ({fault}); for example {file_example(variable)}"
        ) from None
    if not text:
        raise SettingsError(f"{variable} is not set and {path} is empty; for example {file_example(variable)}")
    return Secret(text)


def _keep_new_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - a descriptor has no path
            file.write(secrets.token_urlsafe(32) + "\n")
        path.hardlink_to(draft)  # fails if another process was first, whose secret then counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def read_secret_file(path: Path, name: str) -> str:
    """What an operator put into this file, for the variable of this name.

    Raises:
        SettingsError: the file is missing, empty or unreadable.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        fault = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingsError(
            f"{name}{FILE_SUFFIX}={str(path)!r} cannot be read ({fault}); for example {file_example(name)}"
        ) from None
    if not text:
        raise SettingsError(f"{name}{FILE_SUFFIX}={str(path)!r} is empty; for example {file_example(name)}")
    return text


def file_example(variable: str) -> str:
    """How one gives this variable as a file."""
    return f"{variable}{FILE_SUFFIX}=/run/secrets/{variable.lower().replace('_', '-')}"
