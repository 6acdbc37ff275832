"""What older versions took away from objects, until their owner reads them back, see `routing.translation.residue`.

It is sealed with the key that is not in the database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, TypeAlias

import msgspec
import structlog
from sqlalchemy import ColumnElement
from sqlmodel import and_, col, delete, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.observability import FilteringBoundLogger
from hub.store.facts import ResidueLeft
from hub.store.learned_tables import ResidueRow
from hub.store.learned_writes import insert_into
from hub.store.shelves import ids_key
from hub.store.vault import Vault, VaultError
from routing.translation import numbers
from routing.translation.questions import Residue
from routing.vocabulary import Party, Secret

log: FilteringBoundLogger = structlog.get_logger()

Key: TypeAlias = tuple[Party, str, str, Party]
"""Owner, kind of object, its ids as they are compared, receiver."""
_KEY: Final = ("owner", "kind", "object_key", "receiver")


async def residues(session: AsyncSession, keys: Collection[Key], vault: Vault) -> dict[Key, Residue]:
    """What was taken away from these objects, as far as it is known."""
    found: dict[Key, Residue] = {}
    if not keys:
        return found
    for row in await session.exec(select(ResidueRow).where(or_(*map(_is, keys)))):
        key = (row.owner, row.kind, row.object_key, row.receiver)
        try:
            found[key] = read_residue(vault.unseal(row.body, _context(key)).reveal().encode())
        except (VaultError, msgspec.MsgspecError):
            log.exception("residue_unreadable", owner=row.owner, kind=row.kind)
    return found


async def write_residues(session: AsyncSession, left: Iterable[ResidueLeft], vault: Vault) -> None:
    """Take over what was left, one for each object and receiver at most."""
    rows: list[dict[str, Any]] = []
    for fact in sorted(left, key=lambda fact: fact.row):
        key = (fact.owner, fact.kind, ids_key(fact.object_ids), fact.receiver)
        if fact.body is None:
            await session.exec(delete(ResidueRow).where(_is(key)))
        else:
            body = vault.seal(Secret(fact.body.decode()), _context(key))
            rows.append({**dict(zip(_KEY, key, strict=True)), "body": body, "updated_at": fact.at})
    if rows:
        insert = insert_into(ResidueRow, session)
        new = {name: insert.excluded[name] for name in ("body", "updated_at")}
        statement = insert.on_conflict_do_update(index_elements=_KEY, set_=new)
        await (await session.connection()).execute(statement, rows)


async def reseal_residues(session: AsyncSession, vault: Vault) -> int:
    """Seal again what was sealed with the other key; how many those were."""
    resealed = 0
    for row in (await session.exec(select(ResidueRow).with_for_update())).all():
        context = _context((row.owner, row.kind, row.object_key, row.receiver))
        if vault.sealed_by_other(row.body, context):
            row.body = vault.seal(vault.unseal(row.body, context), context)
            resealed += 1
    return resealed


def read_residue(text: bytes) -> Residue:
    """The residue that `write_residue` wrote, with all digits of its numbers."""
    return msgspec.convert(numbers.read(text), Residue)


def write_residue(residue: Residue) -> bytes:
    """A residue as JSON."""
    return numbers.write(residue)


def _is(key: Key) -> ColumnElement[bool]:
    owner, kind, object_key, receiver = key
    return and_(
        col(ResidueRow.owner) == owner,
        col(ResidueRow.kind) == kind,
        col(ResidueRow.object_key) == object_key,
        col(ResidueRow.receiver) == receiver,
    )


def _context(key: Key) -> str:
    owner, kind, object_key, receiver = key
    return f"residue {kind} {owner} {object_key} {receiver}"
