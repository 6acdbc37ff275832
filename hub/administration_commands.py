"""`ocpi-hub events`, `audit`, `token` and `settings`: what to look after, who did what, who may, how the hub is set."""

from __future__ import annotations

from urllib.parse import quote

import click

from hub.operator.administration_tables import (
    audit_table,
    events_text,
    new_token_text,
    settings_text,
    tokens_table,
    verification_text,
)
from hub.operator.client import Json, Refused
from hub.operator.roles import OperatorRole
from hub.shell import as_json, call, cursor, limit, reason, show, show_list


@click.command()
@click.option("--all", "all_of_them", is_flag=True, help="Those that are over, too.")
@click.option("--kind", help="Only this kind, such as partner_offline.")
@click.option("--platform", metavar="ID", help="Only those about this platform.")
@limit
@cursor
@as_json
def events(
    all_of_them: bool, kind: str | None, platform: str | None, limit: int | None, cursor: str | None, as_json: bool
) -> None:
    """List what an operator should know of, and what to do about it."""
    query = {"state": None if all_of_them else "open", "kind": kind, "platform": platform}
    show_list("/events", {**query, "limit": limit, "cursor": cursor}, as_json, events_text)


@click.command()
@click.option("--actor", metavar="NAME", help="Only what this one did.")
@click.option("--action", help="Only this action, such as platform.suspend; or platform, for all of these.")
@click.option("--object", "about", metavar="TEXT", help="Only what was about this, such as the id of a platform.")
@click.option("--since", metavar="TIME", help="Not before this, such as 2026-12-31T00:00:00Z.")
@click.option("--until", metavar="TIME", help="Before this.")
@click.option("--verify", is_flag=True, help="Say whether the log is as it was written, instead.")
@limit
@cursor
@as_json
def audit(
    actor: str | None,
    action: str | None,
    about: str | None,
    since: str | None,
    until: str | None,
    verify: bool,
    limit: int | None,
    cursor: str | None,
    as_json: bool,
) -> None:
    """List what operators did, the newest first."""
    if verify:
        _verify(as_json)
        return
    query = {"actor": actor, "action": action, "object": about, "since": since, "until": until}
    show_list("/audit", {**query, "limit": limit, "cursor": cursor}, as_json, audit_table)


def _verify(as_json: bool) -> None:
    found = call("GET", "/audit/verification")
    show(found, as_json, verification_text)
    if not found["verifies"]:
        raise Refused(f"line {found['broken_at']} of the audit log is not as it was written, or is missing")


@click.command("settings")
@as_json
def show_settings(as_json: bool) -> None:
    """Show every setting of the running hub, and where it comes from. Secrets are not shown."""
    show(call("GET", "/settings"), as_json, settings_text)


@click.group()
def token() -> None:
    """Say who may use the operator API, and as what."""


@token.command("list")
@limit
@cursor
@as_json
def list_tokens(limit: int | None, cursor: str | None, as_json: bool) -> None:
    """List everybody who has a token."""
    show_list("/tokens", {"limit": limit, "cursor": cursor}, as_json, tokens_table)


@token.command("add")
@click.argument("name")
@click.option(
    "--role", type=click.Choice([str(each) for each in OperatorRole]), required=True, help="What they may do."
)
@click.option("--platform", metavar="ID", help="Whose engineer it is; with role partner.")
@click.option("--expires-at", metavar="TIME", help="When the token ends, such as 2026-12-31T00:00:00Z.")
@reason
@as_json
def add_token(name: str, role: str, platform: str | None, expires_at: str | None, as_json: bool) -> None:
    """Give somebody a token. Prints it, this once."""
    body: Json = {"name": name, "role": role, "platform": platform, "expires_at": expires_at}
    show(call("POST", "/tokens", body), as_json, new_token_text)


@token.command("remove")
@click.argument("token_id", metavar="ID|NAME")
@reason
@as_json
def remove_token(token_id: str, as_json: bool) -> None:
    """Make a token worthless at once."""
    if not token_id:
        raise click.UsageError("ID is empty; `ocpi-hub token list` shows the ids")
    path = f"/tokens/{quote(token_id, safe='')}"
    was = call("GET", path)
    call("DELETE", path)
    show(was, as_json, lambda ended: f"Removed: {ended['name']} ({ended['role']})")
