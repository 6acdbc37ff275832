"""Objects of 2.1.1 owners as they pushed them last: what they read back, and what a PATCH is merged into.

Only Locations, Tariffs and Tokens are kept, sealed with the key that is not in the database. OCPI 2.1.1, "Locations",
"Tariffs" and "Tokens", GET and PATCH of the pushed objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import structlog
from sqlmodel import and_, col, delete, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.observability import FilteringBoundLogger
from hub.store.facts import OwnPush
from hub.store.learned_tables import OwnPushRow
from hub.store.learned_writes import insert_into
from hub.store.shelves import key_of
from hub.store.vault import Vault, VaultError
from routing.translation import numbers
from routing.translation.crossing import Json
from routing.vocabulary import Party, Secret

log: FilteringBoundLogger = structlog.get_logger()

Key: TypeAlias = tuple[Party, str, str]
"""Owner, module, and the id as it is compared."""


async def pushed(session: AsyncSession, keys: Iterable[Key], vault: Vault, *, locked: bool = False) -> dict[Key, Json]:
    """These objects, as far as there are any. `locked` until the transaction ends."""
    its = [
        and_(col(OwnPushRow.owner) == owner, col(OwnPushRow.module) == module, col(OwnPushRow.object_key) == object_key)
        for owner, module, object_key in keys
    ]
    if not its:
        return {}
    query = select(OwnPushRow).where(or_(*its))
    query = query.order_by(col(OwnPushRow.owner), col(OwnPushRow.module), col(OwnPushRow.object_key))
    found: dict[Key, Json] = {}
    for row in await session.exec(query.with_for_update() if locked else query):
        key = (row.owner, row.module, row.object_key)
        try:
            found[key] = numbers.read(vault.unseal(row.body, _context(key)).reveal())
        except VaultError:
            log.exception("own_push_unreadable", owner=row.owner, module=row.module)
    return found


async def write_pushes(session: AsyncSession, pushes: Iterable[OwnPush], vault: Vault) -> None:
    """Take over these pushes, one for each object at most."""
    by_key = {_key(push): push for push in sorted(pushes, key=lambda push: push.row)}
    parts = [key for key, push in by_key.items() if push.partial or len(push.ids) > 1]
    kept = await pushed(session, parts, vault, locked=True)
    rows: list[dict[str, Any]] = []
    for key, push in by_key.items():
        owner, module, object_key = key
        if push.body is None:
            its = and_(col(OwnPushRow.owner) == owner, col(OwnPushRow.module) == module)
            await session.exec(delete(OwnPushRow).where(its, col(OwnPushRow.object_key) == object_key))
        elif (whole := merged(kept.get(key), push)) is not None:
            body = vault.seal(Secret(numbers.write(whole).decode()), _context(key))
            rows.append(
                {"owner": owner, "module": module, "object_key": object_key, "body": body, "updated_at": push.at}
            )
    if rows:
        insert = insert_into(OwnPushRow, session)
        new = {name: insert.excluded[name] for name in ("body", "updated_at")}
        statement = insert.on_conflict_do_update(index_elements=("owner", "module", "object_key"), set_=new)
        await (await session.connection()).execute(statement, rows)


async def reseal_pushes(session: AsyncSession, vault: Vault) -> int:
    """Seal again what was sealed with the other key; how many those were."""
    resealed = 0
    for row in (await session.exec(select(OwnPushRow).with_for_update())).all():
        context = _context((row.owner, row.module, row.object_key))
        if vault.sealed_by_other(row.body, context):
            row.body = vault.seal(vault.unseal(row.body, context), context)
            resealed += 1
    return resealed


def _key(push: OwnPush) -> Key:
    return push.owner, push.module, key_of(push.ids[0])


def _context(key: Key) -> str:
    owner, module, object_key = key
    return f"own push {module} {owner} {object_key}"


def merged(kept: Json | None, push: OwnPush) -> Json | None:
    """The object with this push in it; None where a part comes of something that is not there.

    A PATCH replaces members at its own level only. An EVSE or a Connector has its place in its Location, and what
    contains it was updated when it was. OCPI 2.1.1, "Locations".
    """
    said: Json = numbers.read(push.body or b"{}")
    if len(push.ids) == 1:
        if not push.partial:
            return said
        return None if kept is None else kept | said
    return None if kept is None else _with_part(kept, push.ids[1:], said, _NESTED, partial=push.partial)


_NESTED = (("evses", "uid"), ("connectors", "id"))


def part_of(whole: Json, ids: Sequence[str]) -> Json | None:
    """The EVSE, or the Connector, of these ids in a Location; itself without any."""
    found: Json | None = whole
    for (name, its_id), wanted in zip(_NESTED, ids, strict=False):
        parts = None if found is None else found.get(name)
        inside = [each for each in parts if type(each) is dict] if type(parts) is list else []
        found = next((each for each in inside if key_of(str(each.get(its_id))) == key_of(wanted)), None)
    return found


def _with_part(
    whole: Json, ids: tuple[str, ...], said: Json, nested: tuple[tuple[str, str], ...], *, partial: bool
) -> Json | None:
    (name, its_id), *deeper = nested

    def changed(part: Json | None) -> Json | None:
        if len(ids) > 1:
            return None if part is None else _with_part(part, ids[1:], said, tuple(deeper), partial=partial)
        if not partial:
            return said
        return None if part is None else part | said

    parts = _replaced(whole.get(name), its_id, ids[0], changed)
    if parts is None:
        return None
    return {**whole, name: parts, **_later(whole, said)}


def _replaced(
    parts: Any,  # noqa: ANN401 - any JSON
    its_id: str,
    wanted: str,
    changed: Callable[[Json | None], Json | None],
) -> list[Any] | None:
    """The list with one part changed, or one more at its end; None where there is nothing to change."""
    parts = parts if type(parts) is list else []
    for index, part in enumerate(parts):
        if type(part) is dict and key_of(str(part.get(its_id))) == key_of(wanted):
            new = changed(part)
            return None if new is None else [*parts[:index], new, *parts[index + 1 :]]
    new = changed(None)
    return None if new is None else [*parts, new]


def _later(whole: Json, said: Json) -> Json:
    """What says that the whole was updated when the part was. OCPI moments of one spelling compare as text."""
    new, old = said.get("last_updated"), whole.get("last_updated")
    return {"last_updated": new} if type(new) is str and type(old) is str and new > old else {}
