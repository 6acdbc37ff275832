"""Replacing the workers without a lost message, and how that is getting on."""

from __future__ import annotations

from http import HTTPStatus

from litestar import get, post

from hub.hub import Hub
from hub.listener.reloading import ONE_PROCESS, Reload, ReloadRefused
from hub.listener.workers import Workers
from hub.operator.platforms import TheHub
from hub.operator.problems import Conflict, Unacceptable, documented
from hub.operator.roles import FOR_ADMINS, FOR_AUDITORS
from hub.settings import SettingsError


@post("/reload", tags=["health"], status_code=HTTPStatus.ACCEPTED, responses=documented(409, 422, 503), opt=FOR_ADMINS)
async def reload(hub: TheHub) -> Reload:
    """Replace all workers, one after the other, by new ones with the settings that are found now.

    SIGHUP does the same. No message is lost; GET says how it is getting on.
    """
    try:
        return workers_of(hub).reload()
    except ReloadRefused as error:
        raise Conflict(detail=str(error)) from None
    except SettingsError as error:
        raise Unacceptable(detail=str(error)) from None


@get("/reload", tags=["health"], responses=documented(409), opt=FOR_AUDITORS)
async def show_reload(hub: TheHub) -> Reload:
    """How the last reload is getting on."""
    return workers_of(hub).last_reload


def workers_of(hub: Hub) -> Workers:
    """Those of a hub that has some."""
    if hub.workers is None:
        raise Conflict(detail=ONE_PROCESS)
    return hub.workers
