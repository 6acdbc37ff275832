"""Builds every part of a hub and names every route. Decides nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

from litestar import Litestar, Router
from litestar.datastructures import State

from hub.command_timeouts import command_timeouts
from hub.endpoints import client_info, credentials, versions
from hub.endpoints.errors import EXCEPTION_HANDLERS
from hub.endpoints.functional import FunctionalApp
from hub.housekeeping import housekeeping
from hub.hub import Hub
from hub.knowledge import Knowledge
from hub.limits import Limits
from hub.listener.drain import Drain
from hub.listener.lifespan import App
from hub.listener.serving import Apps
from hub.listener.workers import Problems
from hub.losses import Losses
from hub.observability import Metrics
from hub.operator.app import create_operator_app
from hub.partners.client import PartnerClient
from hub.presence import Presence
from hub.registration import Registrar
from hub.settings import Settings
from hub.store.database import Database
from hub.store.learned import Learned
from hub.store.live_directory import LiveDirectory
from hub.store.losses import LossCounts
from hub.store.migrations import migrate
from hub.store.platforms import Platforms
from hub.store.redis import open_redis
from hub.store.return_addresses import ReturnAddresses
from hub.store.vault import Vault


@asynccontextmanager
async def both_apps(settings: Settings, drain: Drain) -> AsyncIterator[tuple[App, App]]:
    """The partner app and the operator app of a hub that is one process."""
    await migrate(settings.database_url)
    async with running_hub(settings, drain) as hub, housekeeping(hub):
        yield create_partner_app(hub), as_app(create_operator_app(hub))


@asynccontextmanager
async def operator_app(settings: Settings, drain: Drain, workers: Problems) -> AsyncIterator[App]:
    """The operator app of a hub whose partner listener has processes of its own."""
    await migrate(settings.database_url)
    async with running_hub(settings, drain, workers) as hub, housekeeping(hub):
        yield as_app(create_operator_app(hub))


@asynccontextmanager
async def partner_app(settings: Settings, drain: Drain) -> AsyncIterator[App]:
    """The partner app of a worker."""
    async with running_hub(settings, drain) as hub:
        yield create_partner_app(hub)


APPS = Apps(together=both_apps, operator=operator_app, partner=partner_app)


def as_app(app: Litestar) -> App:
    """Litestar and uvicorn describe ASGI in types of their own."""
    return cast("App", app)


@asynccontextmanager
async def running_hub(settings: Settings, drain: Drain, problems_elsewhere: Problems = list) -> AsyncIterator[Hub]:
    """The parts of a hub, started; stopped in the opposite order at the end."""
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url)
        stack.push_async_callback(database.close)
        redis = None
        if settings.redis_url is not None:
            redis = open_redis(settings.redis_url)
            stack.push_async_callback(redis.aclose)
        vault = Vault(settings.secret_key)
        directory = LiveDirectory(database, vault, redis)
        partners = PartnerClient(own_ports=(settings.port, settings.operator_port))
        stack.push_async_callback(partners.close)
        platforms = Platforms(database, vault, directory, settings.hub_party)
        presence = Presence(
            partners,
            platforms,
            connect_timeout_s=settings.connect_timeout_s,
            allow_private=settings.allow_private_partners,
        )
        registrar = Registrar(
            settings=settings, directory=directory, platforms=platforms, partners=partners, vault=vault
        )
        metrics, loss_counts = Metrics(), LossCounts(database)
        losses = Losses(loss_counts, metrics)
        await directory.start()
        stack.push_async_callback(directory.stop)
        presence.start()
        stack.push_async_callback(presence.close)
        knowledge = Knowledge(Learned(database, vault, redis), directory)
        await knowledge.start()
        stack.push_async_callback(knowledge.stop)
        losses.start()
        stack.push_async_callback(losses.close)
        hub = Hub(
            settings=settings,
            directory=directory,
            platforms=platforms,
            return_addresses=ReturnAddresses(database),
            partners=partners,
            vault=vault,
            registrar=registrar,
            presence=presence,
            knowledge=knowledge,
            losses=losses,
            loss_counts=loss_counts,
            limits=Limits(settings.rate_limit),
            metrics=metrics,
            drain=drain,
            problems_elsewhere=problems_elsewhere,
        )
        await stack.enter_async_context(command_timeouts(hub))
        yield hub


def create_partner_app(hub: Hub) -> App:
    """The app of the partner listener: everything a platform can call, and nothing else."""
    prefix = urlsplit(hub.settings.public_url).path.rstrip("/")
    configuration = Router(
        prefix or "/",
        route_handlers=[*versions.route_handlers, *credentials.route_handlers, *client_info.route_handlers],
    )
    rest = Litestar(
        route_handlers=[configuration],
        exception_handlers=EXCEPTION_HANDLERS,
        state=State({"hub": hub}),
        openapi_config=None,
        logging_config=None,
    )
    return FunctionalApp(hub, as_app(rest))
