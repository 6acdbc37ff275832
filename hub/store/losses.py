"""What translation loses, counted for good: per platform, for what goes there and for what comes from there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import case, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select

from hub.store.database import Database
from hub.store.lists import losses_page
from hub.store.records import Direction, LossRecord, Page
from hub.store.tables import LossRow
from routing.vocabulary import Version

MOST_AT_ONCE: Final = 500
"""Counters of one transaction; both databases take far more parameters than these need."""
_KEY: Final = ("platform_id", "direction", "module", "kind", "loss", "other_version")


class LossKey(NamedTuple):
    """What is counted together; see `LossRecord` for the members."""

    platform_id: str
    direction: Direction
    module: str
    kind: str
    loss: str
    other_version: Version


class LossTally(Struct, frozen=True):
    """How often it happened since it was last written."""

    count: int
    first_at: datetime
    last_at: datetime
    last_correlation_id: str


class LossSum(NamedTuple):
    """How often one rule was applied, whatever the objects and the other versions."""

    direction: Direction
    loss: str
    times: int
    last_at: datetime


class LossCounts:
    """The counts in the truth. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, tallies: Mapping[LossKey, LossTally]) -> None:
        """Add to what is there already, at most MOST_AT_ONCE counters at a time.

        Rows are written in one order, so that processes which do so at once cannot block each other.

        Raises:
            InvalidParameters: a platform does not exist.
        """
        rows = [{**key._asdict(), **asdict(tallies[key])} for key in sorted(tallies)]
        async with self._database.writing() as session:
            connection = await session.connection()
            await connection.execute(_added_to_what_is_there(self._database.engine.dialect.name), rows)

    async def page(self, platform_id: str, *, limit: int, cursor: str | None) -> Page[LossRecord]:
        """What went lost to and from one platform, in an order that further losses do not disturb.

        Raises:
            UnknownPlatform: there is none of this id.
            InvalidParameters: the cursor is none of ours.
        """
        async with self._database.reading() as session:
            return await losses_page(session, platform_id, limit, cursor)

    async def sums(self, platform_id: str) -> tuple[LossSum, ...]:
        """How often each rule was applied to what went to a platform, and to what came from there."""
        query = (
            select(LossRow.direction, LossRow.loss, func.sum(col(LossRow.count)), func.max(col(LossRow.last_at)))
            .where(col(LossRow.platform_id) == platform_id)
            .group_by(col(LossRow.direction), col(LossRow.loss))
        )
        async with self._database.reading() as session:
            rows = (await session.exec(query)).all()
        return tuple(LossSum(Direction(which), loss, int(times), last_at) for which, loss, times, last_at in rows)


@cache
def _added_to_what_is_there(dialect: str) -> postgresql.Insert | sqlite.Insert:
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(LossRow)
    new = insert.excluded
    is_newer = new.last_at >= col(LossRow.last_at)
    return insert.on_conflict_do_update(
        index_elements=_KEY,
        set_={
            "count": col(LossRow.count) + new["count"],
            "first_at": case((new.first_at < col(LossRow.first_at), new.first_at), else_=col(LossRow.first_at)),
            "last_at": case((is_newer, new.last_at), else_=col(LossRow.last_at)),
            "last_correlation_id": case((is_newer, new.last_correlation_id), else_=col(LossRow.last_correlation_id)),
        },
    )
