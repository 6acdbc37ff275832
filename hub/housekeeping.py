"""What a hub does from time to time, in the one process that has the operator listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import structlog

from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from routing.errors import HubError

log: FilteringBoundLogger = structlog.get_logger()

_FIRST_S: Final = 60.0
_EVERY_S: Final = 3600.0


@asynccontextmanager
async def housekeeping(hub: Hub, *, first_s: float = _FIRST_S, every_s: float = _EVERY_S) -> AsyncIterator[None]:
    """Keep house for as long as the block runs: `first_s` seconds after its beginning, then every `every_s` seconds.

    Several replicas of a hub may do so at once.
    """
    task = asyncio.create_task(_keep_house(hub, first_s, every_s), name="housekeeping")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_house(hub: Hub, first_s: float, every_s: float) -> None:
    pause_s = first_s  # soon after a start, which may have brought new endpoints
    while True:
        await asyncio.sleep(pause_s)
        pause_s = every_s
        chores = (hub.return_addresses.drop_expired_callbacks, hub.knowledge.drop_expired, hub.registrar.rotate_due)
        for chore in chores:
            try:
                await chore(datetime.now(UTC))
            except HubError as error:
                log.warning("housekeeping_failed", chore=chore.__name__, reason=str(error))
            except Exception:  # a bug must end neither the other chores nor all later rounds
                log.exception("housekeeping_failed", chore=chore.__name__)
