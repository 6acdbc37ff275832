"""One message that names no receiver, and what can be looked up about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

import msgspec
from msgspec import Raw, Struct

from routing.bodies import Members, owner_in_path, read_members, text
from routing.clues import Clues, Index, Way, WaysOf
from routing.dialects import DIALECTS
from routing.directory import PartyDirectory, Platform
from routing.errors import UnknownReceiver
from routing.message import Message
from routing.vocabulary import ConnectionStatus, Party

AMBIGUOUS: Final = "More than one party may be meant; name the receiver in OCPI-to"
_HERE: Final = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})
_list: Final = msgspec.json.Decoder(list[Raw])
_string: Final = msgspec.json.Decoder(str)


class Inquiry(Struct, frozen=True, eq=False):
    """Who is meant by this message? `members` are those of its body."""

    message: Message
    members: Members
    directory: PartyDirectory
    clues: Clues

    @property
    def owner(self) -> Party:
        """Whose object it is: that of the path, else the sender's."""
        message = self.message
        return owner_in_path(message.segments) if message.operation.owned else message.sender

    def named(self, placeholder: str, *fields: str) -> str | None:
        """An id: that of the path, or else the first of these members of the body that there is."""
        message = self.message
        if placeholder in message.operation.path:
            return unquote(message.segments[message.operation.path.index(placeholder)])
        return next((value for name in fields if (value := text(self.members, name)) is not None), None)

    def ways(self, index: Index, *key: str) -> tuple[Way, ...]:
        """Everybody this leads to, of whom the sender may know, and who can be asked. The sender itself is nobody."""
        ways = self.clues.ask(WaysOf(index, tuple(part.upper() for part in key))) or ()
        able = self.able(way.party for way in ways)
        return tuple(way for way in ways if way.party in able)

    def parties(self, index: Index, *key: str) -> list[Party]:
        """The parties of `ways`, each once."""
        return list(dict.fromkeys(way.party for way in self.ways(index, *key)))

    def able(self, parties: Iterable[Party]) -> list[Party]:
        """Those the sender may send this to, that can be asked. Who is gone does not count beside who is not."""
        sender, module, directory = self.message.sender, self.message.operation.module, self.directory
        others = (each for each in dict.fromkeys(parties) if each != sender)
        visible = [each for each in others if directory.visible_to(sender, each, module)]
        visible = [each for each in visible if self._is_here(each)] or visible
        offering = [each for each in visible if self._offers(directory.platform_of(each))]
        # For a version that lacks the whole module, the hub has an answer.
        return offering or [each for each in visible if self._cannot(directory.platform_of(each))]

    def _is_here(self, party: Party) -> bool:
        entry = self.directory.entry(party)
        return entry is not None and entry.status in _HERE

    def _offers(self, platform: Platform | None) -> bool:
        key = (self.message.operation.module, self.message.operation.interface)
        return platform is not None and any(key in each.endpoints for each in platform.connections)

    def _cannot(self, platform: Platform | None) -> bool:
        module = self.message.operation.module
        return platform is not None and any(
            module not in DIALECTS[each.version].modules for each in platform.connections
        )


def decided(groups: Iterable[list[Party]]) -> Party | None:
    """The one party that something leads to. `groups` are who each lead leads to, the lead that counts most first.

    The first that leads to one party decides; several are narrowed down by who a later one leads to as well.

    Raises:
        UnknownReceiver: several are left.
    """
    several: list[Party] = []
    for found in groups:
        several = [party for party in several if party in found] or several or found
        if len(several) == 1:
            return several[0]
    if several:
        raise UnknownReceiver(AMBIGUOUS)
    return None


def objects_in(members: Members, name: str) -> list[Members]:
    """The objects of a list in a body. What is no object counts for nothing.

    Raises:
        UnreadableBody: one of them can be understood in two ways.
    """
    return [read_members(bytes(each)) for each in _listed(members, name) if bytes(each).startswith(b"{")]


def texts_in(members: Members, name: str) -> list[str]:
    """The texts of a list in a body. What is no text counts for nothing."""
    return [_string.decode(each) for each in _listed(members, name) if bytes(each).startswith(b'"')]


def _listed(members: Members, name: str) -> list[Raw]:
    value = members.get(name)
    return _list.decode(value) if value is not None and bytes(value).startswith(b"[") else []
