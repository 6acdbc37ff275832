"""What can be learned from traffic, one fact at a time.

A fact knows which groups it belongs to (see `hub.store.shelves`) and how it is merged into them. In the same way
`learned_writes` merges it into rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.store.shelves import (
    KnownLocation,
    KnownSession,
    KnownToken,
    Lookup,
    Reference,
    UsedToken,
    alias,
    ids_key,
    key_of,
    location,
    recent,
    references,
    session,
    shown,
    tariff,
    tokens_of_contract,
    tokens_of_uid,
)
from routing.contracts import contract_key
from routing.translation.questions import TariffFacts, TokenFacts
from routing.vocabulary import Party

REFRESH: Final = timedelta(days=1)
"""What only grew older by less than this is no news."""
_REPEATED: Final = timedelta(minutes=1)
_SAID_OF_SESSIONS: Final = tuple(name for name in KnownSession.__struct_fields__ if name != "at")


class Fact(Struct, frozen=True):
    """Something learned. Kinds of facts know which groups they belong to, and how they are merged into those."""

    @property
    def row(self) -> tuple[str, ...]:
        """What may not be written twice in one transaction."""
        raise NotImplementedError

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """The groups it belongs to; none where only the database has them."""
        return ()

    @property
    def size(self) -> int:
        """Bytes of what it carries beyond a few identifiers."""
        return 0

    def merged(self, group: Any) -> Any:  # noqa: ANN401 - one of GROUPS
        """The group with this fact in it; an equal one when it is no news."""
        return group


class TokenSeen(Fact, frozen=True):
    """A Token as its owner says it is."""

    token: KnownToken

    @property
    def row(self) -> tuple[str, ...]:
        """All Tokens of this uid and owner, because a PATCH of 2.1.1 does not say which it means."""
        return "token", *self.token.facts.owner, key_of(self.token.facts.uid)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """Its uid, and its contract."""
        return tokens_of_uid(self.token.facts.uid), tokens_of_contract(self.token.facts.contract_id)

    def merged(self, group: tuple[KnownToken, ...]) -> tuple[KnownToken, ...]:
        """In the place of the same Token, else behind all others."""
        for index, known in enumerate(group):
            if _same_token(known.facts, self.token.facts):
                return (*group[:index], self._instead_of(known), *group[index + 1 :])
        return (*group, self.token)

    def _instead_of(self, known: KnownToken) -> KnownToken:
        until = None if known.until is None or self.token.until is None else max(known.until, self.token.until)
        if until is not None and known.until is not None and until - known.until < REFRESH:
            until = known.until
        return KnownToken(self.token.facts, until)


def _same_token(one: TokenFacts, other: TokenFacts) -> bool:
    return one.owner == other.owner and one.type == other.type and key_of(one.uid) == key_of(other.uid)


class TokenNamed(TokenSeen, frozen=True):
    """A Token of which its owner said little. What is known of it stays as it is."""

    def _instead_of(self, known: KnownToken) -> KnownToken:
        return KnownToken(known.facts, super()._instead_of(known).until)


class TokenChanged(Fact, frozen=True):
    """What a PATCH says of a Token that is known. `type` None: whichever this uid has."""

    owner: Party
    uid: str
    type: str | None
    changes: dict[str, Any]
    """By member of TokenFacts."""

    @property
    def row(self) -> tuple[str, ...]:
        """As of a Token that is seen."""
        return "token", *self.owner, key_of(self.uid)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """Its uid; its contract is known only when it is written."""
        return (tokens_of_uid(self.uid),)

    def merged(self, group: tuple[KnownToken, ...]) -> tuple[KnownToken, ...]:
        """With the changes where they belong."""
        return tuple(map(self._changed, group))

    def _changed(self, known: KnownToken) -> KnownToken:
        facts = known.facts
        if facts.owner != self.owner or key_of(facts.uid) != key_of(self.uid) or self.type not in (None, facts.type):
            return known
        return KnownToken(msgspec.structs.replace(facts, **self.changes), known.until)


class TariffSeen(Fact, frozen=True):
    """A Tariff; without `facts` one that was deleted."""

    owner: Party
    tariff_id: str
    facts: TariffFacts | None

    @property
    def row(self) -> tuple[str, ...]:
        """It."""
        return "tariff", *self.owner, key_of(self.tariff_id)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """It."""
        return (tariff(self.owner, self.tariff_id),)

    def merged(self, group: TariffFacts | None) -> TariffFacts | None:  # noqa: ARG002 - the last word counts
        """It."""
        return self.facts


class LocationSeen(Fact, frozen=True):
    """A Location, with its `publish` if that was said."""

    owner: Party
    location_id: str
    publish: bool | None

    @property
    def row(self) -> tuple[str, ...]:
        """It."""
        return "location", *self.owner, key_of(self.location_id)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """It."""
        return (location(self.owner, self.location_id),)

    def merged(self, group: KnownLocation | None) -> KnownLocation:
        """What was said last."""
        if self.publish is None and group is not None:
            return group
        return KnownLocation(self.publish)


class SessionSeen(Fact, frozen=True):
    """A Session, as far as a message says what it is."""

    owner: Party
    said: KnownSession

    @property
    def row(self) -> tuple[str, ...]:
        """It."""
        return "session", *self.owner, key_of(self.said.session_id)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """It."""
        return (session(self.owner, self.said.session_id),)

    def merged(self, group: KnownSession | None) -> KnownSession:
        """What was said last of each thing. That it was heard of once more is news only after a while."""
        said = self.said
        if group is None:
            return said
        news = {
            name: value
            for name in _SAID_OF_SESSIONS
            if (value := getattr(said, name)) is not None and value != getattr(group, name)
        }
        if not news and said.at - group.at < REFRESH:
            return group
        return msgspec.structs.replace(group, **news, at=said.at)


class TokenUsed(Fact, frozen=True):
    """A Token was authorized, or part of a command."""

    cpo: Party
    emsp: Party
    used: UsedToken

    @property
    def row(self) -> tuple[str, ...]:
        """The contract between these two."""
        return "recent", *self.cpo, *self.emsp, contract_key(self.used.token.contract_id)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """The same."""
        return (recent(self.cpo, self.emsp, self.used.token.contract_id),)

    def merged(self, group: UsedToken | None) -> UsedToken:
        """The last use. The same once more, within a minute, is no news."""
        if group is not None and group.token == self.used.token and self.used.at - group.at < _REPEATED:
            return group
        return self.used


class ReferenceGiven(Fact, frozen=True):
    """An eMSP gave an authorization reference to a CPO."""

    cpo: Party
    emsp: Party
    uid: str
    reference: Reference

    @property
    def row(self) -> tuple[str, ...]:
        """It."""
        return "reference", *self.cpo, *self.emsp, key_of(self.uid), self.reference.value

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """All of this uid between these two."""
        return (references(self.cpo, self.emsp, self.uid),)

    def merged(self, group: tuple[Reference, ...]) -> tuple[Reference, ...]:
        """Given once more it counts from then, unless it belongs to a Session already."""
        for index, known in enumerate(group):
            if known.value == self.reference.value:
                return group if known.bound_to else (*group[:index], self.reference, *group[index + 1 :])
        return (*group, self.reference)


class ObjectShown(Fact, frozen=True):
    """An object was given to a viewer."""

    viewer: Party
    module: str
    owner: Party
    object_id: str

    @property
    def row(self) -> tuple[str, ...]:
        """It."""
        return "shown", *self.viewer, self.module, *self.owner, key_of(self.object_id)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """It."""
        return (shown(self.viewer, self.module, self.owner, self.object_id),)

    def merged(self, group: bool) -> bool:  # noqa: ARG002 - what stands on the shelf
        """It was."""
        return True


class ReservationSeen(Fact, frozen=True):
    """A reservation, and until when it is remembered. A `number` is one that a 2.1.1 eMSP chose itself."""

    cpo: Party
    emsp: Party
    reservation_id: str
    number: int | None
    until: datetime

    @property
    def row(self) -> tuple[str, ...]:
        """It."""
        return "reservation", *self.cpo, *self.emsp, key_of(self.reservation_id)


class OwnPush(Fact, frozen=True):
    """A 2.1.1 owner pushed an object of its own, or a part of one. `body` is its JSON; None takes it away."""

    module: str
    owner: Party
    ids: tuple[str, ...]
    """Those in the path: of a Connector three."""
    partial: bool
    body: bytes | None
    at: datetime

    @property
    def row(self) -> tuple[str, ...]:
        """The whole object."""
        return "own", self.module, *self.owner, key_of(self.ids[0])

    @property
    def size(self) -> int:
        """Of the body."""
        return len(self.body or b"")


class AliasGiven(Fact, frozen=True):
    """A shorter id was given out for one of this owner's. The first one it stood for keeps it."""

    owner: Party
    alias: str
    original: str

    @property
    def row(self) -> tuple[str, ...]:
        """It."""
        return "alias", *self.owner, key_of(self.alias)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """It."""
        return (alias(self.owner, self.alias),)

    def merged(self, group: str | None) -> str:
        """What it stood for first."""
        return self.original if group is None else group


class ResidueLeft(Fact, frozen=True):
    """What a receiver's version took away from an object. `body` is JSON of a Residue; None: nothing is left of it."""

    owner: Party
    kind: str
    object_ids: tuple[str, ...]
    receiver: Party
    body: bytes | None
    at: datetime

    @property
    def row(self) -> tuple[str, ...]:
        """The object at its receiver."""
        return "residue", *self.owner, self.kind, ids_key(self.object_ids), *self.receiver

    @property
    def size(self) -> int:
        """Of the body."""
        return len(self.body or b"")
