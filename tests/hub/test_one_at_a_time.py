"""Messages about one object follow one another."""

from __future__ import annotations

import asyncio

import pytest

from hub.one_at_a_time import OneAtATime
from routing.errors import ReceiverUnreachable

pytestmark = pytest.mark.anyio

PATIENCE_S = 5.0


async def test_turns_come_in_the_order_of_asking_and_never_together() -> None:
    queue, order, inside = OneAtATime(), list[int](), 0

    async def take_turn(number: int) -> None:
        nonlocal inside
        async with queue.turn("S1", PATIENCE_S):
            inside += 1
            assert inside == 1
            order.append(number)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*map(take_turn, range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert len(queue) == 0


async def test_different_objects_do_not_wait_for_each_other() -> None:
    queue = OneAtATime()
    async with queue.turn("S1", PATIENCE_S), queue.turn("S2", PATIENCE_S):
        assert len(queue) == 2
    assert len(queue) == 0


async def test_a_turn_that_fails_lets_the_next_one_in() -> None:
    queue = OneAtATime()
    with pytest.raises(ZeroDivisionError):
        async with queue.turn("S1", PATIENCE_S):
            raise ZeroDivisionError
    async with queue.turn("S1", PATIENCE_S):
        assert len(queue) == 1


async def test_who_waits_too_long_is_told_and_leaves_no_gap() -> None:
    queue = OneAtATime()
    async with queue.turn("S1", PATIENCE_S):
        with pytest.raises(ReceiverUnreachable, match="earlier message"):
            async with queue.turn("S1", 0.01):
                pytest.fail("there was no turn to take")
    assert len(queue) == 0


@pytest.mark.parametrize("steps", [("free", "cancel"), ("cancel", "free")])
async def test_who_is_cancelled_at_the_moment_of_its_turn_passes_it_on(steps: tuple[str, ...]) -> None:
    queue, may_end = OneAtATime(), asyncio.Event()
    served: list[str] = []

    async def take_turn(name: str) -> None:
        async with queue.turn("S1", PATIENCE_S):
            served.append(name)
            await may_end.wait()

    holder, second, third = (asyncio.create_task(take_turn(name)) for name in ("holder", "second", "third"))
    await asyncio.sleep(0)
    for step in steps:
        if step == "free":
            may_end.set()
            await asyncio.sleep(0)
        else:
            second.cancel()
    await asyncio.gather(holder, second, third, return_exceptions=True)
    assert served[0] == "holder"
    assert served[-1] == "third"
    assert len(queue) == 0
