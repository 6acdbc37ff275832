"""What platforms can call: every route of the partner listener, and a worker's app. Decides nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.handlers import ASGIRouteHandler

from hub.endpoints import client_info, credentials, versions
from hub.endpoints.errors import EXCEPTION_HANDLERS
from hub.endpoints.functional import functional_modules
from hub.hub import Hub
from hub.listener.drain import Drain
from hub.listener.lifespan import App
from hub.parts import running_hub
from hub.settings import Settings


@asynccontextmanager
async def partner_app(settings: Settings, drain: Drain) -> AsyncIterator[App]:
    """The partner app of a worker."""
    async with running_hub(settings, drain) as hub:
        yield create_partner_app(hub)


def create_partner_app(hub: Hub) -> App:
    """The app of the partner listener: everything a platform can call, and nothing else."""
    prefix = urlsplit(hub.settings.public_url).path.rstrip("/")
    configuration = [*versions.route_handlers, *credentials.route_handlers, *client_info.route_handlers]
    beside_the_mount = _partner_app(hub, Router(prefix or "/", route_handlers=client_info.announcements))
    modules = functional_modules(hub, beside_the_mount)
    return as_app(_partner_app(hub, Router(prefix or "/", route_handlers=configuration), modules))


def _partner_app(hub: Hub, *route_handlers: Router | ASGIRouteHandler) -> Litestar:
    return Litestar(
        route_handlers=route_handlers,
        exception_handlers=EXCEPTION_HANDLERS,
        state=State({"hub": hub}),
        openapi_config=None,
        logging_config=None,
    )


def as_app(app: Litestar) -> App:
    """Litestar and uvicorn describe ASGI in types of their own."""
    return cast("App", app)
