"""Listeners for raw sockets, on the event loop that the hub uses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import pytest

from hub.listener.answers import Renderer, ocpi_answer
from hub.listener.drain import Drain
from hub.listener.port import Port, bind
from hub.listener.rules import Limits, Rules
from tests.hub.listener.raw import App, Listening

PATIENT = Limits(head_s=30, body_s=30, idle_s=0.5, write_s=30, linger_s=30)
"""No deadline comes before what a test is about, however busy the machine is; only who has his answers is let go."""
IMPATIENT = Limits(head_s=0.5, body_s=0.6, idle_s=0.5, write_s=0.5, linger_s=0.4)
"""For tests of the deadlines themselves."""

Listen: TypeAlias = Callable[..., AbstractAsyncContextManager[Listening]]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": True}


@asynccontextmanager
async def listening(limits: Limits = PATIENT, render: Renderer = ocpi_answer) -> AsyncIterator[Listening]:
    """A listener on a free port."""
    app, drain = App(), Drain()
    with bind("127.0.0.1", 0, "HUB_PORT") as free:
        port = Port(app, free, Rules(limits, render, drain, refuse_when_draining=True), tick_s=0.02)
        number = free.getsockname()[1]
        await port.start()
        it = Listening(app, port, number, drain, limits, [])
        try:
            yield it
        finally:
            app.go.set()
            for client in it.clients:
                await client.close()
            await port.stop(1)


@pytest.fixture
def listen() -> Listen:
    """Make a listener with other limits, or other words."""
    return listening


@pytest.fixture
async def listener(anyio_backend: object) -> AsyncIterator[Listening]:  # noqa: ARG001 - an async fixture needs it
    """A listener as partners meet it, but for the time between two requests."""
    async with listening() as it:
        yield it


@pytest.fixture
async def hasty(anyio_backend: object) -> AsyncIterator[Listening]:  # noqa: ARG001 - an async fixture needs it
    """A listener with short deadlines."""
    async with listening(IMPATIENT) as it:
        yield it


@pytest.fixture
def behind() -> Iterator[ThreadPoolExecutor]:
    """For requests that take their time."""
    with ThreadPoolExecutor(4) as pool:
        yield pool
