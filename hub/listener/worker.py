"""A worker: one of several processes that serve partners on the socket of their parent. Started by `workers`."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import BinaryIO

import msgspec
import uvloop

from hub.listener.drain import Drain
from hub.listener.early import end_on_signals
from hub.listener.lifespan import running
from hub.listener.port import Port
from hub.listener.rules import patience_s
from hub.listener.serving import (
    PartnerApp,
    allow_many_files,
    one_line,
    partner_rules,
    serve_partners,
    spare_from_collection,
    without_collection,
)
from hub.listener.signals import Stopped, StopSignals
from hub.listener.worker_process import DRAIN, END, READY, RETIRE, Assignment
from hub.observability import configure_logging
from hub.settings import Settings


def main() -> int:
    """Serve as assigned until told to end. Returns the exit code."""
    end_on_signals()
    _leave_to_parent()
    assignment = msgspec.json.decode(sys.argv[1], type=Assignment)
    control = socket.socket(fileno=assignment.control)
    without_collection()
    allow_many_files()
    try:
        orders = control.makefile("rb")
        settings = Settings.of_parent(msgspec.json.decode(orders.readline(), type=dict[str, str]))
        configure_logging(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(assignment, settings, control, orders))
    except Stopped:
        return 0
    except Exception as error:  # noqa: BLE001 - the parent says it, in one line
        with suppress(OSError):
            control.sendall(f"{one_line(error)}\n".encode())
        return 1
    finally:
        end_on_signals()
    return 0


def _leave_to_parent() -> None:
    """Signals that a terminal sends to all its processes: the parent decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


async def _serve(assignment: Assignment, settings: Settings, control: socket.socket, orders: BinaryIO) -> None:
    drain, retiring = Drain(settings.drain_notice_s), asyncio.Event()
    stop = StopSignals(drain.notice_s + patience_s(assignment.timing))
    stop.install()
    _leave_to_parent()
    loop = asyncio.get_running_loop()
    obeying = {
        DRAIN: partial(loop.call_soon_threadsafe, drain.begin),
        RETIRE: partial(loop.call_soon_threadsafe, retiring.set),
        END: stop.request,
    }
    threading.Thread(target=_obey, args=(orders, obeying), daemon=True).start()
    with socket.socket(fileno=assignment.listening) as listening:
        async with AsyncExitStack() as stack:
            with stop.interrupt():
                app = await stack.enter_async_context(_partner_app(assignment.partner_app)(settings, drain))
                await stack.enter_async_context(running(app))
            port = Port(app, listening, partner_rules(assignment.limits, drain, settings))
            spare_from_collection()
            await port.start()
            control.sendall(READY)
            retirement = asyncio.create_task(_retire(retiring, port, drain, stop, assignment), name="retirement")
            await serve_partners(port, drain, stop, assignment.timing)
            retirement.cancel()


async def _retire(retiring: asyncio.Event, port: Port, drain: Drain, stop: StopSignals, assignment: Assignment) -> None:
    """End once there is nothing left to do, when another worker is there in place of this one."""
    await retiring.wait()
    await port.retire(assignment.timing.grace_s + assignment.limits.quiet_s)
    drain.notice_s = 0  # nobody is left who could notice
    stop.request()


def _partner_app(name: str) -> PartnerApp:
    module, _, function = name.partition(":")
    partner_app: PartnerApp = getattr(importlib.import_module(module), function)
    return partner_app


def _obey(orders: BinaryIO, obeying: Mapping[bytes, Callable[[], object]]) -> None:
    """Follow orders, in a thread so that a busy loop cannot miss that the parent is gone."""
    for order in orders:
        with suppress(RuntimeError):  # the loop has ended already
            obeying[order]()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
