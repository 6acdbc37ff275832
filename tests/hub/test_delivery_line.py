"""Which delivery begins when, with deliveries that end when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterator
from functools import partial
from itertools import pairwise

import pytest

from hub.delivery_line import PER_LANE, DeliveryLine, Dropped, Job, Room
from routing.errors import Overloaded

pytestmark = pytest.mark.anyio


class Deliveries:
    """Jobs by name, and how far each has come."""

    def __init__(self, at_once: int = 200) -> None:
        self.line = DeliveryLine(at_once=at_once)
        self.begun: list[str] = []
        self.dropped: dict[str, str] = {}
        self._ends: dict[str, asyncio.Future[bool | None]] = {}

    def add(
        self, name: str, lane: str = "r", chain: Hashable = "o", *, within_s: float = 30, whole: Hashable = None
    ) -> None:
        until = asyncio.get_running_loop().time() + within_s
        drop = partial(self.dropped.__setitem__, name)
        self.line.add([Job(lane, (lane, chain), until, partial(self._begin, name), drop, whole)])

    async def _begin(self, name: str) -> bool | None:
        self.begun.append(name)
        self._ends[name] = asyncio.get_running_loop().create_future()
        return await self._ends[name]

    async def end(self, *names: str, answers: bool | None = True) -> None:
        for name in names:
            self._ends[name].set_result(answers)
        await self.settle()

    async def settle(self) -> None:
        """Let everything begin that may."""
        for _ in range(1000):
            await asyncio.sleep(0)


@pytest.fixture
async def deliveries() -> AsyncIterator[Deliveries]:
    found = Deliveries()
    yield found
    await found.line.close()


async def test_what_is_in_one_chain_follows_one_another(deliveries: Deliveries) -> None:
    for name in ("first", "second", "third"):
        deliveries.add(name)
    await deliveries.settle()
    assert deliveries.begun == ["first"]

    await deliveries.end("first")
    assert deliveries.begun == ["first", "second"]

    await deliveries.end("second")
    assert deliveries.begun == ["first", "second", "third"]


async def test_a_failure_does_not_hold_up_what_is_behind_it(deliveries: Deliveries) -> None:
    async def fails() -> bool:
        raise RuntimeError("a bug")

    until = asyncio.get_running_loop().time() + 30
    deliveries.line.add([Job("r", ("r", "o"), until, fails, partial(deliveries.dropped.__setitem__, "fails"))])
    deliveries.add("next")
    await deliveries.settle()

    assert deliveries.begun == ["next"]


async def test_a_receiver_gets_a_few_at_once_as_soon_as_it_has_answered_one(deliveries: Deliveries) -> None:
    for number in range(10):
        deliveries.add(f"{number}", chain=number)
    await deliveries.settle()
    assert deliveries.begun == ["0"]

    await deliveries.end("0")
    assert deliveries.begun == ["0", "1", "2", "3", "4"]
    assert deliveries.line.in_flight == PER_LANE

    await deliveries.end("1", answers=False)
    await deliveries.end("2", "3", answers=False)
    assert deliveries.begun == ["0", "1", "2", "3", "4"]

    await deliveries.end("4")
    assert len(deliveries.begun) == 5 + PER_LANE


async def test_one_receiver_that_never_answers_delays_nobody(deliveries: Deliveries) -> None:
    for number in range(50):
        deliveries.add(f"dead {number}", "dead", number)
    for number in range(20):
        deliveries.add(f"well {number}", f"well {number}")
    await deliveries.settle()

    assert sorted(deliveries.begun) == sorted(["dead 0", *(f"well {number}" for number in range(20))])


async def test_everybody_takes_turns_when_there_are_not_enough_slots_for_all() -> None:
    deliveries = Deliveries(at_once=2)
    for lane in ("a", "b", "c"):
        for number in range(2):
            deliveries.add(f"{lane}{number}", lane, number)
    await deliveries.settle()
    assert deliveries.begun == ["a0", "b0"]

    await deliveries.end("a0")
    await deliveries.end("b0")
    await deliveries.end("c0")
    assert deliveries.begun == ["a0", "b0", "c0", "a1", "b1"]
    await deliveries.line.close()


async def test_what_cannot_begin_in_time_is_dropped(deliveries: Deliveries) -> None:
    deliveries.add("first")
    deliveries.add("late", within_s=-1)
    deliveries.add("next")
    await deliveries.settle()
    await deliveries.line.drop_stale()
    assert deliveries.dropped == {"late": Dropped.STALE}

    deliveries.add("late as well", chain="other", within_s=-1)
    await deliveries.end("first")
    assert deliveries.dropped == {"late": Dropped.STALE, "late as well": Dropped.STALE}
    assert deliveries.begun == ["first", "next"]


async def test_however_many_are_added_at_once_everything_else_has_its_turn() -> None:
    deliveries, made = Deliveries(at_once=2000), 0

    def many() -> Iterator[Job]:
        nonlocal made
        for made in range(1, 1001):
            until = asyncio.get_running_loop().time() + 30
            yield Job(f"{made}", (f"{made}", made), until, partial(deliveries._begin, f"{made}"), print)

    deliveries.line.add(many())
    deliveries.add("next", "1", 1)
    turns = [0]
    while made < 1000:
        await asyncio.sleep(0)
        turns.append(made)
    await deliveries.settle()

    assert max(after - before for before, after in pairwise(turns)) <= 100
    assert "next" not in deliveries.begun
    await deliveries.end("1")
    assert deliveries.begun[-1] == "next"
    await deliveries.line.close()


async def test_a_lane_whose_jobs_all_became_stale_is_as_good_as_new(deliveries: Deliveries) -> None:
    deliveries.add("first", within_s=-1)
    await deliveries.line.drop_stale()
    await deliveries.settle()
    deliveries.add("second")
    await deliveries.settle()

    assert deliveries.dropped == {"first": Dropped.STALE}
    assert deliveries.begun == ["second"]


async def test_of_the_same_said_twice_the_newest_is_enough_unless_something_is_between(deliveries: Deliveries) -> None:
    deliveries.add("under way", whole="EVSE1")
    await deliveries.settle()
    deliveries.add("put", whole="EVSE1")
    deliveries.add("newer put", whole="EVSE1")
    deliveries.add("patch")
    deliveries.add("other put", whole="EVSE2")
    deliveries.add("newest put", whole="EVSE1")
    await deliveries.settle()
    for name in ("under way", "newer put", "patch", "other put", "newest put"):
        assert deliveries.begun[-1] == name
        await deliveries.end(name)

    assert deliveries.dropped == {"put": Dropped.MERGED}


async def test_beginning_leaves_turns_to_everything_else(deliveries: Deliveries) -> None:
    for number in range(100):
        deliveries.add(f"{number}", f"{number}")
    begun = []
    while len(deliveries.begun) < 100:
        await asyncio.sleep(0)
        begun.append(len(deliveries.begun))

    assert max(after - before for before, after in pairwise([0, *begun])) <= 4


def test_room_is_taken_for_all_or_none() -> None:
    room = Room(most_jobs=10, most_bytes=100)
    room.take(8, 50)
    with pytest.raises(Overloaded):
        room.take(3, 1)
    with pytest.raises(Overloaded):
        room.take(1, 51)
    room.take(2, 50)
    room.give(10, 100)

    assert (room.jobs, room.bytes) == (0, 0)


def test_what_is_larger_than_all_the_room_finds_some_when_it_is_empty() -> None:
    room = Room(most_jobs=10, most_bytes=100)
    room.take(1000, 1000)
    with pytest.raises(Overloaded):
        room.take(1, 0)
