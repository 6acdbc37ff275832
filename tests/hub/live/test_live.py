from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic

import msgspec
import pytest

from hub.live import FORM, MOST_VIEWERS, Live, Shown, Viewer
from hub.live.channels import KEPT, Channel
from hub.live.choosing import BURST
from hub.live.matching import key_of
from hub.live.rows import TYPES, Row, Told, decoded, encoded, entry_of
from hub.store.journal_entries import Failure, Hop, NotedLoss, Receivers
from hub.store.journal_filters import MessageFilter
from hub.store.journal_tables import JournalRow
from hub.store.redis import open_redis
from hub.store.shared_live import SharedLive
from routing.errors import Overloaded
from routing.vocabulary import Party, Version
from tests.hub.figures.rows import row as columns
from tests.servers import Redis, RedisServer

pytestmark = pytest.mark.anyio

EVERYTHING = MessageFilter()
ERRORS = MessageFilter(failed=True)
BEGAN = datetime(2026, 11, 22, 8, tzinfo=UTC)
_numbers = count(1)


def row(**facts: object) -> Row:
    """One row, later than those before it."""
    number = next(_numbers)
    known: dict[str, object] = {
        "time": BEGAN + timedelta(milliseconds=number),
        "number": number,
        "correlation_id": f"c{number}",
        "request_id": f"r{number}",
        "route": "direct",
        "path": "/sessions",
        "http_status": 200,
        "ocpi_status": 1000,
    }
    return columns(**(known | facts))


def failing() -> Row:
    return row(failure=Failure.TIMEOUT, ocpi_status=4002)


@asynccontextmanager
async def started(name: str = "one", shared: SharedLive | None = None) -> AsyncIterator[Live]:
    live = Live(name, shared)
    live.start(lambda: None)
    try:
        yield live
    finally:
        await live.stop()


@asynccontextmanager
async def sharing(redis: Redis) -> AsyncIterator[SharedLive]:
    client = open_redis(redis.url)
    yield SharedLive(client, "live-tests", FORM)
    await client.aclose()


async def seen(viewer: Viewer, number: int) -> tuple[list[str], int]:
    """The correlation ids of so many rows, shown or left out, in the order in which they came; and how many were."""
    ids: list[str] = []
    left_out = 0
    deadline = monotonic() + 10
    while len(ids) + left_out < number and monotonic() < deadline:
        news = await viewer.news(1)
        ids += [each.entry.correlation_id for each in news.rows]
        left_out += news.left_out
    return ids, left_out


def names(rows: Sequence[Row]) -> list[str]:
    return [entry_of(each).correlation_id for each in rows]


def test_a_row_says_the_same_in_another_process() -> None:
    losses = (NotedLoss("L-24", "cdr", "/total_cost", in_answer=True, count=2),)
    told = Receivers(3, 1, 1, 1)
    full = row(
        hop=Hop.DELIVERY,
        losses=msgspec.json.encode(losses).decode(),
        receivers=msgspec.json.encode(told).decode(),
        failure=Failure.GATEWAY,
        token_hash=b"\x01\xff",
        target_version=None,
        sender=None,
    )
    rows = (full, row())

    read = decoded(encoded(Told("p", rows, ((b"k", 2),))))

    assert read == Told("p", rows, ((b"k", 2),))
    entry = entry_of(read.rows[0])
    assert (entry.losses, entry.receivers, entry.receiver) == (losses, told, Party("DE", "MSP"))
    assert (entry.failure, entry.source_version, entry.time) == (Failure.GATEWAY, Version.V2_2_1, full[0])


def test_rows_have_the_columns_of_the_journal() -> None:
    assert list(TYPES) == list(JournalRow.model_fields)


async def test_who_watches_sees_what_fits_in_its_order_and_nothing_from_before() -> None:
    async with started() as live:
        live.note([row()])
        with live.watching(EVERYTHING, None) as everything, live.watching(ERRORS, None) as errors:
            rows = [row(), failing(), row()]
            live.note(rows[::-1])

            assert await seen(everything, 3) == (names(rows), 0)
            assert await seen(errors, 1) == (names(rows[1:2]), 0)


async def test_what_is_too_much_is_left_out_and_counted_but_no_error_before_others() -> None:
    async with started() as live:
        with live.watching(EVERYTHING, None) as everything, live.watching(ERRORS, None) as errors:
            rows = [failing() if number % 50 == 0 else row() for number in range(1000)]
            live.note(rows)

            shown, left_out = await seen(everything, 1000)
            assert len(shown) + left_out == 1000
            assert len(shown) <= BURST + 10
            assert set(names(rows[::50])) <= set(shown)
            assert await seen(errors, 20) == (names(rows[::50]), 0)


async def test_who_comes_back_goes_on_after_what_it_saw_last() -> None:
    async with started() as live:
        with live.watching(EVERYTHING, None) as viewer:
            first = row()
            live.note([first])
            await seen(viewer, 1)
        meanwhile = [row(), row()]
        live.note(meanwhile)
        last_id = entry_of(first).id
        with live.watching(EVERYTHING, last_id) as back:
            assert back.gap is None
            assert await seen(back, 2) == (names(meanwhile), 0)


async def test_who_comes_back_too_late_is_told_of_when_something_is_missing() -> None:
    async with started() as live:
        gone = entry_of(row()).id
        with live.watching(EVERYTHING, gone) as viewer:
            assert viewer.gap is not None
            assert viewer.gap.since == entry_of(row()).time - timedelta(milliseconds=1)
            assert viewer.gap.until > viewer.gap.since
        with live.watching(EVERYTHING, "no id at all") as viewer:
            assert viewer.gap is None


async def test_a_viewer_that_does_not_look_costs_no_room_and_is_told_what_it_missed() -> None:
    hours = count(step=3600)
    channel = Channel(key_of(EVERYTHING), lambda: next(hours))
    slow = Viewer(channel, None)
    rows = [[row() for _ in range(BURST)] for _ in range(KEPT // BURST + 4)]
    for some in rows:
        channel.take([Shown(each) for each in some], BURST)

    news = await slow.news(0)

    assert [each.row for each in news.rows] == [each for some in rows[4:] for each in some]
    assert news.left_out == 4 * BURST
    assert len(channel._rows) == KEPT


async def test_while_nobody_watches_nothing_is_kept_or_done() -> None:
    async with started() as live:
        live.note([row()] * 1000)

        assert live._source._fresh == []
        assert not live._watched.is_set()


async def test_twenty_may_watch_and_none_when_the_hub_goes() -> None:
    async with started() as live:
        with ExitStack() as stack:
            viewers = []
            for _ in range(MOST_VIEWERS):
                live.refuse_when_full()
                viewers.append(stack.enter_context(live.watching(EVERYTHING, None)))
            with pytest.raises(Overloaded, match="20 are watching"):
                live.refuse_when_full()
            waiting = asyncio.create_task(viewers[-1].news(60))
            await asyncio.sleep(0)
        live.refuse_when_full()

        live.end()

        assert (await waiting).rows == []
        with pytest.raises(Overloaded, match="out of service"):
            live.refuse_when_full()


async def test_messages_of_other_processes_are_shown_and_counted_while_somebody_watches(redis_server: Redis) -> None:
    async with (
        sharing(redis_server) as shared,
        started("one", shared) as one,
        started("two", shared) as two,
    ):
        with one.watching(ERRORS, None) as viewer:
            await until(lambda: two._source.is_wanted)
            rows = [failing(), failing()]
            two.note([rows[1], row()])
            one.note([rows[0], row()])
            shown, _ = await seen(viewer, 2)
            assert sorted(shown) == sorted(names(rows))

            two.note([failing() for _ in range(200)])
            shown, left_out = await seen(viewer, 200)
            assert len(shown) + left_out == 200
            assert one.is_everywhere


async def test_without_redis_messages_of_this_process_are_shown_and_the_others_again_when_it_is_back() -> None:
    with RedisServer() as redis:
        async with sharing(redis) as shared, started("one", shared) as one, started("two", shared) as two:
            with one.watching(EVERYTHING, None) as viewer:
                await until(lambda: two._source.is_wanted)
                redis.kill()
                await until(lambda: not one.is_everywhere)
                one.note([row()])
                assert len((await seen(viewer, 1))[0]) == 1

                redis.start()
                await until(lambda: one.is_everywhere)
                await until(lambda: two._source.is_wanted)
                two.note([row()])
                assert len((await seen(viewer, 1))[0]) == 1


async def test_what_is_not_for_this_version_is_passed_over(redis_server: Redis) -> None:
    async with sharing(redis_server) as shared, started("one", shared) as one:
        with one.watching(EVERYTHING, None) as viewer:
            await until(lambda: one._hearing is not None)
            await asyncio.sleep(0.3)
            for data in (b"\xc1", msgspec.msgpack.encode(["x", [[1, 2]], []])):
                await shared.tell(data)
                await shared.want(data)
            await asyncio.sleep(0)
            one.note([row()])
            assert len((await seen(viewer, 1))[0]) == 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what another process has heard is told to nobody
            await asyncio.sleep(0.02)
