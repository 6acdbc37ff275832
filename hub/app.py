"""The apps of a process, with everything that they need while they run. Decides nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from hub.console.app import console
from hub.events import EventKind, Events
from hub.housekeeping import housekeeping
from hub.leadership import Duty, leading
from hub.listener.drain import Drain
from hub.listener.lifespan import App
from hub.listener.reloading import Reload, ReloadState
from hub.listener.serving import Apps
from hub.listener.workers import Workers
from hub.operator.app import create_operator_app
from hub.partner_app import as_app, create_partner_app, partner_app
from hub.parts import running_hub
from hub.peers import following_hubs
from hub.probing import probing
from hub.role_refreshes import role_refreshes
from hub.settings import Settings
from hub.slowness import watching_slowness
from hub.store.migrations import migrate
from hub.telling import telling

DUTIES: Final[tuple[Duty, ...]] = (
    housekeeping,
    following_hubs,
    probing,
    telling,
    role_refreshes,
    watching_slowness,
)
"""What happens once in the whole hub."""


@asynccontextmanager
async def both_apps(settings: Settings, drain: Drain) -> AsyncIterator[tuple[App, App]]:
    """The partner app and the operator app of a hub that is one process."""
    await migrate(settings.database_url)
    async with running_hub(settings, drain) as hub, hub.figures.following(), leading(hub, DUTIES):
        yield create_partner_app(hub), as_app(create_operator_app(hub, console))


@asynccontextmanager
async def operator_app(settings: Settings, drain: Drain, workers: Workers) -> AsyncIterator[App]:
    """The operator app of a hub whose partner listener has processes of its own."""
    await migrate(settings.database_url)
    async with running_hub(settings, drain, workers) as hub, hub.figures.following(), leading(hub, DUTIES):
        workers.on_reloaded = partial(_note_reload, hub.events)
        yield as_app(create_operator_app(hub, console))


def _note_reload(events: Events, reload: Reload) -> None:
    if reload.state is ReloadState.FAILED:
        replaced, of_them, reason = reload.replaced, reload.workers, reload.reason or "for no reason given"
        events.happened(EventKind.RELOAD_FAILED, replaced=replaced, workers=of_them, reason=reason)
    else:
        events.over(EventKind.RELOAD_FAILED)


APPS = Apps(together=both_apps, operator=operator_app, partner=partner_app)
