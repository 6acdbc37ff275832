"""A worker: one of several processes that serve partners on the socket of their parent. Started by `workers`."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import socket
import sys
import threading
from contextlib import AsyncExitStack, suppress

import msgspec
import uvloop

from hub.listener.drain import Drain
from hub.listener.early import end_on_signals
from hub.listener.lifespan import running
from hub.listener.port import Port
from hub.listener.serving import (
    PartnerApp,
    allow_many_files,
    one_line,
    partner_rules,
    patience_s,
    serve_partners,
    spare_from_collection,
)
from hub.listener.signals import Stopped, StopSignals
from hub.listener.workers import DRAIN, END, READY, Assignment
from hub.observability import configure_logging
from hub.settings import Settings


def main() -> int:
    """Serve as assigned until told to end. Returns the exit code."""
    end_on_signals()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all processes; the parent decides
    assignment = msgspec.json.decode(sys.argv[1], type=Assignment)
    control = socket.socket(fileno=assignment.control)
    allow_many_files()
    try:
        settings = Settings.load()
        configure_logging(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(assignment, settings, control))
    except Stopped:
        return 0
    except Exception as error:  # noqa: BLE001 - the parent says it, in one line
        with suppress(OSError):
            control.sendall(f"{one_line(error)}\n".encode())
        return 1
    finally:
        end_on_signals()
    return 0


async def _serve(assignment: Assignment, settings: Settings, control: socket.socket) -> None:
    stop, drain = StopSignals(patience_s(assignment.timing)), Drain()
    stop.install()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders = threading.Thread(target=_obey, args=(control, asyncio.get_running_loop(), drain, stop), daemon=True)
    orders.start()
    with socket.socket(fileno=assignment.listening) as listening:
        async with AsyncExitStack() as stack:
            with stop.interrupt():
                app = await stack.enter_async_context(_partner_app(assignment.partner_app)(settings, drain))
                await stack.enter_async_context(running(app))
            port = Port(app, listening, partner_rules(assignment.limits, drain, settings))
            spare_from_collection()
            await port.start()
            control.sendall(READY)
            await serve_partners(port, drain, stop, assignment.timing)


def _partner_app(name: str) -> PartnerApp:
    module, _, function = name.partition(":")
    partner_app: PartnerApp = getattr(importlib.import_module(module), function)
    return partner_app


def _obey(control: socket.socket, loop: asyncio.AbstractEventLoop, drain: Drain, stop: StopSignals) -> None:
    """Follow orders, in a thread so that a busy loop cannot miss that the parent is gone."""
    with control.makefile("rb") as orders:
        for order in orders:
            if order == DRAIN:
                loop.call_soon_threadsafe(drain.begin)
            elif order == END:
                stop.request()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
