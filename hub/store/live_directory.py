"""The directory this process decides from, kept up to date.

The database holds the truth, Redis the same as one text per platform, and this process a snapshot that
is swapped whole. A change reaches the snapshot in one of these ways, the earliest counts:

1. the process that made it reads it back from the truth;
2. a notice on Redis, which may get lost;
3. a look at the revision of Redis, twice a second;
4. a look at the revision of the truth, twice a second, which waits for nothing that Redis does.

The fourth finds what a writer left undone that died after its commit, and what nobody learns from a Redis that
hangs. Whoever sees there that Redis is behind the truth, damaged, or ahead of it because the truth was restored,
repairs Redis.

Agreements are rows of the truth that change one by one, and by the thousand when a list is taken over. A process reads
those that changed since it looked last, so Redis keeps no copy of them that could be behind; it only has a notice that
wakes the look at the truth. The look asks for both revisions at once, and costs no more than one.

A snapshot goes on serving whatever happens: a store that does not answer, or that turns up empty,
removes nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

import structlog

from hub.observability import FilteringBoundLogger
from hub.store.database import Database
from hub.store.outage import Outage, ToBeTold
from hub.store.records import Changes
from hub.store.redis import AGREED, CacheDamaged, CacheUnreachable, DirectoryCache, RedisClient
from hub.store.single_flight import SingleFlight, cancelled
from hub.store.snapshot import platform_part
from hub.store.truth import DirectoryTruth, Revisions
from hub.store.vault import Vault
from routing.agreements import AgreementRules, Agreements
from routing.directory import PartyDirectory, PlatformPart
from routing.errors import HubFault

log: FilteringBoundLogger = structlog.get_logger()

FOLLOW_S = 0.5
"""Between two looks at the same store, Redis or the database."""

_SOON_S = 0.5
"""How long somebody who waits for an answer may be kept by a store that hangs."""
_AT_ONCE = 25
"""Platforms read in one step; between two steps the event loop does other work."""
_AT_ONCE_FIRST = 500
"""The same before the first snapshot, when there is no other work."""
_QUIET_S = 60.0
"""How long the same background task is silent after it reported a bug."""


class Source(Protocol):
    """Where platforms can be read from: the truth, or its cache."""

    async def changes(self, since: int, limit: int) -> Changes:
        """Platforms changed after a revision, those that changed first."""


class _Loaded(NamedTuple):
    platforms: dict[str, tuple[int, PlatformPart]]
    """Revision and part by platform id."""
    upto: int


class LiveDirectory:
    """Owns the snapshot. Without `redis` the database is all there is, which is enough for one process.

    `told` hears when one of the two stops to answer, and when it answers again. `rules` is what the operator decided
    about agreements.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        redis: RedisClient | None,
        told: ToBeTold | None = None,
        *,
        rules: AgreementRules = AgreementRules(),  # noqa: B008 - a value
    ) -> None:
        self.snapshot = PartyDirectory.of(0, [], Agreements.of(rules))
        self.reloads = 0
        """How often the snapshot was replaced."""
        self._truth = DirectoryTruth(database)
        self._vault = vault
        self._redis = redis
        self._cache: DirectoryCache | None = None
        self._cached: int | None = None  # the revision of Redis when it was asked last
        self._identity = ""
        self._revisions: dict[str, int] = {}
        self._swapping = asyncio.Lock()
        self._swapped = asyncio.Event()
        self._compare = SingleFlight(self._compare_with_truth)
        self._repair = SingleFlight(self._repair_cache)
        self._cache_moved = asyncio.Event()
        self._truth_wanted = asyncio.Event()
        self._repair_wanted = asyncio.Event()
        self._cache_is_damaged = False
        self._truth_is_lost = False
        self._truth_outage = Outage(database.name, told)
        self._cache_outage = Outage(DirectoryCache.name, told)
        self._current_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Load the first snapshot and begin to follow.

        Raises:
            HubFault: the database does not answer.
            VaultError: it was written with another secret key.
        """
        other = self._vault.other
        self._identity = await self._truth.open(self._vault.mark, None if other is None else other.mark)
        if self._redis is not None:
            self._cache = DirectoryCache(self._redis, self._identity)
        await self._load_first()
        steps: list[tuple[Callable[[], Awaitable[None]], asyncio.Event]] = [(self._compare, self._truth_wanted)]
        if self._cache is not None:
            steps += [
                (self._follow_cache, self._cache_moved),
                (self._repair, self._repair_wanted),
                (self._listen, asyncio.Event()),
            ]
        self._tasks = [asyncio.create_task(self._repeat(step, wake)) for step, wake in steps]

    async def stop(self) -> None:
        """Stop following. The snapshot stays."""
        await cancelled(self._tasks)
        await self._compare.stop()
        await self._repair.stop()

    async def refresh(self) -> None:
        """Catch up with the truth, or with Redis when the database does not answer soon."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SOON_S):
                await self._compare()
                if not self._truth_outage.is_on:
                    return
        await self._follow_cache()

    async def announce(self) -> None:
        """Take over what was just committed, here and in Redis, and tell the other processes. Never fails.

        A Redis that does not answer soon gets it later.
        """
        try:
            await self._compare()
            with suppress(TimeoutError):
                async with asyncio.timeout(_SOON_S):
                    await self._repair()
        except Exception:
            log.exception("announcement_failed")

    async def newer(self, than: PartyDirectory) -> PartyDirectory:
        """The snapshot, once it is another one than this."""
        while self.snapshot is than:
            await self._swapped.wait()
        return self.snapshot

    async def announce_agreements(self) -> None:
        """Take over what was just agreed, and have the other processes look at the truth. Never fails.

        They look by themselves soon, when Redis does not answer.
        """
        try:
            await self._compare()
            if self._cache is not None and not self._cache_outage.is_on:
                with suppress(CacheUnreachable, TimeoutError):
                    async with asyncio.timeout(_SOON_S):
                        await self._cache.notify(AGREED)
        except Exception:
            log.exception("announcement_failed")

    def problems(self) -> list[str]:
        """Why this process may be behind the truth; empty when it is not."""
        lost = [f"{self._truth.name} does not hold the directory any more"] if self._truth_is_lost else []
        outages = [each.problem for each in (self._truth_outage, self._cache_outage) if each.is_on]
        return lost + outages

    def revision_of(self, platform_id: str) -> int:
        """The revision of a platform in the snapshot; 0 when it is not in there."""
        return self._revisions.get(platform_id, 0)

    @property
    def identity(self) -> str:
        """Of the directory; empty before `start`."""
        return self._identity

    @property
    def age_s(self) -> float:
        """Seconds since the snapshot was last known to be what the truth or Redis has."""
        return time.monotonic() - self._current_at

    # ------------------------------------------------------------ the truth

    async def _compare_with_truth(self) -> None:
        """One look at the truth: catch up with it, and have Redis catch up."""
        mine = self.snapshot.revision
        try:
            latest = await self._latest()
            if latest is None:
                return
            if latest.agreements != self.snapshot.agreements.revision:
                await self._adopt_agreements(latest.agreements)
            if latest.platforms < mine:
                await self._load_again()
            elif latest.platforms > mine:
                await self._adopt(await self._load(self._truth, mine))
        except HubFault as error:
            self._truth_outage.begins(error)
        if self._cache_is_wrong:
            self._repair_wanted.set()

    async def _latest(self) -> Revisions | None:
        """Up to where the truth is; none when the database lost what it held, of which nothing can be learned."""
        latest = await self._truth.revisions()
        self._truth_outage.ends()
        if latest.identity != self._identity or (latest.platforms == 0 and self.snapshot.revision > 0):
            if not self._truth_is_lost:
                log.error("truth_lost", server=self._truth.name)
            self._truth_is_lost = True
            return None
        self._truth_is_lost = False
        self._current_at = time.monotonic()
        return latest

    async def _load_first(self) -> None:
        """Read Redis, which is faster, if it has all; the truth otherwise."""
        cached = await self._cache_revision()
        latest = await self._truth.revisions()
        await self._adopt_agreements(latest.agreements)
        if self._cache is not None and cached == latest.platforms:
            try:
                await self._adopt(await self._load(self._cache, 0, _AT_ONCE_FIRST))
            except CacheUnreachable as error:
                self._cache_outage.begins(error)
            except CacheDamaged as error:
                self._damaged(self._cache, error)
        if self.snapshot.revision < latest.platforms:
            await self._adopt(await self._load(self._truth, self.snapshot.revision, _AT_ONCE_FIRST))

    async def _load_again(self) -> None:
        """The truth is older than the snapshot, so a backup was restored: begin from the beginning."""
        log.warning("truth_restored", server=self._truth.name)
        loaded = await self._load(self._truth, 0)
        async with self._swapping:
            self._revisions = {}
            parts, agreements = _parts(loaded.platforms), self.snapshot.agreements
            self._swap(await asyncio.to_thread(PartyDirectory.of, loaded.upto, parts, agreements), loaded.platforms)

    # ------------------------------------------------------------ Redis

    async def _cache_revision(self) -> int | None:
        """Up to where Redis is complete; none without Redis. While it does not answer only `_follow_cache` asks it."""
        if self._cache is None or self._cache_outage.is_on:
            return None
        try:
            self._cached = await self._cache.revision()
        except CacheUnreachable as error:
            self._cache_outage.begins(error)
            return None
        return self._cached

    async def _follow_cache(self) -> None:
        """One look at Redis: catch up with it, or have it repaired."""
        cache, mine = self._cache, self.snapshot.revision
        if cache is None:
            return
        try:
            cached = await cache.revision()
            self._cache_outage.ends()
            self._cached = cached
            if cached > mine:
                await self._adopt(await self._load_all(cache, mine, cached))
            if cached < mine:
                self._truth_wanted.set()
            else:
                self._current_at = time.monotonic()
        except CacheUnreachable as error:
            self._cache_outage.begins(error)
        except CacheDamaged as error:
            self._damaged(cache, error)
            self._truth_wanted.set()

    def _damaged(self, cache: DirectoryCache, error: CacheDamaged) -> None:
        if not self._cache_is_damaged:
            log.warning("cache_damaged", server=cache.name, reason=str(error))
        self._cache_is_damaged = True

    @property
    def _cache_is_wrong(self) -> bool:
        return self._cached != self.snapshot.revision or self._cache_is_damaged

    async def _repair_cache(self) -> None:
        """Write what Redis lacks; everything, when what it has is wrong."""
        cache = self._cache
        if cache is None or self._cache_outage.is_on or not self._cache_is_wrong:
            return
        try:
            cached = await cache.revision()
            latest = await self._latest()  # asked second, so that only a wrong cache can be ahead of it
            if latest is None:
                return
            if cached > latest.platforms or self._cache_is_damaged:
                await cache.clear()
                self._cache_is_damaged = False
            await self._write_missing(cache)
        except CacheUnreachable as error:
            self._cache_outage.begins(error)
        except HubFault as error:
            self._truth_outage.begins(error)

    async def _write_missing(self, cache: DirectoryCache) -> None:
        since = await cache.revision()
        while (missing := await self._truth.changes(since, _AT_ONCE)).records:
            is_written = await cache.write(since, missing.records)
            since = missing.upto if is_written else await cache.revision()
        await cache.notify()
        self._cached = since

    async def _listen(self) -> None:
        if self._cache is None:
            return
        with suppress(CacheUnreachable):  # whether Redis is down, the look that this asks for will tell
            async for notice in self._cache.notices():
                (self._truth_wanted if notice == AGREED else self._cache_moved).set()
        self._cache_moved.set()

    # ------------------------------------------------------------ the snapshot

    async def _load(self, source: Source, since: int, at_once: int = _AT_ONCE) -> _Loaded:
        platforms: dict[str, tuple[int, PlatformPart]] = {}
        while True:
            changes = await source.changes(since, at_once)
            for record in changes.records:
                platforms[record.id] = record.revision, platform_part(record, self._vault)
            since = changes.upto
            if len(changes.records) < at_once:
                return _Loaded(platforms, since)
            await asyncio.sleep(0)

    async def _load_all(self, cache: DirectoryCache, since: int, upto: int) -> _Loaded:
        loaded = await self._load(cache, since)
        if loaded.upto < upto:
            raise CacheDamaged("changes are missing")
        return loaded

    async def _adopt(self, loaded: _Loaded) -> None:
        """Take over what is newer than the snapshot. A thread does it, because with many parties it takes a while."""
        async with self._swapping:
            newer = {
                platform_id: (revision, part)
                for platform_id, (revision, part) in loaded.platforms.items()
                if revision > self._revisions.get(platform_id, 0)
            }
            revision = max(self.snapshot.revision, loaded.upto)
            self._swap(await asyncio.to_thread(self.snapshot.replacing, revision, _parts(newer)), newer)

    async def _adopt_agreements(self, revision: int) -> None:
        """Take over what was agreed up to this revision of the truth; everything, if that was restored."""
        held = self.snapshot.agreements
        if revision < held.revision:
            log.warning("agreements_restored", server=self._truth.name)
            held = Agreements.of(held.rules)
        changed = await self._truth.agreements(held.revision)
        async with self._swapping:
            agreements = await asyncio.to_thread(held.replacing, revision, changed)
            self._swap(self.snapshot.agreeing(agreements), {})

    def _swap(self, snapshot: PartyDirectory, platforms: dict[str, tuple[int, PlatformPart]]) -> None:
        self.snapshot = snapshot
        self._revisions.update({platform_id: revision for platform_id, (revision, _) in platforms.items()})
        self.reloads += 1
        self._swapped.set()
        self._swapped = asyncio.Event()

    # ------------------------------------------------------------ background

    async def _repeat(self, step: Callable[[], Awaitable[None]], wake: asyncio.Event) -> None:
        """Take the step until stopped, at the latest when its pause is over. A bug in it is reported and survived."""
        silent_until = 0.0
        while True:
            try:
                await step()
            except Exception:
                if time.monotonic() >= silent_until:
                    log.exception("directory_task_failed")
                    silent_until = time.monotonic() + _QUIET_S
            with suppress(TimeoutError):
                async with asyncio.timeout(FOLLOW_S):
                    await wake.wait()
            wake.clear()


def _parts(platforms: dict[str, tuple[int, PlatformPart]]) -> list[PlatformPart]:
    return [part for _, part in platforms.values()]
