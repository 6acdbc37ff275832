"""`ocpi-hub simulate`: partners to try a hub with."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hub.operator.client import ClientSettings, Refused
from hub.shell import as_json
from routing.vocabulary import Role, Version

if TYPE_CHECKING:
    from loadtests.simulator.profiles import Profile

_ROLES = {"cpo": Role.CPO, "emsp": Role.EMSP}
_COUNTRIES = {Role.CPO: "NL", Role.EMSP: "DE"}
_VERSIONS = [str(version) for version in (Version.V2_1_1, Version.V2_2_1, Version.V2_3_0)]


def _read(_: click.Context, parameter: click.Parameter, value: str | None) -> object:
    """What an option means to the simulator."""
    from loadtests.simulator import latency, profiles  # noqa: PLC0415 - only this command needs partners

    readers: dict[str | None, Callable[[str], object]] = {
        "profile": profiles.read_profile,
        "latency": latency.read_distribution,
        "errors": profiles.read_share,
        "outage": profiles.read_outage,
    }
    try:
        return None if value is None else readers[parameter.name](value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _read_country(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[A-Za-z]{2}", value):
        raise click.BadParameter(f"{value!r} is not like NL")
    return value and value.upper()


@click.command()
@click.option("--role", type=click.Choice(list(_ROLES), case_sensitive=False), required=True, help="What they are.")
@click.option("--version", type=click.Choice(_VERSIONS), default="2.2.1", show_default=True)
@click.option("--parties", type=click.IntRange(1), default=1, show_default=True, help="How many.")
@click.option("--platforms", type=click.IntRange(1), help="On how many platforms; each party has its own by default.")
@click.option("--country", metavar="NL", callback=_read_country, help="Of all; NL for CPOs and DE for eMSPs.")
@click.option("--first", type=click.IntRange(0), default=0, show_default=True, help="Number of the first party.")
@click.option("--profile", default="fast", show_default=True, callback=_read, help="How they are.")
@click.option("--latency", metavar="DISTRIBUTION", callback=_read, help="Such as lognormal:80ms.")
@click.option("--errors", metavar="SHARE", callback=_read, help="How often they fail, such as 1%.")
@click.option("--outage", metavar="TIMES", callback=_read, help='When they are away: "60s every 5m".')
@click.option("--seed", type=int, default=1, show_default=True, help="The same one gives the same partners.")
@click.option("--ledger", type=click.Path(dir_okay=False, path_type=Path), help="Write a line for every message here.")
@click.option("--client-info", is_flag=True, help="They want to be told who comes and goes: each of each other one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Listen here; on a free port by default.")
@click.option("--origin", metavar="URL", default="", help="What their URLs begin with, if not with host and port.")
@click.option("--register", is_flag=True, help="Register them at the hub that the settings name.")
@click.option("--operator-url", metavar="URL", help="Register them at the hub with this operator listener, instead.")
@click.option("--hub", "versions_url", metavar="URL", help="Versions URL of that hub, if not the one it gives out.")
@as_json
def simulate(
    role: str,
    version: str,
    parties: int,
    platforms: int | None,
    country: str | None,
    profile: Profile,
    register: bool,
    operator_url: str | None,
    **more: Any,  # noqa: ANN401 - the rest of the options, as `Order` and `Profile` name them
) -> None:
    """Simulate CPOs or eMSPs: platforms that a hub can reach, with the latency and the failures you want.

    Profiles: fast, typical (lognormal:80ms), slow (3 s), flaky (5 % errors), dead (never answers), closing (no
    keep-alive), resetting, garbage, html, huge, dripping, unauthorized, redirecting, and "outage 60s every 5m". They
    hold from registration on. Latencies are constant:80ms, uniform:50ms-200ms or lognormal:MEDIAN[,SIGMA].

    Without --register it prints a versions URL and a TOKEN_A of each, with which `ocpi-hub platform connect`, or the
    operator of any hub, connects them. What comes to them is counted, and told at the end. Those who are registered
    stay so, and are let in anew the next time.
    """
    from loadtests import simulate as simulation  # noqa: PLC0415 - only this command needs partners
    from loadtests.hub_process import Operator  # noqa: PLC0415 - as above

    changes = {name: more.pop(name) for name in ("latency", "errors", "outage")}
    plays = _ROLES[role.lower()]
    order = simulation.Order(
        role=plays,
        version=Version(version),
        parties=parties,
        platforms=platforms or parties,
        country_code=country or _COUNTRIES[plays],
        profile=msgspec.structs.replace(
            profile, **{name: value for name, value in changes.items() if value is not None}
        ),
        **more,
    )
    operator = None
    if register or operator_url:
        settings = ClientSettings.load()
        operator = Operator(operator_url or settings.operator_url, settings.operator_token.reveal())
    try:
        simulation.simulate(order, operator)
    except simulation.NotPossible as error:
        raise Refused(str(error)) from error
