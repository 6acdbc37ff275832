"""What time it is, for everybody who shares a database: machines may differ by minutes."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession


async def database_time(session: AsyncSession) -> datetime:
    """The time of the database, in UTC. That of SQLite is this machine's."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = (await session.exec(select(func.clock_timestamp()))).one()
    return now.astimezone(UTC)
