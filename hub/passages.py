"""What is the same for all messages of one kind between two partners of different versions.

Who is who in them, what the directory says of those, and their settings. It is worked out once, and stays for as long
as the directory is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias
from weakref import ref

from msgspec import Struct

from hub.people import People, people_in
from routing.directory import Connection, PartyDirectory
from routing.message import Message
from routing.modules import OWNER
from routing.routes import Forward
from routing.translation.crossing import Crossing, Side
from routing.translation.questions import Question
from routing.translation.sides import BothSides, owner_of, sides_of
from routing.vocabulary import ModuleID, Party, Version

MOST: Final = 10_000

_Key: TypeAlias = tuple[object, ...]


class Passage(Struct, frozen=True, eq=False):
    """One kind of message from a sender to a receiver, about objects of one owner."""

    sides: BothSides
    owner: Party
    people: People
    sender: Side
    receiver: Side
    is_patch: bool
    in_turn: bool
    """Whether messages about one object must follow one another: those that change a Session of 2.1.1, see
    `SessionAtReceiver`."""
    leaves_residue: bool
    """Whether it has to be remembered what 2.1.1 takes away from what is pushed."""

    def crossing(
        self, ids: tuple[str, ...], now: datetime, known: Mapping[Question[Any], Any], *, back: bool = False
    ) -> Crossing:
        """What there is to know of the way of one request about the object of these ids, or of its answer."""
        origin, destination = (self.receiver, self.sender) if back else (self.sender, self.receiver)
        return Crossing(
            origin=origin,
            destination=destination,
            owner=self.owner,
            now=now,
            cpo=self.sides.cpo,
            emsp=self.people.emsp,
            emsp_platform=self.people.emsp_platform,
            patch=self.is_patch and not back,
            answer=back,
            owner_details=self.people.owner_details,
            owner_quirks=self.people.owner_quirks or origin.quirks,
            object_ids=ids,
            known=known,
        )


class Passages:
    """Those there have been, `most` of them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._directory: Callable[[], PartyDirectory | None] = _no_directory
        """Not kept alive: it may be large, and there may be no message for a long time."""
        self._known: dict[_Key, Passage] = {}

    def of(self, message: Message, route: Forward, source: Connection, directory: PartyDirectory) -> Passage:
        """The one of this message from `source`.

        Raises:
            NoSuchPath: the path names no owner.
        """
        if directory is not self._directory():
            self._directory, self._known = ref(directory), {}
        operation = message.operation
        owner = message.segments[: len(OWNER)] if operation.owned else ()
        key = (operation, message.version, message.sender, source, route.receiver, route.connection, owner)
        passage = self._known.get(key)
        if passage is None:
            passage = _passage(message, route, source, directory)
            if len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
            self._known[key] = passage
        return passage


def _no_directory() -> None:
    """Before the first message."""


def _passage(message: Message, route: Forward, source: Connection, directory: PartyDirectory) -> Passage:
    operation, versions = message.operation, (message.version, route.connection.version)
    sides = sides_of(operation, message.sender, route.receiver)
    owner = owner_of(operation, message.segments, sides)
    return Passage(
        sides=sides,
        owner=owner,
        people=people_in(directory, owner, sides.emsp),
        sender=Side(message.version, message.sender, source.quirks),
        receiver=Side(route.connection.version, route.receiver, route.connection.quirks),
        is_patch=operation.method == "PATCH",
        in_turn=operation.module == ModuleID.SESSIONS and operation.owned and Version.V2_1_1 in versions,
        leaves_residue=source.quirks.residue and operation.owned and route.connection.version is Version.V2_1_1,
    )
