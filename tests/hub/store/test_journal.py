from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlmodel import col, select

from hub.store.database import Database
from hub.store.journal import CAPTURE_DAYS, COLUMNS, Gap, JournalStore
from hub.store.journal_entries import Capture, Failure, Hop, JournalEntry, NotedLoss, Receivers
from hub.store.journal_tables import CaptureRow, EntryKey, JournalGapRow, JournalRow, capture_context
from routing.vocabulary import Party, Version
from tests.conftest import StoreUrls
from tests.hub.store.opened import Process, first_process

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
KEEP_DAYS = 90
_numbers = count(1)
_ENTRY: dict[str, Any] = {
    "hop": Hop.MESSAGE,
    "correlation_id": "story",
    "request_id": "came-in",
    "upstream_request_id": "went-out",
    "sender": "NL*CPO",
    "receiver": "DE*MSP",
    "route": "direct",
    "module": "sessions",
    "interface": "RECEIVER",
    "method": "PUT",
    "path": "/ocpi/2.2.1/receiver/sessions/NL/CPO/S1",
    "source_version": Version.V2_2_1,
    "target_version": Version.V2_1_1,
    "http_status": 200,
    "ocpi_status": 1000,
    "hub_us": 812,
    "upstream_us": 40_250,
}


def row(time: datetime = NOON, **columns: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any column
    values = {"time": time, "number": next(_numbers), **_ENTRY, **columns}
    return tuple(values.get(column) for column in COLUMNS)


@pytest.fixture
async def store(store_urls: StoreUrls) -> AsyncIterator[Process]:
    async with first_process(store_urls) as one:
        yield one


@pytest.fixture
def journal(store: Process) -> JournalStore:
    return JournalStore(store.database, store.vault, keep_days=KEEP_DAYS)


async def entries(database: Database) -> list[JournalEntry]:
    async with database.reading() as session:
        found = await session.exec(select(JournalRow).order_by(col(JournalRow.time), col(JournalRow.number)))
        return [each.entry for each in found.all()]


async def days(database: Database) -> set[str]:
    """The partitions there are."""
    query = text("SELECT relname FROM pg_class WHERE relname LIKE 'journal\\_2%' AND relkind = 'r'")
    async with database.reading() as session:
        return {name for (name,) in (await (await session.connection()).execute(query)).all()}


async def test_an_entry_reads_back_as_it_was_written(store: Process, journal: JournalStore) -> None:
    losses = (NotedLoss("L-24", "Session", "/kwh"), NotedLoss("M-33", in_answer=True, count=3))
    receivers = Receivers(told=3, ok=2, failed=1, skipped=0)
    at = NOON + timedelta(microseconds=123456)
    written = row(
        at,
        number=7,
        losses=msgspec.json.encode(losses).decode(),
        receivers=msgspec.json.encode(receivers).decode(),
        failure=Failure.PARTNER_ERROR,
        reason="Größe, 大小 and 🔌",
        token_hash=b"\x00" * 32,
        object_type="session",
        object_id="S1",
    )

    assert await journal.append([written]) == 0

    [entry] = await entries(store.database)
    assert (entry.time, entry.hub_ms, entry.upstream_ms) == (at, 0.812, 40.25)
    assert (entry.sender, entry.receiver) == (Party("NL", "CPO"), Party("DE", "MSP"))
    assert (entry.losses, entry.receivers, entry.failure) == (losses, receivers, Failure.PARTNER_ERROR)
    assert (entry.hop, entry.source_version, entry.target_version) == (Hop.MESSAGE, Version.V2_2_1, Version.V2_1_1)
    assert (entry.reason, entry.token_hash, entry.object_id) == ("Größe, 大小 and 🔌", b"\x00" * 32, "S1")
    assert EntryKey.of(entry.id) == EntryKey(at, 7)


def test_ids_of_entries_sort_as_they_came_and_are_told_from_other_texts() -> None:
    keys = [EntryKey(NOON, 9), EntryKey(NOON, 10), EntryKey(NOON + timedelta(microseconds=1), 0)]

    assert sorted(map(str, keys)) == list(map(str, keys))
    assert [EntryKey.of(str(key)) for key in keys] == keys
    for other in ("", "story", "z" * 22, "f" * 22, "0" * 21, "0" * 23, "-" + "0" * 21, "\u0660" * 22):
        assert EntryKey.of(other) is None


async def test_entries_around_midnight_and_of_clocks_that_are_wrong_all_find_a_place(
    store: Process, journal: JournalStore
) -> None:
    times = [
        datetime(2026, 3, 14, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 15, tzinfo=UTC),
        datetime(2024, 2, 29, 12, tzinfo=UTC),
        datetime(2031, 1, 1, tzinfo=UTC),
    ]

    assert await journal.append([row(each) for each in times]) == 0

    assert [each.time for each in await entries(store.database)] == sorted(times)


async def test_an_entry_that_the_database_refuses_costs_no_other(store: Process, journal: JournalStore) -> None:
    good = [row(request_id=f"r{number}") for number in range(10)]
    # Both databases refuse a key that is there already.
    batch = [*good[:5], row(number=4_000_000, request_id="first"), *good[5:], row(number=4_000_000, request_id="twice")]

    assert await journal.append(batch) == 1

    assert {each.request_id for each in await entries(store.database)} == {f"r{n}" for n in range(10)} | {"first"}


async def test_processes_that_need_the_same_day_at_once_both_write(store: Process, journal: JournalStore) -> None:
    other = JournalStore(store.database, store.vault, keep_days=KEEP_DAYS)

    assert await journal.append([row()]) + await other.append([row()]) == 0

    assert len(await entries(store.database)) == 2


async def test_what_is_older_than_it_may_be_is_forgotten_and_nothing_else(
    store: Process, journal: JournalStore
) -> None:
    now = NOON
    ages = [0, 1, KEEP_DAYS - 1, KEEP_DAYS + 1, KEEP_DAYS + 400]
    await journal.append([row(now - timedelta(days=age), request_id=str(age)) for age in ages])

    await journal.tidy(now)
    await journal.tidy(now)

    assert {each.request_id for each in await entries(store.database)} == {"0", "1", str(KEEP_DAYS - 1)}
    if store.database.name == "PostgreSQL":
        kept = {f"journal_{now - timedelta(days=age):%Y_%m_%d}" for age in (0, 1, KEEP_DAYS - 1, -1, -2, -3)}
        assert await days(store.database) == kept


async def test_a_day_that_was_dropped_meanwhile_is_made_again(store: Process, journal: JournalStore) -> None:
    await journal.append([row()])
    other = JournalStore(store.database, store.vault, keep_days=KEEP_DAYS)
    await other.days.drop_before(date(2026, 3, 15))

    assert await journal.append([row(request_id="later")]) == 0

    assert [each.request_id for each in await entries(store.database)] == ["later"]


async def test_many_old_entries_go_in_lots(store: Process, journal: JournalStore) -> None:
    old = NOON - timedelta(days=KEEP_DAYS + 1)
    await journal.append([row(old + timedelta(microseconds=at)) for at in range(4500)])

    await journal.tidy(NOON)

    assert await entries(store.database) == []


async def test_a_capture_is_sealed_and_kept_for_seven_days(store: Process, journal: JournalStore) -> None:
    young, old = EntryKey(NOON - timedelta(days=CAPTURE_DAYS - 1), 1), EntryKey(NOON - timedelta(days=CAPTURE_DAYS), 2)
    capture = Capture(request_headers=(("x-request-id", "r1"),), request_body='{"kwh":4.00}')
    await journal.keep([(young, capture), (EntryKey(old.time - timedelta(seconds=1), 2), capture)])

    await journal.tidy(NOON)

    async with store.database.reading() as session:
        [kept] = (await session.exec(select(CaptureRow))).all()
    assert EntryKey(kept.time, kept.number) == young
    assert b"kwh" not in kept.content
    opened = store.vault.unseal(kept.content, capture_context(young)).reveal()
    assert msgspec.json.decode(opened, type=Capture) == capture


async def test_a_gap_is_noted_and_forgotten_with_the_entries_around_it(store: Process, journal: JournalStore) -> None:
    await journal.note_gap(Gap(NOON - timedelta(seconds=9), NOON, 5000), "one")
    await journal.note_gap(Gap(NOON - timedelta(days=KEEP_DAYS + 2), NOON - timedelta(days=KEEP_DAYS + 1), 1), "one")

    await journal.tidy(NOON)

    async with store.database.reading() as session:
        [gap] = (await session.exec(select(JournalGapRow))).all()
    assert (gap.until, gap.entries) == (NOON, 5000)
