"""`ocpi-hub reload`: new workers in place of the old ones, while messages go on."""

from __future__ import annotations

import time

import click

from hub.operator.client import Json, Refused
from hub.shell import as_json, call, reason, show

_BETWEEN_LOOKS_S = 0.2


@click.command()
@reason
@as_json
def reload(as_json: bool) -> None:
    """Replace all workers, one after the other, without losing a message; with the settings that are found now."""
    now = call("POST", "/reload")
    said = 0
    while now["state"] == "under_way":
        time.sleep(_BETWEEN_LOOKS_S)
        now = call("GET", "/reload")
        if now["replaced"] > said and not as_json:
            click.echo(f"{now['replaced']} of {now['workers']} workers are new")
        said = now["replaced"]
    if now["state"] == "failed":
        raise Refused(f"{now['replaced']} of {now['workers']} workers were replaced, the others go on: {now['reason']}")
    show(now, as_json, _text)


def _text(now: Json) -> str:
    return f"All {now['workers']} workers are replaced."
