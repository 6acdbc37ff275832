"""The hub that is put under load: one that is started for it, or an operator's own, which is left as it was found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loadtests.hub_process import HubFailed, HubProcess, Operator
from loadtests.inviting import LOAD_TEST
from loadtests.load.plan import Part, Plan
from loadtests.load.targets import TargetRefused, check_target
from routing.vocabulary import Version

Json = dict[str, Any]


@contextmanager
def own_hub(stores: Mapping[str, str | None]) -> Iterator[Operator]:
    """One that is there for this run only, without rate limits; `stores` are settings such as `database_url`."""
    given = {name: value for name, value in stores.items() if value is not None}
    with TemporaryDirectory() as folder, HubProcess(Path(folder), {"rate_limit": "off", **given}) as hub:
        yield hub.operator


def check_company(hub: Operator, plan: Plan) -> None:
    """Let nobody have the load who is not meant to.

    Raises:
        TargetRefused: somebody else is a party that is to be played, a peer is not there as it was said, or messages of
            the run would reach a platform that is not part of it, or a peer's systems that nobody has said may be put
            under load.
    """
    others = [each for each in platforms(hub) if not is_ours(each)]
    for part in plan.parts:
        _check_free(part, others)
    peers = [_platform_of(peer, others) for peer in plan.peers]
    for platform in peers:
        for endpoint in platform["endpoints"]:
            check_target(endpoint["url"], plan.owned)
    met = [each["name"] for each in others if each["status"] == "CONNECTED" and each not in peers]
    if met and any(plan.part(number).version is Version.V2_1_1 for number in range(plan.platforms)):
        raise TargetRefused(
            f"platforms on 2.1.1 cannot name receivers, so {', '.join(met[:3])} would get their messages too; "
            "play 2.2.1 or 2.3.0"
        )


def is_ours(platform: Json) -> bool:
    """Whether this platform was invited by a load test, and nobody else is it."""
    return bool(platform["name"].startswith(f"{LOAD_TEST} "))


def taken_parties(hub: Operator) -> set[str]:
    """Parties of platforms that are not ours: nobody plays them."""
    return {party for each in platforms(hub) if not is_ours(each) for party in _parties(each)}


def platforms(hub: Operator) -> list[Json]:
    """All platforms of a hub, as its operator API shows them."""
    found: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        page = hub.ask("GET", "/api/v1/platforms", params={"limit": 200, **({"cursor": cursor} if cursor else {})})
        found += page["items"]
        cursor = page["next_cursor"]
    return found


def party_names(hub: Operator) -> dict[str, str]:
    """Parties by the id of their platform."""
    return {each["id"]: " ".join(_parties(each)) or each["name"] for each in platforms(hub)}


def version_of(hub: Operator) -> str:
    """Which version of the hub this is."""
    return str(hub.ask("GET", "/api/v1/settings")["version"])


def remove(hub: Operator, names: Collection[str]) -> list[str]:
    """End the registrations of the platforms with these names; returns what could not be ended and why."""
    left: list[str] = []
    for platform in platforms(hub):
        if platform["name"] in names and is_ours(platform):
            try:
                hub.ask("DELETE", f"/api/v1/platforms/{platform['id']}")
            except HubFailed as error:
                left.append(f"{platform['name']} ({platform['id']}): {error}")
    return left


def _check_free(part: Part, others: Sequence[Json]) -> None:
    for platform in others:
        if part.party in _parties(platform):
            raise TargetRefused(
                f"{part.party} is a party of {platform['name']!r} at this hub already, and nobody can play it beside "
                f"them; take another --party, or send to it with --peer {part.party}:…"
            )


def _platform_of(peer: Part, others: Sequence[Json]) -> Json:
    for platform in others:
        if peer.party in _parties(platform):
            _check_peer(peer, platform)
            return platform
    raise TargetRefused(f"no platform of this hub has the party {peer.party}")


def _check_peer(peer: Part, platform: Json) -> None:
    """Whether it is what it is said to be: of something else it would answer nothing."""
    found = [each for each in platform["parties"] if _name(each) == peer.party]
    if not any(each["status"] == "CONNECTED" for each in found):
        raise TargetRefused(f"{peer.party} is {found[0]['status']} at this hub: nothing can be sent to it")
    roles = [each["role"] for each in found]
    versions = [each["version"] for each in platform["connections"]]
    if peer.role.value not in roles or peer.version.value not in versions:
        raise TargetRefused(
            f"{peer.party} is {' and '.join(roles)} on {' and '.join(versions) or 'no version'} at this hub, and not "
            f"{peer.role} on {peer.version}; say in --peer what it is"
        )


def _name(party: Json) -> str:
    return f"{party['country_code']}*{party['party_id']}".upper()


def _parties(platform: Json) -> list[str]:
    return list(dict.fromkeys(map(_name, platform["parties"])))
