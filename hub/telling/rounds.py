"""Who is told what next: a round takes up what changed, marks what is begun now, and begins it.

    a new directory ─▶ its news ─▶ for each platform with room the next it is told of ─▶ marks, in one transaction
        ─▶ PUTs, many at once, each platform's in their order ─▶ room again ─▶ the next round

Rounds are short and have a pause between them, as messages share the process. When there is nothing left to tell, one
mark for everybody takes the place of all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from itertools import zip_longest
from time import monotonic
from typing import Final

import structlog

from hub.hub import Hub
from hub.leadership import Term
from hub.observability import FilteringBoundLogger
from hub.store.single_flight import cancelled
from hub.store.telling_marks import Mark, Subject, Told
from hub.telling.pace import Pace
from hub.telling.pushes import tell
from hub.telling.receivers import Changed, Push, Receiver, Receivers
from routing.errors import HubFault

log: FilteringBoundLogger = structlog.get_logger()

AT_ONCE: Final = 200
"""PUTs under way."""
DOUBTFUL_AT_ONCE: Final = 50
"""Of these, and of those that are next, to platforms that did not answer the last one."""
_AHEAD: Final = range(100, 801)
"""PUTs that are marked in one transaction, before they begin; more where they begin faster."""
_LASTS_S: Final = 0.5
"""How long they are to last. A process that is killed, or does not lead any more, leaves out what it has marked."""
_SHORTLY_S: Final = 0.001
_LOOKS_IN_A_TURN: Final = 5
_AGAIN_S: Final = 1.0
_LAST_S: Final = 0.5
"""How long the end of a term waits for what is under way."""


async def telling(hub: Hub, term: Term) -> None:
    """Tell platforms of what changes, for as long as this process leads.

    Raises:
        TermOver: another process leads.
    """
    while True:
        try:
            told = await hub.telling_marks.told()
        except HubFault as error:
            log.warning("telling_waits", reason=str(error))
            await asyncio.sleep(_AGAIN_S)
        else:
            await _tell_from(told, hub, term)


async def _tell_from(told: Told, hub: Hub, term: Term) -> None:
    """Go on from there, until the directory is set back to an earlier one."""
    receivers = await asyncio.to_thread(Receivers, told, hub.directory.snapshot)
    rounds = _Rounds(receivers, hub, term, is_settled=not told.marks)
    following = asyncio.create_task(rounds.follow(), name="following the directory, to tell of it")
    try:
        while hub.directory.snapshot.revision >= receivers.directory.revision:
            await rounds.one()
    finally:
        await cancelled([following])
        await rounds.end()


class _Rounds:
    def __init__(self, receivers: Receivers, hub: Hub, term: Term, *, is_settled: bool) -> None:
        self._receivers = receivers
        self._hub = hub
        self._term = term
        self._waiting: deque[Receiver] = deque()
        """Those that may be told of something now, the one that has waited longest first."""
        self._marked: deque[Push] = deque()
        """What begins next."""
        self._ahead = _AHEAD[0]
        self._marked_at = monotonic()
        self._running: set[asyncio.Task[None]] = set()
        self._begins_soon = False
        self._pace = Pace(hub.drain)
        self._doubtful: set[Push] = set()
        """What is next, or under way, to platforms that did not answer the last one."""
        self._looks = 0
        self._is_settled = is_settled
        self._is_away = False
        self._wake = asyncio.Event()
        self._queue(receivers.everybody())

    async def follow(self) -> None:
        """Begin a round whenever the directory is replaced."""
        seen = self._receivers.directory
        while True:
            seen = await self._hub.directory.newer(seen)
            self._wake.set()

    async def one(self) -> None:
        """One round."""
        self._wake.clear()
        await self._take_in()
        pushes = await self._picked()
        if pushes:
            await self._mark(pushes)
            self._adapt(len(pushes))
            self._marked.extend(pushes)
            self._begin_soon()
        elif not self._busy and not self._waiting:
            await self._settle()
        if not self._waiting or not self._runs_short:
            await self._wake.wait()

    async def end(self) -> None:
        """Let what is under way arrive, if it does so soon."""
        self._marked.clear()
        if self._running:
            await asyncio.wait(self._running, timeout=_LAST_S)
        await cancelled(self._running)

    async def _take_in(self) -> None:
        former, directory = self._receivers.directory, self._hub.directory.snapshot
        if directory is former:
            return
        if self._receivers.take_in(directory, await asyncio.to_thread(Changed.between, former, directory)):
            self._is_settled = False
            self._queue(self._receivers.everybody())

    # ------------------------------------------------------------ what is next

    @property
    def _busy(self) -> bool:
        return bool(self._marked or self._running)

    @property
    def _runs_short(self) -> bool:
        """Whether it is time to mark more."""
        return len(self._marked) <= self._ahead // 2

    def _queue(self, receivers: Iterable[Receiver]) -> None:
        for receiver in receivers:
            if not receiver.is_waiting:
                receiver.is_waiting = True
                self._waiting.append(receiver)

    async def _picked(self) -> list[Push]:
        """What can begin next: as much as there is room for at each platform, the platforms taking turns."""
        rows: list[list[Push]] = []
        later: list[Receiver] = []
        room = self._ahead
        while self._waiting and room > 0:
            receiver = self._waiting.popleft()
            receiver.is_waiting = False
            if not receiver.answers and len(self._doubtful) >= DOUBTFUL_AT_ONCE:
                later.append(receiver)
            elif row := self._picked_for(receiver):
                rows.append(row)
                room -= len(row)
            self._looks += 1
            if self._looks % _LOOKS_IN_A_TURN == 0:
                await asyncio.sleep(0)
        self._queue(later)
        return [push for turn in zip_longest(*rows) for push in turn if push is not None]

    def _picked_for(self, receiver: Receiver) -> list[Push]:
        row: list[Push] = []
        while receiver.has_room and self._receivers.is_current(receiver):
            push = self._receivers.next_for(receiver)
            if push is None:
                break
            receiver.busy.add(push.party)
            row.append(push)
            if not receiver.answers:
                self._doubtful.add(push)
        return row

    async def _mark(self, pushes: list[Push]) -> None:
        """Note that these are begun. Nothing is sent while that cannot be noted.

        Raises:
            TermOver: another process leads.
        """
        marks = {Mark(push.receiver.platform.id, push.subject): push.place for push in pushes}
        while True:
            try:
                await self._hub.telling_marks.move(marks, self._term.number)
            except HubFault as error:
                if not self._is_away:
                    log.warning("telling_waits", reason=str(error))
                self._is_away = True
                await asyncio.sleep(_AGAIN_S)
            else:
                self._is_away = False
                return

    def _adapt(self, marked: int) -> None:
        """Mark more the next time when these came too late, and fewer when what is marked lasts too long."""
        now = monotonic()
        lasted_s, self._marked_at = now - self._marked_at, now
        if not self._marked:
            self._ahead = min(2 * self._ahead, _AHEAD[-1])
        elif lasted_s > _LASTS_S and marked >= self._ahead // 2:
            self._ahead = max(self._ahead // 2, _AHEAD[0])

    async def _settle(self) -> None:
        """Everybody was told of everything: forget what was told to whom."""
        directory = self._receivers.directory
        upto = {Subject.PARTIES: directory.revision, Subject.AGREEMENTS: directory.agreements.revision}
        if not self._is_settled:
            try:
                await self._hub.telling_marks.all_told(upto, self._term.number)
            except HubFault as error:
                log.info("telling_not_settled", reason=str(error))
                return
        self._is_settled = True
        self._receivers.forget(upto)

    # ------------------------------------------------------------ telling

    def _begin_soon(self) -> None:
        """Have more begin in the next turn of the event loop, if more may."""
        if self._can_begin and not self._begins_soon:
            self._begins_soon = True
            asyncio.get_running_loop().call_soon(self._begin_some)

    @property
    def _can_begin(self) -> bool:
        return bool(self._marked) and len(self._running) < AT_ONCE

    def _begin_some(self) -> None:
        granted = self._pace.granted()
        for _ in range(min(granted, len(self._marked), AT_ONCE - len(self._running))):
            self._running.add(asyncio.create_task(self._tell(self._marked.popleft())))
        if self._runs_short:
            self._wake.set()
        self._begins_soon = self._can_begin
        if self._begins_soon and granted:
            asyncio.get_running_loop().call_soon(self._begin_some)
        elif self._begins_soon:
            asyncio.get_running_loop().call_later(_SHORTLY_S, self._begin_some)

    async def _tell(self, push: Push) -> None:
        receiver = push.receiver
        try:
            if self._receivers.is_current(receiver):
                receiver.answers = await tell(push, self._hub)
            else:
                self._hub.metrics.client_info_push("offline")
        except Exception:  # a bug in one must not hold up the others
            log.exception("client_info_not_pushed", platform_id=receiver.platform.id, party=str(push.party))
        finally:
            self._doubtful.discard(push)
            receiver.busy.discard(push.party)
            self._queue([receiver])
            self._running.discard(asyncio.current_task())
            self._begin_soon()
            if self._runs_short:
                self._wake.set()
