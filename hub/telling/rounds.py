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
from typing import Final

import structlog

from hub.hub import Hub
from hub.leadership import Term
from hub.observability import FilteringBoundLogger
from hub.store.single_flight import cancelled
from hub.store.telling_marks import Mark, Subject, Told
from hub.telling.pushes import tell
from hub.telling.receivers import Changed, Push, Receiver, Receivers
from routing.errors import HubFault

log: FilteringBoundLogger = structlog.get_logger()

AT_ONCE: Final = 200
"""PUTs under way."""
DOUBTFUL_AT_ONCE: Final = 50
"""Of these, to platforms that did not answer the last one."""
PAUSE_S: Final = 0.05
"""Between two rounds."""
PER_ROUND: Final = 50
"""PUTs that begin in one round where messages share the process: this leaves them half of a core."""
_STARTS_IN_A_TURN: Final = 2
"""PUTs that begin before everything else in the process has its turn."""
_LOOKS_IN_A_TURN: Final = 100
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
        self._running: set[asyncio.Task[None]] = set()
        self._doubtful = 0
        self._looks = 0
        self._is_settled = is_settled
        self._per_round = PER_ROUND if hub.settings.workers == 1 else AT_ONCE
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
            await self._begin(pushes)
        elif not self._running and not self._waiting:
            await self._settle()
        if not self._waiting or not self._has_room:
            await self._wake.wait()
        await asyncio.sleep(PAUSE_S)

    async def end(self) -> None:
        """Let what is under way arrive, if it does so soon."""
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
    def _has_room(self) -> bool:
        return len(self._running) < AT_ONCE

    def _queue(self, receivers: Iterable[Receiver]) -> None:
        for receiver in receivers:
            if not receiver.is_waiting:
                receiver.is_waiting = True
                self._waiting.append(receiver)

    async def _picked(self) -> list[Push]:
        """What can begin now, with the platforms taking turns."""
        pushes: list[Push] = []
        later: list[Receiver] = []
        doubtful = self._doubtful
        room = min(AT_ONCE - len(self._running), self._per_round)
        while self._waiting and len(pushes) < room:
            receiver = self._waiting.popleft()
            receiver.is_waiting = False
            if not receiver.has_room or not self._receivers.is_current(receiver):
                continue
            if not receiver.answers and doubtful >= DOUBTFUL_AT_ONCE:
                later.append(receiver)
                continue
            push = self._receivers.next_for(receiver)
            if push is not None:
                receiver.busy.add(push.party)
                pushes.append(push)
                doubtful += not receiver.answers
                self._queue([receiver])
            self._looks += 1
            if self._looks % _LOOKS_IN_A_TURN == 0:
                await asyncio.sleep(0)
        self._queue(later)
        return pushes

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

    async def _begin(self, pushes: list[Push]) -> None:
        """Begin these. Beginning is work, too, so that everything else has its turn in between."""
        for number, push in enumerate(pushes, 1):
            self._doubtful += not push.receiver.answers
            task = asyncio.create_task(self._tell(push, is_doubtful=not push.receiver.answers))
            self._running.add(task)
            if number % _STARTS_IN_A_TURN == 0:
                await asyncio.sleep(0)

    async def _tell(self, push: Push, *, is_doubtful: bool) -> None:
        receiver = push.receiver
        try:
            if self._receivers.is_current(receiver):
                receiver.answers = await tell(push, self._hub)
            else:
                self._hub.metrics.client_info_push("offline")
        except Exception:  # a bug in one must not hold up the others
            log.exception("client_info_not_pushed", platform_id=receiver.platform.id, party=str(push.party))
        finally:
            self._doubtful -= is_doubtful
            receiver.busy.discard(push.party)
            self._running.discard(asyncio.current_task())
            self._queue([receiver])
            self._wake.set()
