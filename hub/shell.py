"""What every command that operates a running hub is made of: the call, and how its answer is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import click

from hub.operator.client import ClientSettings, Json, OperatorClient

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
limit = click.option("--limit", type=click.IntRange(1, 200), help="Most items of one page; with --json.")
cursor = click.option("--cursor", help="next_cursor of the page before; with --json.")


_REASON = "hub.shell.reason"
_PARTY_NAME = re.compile(r"[A-Za-z]{2}\*[!-.0-~]{1,3}")


def read_party_name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """The name of a party, as an argument or an option."""
    if value is not None and not _PARTY_NAME.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not like NL*ABC")
    return value


def _keep_reason(context: click.Context, _: click.Parameter, value: str | None) -> None:
    context.meta[_REASON] = value


reason = click.option(
    "--reason",
    expose_value=False,
    callback=_keep_reason,
    metavar="TEXT",
    help="Why you do this; it is noted in the audit log.",
)
"""Of every command that changes something."""


def the_hub() -> closing[OperatorClient]:
    """The operator API of the hub that the settings name."""
    settings = ClientSettings.load()
    context = click.get_current_context(silent=True)
    said = None if context is None else context.meta.get(_REASON)
    return closing(OperatorClient(settings.operator_url, settings.operator_token, reason=said))


def call(method: str, path: str, body: Json | None = None, query: Mapping[str, Any] | None = None) -> Json:
    """The answer to one call.

    Raises:
        Refused: the hub refused, or there is no hub.
    """
    with the_hub() as hub:
        return hub.call(method, path, body=body, query=query)


def show(answer: Json, as_json: bool, text: Callable[[Json], str]) -> None:
    """Print an answer."""
    click.echo(json.dumps(answer, indent=2) if as_json else text(answer))


def show_list(path: str, query: dict[str, Any], as_json: bool, table: Callable[[list[Json]], str]) -> None:
    """Print a page as the API gives it for programs, everything for people."""
    with the_hub() as hub:
        if as_json:
            click.echo(json.dumps(hub.call("GET", path, query=query), indent=2))
        else:
            click.echo(table(list(hub.pages(path, query))))
