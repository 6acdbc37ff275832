"""SIGTERM, SIGINT and SIGHUP while a process serves."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from hub.listener.early import END_SIGNALS


class Stopped(Exception):
    """The process was told to end while it was still starting."""


def _has_terminal() -> bool:
    return any(map(os.isatty, (0, 1, 2)))


class StopSignals:
    """Tells the event loop when the process shall end: once to end well, twice to end now.

    Whatever hangs, the process is gone `patience_s` seconds after the first signal. Made on the event loop.
    """

    def __init__(self, patience_s: float) -> None:
        self.requested = asyncio.Event()
        self.hurried = asyncio.Event()
        self._patience_s = patience_s
        self._loop = asyncio.get_running_loop()
        self._starting: asyncio.Task[Any] | None = None
        self._has_terminal = _has_terminal()

    def install(self) -> None:
        """Take over the signals to end. Main thread only."""
        for number in END_SIGNALS:
            signal.signal(number, self._handle)

    def on_hangup(self, reload: Callable[[], None]) -> None:
        """Have SIGHUP reload. It ends the process as ever when it means that its terminal is gone. Main thread only."""

        def handle(number: int, frame: FrameType | None) -> None:
            if self._has_terminal and not _has_terminal():
                self._handle(number, frame)
            else:
                self._loop.call_soon_threadsafe(reload)

        signal.signal(signal.SIGHUP, handle)

    @contextmanager
    def interrupt(self) -> Iterator[None]:
        """Leave this block when the process shall end.

        Raises:
            Stopped: it shall, and what the block had begun was cancelled.
        """
        self._starting = asyncio.current_task()
        try:
            if self.requested.is_set():
                raise Stopped
            yield
        except asyncio.CancelledError:
            if not self.requested.is_set():
                raise
            raise Stopped from None
        finally:
            self._starting = None

    async def unless_hurried(self, work: Coroutine[Any, Any, None], within_s: float) -> None:
        """Wait for this work: so long, or until the process shall end now."""
        tasks = [asyncio.ensure_future(work), asyncio.ensure_future(self.hurried.wait())]
        _, waiting = await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()

    def request(self) -> None:
        """Do what a signal does. From any thread."""
        if self._loop.is_closed():
            os._exit(0)
        if not self.requested.is_set():
            watchdog = threading.Timer(self._patience_s, os._exit, [1])
            watchdog.daemon = True
            watchdog.start()
        self._loop.call_soon_threadsafe(self._pass_on)

    def _handle(self, _: int, __: FrameType | None) -> None:
        self.request()

    def _pass_on(self) -> None:
        if self.requested.is_set():
            self.hurried.set()
        self.requested.set()
        if self._starting is not None:
            self._starting.cancel()
