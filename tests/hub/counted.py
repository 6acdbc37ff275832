"""Losses in the store of a hub that runs, as if messages had lost something."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from hub.store.database import Database
from hub.store.losses import LossCounts, LossKey, LossTally
from hub.store.records import Direction
from loadtests.hub_process import HubProcess
from routing.vocabulary import Version

FIRST = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
LAST = datetime(2026, 11, 22, 9, 30, 0, tzinfo=UTC)


def count(hub: HubProcess, platform_id: str, *losses: str, kind: str = "Connector", times: int = 3) -> None:
    """Let the platform have received 2.2.1 Connectors, or what `kind` says, that lost these, so many times each."""

    async def add() -> None:
        database = Database(f"sqlite+aiosqlite:///{hub.log.parent}/hub.db")
        keys = [LossKey(platform_id, Direction.TO, "locations", kind, loss, Version.V2_2_1) for loss in losses]
        await LossCounts(database).add(dict.fromkeys(keys, LossTally(times, FIRST, LAST, "c-1")))
        await database.close()

    asyncio.run(add())
