"""What a day's traffic is made of.

Most of what a hub carries is EVSEs that change their status. Then come sessions under way, cards at stations, finished
sessions, changed stations, and now and then somebody who reads a whole list.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

from routing.vocabulary import Role


class Line(NamedTuple):
    """One kind of message of the day."""

    action: str
    """What a user is told: `user.do(action)`."""
    role: Role
    """Who says it."""
    weight: float
    """How often, relative to the others."""
    kinds: tuple[str, ...]
    """What becomes of it, as locust's events name it, but for the role at their end."""
    has_results: bool = False
    """Whether a message of this kind has a result beside its answer."""


DAY: Final[tuple[Line, ...]] = (
    Line("evse_status", Role.CPO, 600, ("locations.PATCH", "locations.PUT")),  # PUT, where it was not shown yet
    Line(
        "session", Role.CPO, 240, ("sessions.PATCH", "sessions.PUT", "cdrs.POST")
    ),  # of ten, 8 PATCH it, one puts it and one is its CDR
    Line("authorize", Role.CPO, 60, ("tokens.authorize",)),
    Line("location", Role.CPO, 12, ("locations.PUT",)),
    Line("tariff", Role.CPO, 3, ("tariffs.PUT",)),
    Line("token", Role.EMSP, 10, ("tokens.PUT",)),
    Line("command", Role.EMSP, 8, ("commands.START_SESSION", "commands.STOP_SESSION"), has_results=True),
    Line("crawl", Role.EMSP, 2, ("locations.GET",)),  # pages, of lists that go on for some
)
"""Nothing else says how often something is said."""

REGISTERING: Final = ("versions.GET", "details.GET", "credentials.PUT")
"""Kinds of messages of those who come back."""

SESSION_PATCHES: Final = 8
"""Between the PUT of a session and its CDR; the last one ends it."""


def actions(role: Role, day: Sequence[Line] = DAY) -> list[Line]:
    """What this role says."""
    return [line for line in day if line.role is role]


def share(role: Role, day: Sequence[Line] = DAY) -> float:
    """The part of all messages that comes from this role, from 0 to 1."""
    return sum(line.weight for line in actions(role, day)) / sum(line.weight for line in day)


def drawn(role: Role, dice: Random, day: Sequence[Line] = DAY) -> str:
    """What a user of this role says next."""
    lines = actions(role, day)
    return dice.choices([line.action for line in lines], [line.weight for line in lines])[0]
