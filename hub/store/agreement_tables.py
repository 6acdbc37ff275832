"""The table of agreements, for PostgreSQL and SQLite alike, and what its rows say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from hub.store.columns import ID_LENGTH, Json, PartyName, Row, Words, between, one_of
from routing.agreements import Agreement, Sending
from routing.vocabulary import Party

_SHORTEST_PARTY, _LONGEST_PARTY = 4, 6
_SHORTEST_PAIR, _LONGEST_PAIR = 2 * _SHORTEST_PARTY + 1, 2 * _LONGEST_PARTY + 1


class AgreementChangesRow(Row, table=True):
    """The one row every change of agreements locks first, which puts changes in one order.

    It is not that of the directory: a list of 100,000 takes a while, in which platforms register.
    """

    __tablename__ = "agreement_changes"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    revision: int = Field(sa_type=BigInteger)
    """Of the latest change."""


class AgreementRow(Row, table=True):
    """What two parties have agreed, or had last. Neither need be known to the hub."""

    __tablename__ = "agreements"
    __table_args__ = (
        between("id", ID_LENGTH, ID_LENGTH),
        between("a", _SHORTEST_PARTY, _LONGEST_PARTY),
        between("b", _SHORTEST_PARTY, _LONGEST_PARTY),
        between("pair", _SHORTEST_PAIR, _LONGEST_PAIR),
        CheckConstraint("a <> b", name="two_parties"),
        one_of("sending", Sending),
        UniqueConstraint("pair"),
        Index(None, "a"),
        Index(None, "b"),
        Index(None, "created_at", "id"),
        Index(None, "revision", "id"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    a: Party = Field(sa_type=PartyName)
    b: Party = Field(sa_type=PartyName)
    pair: str = Field(max_length=_LONGEST_PAIR)
    """Both, whichever comes first in the alphabet: two parties have one row."""
    modules: tuple[str, ...] | None = Field(sa_type=Json(tuple[str, ...]))
    """All when absent."""
    sending: Sending = Field(sa_type=Words(Sending))
    created_at: datetime
    turned_at: datetime | None
    """When who may send last changed, an earlier agreement of the two included."""
    ended_at: datetime | None
    revision: int = Field(sa_type=BigInteger)
    """Of the change that made it what it is."""


def pair_of(one: Party, other: Party) -> str:
    """Two parties in one word, the same whoever comes first. No party id has a slash."""
    return "/".join(sorted((str(one), str(other))))


AGREEMENT_COLUMNS: Final[tuple[Any, ...]] = tuple(getattr(AgreementRow, name) for name in Agreement.__struct_fields__)
"""What `agreement_of` takes: one at a time, which is quicker than rows where there are many."""


def agreement_of(row: Sequence[Any]) -> Agreement:
    """The agreement of a row of these columns."""
    agreement_id, a, b, modules, *rest = row
    return Agreement(agreement_id, a, b, None if modules is None else _set_of(modules), *rest)


@lru_cache(maxsize=1024)
def _set_of(modules: tuple[str, ...]) -> frozenset[str]:
    """One for all agreements with the same modules: there may be many."""
    return frozenset(modules)
