"""What an operator should know of, and what to do about it: one event for each cause, open until the cause is gone.

What happens is noted in memory, and written a second later, so nobody waits for it. While the database is away it
waits here, up to a limit, and is written with the times at which it happened when the database is back.

Strangers and partners can make events, so there is a limit to everything: of one kind about one platform there are at
most `MOST_SUBJECTS` subjects, and whatever else they come up with is counted together.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Final

import structlog
from msgspec import Struct

from hub.event_kinds import EventKind
from hub.observability import FilteringBoundLogger
from hub.store.administration_tables import SUBJECT_LENGTH
from hub.store.events import MOST_AT_ONCE, EventKey, EventRows, EventTally, Facts
from hub.store.single_flight import last_written
from routing.errors import HubError, HubFault

__all__ = ["EventKind", "Events"]

log: FilteringBoundLogger = structlog.get_logger()

WRITE_EVERY_S: Final = 1.0
MOST: Final = 20_000
"""Different events that are kept until they can be written."""
MOST_SUBJECTS: Final = 50
OTHERS: Final = "others"
"""The subject that stands for all beyond the limit."""
_QUIET_EVERY_S: Final = 60.0
_FORGET_EVERY_S: Final = 3600.0
_ASK_AGAIN_S: Final = 10.0
_FACT_LENGTH: Final = 500
_FACTS: Final = 12


class _Pending(Struct):
    """What is to be written about one event."""

    ended: bool = False
    """Whether what was open before has ended."""
    count: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    correlation_id: str | None = None
    facts: Facts = {}
    over: bool = False
    """Whether what happened since is over again."""


class Events:
    """Notes events. Neither `happened` nor `over` waits for anything, nor fails. `clock` gives seconds."""

    def __init__(
        self,
        rows: EventRows,
        *,
        write_every_s: float = WRITE_EVERY_S,
        most: int = MOST,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._rows = rows
        self._write_every_s = write_every_s
        self._most = most
        self._clock = clock
        self._pending: dict[EventKey, _Pending] = {}
        self._subjects: defaultdict[tuple[EventKind, str], set[str]] = defaultdict(set)
        self._not_open: dict[EventKey, float] = {}  # when that was found
        self._forgotten = 0
        self._is_away = False
        self._quiet_at = self._forget_at = clock()
        self._ends = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._writing = asyncio.create_task(self._write_until_the_end(), name="writing events")

    async def close(self) -> None:
        """Write what is left. It is lost, with a line in the log, when the database is away."""
        await last_written(self._writing, self._ends)
        if left := sum(each.count > 0 for each in self._pending.values()):
            log.error("events_not_written", events=left)

    def happened(
        self,
        kind: EventKind,
        *,
        platform_id: str | None = None,
        subject: str = "",
        correlation_id: str | None = None,
        **facts: str | float,
    ) -> None:
        """Open the event of this kind about this platform and subject, or count once more in the open one.

        `facts` are for the sentence an operator reads, see `hub.event_kinds`.
        """
        key = self._key(kind, platform_id, subject)
        pending = self._pending.get(key) or self._room_for(key)
        if pending is None:
            return
        pending.last_at = self._clock()
        if not pending.count:
            pending.first_at = pending.last_at
        pending.count += 1
        pending.over = False
        pending.correlation_id = correlation_id or pending.correlation_id
        pending.facts = _cut(facts)
        self._not_open.pop(key, None)

    def over(self, kind: EventKind, *, platform_id: str | None = None, subject: str = "") -> None:
        """Its cause is gone: close it, if it is open. May be said again and again."""
        key = EventKey(kind, platform_id or "", subject[:SUBJECT_LENGTH])
        pending = self._pending.get(key) or self._room_for(key)
        if pending is None:
            return
        if pending.count:
            pending.over = True
        else:
            pending.ended = True

    def server_away(self, server: str, is_away: bool) -> None:
        """Redis, or the database, stopped to answer; or it answers again."""
        kind = EventKind.REDIS_AWAY if server == "Redis" else EventKind.DATABASE_AWAY
        if is_away:
            self.happened(kind)
        else:
            self.over(kind)

    def id_taken(self, viewer: str, owner: str, kind: str, id_: str) -> None:
        """An object of this owner's is shown to a platform under another id: somebody else has it."""
        reason = f"{kind} {id_} of {owner} is shown to it under another id"
        self.happened(EventKind.ID_CLASH, platform_id=viewer, subject=f"ids of {owner}", reason=reason)

    def _key(self, kind: EventKind, platform_id: str | None, subject: str) -> EventKey:
        about = platform_id or ""
        if subject:
            subject = subject[:SUBJECT_LENGTH]
            known = self._subjects[kind, about]
            if subject not in known:
                if len(known) >= MOST_SUBJECTS:
                    subject = OTHERS
                known.add(subject)
        return EventKey(kind, about, subject)

    def _room_for(self, key: EventKey) -> _Pending | None:
        if len(self._pending) >= self._most:
            self._forgotten += 1
            return None
        pending = self._pending[key] = _Pending()
        return pending

    # ------------------------------------------------------------ writing

    async def _write_until_the_end(self) -> None:
        is_last = False
        while not is_last:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._write_every_s):
                    is_last = await self._ends.wait()
            try:
                await self._write()
                await self._tidy_up()
            except HubFault as error:
                self._away(str(error))
            except Exception:  # a bug in one round must not end all later ones
                log.exception("events_not_written")
            else:
                self._there_again()

    async def _write(self) -> None:
        due = await self._due()
        for first in range(0, len(due), MOST_AT_ONCE):
            some = due[first : first + MOST_AT_ONCE]
            taken = {key: self._pending.pop(key) for key in some}
            try:
                await self._rows.write(
                    [key for key, each in taken.items() if each.ended],
                    {key: self._tally(each) for key, each in taken.items() if each.count},
                    [key for key, each in taken.items() if each.over],
                )
            except (HubFault, asyncio.CancelledError):
                self._put_back(taken)
                raise
            except HubError as error:
                log.error("events_refused", events=len(taken), reason=str(error))  # noqa: TRY400 - the reason says all
            now = self._clock()
            self._not_open |= {key: now for key, each in taken.items() if each.over or not each.count}

    async def _due(self) -> list[EventKey]:
        """What is to be written now. What has only ended is asked for first: most of it was not open at all."""
        now = self._clock()
        happened = [key for key, each in self._pending.items() if each.count]
        ended = [key for key, each in self._pending.items() if not each.count]
        asked = [key for key in ended if now - self._not_open.get(key, -_ASK_AGAIN_S) >= _ASK_AGAIN_S]
        for first in range(0, len(asked), MOST_AT_ONCE):
            some = asked[first : first + MOST_AT_ONCE]
            found = await self._rows.open_among(some)
            for key in some:
                if key in found or self._pending[key].count:
                    happened.append(key)
                else:
                    del self._pending[key]
                    self._not_open[key] = now
        return happened

    def _tally(self, pending: _Pending) -> EventTally:
        now = self._clock()
        return EventTally(
            pending.count, now - pending.first_at, now - pending.last_at, pending.correlation_id, pending.facts
        )

    def _put_back(self, taken: dict[EventKey, _Pending]) -> None:
        for key, old in taken.items():
            new = self._pending.get(key)
            if new is None:
                self._pending[key] = old
            elif not new.count:
                old.over, old.ended = old.over or bool(old.count), old.ended or new.ended
                self._pending[key] = old
            else:
                new.first_at = old.first_at if old.count else new.first_at
                new.count += old.count
                new.ended = old.ended

    async def _tidy_up(self) -> None:
        now = self._clock()
        self._not_open = {key: at for key, at in self._not_open.items() if now - at < _ASK_AGAIN_S}
        if now - self._forget_at >= _FORGET_EVERY_S:
            self._forget_at = now
            self._subjects.clear()
        if now - self._quiet_at >= _QUIET_EVERY_S:
            self._quiet_at = now
            await self._rows.close_quiet()

    def _away(self, reason: str) -> None:
        if not self._is_away:
            log.warning("events_wait", reason=reason)
        self._is_away = True

    def _there_again(self) -> None:
        if self._forgotten:
            log.error("events_not_noted", events=self._forgotten)
        self._forgotten, self._is_away = 0, False


def _cut(facts: dict[str, str | float]) -> Facts:
    """Facts may come from partners, who must not fill the memory with them."""
    some = list(facts.items())[:_FACTS]
    return {name: value[:_FACT_LENGTH] if isinstance(value, str) else value for name, value in some}
