"""What is learned, as one process of a hub has it, and facts for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.store.database import Database
from hub.store.facts import Fact, TokenSeen
from hub.store.learned import Learned
from hub.store.redis import open_redis
from hub.store.shelves import KnownToken, Lookup
from hub.store.vault import Vault
from routing.translation.questions import TokenFacts
from routing.vocabulary import Party
from tests.conftest import StoreUrls
from tests.hub.store.opened import EMSP, KEY, OUTAGE_S, SOON_S, eventually

NOW = datetime.now(UTC).replace(microsecond=0)
OTHER_EMSP = Party("FR", "OTH")
HOUR = timedelta(hours=1)
PATIENT_S = 10.0
"""How long who asks may be kept where it is not the point; the machine may be full of tests."""


@asynccontextmanager
async def learning(urls: StoreUrls, *, soon_s: float = PATIENT_S) -> AsyncIterator[Learned]:
    """One process on these stores, whose tables exist already. It has begun to hear what others learn."""
    database = Database(urls.database_url)
    redis = None if urls.redis_url is None else open_redis(urls.redis_url)
    learned = Learned(database, Vault(KEY), redis, soon_s=soon_s)
    await learned.start()
    try:
        await eventually(lambda: learned._hears_notices, within_s=OUTAGE_S)
        yield learned
    finally:
        await learned.stop()
        await database.close()
        if redis is not None:
            await redis.aclose()


def token(owner: Party = EMSP, uid: str = "04A1", **more: Any) -> TokenFacts:  # noqa: ANN401 - members of TokenFacts
    """A Token of this owner."""
    members = {"type": "RFID", "contract_id": "DE-MSP-C00001", "valid": True, "last_updated": "2026-01-01T00:00:00Z"}
    return TokenFacts(owner=owner, uid=uid, **{**members, **more})


def seen(facts: TokenFacts, until: datetime | None = None) -> TokenSeen:
    """The fact that there is this Token."""
    return TokenSeen(KnownToken(facts, until))


async def group(learned: Learned, lookup: Lookup) -> Any:  # noqa: ANN401 - any group
    """What stands there."""
    return (await learned.groups([lookup]))[lookup]


async def found_soon(learned: Learned, lookup: Lookup, expected: Any) -> None:  # noqa: ANN401 - any group
    """Wait until this stands there."""
    async with asyncio.timeout(SOON_S):
        while (await learned.groups([lookup])).get(lookup) != expected:  # noqa: ASYNC110 - another process has it, without an event
            await asyncio.sleep(0.01)


async def written(learned: Learned, *facts: Fact) -> None:
    """Have these facts written."""
    for fact in facts:
        learned.note(fact)
    await learned._write()
    assert learned.remembered.is_written
