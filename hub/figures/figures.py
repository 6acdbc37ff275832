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
from hub.figures.flows import MINUTE_S, Flow, Flows, Part, ProcessState, Row, decoded, encoded
from hub.figures.habits import Days, Habits
from hub.figures.last_messages import Agreed, LastMessages, nobody_agreed
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
    in_flight: dict[str, int] = {}
    """Calls under way when it told last, by platform."""
    state: ProcessState = ProcessState()


class Figures:
    """Takes rows of the journal, and has the figures of the whole hub where `following` is on.

    `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        worker: str,
        shared: SharedFigures | None = None,
        *,
        in_flight: Callable[[], dict[str, int]] = dict,
        state: Callable[[], ProcessState] = ProcessState,
        agreed: Agreed = nobody_agreed,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time,
    ) -> None:
        self.worker = worker
        self.rings = Rings()
        self.pairs = Pairs()
        self.habits = Habits()
        """What partners do, as it happens in this process."""
        self.days = Days()
        """The same, of all processes."""
        self.last_messages = LastMessages(agreed)
        self.since = clock()
        """When what is kept begins."""
        self.workers: dict[str, Counting] = {}
        self.is_away = False
        """Redis does not answer, so there is nothing new of other processes."""
        self._shared = shared
        self._in_flight = in_flight
        self._state = state
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

    def in_flight(self, platform_id: str) -> int:
        """Calls under way at a platform, a few seconds ago."""
        return sum(each.in_flight.get(platform_id, 0) for each in self.counting())

    async def catch_up_here(self) -> None:
        """Count what this process noted up to now."""
        if self._merging.locked():
            return  # it is being done, and may take a while
        async with self._merging:
            await self._take()

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
                await self.days.settle(now)
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
        taken, habits = self._flows.take(), self.habits.take()
        examples, in_flight, state = self._flows.examples(), self._in_flight(), self._state()
        now = self._clock()
        this_minute = int(now) // MINUTE_S
        self.workers[self.worker] = Counting(self.worker, self._began, now, in_flight, state)
        if not (taken or habits) and self._untold:
            return  # that it is there is waiting to be told
        for minute, flows in taken or [(this_minute, {})]:
            part = Part(self.worker, self._began, minute, list(flows.items()), examples, in_flight, state, habits, now)
            habits = []  # they are in the first part
            if self._follows:
                await self._merge(part, flows)
            if self._shared is not None:
                self._untold.append(part)

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
        ends_at = (part.minute + 1.0) * MINUTE_S
        if ends_at < self._clock() - _FORGOTTEN_S:
            return
        self.since = min(self.since, part.minute * float(MINUTE_S))
        known = self.workers.get(part.worker)
        last_at = min(ends_at, self._clock())
        if known is not None:
            known.last_at, known.in_flight, known.state = max(known.last_at, last_at), part.in_flight, part.state
        elif len(self.workers) < _MOST_WORKERS:
            self.workers[part.worker] = Counting(part.worker, part.since, last_at, part.in_flight, part.state)
        await self._merge(part, dict(part.flows))

    async def _merge(self, part: Part, flows: Mapping[Flow, Cell]) -> None:
        await self.rings.merge(flows, part.minute, self._clock())
        self.pairs.merge(flows, part.minute)
        self.last_messages.merge(flows, part.minute)
        for example in part.examples:
            self.rings.note(example)
        await self.days.merge(part.habits, part.at)

    def _forget_workers(self, now: float) -> None:
        for worker in [each.worker for each in self.workers.values() if each.last_at < now - _FORGOTTEN_S]:
            del self.workers[worker]
