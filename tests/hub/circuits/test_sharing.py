from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.circuits import CircuitNow, Sharing, State
from hub.circuits.sharing import worst
from hub.store import shared_circuits
from hub.store.redis import CacheUnreachable, RedisClient, open_redis
from hub.store.shared_circuits import SharedCircuits
from tests.hub.store.opened import eventually

pytestmark = pytest.mark.anyio

SOON_S = 3.0
OPEN = CircuitNow(State.OPEN, 7, 30.0)
FAILING = CircuitNow(State.CLOSED, 2, 1.0)


class Process:
    """The circuits of one process."""

    def __init__(self, shared: SharedCircuits) -> None:
        self.circuits: dict[str, CircuitNow] = {}
        self.sharing = Sharing(shared)
        self.sharing.start(lambda: self.circuits, self.close)

    def close(self, platform_id: str) -> None:
        self.has(**{name: each for name, each in self.circuits.items() if name != platform_id})

    def has(self, **circuits: CircuitNow) -> None:
        self.circuits = circuits
        self.sharing.changed()

    async def hears(self, **circuits: CircuitNow) -> None:
        """Wait until these, and no more, are the circuits of others."""
        expected = {name: each.failures for name, each in circuits.items()}
        async with asyncio.timeout(SOON_S):
            while {name: each.failures for name, each in await self.sharing.others()} != expected:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.01)


@asynccontextmanager
async def processes(url: str) -> AsyncIterator[tuple[RedisClient, Process, Process]]:
    client, identity = open_redis(url), secrets.token_hex(8)
    one, other = (Process(SharedCircuits(client, identity, name)) for name in ("one", "other"))
    try:
        yield client, one, other
    finally:
        await one.sharing.stop()
        await other.sharing.stop()
        await client.aclose()


async def test_each_process_hears_of_the_circuits_of_the_others(redis_url: str) -> None:
    async with processes(redis_url) as (_, one, other):
        one.has(volt=OPEN, lind=FAILING)
        await other.hears(volt=OPEN, lind=FAILING)
        assert await one.sharing.others() == []
        told = dict(await other.sharing.others())["volt"]
        assert told.state is State.OPEN
        assert 30 <= told.for_s < 33

        one.has(lind=FAILING)
        await other.hears(lind=FAILING)
        one.has()
        await other.hears()


async def test_what_a_process_that_is_gone_said_is_believed_for_some_seconds(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_circuits, "_BELIEVED_S", 0.5)
    async with processes(redis_url) as (_, one, other):
        one.has(volt=OPEN)
        await other.hears(volt=OPEN)
        await one.sharing.stop()

        await other.hears()


async def test_an_order_closes_a_circuit_in_every_process(redis_url: str) -> None:
    async with processes(redis_url) as (client, one, other):
        assert other.sharing._shared is not None
        channel = other.sharing._shared._orders
        one.has(volt=OPEN, lind=OPEN)
        await other.hears(volt=OPEN, lind=OPEN)
        async with asyncio.timeout(SOON_S):
            while (await client.pubsub_numsub(channel))[0][1] < 2:  # noqa: ASYNC110 - Redis says nothing by itself
                await asyncio.sleep(0.01)

        await other.sharing.order_closed("volt")

        await other.hears(lind=OPEN)
        await eventually(lambda: set(one.circuits) == {"lind"}, within_s=10)


async def test_without_an_answer_of_redis_others_are_unknown(free_tcp_port: int) -> None:
    async with processes(f"redis://127.0.0.1:{free_tcp_port}/0") as (_, one, other):
        one.has(volt=OPEN)
        with pytest.raises(CacheUnreachable):
            await other.sharing.others()
        with pytest.raises(CacheUnreachable):
            await other.sharing.order_closed("volt")


async def test_without_redis_there_are_no_others() -> None:
    sharing = Sharing()
    await sharing.order_closed("volt")

    assert await sharing.others() == []


def test_the_worst_of_several_processes_is_shown() -> None:
    probing = CircuitNow(State.PROBING, 9, 5.0)

    assert worst([FAILING, OPEN]) == OPEN
    assert worst([probing, FAILING]) == probing
    assert worst([probing, OPEN]) == CircuitNow(State.OPEN, 9, 30.0)
    assert worst([FAILING, FAILING]) == FAILING
