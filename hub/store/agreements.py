"""Who may talk to whom, in the truth: every change of agreements, and every question about them.

As for platforms, each change is one transaction, and when its method returns it is in the directory of this process and
on its way to all others. When it raises, nothing is stored.

Two parties have one row. That of an agreement that has ended stays until they agree anew, since a party that was shown
to another once is never PLANNED for it again. OCPI 2.2.1, "HubClientInfo".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import col, or_, select, tuple_
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.agreement_tables import (
    AGREEMENT_COLUMNS,
    AgreementChangesRow,
    AgreementRow,
    agreement_of,
    pair_of,
)
from hub.store.changes import Change, clock
from hub.store.database import ANSWER_S, Database
from hub.store.lists import cursor_to, place_of
from hub.store.live_directory import LiveDirectory
from hub.store.records import Page
from hub.store.registrations import new_id
from routing.agreements import Agreement, Sending
from routing.errors import InvalidParameters, NoSuchPath
from routing.vocabulary import Party

_AT_ONCE: Final = 1_000
"""Rows of one statement; between two statements the event loop does other work."""
_LISTS_S: Final = 60.0
"""How long a list of all agreements may take; one of 100,000 takes some seconds."""


class Terms(Struct, frozen=True):
    """What two parties agree on."""

    a: Party
    b: Party
    modules: frozenset[str] | None = None
    """All when absent."""
    sending: Sending = Sending.BOTH

    @property
    def pair(self) -> str:
        """The two in one word, whoever is named first."""
        return pair_of(self.a, self.b)

    @property
    def sole_sender(self) -> Party | None:
        """Who alone may send; None when both may."""
        return self.a if self.sending is Sending.A_TO_B else None


class Effect(Struct, frozen=True):
    """What taking over a list of agreements does: how many it makes, changes, ends and leaves as they are."""

    added: int
    changed: int
    ended: int
    unchanged: int


class UnknownAgreement(NoSuchPath):
    """No agreement has this id, or it has ended."""

    def __init__(self) -> None:
        super().__init__("No agreement has this id")


class AlreadyAgreed(InvalidParameters):
    """The two have an agreement."""

    def __init__(self, held: Agreement) -> None:
        super().__init__(f"{held.a} and {held.b} have an agreement, {held.id}; change or remove that one")


class KeptAgreements:
    """The agreements in the truth. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database, directory: LiveDirectory) -> None:
        self._database = database
        self._directory = directory

    # ------------------------------------------------------------ questions

    async def get(self, agreement_id: str) -> Agreement:
        """One agreement.

        Raises:
            UnknownAgreement: there is none of this id.
        """
        async with self._database.reading() as session:
            return await _live(session, agreement_id)

    async def list(self, *, party: Party | None, limit: int, cursor: str | None) -> Page[Agreement]:
        """Agreements in the order in which they were made; only those of one party, if that is given.

        Raises:
            InvalidParameters: the cursor is none of ours.
        """
        place = (AgreementRow.created_at, AgreementRow.id)
        query = select(*AGREEMENT_COLUMNS).where(col(AgreementRow.ended_at).is_(None)).order_by(*map(col, place))
        if party is not None:
            query = query.where(or_(col(AgreementRow.a) == party, col(AgreementRow.b) == party))
        if cursor is not None:
            query = query.where(tuple_(*map(col, place)) > tuple_(*place_of(cursor, tuple[datetime, str])))
        async with self._database.reading() as session:
            found = [agreement_of(row) for row in await session.exec(query.limit(limit + 1))]
        last = found[limit - 1] if len(found) > limit else None
        return Page(tuple(found[:limit]), None if last is None else cursor_to((last.created_at, last.id)))

    async def everything(self) -> Sequence[Agreement]:
        """All agreements, in the order of their parties' names."""
        async with self._database.reading(_LISTS_S) as session:
            held = await _all(session)
        return [each for each in held.values() if each.ended_at is None]

    # ------------------------------------------------------------ changes

    async def add(self, terms: Terms) -> Agreement:
        """A new agreement.

        Raises:
            AlreadyAgreed: the two have one.
        """
        async with _agreeing(self._database) as change:
            held = await _of_pair(change.session, terms.pair)
            if held is not None and held.ended_at is None:
                raise AlreadyAgreed(held)
            plan = _Plan(change)
            made_id = plan.add(terms, held)
            await plan.carry_out()
            made = await _live(change.session, made_id)
        await self._directory.announce_agreements()
        return made

    async def change(self, agreement_id: str, terms: Terms | Callable[[Agreement], Terms]) -> Agreement:
        """Other terms between the same two. They may follow from what holds at that moment.

        Raises:
            UnknownAgreement: there is none of this id.
        """
        async with _agreeing(self._database) as change:
            plan = _Plan(change)
            held = await _live(change.session, agreement_id)
            plan.change(held, terms(held) if callable(terms) else terms)
            await plan.carry_out()
            changed = await _live(change.session, agreement_id)
        await self._directory.announce_agreements()
        return changed

    async def end(self, agreement_id: str, check: Callable[[Agreement], object] | None = None) -> Agreement:
        """End an agreement; returns what it was. What `check` raises keeps it as it is.

        Raises:
            UnknownAgreement: there is none of this id.
        """
        async with _agreeing(self._database) as change:
            held = await _live(change.session, agreement_id)
            if check is not None:
                check(held)
            plan = _Plan(change)
            plan.end(held)
            await plan.carry_out()
        await self._directory.announce_agreements()
        return held

    async def take_over(self, listed: Sequence[Terms], *, replace: bool, dry_run: bool) -> Effect:
        """Let these pairs have these terms, all of them or, when it raises, none; with `replace`, no others have any.

        A dry run stores nothing, and says what would become of it.
        """
        if dry_run:
            async with self._database.reading(_LISTS_S) as session:
                held = await _all(session)
            return await asyncio.to_thread(_Plan(None).meet, listed, held, replace=replace)
        async with _agreeing(self._database, _LISTS_S) as change:
            plan, held = _Plan(change), await _all(change.session)
            effect = await asyncio.to_thread(plan.meet, listed, held, replace=replace)
            await plan.carry_out()
        await self._directory.announce_agreements()
        return effect


class _Plan:
    """What one change does to the rows. Without a change it is only thought of."""

    def __init__(self, change: Change | None) -> None:
        self._change = change
        self._gone: list[str] = []
        self._new: list[dict[str, Any]] = []
        self._other: list[dict[str, Any]] = []
        self._over: list[dict[str, Any]] = []

    def meet(self, listed: Iterable[Terms], held: Mapping[str, Agreement], *, replace: bool) -> Effect:
        """Give every pair the terms that are listed for it."""
        pairs, unchanged = set(), 0
        for terms in listed:
            pairs.add(terms.pair)
            mine = held.get(terms.pair)
            if mine is None or mine.ended_at is not None:
                self.add(terms, mine)
            elif _is_so(mine, terms):
                unchanged += 1
            else:
                self.change(mine, terms)
        if replace:
            for pair, mine in held.items():
                if mine.ended_at is None and pair not in pairs:
                    self.end(mine)
        return Effect(len(self._new), len(self._other), len(self._over), unchanged)

    def add(self, terms: Terms, former: Agreement | None) -> str:
        """A new agreement, instead of one that has ended; returns its id."""
        if former is not None:
            self._gone.append(former.id)
        agreement_id = new_id()
        row = {"id": agreement_id, "a": terms.a, "b": terms.b, "pair": terms.pair, "modules": _listed(terms.modules)}
        turned_at = None if former is None else self._now
        times = {"created_at": self._now, "turned_at": turned_at, "ended_at": None}
        self._new.append({**row, **times, "sending": terms.sending, "revision": self._revision})
        return agreement_id

    def change(self, held: Agreement, terms: Terms) -> None:
        """Other terms for two that have an agreement."""
        self._other.append(
            {
                "which": held.id,
                "a": terms.a,
                "b": terms.b,
                "modules": _listed(terms.modules),
                "sending": terms.sending,
                "turned_at": self._now if is_turned(held, terms) else held.turned_at,
                "revision": self._revision,
            }
        )

    def end(self, held: Agreement) -> None:
        """No agreement any more."""
        self._over.append({"which": held.id, "ended_at": self._now, "revision": self._revision})

    async def carry_out(self) -> None:
        """Do all of it, in the transaction of the change."""
        if self._change is None or not (self._new or self._other or self._over):
            return
        session = self._change.session
        for first in range(0, len(self._gone), _AT_ONCE):
            gone = delete(AgreementRow).where(col(AgreementRow.id).in_(self._gone[first : first + _AT_ONCE]))
            await session.exec(gone)
        connection = await session.connection()
        this_one = col(AgreementRow.id) == bindparam("which")
        table = AgreementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not say that tables have it
        for statement, rows in (
            (insert(table), self._new),
            (update(table).where(this_one), self._other),
            (update(table).where(this_one), self._over),
        ):
            for first in range(0, len(rows), _AT_ONCE):
                await connection.execute(statement, rows[first : first + _AT_ONCE])

    @property
    def _now(self) -> datetime | None:
        return None if self._change is None else self._change.now

    @property
    def _revision(self) -> int:
        return 0 if self._change is None else self._change.revision


def is_turned(held: Agreement, terms: Terms) -> bool:
    """Whether these terms let others send than before."""
    return _sole_sender(held) != terms.sole_sender


def _is_so(held: Agreement, terms: Terms) -> bool:
    return held.modules == terms.modules and not is_turned(held, terms)


def _sole_sender(held: Agreement) -> Party | None:
    return held.a if held.sending is Sending.A_TO_B else None


def _listed(modules: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if modules is None else tuple(sorted(modules))


@asynccontextmanager
async def _agreeing(database: Database, within_s: float = ANSWER_S) -> AsyncIterator[Change]:
    """A change of agreements, committed at the end of the block."""
    revision = col(AgreementChangesRow.revision)
    async with database.writing(within_s) as session:
        result = await session.exec(
            update(AgreementChangesRow).values(revision=revision + 1).returning(revision, clock(session))
        )
        yield Change(session, *result.one())


async def _live(session: AsyncSession, agreement_id: str) -> Agreement:
    query = select(*AGREEMENT_COLUMNS).where(col(AgreementRow.id) == agreement_id, col(AgreementRow.ended_at).is_(None))
    row = (await session.exec(query)).first()
    if row is None:
        raise UnknownAgreement
    return agreement_of(row)


async def _of_pair(session: AsyncSession, pair: str) -> Agreement | None:
    """What these two have, or had last."""
    row = (await session.exec(select(*AGREEMENT_COLUMNS).where(col(AgreementRow.pair) == pair))).first()
    return None if row is None else agreement_of(row)


async def _all(session: AsyncSession) -> dict[str, Agreement]:
    """What every pair has, or had last, in the order of their names."""
    query = select(AgreementRow.pair, *AGREEMENT_COLUMNS).order_by(col(AgreementRow.pair)).limit(_AT_ONCE)
    held: dict[str, Agreement] = {}
    last = ""
    while True:
        rows = (await session.exec(query.where(col(AgreementRow.pair) > last))).all()
        held |= {pair: agreement_of(row) for pair, *row in rows}
        if len(rows) < _AT_ONCE:
            return held
        last = rows[-1][0]
