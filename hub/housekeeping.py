"""What a hub does from time to time, in the one process that has the operator listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog

from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from routing.errors import HubError

log: FilteringBoundLogger = structlog.get_logger()

_FIRST_S = 60.0
_EVERY_S = 3600.0


@asynccontextmanager
async def housekeeping(hub: Hub) -> AsyncIterator[None]:
    """Keep house for as long as the block runs."""
    task = asyncio.create_task(_keep_house(hub), name="housekeeping")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_house(hub: Hub) -> None:
    pause_s = _FIRST_S  # soon after a start, which may have brought new endpoints
    while True:
        await asyncio.sleep(pause_s)
        pause_s = _EVERY_S
        try:
            await hub.return_addresses.drop_expired_callbacks(datetime.now(UTC))
            await hub.registrar.rotate_due(datetime.now(UTC))
        except HubError as error:
            log.warning("housekeeping_failed", reason=str(error))
        except Exception:  # a bug in one round must not end all later ones
            log.exception("housekeeping_failed")
