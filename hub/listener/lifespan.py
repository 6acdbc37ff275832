"""Starting and stopping an app by ASGI's lifespan protocol, with its failure as an exception instead of a log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast

from uvicorn._types import ASGI3Application, LifespanScope

App: TypeAlias = ASGI3Application


class StartFailed(Exception):
    """The process cannot serve. The message is one line that says why."""


class _Lifespan:
    def __init__(self, app: App) -> None:
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = cast(
            "LifespanScope", {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        )
        self.task = asyncio.ensure_future(app(scope, self._incoming.get, self._outgoing.put))  # type: ignore[arg-type] # plain dicts

    async def step(self, name: str) -> None:
        """Have the app start up or shut down. What it raises, or says in its place, is raised."""
        await self._incoming.put({"type": f"lifespan.{name}"})
        answer = asyncio.ensure_future(self._outgoing.get())
        await asyncio.wait({answer, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and answer.result()["type"] == f"lifespan.{name}.complete":
            return
        answer.cancel()
        await self.task  # an app that reports a failure raises it as well, or should
        raise StartFailed(f"the app ended its {name} without saying that it is complete")


@asynccontextmanager
async def running(app: App) -> AsyncIterator[None]:
    """Have this app started, and stopped at the end.

    Raises:
        Exception: whatever the app raised.
    """
    lifespan = _Lifespan(app)
    try:
        await lifespan.step("startup")
        yield
        await lifespan.step("shutdown")
    finally:
        lifespan.task.cancel()
        await asyncio.wait({lifespan.task})
