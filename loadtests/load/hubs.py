"""The hub that is put under load: one that is started for it, or an operator's own, which is left as it was found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loadtests.hub_process import HubFailed, HubProcess, Operator
from loadtests.load.plan import Part, Plan
from loadtests.load.targets import TargetRefused, check_target
from routing.vocabulary import Version

Json = dict[str, Any]
_SIMULATED = "Simulated "
"""What the names of simulated partners' platforms begin with."""


@contextmanager
def own_hub(stores: Mapping[str, str | None]) -> Iterator[Operator]:
    """One that is there for this run only, without rate limits; `stores` are settings such as `database_url`."""
    given = {name: value for name, value in stores.items() if value is not None}
    with TemporaryDirectory() as folder, HubProcess(Path(folder), {"rate_limit": "off", **given}) as hub:
        yield hub.operator


def check_company(hub: Operator, plan: Plan) -> None:
    """Let nobody have the load who is not meant to.

    Raises:
        TargetRefused: messages of the run would reach a platform that is not part of it, or the systems of a peer that
            nobody has said may be put under load.
    """
    others = [each for each in platforms(hub) if not each["name"].startswith(_SIMULATED)]
    peers = [_platform_of(peer, others) for peer in plan.peers]
    for platform in peers:
        for endpoint in platform["endpoints"]:
            check_target(endpoint["url"], plan.owned)
    met = [each["name"] for each in others if each["status"] == "CONNECTED" and each not in peers]
    if met and any(plan.part(number).version is Version.V2_1_1 for number in range(plan.platforms)):
        raise TargetRefused(
            f"platforms on 2.1.1 cannot name receivers, so {', '.join(met[:3])} would get their messages too; "
            "play others, with --version 2.2.1"
        )


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


def remove(hub: Operator, names: Collection[str]) -> list[str]:
    """End the registrations of the platforms with these names; returns what could not be ended and why."""
    left: list[str] = []
    for platform in platforms(hub):
        if platform["name"] in names and platform["name"].startswith(_SIMULATED):
            try:
                hub.ask("DELETE", f"/api/v1/platforms/{platform['id']}")
            except HubFailed as error:
                left.append(f"{platform['name']} ({platform['id']}): {error}")
    return left


def _platform_of(peer: Part, others: Sequence[Json]) -> Json:
    for platform in others:
        if peer.party in _parties(platform):
            return platform
    raise TargetRefused(f"no platform of this hub has the party {peer.party}")


def _parties(platform: Json) -> list[str]:
    return list(dict.fromkeys(f"{each['country_code']}*{each['party_id']}" for each in platform["parties"]))
