"""Terms of leadership, counted by the truth.

Whoever begins to lead takes the next number, and the one before it counts no more from then on. What must not be
done twice is written with `check_term` in the same transaction: a process that was stopped in the middle of its work,
and goes on when another leads already, can write nothing then, however late it notices.
"""

from __future__ import annotations

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.database import Database
from hub.store.tables import DirectoryRow


class TermOver(Exception):
    """Another process leads, or did since."""


class Terms:
    """The count of one hub."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self) -> int:
        """The number of a new term. No other counts from now on.

        Raises:
            HubFault: the database does not answer.
        """
        term = col(DirectoryRow.term)
        async with self._database.writing() as session:
            begun = await session.exec(update(DirectoryRow).values(term=term + 1).returning(term))
            number: int = begun.scalar_one()
            return number

    async def check(self, number: int) -> None:
        """Make sure that this term is not over.

        Raises:
            TermOver: it is.
            HubFault: the database does not answer.
        """
        async with self._database.reading() as session:
            if (await session.exec(select(DirectoryRow.term))).one() != number:
                raise TermOver


async def check_term(session: AsyncSession, number: int) -> None:
    """Make sure that this term is not over, and keep the next from beginning until this transaction has ended.

    In one that changes the directory this comes after the change began, see `hub.store.changes`.

    Raises:
        TermOver: it is.
    """
    query = select(DirectoryRow.term).with_for_update(read=True)
    if (await session.exec(query)).one() != number:
        raise TermOver
