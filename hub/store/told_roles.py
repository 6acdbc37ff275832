"""Which roles the hub named to each partner last, as a mark. OCPI 2.3.0, "Credentials".

Functions here use the transaction of whoever asks. A mark is no part of the directory: writing one announces nothing.
"""

from __future__ import annotations

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.tables import ConnectionRow


async def note_told_roles(session: AsyncSession, token_hash: bytes, mark: bytes) -> None:
    """The partner that presents this token was told these roles. Nothing happens when nobody presents it any more."""
    told = col(ConnectionRow.told_roles)
    of_token = (col(ConnectionRow.token_hash) == token_hash, told.is_distinct_from(mark))
    await session.exec(update(ConnectionRow).where(*of_token).values(told_roles=mark))


async def told_roles(session: AsyncSession, connection_id: str) -> bytes | None:
    """What a partner was told last; None when that is not known."""
    return (await session.exec(select(ConnectionRow.told_roles).where(col(ConnectionRow.id) == connection_id))).first()
