"""The live view of one process: what it has for others, and what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from time import monotonic
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from hub.live.channels import Channel, Shown, Viewer
from hub.live.matching import key_of
from hub.live.rows import Row, Told, decoded, encoded
from hub.live.source import Chosen, Source
from hub.observability import FilteringBoundLogger
from hub.store.journal_filters import MessageFilter
from hub.store.redis import CacheUnreachable
from hub.store.shared_live import SharedLive
from hub.store.single_flight import cancelled
from routing.errors import Overloaded

log: FilteringBoundLogger = structlog.get_logger()

MOST_VIEWERS: Final = 20
"""In one process."""
_TURN_S: Final = 0.25
_SPREAD_S: Final = 0.2
"""Viewers are served one after the other within this time: all at once would keep messages waiting."""
_SAID_EVERY_S: Final = 2.0
_BELIEVED_S: Final = 6.0
"""So long what a process said it watches goes on without another word of it."""
_LINGERS_S: Final = 30.0
"""So long a filter is followed after its last viewer went, who may come back and have missed nothing."""
_MOST_CHANNELS: Final = 2 * MOST_VIEWERS
_AGAIN_S: Final = 1.0
_LATER_S: Final = 5


class _Wanted(Struct, frozen=True, array_like=True):
    process: str
    keys: tuple[bytes, ...]


class Live:
    """Takes the rows of this process's journal, and has viewers of all processes' rows.

    `process` tells this one from others; `clock` gives seconds.
    """

    def __init__(
        self, process: str, shared: SharedLive | None = None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._process = process
        self._shared = shared
        self._clock = clock
        self._source = Source(clock)
        self._channels: dict[bytes, Channel] = {}
        self._elsewhere: dict[str, tuple[float, tuple[bytes, ...]]] = {}
        """What other processes watch, and until when that is believed."""
        self._catch_up: Callable[[], None] = lambda: None
        self._said_at = -_SAID_EVERY_S
        self._watched = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._hearing: asyncio.Task[None] | None = None
        self._is_deaf = False
        self._seats = cycle(range(MOST_VIEWERS))
        self.is_over = False
        """Nothing more is shown: the hub goes out of service."""

    def note(self, rows: Sequence[Row]) -> None:
        """Take rows of the journal."""
        self._source.note(rows)

    def start(self, catch_up: Callable[[], None]) -> None:
        """Begin. `catch_up` has the journal make rows of what it has."""
        self._catch_up = catch_up
        self._tasks = [asyncio.create_task(self._go_on(), name="live messages")]
        if self._shared is not None:
            hearing = self._keep_hearing(self._shared.wants, self._hear_wanted)
            self._tasks.append(asyncio.create_task(hearing, name="hearing who watches"))

    async def stop(self) -> None:
        """End."""
        self.end()
        await cancelled(self._tasks if self._hearing is None else [*self._tasks, self._hearing])

    def end(self) -> None:
        """Send all viewers away, and take no more."""
        self.is_over = True
        for channel in self._channels.values():
            channel.wake()

    @property
    def is_everywhere(self) -> bool:
        """Whether messages of all processes are shown, as far as this one knows."""
        return not self._is_deaf

    def refuse_when_full(self) -> None:
        """Raises Overloaded when there is no room for a viewer."""
        if self.is_over:
            raise Overloaded("The hub is going out of service; nothing is shown live any more", _LATER_S)
        if sum(each.viewers for each in self._channels.values()) >= MOST_VIEWERS:
            raise Overloaded(f"{MOST_VIEWERS} are watching already, and there is room for no more", _LATER_S)

    @contextmanager
    def watching(self, wanted: MessageFilter, last_id: str | None) -> Iterator[Viewer]:
        """Watch what fits this filter, but for its times, while the block lasts; on from this entry, if possible."""
        channel = self._channel(key_of(wanted))
        channel.viewers += 1
        try:
            yield Viewer(channel, last_id, next(self._seats) * _SPREAD_S / MOST_VIEWERS)
        finally:
            channel.viewers -= 1
            channel.left_at = self._clock()

    def _channel(self, key: bytes) -> Channel:
        known = self._channels.get(key)
        if known is None:
            self._forget_channels(_MOST_CHANNELS - 1)
            known = self._channels[key] = Channel(key, self._clock)
            self._said_at = -_SAID_EVERY_S
            self._choose_for_all()
        return known

    # ------------------------------------------------------------ background

    async def _go_on(self) -> None:
        while True:
            await self._watched.wait()
            await asyncio.sleep(_TURN_S)
            try:
                await self._turn()
            except CacheUnreachable:  # whoever hears others' messages notices, too
                log.debug("live_messages_not_told")
            except Exception:  # a bug in one turn must not end all later ones
                log.exception("live_messages_failed")

    async def _turn(self) -> None:
        self._catch_up()
        self._forget()
        chosen = self._source.take()
        self._show(chosen.rows, chosen.counts)
        if self._shared is None:
            return
        await self._hear_while_shown(self._shared)
        if self._elsewhere and (chosen.rows or chosen.counts):
            await self._shared.tell(encoded(_told(self._process, chosen)))
        if self._channels and self._clock() >= self._said_at + _SAID_EVERY_S:
            self._said_at = self._clock()
            await self._shared.want(msgspec.msgpack.encode(_Wanted(self._process, tuple(self._channels))))

    def _show(self, rows: Sequence[Row], counts: Mapping[bytes, int]) -> None:
        if not self._channels:
            return
        shown = [Shown(row) for row in rows]
        for channel in self._channels.values():
            channel.take(shown, counts.get(channel.key, 0))

    def _forget(self) -> None:
        """What nobody watches any more."""
        now = self._clock()
        self._elsewhere = {name: said for name, said in self._elsewhere.items() if said[0] > now}
        for channel in [*self._channels.values()]:
            if not channel.viewers and channel.left_at + _LINGERS_S <= now:
                del self._channels[channel.key]
        self._choose_for_all()

    def _forget_channels(self, most: int) -> None:
        """Of those without viewers, the ones that were left first, until there are not more than so many."""
        idle = sorted((each for each in self._channels.values() if not each.viewers), key=lambda each: each.left_at)
        for channel in idle[: max(len(self._channels) - most, 0)]:
            del self._channels[channel.key]

    def _choose_for_all(self) -> None:
        self._source.want({*self._channels, *(key for _, keys in self._elsewhere.values() for key in keys)})
        if self._source.is_wanted:
            self._watched.set()
        elif self._hearing is None:
            self._watched.clear()

    # ------------------------------------------------------------ other processes

    async def _hear_while_shown(self, shared: SharedLive) -> None:
        if self._channels and self._hearing is None:
            hearing = self._keep_hearing(shared.rows, self._hear_rows)
            self._hearing = asyncio.create_task(hearing, name="hearing messages of other processes")
        elif not self._channels and self._hearing is not None:
            over, self._hearing, self._is_deaf = self._hearing, None, False
            await cancelled([over])

    async def _keep_hearing(
        self, listen: Callable[[], AsyncIterator[bytes | None]], take: Callable[[bytes | None], None]
    ) -> None:
        while True:
            try:
                async for data in listen():
                    take(data)
            except CacheUnreachable:
                self._is_deaf = True
            except Exception:  # as above
                log.exception("live_messages_not_heard")
            await asyncio.sleep(_AGAIN_S)

    def _hear_wanted(self, data: bytes | None) -> None:
        if data is None:
            return
        said = msgspec.msgpack.decode(data, type=_Wanted)
        if said.process != self._process:
            self._elsewhere[said.process] = (self._clock() + _BELIEVED_S, said.keys)
            self._choose_for_all()

    def _hear_rows(self, data: bytes | None) -> None:
        if data is None:
            self._is_deaf, self._said_at = False, -_SAID_EVERY_S
            return
        told = decoded(data)
        if told.process != self._process:
            self._show(told.rows, dict(told.counts))


def _told(process: str, chosen: Chosen) -> Told:
    return Told(process, chosen.rows, tuple(chosen.counts.items()))
