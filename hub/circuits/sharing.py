"""What the processes of a hub tell each other of their circuits. Each has its own; an operator sees and closes all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from hub.circuits.circuit import State
from hub.observability import FilteringBoundLogger
from hub.store.redis import CacheUnreachable
from hub.store.shared_circuits import REFRESH_EVERY_S, SharedCircuits, Told
from hub.store.single_flight import cancelled

log: FilteringBoundLogger = structlog.get_logger()

_SOONEST_S: Final = 0.2
"""Between two tellings, however much changes."""
_AGAIN_S: Final = 1.0
_WORST_FIRST: Final = (State.OPEN, State.PROBING, State.CLOSED)


class CircuitNow(Struct, frozen=True, array_like=True):
    """How a circuit is at one moment."""

    state: State
    failures: int
    for_s: float
    """How long the failures have been going on; of an open one, how long it has been open."""

    @property
    def since(self) -> datetime:
        """The same as a time."""
        return datetime.now(UTC) - timedelta(seconds=self.for_s)


class Sharing:
    """Tells of the circuits of this process and hears of the others'. Without Redis there are no others."""

    def __init__(self, shared: SharedCircuits | None = None) -> None:
        self._shared = shared
        self._changed = asyncio.Event()
        self._told: frozenset[str] = frozenset()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, own: Callable[[], dict[str, CircuitNow]], close: Callable[[str], None]) -> None:
        """Begin: `own` says what there is to tell, by platform; `close` is what to do when an operator wants that."""
        if self._shared is not None:
            steps = (self._keep_telling(self._shared, own), self._keep_hearing(self._shared, close))
            self._tasks = [asyncio.create_task(step, name="sharing circuits") for step in steps]

    async def stop(self) -> None:
        """End. What was told is believed a few seconds longer, by which time other processes have found out."""
        await cancelled(self._tasks)

    def changed(self) -> None:
        """There is something new to tell."""
        self._changed.set()

    async def others(self) -> list[tuple[str, CircuitNow]]:
        """The circuits of all other processes, each with its platform.

        Raises:
            CacheUnreachable: Redis does not answer.
        """
        return [] if self._shared is None else [_read(told) for told in await self._shared.read()]

    async def order_closed(self, platform_id: str) -> None:
        """Have all other processes close their circuits of this platform.

        Raises:
            CacheUnreachable: Redis does not answer.
        """
        if self._shared is not None:
            await self._shared.order_closed(platform_id)

    async def _keep_telling(self, shared: SharedCircuits, own: Callable[[], dict[str, CircuitNow]]) -> None:
        while True:
            self._changed.clear()
            now = own()
            if now or self._told:
                try:
                    texts = {platform_id: msgspec.json.encode(each) for platform_id, each in now.items()}
                    await shared.write(texts, self._told - texts.keys())
                    self._told = frozenset(texts)
                except CacheUnreachable:  # it is told again soon; that Redis is away is told by the directory
                    self._told |= now.keys()
                except Exception:  # a bug in one telling must not end all later ones
                    log.exception("circuits_not_told")
            await asyncio.sleep(_SOONEST_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_EVERY_S):
                    await self._changed.wait()

    async def _keep_hearing(self, shared: SharedCircuits, close: Callable[[str], None]) -> None:
        while True:
            try:
                async for platform_id in shared.orders():
                    close(platform_id)
            except CacheUnreachable:  # an operator who orders meanwhile is told that it does not reach everybody
                await asyncio.sleep(_AGAIN_S)
            except Exception:  # as above
                log.exception("orders_for_circuits_not_heard")
                await asyncio.sleep(_AGAIN_S)


def worst(circuits: Iterable[CircuitNow]) -> CircuitNow:
    """One for several of one platform: open where any is, and as bad and as old as the worst."""
    every = list(circuits)
    state = min((each.state for each in every), key=_WORST_FIRST.index, default=State.CLOSED)
    alike = [each for each in every if (each.state is State.CLOSED) == (state is State.CLOSED)]
    failures = max((each.failures for each in alike), default=0)
    return CircuitNow(state, failures, max((each.for_s for each in alike), default=0.0))


def _read(told: Told) -> tuple[str, CircuitNow]:
    said = msgspec.json.decode(told.text, type=CircuitNow)
    return told.platform_id, msgspec.structs.replace(said, for_s=said.for_s + told.age_s)
