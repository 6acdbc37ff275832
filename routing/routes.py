"""Where a message can go: to one party, to many, or nowhere because the hub itself has the answer."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from routing.directory import Connection
from routing.vocabulary import Party


class Forward(Struct, frozen=True, eq=False):
    """The message goes to one party, through this connection, to this URL."""

    receiver: Party
    connection: Connection
    url: str
    given: bool = False
    """The partner itself gave this URL: it is called as it is."""
    speaker: Party | None = None
    """Who it is from on this leg, where that is not its sender: the hub, in a broadcast."""


class Broadcast(Struct, frozen=True, eq=False):
    """A push goes to everybody it is of use for: the hub takes it, and passes it on in its own name.

    OCPI 2.2.1, "Transport and format", Broadcast Push.
    """

    owner: Party
    receivers: tuple[Forward, ...]


class Unit(Struct, frozen=True, eq=False):
    """One party whose list is part of a list of everybody's."""

    party: Party
    connection: Connection
    is_offline: bool = False
    """It is not called, and missing from the list."""


class GetAll(Struct, frozen=True, eq=False):
    """A list is made of the lists of these parties, one behind the other.

    OCPI 2.2.1, "Transport and format", GET All via Hubs.
    """

    units: tuple[Unit, ...]
    """In the order of country code and party id, local ones before those behind other hubs."""


class FanOut(Struct, frozen=True, eq=False):
    """Whose Token it is answers: all of these are asked for a real-time authorization. OCPI 2.2.1, "Tokens"."""

    asked: tuple[Forward, ...]
    in_turn: bool = False
    """They are asked one after the other, the likeliest first: the next one only when it is none of this one's."""


class ReadBack(Struct, frozen=True, eq=False):
    """A 2.1.1 owner reads what it pushed itself, at the party that the hub poses as."""

    owner: Party


Route: TypeAlias = Forward | Broadcast | GetAll | FanOut | ReadBack
