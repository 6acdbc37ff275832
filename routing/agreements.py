"""Who may talk to whom about what: the agreements between pairs of parties, as one immutable value.

An agreement says all there is between two parties: which modules, and whether both may send or only one of them.
This is what holds for a pair:

=====================  =========================================  ==========================================
the pair has           where agreements are required              where they are not (`open`)
=====================  =========================================  ==========================================
an agreement           what it says                               what it says
one that has ended     nothing                                    everything
none                   nothing                                    everything
=====================  =========================================  ==========================================

Nobody needs an agreement with itself. Answers are not asked about: whoever may send gets what comes of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct

from routing.vocabulary import Party


class Sending(StrEnum):
    """Who may send to whom."""

    BOTH = "both"
    A_TO_B = "a_to_b"
    """Only a to b."""


class Agreement(Struct, frozen=True, gc=False):
    """What two parties have agreed, or had. Neither need be known to the hub."""

    id: str
    a: Party
    b: Party
    modules: frozenset[str] | None
    """None is every module there is, custom ones included."""
    sending: Sending
    created_at: datetime
    revision: int
    """Grows with every change of any agreement."""
    turned_at: datetime | None = None
    """When who may send last changed, an earlier agreement of the two included; none where it never did."""
    ended_at: datetime | None = None

    def has(self, module: str) -> bool:
        """Whether it is about this module, too."""
        return self.modules is None or module in self.modules

    def lets_send(self, party: Party) -> bool:
        """Whether this one of the two may send to the other while it holds."""
        return self.sending is Sending.BOTH or party == self.a


class AgreementRules(Struct, frozen=True):
    """What an operator decides about agreements as such."""

    required: bool = False
    """Without an agreement two parties have nothing to do with each other."""
    planned: bool = False
    """A party one may not send to is shown as PLANNED; otherwise it is not shown at all."""


class Standing(StrEnum):
    """How a party stands to another that it looks at."""

    OPEN = "open"
    """It may send to it."""
    ENDED = "ended"
    """It may not any more."""
    NEVER = "never"
    """It may not, and as far as agreements tell never could."""


class Stand(NamedTuple):
    """A standing, and since when; None where agreements have nothing to do with it."""

    standing: Standing
    since: datetime | None = None


_FREE: Final = Stand(Standing.OPEN)
_STRANGERS: Final = Stand(Standing.NEVER)
_NOBODY: Final[Mapping[Party, Agreement]] = {}


class Agreements(Struct, frozen=True, eq=False):
    """All agreements, those that ended included. Build with `Agreements.of`, derive the next with `replacing`."""

    rules: AgreementRules
    revision: int
    """Of the latest change."""
    pairs: MappingProxyType[Party, Mapping[Party, Agreement]]
    """Each agreement twice: under either party, by the other."""
    lets_everything: bool
    """No pair is kept from anything: nothing else has to be asked."""
    live: int
    """How many hold."""

    @classmethod
    def of(cls, rules: AgreementRules, revision: int = 0, agreements: Iterable[Agreement] = ()) -> Agreements:
        """Exactly these."""
        return cls(rules, 0, MappingProxyType({}), not rules.required, 0).replacing(revision, agreements)

    def replacing(self, revision: int, changed: Iterable[Agreement]) -> Agreements:
        """These agreements with each of those changed. Of one pair the latest counts, whatever their order."""
        pairs, live = self.pairs.copy(), self.live  # the table itself; `dict()` of a view would ask for every key
        touched: dict[Party, dict[Party, Agreement]] = {}
        for agreement in changed:
            former = touched.get(agreement.a, pairs.get(agreement.a, _NOBODY)).get(agreement.b)
            if former is not None and former.revision > agreement.revision:
                continue
            live += (agreement.ended_at is None) - (former is not None and former.ended_at is None)
            for one, other in ((agreement.a, agreement.b), (agreement.b, agreement.a)):
                if one not in touched:
                    touched[one] = pairs[one] = dict(pairs.get(one, _NOBODY))
                touched[one][other] = agreement
        return Agreements(self.rules, revision, MappingProxyType(pairs), not self.rules.required and live == 0, live)

    def between(self, one: Party, other: Party) -> Agreement | None:
        """What these two have, or had last."""
        return self.pairs.get(one, _NOBODY).get(other)

    def partners_of(self, party: Party) -> Collection[Party]:
        """Everybody it has, or had, an agreement with."""
        return self.pairs.get(party, _NOBODY).keys()

    def allows(self, sender: Party, receiver: Party, module: str | None = None) -> bool:
        """Whether one may send to the other: in this module, or in any."""
        agreement = self.pairs.get(sender, _NOBODY).get(receiver)
        if agreement is None or agreement.ended_at is not None:
            return not self.rules.required or sender == receiver
        if not agreement.lets_send(sender):
            return False
        return module is None or agreement.has(module)

    def covers(self, one: Party, other: Party, module: str) -> bool:
        """Whether what these two have agreed, if anything, leaves room for this module, whoever sends."""
        agreement = self.between(one, other)
        return agreement is None or agreement.ended_at is not None or agreement.has(module)

    def stand(self, viewer: Party, other: Party) -> Stand:
        """How one stands to the other."""
        required, agreement = self.rules.required, self.between(viewer, other)
        if agreement is None:
            return _STRANGERS if required and viewer != other else _FREE
        was_open = not required or agreement.turned_at is not None
        since = agreement.turned_at or agreement.created_at
        if agreement.ended_at is None:
            if agreement.lets_send(viewer):
                return Stand(Standing.OPEN, since if required or agreement.turned_at else None)
            return Stand(Standing.ENDED, since) if was_open else _STRANGERS
        if not required:
            return _FREE if agreement.lets_send(viewer) else Stand(Standing.OPEN, agreement.ended_at)
        if was_open or agreement.lets_send(viewer):
            return Stand(Standing.ENDED, agreement.ended_at)
        return _STRANGERS

    def changed_since(self, revision: int) -> Iterator[Agreement]:
        """Each pair whose agreement was made, changed or ended after this revision."""
        if revision >= self.revision:
            return
        for party, others in self.pairs.items():
            for agreement in others.values():
                if agreement.revision > revision and agreement.a == party:
                    yield agreement


EVERYTHING: Final = Agreements.of(AgreementRules())
"""Everybody may send everything to everybody."""
