"""The ids that 2.1.1 partners were shown objects under: kept in the truth, and remembered in the process.

What was decided never changes, so what is remembered is never wrong, in any process, and nobody has to be told. What is
not remembered is asked for in the truth; what is new is decided there, for all that came up meanwhile at once. Without
an answer from there nothing can be shown: it might be the id of something else.

That a partner was never shown an id is remembered, too, for a minute and unless it may be an alias: another process may
show it that id meanwhile, but then it means what it says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from itertools import islice
from math import inf
from time import monotonic
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import structlog

from hub.observability import FilteringBoundLogger
from hub.store.database import Database
from hub.store.outage import Outage
from hub.store.shelves import key_of
from hub.store.shown_id_claims import Owned, Wanted, claim, given, owned
from hub.store.single_flight import cancelled
from routing.errors import HubFault, InvalidParameters
from routing.shown_ids import Id, IdKind, may_be_alias
from routing.vocabulary import Party

log: FilteringBoundLogger = structlog.get_logger()
T = TypeVar("T")

PATIENCE_S: Final = 2.0
"""How long a message waits to be told what it may show: no later message can make good for a wrong id."""
ROOM: Final = 20_000
"""Ids that are remembered each way."""
_STRANGE_S: Final = 60.0
"""How long an id counts as one that was never shown."""
_AT_ONCE: Final = 2000
"""Ids of one transaction, unless one page has more."""


class _Claim(NamedTuple):
    spelled: dict[Wanted, str]
    result: asyncio.Future[dict[Wanted, str]]


_Shown: TypeAlias = tuple[str, IdKind, str]
"""Viewer, kind, and the id as it is compared."""
HearsOfTakenId: TypeAlias = Callable[[str, str, str, str], None]
"""Viewer, owner, kind, and the id that somebody else has."""


class ShownIds:
    """Owns them. Whoever asks is kept for `patience_s` seconds at most; `told` hears of ids that were taken."""

    def __init__(
        self,
        database: Database,
        *,
        patience_s: float = PATIENCE_S,
        room: int = ROOM,
        told: HearsOfTakenId | None = None,
    ) -> None:
        self._database = database
        self._told = told
        self._patience_s = patience_s
        self._room = room
        self._given: dict[Wanted, str] = {}
        self._owned: dict[_Shown, Owned] = {}
        self._strange: dict[_Shown, float] = {}
        self._waiting: list[_Claim] = []
        self._claiming: asyncio.Task[None] | None = None
        self._reading: set[asyncio.Task[Any]] = set()
        self._outage = Outage(database.name)

    async def close(self) -> None:
        """End what is under way."""
        await cancelled([task for task in (self._claiming, *self._reading) if task is not None])

    async def shown(self, viewer: str, owner: Party, ids: Collection[Id], *, always: bool) -> dict[Id, str]:
        """The ids this viewer is shown in place of these of the owner's, from now on and for good.

        `always` asks for aliases, also where an id is free.

        Raises:
            HubFault: the store cannot tell now.
        """
        asked = {each: Wanted(viewer, each.kind, owner, key_of(each.value), always) for each in ids}
        here = {each: shown for each, wanted in asked.items() if (shown := self._given.get(wanted)) is not None}
        if len(here) < len(asked):
            spelled = {wanted: each.value for each, wanted in asked.items() if each not in here}
            decided = await self._claimed(spelled)
            here |= {each: decided[wanted] for each, wanted in asked.items() if each not in here}
        return here

    async def owned(self, viewer: str, ids: Collection[Id]) -> dict[Id, Owned]:
        """What this viewer means by these ids; those are missing that it was never shown.

        Raises:
            HubFault: the store cannot tell now.
        """
        here: dict[Id, Owned] = {}
        missing: list[Id] = []
        now = monotonic()
        for each in ids:
            place = _place(viewer, each)
            if (found := self._owned.get(place)) is not None:
                here[each] = found
            elif self._strange.get(place, -inf) < now - _STRANGE_S:
                missing.append(each)
        if missing:
            read = await self._in_time(self._read(viewer, missing))
            for each in missing:
                place, owner = _place(viewer, each), read.get(each)
                if owner is not None:
                    self._remember(self._owned, place, owner)
                elif not may_be_alias(each.value):
                    self._remember(self._strange, place, now)
            here |= read
        return here

    def are_strange(self, viewer: str, ids: Collection[Id]) -> bool:
        """Whether this viewer was never shown any of these ids, as far as that is remembered here."""
        since = monotonic() - _STRANGE_S
        for each in ids:
            place = viewer, each.kind, key_of(each.value)
            if place in self._owned or self._strange.get(place, -inf) < since:
                return False
        return True

    # ------------------------------------------------------------ reading and deciding

    async def _read(self, viewer: str, ids: Collection[Id]) -> dict[Id, Owned]:
        async with self._database.reading() as session:
            return await owned(session, viewer, ids)

    async def _claimed(self, spelled: dict[Wanted, str]) -> dict[Wanted, str]:
        mine = _Claim(spelled, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        if self._claiming is None or self._claiming.done():
            self._claiming = asyncio.create_task(self._claim_all(), name="deciding what partners are shown")
        return await self._in_time(_awaited(mine.result))

    async def _claim_all(self) -> None:
        """Decide for all who wait, as many at once as came up while the ones before were decided."""
        while self._waiting:
            some = self._next()
            try:
                decided = await self._decided({wanted: real for each in some for wanted, real in each.spelled.items()})
            except HubFault as error:
                self._outage.begins(error)
                _fail(some, error)
            except InvalidParameters as error:
                log.error("shown_ids_refused", reason=str(error))  # noqa: TRY400 - whose values are private
                _fail(some, HubFault("The hub cannot tell what a partner may be shown"))
            except Exception:  # those who wait must hear of it
                log.exception("shown_ids_failed")
                _fail(some, HubFault("The hub failed to tell what a partner may be shown"))
            else:
                self._outage.ends()
                for each in some:
                    if not each.result.done():
                        each.result.set_result(decided)

    def _next(self) -> list[_Claim]:
        some = [self._waiting.pop(0)]
        size = len(some[0].spelled)
        while self._waiting and size + len(self._waiting[0].spelled) <= _AT_ONCE:
            some.append(self._waiting.pop(0))
            size += len(some[-1].spelled)
        return some

    async def _decided(self, spelled: dict[Wanted, str]) -> dict[Wanted, str]:
        """What is decided, and what was; who only has to be told takes no lock."""
        async with self._database.reading() as session:
            decided = await given(session, spelled)
        missing = {wanted: real for wanted, real in spelled.items() if wanted not in decided}
        if missing:
            async with self._database.writing() as session:
                claimed = await claim(session, missing)
            decided |= claimed
            self._tell_taken(claimed, missing)
        for wanted, shown in decided.items():
            self._remember(self._given, wanted, shown)
            self._strange.pop((wanted.viewer, wanted.kind, key_of(shown)), None)
        return decided

    def _tell_taken(self, claimed: dict[Wanted, str], spelled: dict[Wanted, str]) -> None:
        for wanted, shown in claimed.items():
            if self._told is not None and not wanted.always and key_of(shown) != wanted.real_key:
                self._told(wanted.viewer, str(wanted.owner), wanted.kind, spelled[wanted])

    # ------------------------------------------------------------ time and room

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """What it comes to, if that is soon. What is asked goes on to its end all the same.

        Raises:
            HubFault: it is not.
        """
        task = asyncio.create_task(work)
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        task.add_done_callback(_is_heard)  # whoever asked may go before
        await asyncio.wait({task}, timeout=self._patience_s)
        if task.done():
            return task.result()
        raise HubFault(f"{self._database.name} does not answer; try again")

    def _remember(self, memory: dict[Any, T], key: object, value: T) -> None:
        if key not in memory and len(memory) >= self._room:
            for oldest in list(islice(memory, self._room // 10)):
                del memory[oldest]
        memory[key] = value


def _place(viewer: str, shown: Id) -> _Shown:
    return viewer, shown.kind, key_of(shown.value)


async def _awaited(result: asyncio.Future[T]) -> T:
    return await result


def _fail(claims: Collection[_Claim], error: HubFault) -> None:
    for each in claims:
        if not each.result.done():
            each.result.set_exception(error)


def _is_heard(task: asyncio.Task[Any]) -> None:
    """An exception that nobody was there to hear is no news: who decides has said it."""
    if not task.cancelled():
        task.exception()
