from __future__ import annotations

import asyncio

import pytest

from hub.partners.deadlines import Deadlines

pytestmark = pytest.mark.anyio
PATIENCE_S = 10.0


class Waiting:
    """Counts how often it was told that its time is over."""

    def __init__(self) -> None:
        self.times = 0
        self.told = asyncio.Event()

    def expire(self) -> None:
        self.times += 1
        self.told.set()


async def test_whose_time_is_over_is_told_and_only_once() -> None:
    deadlines, late, later, now = Deadlines(), Waiting(), Waiting(), asyncio.get_running_loop().time()
    deadlines.set(late, now)
    deadlines.set(later, now + 0.1)
    async with asyncio.timeout(PATIENCE_S):
        await later.told.wait()

    assert (late.times, later.times) == (1, 1)


async def test_who_got_what_it_waited_for_is_left_alone() -> None:
    deadlines, served, late, now = Deadlines(), Waiting(), Waiting(), asyncio.get_running_loop().time()
    deadlines.set(served, now)
    deadlines.set(late, now)
    deadlines.clear(served)
    async with asyncio.timeout(PATIENCE_S):
        await late.told.wait()

    assert served.times == 0


async def test_the_next_one_is_told_although_nobody_waited_for_a_while() -> None:
    deadlines, now = Deadlines(), asyncio.get_running_loop().time()
    for late in (Waiting(), Waiting()):
        deadlines.set(late, now)
        async with asyncio.timeout(PATIENCE_S):
            await late.told.wait()
        assert late.times == 1
