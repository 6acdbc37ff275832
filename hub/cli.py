"""`ocpi-hub`: run the hub, and operate it from a shell.

Everything about platforms and parties goes through the operator API of a running hub. Exit codes: 0 done,
1 refused or failed (one line on stderr says what and what to do), 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from typing import NoReturn
from urllib.parse import quote

import click

from hub.administration_commands import audit, events, show_settings, token
from hub.agreement_commands import agreement
from hub.message_commands import messages, trace
from hub.operator.client import Json, Refused
from hub.operator.tables import (
    losses_text,
    pairs,
    parties_table,
    platform_text,
    platforms_table,
    probe_text,
    statuses_table,
)
from hub.plain_text import readable
from hub.process_commands import reload
from hub.registration_command import registration
from hub.setting_types import Source
from hub.settings import Settings, SettingsError
from hub.shell import as_json, call, cursor, limit, read_party_name, reason, show, show_list
from hub.simulate_command import simulate
from hub.traffic_commands import broadcasts, client_info, traffic
from hub.version import VERSION
from routing.errors import HubError
from routing.versions import VERSIONS_PATH
from routing.vocabulary import ConnectionStatus, Role, Version

_PARTY = re.compile(r"([A-Za-z]{2})\*([!-~]{1,3}):([A-Z]+)")
_FACES = ("CPO", "EMSP")

platform_id = click.argument("platform_id", metavar="ID")
party_name = click.argument("name", metavar="NL*ABC", callback=read_party_name)


def main() -> None:
    """The console script."""
    try:
        commands(prog_name="ocpi-hub")
    except (Refused, SettingsError, HubError) as error:
        _fail(str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, a shell user gets one line and no traceback
        _fail(f"{type(error).__name__}: {error}")


def _fail(text: str) -> NoReturn:
    click.echo(f"ocpi-hub: {readable(' '.join(text.split()), 1000)}", err=True)
    sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """An OCPI roaming hub: every platform connects once, the hub carries their messages."""


@commands.command()
def serve() -> None:
    """Run the hub until it is interrupted. Settings are HUB_… variables, also from .env."""
    from hub.app import APPS  # noqa: PLC0415 - one need not load the server to talk to one
    from hub.listener.serving import Serving, run  # noqa: PLC0415 - as above
    from hub.observability import configure_logging  # noqa: PLC0415 - as above

    configure_logging(settings := Settings.load())
    sys.exit(run(Serving(settings, APPS, lambda: _say_where(settings))))


def _say_where(settings: Settings) -> None:
    operator = f"http://{settings.operator_host}:{settings.operator_port}"
    click.echo(f"versions URL    {settings.public_url}{VERSIONS_PATH}")
    click.echo(f"operator URL    {operator}  (described at {operator}/schema)")
    is_ours = settings.shown["HUB_OPERATOR_TOKEN"].source is Source.GENERATED  # others read logs; who gave one has it
    click.echo(f"operator token  {settings.operator_token.reveal() if is_ours else 'as given in HUB_OPERATOR_TOKEN'}")


@commands.command()
def migrate() -> None:
    """Bring the database to the form this version needs."""
    from hub.store import migrations  # noqa: PLC0415 - one need not load the store to talk to a hub

    asyncio.run(migrations.migrate(Settings.load().database_url))
    click.echo("The database is up to date.")


@commands.command()
def rekey() -> None:
    """Take over from HUB_OTHER_SECRET_KEY what can be, and say what still needs it."""
    from hub.store import rekeying  # noqa: PLC0415 - one need not load the store to talk to a hub

    settings = Settings.load()
    if settings.other_secret_key is None:
        raise SettingsError("HUB_OTHER_SECRET_KEY is not set; give the key that HUB_SECRET_KEY replaces")
    done = asyncio.run(rekeying.rekey(settings.database_url, settings.secret_key, settings.other_secret_key))
    click.echo(f"Objects sealed with the new key: {done.resealed}.")
    for each in done.waiting:
        click.echo(f"{each.id}  {readable(each.name, 60)}  has tokens of the old key")
    if done.waiting:
        click.echo("They get new ones within a month; ocpi-hub platform rotate ID does it now. Then run this again.")
    else:
        click.echo("No partner needs the old key any more.")


@commands.command()
def demo() -> None:
    """Run a hub and simulated partners, and print what they say to each other."""
    from loadtests import demo as demonstration  # noqa: PLC0415 - only this command needs partners

    sys.exit(demonstration.main())


@commands.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def loadtest(arguments: tuple[str, ...]) -> None:
    """Put a hub under the load of simulated partners, and report on it."""
    from loadtests.load.command import run  # noqa: PLC0415 - only this command needs partners

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell's background process ignores the first
        signal.signal(number, signal.default_int_handler)  # so that it ends its processes, and leaves a report
    run(arguments)


@commands.command()
@as_json
def version(as_json: bool) -> None:
    """Print which version this is."""
    click.echo(json.dumps({"version": VERSION}) if as_json else f"ocpi-hub {VERSION}")


@commands.group()
def platform() -> None:
    """Invite, watch and change the platforms that connect to the hub."""


@commands.group()
def party() -> None:
    """See and suspend the parties behind the platforms."""


for command in (
    agreement,
    audit,
    broadcasts,
    client_info,
    events,
    messages,
    reload,
    show_settings,
    simulate,
    token,
    trace,
    traffic,
):
    commands.add_command(command)
platform.add_command(registration)


def _read_party(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> list[Json]:
    parties = []
    for value in values:
        match = _PARTY.fullmatch(value)
        if match is None or match[3] not in Role.__members__:
            raise click.BadParameter(f"{value!r} is not like NL*ABC:CPO; roles are {', '.join(Role)}")
        parties.append({"country_code": match[1], "party_id": match[2], "role": match[3]})
    return parties


def _read_settings(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> Json:
    settings = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{value!r} is not like timeout_s=10")
        try:
            settings[name] = json.loads(text)
        except ValueError:
            settings[name] = text
    return settings


@platform.command("add")
@click.argument("name")
@click.option("--party", "parties", multiple=True, metavar="NL*ABC:ROLE", callback=_read_party, help="Only this one.")
@click.option("--face", type=click.Choice(_FACES), help="Role of a 2.1.1 partner.")
@click.option("--version", type=click.Choice([str(each) for each in Version]), help="Only with this OCPI version.")
@click.option("--require-module", "modules", multiple=True, metavar="MODULE", help="Refuse it without this module.")
@click.option("--allow-hub", is_flag=True, help="It may be a hub itself.")
@click.option("--expires-at", metavar="TIME", help="When the invitation ends, such as 2026-12-31T00:00:00Z.")
@reason
@as_json
def add_platform(
    name: str,
    parties: list[Json],
    face: str | None,
    version: str | None,
    modules: tuple[str, ...],
    allow_hub: bool,
    expires_at: str | None,
    as_json: bool,
) -> None:
    """Invite a platform. Prints the TOKEN_A and the URL that its operator needs."""
    body = {
        "name": name,
        "parties": parties,
        "face": face,
        "version": version,
        "require_modules": list(modules),
        "allow_hub": allow_hub,
        "expires_at": expires_at,
    }
    show(call("POST", "/platforms", body), as_json, _invitation_text)


@platform.command("list")
@limit
@cursor
@as_json
def list_platforms(limit: int | None, cursor: str | None, as_json: bool) -> None:
    """List every platform."""
    show_list("/platforms", {"limit": limit, "cursor": cursor}, as_json, platforms_table)


@platform.command("show")
@platform_id
@as_json
def show_platform(platform_id: str, as_json: bool) -> None:
    """Show one platform: its parties, endpoints and settings."""
    show(call("GET", _path(platform_id)), as_json, platform_text)


@platform.command("set")
@platform_id
@click.option("--name", help="A new name.")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...", callback=_read_settings)
@reason
@as_json
def set_platform(platform_id: str, name: str | None, settings: Json, as_json: bool) -> None:
    """Rename a platform or change its settings. VALUE is JSON or plain text; null brings back the default."""
    if name is None and not settings:
        raise click.UsageError("nothing to set: give KEY=VALUE or --name")
    body: Json = {"settings": settings} if name is None else {"settings": settings, "name": name}
    show(call("PATCH", _path(platform_id), body), as_json, platform_text)


@platform.command("connect")
@platform_id
@click.argument("versions_url")
@click.option("--token-a", help="The token the partner gave; asked for, or read from stdin, when absent.")
@reason
@as_json
def connect_platform(platform_id: str, versions_url: str, token_a: str | None, as_json: bool) -> None:
    """Register the hub at a partner whose operator gave a token and the URL of its versions."""
    if token_a is None:
        token_a = click.prompt("TOKEN_A", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    body = {"versions_url": versions_url, "token_a": token_a}
    show(call("POST", _path(platform_id, "connect"), body), as_json, platform_text)


@platform.command("invite")
@platform_id
@click.option("--face", type=click.Choice(_FACES), help="Role of a 2.1.1 partner.")
@reason
@as_json
def invite_platform(platform_id: str, face: str | None, as_json: bool) -> None:
    """Make a new TOKEN_A for a platform that left, or for the other face of a 2.1.1 company."""
    show(call("POST", _path(platform_id, "invite"), {"face": face}), as_json, _invitation_text)


@platform.command("rotate")
@platform_id
@reason
@as_json
def rotate_platform(platform_id: str, as_json: bool) -> None:
    """Exchange the tokens on both sides for fresh ones."""
    show(call("POST", _path(platform_id, "rotate")), as_json, platform_text)


@platform.command("suspend")
@platform_id
@reason
@as_json
def suspend_platform(platform_id: str, as_json: bool) -> None:
    """Refuse a platform and everything for it, until it is resumed."""
    show(call("POST", _path(platform_id, "suspend")), as_json, platform_text)


@platform.command("resume")
@platform_id
@reason
@as_json
def resume_platform(platform_id: str, as_json: bool) -> None:
    """Let a suspended platform take part again."""
    show(call("POST", _path(platform_id, "resume")), as_json, platform_text)


@platform.command("close-circuit")
@platform_id
@reason
@as_json
def close_circuit(platform_id: str, as_json: bool) -> None:
    """Call a platform again at once, which was not called because it did not answer."""
    show(call("POST", _path(platform_id, "circuit/close")), as_json, platform_text)


@platform.command("capture")
@platform_id
@click.option("--hours", type=click.FloatRange(0, 168, min_open=True), help="For so many hours; 24 by default.")
@click.option("--off", is_flag=True, help="Keep no more of them.")
@reason
@as_json
def capture_platform(platform_id: str, hours: float | None, off: bool, as_json: bool) -> None:
    """Keep what is in the messages of a platform, masked, in the journal. It is forgotten after seven days."""
    if off and hours is not None:
        raise click.UsageError("give either --hours or --off")
    path = _path(platform_id, "capture")
    answer = call("DELETE", path) if off else call("POST", path, {"hours": hours or 24})
    show(answer, as_json, platform_text)


@platform.command("remove")
@platform_id
@reason
@as_json
def remove_platform(platform_id: str, as_json: bool) -> None:
    """End the registration of a platform, at the partner too if it answers. It stays listed, SUSPENDED."""
    call("DELETE", _path(platform_id))
    show(call("GET", _path(platform_id)), as_json, platform_text)


@platform.command("probe")
@platform_id
@reason
@as_json
def probe_platform(platform_id: str, as_json: bool) -> None:
    """Look now whether a platform answers at its versions endpoint."""
    show(call("POST", _path(platform_id, "probe")), as_json, probe_text)


@platform.command("history")
@platform_id
@limit
@cursor
@as_json
def list_statuses(platform_id: str, limit: int | None, cursor: str | None, as_json: bool) -> None:
    """List the statuses a platform has had, the present one first."""
    show_list(_path(platform_id, "status-history"), {"limit": limit, "cursor": cursor}, as_json, statuses_table)


@platform.command("losses")
@platform_id
@limit
@cursor
@as_json
def list_losses(platform_id: str, limit: int | None, cursor: str | None, as_json: bool) -> None:
    """List what a change of version lost in objects to and from one platform, and what each loss means."""
    show_list(_path(platform_id, "losses"), {"limit": limit, "cursor": cursor}, as_json, losses_text)


@party.command("list")
@click.option("--role", type=click.Choice([str(role) for role in Role]), help="Only parties with this role.")
@click.option("--status", type=click.Choice([str(each) for each in ConnectionStatus]), help="Only these.")
@click.option("--q", metavar="TEXT", help="Only parties with this in NL*ABC or in a name.")
@limit
@cursor
@as_json
def list_parties(
    role: str | None, status: str | None, q: str | None, limit: int | None, cursor: str | None, as_json: bool
) -> None:
    """List the parties of all platforms."""
    query = {"role": role, "status": status, "q": q, "limit": limit, "cursor": cursor}
    show_list("/parties", query, as_json, parties_table)


@party.command("suspend")
@party_name
@reason
@as_json
def suspend_party(name: str, as_json: bool) -> None:
    """Refuse one party and everything for it, until it is resumed. The others of its platform go on."""
    show(call("POST", _party_path(name, "suspend")), as_json, lambda answer: parties_table(answer["items"]))


@party.command("resume")
@party_name
@reason
@as_json
def resume_party(name: str, as_json: bool) -> None:
    """Let a suspended party take part again."""
    show(call("POST", _party_path(name, "resume")), as_json, lambda answer: parties_table(answer["items"]))


def _party_path(name: str, action: str) -> str:
    return f"/parties/{quote(name, safe='*')}/{action}"


def _path(platform_id: str, action: str = "") -> str:
    if not platform_id:
        raise click.UsageError("ID is empty; `ocpi-hub platform list` shows the ids")
    return f"/platforms/{quote(platform_id, safe='')}" + (f"/{action}" if action else "")


def _invitation_text(answer: Json) -> str:
    return pairs(answer) + "\n\nGive token_a and versions_url to the partner. The token is not shown again."
