"""Which id a viewer is shown an object under: decided once, for all processes, in the transaction that looks.

Functions are parts of one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple, TypeAlias, TypeVar

from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.learned_tables import ShownIdRow
from hub.store.learned_writes import insert_into
from hub.store.shelves import key_of
from routing.errors import HubFault
from routing.shown_ids import Id, IdKind, aliases_of
from routing.vocabulary import Party

T = TypeVar("T")

_CANDIDATES: Final = 6
_ATTEMPTS: Final = 5
_AT_ONCE: Final = 200
"""As much as one statement can be about; SQLite cannot take an expression that is deeper than 1000."""


class Wanted(NamedTuple):
    """An object's id that is to be shown to a viewer."""

    viewer: str
    kind: IdKind
    owner: Party
    real_key: str
    """As it is compared."""
    always: bool
    """Whether it has to be an alias, even where the id is free."""


class Owned(NamedTuple):
    """What a viewer means by an id."""

    owner: Party
    real: str


Spelled: TypeAlias = Mapping[Wanted, str]
"""How the owner spells each id."""
_Taken: TypeAlias = set[tuple[str, IdKind, str]]


async def given(session: AsyncSession, wanted: Iterable[Wanted]) -> dict[Wanted, str]:
    """What these are shown as, as far as that was decided before."""
    by_owner: dict[tuple[str, IdKind, Party], set[str]] = defaultdict(set)
    asked = list(wanted)
    for each in asked:
        by_owner[each.viewer, each.kind, each.owner].add(each.real_key)
    found: dict[Wanted, str] = {}
    for some in _portions(by_owner.items()):
        its = [
            and_(
                col(ShownIdRow.viewer) == viewer,
                col(ShownIdRow.kind) == kind,
                col(ShownIdRow.owner) == owner,
                col(ShownIdRow.real_key).in_(keys),
            )
            for (viewer, kind, owner), keys in some
        ]
        for row in await session.exec(select(ShownIdRow).where(or_(*its))):
            found[Wanted(row.viewer, row.kind, row.owner, row.real_key, row.is_alias)] = row.shown
    # Where an id may stay what it is, an alias will do as well: the id was taken when it was first shown.
    both = {each: found.get(each) or (None if each.always else found.get(each._replace(always=True))) for each in asked}
    return {each: shown for each, shown in both.items() if shown is not None}


async def claim(session: AsyncSession, spelled: Spelled) -> dict[Wanted, str]:
    """What these are shown as, from now on and for good. The first owner that comes with an id keeps it.

    Raises:
        HubFault: others were faster, again and again.
    """
    shown: dict[Wanted, str] = {}
    for _ in range(_ATTEMPTS):
        shown |= await given(session, [each for each in spelled if each not in shown])
        missing = sorted(each for each in spelled if each not in shown)
        if not missing:
            return shown
        candidates = {each: list(islice(_candidates(each, spelled[each]), _CANDIDATES)) for each in missing}
        taken = await _taken(session, candidates)
        chosen: dict[Wanted, str] = {}
        for each in missing:
            for candidate in candidates[each]:
                place = (each.viewer, each.kind, key_of(candidate))
                if place not in taken:
                    taken.add(place)
                    chosen[each] = candidate
                    break
        await _insert(session, chosen, spelled)
    raise HubFault("The hub cannot tell what a partner may be shown; try again")


def _candidates(wanted: Wanted, real: str) -> Iterator[str]:
    if not wanted.always:
        yield real
    yield from aliases_of(wanted.owner, Id(wanted.kind, real))


async def _taken(session: AsyncSession, candidates: Mapping[Wanted, Iterable[str]]) -> _Taken:
    by_viewer: dict[tuple[str, IdKind], set[str]] = defaultdict(set)
    for each, ids in candidates.items():
        by_viewer[each.viewer, each.kind].update(map(key_of, ids))
    taken: _Taken = set()
    for (viewer, kind), keys in by_viewer.items():
        for some in _portions(keys):
            held = (col(ShownIdRow.viewer) == viewer, col(ShownIdRow.kind) == kind, col(ShownIdRow.shown_key).in_(some))
            rows = await session.exec(select(ShownIdRow.shown_key).where(*held))
            taken.update((viewer, kind, key) for key in rows)
    return taken


async def _insert(session: AsyncSession, chosen: Mapping[Wanted, str], spelled: Spelled) -> None:
    rows = [
        {
            "viewer": each.viewer,
            "kind": each.kind,
            "shown_key": key_of(shown),
            "shown": shown,
            "owner": each.owner,
            "real_key": each.real_key,
            "real": spelled[each],
            "is_alias": key_of(shown) != each.real_key,
        }
        for each, shown in chosen.items()
    ]
    rows.sort(key=lambda row: (row["viewer"], row["kind"], row["shown_key"]))  # so that nobody blocks another
    statement = insert_into(ShownIdRow, session).on_conflict_do_nothing()
    await (await session.connection()).execute(statement, rows)


async def owned(session: AsyncSession, viewer: str, ids: Collection[Id]) -> dict[Id, Owned]:
    """What the viewer means by these ids, as far as it was shown them."""
    by_kind: dict[IdKind, dict[str, list[Id]]] = defaultdict(lambda: defaultdict(list))
    for each in ids:
        by_kind[each.kind][key_of(each.value)].append(each)
    found: dict[Id, Owned] = {}
    for kind, by_key in by_kind.items():
        for some in _portions(by_key):
            held = (col(ShownIdRow.viewer) == viewer, col(ShownIdRow.kind) == kind, col(ShownIdRow.shown_key).in_(some))
            for row in await session.exec(select(ShownIdRow).where(*held)):
                found |= dict.fromkeys(by_key[row.shown_key], Owned(row.owner, row.real))
    return found


def _portions(things: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while portion := list(islice(rest, _AT_ONCE)):
        yield portion
