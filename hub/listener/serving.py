"""The process that serves: both listeners, from the start to the end of its life.

With one worker everything happens in this process. With more, this process has the operator listener and looks after
the workers, which share the partner listener's socket; see `workers`.

    bind both ports ─▶ start the apps ─▶ accept ─▶ … ─▶ told to end ─▶ not ready, new messages get 503
        ─▶ messages in flight finish, or their time is over ─▶ stop the apps ─▶ exit 0
"""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from typing import NamedTuple, TypeAlias

import structlog
import uvloop
from structlog.typing import FilteringBoundLogger

from hub.listener.answers import ocpi_answer, problem_answer
from hub.listener.drain import Drain
from hub.listener.early import end_on_signals
from hub.listener.forwarded import Proxies
from hub.listener.lifespan import App, StartFailed, running
from hub.listener.port import Port, bind
from hub.listener.reloading import ONE_PROCESS
from hub.listener.rules import Limits, Rules, Timing, patience_s
from hub.listener.signals import Stopped, StopSignals
from hub.listener.workers import Workers
from hub.observability import prepare_shared_metrics
from hub.settings import Settings

log: FilteringBoundLogger = structlog.get_logger()

_MOST_FILES = 65536

PartnerApp: TypeAlias = Callable[[Settings, Drain], AbstractAsyncContextManager[App]]


class Apps(NamedTuple):
    """What makes the apps, and all they need, for as long as they are needed."""

    together: Callable[[Settings, Drain], AbstractAsyncContextManager[tuple[App, App]]]
    """The partner app and the operator app, when one process has both."""
    operator: Callable[[Settings, Drain, Workers], AbstractAsyncContextManager[App]]
    """The operator app of a process that has workers, which it can replace, and of which /readyz speaks."""
    partner: PartnerApp
    """The partner app of a worker. Must be a function of a module: a worker finds it by name."""


class Serving(NamedTuple):
    """Everything that decides how a process serves."""

    settings: Settings
    apps: Apps
    ready: Callable[[], None] = lambda: None
    """Called when both listeners accept."""
    limits: Limits = Limits()
    timing: Timing = Timing()


class _Sockets(NamedTuple):
    partner: socket.socket
    operator: socket.socket


def run(serving: Serving) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code. Main thread only.

    A start that fails is one line on stderr and exit code 1.
    """
    without_collection()
    end_on_signals()
    allow_many_files()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(serving))
    except Stopped:
        return 0
    except Exception as error:
        log.debug("serving_failed", exc_info=error)
        print(f"ocpi-hub: {one_line(error)}", file=sys.stderr)  # noqa: T201 - the logs may be elsewhere
        return 1
    finally:
        gc.enable()
        end_on_signals()
    return 0


def without_collection() -> None:
    """Have no garbage collected until `spare_from_collection`.

    What a start makes stays. With 20,000 platforms, looking through it in vain would take more than half of the start.
    """
    gc.disable()


def spare_from_collection() -> None:
    """Have the garbage collector pass over what a started process consists of.

    It stays to the end, and looking through it, in vain, would stop all messages for a tenth of a second now and then.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    # Messages leave almost no cycles behind, and each makes hundreds of objects that are soon gone.
    gc.set_threshold(10_000, 20, 20)


async def serve_partners(port: Port, drain: Drain, stop: StopSignals, timing: Timing) -> None:
    """From a port that accepts to one that is closed: wait for the end, and for the messages in flight."""
    await stop.requested.wait()
    drain.begin()
    await stop.unless_hurried(_finished(drain), drain.notice_s + timing.grace_s)
    await port.stop(timing.cut_s)


async def _finished(drain: Drain) -> None:
    await drain.wait_refusing()
    await drain.wait_idle()


def partner_rules(limits: Limits, drain: Drain, settings: Settings) -> Rules:
    """What holds for partners: no message is taken any more while draining."""
    return Rules(limits, ocpi_answer, drain, refuse_when_draining=True, proxies=Proxies(settings.trusted_proxies))


def one_line(error: BaseException) -> str:
    """What a shell user reads about this."""
    text = " ".join(str(error).split())
    return text if isinstance(error, StartFailed) else f"cannot serve: {type(error).__name__}: {text}"[:500]


def allow_many_files() -> None:
    """Every connection is an open file, and shells allow few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _serve(serving: Serving) -> None:
    settings = serving.settings
    stop = StopSignals(settings.drain_notice_s + patience_s(serving.timing))
    stop.install()
    with ExitStack() as stack:
        partner = stack.enter_context(bind(settings.host, settings.port, "HUB_PORT"))
        operator = stack.enter_context(bind(settings.operator_host, settings.operator_port, "HUB_OPERATOR_PORT"))
        if settings.workers > 1:
            await _serve_with_workers(serving, _Sockets(partner, operator), stop)
        else:
            await _serve_together(serving, _Sockets(partner, operator), stop)


async def _serve_together(serving: Serving, sockets: _Sockets, stop: StopSignals) -> None:
    drain = Drain(serving.settings.drain_notice_s)
    stop.on_hangup(lambda: log.error("reload_refused", reason=ONE_PROCESS))
    async with AsyncExitStack() as stack:
        with stop.interrupt():
            apps = await stack.enter_async_context(serving.apps.together(serving.settings, drain))
            for app in apps:
                await stack.enter_async_context(running(app))
        partner = Port(apps[0], sockets.partner, partner_rules(serving.limits, drain, serving.settings))
        operator = Port(apps[1], sockets.operator, _operator_rules(serving.limits, serving.settings))
        spare_from_collection()
        await partner.start()
        await operator.start()
        serving.ready()
        await serve_partners(partner, drain, stop, serving.timing)
        await operator.stop(serving.timing.cut_s)


async def _serve_with_workers(serving: Serving, sockets: _Sockets, stop: StopSignals) -> None:
    drain, timing = Drain(serving.settings.drain_notice_s), serving.timing
    prepare_shared_metrics(serving.settings.var_dir)
    workers = Workers(serving.settings, serving.apps.partner, sockets.partner, serving.limits, timing)
    drain.on_begin(workers.drain)
    stop.on_hangup(workers.reload_on_signal)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(workers.kill)
        with stop.interrupt():
            app = await stack.enter_async_context(serving.apps.operator(serving.settings, drain, workers))
            await stack.enter_async_context(running(app))
            await workers.start()
        operator = Port(app, sockets.operator, _operator_rules(serving.limits, serving.settings))
        spare_from_collection()
        await operator.start()
        serving.ready()
        await stop.requested.wait()
        drain.begin()
        await stop.unless_hurried(workers.end(), drain.notice_s + timing.grace_s + 3 * timing.cut_s)
        await operator.stop(timing.cut_s)


def _operator_rules(limits: Limits, settings: Settings) -> Rules:
    return Rules(limits, problem_answer, Drain(), refuse_when_draining=False, proxies=Proxies(settings.trusted_proxies))
