from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hub.store.losses import LossCounts, LossKey, LossTally
from hub.store.records import Direction, LossRecord
from hub.store.truth import UnknownPlatform
from routing.errors import InvalidParameters
from routing.vocabulary import Version
from tests.conftest import StoreUrls
from tests.hub.store.opened import CPO, Process, process

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


def tally(count: int = 1, *, first_at: datetime = NOW, last_at: datetime = NOW, message: str = "m1") -> LossTally:
    return LossTally(count, first_at, last_at, message)


def key(platform_id: str, loss: str = "L-24", *, direction: Direction = Direction.TO) -> LossKey:
    return LossKey(platform_id, direction, "locations", "Connector", loss, Version.V2_2_1)


@pytest.fixture
async def platform_id(store: Process) -> str:
    return store.registered(await store.connected(CPO)).platform.id


async def listed(store: Process, platform_id: str) -> list[LossRecord]:
    """Everything, three at a time."""
    found: list[LossRecord] = []
    cursor = None
    while True:
        page = await LossCounts(store.database).page(platform_id, limit=3, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_losses_are_added_up_with_their_first_and_last_time(store: Process, platform_id: str) -> None:
    counts = LossCounts(store.database)
    await counts.add({key(platform_id): tally(2, message="m1")})
    await counts.add({key(platform_id): tally(3, first_at=EARLIER, last_at=LATER, message="m2")})
    await counts.add({key(platform_id): tally(1, first_at=EARLIER, last_at=EARLIER, message="m3")})

    [record] = await listed(store, platform_id)
    assert (record.direction, record.module, record.kind) == (Direction.TO, "locations", "Connector")
    assert (record.loss, record.other_version) == ("L-24", Version.V2_2_1)
    assert (record.count, record.first_at, record.last_at) == (6, EARLIER, LATER)
    assert record.last_correlation_id == "m2"


async def test_what_differs_in_one_thing_is_counted_apart(store: Process, platform_id: str) -> None:
    one = key(platform_id)
    others = [
        one._replace(direction=Direction.FROM),
        one._replace(module="cdrs"),
        one._replace(kind=""),
        one._replace(loss="L-06"),
        one._replace(other_version=Version.V2_3_0),
    ]
    await LossCounts(store.database).add({each: tally() for each in [one, *others]})

    found = await listed(store, platform_id)
    places = [(each.direction, each.module, each.kind, each.loss, each.other_version) for each in found]
    assert sorted(places) == sorted(each[1:] for each in [one, *others])
    to, from_ = Direction.TO, Direction.FROM
    sums = await LossCounts(store.database).sums(platform_id)
    assert sorted(sums) == sorted([(from_, "L-24", 1, NOW), (to, "L-06", 1, NOW), (to, "L-24", 4, NOW)])


async def test_counts_outlive_a_restart(store: Process, store_urls: StoreUrls, platform_id: str) -> None:
    await LossCounts(store.database).add({key(platform_id): tally(4)})

    async with process(store_urls) as restarted:
        await LossCounts(restarted.database).add({key(platform_id): tally(3)})
        [record] = await listed(restarted, platform_id)

    assert record.count == 7


async def test_processes_that_count_at_once_neither_lose_nor_block(
    store: Process, store_urls: StoreUrls, platform_id: str
) -> None:
    keys = [key(platform_id, f"L-{number:02}") for number in range(50)]
    async with process(store_urls) as other:
        await asyncio.gather(
            *(LossCounts(one.database).add(dict.fromkeys(keys, tally())) for one in (store, other) for _ in range(3)),
            *(LossCounts(one.database).add(dict.fromkeys(keys[::-1], tally())) for one in (store, other)),
        )

    assert {each.count for each in await listed(store, platform_id)} == {8}


async def test_a_platform_sees_its_own_losses_only(store: Process, platform_id: str) -> None:
    other, _ = await store.platforms.create("Another")
    await LossCounts(store.database).add({key(platform_id): tally(), key(other.id, "L-06"): tally()})

    assert [each.loss for each in await listed(store, platform_id)] == ["L-24"]
    assert [each.loss for each in await listed(store, other.id)] == ["L-06"]


async def test_a_platform_that_is_not_there_has_no_losses(store: Process) -> None:
    with pytest.raises(UnknownPlatform):
        await LossCounts(store.database).page("0" * 32, limit=10, cursor=None)
    with pytest.raises(InvalidParameters):
        await LossCounts(store.database).add({key("0" * 32): tally()})


async def test_a_cursor_that_is_none_is_refused(store: Process, platform_id: str) -> None:
    with pytest.raises(InvalidParameters):
        await LossCounts(store.database).page(platform_id, limit=10, cursor="bm9uc2Vuc2U=")
