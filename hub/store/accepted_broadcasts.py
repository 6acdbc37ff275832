"""Broadcasts that were accepted and are not finished, in Redis: so they survive the process that accepted them.

A stream has an entry for each, sealed, because it is what partners said. The entries that the stream's consumer group
counts as pending at a process are those it has in hand; nobody reads new ones. A process says every second that it is
there, by claiming again what it has; what nobody has claimed for `CLAIM_AFTER_S` is taken over by another, which does
what is left. A process that ends in good order gives its entries away.

About one object, each knows the one before it. It begins at a receiver when that one is done with there, whichever
process has it: pushes of one object arrive in the order in which they were accepted. Where the one before is in the
hands of the same process, it need not look: what it has in hand is in order.

Without Redis, or while that does not answer, a broadcast ends with its process.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Final, NamedTuple

import structlog
from msgspec import Struct

from hub.observability import FilteringBoundLogger
from hub.store.broadcast_stream import BroadcastStream, Kept
from hub.store.redis import CacheUnreachable
from hub.store.single_flight import cancelled
from hub.store.vault import Vault, VaultError
from routing.vocabulary import Secret

log: FilteringBoundLogger = structlog.get_logger()

CLAIM_AFTER_S: Final = 5.0
_TOUCHED_WITHIN: Final = 0.3
"""Of that time: how long a process leaves alone what it has in hand."""
_SILENT_S: Final = 1.0
"""How long Redis is not asked again after it did not answer."""
_WRITE_EVERY_S: Final = 0.002
_LOOK_EVERY_S: Final = 0.02
_SEALED_FOR: Final = "accepted broadcast"
_NO_GROUP: Final = "NOGROUP"
"""What Redis says as long as there was no broadcast, and when it has lost everything."""


class Orphan(NamedTuple):
    """A broadcast of a process that is gone, from now on in the hands of this one."""

    kept: Kept
    content: bytes
    done: frozenset[str]
    """The receivers that it was done with."""
    age_s: float


class Known(NamedTuple):
    """A broadcast in the hands of some process."""

    content: bytes
    done: frozenset[str]
    """The receivers that it is done with."""


class _Behind(Struct, eq=False):
    before: str
    waiting: Sequence[str]
    release: Callable[[Collection[str]], None]


class AcceptedBroadcasts:
    """Those of this process and, through Redis, of all others."""

    def __init__(self, stream: BroadcastStream | None, vault: Vault, *, claim_after_s: float = CLAIM_AFTER_S) -> None:
        self._stream = stream
        self._vault = vault
        self._claim_after_s = claim_after_s
        self._ours: dict[str, Kept] = {}
        self._left: dict[Kept, set[str]] = {}
        """Of what this process has in hand, kept or not: the receivers it is not done with."""
        self._behind: dict[str, _Behind] = {}
        self._progress: dict[str, list[str]] = {}
        self._finished: list[Kept] = []
        self._doubtful: deque[str] = deque(maxlen=1000)
        """Those that Redis may have, although it did not say so."""
        self._asked_again_at = 0.0
        self._is_out = False
        self._looked_at = self._present_since = monotonic()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def stop(self) -> None:
        """Say what was done, and give away what is left."""
        await cancelled(list(self._tasks.values()))
        if self._stream is None:
            return
        left = [kept.entry for kept in self._ours.values() if kept.is_ours]
        with suppress(CacheUnreachable):
            await self._write(self._stream)
            await self._stream.give_away(left)
            if left:
                log.info("broadcasts_given_away", broadcasts=len(left))
            await self._stream.forget_long_gone()

    # ------------------------------------------------------------ this process's own

    @property
    def can_keep(self) -> bool:
        """Whether there is a Redis that was not silent just now."""
        return self._stream is not None and monotonic() >= self._asked_again_at

    def name_of(self, correlation_id: str, request_id: str) -> str:
        """How a broadcast with these ids is called here, which says nothing of them."""
        return self._vault.fingerprint(f"{correlation_id} {request_id}")

    async def keep(self, kept_id: str, content: bytes, about: str, named: str) -> Kept:
        """Write a broadcast down, before it is answered. Without Redis nothing is, for which the sender cannot help."""
        if self._stream is None or not self.can_keep:
            return Kept(named=named)
        kept = Kept(kept_id, object=self._vault.fingerprint(about), named=named)
        try:
            await self._stream.accept(kept, self._vault.seal(Secret(content.decode()), _SEALED_FOR))
        except CacheUnreachable as error:
            self._doubtful.append(kept_id)
            self._is_silent(error)
            return Kept(named=named)
        if self._is_out:
            log.warning("broadcasts_kept_again")
        self._is_out = False
        return kept

    def take_up(self, kept: Kept, receivers: Sequence[str], release: Callable[[Collection[str]], None]) -> None:
        """Have this in hand from now on.

        `release` is called with those of the receivers at which it may begin: at once, where that can be told.
        """
        before = kept.before
        self._left[kept] = set(receivers)
        if kept.entry:
            self._ours[kept.id] = kept
        if not before or (before in self._ours and before not in self._behind):
            release(receivers)
            return
        self._behind[kept.id] = _Behind(before, receivers, release)
        self._begin("look", self._look)

    def done(self, kept: Kept, receiver: str) -> None:
        """This receiver has had its attempt."""
        self._left[kept].discard(receiver)
        if kept.entry and kept.is_ours:
            self._progress.setdefault(kept.id, []).append(receiver)
            self._begin("write", self._keep_writing)

    def finish(self, kept: Kept) -> None:
        """All receivers have had theirs."""
        self._left.pop(kept, None)
        if not kept.entry:
            return
        self._ours.pop(kept.id, None)
        self._progress.pop(kept.id, None)
        if kept.is_ours:
            self._finished.append(kept)
            self._begin("write", self._keep_writing)

    # ------------------------------------------------------------ questions

    def left_here(self, named: str) -> frozenset[str] | None:
        """The receivers that the newest of this name is not done with; None when this process has none in hand."""
        found = [left for kept, left in self._left.items() if kept.named == named and kept.is_ours]
        return frozenset(found[-1]) if found else None

    async def known(self, named: str) -> Known | None:
        """The newest of this name, whoever has it in hand; None when it is finished, or Redis does not say."""
        if self._stream is None or not self.can_keep:
            return None
        try:
            entry = await self._stream.entry_named(named)
            found = None if entry is None else await self._stream.read(entry)
        except CacheUnreachable:
            return None
        if found is None:
            return None
        try:
            return Known(self._vault.unseal(found.sealed, _SEALED_FOR).reveal().encode(), found.done)
        except VaultError:  # whoever adopts it says so
            return None

    # ------------------------------------------------------------ those of others

    async def look_after(self) -> list[Orphan]:
        """Say that this process is there, and take over what nobody has in hand. To be called every second."""
        found: list[Orphan] = []
        if self._stream is None:
            return found
        try:
            await self._write(self._stream)
            strangers = await self._touch(self._stream)
            if self._may_claim():
                strangers += await self._stream.claim(self._claim_after_s)
            for entry in strangers:  # what fails here is met again as a stranger
                found += await self._adopted(entry, self._stream)
        except CacheUnreachable as error:
            if _NO_GROUP in str(error):
                self._looked_at = monotonic()
            else:
                self._present_since = float("inf")
                self._is_silent(error)
        if found:
            log.warning("broadcasts_claimed", broadcasts=len(found), reason="their process is gone")
        return found

    def _may_claim(self) -> bool:
        """Whether every other process has had the time to say that it is there, since this one hears Redis."""
        now = monotonic()
        if now - self._looked_at > self._claim_after_s or self._present_since > now:
            self._present_since = now
        self._looked_at = now
        return now - self._present_since > self._claim_after_s

    async def _touch(self, stream: BroadcastStream) -> list[str]:
        """Claim again what this process has. Returns what it should have, and does not know."""
        was_away = monotonic() - self._looked_at > self._claim_after_s
        by_entry = {kept.entry: kept for kept in self._ours.values()}
        found = await stream.in_hand(0.0 if was_away else self._claim_after_s * _TOUCHED_WITHIN)
        await stream.touch([entry for entry in found if entry in by_entry])
        if not was_away:
            return [entry for entry in found if entry not in by_entry]
        for entry in by_entry.keys() - set(found):
            if (holder := await stream.holder(entry)) is not None:
                by_entry[entry].is_ours = False
                log.error("broadcast_taken_over", by=holder, reason="this process stood still for too long")
        return []

    async def _adopted(self, entry: str, stream: BroadcastStream) -> list[Orphan]:
        """What there is left to do of this entry, if anything."""
        found = await stream.read(entry)
        if found is None:
            return []
        kept, sealed, done, age_s = found
        if kept.id in self._doubtful:  # it was delivered, although Redis did not say in time that it has it
            await stream.finish(kept)
            return []
        try:
            content = self._vault.unseal(sealed, _SEALED_FOR).reveal().encode()
        except VaultError as error:
            log.error("broadcast_unreadable", reason=str(error))  # noqa: TRY400 - where it came from says nothing
            await stream.finish(kept)
            return []
        return [Orphan(kept, content, done, age_s)]

    # ------------------------------------------------------------ writing and looking

    def _begin(self, name: str, work: Callable[[BroadcastStream], Coroutine[Any, Any, None]]) -> None:
        if name not in self._tasks and self._stream is not None:
            task = asyncio.create_task(self._do(name, work(self._stream)), name=f"{name}: accepted broadcasts")
            self._tasks[name] = task

    async def _do(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # a bug must not end the next one, too
            log.exception("broadcasts_not_kept_track_of")
        finally:  # at once: what comes now has to begin anew
            del self._tasks[name]

    async def _keep_writing(self, stream: BroadcastStream) -> None:
        try:
            while self._progress or self._finished:
                await asyncio.sleep(_WRITE_EVERY_S)
                await self._write(stream)
        except CacheUnreachable as error:
            self._is_silent(error)  # the next look after everything writes it

    async def _write(self, stream: BroadcastStream) -> None:
        """Write what was done.

        Raises:
            CacheUnreachable: it is still to be written.
        """
        progress, self._progress = self._progress, {}
        finished, self._finished = self._finished, []
        try:
            if progress:
                await stream.note(progress)
                progress = {}
            while finished:
                await stream.finish(finished[-1])
                finished.pop()
        finally:  # it may fail, and it may be told to end in the middle
            self._finished += finished
            for kept_id in progress.keys() & self._ours.keys():
                self._progress[kept_id] = progress[kept_id] + self._progress.get(kept_id, [])

    async def _look(self, stream: BroadcastStream) -> None:
        """Look how far the ones before have come, until none is waited for."""
        while self._behind:
            for kept_id, behind in list(self._behind.items()):
                done = await self._done_before(behind, stream)
                released = [receiver for receiver in behind.waiting if receiver in done]
                behind.waiting = [receiver for receiver in behind.waiting if receiver not in done]
                if not behind.waiting:
                    del self._behind[kept_id]
                if released:
                    behind.release(released)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _done_before(self, behind: _Behind, stream: BroadcastStream) -> frozenset[str]:
        """The receivers with which the one before is done: all, when it is finished or nobody can tell."""
        done: frozenset[str] | None = None
        try:
            done = await stream.done(behind.before, behind.waiting)
        except CacheUnreachable as error:
            self._is_silent(error)
        return frozenset(behind.waiting) if done is None else done

    def _is_silent(self, error: CacheUnreachable) -> None:
        if not self._is_out:
            advice = "until Redis is back, broadcasts end with the process that accepted them"
            log.warning("broadcasts_not_kept", reason=str(error), advice=advice)
        self._is_out = True
        self._asked_again_at = monotonic() + _SILENT_S
