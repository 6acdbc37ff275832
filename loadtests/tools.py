"""Programs that measurements need, from the system's packages."""

from __future__ import annotations

import os
import shutil
import subprocess

import click

from loadtests.hub_process import HubFailed


def install_missing(*tools: str) -> None:
    """Install those of these programs that are missing. Raises HubFailed."""
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin"  # where nginx is, and not in everyone's PATH
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if not missing:
        return
    click.echo(f"installing {' and '.join(missing)}", err=True)
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        try:
            subprocess.run([*rights, "apt-get", *words], check=True, capture_output=True)  # noqa: S603 - fixed words
        except (OSError, subprocess.CalledProcessError) as error:
            raise HubFailed(f"{' and '.join(missing)} cannot be installed; please install them by hand") from error
