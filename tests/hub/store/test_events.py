from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from structlog.testing import capture_logs

from hub.event_kinds import KINDS, EventKind
from hub.events import MOST_SUBJECTS, OTHERS, Events
from hub.store.database import Database
from hub.store.events import EventKey, EventRecord, EventRows, EventTally
from hub.store.migrations import migrate
from routing.errors import InvalidParameters, NoSuchPath
from tests.conftest import StoreUrls
from tests.servers import PostgresServer

pytestmark = pytest.mark.anyio

SOON = 0.02
KEY = EventKey(EventKind.PARTNER_OFFLINE, "p" * 32, "")


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def database(store_urls: StoreUrls) -> AsyncIterator[Database]:
    found = Database(store_urls.database_url)
    yield found
    await found.close()


@pytest.fixture
def rows(database: Database) -> EventRows:
    return EventRows(database)


def tally(count: int = 1, *, age_s: float = 0.0, correlation_id: str | None = "m1") -> EventTally:
    return EventTally(count, age_s, age_s, correlation_id, {"reason": "it is down"})


async def listed(rows: EventRows, *, is_open: bool | None = None) -> list[EventRecord]:
    return list((await rows.page(is_open=is_open, kind=None, platform_id=None, limit=200, cursor=None)).items)


async def test_what_happens_again_is_counted_in_the_open_event(rows: EventRows) -> None:
    await rows.write((), {KEY: tally(2, age_s=60)}, ())
    await rows.write((), {KEY: tally(correlation_id="m2")}, ())

    [found] = await listed(rows)
    assert (found.count, found.last_correlation_id, found.closed_at) == (3, "m2", None)
    assert found.last_at - found.opened_at >= timedelta(seconds=59)
    assert found.facts == {"reason": "it is down"}


async def test_two_processes_that_open_an_event_at_once_open_one(rows: EventRows, store_urls: StoreUrls) -> None:
    other = Database(store_urls.database_url)
    await asyncio.gather(*(each.write((), {KEY: tally()}, ()) for each in (rows, EventRows(other)) for _ in range(5)))
    await other.close()

    [found] = await listed(rows)
    assert found.count == 10


async def test_an_event_that_is_over_stays_listed_and_the_next_is_another_one(rows: EventRows) -> None:
    await rows.write((), {KEY: tally()}, ())
    await rows.write([KEY], {}, ())
    await rows.write((), {KEY: tally()}, [KEY])

    both = await listed(rows)
    assert [each.closed_at is not None for each in both] == [True, True]
    assert both[0].id != both[1].id
    assert await rows.open_among([KEY]) == set()
    assert await rows.open_by_kind() == {}


async def test_only_kinds_without_an_end_of_their_own_close_when_it_is_quiet(rows: EventRows) -> None:
    keys = [EventKey(kind, "", "") for kind in EventKind]
    await rows.write((), dict.fromkeys(keys, tally(age_s=30 * 86400)), ())
    closed = await rows.close_quiet()

    still = {each.kind for each in await listed(rows, is_open=True)}
    assert still == {kind for kind, each in KINDS.items() if each.quiet_s is None}
    assert closed == len(EventKind) - len(still)


async def test_events_that_are_over_for_months_are_forgotten(rows: EventRows, database: Database) -> None:
    old, young = EventKey(EventKind.ID_CLASH, "", "old"), EventKey(EventKind.ID_CLASH, "", "young")
    await rows.write((), {old: tally(), young: tally()}, [old, young])
    async with database.writing() as session:
        connection = await session.connection()
        long_ago = (datetime.now(UTC) - timedelta(days=91)).strftime("%Y-%m-%d %H:%M:%S.%f")
        zone = "" if database.engine.dialect.name == "sqlite" else "+00"
        await connection.exec_driver_sql(f"UPDATE events SET closed_at = '{long_ago}{zone}' WHERE subject = 'old'")  # noqa: S608  no stranger's text
    await rows.drop_old(datetime.now(UTC))

    assert [each.subject for each in await listed(rows)] == ["young"]


async def test_the_list_has_every_event_once_whatever_happens_meanwhile(rows: EventRows) -> None:
    for number in range(7):
        await rows.write((), {EventKey(EventKind.ID_CLASH, "", str(number)): tally(age_s=100 - number)}, ())
    seen: list[str] = []
    cursor = None
    while True:
        page = await rows.page(is_open=True, kind=EventKind.ID_CLASH, platform_id=None, limit=3, cursor=cursor)
        seen += [each.subject for each in page.items]
        await rows.write((), {EventKey(EventKind.ID_CLASH, "", f"new {len(seen)}"): tally()}, ())
        if (cursor := page.next_cursor) is None:
            break

    assert seen == ["6", "5", "4", "3", "2", "1", "0"]
    with pytest.raises(InvalidParameters):
        await rows.page(is_open=None, kind=None, platform_id=None, limit=1, cursor="none of ours")


async def test_an_acknowledged_event_says_who_knows_of_it(rows: EventRows) -> None:
    await rows.write((), {KEY: tally()}, ())
    [found] = await listed(rows)
    until = datetime.now(UTC) + timedelta(hours=1)
    await rows.acknowledge(found.id, by="anna", until=until, reason="they know")

    known = (await rows.get(found.id)).acknowledged
    assert known is not None
    assert (known.by, known.until, known.reason) == ("anna", until, "they know")
    with pytest.raises(NoSuchPath):
        await rows.acknowledge("nothing", by="anna", until=None, reason="no")


# ------------------------------------------------------------ noting


async def test_what_is_noted_is_written_soon_and_closed_when_it_is_over(rows: EventRows) -> None:
    events = Events(rows, write_every_s=SOON)
    events.start()
    events.happened(EventKind.PARTNER_OFFLINE, platform_id=KEY.platform_id, correlation_id="m1", reason="no answer")
    events.happened(EventKind.PARTNER_OFFLINE, platform_id=KEY.platform_id)
    with anyio.fail_after(5):
        while not await listed(rows):  # noqa: ASYNC110  the store tells nobody
            await anyio.sleep(SOON)
    events.over(EventKind.PARTNER_OFFLINE, platform_id=KEY.platform_id)
    await events.close()

    [found] = await listed(rows)
    assert (found.count, found.last_correlation_id) == (2, "m1")
    assert found.closed_at is not None


async def test_another_process_or_a_later_one_closes_what_it_did_not_open(rows: EventRows) -> None:
    await rows.write((), {KEY: tally()}, ())
    events = Events(rows, write_every_s=SOON)
    events.start()
    events.over(EventKind.PARTNER_OFFLINE, platform_id=KEY.platform_id)
    await events.close()

    assert not await listed(rows, is_open=True)


async def test_what_is_over_again_and_again_asks_the_store_seldom(
    rows: EventRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def open_among(keys: list[EventKey]) -> set[EventKey]:
        asked.append(len(keys))
        return set()

    monkeypatch.setattr(rows, "open_among", open_among)
    clock = Clock()
    events = Events(rows, write_every_s=0.005, clock=clock)
    events.start()
    for _ in range(20):
        events.over(EventKind.PARTNER_REFUSES_TOKEN, platform_id="a")
        await anyio.sleep(0.01)
    assert asked == [1]
    clock.now += 11
    await anyio.sleep(0.05)
    await events.close()

    assert asked == [1, 1]


async def test_a_flood_of_subjects_is_counted_together(rows: EventRows) -> None:
    events = Events(rows, write_every_s=SOON)
    for number in range(10_000):
        events.happened(EventKind.AUTH_FAILURES, subject=f"2001:db8::{number:x}", listener="partner")
    assert len(events._pending) == MOST_SUBJECTS + 1
    events.start()
    await events.close()

    found = {each.subject: each.count for each in await listed(rows)}
    assert len(found) == MOST_SUBJECTS + 1
    assert found[OTHERS] == 10_000 - MOST_SUBJECTS


async def test_a_flood_of_platforms_ends_at_the_limit_and_says_so(rows: EventRows) -> None:
    events = Events(rows, write_every_s=SOON, most=10)
    for number in range(25):
        events.happened(EventKind.PARTNER_OFFLINE, platform_id=f"{number:032}")
    with capture_logs() as lines:
        events.start()
        await events.close()

    assert len(await listed(rows)) == 10
    assert {"event": "events_not_noted", "events": 15, "log_level": "error"} in lines


async def test_facts_are_cut_before_they_are_kept(rows: EventRows) -> None:
    events = Events(rows, write_every_s=SOON)
    events.happened(EventKind.ID_CLASH, subject="s" * 5000, reason="x" * 100_000, **{f"f{n}": "v" for n in range(100)})
    events.start()
    await events.close()

    [found] = await listed(rows)
    assert len(str(found.facts)) < 1000
    assert len(found.subject) == 200


async def test_while_the_store_is_away_events_are_kept_with_their_times() -> None:
    with PostgresServer() as server:
        url = await server.create_database()
        await migrate(url)
        database = Database(url)
        events = Events(EventRows(database), write_every_s=SOON)
        events.start()
        await asyncio.to_thread(server.stop)
        events.happened(EventKind.DATABASE_AWAY)
        events.happened(EventKind.FOREIGN_SENDER, platform_id="a", party="NL*XXX")
        await anyio.sleep(1.0)
        events.happened(EventKind.FOREIGN_SENDER, platform_id="a", party="NL*YYY")
        await asyncio.to_thread(server.start)
        events.over(EventKind.DATABASE_AWAY)
        with anyio.fail_after(20):
            while len(await listed(EventRows(database))) < 2:  # noqa: ASYNC110  the store tells nobody
                await anyio.sleep(0.1)
        await events.close()
        found = {each.kind: each for each in await listed(EventRows(database))}
        await database.close()

    foreign, away = found[EventKind.FOREIGN_SENDER], found[EventKind.DATABASE_AWAY]
    assert (foreign.count, foreign.facts) == (2, {"party": "NL*YYY"})
    assert foreign.last_at - foreign.opened_at > timedelta(seconds=0.8)
    assert away.closed_at is not None
