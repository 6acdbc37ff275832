from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.housekeeping import housekeeping
from hub.hub import Hub
from hub.leadership import Term
from hub.store.database import Database
from hub.store.facts import TokenUsed
from hub.store.return_addresses import Callback, ReturnAddresses
from hub.store.shelves import UsedToken
from loadtests.simulator import Partner
from loadtests.simulator.server import free_port
from routing.quirks import Quirks
from routing.translation.questions import TokenFacts
from routing.vocabulary import Party
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, partner

CALLBACK_ID = "c" * 32
OFTEN_S = 0.02


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with RunningHub(tmp_path) as running:
        yield running


@pytest.fixture
def cpo(hub: RunningHub) -> Iterator[Partner]:
    with partner(CPO).running() as one:
        hub.registered(one)
        yield one


async def leave_callback(hub: Hub, one: Partner, expires_in: timedelta) -> None:
    """A callback of a platform that gives itself commands."""
    platform = hub.directory.snapshot.platform_of(one.party)
    assert platform is not None
    now = datetime.now(UTC)
    callback = Callback(
        id=CALLBACK_ID,
        response_url=f"{one.base}/results/1",
        module="commands",
        command="START_SESSION",
        originator_platform_id=platform.id,
        originator=one.party,
        receiver_platform_id=platform.id,
        receiver=one.party,
        created_at=now,
        expires_at=now + expires_in,
    )
    await hub.return_addresses.put_callback(callback)


async def kept_house(hub: Hub, until: Callable[[], Awaitable[bool]]) -> None:
    """Keep house often, until that is so."""
    task = asyncio.create_task(housekeeping(hub, Term(1), first_s=0, every_s=OFTEN_S))
    try:
        async with asyncio.timeout(10):
            while not await until():  # noqa: ASYNC110 - what is waited for happens in the store and at a partner
                await asyncio.sleep(OFTEN_S)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def callback_is_gone(hub: Hub) -> bool:
    return await hub.return_addresses.callback(CALLBACK_ID) is None


def test_callbacks_that_have_expired_are_dropped_and_others_are_kept(hub: RunningHub, cpo: Partner) -> None:
    hub.do(leave_callback(hub.hub, cpo, timedelta(hours=1)))
    platform_id = told_of_endpoints(hub, cpo)
    token = cpo.connection.our_token

    async def is_told() -> bool:  # which comes after the callbacks
        return cpo.connection.our_token != token

    hub.do(kept_house(hub.hub, is_told))
    assert hub.do(hub.hub.return_addresses.callback(CALLBACK_ID)) is not None
    assert hub.record(platform_id).handshakes == ()

    hub.in_database(f"DELETE FROM callbacks WHERE id = '{CALLBACK_ID}'")  # noqa: S608 - a constant
    hub.do(leave_callback(hub.hub, cpo, timedelta(seconds=-1)))
    hub.do(kept_house(hub.hub, lambda: callback_is_gone(hub.hub)))


def test_what_was_learned_and_is_over_is_forgotten(hub: RunningHub) -> None:
    now = datetime.now(UTC)
    party = Party("DE", "MSP")
    token = TokenFacts(party, "04A1", "RFID", "DE-MSP-C1", valid=True, last_updated="")
    used = TokenUsed(party, party, UsedToken(token, now - timedelta(days=2)))

    async def learn() -> None:
        hub.hub.knowledge._learned.note(used)
        await hub.hub.knowledge._learned._write()

    async def is_forgotten() -> bool:
        with closing(sqlite3.connect(hub.database_file)) as database:
            [(count,)] = database.execute("SELECT count(*) FROM recent_tokens").fetchall()
        return bool(count == 0)

    hub.do(learn())
    assert not hub.do(is_forgotten())

    hub.do(kept_house(hub.hub, is_forgotten))


def test_a_round_that_failed_is_not_the_last(hub: RunningHub, cpo: Partner) -> None:
    hub.do(leave_callback(hub.hub, cpo, timedelta(seconds=-1)))
    rounds = 0

    async def after_some_rounds() -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            await asyncio.to_thread(hub.in_database, "ALTER TABLE callbacks RENAME TO elsewhere")
        if rounds == 10:
            await asyncio.to_thread(hub.in_database, "ALTER TABLE elsewhere RENAME TO callbacks")
            await leave_callback_again()
        return rounds > 10 and await callback_is_gone(hub.hub)

    async def leave_callback_again() -> None:
        if await callback_is_gone(hub.hub):
            await leave_callback(hub.hub, cpo, timedelta(seconds=-1))

    hub.do(kept_house(hub.hub, after_some_rounds))


def told_of_endpoints(hub: RunningHub, one: Partner) -> str:
    """Give the hub a reason to renew the tokens of this partner."""
    platform = hub.hub.directory.snapshot.platform_of(one.party)
    assert platform is not None
    hub.do(hub.hub.platforms.change(platform.id, quirks=Quirks(custom_modules=("nlvlt-bookings",))))
    return platform.id


def test_what_fails_keeps_nothing_else_from_being_done(hub: RunningHub, cpo: Partner) -> None:
    told_of_endpoints(hub, cpo)
    token = cpo.connection.our_token
    database = Database(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none")
    broken = replace(hub.hub, return_addresses=ReturnAddresses(database))

    async def is_told() -> bool:
        return cpo.connection.our_token != token

    hub.do(kept_house(broken, is_told))
    hub.do(database.close())
