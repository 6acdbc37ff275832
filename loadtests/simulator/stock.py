"""What simulated partners of a load are called and what they have: the same wherever one asks, by the seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from loadtests.simulator.messages import Json
from loadtests.simulator.shapes import Roles
from loadtests.simulator.stations import Network, cards, charging_network
from routing.vocabulary import ModuleID, Party, Role, Version

_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
MOST_PARTIES: Final = len(_DIGITS) ** 3
"""Of one country."""
_STATIONS, _TARIFFS, _CARDS = 4, 2, 20


def numbered_party(country_code: str, number: int) -> Party:
    """The party of this number, from 0 to `MOST_PARTIES` - 1: AAA, AAB and so on."""
    return Party(country_code, "".join(_DIGITS[number // 36**place % 36] for place in (2, 1, 0)))


def network(party: Party, version: Version, seed: int) -> Network:
    """The stations and tariffs of a CPO. Their ids are unlike everybody else's, so no partner needs aliases."""
    prefix = f"{party.country_code}{party.party_id}-"
    return charging_network(party, version, stations=_STATIONS, tariffs=_TARIFFS, seed=seed, prefix=prefix)


def wallet(party: Party, version: Version, seed: int) -> list[Json]:
    """The cards of an eMSP."""
    return cards(party, version, count=_CARDS, seed=seed)


def stock_of(roles: Roles, version: Version, seed: int) -> Callable[[str], list[Json]]:
    """Everything that partners of these roles have, by module."""

    def stock(module: str) -> list[Json]:
        match module:
            case ModuleID.LOCATIONS:
                return [each for party in _those(roles, Role.CPO) for each in network(party, version, seed).locations]
            case ModuleID.TARIFFS:
                return [each for party in _those(roles, Role.CPO) for each in network(party, version, seed).tariffs]
            case ModuleID.TOKENS:
                return [each for party in _those(roles, Role.EMSP) for each in wallet(party, version, seed)]
            case _:
                return []

    return stock


def _those(roles: Roles, role: Role) -> list[Party]:
    return [party for party, played in roles.items() if role in played]
