"""Facts become rows.

Functions are parts of one transaction, in which no row is written twice. Tables, and the rows of each, are written in
one order, so that processes which do so at once cannot block each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import bindparam, case, null
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable
from sqlmodel import col, delete, func, or_, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store import facts as learned
from hub.store.columns import Row
from hub.store.facts import Fact
from hub.store.learned_tables import (
    IdAliasRow,
    LocationRow,
    RecentTokenRow,
    ReferenceRow,
    ReservationRow,
    SessionRow,
    ShownRow,
    TariffRow,
    TokenRow,
    WayRow,
)
from hub.store.shelves import Lookup, Shelf, key_of, place_of
from hub.store.way_facts import WayLearned, WayLost
from routing.contracts import contract_key

Insert: TypeAlias = "postgresql.Insert | sqlite.Insert"
Columns: TypeAlias = dict[str, Any]


def insert_into(table: type[Row], session: AsyncSession) -> Insert:
    """An INSERT that can say what to do when the row is there, in the words of this database."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


async def write(session: AsyncSession, facts: Iterable[Fact]) -> set[Lookup]:
    """Write these facts, all but own pushes and residues.

    Returns the groups that changed and that no fact names itself.
    """
    by_kind: dict[type[Fact], list[Any]] = defaultdict(list)
    for fact in sorted(facts, key=lambda fact: fact.row):
        by_kind[type(fact)].append(fact)
    changed: set[Lookup] = set()
    for kind, writer in _WRITERS.items():
        if by_kind[kind]:
            changed |= await writer(session, by_kind[kind]) or set()
    return changed


async def _run(session: AsyncSession, statement: Executable, rows: Sequence[Columns]) -> None:
    connection = await session.connection()
    await connection.execute(statement, rows)


async def _tokens(session: AsyncSession, seen: Sequence[learned.TokenSeen]) -> None:
    await _put_tokens(session, seen, ("uid", "contract_id", "contract_key", "valid", "last_updated", "issuer"))


async def _named_tokens(session: AsyncSession, named: Sequence[learned.TokenNamed]) -> None:
    await _put_tokens(session, named, ())


async def _put_tokens(session: AsyncSession, seen: Sequence[learned.TokenSeen], changing: Iterable[str]) -> None:
    """Write Tokens; those that are there get these columns anew."""
    insert = insert_into(TokenRow, session)
    new, now = insert.excluded, datetime.now(UTC)
    expires_at = case(
        (or_(col(TokenRow.expires_at).is_(None), new.expires_at.is_(None)), null()),
        (new.expires_at > col(TokenRow.expires_at), new.expires_at),
        else_=col(TokenRow.expires_at),
    )
    statement = insert.on_conflict_do_update(
        index_elements=("uid_key", "owner", "type"),
        set_={name: new[name] for name in changing} | {"expires_at": expires_at},
    )
    await _run(session, statement, [_token_row(each, now) for each in seen])


def _token_row(seen: learned.TokenSeen, now: datetime) -> Columns:
    facts = seen.token.facts
    return {
        "owner": facts.owner,
        "uid_key": key_of(facts.uid),
        "type": facts.type,
        "uid": facts.uid,
        "contract_id": facts.contract_id,
        "contract_key": contract_key(facts.contract_id),
        "valid": facts.valid,
        "last_updated": facts.last_updated,
        "issuer": facts.issuer,
        "first_seen": now,
        "expires_at": seen.token.until,
    }


async def _changed_tokens(session: AsyncSession, changes: Sequence[learned.TokenChanged]) -> set[Lookup]:
    contracts: set[str] = set()
    for change in changes:
        values = dict(change.changes)
        if "contract_id" in values:
            values["contract_key"] = contract_key(values["contract_id"])
            contracts.add(values["contract_key"])
        its = [col(TokenRow.uid_key) == key_of(change.uid), col(TokenRow.owner) == change.owner]
        if change.type is not None:
            its.append(col(TokenRow.type) == change.type)
        changed = await session.exec(
            update(TokenRow).where(*its).values(**values).returning(col(TokenRow.contract_key))
        )
        contracts.update(key for (key,) in changed.all())
    return {Lookup(Shelf.TOKENS_OF_CONTRACT, (key,)) for key in contracts}


async def _tariffs(session: AsyncSession, seen: Sequence[learned.TariffSeen]) -> None:
    insert = insert_into(TariffRow, session)
    names = ("type", "start_date_time", "end_date_time")
    statement = insert.on_conflict_do_update(
        index_elements=("tariff_key", "owner"), set_={name: insert.excluded[name] for name in names}
    )
    rows = [
        {
            "owner": each.owner,
            "tariff_key": key_of(each.tariff_id),
            "type": each.facts.type,
            "start_date_time": each.facts.start_date_time,
            "end_date_time": each.facts.end_date_time,
        }
        for each in seen
        if each.facts is not None
    ]
    if rows:
        await _run(session, statement, rows)
    for each in seen:
        if each.facts is None:
            its = (col(TariffRow.tariff_key) == key_of(each.tariff_id), col(TariffRow.owner) == each.owner)
            await session.exec(delete(TariffRow).where(*its))


async def _locations(session: AsyncSession, seen: Sequence[learned.LocationSeen]) -> None:
    insert = insert_into(LocationRow, session)
    statement = insert.on_conflict_do_update(
        index_elements=("location_key", "owner"),
        set_={"publish": func.coalesce(insert.excluded.publish, col(LocationRow.publish))},
    )
    rows = [{"owner": each.owner, "location_key": key_of(each.location_id), "publish": each.publish} for each in seen]
    await _run(session, statement, rows)


async def _sessions(session: AsyncSession, seen: Sequence[learned.SessionSeen]) -> None:
    insert = insert_into(SessionRow, session)
    new = insert.excluded
    names = ("emsp", "status", "start", "auth_key", "location_key", "token")
    kept = {name: func.coalesce(new[name], col(getattr(SessionRow, name))) for name in names}
    statement = insert.on_conflict_do_update(
        index_elements=("session_key", "owner"),
        set_=kept | {"session_id": new.session_id, "updated_at": new.updated_at},
    )
    await _run(session, statement, list(map(_session_row, seen)))


def _session_row(seen: learned.SessionSeen) -> Columns:
    said = seen.said
    return {
        "owner": seen.owner,
        "session_key": key_of(said.session_id),
        "session_id": said.session_id,
        "emsp": said.emsp,
        "status": said.status,
        "start": said.start,
        "auth_key": said.auth_key,
        "location_key": said.location_key,
        "token": said.token,
        "updated_at": said.at,
    }


async def _used_tokens(session: AsyncSession, used: Sequence[learned.TokenUsed]) -> None:
    insert = insert_into(RecentTokenRow, session)
    new = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=("contract_key", "cpo", "emsp"),
        set_={"token": new.token, "used_at": new.used_at},
        where=new.used_at > col(RecentTokenRow.used_at),
    )
    rows = [
        {
            "cpo": each.cpo,
            "emsp": each.emsp,
            "contract_key": contract_key(each.used.token.contract_id),
            "token": each.used.token,
            "used_at": each.used.at,
        }
        for each in used
    ]
    await _run(session, statement, rows)


async def _references(session: AsyncSession, given: Sequence[learned.ReferenceGiven]) -> None:
    insert = insert_into(ReferenceRow, session)
    new = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=("cpo", "emsp", "uid_key", "value"),
        set_={name: new[name] for name in ("token_type", "given_at", "location_key")},
        where=col(ReferenceRow.bound_to).is_(None),
    )
    rows = [
        {
            "cpo": each.cpo,
            "emsp": each.emsp,
            "uid_key": key_of(each.uid),
            "token_type": each.reference.token_type,
            "value": each.reference.value,
            "given_at": each.reference.given_at,
            "location_key": each.reference.location_key,
        }
        for each in given
    ]
    await _run(session, statement, rows)


async def _shown(session: AsyncSession, shown: Sequence[learned.ObjectShown]) -> None:
    rows = [
        {
            "viewer": each.viewer,
            "module": each.module,
            "owner": each.owner,
            "object_key": key_of(each.object_id),
        }
        for each in shown
    ]
    await _run(session, insert_into(ShownRow, session).on_conflict_do_nothing(), rows)


async def _reservations(session: AsyncSession, seen: Sequence[learned.ReservationSeen]) -> None:
    keys = [{"cpo": each.cpo, "emsp": each.emsp, "reservation_key": key_of(each.reservation_id)} for each in seen]
    chosen = [
        {**key, "number": each.number, "expires_at": each.until}
        for key, each in zip(keys, seen, strict=True)
        if each.number is not None
    ]
    if chosen:
        await _run(session, insert_into(ReservationRow, session).on_conflict_do_nothing(), chosen)
    its = [col(getattr(ReservationRow, name)) == bindparam(f"its_{name}") for name in keys[0]]
    until = update(ReservationRow).where(*its).values(expires_at=bindparam("until"))
    rows = [
        {**{f"its_{name}": value for name, value in key.items()}, "until": each.until}
        for key, each in zip(keys, seen, strict=True)
    ]
    await _run(session, until, rows)


async def _aliases(session: AsyncSession, given: Sequence[learned.AliasGiven]) -> None:
    rows = [{"owner": each.owner, "alias_key": key_of(each.alias), "original": each.original} for each in given]
    await _run(session, insert_into(IdAliasRow, session).on_conflict_do_nothing(), rows)


async def _ways(session: AsyncSession, found: Sequence[WayLearned]) -> None:
    insert = insert_into(WayRow, session)
    new = insert.excluded
    expires_at = case((new.expires_at > col(WayRow.expires_at), new.expires_at), else_=col(WayRow.expires_at))
    statement = insert.on_conflict_do_update(
        index_elements=("id_key", "owner", "leads_by", "party", "detail"),
        set_={"learned_at": new.learned_at, "expires_at": expires_at},
        where=new.learned_at > col(WayRow.learned_at),
    )
    rows = {
        (each.key, each.index, each.party, detail): _way_row(each, detail) for each in found for detail in each.details
    }
    await _run(session, statement, [rows[place] for place in sorted(rows)])


def _way(fact: WayLearned | WayLost) -> dict[str, str]:
    leads_by, owner, id_key = place_of((fact.index, *fact.key))
    return {"leads_by": leads_by, "owner": owner, "id_key": id_key}


def _way_row(fact: WayLearned, detail: str) -> Columns:
    return {
        **_way(fact),
        "party": fact.party,
        "detail": detail,
        "learned_at": fact.at,
        "expires_at": fact.until,
    }


async def _lost_ways(session: AsyncSession, lost: Sequence[WayLost]) -> None:
    for each in lost:
        its = [col(getattr(WayRow, name)) == value for name, value in _way(each).items()]
        await session.exec(delete(WayRow).where(*its, col(WayRow.party) == each.party))


_WRITERS: Final[Mapping[type[Fact], Callable[[AsyncSession, Any], Awaitable[set[Lookup] | None]]]] = {
    learned.TokenSeen: _tokens,
    learned.TokenNamed: _named_tokens,
    learned.TokenChanged: _changed_tokens,
    learned.TariffSeen: _tariffs,
    learned.LocationSeen: _locations,
    learned.SessionSeen: _sessions,
    learned.TokenUsed: _used_tokens,
    learned.ReferenceGiven: _references,
    learned.ObjectShown: _shown,
    learned.ReservationSeen: _reservations,
    learned.AliasGiven: _aliases,
    WayLearned: _ways,
    WayLost: _lost_ways,
}
