"""Identifiers that are longer than the other version allows. They are never cut: two might become one.

Most identifiers have 36 characters in all versions; those of a Location, an EVSE and a CDR do not. Where a partner
agreed to it, a longer one has an alias at the other side; see `aliases` for the way back.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from routing.errors import Untranslatable
from routing.translation.crossing import Alias, Crossing, Json
from routing.translation.questions import OriginalId
from routing.vocabulary import Party

LONGEST: Final = 36
"""What 2.2.1 allows a Location and an EVSE, and 2.1.1 a CDR; the other one of the two allows 39."""
_LONGEST_ANYWHERE: Final = 39
_BEGINNING: Final = 27
_MARK: Final = "~"
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def check_id(body: Json, name: str, longest: int, crossing: Crossing, owner: Party | None = None) -> None:
    """Give an identifier that is too long its alias, where a partner agreed to aliases.

    `owner` is whose it is, if that is not the owner of the object at hand.

    Raises:
        Untranslatable: RF-01, neither partner did, or it can have no alias.
    """
    identifier = body.get(name)
    if type(identifier) is str and len(identifier) > longest:
        body[name] = shortened(identifier, name, longest, crossing, owner)
        crossing.lose("L-10", f"/{name}")


def shortened(identifier: str, name: str, longest: int, crossing: Crossing, owner: Party | None = None) -> str:
    """The alias of an identifier that is too long; `name` is what the identifier is called.

    Raises:
        Untranslatable: RF-01.
    """
    agreed = crossing.origin.quirks.id_alias or crossing.destination.quirks.id_alias
    if not agreed or len(identifier) > _LONGEST_ANYWHERE or not identifier.isprintable():
        raise Untranslatable(
            "RF-01", f"{name} has {len(identifier)} characters, and {longest} are the most the receiver's version has"
        )
    owner, alias = owner or crossing.owner, alias_of(identifier)
    taken_by = crossing.ask(OriginalId(owner, alias))
    if taken_by is not None and taken_by != identifier:
        raise Untranslatable("RF-01", f"the alias of this {name} stands for another one already")
    crossing.aliases.append(Alias(owner, alias, identifier))
    return alias


def alias_of(identifier: str) -> str:
    """The 36 characters that stand for a longer identifier: its beginning, and a hash of the whole."""
    return f"{identifier[:_BEGINNING]}{_MARK}{sha256(identifier.encode()).hexdigest()[:8]}"


def may_hold_alias(text: bytes) -> bool:
    """Whether there can be an alias in a JSON text, which may spell any character by its number."""
    return b"~" in text or (b"\\" in text and b"\\u007" in text)


def original_of(identifier: Any, owner: Party, crossing: Crossing) -> Any:  # noqa: ANN401 - any JSON
    """The identifier of this owner that an alias was given out for; anything else as it is."""
    return (crossing.ask(OriginalId(owner, identifier)) or identifier) if _is_alias(identifier) else identifier


def _is_alias(identifier: Any) -> bool:  # noqa: ANN401 - any JSON
    return (
        type(identifier) is str
        and len(identifier) == LONGEST
        and identifier[_BEGINNING] == _MARK
        and _HEX.issuperset(identifier[_BEGINNING + 1 :])
        and identifier.isprintable()
    )
