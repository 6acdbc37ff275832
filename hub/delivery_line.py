"""The line in which deliveries of broadcasts wait for their turn. It knows when each may begin, and nothing else.

    chain   what must not overtake one another: pushes of one object to one receiver. One is under way, others wait.
    lane    what goes to one receiver: a few at once. A second one only once it has answered, so that one that never
            answers holds as little as can be.
    line    everybody's, so many at once. Lanes take turns, however much waits in one of them.

A delivery that could not begin in time is dropped. This is flow control and no store: nothing is tried again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Hashable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Final

import structlog
from msgspec import Struct, field

from hub.observability import FilteringBoundLogger
from routing.errors import Overloaded

log: FilteringBoundLogger = structlog.get_logger()

AT_ONCE: Final = 200
"""Deliveries under way in one process."""
PER_LANE: Final = 4
"""Deliveries under way to one receiver."""
MOST_JOBS: Final = 20_000
MOST_BYTES: Final = 64 * 1024 * 1024
_RETRY_AFTER_S: Final = 5
_ARRIVALS_IN_A_TURN: Final = 50
"""Deliveries that are taken in before everything else in the process has its turn."""
_STARTS_IN_A_TURN: Final = 2
"""Those that begin in one turn."""
_DROPS_IN_A_TURN: Final = 100


class Dropped(StrEnum):
    """Why a delivery never began."""

    STALE = "stale"
    """It could not begin in time."""
    MERGED = "merged"
    """A later push of the whole object waits in its place."""


class Job(Struct, frozen=True, eq=False):
    """One delivery that waits. Times are those of the event loop."""

    lane: str
    chain: Hashable
    until: float
    """It begins before this moment, or never."""
    begin: Callable[[], Coroutine[Any, Any, bool | None]]
    """Deliver. Tells whether the receiver answers; None when it was not called."""
    drop: Callable[[Dropped], None]
    """Called in place of `begin`."""
    whole: Hashable | None = None
    """What this says everything about: the same said later, with nothing between, will do."""
    slots: int = PER_LANE
    """How many its lane may have under way."""


class Room:
    """How much may wait: so many deliveries, and so many bytes of what they carry."""

    def __init__(self, most_jobs: int = MOST_JOBS, most_bytes: int = MOST_BYTES) -> None:
        self.jobs = 0
        self.bytes = 0
        self._most_jobs = most_jobs
        self._most_bytes = most_bytes

    def take(self, jobs: int, size: int) -> None:
        """Take room for so many deliveries of one body. One that is larger than all there is finds room when empty.

        Raises:
            Overloaded: there is not enough left for all of them.
        """
        is_full = self.jobs + jobs > self._most_jobs or self.bytes + size > self._most_bytes
        if is_full and self.jobs and jobs:
            raise Overloaded("Too many broadcasts are under way", _RETRY_AFTER_S)
        self.take_anyway(jobs, size)

    def take_anyway(self, jobs: int, size: int) -> None:
        """Take room for what was accepted elsewhere."""
        self.jobs += jobs
        self.bytes += size

    def give(self, jobs: int, size: int) -> None:
        """Give room back."""
        self.jobs -= jobs
        self.bytes -= size


class _Chain(Struct, eq=False):
    key: Hashable
    waiting: deque[Job] = field(default_factory=deque)


class _Lane(Struct, eq=False):
    key: str
    chains: dict[Hashable, _Chain] = field(default_factory=dict)
    """All that have a job under way or waiting."""
    ready: deque[_Chain] = field(default_factory=deque)
    """Those whose first job could begin."""
    running: int = 0
    answers: bool = False
    has_turn: bool = False


class DeliveryLine:
    """All that waits in this process, and all that is under way. To be used on the event loop only."""

    def __init__(self, room: Room | None = None, *, at_once: int = AT_ONCE) -> None:
        self.room = room or Room()
        self._at_once = at_once
        self._lanes: dict[str, _Lane] = {}
        self._arriving: deque[Iterator[Job]] = deque()
        self._turns: deque[_Lane] = deque()
        """Lanes with a job that could begin, the one that has waited longest first."""
        self._running: set[asyncio.Task[None]] = set()
        self._is_awake = False
        self._is_closed = False

    @property
    def in_flight(self) -> int:
        """Deliveries under way."""
        return len(self._running)

    def add(self, jobs: Iterable[Job]) -> None:
        """Let these wait for their turns, each behind everything in its chain that was added before."""
        self._arriving.append(iter(jobs))
        if len(self._arriving) == 1:
            asyncio.get_running_loop().call_soon(self._take_in)

    def _take_in(self) -> None:
        """Take in some of those that were added, in their order."""
        for _ in range(_ARRIVALS_IN_A_TURN):
            if not self._arriving or self._is_closed:
                return
            job = next(self._arriving[0], None)
            if job is None:
                self._arriving.popleft()
            else:
                self._take_one_in(job)
        if self._arriving:
            asyncio.get_running_loop().call_soon(self._take_in)

    def _take_one_in(self, job: Job) -> None:
        lane = self._lanes.get(job.lane)
        if lane is None:
            lane = self._lanes[job.lane] = _Lane(job.lane)
        chain = lane.chains.get(job.chain)
        if chain is None:
            chain = lane.chains[job.chain] = _Chain(job.chain)
            lane.ready.append(chain)
        elif job.whole is not None and chain.waiting and chain.waiting[-1].whole == job.whole:
            chain.waiting.pop().drop(Dropped.MERGED)
        chain.waiting.append(job)
        self._offer(lane, job.slots)

    async def drop_stale(self) -> None:
        """Drop what can no longer begin in time, so that its room is free."""
        now, dropped = asyncio.get_running_loop().time(), 0
        for lane in list(self._lanes.values()):
            for chain in list(lane.chains.values()):
                while chain.waiting and chain.waiting[0].until < now:
                    chain.waiting.popleft().drop(Dropped.STALE)
                    dropped += 1
                    if dropped % _DROPS_IN_A_TURN == 0:
                        await asyncio.sleep(0)

    async def close(self) -> None:
        """End everything, wherever it is."""
        self._is_closed = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _offer(self, lane: _Lane, slots: int) -> None:
        """Give the lane a turn if it can use one."""
        if lane.ready and not lane.has_turn and lane.running < (slots if lane.answers else 1):
            lane.has_turn = True
            self._turns.append(lane)
            self._wake()

    def _wake(self) -> None:
        if self._turns and not self._is_awake and not self._is_closed and len(self._running) < self._at_once:
            self._is_awake = True
            asyncio.get_running_loop().call_soon(self._begin_some)

    def _begin_some(self) -> None:
        """Begin a few. Beginning is work: what else the process has to do must not wait for all of them."""
        self._is_awake = False
        for _ in range(_STARTS_IN_A_TURN):
            if not self._turns or self._is_closed or len(self._running) >= self._at_once:
                return
            lane = self._turns.popleft()
            lane.has_turn = False
            self._begin_one(lane)
        self._wake()

    def _begin_one(self, lane: _Lane) -> None:
        chain = lane.ready.popleft()
        job = chain.waiting.popleft() if chain.waiting else None  # they may all have become stale
        if job is None or job.until < asyncio.get_running_loop().time():
            if job is not None:
                job.drop(Dropped.STALE)
            self._go_on(lane, chain, PER_LANE if job is None else job.slots)
            return
        lane.running += 1
        task = asyncio.create_task(self._run(job, lane, chain))
        self._running.add(task)
        self._offer(lane, job.slots)

    async def _run(self, job: Job, lane: _Lane, chain: _Chain) -> None:
        answers: bool | None = None
        try:
            answers = await job.begin()
        except Exception:  # a bug in one must not hold up the others
            log.exception("delivery_failed")
        finally:
            self._running.discard(asyncio.current_task())
            lane.running -= 1
            if answers is not None:
                lane.answers = answers
            self._go_on(lane, chain, job.slots)
            self._wake()

    def _go_on(self, lane: _Lane, chain: _Chain, slots: int) -> None:
        """Let the next of this chain have its turn, or forget the chain."""
        if chain.waiting:
            lane.ready.append(chain)
        else:
            del lane.chains[chain.key]
        if not lane.chains:
            del self._lanes[lane.key]
        self._offer(lane, slots)
