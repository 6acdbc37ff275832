"""A process that serves two tiny apps, for tests of its start and its end.

TEST_TIMING is the timing in JSON, TEST_MODE what shall go wrong: slow_start, failing_start, failing_partner, stuck_end.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from hub.listener.drain import Drain
from hub.listener.lifespan import App
from hub.listener.rules import Timing
from hub.listener.serving import Apps, Serving, run
from hub.listener.workers import Problems
from hub.observability import configure_logging
from hub.settings import Settings
from tests.hub.listener.raw import answer


def mode() -> str:
    return os.environ.get("TEST_MODE", "")


async def live(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await receive()
    if mode() == "slow_start":
        say("starting")
        await asyncio.sleep(60)
    if mode() == "failing_start":
        raise RuntimeError("the store\ndoes not answer")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    if mode() == "stuck_end":
        await asyncio.Event().wait()
    await send({"type": "lifespan.shutdown.complete"})


async def partner_app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Says which process it is; at /wait after so many seconds as the query says."""
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    assert scope["type"] == "http"
    if scope["path"] == "/wait":
        say("waiting")
        await asyncio.sleep(float(scope["query_string"]))
    await answer(send, 200, b"%d" % os.getpid())


def operator_app(drain: Drain, problems: Problems) -> App:
    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        assert scope["type"] == "http"
        if scope["path"] == "/drain":
            drain.begin()
        reasons = (["draining"] if drain.is_draining else []) + problems()
        await answer(send, 503 if reasons else 200, json.dumps([os.getpid(), reasons]).encode())

    return app


@asynccontextmanager
async def together(settings: Settings, drain: Drain) -> AsyncIterator[tuple[App, App]]:
    async with partner(settings, drain) as first, operator(settings, drain, list) as second:
        yield first, second


@asynccontextmanager
async def operator(_: Settings, drain: Drain, problems: Problems) -> AsyncIterator[App]:
    yield operator_app(drain, problems)


@asynccontextmanager
async def partner(_: Settings, __: Drain) -> AsyncIterator[App]:
    if mode() == "failing_partner":
        raise RuntimeError("no partners today")
    yield partner_app


def main() -> int:
    settings = Settings.load()
    configure_logging(settings)
    timing = Timing(**json.loads(os.environ.get("TEST_TIMING", "{}")))
    return run(Serving(settings, Apps(together, operator, partner), ready, timing=timing))


def ready() -> None:
    say("ready")


def say(word: str) -> None:
    """Tell the test."""
    os.write(1, f"{word}\n".encode())
