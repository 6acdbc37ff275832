"""How many Sessions are under way, as far as the hub has seen them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from sqlmodel import col, func, or_, select

from hub.store.clock import database_time
from hub.store.database import Database
from hub.store.learned_tables import SessionRow
from routing.vocabulary import Party

SEEN_WITHIN: Final = timedelta(days=1)
"""A Session that nobody spoke of for longer is taken for one whose end went another way."""
_UNDER_WAY: Final = ("ACTIVE", "PENDING")
_MOST_PARTIES: Final = 500


class RunningSessions:
    """Counts Sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, parties: Collection[Party]) -> int | None:
        """Sessions under way at these CPOs, or of their eMSPs' drivers; None of more parties than one can ask for.

        Raises:
            HubFault: the database does not answer.
        """
        if len(parties) > _MOST_PARTIES:
            return None
        its = or_(col(SessionRow.owner).in_(parties), col(SessionRow.emsp).in_(parties))
        query = select(func.count()).select_from(SessionRow).where(its, col(SessionRow.status).in_(_UNDER_WAY))
        async with self._database.reading() as session:
            seen_since = await database_time(session) - SEEN_WITHIN
            return (await session.exec(query.where(col(SessionRow.updated_at) > seen_since))).one()
