"""Partners of one kind, simulated: `ocpi-hub simulate`.

They answer what comes to them, as fast and as badly as they are told to, and count it. They say nothing by themselves
but the results of commands.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import click
import httpx
from msgspec import Struct, structs

from loadtests.hub_process import HubFailed, Operator
from loadtests.inviting import SIMULATED, Inviting, platform_name
from loadtests.simulator import HubRefused
from loadtests.simulator.fleet import Fleet, Member
from loadtests.simulator.premises import Premises
from loadtests.simulator.profiles import Profile
from loadtests.simulator.stock import MOST_PARTIES, numbered_party
from routing.vocabulary import Party, Role, Version

_AT_ONCE: Final = 4
"""Registrations under way."""
_TELL_EVERY: Final = 100


class NotPossible(Exception):
    """The partners cannot be simulated; the message is one line."""


class Order(Struct, frozen=True):
    """Which partners."""

    role: Role
    version: Version
    parties: int
    platforms: int
    country_code: str
    first: int
    """The number of the first party."""
    profile: Profile
    seed: int
    host: str
    port: int
    origin: str
    ledger: Path | None
    client_info: bool
    versions_url: str | None
    """Of the hub, where it is not the one that the hub gives out."""
    as_json: bool


def check(order: Order) -> None:
    """Raises NotPossible for parties that cannot be, or cannot be on so many platforms."""
    if order.platforms > order.parties:
        raise NotPossible(f"{order.parties} parties cannot be on {order.platforms} platforms")
    if order.version is Version.V2_1_1 and order.platforms < order.parties:
        raise NotPossible("a platform of 2.1.1 has one party; leave out --platforms")
    if order.first + order.parties > MOST_PARTIES:
        raise NotPossible(f"a country has {MOST_PARTIES} parties, and these go beyond; see --parties and --first")


def simulate(order: Order, operator: Operator | None) -> None:
    """Serve until interrupted. With an `operator` they register at its hub first.

    Raises:
        NotPossible: the port is taken, the ledger cannot be written, or the hub refuses.
    """
    check(order)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    fleet = _opened(order)
    try:
        members = [_added(fleet, order, parties) for parties in _shares(order)]
        tokens = _invited(members) if operator is None else _registered(members, order, operator, ended)
        if not ended.is_set():
            _show_partners(members, tokens, order)
            ended.wait()
        _show_tallies(members, order)
    finally:
        fleet.close()


def _opened(order: Order) -> Fleet:
    premises = Premises("fleet", is_busy=True, host=order.host, port=order.port, origin=order.origin)
    try:
        fleet = Fleet(
            premises, profile=order.profile, seed=order.seed, ledger=order.ledger, client_info=order.client_info
        )
        fleet.open()
    except OSError as error:
        what = error.filename or f"{order.host}:{order.port}"
        raise NotPossible(f"{what}: {os.strerror(error.errno or 0)}") from error
    return fleet


def _shares(order: Order) -> Iterator[list[Party]]:
    """Whose platforms are whose: as many parties on each, or one more."""
    numbers = iter(range(order.first, order.first + order.parties))
    for platform in range(order.platforms):
        count = order.parties // order.platforms + (platform < order.parties % order.platforms)
        yield [numbered_party(order.country_code, next(numbers)) for _ in range(count)]


def _added(fleet: Fleet, order: Order, parties: list[Party]) -> Member:
    name = platform_name(SIMULATED, parties[0], order.role)
    return fleet.add(name, {party: [order.role] for party in parties}, order.version)


def _invited(members: list[Member]) -> list[str]:
    """Tokens with which a hub may register at them."""
    return [member.partner.invite(secrets.token_urlsafe(24)) for member in members]


def _registered(members: list[Member], order: Order, operator: Operator, ended: threading.Event) -> list[str]:
    """Have all of them register; no tokens are left to tell. Raises NotPossible."""
    inviting, done = Inviting(operator), iter(range(1, len(members) + 1))

    def register(member: Member) -> None:
        if ended.is_set():
            return
        _register(member, order, inviting)
        count = next(done)
        if count % _TELL_EVERY == 0 or count == len(members):
            click.echo(f"registered {count} of {len(members)}", err=True)

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        try:
            for _ in threads.map(register, members):
                pass
        except BaseException:
            ended.set()
            raise
    return [""] * len(members)


def _register(member: Member, order: Order, inviting: Inviting) -> None:
    partner = member.partner
    try:
        invitation = inviting.invite(partner.name, order.role, order.version)
        partner.register(order.versions_url or invitation.versions_url, invitation.token_a)
    except (HubFailed, HubRefused, httpx.HTTPError) as error:
        raise NotPossible(f"{partner.name} cannot register: {error}") from error


def _show_partners(members: list[Member], tokens: list[str], order: Order) -> None:
    rows = [_row(member, token) for member, token in zip(members, tokens, strict=True)]
    if order.as_json:
        click.echo(json.dumps({"platforms": rows}))
        return
    for row in rows:
        parties = row["parties"]
        who = parties[0] if len(parties) == 1 else f"{parties[0]} … {parties[-1]} ({len(parties)})"
        click.echo(f"{who:<22}  {row['versions_url']}  {row['token_a'] or 'registered'}")
    click.echo("Simulated until you press Ctrl-C.")


def _row(member: Member, token: str) -> dict[str, Any]:
    partner = member.partner
    return {
        "name": partner.name,
        "parties": [str(party) for party in partner.parties],
        "version": partner.version,
        "versions_url": partner.versions_url,
        "token_a": token or None,
        "registered": not token,
    }


def _show_tallies(members: list[Member], order: Order) -> None:
    """What came, at the end."""
    if order.as_json:
        tallies = {member.partner.name: structs.asdict(member.tally) for member in members}
        click.echo(json.dumps({"received": tallies}))
        return
    kinds: dict[str, int] = {}
    for member in members:
        for kind, count in member.tally.by_kind.items():
            kinds[kind] = kinds.get(kind, 0) + count
    for kind, count in sorted(kinds.items()):
        click.echo(f"{count:>10,}  {kind}")
    messages, doubles = (sum(getattr(each.tally, name) for each in members) for name in ("messages", "duplicates"))
    click.echo(f"{messages:>10,}  messages received, of which {doubles:,} had come before")
