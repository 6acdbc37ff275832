from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from hub.store.single_flight import SingleFlight, cancelled
from tests.hub.store.opened import eventually

pytestmark = pytest.mark.anyio


class _Work:
    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        await self.may_end.wait()


async def test_calls_during_a_run_share_the_next_one() -> None:
    work = _Work()
    flight = SingleFlight(work)
    calls = [asyncio.create_task(flight())]
    await eventually(lambda: work.begun == 1, within_s=5)

    calls += [asyncio.create_task(flight()) for _ in range(5)]
    await asyncio.sleep(0)
    assert work.begun == 1

    work.may_end.set()
    await asyncio.gather(*calls)
    assert work.begun == 2


async def test_a_call_after_a_run_begins_another() -> None:
    work = _Work()
    work.may_end.set()
    flight = SingleFlight(work)

    await flight()
    await flight()

    assert work.begun == 2


async def test_a_caller_that_gives_up_stops_nobody_elses_run() -> None:
    work = _Work()
    flight = SingleFlight(work)
    impatient, patient = (asyncio.create_task(flight()) for _ in range(2))
    await eventually(lambda: work.begun == 1, within_s=5)

    impatient.cancel()
    work.may_end.set()
    await patient

    assert work.begun == 1


async def test_a_failure_reaches_its_callers_and_no_later_ones() -> None:
    failures = [ZeroDivisionError()]

    async def work() -> None:
        if failures:
            raise failures.pop()

    flight = SingleFlight(work)
    results = await asyncio.gather(flight(), flight(), return_exceptions=True)

    assert [type(each) for each in results] == [ZeroDivisionError, ZeroDivisionError]
    await flight()


async def test_a_task_that_ignores_a_cancellation_is_cancelled_again() -> None:
    async def stubborn() -> None:
        for _ in range(2):
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await cancelled([task])

    assert task.done()
