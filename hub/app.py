"""Builds every part of a hub and names every route. Decides nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.handlers import ASGIRouteHandler

from hub.amplification import Amplification
from hub.broadcasts import broadcasting
from hub.command_timeouts import command_timeouts
from hub.endpoints import client_info, credentials, versions
from hub.endpoints.errors import EXCEPTION_HANDLERS
from hub.endpoints.functional import functional_modules
from hub.housekeeping import housekeeping
from hub.hub import Hub
from hub.ids import new_id
from hub.knowledge import Knowledge
from hub.limits import Limits
from hub.listener.drain import Drain
from hub.listener.lifespan import App
from hub.listener.serving import Apps
from hub.listener.workers import Problems
from hub.loops import Loops
from hub.losses import Losses
from hub.observability import Metrics
from hub.operator.app import create_operator_app
from hub.partners.client import PartnerClient
from hub.peers import following_hubs
from hub.presence import Presence
from hub.registration import Registrar
from hub.settings import Settings
from hub.snapshots import Snapshots
from hub.spools import Spools
from hub.store.accepted_broadcasts import AcceptedBroadcasts
from hub.store.broadcast_stream import BroadcastStream
from hub.store.callback_posts import CallbackPosts
from hub.store.database import Database
from hub.store.learned import Learned
from hub.store.list_snapshots import ListSnapshots
from hub.store.live_directory import LiveDirectory
from hub.store.losses import LossCounts
from hub.store.migrations import migrate
from hub.store.platforms import Platforms
from hub.store.redis import open_redis
from hub.store.remote_parties import RemoteParties
from hub.store.return_addresses import ReturnAddresses
from hub.store.shown_ids import ShownIds
from hub.store.under_way import MessagesUnderWay
from hub.store.vault import Vault


@asynccontextmanager
async def both_apps(settings: Settings, drain: Drain) -> AsyncIterator[tuple[App, App]]:
    """The partner app and the operator app of a hub that is one process."""
    await migrate(settings.database_url)
    async with running_hub(settings, drain) as hub, housekeeping(hub), following_hubs(hub):
        yield create_partner_app(hub), as_app(create_operator_app(hub))


@asynccontextmanager
async def operator_app(settings: Settings, drain: Drain, workers: Problems) -> AsyncIterator[App]:
    """The operator app of a hub whose partner listener has processes of its own."""
    await migrate(settings.database_url)
    async with running_hub(settings, drain, workers) as hub, housekeeping(hub), following_hubs(hub):
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
        stack.callback(metrics.close)
        losses = Losses(loss_counts, metrics)
        amplification = Amplification(metrics)
        stack.callback(amplification.close)
        await directory.start()
        stack.push_async_callback(directory.stop)
        presence.start()
        stack.push_async_callback(presence.close)
        knowledge = Knowledge(Learned(database, vault, redis), directory)
        await knowledge.start()
        stack.push_async_callback(knowledge.stop)
        shown_ids = ShownIds(database)
        stack.push_async_callback(shown_ids.close)
        losses.start()
        stack.push_async_callback(losses.close)
        spools = Spools(settings.var_dir / "spool")
        stack.push_async_callback(spools.close)
        stream = None if redis is None else BroadcastStream(redis, directory.identity, new_id())
        hub = Hub(
            settings=settings,
            directory=directory,
            platforms=platforms,
            remote_parties=RemoteParties(database, directory),
            loops=Loops(None if redis is None else MessagesUnderWay(redis, directory.identity)),
            return_addresses=ReturnAddresses(database),
            shown_ids=shown_ids,
            partners=partners,
            vault=vault,
            registrar=registrar,
            presence=presence,
            knowledge=knowledge,
            losses=losses,
            loss_counts=loss_counts,
            limits=Limits(settings.rate_limit),
            metrics=metrics,
            amplification=amplification,
            drain=drain,
            accepted_broadcasts=AcceptedBroadcasts(stream, vault),
            callback_posts=CallbackPosts(redis),
            snapshots=Snapshots(None if redis is None else ListSnapshots(redis, directory.identity)),
            spools=spools,
            problems_elsewhere=problems_elsewhere,
        )
        await stack.enter_async_context(command_timeouts(hub))
        await stack.enter_async_context(broadcasting(hub))
        yield hub


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
