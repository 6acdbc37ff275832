"""The change from one secret key to another, as far as it can be done at once.

What is sealed is sealed again. Tokens that partners present are known by a hash, which nobody can make anew without the
token: they stay with the old key until the partner gets fresh ones, as it does once a month. What the hub presents to a
partner is renewed together with that, so it tells whose tokens are still of the old key. Only when there are none left
does the database belong to the new key, and a hub that has only that one starts.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.database import Database
from hub.store.read_back import reseal_pushes
from hub.store.residues import reseal_residues
from hub.store.tables import ConnectionRow, DirectoryRow, PlatformRow
from hub.store.truth import DirectoryTruth
from hub.store.vault import Vault
from routing.vocabulary import Secret


class Waiting(Struct, frozen=True, order=True):
    """A platform whose tokens are of the old key."""

    name: str
    id: str


class Rekeyed(Struct, frozen=True):
    """What was done, and what is left."""

    resealed: int
    waiting: Sequence[Waiting]


async def rekey(database_url: str, key: Secret, other: Secret) -> Rekeyed:
    """Go over from the other key to this one.

    Raises:
        HubFault: the database does not answer.
        VaultError: it was written with neither.
    """
    database, vault = Database(database_url), Vault(key, other)
    try:
        await DirectoryTruth(database).open(vault.mark, Vault(other).mark)
        async with database.writing() as session:
            directory = await session.get_one(DirectoryRow, 1, with_for_update=True)
            resealed = await reseal_pushes(session, vault) + await reseal_residues(session, vault)
            waiting = await _waiting(session, vault)
            if not waiting:
                directory.key_mark = vault.mark
        return Rekeyed(resealed, waiting)
    finally:
        await database.close()


async def _waiting(session: AsyncSession, vault: Vault) -> list[Waiting]:
    query = select(ConnectionRow, PlatformRow).join(PlatformRow, col(PlatformRow.id) == col(ConnectionRow.platform_id))
    return sorted(
        {
            Waiting(platform.name, platform.id)
            for connection, platform in await session.exec(query)
            if vault.sealed_by_other(connection.our_token, connection.id)
        }
    )
