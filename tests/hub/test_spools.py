"""Lists that were read as a whole: unreadable on disk, shared, limited, and soon gone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from hub.spools import Add, Sizes, Spool, Spools, TooMuch
from routing.errors import NotRoutable, ReceiverTimeout, ReceiverUnreachable

pytestmark = pytest.mark.anyio

OBJECTS = [f'{{"id":"SECRET-{number}"}}'.encode() for number in range(300)]
SOON_S = 5.0


class Reading:
    """Reads a list, when it may."""

    def __init__(self, objects: Sequence[bytes] = OBJECTS) -> None:
        self.objects = objects
        self.times = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.fails = False

    async def __call__(self, _: Spool, add: Add) -> None:
        self.times += 1
        for start in range(0, len(self.objects), 100):
            await add(self.objects[start : start + 100])
        await self.may_end.wait()
        if self.fails:
            raise ReceiverUnreachable("gone")


@pytest.fixture
async def spools(tmp_path: Path) -> AsyncIterator[Spools]:
    found = Spools(tmp_path / "spool", kept_s=0.2)
    yield found
    await found.close()


async def test_a_list_is_read_once_for_everybody(spools: Spools) -> None:
    reading = Reading()

    first, second = await asyncio.gather(*(spools.of(("k",), reading, SOON_S) for _ in range(2)))

    assert first is second
    assert reading.times == 1
    assert first.read([0, 299, 7]) == [OBJECTS[0], OBJECTS[299], OBJECTS[7]]
    assert len(first) == 300
    assert await spools.of(("other",), reading, SOON_S) is not first


async def test_nothing_on_disk_can_be_read_and_no_file_has_a_name(spools: Spools, tmp_path: Path) -> None:
    spool = await spools.of(("k",), Reading(), SOON_S)
    spool._file.flush()

    on_disk = os.pread(spool._file.fileno(), spool.size + 1, 0)

    assert len(on_disk) == spool.size > sum(map(len, OBJECTS))
    assert b"SECRET" not in on_disk
    assert os.listdir(tmp_path / "spool") == []  # noqa: PTH208 - names are what is looked for


async def test_after_a_while_everything_is_gone(spools: Spools) -> None:
    reading = Reading()
    spool = await spools.of(("k",), reading, SOON_S)
    assert (len(spools), spools.size) == (1, spool.size)

    await asyncio.sleep(0.3)

    assert (len(spools), spools.size) == (0, 0)
    with pytest.raises(ReceiverTimeout):
        spool.read([0])
    await spools.of(("k",), reading, SOON_S)
    assert reading.times == 2


async def test_who_waits_too_long_is_told_and_the_next_one_has_it(spools: Spools) -> None:
    reading = Reading()
    reading.may_end.clear()

    with pytest.raises(ReceiverTimeout):
        await spools.of(("k",), reading, 0.05)
    reading.may_end.set()

    assert len(await spools.of(("k",), reading, SOON_S)) == 300
    assert reading.times == 1


async def test_a_list_that_cannot_be_read_leaves_nothing_and_is_tried_again(spools: Spools) -> None:
    reading = Reading()
    reading.fails = True

    with pytest.raises(ReceiverUnreachable):
        await spools.of(("k",), reading, SOON_S)
    assert len(spools) == 0
    reading.fails = False

    assert len(await spools.of(("k",), reading, SOON_S)) == 300


@pytest.mark.parametrize("sizes", [Sizes(objects=250), Sizes(bytes=4000), Sizes(all_bytes=4000)])
async def test_a_list_that_is_too_long_is_refused_without_reading_it_again(tmp_path: Path, sizes: Sizes) -> None:
    spools, reading = Spools(tmp_path / "spool", sizes=sizes), Reading()

    for _ in range(2):
        with pytest.raises(TooMuch, match="narrow the date range"):
            await spools.of(("k",), reading, SOON_S)

    assert reading.times == 1
    assert (len(spools), spools.size) == (0, 0)
    await spools.close()


async def test_the_end_of_the_hub_ends_every_reading(tmp_path: Path) -> None:
    spools, reading = Spools(tmp_path / "spool"), Reading()
    reading.may_end.clear()
    with pytest.raises(ReceiverTimeout):
        await spools.of(("k",), reading, 0.05)

    await spools.close()

    assert (len(spools), spools.size) == (0, 0)


async def test_a_disk_that_cannot_be_written_costs_that_list_only(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    spools = Spools(tmp_path / "file" / "spool")

    for _ in range(2):
        with pytest.raises(NotRoutable, match="no room"):
            await spools.of(("k",), Reading(), SOON_S)

    assert len(spools) == 0
