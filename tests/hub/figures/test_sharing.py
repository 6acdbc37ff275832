from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from hub.figures import FORM, WHOLE_HUB, Direction, Figures, Habit
from hub.figures.habits import Seen
from hub.figures.rings import messages_in
from hub.store.redis import CacheUnreachable, RedisClient, open_redis
from hub.store.shared_figures import SharedFigures
from tests.hub.figures.rows import NOON, Clock, row
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio


class Processes:
    """Processes of one hub, on one Redis, at one time."""

    def __init__(self, client: RedisClient, identity: str | None = None) -> None:
        self.client, self.identity, self.clock = client, identity or secrets.token_hex(8), Clock()

    def process(self, name: str) -> Figures:
        return Figures(name, SharedFigures(self.client, self.identity, FORM), clock=self.clock)


@asynccontextmanager
async def processes(url: str) -> AsyncIterator[Processes]:
    client = open_redis(url)
    try:
        yield Processes(client)
    finally:
        await client.aclose()


def sent(figures: Figures, platform_id: str = "cpo") -> int:
    return messages_in(figures.rings.last_hour(platform_id)[Direction.IN])


async def test_one_process_without_redis_has_its_own_figures() -> None:
    figures = Figures("only", clock=Clock())
    async with figures.following():
        figures.note([row(), row()])
        await figures.catch_up_here()

    assert sent(figures) == sent(figures, WHOLE_HUB) == 2
    assert [each.worker for each in figures.counting()] == ["only"]
    assert (figures.is_shared, figures.since) == (False, NOON)


async def test_a_process_that_shows_figures_has_the_sum_of_all(redis_url: str) -> None:
    async with processes(redis_url) as hub:
        one, two, shown = hub.process("one"), hub.process("two"), hub.process("shown")
        async with shown.following():
            one.note([row()])
            two.note([row(), row()])
            for each in (one, two, shown):
                await each.catch_up_and_tell()
            assert sent(shown) == 3
            one.note([row()])
            await one.catch_up_and_tell()
            await shown.catch_up_and_tell()

            assert sent(shown) == 4
            assert sent(one) == 0  # nobody asks it
            assert [each.worker for each in shown.counting()] == ["shown", "one", "two"]


async def test_habits_that_several_processes_saw_are_added_up(redis_url: str) -> None:
    async with processes(redis_url) as hub:
        one, two, shown = hub.process("one"), hub.process("two"), hub.process("shown")
        async with shown.following():
            one.habits.saw("cpo", Habit.NO_ZONE, 200)
            two.habits.saw("cpo", Habit.NO_ZONE, 99)
            shown.habits.saw("cpo", Habit.NO_ZONE)
            for each in (one, two, shown, shown):
                await each.catch_up_and_tell()

            assert shown.days.of("cpo", hub.clock.now) == {Habit.NO_ZONE: Seen(300, NOON)}
            assert one.days.of("cpo", hub.clock.now) == {}  # nobody asks it


async def test_what_a_process_counted_stays_when_it_is_gone(redis_url: str) -> None:
    async with processes(redis_url) as hub:
        old = hub.process("old")
        old.note([row(), row()])
        await old.stop()
        hub.clock.now += 600
        new, shown = hub.process("new"), hub.process("shown")
        new.note([row()])
        await new.catch_up_and_tell()
        async with shown.following():
            await shown.catch_up_and_tell()

            assert sent(shown) == 3
            assert shown.since == NOON
            assert [each.worker for each in shown.counting()] == ["shown", "new"]


async def test_a_process_that_counts_and_shows_counts_itself_once(redis_url: str) -> None:
    async with processes(redis_url) as hub:
        one, two = hub.process("one"), hub.process("two")
        async with one.following(), two.following():
            one.note([row()])
            for _ in range(3):
                await one.catch_up_and_tell()
                await two.catch_up_and_tell()

            assert sent(one) == sent(two) == 1


async def test_hubs_do_not_hear_of_each_others_figures(redis_url: str) -> None:
    async with processes(redis_url) as hub:
        one, other = hub.process("one"), Processes(hub.client).process("other")
        async with other.following():
            one.note([row()])
            await one.catch_up_and_tell()
            await other.catch_up_and_tell()

            assert sent(other) == 0


async def test_while_redis_is_away_a_process_has_its_own_and_tells_them_later() -> None:
    with RedisServer() as server:
        async with processes(server.url) as hub:
            one, shown = hub.process("one"), hub.process("shown")
            async with shown.following():
                server.stop()
                one.note([row()])
                shown.note([row()])
                for each in (one, shown):
                    with pytest.raises(CacheUnreachable):
                        await each.catch_up_and_tell()
                assert sent(shown) == 1
                server.start()
                for each in (one, shown):
                    await each.catch_up_and_tell()

                assert sent(shown) == 2


async def test_what_cannot_be_read_costs_nothing_but_itself(redis_url: str) -> None:
    async with processes(redis_url) as hub:
        await SharedFigures(hub.client, hub.identity, FORM).tell("odd", b"no figures")
        one, shown = hub.process("one"), hub.process("shown")
        one.note([row()])
        await one.catch_up_and_tell()
        async with shown.following():
            with capture_logs() as lines:
                await shown.catch_up_and_tell()

            assert sent(shown) == 1
            assert [line["event"] for line in lines] == ["figures_unreadable"]


async def test_the_stream_ends_an_hour_after_the_last_word(redis_url: str) -> None:
    async with processes(redis_url) as hub:
        one = hub.process("one")
        one.note([row()])
        await one.catch_up_and_tell()
        [key] = [key async for key in hub.client.scan_iter(f"ocpi-hub:{{{hub.identity}}}:figures:*")]

        assert 3600 < await hub.client.ttl(key) <= 3900
