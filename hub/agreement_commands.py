"""`ocpi-hub agreement`: who may talk to whom."""

from __future__ import annotations

from typing import IO
from urllib.parse import quote

import click

from hub.operator.client import Json
from hub.operator.tables import agreement_text, agreements_table, effect_text, pairs
from hub.operator.traffic_tables import silent_pairs_text
from hub.shell import as_json, call, cursor, limit, read_party_name, reason, show, show_list, the_hub

_PATH = "/agreements"
_TRIED = {"dry_run": "true"}
try_it = click.option("--dry-run", is_flag=True, help="Only say what would become of it.")


@click.group()
def agreement() -> None:
    """Say who may talk to whom, and about what."""


@agreement.command("list")
@click.option("--party", metavar="NL*ABC", callback=read_party_name, help="Only agreements of this one.")
@limit
@cursor
@as_json
def list_agreements(party: str | None, limit: int | None, cursor: str | None, as_json: bool) -> None:
    """List the agreements."""
    show_list(_PATH, {"party": party, "limit": limit, "cursor": cursor}, as_json, agreements_table)


@agreement.command("add")
@click.argument("a", metavar="A", callback=read_party_name)
@click.argument("b", metavar="B", callback=read_party_name)
@click.option("--module", "modules", multiple=True, metavar="MODULE", help="Only this one; all when absent.")
@click.option("--direction", type=click.Choice(["both", "a_to_b"]), default="both", help="Who may send.")
@try_it
@reason
@as_json
def add_agreement(a: str, b: str, modules: tuple[str, ...], direction: str, dry_run: bool, as_json: bool) -> None:
    """Let two parties, such as NL*ABC and DE*XYZ, talk to each other. The hub need not know them yet."""
    body: Json = {"a": a, "b": b, "direction": direction}
    if modules:
        body["modules"] = list(modules)
    if dry_run:
        show(call("POST", _PATH, body, _TRIED), as_json, effect_text)
        return
    show(call("POST", _PATH, body), as_json, agreement_text)


@agreement.command("remove")
@click.argument("agreement_id", metavar="ID")
@try_it
@reason
@as_json
def remove_agreement(agreement_id: str, dry_run: bool, as_json: bool) -> None:
    """End an agreement."""
    if not agreement_id:
        raise click.UsageError("ID is empty; `ocpi-hub agreement list` shows the ids")
    path = f"{_PATH}/{quote(agreement_id, safe='')}"
    if dry_run:
        show(call("DELETE", path, query=_TRIED), as_json, effect_text)
        return
    was = call("GET", path)
    call("DELETE", path)
    show(was, as_json, lambda ended: f"Ended: {agreement_text(ended)}")


@agreement.command("silent")
@click.option("--party", metavar="NL*ABC", callback=read_party_name, help="Only agreements of this one.")
@limit
@cursor
@as_json
def silent(party: str | None, limit: int | None, cursor: str | None, as_json: bool) -> None:
    """List pairs that may talk to each other, and have not for seven days."""
    query: Json = {"party": party, "limit": limit, "cursor": cursor}
    show(call("GET", "/traffic/silent", query=query), as_json, silent_pairs_text)


@agreement.command("export")
@click.argument("file", type=click.File("wb", atomic=True))
def export_agreements(file: IO[bytes]) -> None:
    """Write all agreements to a CSV file; - is the standard output."""
    with the_hub() as hub:
        file.write(hub.download(f"{_PATH}.csv"))


@agreement.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="End the agreements that are not in the file.")
@try_it
@reason
@as_json
def import_agreements(file: IO[bytes], replace: bool, dry_run: bool, as_json: bool) -> None:
    """Take over the agreements of a CSV file, all or none; - is the standard input.

    The first line names the columns: a,b,modules,direction. Only a and b are needed.
    """
    query = {"replace": str(replace).lower(), "dry_run": str(dry_run).lower()}
    with the_hub() as hub:
        effect = hub.upload(f"{_PATH}/import", file.read(), "text/csv", query)
    show(effect, as_json, pairs)
