"""What translation loses, on its way into the store: remembered by the message, counted and written a second later.

No message waits for it, and one that loses what the one before it lost only adds one to a number. While the database is
away the counts stay here, up to a limit, and are written when it is back; should its answer to a writing get lost, that
writing may be counted twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from time import time
from typing import Final, TypeAlias

import structlog
from msgspec import Struct

from hub.observability import FilteringBoundLogger, Metrics
from hub.store.losses import MOST_AT_ONCE, LossCounts, LossKey, LossTally
from hub.store.records import Direction
from hub.store.single_flight import last_written
from hub.trace import Lost
from routing.directory import Connection
from routing.errors import HubFault

log: FilteringBoundLogger = structlog.get_logger()

WRITE_EVERY_S: Final = 1.0
_LOT: Final = 64
"""Exchanges that are sorted at once."""
MOST: Final = 20_000
"""Different counters that are kept while they cannot be written."""


class _Same(Struct):
    """Exchanges of one module between the same two connections that lost the same."""

    times: int
    first_at: float
    """As `time.time` has it."""
    last_at: float
    last_correlation_id: str


_Sort: TypeAlias = tuple[Connection, Connection, str, tuple[tuple[str | None, bool, tuple[tuple[str, int], ...]], ...]]
"""Sender and receiver of the request, module, and what was lost how often."""


_Noted: TypeAlias = tuple[float, Connection, Connection, str, Collection[Lost], str]
"""When, sender and receiver of the request, module, what was lost, and the correlation id."""


class Losses:
    """Counts losses, for the store and for the metrics."""

    def __init__(
        self,
        counts: LossCounts,
        metrics: Metrics,
        *,
        write_every_s: float = WRITE_EVERY_S,
        most: int = MOST,
    ) -> None:
        self._counts = counts
        self._metrics = metrics
        self._write_every_s = write_every_s
        self._most = most
        self._fresh: list[_Noted] = []
        self._heard: dict[_Sort, _Same] = {}
        self._tallies: dict[LossKey, LossTally] = {}
        self._forgotten = 0
        self._is_away = False
        self._ends = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._writing = asyncio.create_task(self._write_until_the_end(), name="writing losses")

    async def close(self) -> None:
        """Write what is left. It is lost, with a line in the log, when the database is away."""
        await last_written(self._writing, self._ends)
        if self._tallies:
            log.error("losses_not_written", counters=len(self._tallies))

    def note(
        self,
        lost: Collection[Lost],
        *,
        source: Connection,
        target: Connection,
        module: str,
        correlation_id: str,
    ) -> None:
        """Count what one exchange lost, for both of its platforms.

        `source` sent the request and got the answer, `target` the other way round.
        """
        self._fresh.append((time(), source, target, module, lost, correlation_id))
        if len(self._fresh) == _LOT:
            self._sort()

    def _sort(self) -> None:
        """Put what was noted lately with what is the same: for some at once that takes a third of the time."""
        fresh, self._fresh = self._fresh, []
        for at, source, target, module, lost, correlation_id in fresh:
            sort = (source, target, module, tuple([(each.kind, each.in_answer, each.by_rule()) for each in lost]))
            same = self._heard.get(sort)
            if same is None:
                if len(self._heard) >= self._most:
                    self._count()
                self._heard[sort] = _Same(1, at, at, correlation_id)
            else:
                same.times += 1
                same.last_at, same.last_correlation_id = at, correlation_id

    def _count(self) -> None:
        """Turn what was heard into one counter for each loss, direction and platform."""
        self._sort()
        heard, self._heard = self._heard, {}
        by_loss: Counter[str] = Counter()
        for (source, target, module, what), same in heard.items():
            first_at, last_at = datetime.fromtimestamp(same.first_at, UTC), datetime.fromtimestamp(same.last_at, UTC)
            for kind, is_answer, by_rule in what:
                origin, receiver = (target, source) if is_answer else (source, target)
                for loss, times in by_rule:
                    by_loss[loss] += times * same.times
                    place = (module, kind or "", loss)
                    tally = LossTally(times * same.times, first_at, last_at, same.last_correlation_id)
                    self._add(LossKey(origin.platform_id, Direction.FROM, *place, receiver.version), tally)
                    self._add(LossKey(receiver.platform_id, Direction.TO, *place, origin.version), tally)
        self._metrics.losses(by_loss)

    def _add(self, key: LossKey, more: LossTally) -> None:
        tally = self._tallies.get(key)
        if tally is not None:
            self._tallies[key] = _sum(tally, more)
        elif len(self._tallies) < self._most:
            self._tallies[key] = more
        else:
            self._forgotten += more.count

    async def _write_until_the_end(self) -> None:
        is_last = False
        while not is_last:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._write_every_s):
                    is_last = await self._ends.wait()
            await self._write()

    async def _write(self) -> None:
        self._count()
        while self._tallies:
            batch = self._take(MOST_AT_ONCE)
            try:
                await self._counts.add(batch)
            except HubFault as error:
                self._put_back(batch)
                self._away(str(error))
                return
            except asyncio.CancelledError:
                self._put_back(batch)  # `close` says how much it is
                raise
            except Exception:  # a bug in one round must not end all later ones
                log.exception("losses_not_written", counters=len(batch))
        self._there_again()

    def _take(self, most: int) -> dict[LossKey, LossTally]:
        taken = {key: self._tallies[key] for key, _ in zip(self._tallies, range(most), strict=False)}
        for key in taken:
            del self._tallies[key]
        return taken

    def _put_back(self, batch: dict[LossKey, LossTally]) -> None:
        for key, tally in batch.items():
            self._add(key, tally)

    def _away(self, reason: str) -> None:
        if not self._is_away:
            log.warning("losses_wait", reason=reason)
        self._is_away = True

    def _there_again(self) -> None:
        if self._forgotten:
            log.error("losses_not_counted", losses=self._forgotten)
        self._forgotten, self._is_away = 0, False


def _sum(one: LossTally, other: LossTally) -> LossTally:
    newer = max(one, other, key=lambda tally: tally.last_at)
    return LossTally(
        one.count + other.count, min(one.first_at, other.first_at), newer.last_at, newer.last_correlation_id
    )
