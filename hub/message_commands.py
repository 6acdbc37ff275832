"""`ocpi-hub trace` and `ocpi-hub messages`: what happened to messages."""

from __future__ import annotations

import json
from contextlib import suppress

import click

from hub.operator.story_text import event_line, messages_table, story_text
from hub.shell import as_json, call, cursor, limit, show, the_hub

_MOST_SHOWN = 100
_OF_A_LIST = ("since", "until", "limit", "cursor")


@click.command()
@click.argument("correlation_id")
@click.option("--use", metavar="MESSAGE", help="Which of several messages with this id; the newest when left out.")
@as_json
def trace(correlation_id: str, use: str | None, as_json: bool) -> None:
    """Tell what happened to a message: who asked whom what, what came of it, what was lost, and what to do."""
    if not correlation_id:
        raise click.UsageError("CORRELATION_ID is empty; it is the header X-Correlation-ID of the message")
    show(call("GET", "/stories", query={"correlation_id": correlation_id, "use": use}), as_json, story_text)


@click.command()
@click.option("--party", metavar="NL*ABC", help="Only messages from or to this party.")
@click.option("--peer", metavar="NL*ABC", help="And of these only those to or from that one.")
@click.option("--one-way", is_flag=True, help="Only what the party sent, and not what it got.")
@click.option("--module", help="Only of this module.")
@click.option("--outcome", help="ok, failed, refused, unanswered, or one kind of failure such as timeout.")
@click.option("--ocpi-status", metavar="CODE", help="Such as 4003, or 4xxx.")
@click.option("--loss", metavar="RULE", help="Only where this rule was applied, such as L-24.")
@click.option("--object-id", metavar="ID", help="Only about this Location, Session, CDR, Tariff ...")
@click.option("--since", metavar="TIME", help="Not before this moment, such as 2026-11-22T08:00:00Z.")
@click.option("--until", metavar="TIME", help="Before this moment.")
@click.option("--follow", is_flag=True, help="Go on with each message as it ends, until you stop it.")
@limit
@cursor
@as_json
def messages(as_json: bool, limit: int | None, one_way: bool, follow: bool, **query: str | None) -> None:
    """List messages, the newest first: every hop, so also each call of a broadcast."""
    wanted = {**query, "one_way": one_way or None}
    if follow:
        _follow(as_json, {**wanted, "limit": limit})
        return
    answer = call("GET", "/messages", query={**wanted, "limit": limit or _MOST_SHOWN})
    show(answer, as_json, lambda page: _listed(page["items"], page["next_cursor"], page["covered_from"]))


def _follow(as_json: bool, query: dict[str, str | int | None]) -> None:
    """A line for each message; with JSON, an object on each line, and one for what is left out or missing."""
    unfit = [f"--{name}" for name in _OF_A_LIST if query.pop(name) is not None]
    if unfit:
        raise click.UsageError(f"{unfit[0]} is for a list; what is followed has neither beginning nor end")
    with the_hub() as hub, suppress(KeyboardInterrupt):
        for name, data in hub.follow("/messages/live", query):
            click.echo(json.dumps(data) if as_json else event_line(name, data))


def _listed(items: list[dict[str, object]], next_cursor: str | None, covered_from: str | None) -> str:
    text = messages_table(items)
    if covered_from is not None:
        return f"{text}\n\nThere was no time to look at what is older than {covered_from}; set --since, or go on there."
    return text if next_cursor is None else f"{text}\n\nThere are more: --cursor {next_cursor}"
