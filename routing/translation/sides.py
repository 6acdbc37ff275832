"""Who is who in one exchange: the CPO side, the eMSP side, and whose object travels.

OCPI 2.2.1, "Interfaces and endpoints" of each module, and "Client Owned Objects".
"""

from __future__ import annotations

from typing import Final, NamedTuple

from routing.bodies import owner_in_path
from routing.modules import FACE_MODULES, Operation
from routing.vocabulary import Face, InterfaceRole, ModuleID, Party

_AT_CPO: Final = FACE_MODULES[Face.CPO] | {ModuleID.CHARGING_PROFILES: InterfaceRole.RECEIVER}
"""The interface of each module that a CPO offers."""


class BothSides(NamedTuple):
    """The two parties of an exchange by what they do in it."""

    cpo: Party
    emsp: Party


def sides_of(operation: Operation, sender: Party, receiver: Party) -> BothSides:
    """Who acts as the CPO and who as the eMSP: the one whose interface is called, and the one who calls it."""
    if _AT_CPO.get(operation.module) is operation.interface:
        return BothSides(cpo=receiver, emsp=sender)
    return BothSides(cpo=sender, emsp=receiver)


def owner_of(operation: Operation, segments: tuple[str, ...], sides: BothSides) -> Party:
    """Whose object an exchange is about: that of the path, else of who plays the part that owns such objects."""
    if operation.owned:
        return owner_in_path(segments)
    return sides.emsp if operation.module in (ModuleID.TOKENS, ModuleID.COMMANDS) else sides.cpo
