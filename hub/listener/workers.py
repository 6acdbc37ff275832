"""Several processes that serve partners on one socket, and the one that looks after them.

A worker that ends unasked is replaced, later and later if it keeps ending. A reload replaces all of them, one after the
other, and no message notices:

    start a new one ─▶ it accepts, beside the old one ─▶ the old one accepts no more, answers what it has, and what
        comes on its connections, for the last time on each ─▶ it ends ─▶ the next one
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final

import structlog
from structlog.typing import FilteringBoundLogger

from hub.listener.drain import Drain
from hub.listener.lifespan import App, StartFailed
from hub.listener.reloading import Reload, ReloadRefused, reloadable
from hub.listener.rules import Limits, Timing, patience_s
from hub.listener.worker_process import DRAIN, RETIRE, WorkerProcess
from hub.settings import Settings, SettingsError

log: FilteringBoundLogger = structlog.get_logger()

_SHORTEST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 10.0
_LIVED_WELL_S: Final = 30.0
_START_S: Final = 60.0
"""How long a worker may take to begin in a reload."""


class _Place:
    """Where a worker is, or is to be."""

    def __init__(self) -> None:
        self.worker: WorkerProcess | None = None
        self.ready = asyncio.Event()
        """Set while there is a worker that accepts connections."""
        self.filling = asyncio.Lock()
        """Held by whoever puts a worker here."""

    def hold(self, worker: WorkerProcess) -> None:
        self.worker = worker
        self.ready.set()

    async def wait_until_empty(self) -> str:
        """Wait until a worker has ended that nobody had replaced, and say why it did."""
        while self.worker is not None:
            worker = self.worker
            reason = await asyncio.shield(worker.end)
            if self.worker is worker:
                self.worker = None
                self.ready.clear()
                return reason
        return "there was no worker"


class Workers:
    """All workers. `start`, then `end` perhaps, and `kill` in any case."""

    def __init__(
        self,
        settings: Settings,
        partner_app: Callable[[Settings, Drain], AbstractAsyncContextManager[App]],
        listening: socket.socket,
        limits: Limits,
        timing: Timing,
    ) -> None:
        self._settings = settings
        self._partner_app = f"{partner_app.__module__}:{partner_app.__qualname__}"
        self._listening = listening
        self._limits = limits
        self._timing = timing
        self._places = [_Place() for _ in range(settings.workers)]
        self._processes: set[WorkerProcess] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._reloading: asyncio.Task[None] | None = None
        self._draining = False
        self._started = False
        self._ending = asyncio.Event()
        self.last_reload = Reload(workers=settings.workers)
        self.on_reloaded: Callable[[Reload], None] = lambda _: None
        """Called when a reload has ended, well or not."""

    async def start(self) -> None:
        """Start all workers and wait until they accept.

        Raises:
            StartFailed: one of them ended instead.
        """
        self._keepers = [asyncio.ensure_future(self._keep(place)) for place in self._places]
        ready = asyncio.gather(*(place.ready.wait() for place in self._places))
        either: list[asyncio.Future[Any]] = [ready, *self._keepers]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()  # of no effect where all are ready
            await asyncio.gather(ready, return_exceptions=True)  # or it would complain that nobody asked
        for keeper in self._keepers:
            if keeper.done():
                await keeper
        self._started = True

    def problems(self) -> list[str]:
        """Why partners may not be served as they should."""
        serving = sum(place.ready.is_set() for place in self._places)
        return [] if serving == len(self._places) else [f"{serving} of {len(self._places)} workers are serving"]

    def drain(self) -> None:
        """Have no worker take new messages."""
        self._draining = True
        for each in self._processes:
            each.tell(DRAIN)

    def reload(self) -> Reload:
        """Begin to replace all workers by new ones, with the settings that are found now.

        Raises:
            ReloadRefused: the hub is going out of service, or does so already.
            SettingsError: the settings are wrong, or need a restart.
        """
        if self._draining or self._ending.is_set() or not self._started:
            raise ReloadRefused("The hub is starting or going out of service, and replaces no workers")
        if self.last_reload.is_under_way:
            raise ReloadRefused("A reload is under way; wait until it has ended")
        settings = reloadable(self._settings)
        self.last_reload = self.last_reload.begun()
        log.info("reload_begun", workers=len(self._places), changed=self._settings.changed(settings))
        self._reloading = asyncio.ensure_future(self._reload(settings))
        return self.last_reload

    def reload_on_signal(self) -> None:
        """The same for SIGHUP, which nobody waits for."""
        try:
            self.reload()
        except (ReloadRefused, SettingsError) as error:
            log.error("reload_refused", reason=str(error))  # noqa: TRY400 - the reason says all

    async def end(self) -> None:
        """Have all workers finish what they are doing and end."""
        self._ending.set()
        if self._reloading is not None:
            self._reloading.cancel()
        for each in self._processes:
            each.finish()
        await self._all_gone()

    async def kill(self) -> None:
        """End what is left."""
        self._ending.set()
        if self._reloading is not None:
            self._reloading.cancel()
        for each in self._processes:
            each.kill()
        await self._all_gone()

    async def _all_gone(self) -> None:
        reloading = [] if self._reloading is None else [self._reloading]
        await asyncio.gather(*self._keepers, *reloading, return_exceptions=True)
        await asyncio.gather(*(each.end for each in list(self._processes)))

    async def _keep(self, place: _Place) -> None:
        """Have a worker in this place until the end."""
        pause_s = _SHORTEST_PAUSE_S
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            began = loop.time()
            try:
                async with place.filling:
                    if place.worker is None:
                        place.hold(await self._new_worker(self._settings))
                reason = await place.wait_until_empty()
            except StartFailed as error:
                reason = str(error)
            if self._ending.is_set():
                return
            if not self._started:
                raise StartFailed(reason)
            pause_s = _SHORTEST_PAUSE_S if loop.time() - began > _LIVED_WELL_S else min(2 * pause_s, _LONGEST_PAUSE_S)
            log.error("worker_ended", reason=reason, restart_in_s=pause_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause_s)

    async def _new_worker(self, settings: Settings, within_s: float | None = None) -> WorkerProcess:
        """One more worker, that accepts connections. Raises StartFailed."""
        worker = await WorkerProcess.spawn(self._partner_app, self._listening, self._limits, self._timing, settings)
        self._processes.add(worker)
        worker.end.add_done_callback(lambda _: self._processes.discard(worker))
        if self._ending.is_set():
            worker.kill()
        if self._draining:
            worker.tell(DRAIN)
        try:
            async with asyncio.timeout(within_s):
                await worker.started()
        except TimeoutError:
            worker.kill()
            raise StartFailed(f"a new worker was not ready within {within_s} s") from None
        return worker

    async def _reload(self, settings: Settings) -> None:
        try:
            for place in self._places:
                await self._replace(place, settings)
                self._settings = settings  # from now on, whoever dies is replaced by one with these, too
                self.last_reload = self.last_reload.one_more()
        except StartFailed as error:
            self.last_reload = self.last_reload.failed(str(error))
            log.error("reload_failed", reason=str(error), replaced=self.last_reload.replaced)  # noqa: TRY400 - the reason says all
        else:
            self.last_reload = self.last_reload.done()
            log.info("reload_done", workers=len(self._places), seconds=self.last_reload.seconds)
        self.on_reloaded(self.last_reload)

    async def _replace(self, place: _Place, settings: Settings) -> None:
        """Put a new worker in this place, and see the old one out. Raises StartFailed, with the old one as it was."""
        async with place.filling:
            new = await self._new_worker(settings, within_s=_START_S)
            old = place.worker
            place.hold(new)
        if old is None:
            return
        old.tell(RETIRE)
        leaving_s = self._timing.grace_s + self._limits.quiet_s + patience_s(self._timing)
        await asyncio.wait({old.end}, timeout=leaving_s)
        old.kill()
        await asyncio.shield(old.end)
