"""Who takes part in a run, and what they have. The same seed gives the same people, stations and cards."""

from __future__ import annotations

import itertools
import time
from random import Random
from typing import Final

from msgspec import Struct, field

from loadtests.simulator import Json
from loadtests.simulator.stock import network, numbered_party, wallet
from loadtests.traffic.simulator_process import Connection, Platform
from routing.vocabulary import Party, Role, Version

_FRIENDS: Final = 3
_COUNTRIES: Final = {Role.CPO: "NL", Role.EMSP: "DE"}


class Charging(Struct, eq=False):
    """A session under way."""

    session: Json
    """As it was put."""
    peer: Part
    """The eMSP of the card."""
    card: Json
    where: Json
    patches: int = 0
    is_put: bool = False
    due: float = 0
    """Not before this is anything said about it, by `time.monotonic`."""


class Part(Struct, eq=False):
    """One company: its party, its platform, and what it has. A user plays it, and may be followed by another user."""

    role: Role
    version: Version
    party: Party
    platform: Platform
    connection: Connection
    locations: list[Json] = field(default_factory=list)
    tariffs: list[Json] = field(default_factory=list)
    cards: list[Json] = field(default_factory=list)
    friends: list[Part] = field(default_factory=list)
    """Whom it has agreements with: not everybody talks to everybody."""
    shown: dict[tuple[Party | None, str], float] = field(default_factory=dict)
    """Locations that were put, to whom (None where the hub decides) and by id: when, by `time.monotonic`."""
    sessions: list[Charging] = field(default_factory=list)
    """Those under way that nobody talks about right now."""
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))


class Cast:
    """Everybody of one worker."""

    def __init__(self, first_party: int = 0, seed: int = 1) -> None:
        """Parties are numbered from `first_party` on, CPOs of one country and eMSPs of another."""
        self.playing: dict[Role, list[Part]] = {Role.CPO: [], Role.EMSP: []}
        """Those who can be talked to."""
        self._resting: dict[tuple[Role, Version], list[Part]] = {}
        self._numbers = {role: itertools.count(first_party) for role in self.playing}
        self._seed = seed

    def rested(self, role: Role, version: Version) -> Part | None:
        """A part that was played before, and is free."""
        resting = self._resting.get((role, version))
        return resting.pop() if resting else None

    def new_party(self, role: Role) -> Party:
        """A party that nobody plays."""
        return numbered_party(_COUNTRIES[role], next(self._numbers[role]))

    def equip(self, part: Part) -> None:
        """Give a part what it has."""
        if part.role is Role.CPO:
            found = network(part.party, part.version, self._seed)
            part.locations, part.tariffs = found.locations, found.tariffs
        else:
            part.cards = wallet(part.party, part.version, self._seed)

    def enter(self, part: Part) -> None:
        """From now on it can be talked to."""
        self.playing[part.role].append(part)

    def leave(self, part: Part) -> None:
        """It is registered still, but nobody begins to talk to it."""
        self.playing[part.role].remove(part)
        self._resting.setdefault((part.role, part.version), []).append(part)

    def friend(self, part: Part, dice: Random) -> Part | None:
        """One of those a part talks to; None as long as there is nobody."""
        others = self.playing[Role.EMSP if part.role is Role.CPO else Role.CPO]
        if len(part.friends) < min(_FRIENDS, len(others)):
            found = dice.choice([each for each in others if each not in part.friends])
            part.friends.append(found)
        return dice.choice(part.friends) if part.friends else None

    def charging_with(self, emsp: Part) -> tuple[Part, Charging] | None:
        """A CPO and a session there of this eMSP that the hub knows of."""
        for cpo in self.playing[Role.CPO]:
            for charging in cpo.sessions:
                if charging.peer is emsp and charging.is_put and charging.due <= time.monotonic():
                    return cpo, charging
        return None
