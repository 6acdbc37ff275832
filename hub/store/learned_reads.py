"""Rows become the groups that stand on the shelves. Functions are parts of one transaction; each shelf is one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import false
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import and_, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.learned_tables import (
    CreditRow,
    IdAliasRow,
    LocationRow,
    RecentTokenRow,
    ReferenceRow,
    SessionRow,
    ShownRow,
    TariffRow,
    TokenRow,
    WayRow,
)
from hub.store.shelves import (
    MOST_DETAILS,
    MOST_WAYS,
    Credit,
    KnownLocation,
    KnownSession,
    KnownToken,
    KnownWay,
    Lookup,
    Reference,
    Shelf,
    UsedToken,
    empty,
    place_of,
)
from routing.translation.questions import TariffFacts, TokenFacts
from routing.vocabulary import Party

Key: TypeAlias = tuple[str, ...]
Groups: TypeAlias = dict[Key, Any]

_OF_ONE_OWNER: Final = 20
"""Tokens of one owner in a group, so that nobody can crowd out what others have there."""
_OF_ALL: Final = 200
_AT_ONCE: Final = 200
"""SQLite cannot take an expression that is deeper than 1000."""


async def read(session: AsyncSession, lookups: Iterable[Lookup]) -> dict[Lookup, Any]:
    """What stands there, also where it is nothing. Own pushes are read in `read_back`, residues in `residues`."""
    by_shelf: dict[Shelf, set[Key]] = defaultdict(set)
    for lookup in lookups:
        by_shelf[lookup.shelf].add(lookup.key)
    found: dict[Lookup, Any] = {}
    for shelf, wanted in by_shelf.items():
        for keys in _portions(wanted):
            groups = await _READERS[shelf](session, keys)
            found |= {Lookup(shelf, key): groups.get(key, empty(shelf)) for key in keys}
    return found


def _portions(keys: Collection[Key]) -> Iterator[Collection[Key]]:
    """The keys, as many at once as one statement can be about."""
    rest = iter(keys)
    while portion := tuple(islice(rest, _AT_ONCE)):
        yield portion


async def _tokens_of_uid(session: AsyncSession, keys: Collection[Key]) -> Groups:
    return await _tokens(session, col(TokenRow.uid_key), keys)


async def _tokens_of_contract(session: AsyncSession, keys: Collection[Key]) -> Groups:
    return await _tokens(session, col(TokenRow.contract_key), keys)


async def _tokens(session: AsyncSession, column: Mapped[str], keys: Collection[Key]) -> Groups:
    best_first = (col(TokenRow.valid).desc(), col(TokenRow.first_seen), col(TokenRow.type))
    place = func.row_number().over(partition_by=(column, col(TokenRow.owner)), order_by=best_first).label("place")
    numbered = select(TokenRow.uid_key, TokenRow.owner, TokenRow.type, place).where(
        column.in_([key for (key,) in keys])
    )
    some = numbered.subquery()
    query = (
        select(column, TokenRow)
        .join(
            some,
            and_(
                some.c.uid_key == col(TokenRow.uid_key),
                some.c.owner == col(TokenRow.owner),
                some.c.type == col(TokenRow.type),
            ),
        )
        .where(some.c.place <= _OF_ONE_OWNER)
        .order_by(col(TokenRow.first_seen), col(TokenRow.owner), col(TokenRow.type))
        .limit(_OF_ALL * len(keys))
    )
    groups: dict[Key, list[KnownToken]] = defaultdict(list)
    for key, row in await session.exec(query):
        groups[(key,)].append(_known_token(row))
    return {key: tuple(tokens[:_OF_ALL]) for key, tokens in groups.items()}


def _known_token(row: TokenRow) -> KnownToken:
    facts = TokenFacts(row.owner, row.uid, row.type, row.contract_id, row.valid, row.last_updated, row.issuer)
    return KnownToken(facts, row.expires_at)


async def _sessions(session: AsyncSession, keys: Collection[Key]) -> Groups:
    its = [and_(col(SessionRow.owner) == _party(key), col(SessionRow.session_key) == key[2]) for key in keys]
    rows = await session.exec(select(SessionRow).where(or_(*its)))
    return {(*row.owner, row.session_key): _known_session(row) for row in rows}


async def _sessions_at(session: AsyncSession, keys: Collection[Key]) -> Groups:
    its = [
        and_(col(SessionRow.owner) == _party(key), col(SessionRow.start) == datetime.fromisoformat(key[2]))
        for key in keys
    ]
    groups: dict[Key, tuple[KnownSession, ...]] = defaultdict(tuple)
    for row in await session.exec(select(SessionRow).where(or_(*its)).limit(_OF_ALL)):
        if row.start is not None:
            groups[*row.owner, row.start.isoformat()] += (_known_session(row),)
    return dict(groups)


def _known_session(row: SessionRow) -> KnownSession:
    return KnownSession(
        row.session_id,
        row.emsp,
        row.status,
        row.start,
        row.auth_key,
        row.location_key,
        row.token,
        row.updated_at,
    )


async def _recent(session: AsyncSession, keys: Collection[Key]) -> Groups:
    its = [
        and_(
            col(RecentTokenRow.cpo) == _party(key),
            col(RecentTokenRow.emsp) == _party(key[2:]),
            col(RecentTokenRow.contract_key) == key[4],
        )
        for key in keys
    ]
    rows = await session.exec(select(RecentTokenRow).where(or_(*its)))
    return {(*row.cpo, *row.emsp, row.contract_key): UsedToken(row.token, row.used_at) for row in rows}


async def _references(session: AsyncSession, keys: Collection[Key]) -> Groups:
    its = [
        and_(
            col(ReferenceRow.cpo) == _party(key),
            col(ReferenceRow.emsp) == _party(key[2:]),
            col(ReferenceRow.uid_key) == key[4],
        )
        for key in keys
    ]
    newest_first = select(ReferenceRow).where(or_(*its)).order_by(col(ReferenceRow.given_at).desc()).limit(_OF_ALL)
    groups: dict[Key, tuple[Reference, ...]] = defaultdict(tuple)
    for row in await session.exec(newest_first):
        groups[*row.cpo, *row.emsp, row.uid_key] += (
            Reference(row.value, row.token_type, row.given_at, row.location_key, row.bound_to, row.bound_start),
        )
    return dict(groups)


async def _locations(session: AsyncSession, keys: Collection[Key]) -> Groups:
    its = [and_(col(LocationRow.owner) == _party(key), col(LocationRow.location_key) == key[2]) for key in keys]
    rows = await session.exec(select(LocationRow).where(or_(*its)))
    return {(*row.owner, row.location_key): KnownLocation(row.publish) for row in rows}


async def _tariffs(session: AsyncSession, keys: Collection[Key]) -> Groups:
    its = [and_(col(TariffRow.owner) == _party(key), col(TariffRow.tariff_key) == key[2]) for key in keys]
    rows = await session.exec(select(TariffRow).where(or_(*its)))
    return {(*row.owner, row.tariff_key): TariffFacts(row.type, row.start_date_time, row.end_date_time) for row in rows}


async def _shown(session: AsyncSession, keys: Collection[Key]) -> Groups:
    its = [
        and_(
            col(ShownRow.viewer) == _party(key),
            col(ShownRow.module) == key[2],
            col(ShownRow.owner) == _party(key[3:]),
            col(ShownRow.object_key) == key[5],
        )
        for key in keys
    ]
    rows = await session.exec(select(ShownRow).where(or_(*its)))
    return {(*row.viewer, row.module, *row.owner, row.object_key): True for row in rows}


async def _credits(session: AsyncSession, keys: Collection[Key]) -> Groups:
    groups: Groups = {}
    for key in keys:
        *_, session_key, start = key
        same = [col(CreditRow.session_key) == session_key] if session_key else []
        same += [col(CreditRow.start) == datetime.fromisoformat(start)] if start else []
        of_these = and_(col(CreditRow.cpo) == _party(key), col(CreditRow.receiver) == _party(key[2:]))
        rows = await session.exec(select(CreditRow).where(of_these, or_(false(), *same)).limit(_OF_ALL))
        groups[key] = tuple(
            Credit(row.cdr_key, row.session_key, row.start, row.uid_key, row.evse_uid_key) for row in rows
        )
    return groups


async def _aliases(session: AsyncSession, keys: Collection[Key]) -> Groups:
    owners, aliases = {_party(key) for key in keys}, {key[2] for key in keys}
    its = (col(IdAliasRow.owner).in_(owners), col(IdAliasRow.alias_key).in_(aliases))
    rows = await session.exec(select(IdAliasRow).where(*its))
    return {(*row.owner, row.alias_key): row.original for row in rows}


async def _ways(session: AsyncSession, keys: Collection[Key]) -> Groups:
    by_place = {place_of(key): key for key in keys}
    its = [
        and_(col(WayRow.leads_by) == leads_by, col(WayRow.owner) == owner, col(WayRow.id_key) == id_key)
        for leads_by, owner, id_key in by_place
    ]
    place = (col(WayRow.leads_by), col(WayRow.owner), col(WayRow.id_key), col(WayRow.party))
    newest_first = (col(WayRow.learned_at).desc(), col(WayRow.detail))
    rank = func.row_number().over(partition_by=place, order_by=newest_first).label("rank")
    ranked = select(WayRow, rank).where(or_(*its)).subquery()
    some = aliased(WayRow, ranked)
    query = select(some).where(ranked.c.rank <= MOST_DETAILS)
    groups: dict[Key, dict[Party, KnownWay]] = defaultdict(dict)
    for row in await session.exec(query.order_by(col(some.learned_at).desc(), col(some.party), col(some.detail))):
        ways = groups[by_place[row.leads_by, row.owner, row.id_key]]
        known = ways.get(row.party)
        if known is not None:
            ways[row.party] = msgspec.structs.replace(known, details=(*known.details, row.detail))
        elif len(ways) < MOST_WAYS:
            ways[row.party] = KnownWay(row.party, (row.detail,), row.learned_at, row.expires_at)
    return {key: tuple(ways.values()) for key, ways in groups.items()}


def _party(key: Key) -> Party:
    return Party(key[0], key[1])


_READERS: Final[Mapping[Shelf, Callable[[AsyncSession, Collection[Key]], Awaitable[Groups]]]] = {
    Shelf.TOKENS_OF_UID: _tokens_of_uid,
    Shelf.TOKENS_OF_CONTRACT: _tokens_of_contract,
    Shelf.SESSION: _sessions,
    Shelf.SESSIONS_AT: _sessions_at,
    Shelf.RECENT: _recent,
    Shelf.REFERENCES: _references,
    Shelf.LOCATION: _locations,
    Shelf.TARIFF: _tariffs,
    Shelf.SHOWN: _shown,
    Shelf.CREDITS: _credits,
    Shelf.ALIAS: _aliases,
    Shelf.WAYS: _ways,
}
