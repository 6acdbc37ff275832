"""`ocpi-hub traffic`, `ocpi-hub broadcasts`, `ocpi-hub client-info`: who talks to whom, and who hears of what."""

from __future__ import annotations

from urllib.parse import quote

import click

from hub.operator.client import Json
from hub.operator.traffic_tables import broadcast_text, broadcasts_text, client_info_text, matrix_text
from hub.shell import as_json, call, cursor, limit, read_party_name, show, the_hub

_MOST_SHOWN = 50


@click.command()
@click.option("--window", type=click.Choice(["1h", "24h", "7d"]), default="24h", help="How far back.")
@click.option("--module", help="Only of this module.")
@click.option("--by", type=click.Choice(["party", "platform", "country"]), help="What is counted together; parties.")
@click.option("--order", type=click.Choice(["traffic", "errors"]), help="Who is shown: with the most of what.")
@click.option("--party", metavar="NL*ABC", callback=read_party_name, help="Only this one, and those it talks to.")
@click.option("--top", type=click.IntRange(1, 24), help="So many parties; 12 when left out.")
@as_json
def traffic(as_json: bool, **query: str | int | None) -> None:
    """Say who talks to whom, and where it fails."""
    show(call("GET", "/traffic/matrix", query=query), as_json, matrix_text)


@click.command()
@click.argument("correlation_id", required=False)
@click.option("--party", metavar="NL*ABC", callback=read_party_name, help="Only what this one sent.")
@click.option("--module", help="Only of this module.")
@click.option("--outcome", type=click.Choice(["ok", "missed", "refused"]), help="missed: some receiver did not get it.")
@click.option("--since", metavar="TIME", help="Not before this moment, such as 2026-11-22T08:00:00Z.")
@click.option("--until", metavar="TIME", help="Before this moment.")
@limit
@cursor
@as_json
def broadcasts(correlation_id: str | None, as_json: bool, limit: int | None, **query: str | None) -> None:
    """List what the hub spread to everybody, or say of one what became of it at each receiver."""
    if correlation_id is None:
        answer = call("GET", "/broadcasts", query={**query, "limit": limit or _MOST_SHOWN})
        show(answer, as_json, broadcasts_text)
        return
    if any(value is not None for name, value in query.items() if name != "cursor"):
        raise click.UsageError("CORRELATION_ID names one broadcast; leave out the options that choose among many")
    path = f"/broadcasts/{quote(correlation_id, safe='')}"
    answer = call("GET", path, query={"limit": limit or 200, "cursor": query["cursor"]})
    show(answer, as_json, broadcast_text)


@click.command("client-info")
@click.option("--as", "seen_as", metavar="ID", required=True, help="The platform whose list is wanted.")
@click.option("--party", metavar="NL*ABC", callback=read_party_name, help="Only what it sees of this one.")
@limit
@cursor
@as_json
def client_info(seen_as: str, party: str | None, limit: int | None, cursor: str | None, as_json: bool) -> None:
    """List who is there, exactly as one partner gets it, and what it was told of each last."""
    query: Json = {"as": seen_as, "party": party, "limit": limit, "cursor": cursor}
    answer = call("GET", "/client-info", query=query)
    show(answer if as_json else _whole(answer, query), as_json, client_info_text)


def _whole(answer: Json, query: Json) -> Json:
    """The whole list, for people."""
    with the_hub() as hub:
        return {**answer, "items": list(hub.pages("/client-info", {**query, "limit": None}))}
