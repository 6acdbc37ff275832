"""How long what was learned is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, String, inspect, type_coerce
from sqlalchemy.sql.base import Executable
from sqlmodel import and_, col, delete, select, tuple_

from hub.store.columns import Row
from hub.store.database import Database
from hub.store.learned_claims import REFERENCE_COUNTS
from hub.store.learned_tables import (
    CreditRow,
    IdAliasRow,
    LocationRow,
    OwnPushRow,
    RecentTokenRow,
    ReferenceRow,
    ReservationRow,
    ResidueRow,
    SessionRow,
    TariffRow,
    TokenRow,
    WayRow,
)
from hub.store.tables import PartyRoleRow, RemotePartyRow
from routing.vocabulary import ConnectionStatus, Party

TOKENS_OF_COMMANDS: Final = timedelta(days=30)
"""A Token that was seen in a command only."""
RECENT_TOKENS: Final = REFERENCE_COUNTS
SESSIONS: Final = timedelta(days=180)
"""After they were heard of last."""
REFERENCES: Final = timedelta(days=180)
RESERVATIONS: Final = timedelta(days=30)
"""After they expired."""
UNDATED_RESERVATIONS: Final = timedelta(days=400)
"""After they were made, until it is known when they expire."""
BOOKINGS: Final = timedelta(days=180)
"""After they ended."""
UNDATED_BOOKINGS: Final = timedelta(days=400)
"""As reservations."""
BILLS: Final = timedelta(days=400)
"""CDRs, and what is written about them."""
CONTACTS: Final = timedelta(days=30)
"""After a party was dealt with last."""
CREDITS: Final = timedelta(days=400)
OWN_PUSHES: Final = timedelta(days=400)
"""After the last push of the object."""
RESIDUES: Final = timedelta(days=30)
"""As own pushes."""
_AT_ONCE: Final = 1000


class _End(NamedTuple):
    table: type[Row]
    is_over: Callable[[datetime], ColumnElement[bool]]


def _has_left(owner: Party | str) -> ColumnElement[bool]:
    """Whether no connection names this party, the value of a column, any more, and no other hub announces it."""
    name, there = (col(table.country_code) + "*" + col(table.party_id) for table in (PartyRoleRow, RemotePartyRow))
    registered = select(name).where(col(PartyRoleRow.connection_id).is_not(None))
    announced = select(there).where(col(RemotePartyRow.announced) != ConnectionStatus.SUSPENDED)
    party = type_coerce(col(owner), String)
    return and_(party.not_in(registered), party.not_in(announced))


_ENDS: Final = (
    _End(TokenRow, lambda now: col(TokenRow.expires_at) <= now),
    _End(RecentTokenRow, lambda now: col(RecentTokenRow.used_at) <= now - RECENT_TOKENS),
    _End(SessionRow, lambda now: col(SessionRow.updated_at) <= now - SESSIONS),
    _End(ReferenceRow, lambda now: col(ReferenceRow.given_at) <= now - REFERENCES),
    _End(ReservationRow, lambda now: col(ReservationRow.expires_at) <= now),
    _End(CreditRow, lambda now: col(CreditRow.noted_at) <= now - CREDITS),
    _End(OwnPushRow, lambda now: col(OwnPushRow.updated_at) <= now - OWN_PUSHES),
    _End(ResidueRow, lambda now: col(ResidueRow.updated_at) <= now - RESIDUES),
    _End(WayRow, lambda now: col(WayRow.expires_at) <= now),
    _End(TokenRow, lambda _: _has_left(TokenRow.owner)),
    _End(TariffRow, lambda _: _has_left(TariffRow.owner)),
    _End(LocationRow, lambda _: _has_left(LocationRow.owner)),
    _End(OwnPushRow, lambda _: _has_left(OwnPushRow.owner)),
    _End(IdAliasRow, lambda _: _has_left(IdAliasRow.owner)),
    _End(ResidueRow, lambda _: _has_left(ResidueRow.owner)),
    _End(WayRow, lambda _: and_(col(WayRow.expires_at).is_(None), _has_left(WayRow.party))),
    _End(WayRow, lambda _: and_(col(WayRow.expires_at).is_(None), col(WayRow.owner) != "", _has_left(WayRow.owner))),
)
"""Tokens, Tariffs, Locations and aliases stay as long as their owner does, ways without an end as long as the parties
they are about; what was shown to a viewer, for good."""


async def drop_expired(database: Database, now: datetime) -> None:
    """Forget what is over, a little at a time, so that nobody waits for long.

    Raises:
        HubFault: the database does not answer.
    """
    for end in _ENDS:
        statement = _some_of(end.table, end.is_over(now))
        dropped = _AT_ONCE
        while dropped == _AT_ONCE:
            async with database.writing() as session:
                dropped = (await (await session.connection()).execute(statement)).rowcount


def _some_of(table: type[Row], is_over: ColumnElement[bool]) -> Executable:
    key = inspect(table).primary_key
    return delete(table).where(tuple_(*key).in_(select(*key).where(is_over).limit(_AT_ONCE)))
