"""A process that serves two tiny apps, for tests of its start and its end.

TEST_TIMING is the timing in JSON, TEST_MODE what shall go wrong: slow_start, failing_start, failing_partner, stuck_end.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from hub.listener.drain import Drain
from hub.listener.lifespan import App
from hub.listener.reloading import ReloadRefused
from hub.listener.rules import Limits, Timing
from hub.listener.serving import Apps, Serving, run
from hub.listener.workers import Workers
from hub.observability import configure_logging
from hub.settings import Settings, SettingsError
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


def partner_app(settings: Settings) -> App:
    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Says which process it is; at /wait after so many seconds as the query says, at /timeout what a setting is."""
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        assert scope["type"] == "http"
        if scope["path"] == "/wait":
            say("waiting")
            await asyncio.sleep(float(scope["query_string"]))
        said = f"{settings.forward_timeout_s}" if scope["path"] == "/timeout" else f"{os.getpid()}"
        await answer(send, 200, said.encode())

    return app


def operator_app(drain: Drain, workers: Workers | None) -> App:
    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        assert scope["type"] == "http"
        if scope["path"] == "/drain":
            drain.begin()
        if workers is not None and scope["path"] == "/reload":
            try:
                workers.reload()
            except (ReloadRefused, SettingsError) as error:
                await answer(send, 409, str(error).encode())
                return
        if workers is not None and scope["path"] in {"/reload", "/reloaded"}:
            await answer(send, 200, msgspec.json.encode(workers.last_reload))
            return
        reasons = (["draining"] if drain.is_draining else []) + ([] if workers is None else workers.problems())
        await answer(send, 503 if reasons else 200, json.dumps([os.getpid(), reasons]).encode())

    return app


@asynccontextmanager
async def together(settings: Settings, drain: Drain) -> AsyncIterator[tuple[App, App]]:
    async with partner(settings, drain) as first, operator(settings, drain, None) as second:
        yield first, second


@asynccontextmanager
async def operator(_: Settings, drain: Drain, workers: Workers | None) -> AsyncIterator[App]:
    yield operator_app(drain, workers)


@asynccontextmanager
async def partner(settings: Settings, _: Drain) -> AsyncIterator[App]:
    if mode() == "failing_partner" or os.path.exists("no-partners"):  # noqa: ASYNC240, PTH110 - nobody waits for it
        raise RuntimeError("no partners today")
    yield partner_app(settings)


def main() -> int:
    settings = Settings.load()
    configure_logging(settings)
    timing = Timing(**json.loads(os.environ.get("TEST_TIMING", "{}")))
    limits = Limits(quiet_s=0.5)
    return run(Serving(settings, Apps(together, operator, partner), ready, limits, timing))


def ready() -> None:
    say("ready")


def say(word: str) -> None:
    """Tell the test."""
    os.write(1, f"{word}\n".encode())
