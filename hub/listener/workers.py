"""Several processes that serve partners on one socket, and the one that looks after them.

A worker is told what to do through a socket pair. When the other end of it is gone, so is the parent, and the worker
ends. A worker that ends unasked is replaced, later and later if it keeps ending.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
import structlog
from msgspec import Struct
from prometheus_client import multiprocess
from structlog.typing import FilteringBoundLogger

from hub.listener.drain import Drain
from hub.listener.lifespan import App, StartFailed
from hub.listener.rules import Limits, Timing
from hub.settings import Settings

log: FilteringBoundLogger = structlog.get_logger()

Problems: TypeAlias = Callable[[], list[str]]

READY: Final = b"ready\n"
DRAIN: Final = b"drain\n"
END: Final = b"end\n"

_METRICS: Final = "PROMETHEUS_MULTIPROC_DIR"
_SHORTEST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 10.0
_LIVED_WELL_S: Final = 30.0


class Assignment(Struct, frozen=True):
    """What a worker is started with. The descriptors are inherited."""

    partner_app: str
    """`module:function`"""
    listening: int
    control: int
    limits: Limits
    timing: Timing


def prepare_metrics(var_dir: Path) -> None:
    """Have the metrics of all processes counted together, from zero. To be called before any metric is made."""
    directory = Path(os.environ.setdefault(_METRICS, str((var_dir / "metrics").absolute())))
    directory.mkdir(parents=True, exist_ok=True)
    for file in directory.glob("*.db"):
        file.unlink()


class _Worker(NamedTuple):
    """One process and the connection to it."""

    process: asyncio.subprocess.Process
    answers: asyncio.StreamReader
    orders: asyncio.StreamWriter

    def tell(self, order: bytes) -> None:
        """Give an order. A worker that is gone does not mind."""
        if not self.orders.is_closing():
            self.orders.write(order)


class _Place:
    """Where a worker is, or is to be."""

    def __init__(self) -> None:
        self.worker: _Worker | None = None
        self.ready = asyncio.Event()
        """Set while there is a worker that accepts connections."""


class Workers:
    """All workers. `start`, then `end` perhaps, and `kill` in any case."""

    def __init__(
        self,
        count: int,
        partner_app: Callable[[Settings, Drain], AbstractAsyncContextManager[App]],
        listening: socket.socket,
        limits: Limits,
        timing: Timing,
    ) -> None:
        self._partner_app = f"{partner_app.__module__}:{partner_app.__qualname__}"
        self._listening = listening
        self._limits = limits
        self._timing = timing
        self._places = [_Place() for _ in range(count)]
        self._keepers: list[asyncio.Task[None]] = []
        self._draining = False
        self._started = False
        self._ending = asyncio.Event()

    async def start(self) -> None:
        """Start all workers and wait until they accept.

        Raises:
            StartFailed: one of them ended instead.
        """
        self._keepers = [asyncio.ensure_future(self._keep(place)) for place in self._places]
        ready = asyncio.gather(*(place.ready.wait() for place in self._places))
        either: list[asyncio.Future[Any]] = [ready, *self._keepers]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for keeper in self._keepers:
            if keeper.done():
                ready.cancel()
                await keeper
        self._started = True

    def problems(self) -> list[str]:
        """Why partners may not be served as they should."""
        serving = sum(place.ready.is_set() for place in self._places)
        return [] if serving == len(self._places) else [f"{serving} of {len(self._places)} workers are serving"]

    def drain(self) -> None:
        """Have no worker take new messages."""
        self._draining = True
        self._tell(DRAIN)

    async def end(self) -> None:
        """Have all workers finish what they are doing and end."""
        self._ending.set()
        self._tell(END)
        for place in self._places:
            if place.worker is not None and place.worker.process.returncode is None and not place.ready.is_set():
                place.worker.process.terminate()  # it is starting and does not listen yet
        await self._all_gone()

    async def kill(self) -> None:
        """End what is left."""
        self._ending.set()
        for place in self._places:
            if place.worker is not None and place.worker.process.returncode is None:
                place.worker.process.kill()
        await self._all_gone()

    async def _all_gone(self) -> None:
        await asyncio.gather(*self._keepers, return_exceptions=True)

    def _tell(self, order: bytes) -> None:
        for place in self._places:
            if place.worker is not None:
                place.worker.tell(order)

    async def _keep(self, place: _Place) -> None:
        """Have a worker in this place until the end."""
        pause_s = _SHORTEST_PAUSE_S
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            began = loop.time()
            try:
                place.worker = await self._spawn()
                reason = await self._follow(place.worker, place)
            except OSError as error:
                reason = f"no worker can be started: {error.strerror}"
            if self._ending.is_set():
                return
            if not self._started:
                raise StartFailed(reason)
            pause_s = _SHORTEST_PAUSE_S if loop.time() - began > _LIVED_WELL_S else min(2 * pause_s, _LONGEST_PAUSE_S)
            log.error("worker_ended", reason=reason, restart_in_s=pause_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause_s)

    async def _spawn(self) -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            assignment = Assignment(
                self._partner_app, self._listening.fileno(), theirs.fileno(), self._limits, self._timing
            )
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hub.listener.worker", msgspec.json.encode(assignment).decode()),
                stdin=asyncio.subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                pass_fds=(assignment.listening, assignment.control),
            )
        return _Worker(process, *await asyncio.open_connection(sock=ours))

    async def _follow(self, worker: _Worker, place: _Place) -> str:
        """Stay with a worker to its end, and say why it ended."""
        if self._ending.is_set():
            worker.process.kill()
        if self._draining:
            worker.tell(DRAIN)
        said = await worker.answers.readline()
        if said == READY:
            place.ready.set()
        code = await worker.process.wait()
        place.ready.clear()
        worker.orders.close()
        multiprocess.mark_process_dead(worker.process.pid)  # type: ignore[no-untyped-call] # the library lacks types here
        return said.decode().strip() if said not in {READY, b""} else f"worker {worker.process.pid} ended with {code}"
