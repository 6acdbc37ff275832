"""What a hub does from time to time, in the process that leads."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

import structlog

from hub.hub import Hub
from hub.leadership import Term
from hub.observability import FilteringBoundLogger
from routing.errors import HubError

log: FilteringBoundLogger = structlog.get_logger()

_FIRST_S: Final = 60.0
_EVERY_S: Final = 3600.0


async def housekeeping(hub: Hub, _: Term, *, first_s: float = _FIRST_S, every_s: float = _EVERY_S) -> None:
    """Keep house `first_s` seconds after the beginning of a term, then every `every_s` seconds.

    What it does may be done twice: it is not written with the term.
    """
    pause_s = first_s  # soon after a start, which may have brought new endpoints
    while True:
        await asyncio.sleep(pause_s)
        pause_s = every_s
        chores = (
            hub.return_addresses.drop_expired_callbacks,
            hub.knowledge.drop_expired,
            hub.initiator.rotate_due,
            hub.event_rows.drop_old,
            hub.reachability.drop_old,
            hub.registration_steps.drop_old,
            hub.journal_store.tidy,
        )
        for chore in chores:
            try:
                await chore(datetime.now(UTC))
            except HubError as error:
                log.warning("housekeeping_failed", chore=chore.__name__, reason=str(error))
            except Exception:  # a bug must end neither the other chores nor all later rounds
                log.exception("housekeeping_failed", chore=chore.__name__)
