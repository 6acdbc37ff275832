"""Where what was learned from traffic stands, and under which key each thing is looked for.

Identifiers are CiStrings, so keys are in upper case; that of a contract has no separators either, because everybody
puts other ones in. A `Lookup` names one entry of a shelf. What stands there is a group: one value, or a tuple of
those that share the key.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from routing.clues import Index
from routing.contracts import contract_key
from routing.translation.questions import Residue, TariffFacts, TokenFacts
from routing.vocabulary import Party

key_of: Final = str.upper
"""An identifier as it is compared."""


class Shelf(StrEnum):
    """The kinds of entries there are."""

    TOKENS_OF_UID = "uid"
    TOKENS_OF_CONTRACT = "contract"
    SESSION = "session"
    RECENT = "recent"
    REFERENCES = "references"
    LOCATION = "location"
    TARIFF = "tariff"
    SHOWN = "shown"
    SESSIONS_AT = "sessions_at"
    CREDITS = "credits"
    OWN = "own"
    ALIAS = "alias"
    RESIDUE = "residue"
    WAYS = "ways"


READ_FRESH: Final = frozenset({Shelf.SESSIONS_AT, Shelf.CREDITS, Shelf.OWN, Shelf.RESIDUE})
"""Shelves that are needed too rarely, or are too large, to be kept anywhere but in the database."""


LONGEST_ID: Final = 80
"""Characters of an identifier of which anything is remembered. OCPI's own have 39 at most, a partner may send any."""
_LONGEST_KEY: Final = 3 * LONGEST_ID
"""In upper case some characters become three."""
MOST_WAYS: Final = 50
"""Parties that one thing leads to."""
MOST_DETAILS: Final = 200
"""Of one of them."""


class Lookup(Struct, frozen=True, array_like=True):
    """One entry of one shelf."""

    shelf: Shelf
    key: tuple[str, ...]


class KnownToken(Struct, frozen=True):
    """A Token, and until when it is remembered; None for as long as its owner stays."""

    facts: TokenFacts
    until: datetime | None = None


class KnownSession(Struct, frozen=True):
    """A Session; None is what was never said."""

    session_id: str
    emsp: Party | None
    status: str | None
    start: datetime | None
    auth_key: str | None
    location_key: str | None
    token: TokenFacts | None
    at: datetime
    """When it was heard of last."""


class KnownLocation(Struct, frozen=True):
    """A Location, and its `publish` as far as that was said."""

    publish: bool | None


class UsedToken(Struct, frozen=True):
    """The Token a contract was used with, and when."""

    token: TokenFacts
    at: datetime


class Reference(Struct, frozen=True):
    """An authorization reference, and the Session it belongs to."""

    value: str
    token_type: str
    given_at: datetime
    location_key: str | None
    bound_to: str | None = None
    bound_start: datetime | None = None


class Credit(Struct, frozen=True):
    """What is known of a CDR whose credit was held back."""

    cdr_key: str | None
    session_key: str | None
    start: datetime | None
    uid_key: str | None
    evse_uid_key: str | None


class KnownWay(Struct, frozen=True):
    """A party that something leads to."""

    party: Party
    details: tuple[str, ...]
    """What is known more closely, in upper case; an empty text where there is nothing."""
    at: datetime
    """When it was learned last."""
    until: datetime | None
    """When it ends; None for as long as the party stays."""


GROUPS: Final[dict[Shelf, Any]] = {
    Shelf.TOKENS_OF_UID: tuple[KnownToken, ...],
    Shelf.TOKENS_OF_CONTRACT: tuple[KnownToken, ...],
    Shelf.SESSION: KnownSession | None,
    Shelf.RECENT: UsedToken | None,
    Shelf.REFERENCES: tuple[Reference, ...],
    Shelf.LOCATION: KnownLocation | None,
    Shelf.TARIFF: TariffFacts | None,
    Shelf.SHOWN: bool,
    Shelf.SESSIONS_AT: tuple[KnownSession, ...],
    Shelf.CREDITS: tuple[Credit, ...],
    Shelf.OWN: dict[str, Any] | None,
    Shelf.ALIAS: str | None,
    Shelf.RESIDUE: Residue | None,
    Shelf.WAYS: tuple[KnownWay, ...],
}
"""What stands on each shelf. Nothing, in the sense of None, False or an empty tuple, is knowledge, too."""


def empty(shelf: Shelf) -> Any:  # noqa: ANN401 - one of GROUPS
    """What stands where nothing was learned."""
    if shelf is Shelf.SHOWN:
        return False
    return () if shelf in _OF_MANY else None


_OF_MANY: Final = frozenset(
    {
        Shelf.TOKENS_OF_UID,
        Shelf.TOKENS_OF_CONTRACT,
        Shelf.REFERENCES,
        Shelf.SESSIONS_AT,
        Shelf.CREDITS,
        Shelf.WAYS,
    }
)


def is_too_long(lookup: Lookup) -> bool:
    """Whether nothing can stand there. What is not kept anywhere but in the database may be looked for all the same."""
    return lookup.shelf not in READ_FRESH and max(map(len, lookup.key)) > _LONGEST_KEY


def tokens_of_uid(uid: str) -> Lookup:
    """The Tokens of a uid, of whatever owner and type."""
    return Lookup(Shelf.TOKENS_OF_UID, (key_of(uid),))


def tokens_of_contract(contract_id: str) -> Lookup:
    """The Tokens of a contract, of whatever owner."""
    return Lookup(Shelf.TOKENS_OF_CONTRACT, (contract_key(contract_id),))


def session(owner: Party, session_id: str) -> Lookup:
    """One Session."""
    find = _session if len(session_id) <= LONGEST_ID else _session.__wrapped__
    return find(owner, session_id)


@lru_cache(maxsize=16_384)  # each message about a Session looks there several times, and messages about it come again
def _session(owner: Party, session_id: str) -> Lookup:
    return Lookup(Shelf.SESSION, (*owner, key_of(session_id)))


def recent(cpo: Party, emsp: Party, contract_id: str) -> Lookup:
    """The last use of a contract."""
    return Lookup(Shelf.RECENT, (*cpo, *emsp, contract_key(contract_id)))


def references(cpo: Party, emsp: Party, uid: str) -> Lookup:
    """The authorization references for a uid."""
    return Lookup(Shelf.REFERENCES, (*cpo, *emsp, key_of(uid)))


def location(owner: Party, location_id: str) -> Lookup:
    """One Location."""
    return Lookup(Shelf.LOCATION, (*owner, key_of(location_id)))


def tariff(owner: Party, tariff_id: str) -> Lookup:
    """One Tariff."""
    return Lookup(Shelf.TARIFF, (*owner, key_of(tariff_id)))


def shown(viewer: Party, module: str, owner: Party, object_id: str) -> Lookup:
    """Whether an object was given to a viewer."""
    return Lookup(Shelf.SHOWN, (*viewer, module, *owner, key_of(object_id)))


def sessions_at(owner: Party, start: datetime) -> Lookup:
    """The Sessions that began at this moment."""
    return Lookup(Shelf.SESSIONS_AT, (*owner, start.isoformat()))


def credits_of(cpo: Party, receiver: Party, session_id: str | None, start: datetime | None) -> Lookup:
    """The credits held back for this Session, or for one that began then."""
    start_key = "" if start is None else start.isoformat()
    return Lookup(Shelf.CREDITS, (*cpo, *receiver, key_of(session_id or ""), start_key))


def own_push(module: str, owner: Party, object_id: str) -> Lookup:
    """An object as its 2.1.1 owner pushed it last."""
    return Lookup(Shelf.OWN, (module, *owner, key_of(object_id)))


def alias(owner: Party, alias: str) -> Lookup:
    """The id of this owner's that an alias stands for."""
    return Lookup(Shelf.ALIAS, (*owner, key_of(alias)))


def residue(owner: Party, kind: str, object_ids: tuple[str, ...], receiver: Party) -> Lookup:
    """What was taken away from an object when it was pushed to this receiver."""
    return Lookup(Shelf.RESIDUE, (*owner, kind, ids_key(object_ids), *receiver))


def ways(index: Index, key: tuple[str, ...]) -> Lookup:
    """Who something leads to. The key is one of `routing.clues.Index`, in upper case."""
    return Lookup(Shelf.WAYS, (index, *key))


def place_of(key: tuple[str, ...]) -> tuple[str, str, str]:
    """The parts of a key of `ways`: by what it is looked for, whose id it is, as far as that is said, and the id."""
    leads_by, *owner, identifier = key
    return leads_by, str(Party(*owner)) if owner else "", identifier


def ids_key(object_ids: tuple[str, ...]) -> str:
    """The ids in a path as they are compared."""
    return "/".join(map(key_of, object_ids))
