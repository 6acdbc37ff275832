"""The figures of one process, and what it knows of the others': counted, told, heard, and kept for those who ask.

Every process counts. With Redis it tells every few seconds what it counted, and a process that shows figures reads what
all have told, also those that ended since. Without Redis, and while it is away, it has its own alone; what cannot be
told now is told later, up to an hour of it.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from time import time
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from hub.figures.cells import FAILURES, Cell
from hub.figures.flows import Flow, Flows, Part, Row, decoded, encoded, part_of
from hub.figures.pairs import Pairs
from hub.figures.rings import Rings
from hub.observability import FilteringBoundLogger
from hub.store.redis import CacheUnreachable
from hub.store.shared_figures import BEGINNING, SharedFigures
from hub.store.single_flight import cancelled

log: FilteringBoundLogger = structlog.get_logger()

EVERY_S: Final = 5.0
FORM: Final = f"1-{zlib.crc32(','.join(FAILURES).encode()):08x}"
"""Of what is told: the codes of failures are part of it."""
_UNTOLD: Final = 720
"""Parts that wait while Redis is away: those of an hour."""
_LATE: Final = 4
"""So many times what passes between two tellings, and a process is believed to be gone."""
_MOST_WORKERS: Final = 1_000
_FORGOTTEN_S: Final = 3600.0


class Counting(Struct):
    """A process that counts."""

    worker: str
    since: float
    last_at: float


class Figures:
    """Takes rows of the journal, and has the figures of the whole hub where `following` is on.

    `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        worker: str,
        shared: SharedFigures | None = None,
        *,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time,
    ) -> None:
        self.worker = worker
        self.rings = Rings()
        self.pairs = Pairs()
        self.since = clock()
        """When what is kept begins."""
        self.workers: dict[str, Counting] = {}
        self.is_away = False
        """Redis does not answer, so there is nothing new of other processes."""
        self._shared = shared
        self._every_s = every_s
        self._clock = clock
        self._flows = Flows(clock)
        self._untold: deque[Part] = deque(maxlen=_UNTOLD)
        self._follows = False
        self._read_up_to = BEGINNING
        self._began = clock()
        self._merging = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    def note(self, rows: Iterable[Row]) -> None:
        """Count these rows of the journal."""
        self._flows.note(rows)

    def start(self) -> None:
        """Begin to tell."""
        self._tasks = [asyncio.create_task(self._go_on(), name="telling figures")]

    async def stop(self) -> None:
        """Tell what is left, if that can be done at once."""
        await cancelled(self._tasks)
        try:
            await self._take()
            await self._tell()
        except CacheUnreachable:
            log.debug("last_figures_not_told")

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Have the figures of all processes kept here while the block lasts."""
        self._follows = True
        try:
            yield
        finally:
            self._follows = False

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    @property
    def is_shared(self) -> bool:
        """Whether there may be other processes."""
        return self._shared is not None

    def counting(self) -> list[Counting]:
        """The processes that count at present, this one first if it does."""
        latest = self._clock() - _LATE * self._every_s
        there = [each for each in self.workers.values() if each.last_at >= latest]
        return sorted(there, key=lambda each: (each.worker != self.worker, each.since))

    async def catch_up(self) -> None:
        """Count what was noted up to now, and hear what others have told."""
        async with self._merging:
            await self._take()
            if self._shared is not None:
                await self._hear(self._shared)

    # ------------------------------------------------------------ background

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.catch_up_and_tell()
            except CacheUnreachable as error:
                if not self.is_away:
                    log.warning("figures_not_shared", reason=str(error))
                self.is_away = True
            except Exception:  # a bug in one round must not end all later ones
                log.exception("figures_not_shared")

    async def catch_up_and_tell(self) -> None:
        """One round.

        Raises:
            CacheUnreachable: it goes no further than this process.
        """
        async with self._merging:
            await self._take()
            if self._follows:
                now = self._clock()
                await self.rings.settle(now)
                self.pairs.settle(now)
                self._forget_workers(now)
        await self._tell()
        if self._follows and self._shared is not None:
            async with self._merging:
                await self._hear(self._shared)
        if self.is_away:
            log.info("figures_shared_again")
        self.is_away = False

    async def _take(self) -> None:
        """What this process counted goes to where it is kept, and to where it waits to be told."""
        taken = self._flows.take()
        now = self._clock()
        for minute, flows in taken:
            if self._follows:
                await self._merge(flows, minute)
            if self._shared is not None:
                self._untold.append(part_of(self.worker, self._began, minute, flows))
        if self._shared is not None and not taken:
            self._untold.append(Part(self.worker, self._began, int(now) // 60, []))  # it is there, and idle
        self.workers[self.worker] = Counting(self.worker, self._began, now)

    async def _tell(self) -> None:
        while self._shared is not None and self._untold:
            part = self._untold[0]
            data = await asyncio.to_thread(encoded, part)
            await self._shared.tell(self.worker, data)
            if self._untold and self._untold[0] is part:
                self._untold.popleft()

    async def _hear(self, shared: SharedFigures) -> None:
        while told := await shared.told(self._read_up_to):
            for each in told:
                self._read_up_to = each.id
                if each.worker != self.worker:
                    await self._take_over(each.data)

    async def _take_over(self, data: bytes) -> None:
        try:
            part = await asyncio.to_thread(decoded, data)
        except (msgspec.MsgspecError, zlib.error):
            log.warning("figures_unreadable")
            return
        ends_at = (part.minute + 1) * 60.0
        if ends_at < self._clock() - _FORGOTTEN_S:
            return
        self.since = min(self.since, part.minute * 60.0)
        known = self.workers.get(part.worker)
        last_at = min(ends_at, self._clock())
        if known is not None:
            known.last_at = max(known.last_at, last_at)
        elif len(self.workers) < _MOST_WORKERS:
            self.workers[part.worker] = Counting(part.worker, part.since, last_at)
        await self._merge(dict(part.flows), part.minute)

    async def _merge(self, flows: Mapping[Flow, Cell], minute: int) -> None:
        await self.rings.merge(flows, minute, self._clock())
        self.pairs.merge(flows, minute)

    def _forget_workers(self, now: float) -> None:
        for worker in [each.worker for each in self.workers.values() if each.last_at < now - _FORGOTTEN_S]:
            del self.workers[worker]
