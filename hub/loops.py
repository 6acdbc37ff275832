"""Messages that go in circles between hubs.

A message to another hub, or from one, is noted while it is under way. When another hub sends it again before it has
been answered, hubs send it to each other. Noted are its X-Correlation-ID, which all hops share, and what it is: the
method, the path, and its addresses. OCPI 2.2.1, "Transport and format", Unique message IDs and Message Routing.

Without Redis this process is the only one that notes anything. Where Redis does not answer, each process has its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

import structlog
from msgspec import Struct

from hub.observability import FilteringBoundLogger
from hub.store.redis import CacheUnreachable
from hub.store.under_way import MessagesUnderWay
from routing.errors import NotRoutable, Refusal
from routing.message import RoutingHeaders
from routing.modules import Operation

log: FilteringBoundLogger = structlog.get_logger()

_LAST_S: Final = 330
"""Longer than any message may take: a process that died leaves its notes behind."""
_PAUSE_S: Final = 10.0
"""How long Redis is left alone once it has not answered."""


class Leg(Struct, frozen=True):
    """What makes one message the same on all its hops."""

    correlation_id: str
    operation: Operation
    segments: tuple[str, ...]
    paging: str
    """The query of a list, so that its pages may be read at once."""
    addresses: RoutingHeaders

    @classmethod
    def of(
        cls, correlation_id: str, operation: Operation, segments: tuple[str, ...], query: str, addresses: RoutingHeaders
    ) -> Leg:
        """The leg of a message with this query."""
        return cls(correlation_id, operation, segments, query if operation.paged else "", addresses)

    @property
    def mark(self) -> str:
        """A short word for it."""
        operation = self.operation
        said = (operation.method, operation.module, operation.interface, *self.segments, self.paging, *self.addresses)
        words = "\0".join((self.correlation_id, *map(str, said)))
        return hashlib.blake2b(words.encode(), digest_size=16).hexdigest()


class Loops:
    """Notes of messages under way. `shared` has those of all processes."""

    def __init__(self, shared: MessagesUnderWay | None) -> None:
        self._shared = shared
        self._here: set[str] = set()
        self._asked_again_at = 0.0

    @asynccontextmanager
    async def from_hub(self, leg: Leg) -> AsyncIterator[None]:
        """Note a message that another hub sent, until the block ends.

        Raises:
            NotRoutable: it is under way already.
        """
        mark = leg.mark
        if mark in self._here or not await self._begin(mark):
            raise NotRoutable("loop: this message is under way through this hub already", Refusal.LOOP)
        async with self._noted(mark):
            yield

    @asynccontextmanager
    async def to_hub(self, leg: Leg) -> AsyncIterator[None]:
        """Note a message that goes to another hub, until the block ends."""
        mark = leg.mark
        if mark in self._here:
            yield  # somebody else notes it, and ends that
            return
        await self._begin(mark)
        async with self._noted(mark):
            yield

    @asynccontextmanager
    async def _noted(self, mark: str) -> AsyncIterator[None]:
        self._here.add(mark)
        try:
            yield
        finally:
            self._here.discard(mark)
            await self._end(mark)

    async def _begin(self, mark: str) -> bool:
        """Note it for all processes; False when one of them has it noted."""
        if self._shared is None or monotonic() < self._asked_again_at:
            return True
        try:
            return await self._shared.begin(mark, _LAST_S)
        except CacheUnreachable as error:
            self._leave_alone(error)
            return True

    async def _end(self, mark: str) -> None:
        if self._shared is None or monotonic() < self._asked_again_at:
            return
        try:
            await self._shared.end(mark)
        except CacheUnreachable as error:
            self._leave_alone(error)

    def _leave_alone(self, error: CacheUnreachable) -> None:
        log.warning("loops_unseen_by_other_processes", reason=str(error) or "no answer in time")
        self._asked_again_at = monotonic() + _PAUSE_S
