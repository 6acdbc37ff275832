"""Looking at partners, and settling who is OFFLINE: what the process that leads does for all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

import structlog

from hub.events import EventKind
from hub.hub import Hub
from hub.leadership import Term
from hub.observability import FilteringBoundLogger
from hub.probing.probes import Probe, is_there, look
from hub.probing.schedule import Rhythm, Schedule, Watched
from hub.store.reachability import AT_ONCE, NoAnswer
from hub.store.redis import CacheUnreachable
from routing.directory import PartyDirectory, Platform
from routing.errors import HubFault
from routing.vocabulary import ConnectionStatus, Secret

log: FilteringBoundLogger = structlog.get_logger()

LOOKS_AT_ONCE: Final = 200
_PACE_S: Final = 0.005
"""Between the beginnings of two looks: messages in this process must not wait for many at once."""
_TICK_S: Final = 0.1
_WATCH_EVERY_S: Final = 0.2
_TOGETHER_S: Final = 0.05
"""What is found in this time is written together."""
_AGAIN_S: Final = 1.0
_REGISTERED: Final = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})


async def probing(hub: Hub, term: Term) -> None:
    """Look at platforms that are silent, OFFLINE or wanted, and make them OFFLINE or CONNECTED."""
    rounds = _Rounds(hub, term)
    async with asyncio.TaskGroup() as group:
        group.create_task(rounds.watch())
        group.create_task(rounds.settle())
        group.create_task(rounds.look_at_due(group))


class _Rounds:
    def __init__(self, hub: Hub, term: Term) -> None:
        settings = hub.settings
        self._hub = hub
        self._term = term
        self._schedule = Schedule(
            Rhythm(settings.alive_after_s, settings.offline_probe_every_s, settings.offline_after_failures)
        )
        self._seen: PartyDirectory | None = None
        self._under_way = 0
        self._gone: dict[str, tuple[Watched, NoAnswer]] = {}
        self._back: dict[str, Watched] = {}
        self._found = asyncio.Event()
        self._refusing: set[str] = set()

    # ------------------------------------------------------------ who is to be looked at

    async def watch(self) -> None:
        """Follow the directory, and what other processes want looked at."""
        while True:
            self._follow()
            with suppress(CacheUnreachable):  # then this term is over soon
                now = monotonic()
                for platform_id in await self._hub.wanted_probes.taken():
                    self._schedule.wanted(platform_id, now)
            await asyncio.sleep(_WATCH_EVERY_S)

    def _follow(self) -> None:
        snapshot, before = self._hub.directory.snapshot, self._seen
        if snapshot is before:
            return
        self._seen = snapshot
        for platform_id, part in snapshot.parts.items():
            former = None if before is None else before.parts.get(platform_id)
            if former is not part:
                self._changed(part.platform, None if former is None else former.platform, is_first=before is None)

    def _changed(self, platform: Platform, before: Platform | None, *, is_first: bool) -> None:
        is_offline, now = platform.status is ConnectionStatus.OFFLINE, monotonic()
        if not is_offline and (is_first or (before is not None and before.status is ConnectionStatus.OFFLINE)):
            self._hub.events.over(EventKind.PARTNER_OFFLINE, platform_id=platform.id)
        if platform.status not in _REGISTERED:
            self._schedule.gone(platform.id)
        elif is_first:
            self._schedule.consider(platform.id, is_offline=is_offline, now=now)
        elif before is None or before.status is not platform.status or _tokens(before) != _tokens(platform):
            self._schedule.appeared(platform.id, is_offline=is_offline, now=now)
            if before is not None and _is_resumed(platform, before):
                self._schedule.wanted(platform.id, now)

    # ------------------------------------------------------------ looking

    async def look_at_due(self, group: asyncio.TaskGroup) -> None:
        """Begin the looks that are due, a few at a time."""
        while True:
            due = list(self._schedule.due(monotonic(), LOOKS_AT_ONCE - self._under_way))
            for watched in await self._silent(due):
                platform = self._platform(watched)
                if platform is not None:
                    self._schedule.begun(watched, monotonic())
                    self._under_way += 1
                    group.create_task(self._look(watched, platform), name=f"still alive check of {platform.name}")
                    await asyncio.sleep(_PACE_S)
            await asyncio.sleep(_TICK_S)

    async def _silent(self, due: Sequence[Watched]) -> list[Watched]:
        """Those of them that are to be looked at: of the ones that may have been heard of, those that were not."""
        asked = [watched.id for watched in due if watched.by_silence]
        try:
            silence = await self._hub.reachability.silence(asked) if asked else {}
        except HubFault:  # the log has it already, and nothing could be settled now
            for watched in due:
                self._schedule.later(watched, monotonic())
            return []
        silent, now = [], monotonic()
        for watched in due:
            silent_s = silence.get(watched.id)
            if silent_s is not None and silent_s < self._hub.settings.alive_after_s:
                self._schedule.heard(watched, silent_s, now)
            else:
                silent.append(watched)
        return silent

    def _platform(self, watched: Watched) -> Platform | None:
        """As it is now. None where it left, or was suspended, a moment ago."""
        part = self._hub.directory.snapshot.parts.get(watched.id)
        if watched.id not in self._schedule or part is None or part.platform.status not in _REGISTERED:
            return None
        return part.platform

    async def _look(self, watched: Watched, platform: Platform) -> None:
        revision = self._hub.directory.revision_of(platform.id)
        try:
            probes = await look(platform, self._hub)
        except Exception:  # a bug about one partner must not end the looks at others
            log.exception("still_alive_check_failed", platform_id=platform.id)
            self._schedule.ended(watched, monotonic(), is_there=not watched.is_offline)
            return
        finally:
            self._under_way -= 1
        self._schedule.ended(watched, monotonic(), is_there=is_there(probes))
        self._note(watched, platform, probes, revision)

    # ------------------------------------------------------------ what was found

    def _note(self, watched: Watched, platform: Platform, probes: Sequence[Probe], revision: int) -> None:
        why = "; ".join(dict.fromkeys(each.reason for each in probes if each.reason is not None))
        self._say(watched, platform, probes, why)
        self._gone.pop(platform.id, None)
        self._back.pop(platform.id, None)
        if not watched.is_to_turn:
            return
        if watched.is_offline:
            self._back[platform.id] = watched
        else:
            self._gone[platform.id] = watched, NoAnswer(platform.id, revision, why or "It has no connection")
        self._found.set()

    def _say(self, watched: Watched, platform: Platform, probes: Iterable[Probe], why: str) -> None:
        of = {"platform": platform.name, "platform_id": platform.id}
        refused = next((each.http_status for each in probes if each.refused), None)
        if is_there(probes):
            log.debug("partner_checked", **of)
            if platform.id in self._refusing:
                self._refusing.discard(platform.id)
                self._hub.events.over(EventKind.PARTNER_REFUSES_TOKEN, platform_id=platform.id)
        elif watched.is_offline:
            log.debug("partner_check_failed", **of, reason=why)
        else:
            log.warning("partner_check_failed", **of, reason=why)
        if refused is not None:
            self._refusing.add(platform.id)
            self._hub.events.happened(
                EventKind.PARTNER_REFUSES_TOKEN, platform_id=platform.id, http_status=str(refused)
            )

    async def settle(self) -> None:
        """Write what was found, many platforms at once, for as long as it takes."""
        while True:
            await self._found.wait()
            await asyncio.sleep(_TOGETHER_S)
            self._found.clear()
            try:
                while self._gone or self._back:
                    await self._settle_back()
                    await self._settle_gone()
            except HubFault as error:
                log.warning("statuses_not_settled", reason=str(error))
                await asyncio.sleep(_AGAIN_S)
                self._found.set()

    async def _settle_gone(self) -> None:
        some = dict(list(self._gone.items())[:AT_ONCE])
        if not some:
            return
        turned = await self._hub.reachability.gone([each for _, each in some.values()], self._term.number)
        for platform_id, (watched, found) in some.items():
            if self._gone.get(platform_id) == (watched, found):
                del self._gone[platform_id]
            if platform_id in turned:
                log.warning("partner_offline", platform_id=platform_id, reason=found.why)
                cause = EventKind.PARTNER_REFUSES_TOKEN if platform_id in self._refusing else ""
                self._hub.events.happened(
                    EventKind.PARTNER_OFFLINE, platform_id=platform_id, reason=found.why, cause=cause
                )
            else:
                self._schedule.not_turned(watched, monotonic())

    async def _settle_back(self) -> None:
        some = dict(list(self._back.items())[:AT_ONCE])
        if not some:
            return
        turned = await self._hub.reachability.back(some, self._term.number)
        for platform_id, watched in some.items():
            if self._back.get(platform_id) is watched:
                del self._back[platform_id]
            if platform_id in turned:
                log.info("partner_back", platform_id=platform_id)
            else:
                self._schedule.not_turned(watched, monotonic())


def _tokens(platform: Platform) -> list[tuple[Secret, str]]:
    """What is different once it has registered anew."""
    return [(each.authorization, each.versions_url) for each in platform.connections]


def _is_resumed(platform: Platform, before: Platform) -> bool:
    return before.status is ConnectionStatus.SUSPENDED and _tokens(before) == _tokens(platform)
