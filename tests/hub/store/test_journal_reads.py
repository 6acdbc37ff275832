"""Reading the journal, on both stores: pages, filters, and what happens when there is no time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.store.journal import COLUMNS, JournalStore
from hub.store.journal_entries import Capture, Failure, Hop
from hub.store.journal_filters import MessageFilter
from hub.store.journal_reads import COUNTED, JournalReads
from hub.store.journal_tables import EntryKey
from routing.errors import InvalidParameters
from routing.vocabulary import Party, Version
from tests.hub.store.opened import Process

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
A, B, C = Party("NL", "AAA"), Party("DE", "BBB"), Party("BE", "CCC")
_ENTRY: dict[str, Any] = {
    "hop": Hop.MESSAGE,
    "correlation_id": "c",
    "request_id": "r",
    "route": "direct",
    "module": "sessions",
    "method": "PUT",
    "path": "/ocpi",
    "source_version": Version.V2_2_1,
    "http_status": 200,
    "ocpi_status": 1000,
    "hub_us": 1000,
    "upstream_us": 2000,
}


def row(number: int, sender: Party = A, receiver: Party = B, **columns: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any column
    values = {
        "time": NOON - timedelta(minutes=number),
        "number": number,
        "sender": str(sender),
        "receiver": str(receiver),
        "sender_platform_id": f"p-{sender}",
        "receiver_platform_id": f"p-{receiver}",
        **_ENTRY,
        **columns,
    }
    return tuple(values.get(column) for column in COLUMNS)


@pytest.fixture
def journal(store: Process) -> JournalStore:
    return JournalStore(store.database, store.vault, keep_days=30)


@pytest.fixture
def reads(store: Process) -> JournalReads:
    return JournalReads(store.database, store.vault)


async def numbers(reads: JournalReads, **wanted: Any) -> list[int]:  # noqa: ANN401 - members of a filter
    """The entries of all pages, in their order."""
    found: list[int] = []
    cursor = None
    while True:
        page = await reads.page(MessageFilter(**wanted), limit=2, cursor=cursor)
        keys = [EntryKey.of(entry.id) for entry in page.items]
        found += [key.number for key in keys if key is not None]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_somebodys_messages_are_those_it_sent_and_those_it_received(
    journal: JournalStore, reads: JournalReads
) -> None:
    await journal.append([row(1), row(2, B, A), row(3, B, C), row(4, C, A), row(5, A, A), row(6, A, C)])

    assert await numbers(reads, party=A) == [1, 2, 4, 5, 6]
    assert await numbers(reads, party=A, peer=B) == [1, 2]
    assert await numbers(reads, party=A, peer="p-BE*CCC") == [4, 6]
    assert await numbers(reads, platform_id="p-BE*CCC") == [3, 4, 6]
    assert await numbers(reads, scope="p-BE*CCC") == [3, 4, 6]
    assert await numbers(reads, scope="p-BE*CCC", party=A) == [4, 6]
    assert await numbers(reads, scope="p-BE*CCC", correlation_id="c") == [3, 4, 6]
    assert await numbers(reads) == [1, 2, 3, 4, 5, 6]


async def test_filters_join(journal: JournalStore, reads: JournalReads) -> None:
    lossy = '[{"loss":"L-24","kind":"Session"},{"loss":"M-33"}]'
    await journal.append(
        [
            row(1, failure=Failure.TIMEOUT, ocpi_status=4002, upstream_us=30_000_000),
            row(2, losses=lossy, target_version=Version.V2_1_1),
            row(3, object_type="session", object_id="S1", upstream_request_id="out", request_id="in"),
            row(4, token_hash=b"1" * 32, module="tokens"),
        ]
    )

    assert await numbers(reads, failed=True) == await numbers(reads, failures=[Failure.TIMEOUT, Failure.LOOP]) == [1]
    assert await numbers(reads, statuses=(4000, 4999)) == await numbers(reads, min_ms=1000) == [1]
    assert await numbers(reads, lossy=True) == await numbers(reads, loss="M-33") == [2]
    assert await numbers(reads, target_version=Version.V2_1_1, loss="L-24", party=B) == [2]
    assert await numbers(reads, loss="L-2") == []
    assert await numbers(reads, request_id="in") == await numbers(reads, request_id="out") == [3]
    assert await numbers(reads, object_type="session", object_id="S1") == [3]
    assert await numbers(reads, token_hash=b"1" * 32) == await numbers(reads, module="tokens") == [4]
    since, until = NOON - timedelta(minutes=3), NOON - timedelta(minutes=1)
    assert await numbers(reads, since=since, until=until, failed=False) == [2, 3]


async def test_a_count_is_exact_up_to_a_thousand(journal: JournalStore, reads: JournalReads) -> None:
    await journal.append([row(number) for number in range(COUNTED - 1)])
    page = await reads.page(MessageFilter(party=A), limit=1, cursor=None)
    assert page.count == COUNTED - 1
    await journal.append([row(number, B, A) for number in range(COUNTED, COUNTED + 5)])

    page = await reads.page(MessageFilter(party=A), limit=1, cursor=None)
    assert page.count == COUNTED + 1
    later = await reads.page(MessageFilter(party=A), limit=1, cursor=page.next_cursor)
    assert later.count is None


async def test_a_question_that_takes_long_is_answered_stretch_by_stretch(store: Process, journal: JournalStore) -> None:
    await journal.append([row(number * 100) for number in range(10)])
    hurried = JournalReads(store.database, store.vault, at_once_s=0)

    assert await numbers(hurried, module="sessions") == [number * 100 for number in range(10)]
    assert await numbers(hurried, since=NOON - timedelta(minutes=350)) == [0, 100, 200, 300]
    assert await numbers(hurried, until=NOON - timedelta(minutes=650)) == [700, 800, 900]


async def test_what_there_was_no_time_to_look_at_is_said(store: Process, journal: JournalStore) -> None:
    await journal.append([row(1), row(2)])
    hurried = JournalReads(store.database, store.vault, at_once_s=0, answer_s=0)

    page = await hurried.page(MessageFilter(until=NOON), limit=5, cursor=None)

    assert (page.items, page.count, page.covered_from) == ((), None, NOON)
    assert page.next_cursor is not None
    rest = await JournalReads(store.database, store.vault).page(MessageFilter(), limit=5, cursor=page.next_cursor)
    assert len(rest.items) == 2


async def test_a_story_has_the_result_of_its_command(journal: JournalStore, reads: JournalReads) -> None:
    command, result = b"1" * 32, b"2" * 32
    await journal.append(
        [
            row(3, correlation_id="command", callback_hash=command),
            row(2, B, A, correlation_id="result", callback_hash=command),
            row(1, C, C, correlation_id="result of another", callback_hash=result),
        ]
    )

    for correlation_id in ("command", "result"):
        found = await reads.of_correlation(correlation_id, scope=None)
        assert [entry.correlation_id for entry in found] == ["command", "result"]
    assert await reads.of_correlation("command", scope="p-BE*CCC") == []


async def test_an_entry_and_its_capture_are_found_by_its_id(journal: JournalStore, reads: JournalReads) -> None:
    await journal.append([row(7)])
    key = EntryKey(NOON - timedelta(minutes=7), 7)
    capture = Capture(request_body='{"id":"S1"}', request_headers=(("accept", "*/*"),))
    await journal.keep([(key, capture)])

    entry = await reads.get(str(key), scope="p-NL*AAA")
    assert entry is not None
    assert entry.id == str(key)
    assert await reads.capture(str(key)) == capture
    assert await reads.get(str(key), scope="p-BE*CCC") is None
    assert await reads.get("x", scope=None) is None
    assert await reads.capture(str(EntryKey(NOON, 1))) is None


async def test_ids_lead_to_what_has_them(journal: JournalStore, reads: JournalReads) -> None:
    await journal.append(
        [
            row(1, object_type="session", object_id="X1", correlation_id="c1", request_id="r1"),
            row(2, object_type="session", object_id="X1", correlation_id="c2"),
            row(3, C, B, object_type="location", object_id="X1", token_hash=b"1" * 32),
        ]
    )

    tallies = await reads.with_object("X1", scope=None)
    assert [(each.object_type, each.messages, each.stories) for each in tallies] == [
        ("session", 2, 2),
        ("location", 1, 1),
    ]
    assert [each.messages for each in await reads.with_object("X1", scope="p-BE*CCC")] == [1]
    assert (await reads.with_correlation_id("c1", scope=None), await reads.with_token(b"1" * 32, scope=None)) == (1, 1)
    newest = await reads.of_request("r1", scope=None)
    assert newest is not None
    assert newest.correlation_id == "c1"
    assert await reads.of_request("r1", scope="p-BE*CCC") is None


async def test_a_cursor_of_somebody_else_is_refused(reads: JournalReads) -> None:
    with pytest.raises(InvalidParameters):
        await reads.page(MessageFilter(), limit=1, cursor="x")
