"""What is looked at before anything is sent: whether it was said as one can, and whether the hub is there."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping, Sequence
from time import monotonic, sleep
from typing import Final

import click
import httpx
from click.core import ParameterSource

from loadtests.hub_process import Operator
from loadtests.load.hubs import taken_parties
from loadtests.load.locust_process import Mode
from loadtests.load.objectives import Objectives, matches
from loadtests.load.partners import senders
from loadtests.load.plan import LOOPBACK, Part, Plan
from loadtests.load.recording import Kind
from loadtests.traffic.day import DAY, REGISTERING
from routing.vocabulary import Role

_NOT_BESIDE_PARTY: Final = {"platforms": "--platforms", "versions": "--version"}
_NOT_BESIDE_URL: Final = {"database_url": "--database-url", "redis_url": "--redis-url"}
_SHOWN = 6
_LOOK_EVERY_S = 1.0
MASTER_PORT: Final = 5557
"""Where locust's master listens."""


class LoadTestFailed(Exception):
    """There is no result; the message is one line."""


def wait_for_master(host: str, within_s: float, port: int = MASTER_PORT) -> None:
    """Return when a master takes connections on this host. Raises LoadTestFailed."""
    deadline = monotonic() + within_s
    while True:
        try:
            with socket.create_connection((host, port), timeout=_LOOK_EVERY_S):
                return
        except OSError as error:
            if monotonic() > deadline:
                raise LoadTestFailed(
                    f"no master on {host}, port {port}, within {within_s:g} s: {error.strerror or error}; begin "
                    "`ocpi-hub loadtest --master N` there"
                ) from error
        sleep(_LOOK_EVERY_S)


def kinds(roles: Collection[Role], *, reconnecting: bool) -> list[str]:
    """The kinds of messages that parties of these roles send in a day, and when they lose their connections."""
    found: list[str] = []
    for line in DAY:
        if line.role in roles:
            named = [f"{kind}.{line.role}" for kind in line.kinds]
            found += named
            found += [str(Kind(name, result=True)) for name in named if line.has_results]
    found += [f"{kind}.{role}" for role in sorted(roles) for kind in REGISTERING if reconnecting]
    return list(dict.fromkeys(found))


def check_given(*, has_parts: bool, has_url: bool) -> None:
    """Refuse what would be ignored. Raises UsageError."""
    if has_parts:
        _refuse(_NOT_BESIDE_PARTY, "beside --party, which names all platforms and their versions")
    if has_url:
        _refuse(_NOT_BESIDE_URL, "beside --operator-url, which names a hub that runs already")


def _refuse(names: Mapping[str, str], why: str) -> None:
    context = click.get_current_context()
    given = [text for name, text in names.items() if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        raise click.UsageError(f"{' and '.join(given)} cannot be given {why}")


def check_parts(parts: tuple[Part, ...], peers: tuple[Part, ...], mode: Mode, *, has_url: bool) -> None:
    """Raises UsageError for parties that cannot be in one run."""
    names = [part.party for part in (*parts, *peers)]
    if len(set(names)) < len(names):
        raise click.UsageError("each --party and each --peer is one platform; one of them is there twice")
    if peers and not parts:
        other = "EMSP" if peers[0].role is Role.CPO else "CPO"
        raise click.UsageError(
            f"a --peer only receives: add a party that this run plays and that sends to it, such as "
            f'--party "{"NL*ABC" if other == "CPO" else "DE*XYZ"}:{other}:2.2.1"'
        )
    if names and {part.role.value for part in (*parts, *peers)} != {"CPO", "EMSP"}:
        raise click.UsageError("give at least one --party or --peer that is a CPO, and one that is an EMSP")
    if names and (mode.senders > 1 or mode.worker_of is not None):
        raise click.UsageError(
            "parties by name are played by one process: leave out --processes, --master, --worker-of"
        )
    if peers and not has_url:
        raise click.UsageError("a --peer is at a hub that runs already: give its --operator-url")
    if mode.worker_of is not None and not has_url:
        raise click.UsageError("--worker-of needs the --operator-url that was given to the master")


def check_port(port: int | None) -> None:
    """Raises LoadTestFailed where somebody else listens already."""
    if port is None:
        return
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            raise LoadTestFailed(f"no web pages at port {port}: {error.strerror}; give --web another one") from error


def check_token(token: str) -> None:
    """Raises UsageError for what cannot be sent as a token."""
    if not token or not token.isascii() or not token.isprintable():
        raise click.UsageError(
            "the operator token is empty, or has characters that no token has; see HUB_OPERATOR_TOKEN"
        )


def check_objectives(objectives: Objectives, plan: Plan, mode: Mode, hub: Operator) -> None:
    """Raises UsageError for objectives of parties, or of kinds of messages, that are not in this run."""
    _check_kinds(objectives.kinds, plan, mode)
    if not objectives.partners and not objectives.receivers:
        return
    played = senders(plan, mode.senders, taken_parties(hub))
    peers = {str(peer.party) for peer in plan.peers}
    silent = [each for each in objectives.partners if each in peers]
    if silent:
        raise click.UsageError(
            f"--slo has objectives for what {', '.join(silent)} sends, and a --peer sends nothing: what it has to "
            f'achieve as a receiver is said in [receivers."{silent[0]}"]'
        )
    for named, known in ((objectives.partners, played), (objectives.receivers, played | peers)):
        missing = [each for each in named if each not in known]
        if missing:
            some = sorted(known)
            raise click.UsageError(
                f"--slo has objectives for {', '.join(missing)}, not in this run; in it are "
                f"{', '.join(some[:_SHOWN])}{f' and {len(some) - _SHOWN} more' if len(some) > _SHOWN else ''}"
            )


def _check_kinds(patterns: Sequence[str], plan: Plan, mode: Mode) -> None:
    """Raises UsageError. A web page may choose another shape than was typed."""
    roles = {part.role for part in plan.parts} or {Role.CPO, Role.EMSP}
    known = kinds(roles, reconnecting=mode.web_port is not None or plan.arrivals().reconnect_at_s is not None)
    missing = [pattern for pattern in patterns if not any(matches(kind, pattern) for kind in known)]
    if missing:
        raise click.UsageError(
            f"--slo has objectives for kinds {', '.join(missing)}, which this run does not send; it sends "
            f"{', '.join(known)}"
        )


def answering(hub: Operator) -> Operator:
    """The hub, if it is one and takes the token. Raises LoadTestFailed."""
    try:
        answer = hub.api.get("/api/v1/platforms", params={"limit": 1})
    except httpx.HTTPError as error:
        raise LoadTestFailed(
            f"no hub answers at {hub.url}: {str(error) or type(error).__name__}; start it with `HUB_RATE_LIMIT=off "
            "make run`, which prints its operator URL, or leave out --operator-url for a hub of its own"
        ) from error
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise LoadTestFailed(
            f"the hub at {hub.url} does not take this operator token: it is what its HUB_OPERATOR_TOKEN says, or in "
            "var/operator-token where it was started"
        )
    if not answer.is_success or not answer.headers.get("content-type", "").startswith("application/json"):
        raise LoadTestFailed(
            f"{hub.url} answers HTTP {answer.status_code}, and not as the operator listener of a hub does; a hub says "
            "where that is when it starts"
        )
    return hub
