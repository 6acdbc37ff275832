"""One worker, as its parent sees it: a process, and a socket pair over which it is told what to do.

The first thing it is told are its settings, so that all workers have those of the same moment, and secrets are in no
environment and on no command line. When the parent's end of the pair is gone, so is the parent, and the worker ends.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from typing import Final, Self

import msgspec
from msgspec import Struct

from hub.listener.lifespan import StartFailed
from hub.listener.rules import Limits, Timing
from hub.observability import process_ended
from hub.settings import Settings

READY: Final = b"ready\n"
DRAIN: Final = b"drain\n"
RETIRE: Final = b"retire\n"
END: Final = b"end\n"


class Assignment(Struct, frozen=True):
    """What a worker is started with. The descriptors are inherited."""

    partner_app: str
    """`module:function`"""
    listening: int
    control: int
    limits: Limits
    timing: Timing


class WorkerProcess:
    """A process that serves partners, or is about to."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        answers: asyncio.StreamReader,
        orders: asyncio.StreamWriter,
        settings: Settings,
    ) -> None:
        self.settings = settings
        self.pid = process.pid
        self.began = time.time()
        self.is_ready = False
        """Whether it accepts connections, or did so."""
        self._process = process
        self._answers = answers
        self._orders = orders
        self.end: asyncio.Future[str] = asyncio.ensure_future(self._ends())
        """Why it ended, once it has."""

    @classmethod
    async def spawn(
        cls, partner_app: str, listening: socket.socket, limits: Limits, timing: Timing, settings: Settings
    ) -> Self:
        """Start one.

        Raises:
            StartFailed: there can be no more processes, or files.
        """
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                assignment = Assignment(partner_app, listening.fileno(), theirs.fileno(), limits, timing)
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "hub.listener.worker", msgspec.json.encode(assignment).decode()),
                    stdin=asyncio.subprocess.DEVNULL,
                    env=_environment(),
                    pass_fds=(assignment.listening, assignment.control),
                )
            worker = cls(process, *await asyncio.open_connection(sock=ours), settings)
        except OSError as error:
            raise StartFailed(f"no worker can be started: {error.strerror}") from None
        worker.tell(msgspec.json.encode(settings.texts) + b"\n")
        return worker

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def started(self) -> None:
        """Wait until it accepts connections.

        Raises:
            StartFailed: it said that it cannot, or ended.
        """
        said = await self._answers.readline()
        if said != READY:
            ended = await asyncio.shield(self.end)
            raise StartFailed(said.decode().strip() or ended)
        self.is_ready = True

    def tell(self, order: bytes) -> None:
        """Give an order. A worker that is gone does not mind."""
        if not self._orders.is_closing():
            self._orders.write(order)

    def finish(self) -> None:
        """Have it finish what it is doing and end; while it starts, end at once."""
        self.tell(END)
        if self.is_alive and not self.is_ready:
            self._process.terminate()  # it is starting and does not listen yet

    def kill(self) -> None:
        """End it at once."""
        if self.is_alive:
            self._process.kill()

    async def _ends(self) -> str:
        code = await self._process.wait()
        self._orders.close()
        await asyncio.to_thread(process_ended, self.pid)  # it may have to wait for a scrape
        return f"worker {self.pid} ended with {code}"


def _environment() -> dict[str, str]:
    """That of this process without settings, and with the path on which its modules are."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith("HUB_")}
    return inherited | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
