from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import anyio
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import col, select
from structlog.testing import capture_logs

from hub.event_kinds import EventKind
from hub.events import Events
from hub.journal import Journal, Noted
from hub.observability import Metrics
from hub.store.administration_tables import EventRow
from hub.store.events import EventRows
from hub.store.journal import JournalStore
from hub.store.journal_entries import Capture, Failure, Hop, JournalEntry, NotedLoss
from hub.store.journal_tables import CaptureRow, EntryKey, JournalGapRow, JournalRow, capture_context
from hub.trace import Lost, Trace
from routing.bodies import read_members
from routing.directory import Connection
from routing.message import Answer, Call, MessageIds, Reply
from routing.modules import operation_at
from routing.paths import ENTRANCES
from routing.quirks import Quirks
from routing.translation.crossing import Loss
from routing.vocabulary import InterfaceRole, Party, Secret, Version
from tests.conftest import StoreUrls
from tests.hub.store.opened import Process, first_process
from tests.servers import PostgresServer

pytestmark = pytest.mark.anyio

SOON = 0.02
CPO, EMSP = Party("NL", "CPO"), Party("DE", "MSP")
BODY = b'{"id":"S1","kwh":4.00,"cdr_token":{"uid":"0123","contract_id":"C1"}}'
SEGMENTS = ("NL", "CPO", "S1")
SESSION_PUT = operation_at(Version.V2_2_1, "sessions", InterfaceRole.RECEIVER, "PUT", SEGMENTS)
[ENTRANCE] = [each for each in ENTRANCES if each.path == "/ocpi/2.2.1/receiver"]


class Noting:
    """A journal on a store, and what came of it."""

    def __init__(self, store: Process) -> None:
        self.database, self.vault = store.database, store.vault
        self.store = JournalStore(store.database, store.vault, keep_days=90)
        self.metrics = Metrics()
        self.events = Events(EventRows(store.database))

    def journal(self, *, most: int = 1000) -> Journal:
        return Journal(self.store, self.vault, self.metrics, self.events, write_every_s=SOON, most=most)

    async def entries(self) -> list[JournalEntry]:
        async with self.database.reading() as session:
            rows = await session.exec(select(JournalRow).order_by(col(JournalRow.time), col(JournalRow.number)))
            return [each.entry for each in rows.all()]

    async def gaps(self) -> list[JournalGapRow]:
        async with self.database.reading() as session:
            return list((await session.exec(select(JournalGapRow))).all())

    def metric(self, name: str) -> float:
        families = text_string_to_metric_families(self.metrics.exposition().decode())
        return next(sample.value for family in families for sample in family.samples if sample.name == name)


@pytest.fixture
async def noting(store_urls: StoreUrls) -> AsyncIterator[Noting]:
    async with first_process(store_urls) as store:
        yield Noting(store)


def connection(platform_id: str, version: Version = Version.V2_2_1, **choices: Any) -> Connection:  # noqa: ANN401 - any field
    hosts = frozenset({"example.com"})
    return Connection(
        f"{platform_id} c",
        platform_id,
        "A",
        version,
        None,
        "x",
        MappingProxyType({}),
        hosts,
        Secret("t"),
        Quirks(),
        **choices,
    )


def session_put(request_id: str = "r1", **facts: Any) -> Trace:  # noqa: ANN401 - any field
    """What is known of a Session that reached its eMSP."""
    trace = Trace(MessageIds(request_id, "story"), Version.V2_2_1, "PUT", operation=SESSION_PUT, sender=CPO)
    known = {
        "receiver": EMSP,
        "source": connection("cpo"),
        "target": connection("emsp", Version.V2_1_1),
        "route": "direct",
        "entrance": ENTRANCE,
        "path": "/sessions/NL/CPO/S1",
        "headers": [(b"authorization", b"Token abc"), (b"x-request-id", b"r1")],
        "segments": SEGMENTS,
        "members": read_members(BODY),
        "body": BODY,
        "upstream_request_id": "u1",
        "upstream_s": 0.04,
        "upstream_http_status": 200,
        "upstream_ocpi_status": 1000,
        "call": Call("PUT", "https://example.com/emsp/sessions/NL/CPO/S1", [(b"authorization", b"Token x")], BODY),
    }
    return msgspec.structs.replace(trace, **known | facts)


def noted(trace: Trace, *, http_status: int = 200, ocpi_status: int = 1000, hop: Hop = Hop.MESSAGE) -> Noted:
    return Noted(hop, trace, http_status, ocpi_status, trace.started + 0.05)


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110 - the figures of a registry are no event
            await anyio.sleep(0.01)


async def test_an_entry_says_all_there_is_to_say(noting: Noting) -> None:
    lost = [Lost("Session", False, (Loss("L-24", "/currency"),))]
    journal = noting.journal()
    journal.start()
    before = datetime.now(UTC)
    journal.note(noted(session_put(losses=lost)))
    await journal.close()

    [entry] = await noting.entries()
    assert before - timedelta(seconds=1) < entry.time <= datetime.now(UTC)
    assert (entry.hop, entry.route, entry.module, entry.interface) == (Hop.MESSAGE, "direct", "sessions", "RECEIVER")
    assert (entry.correlation_id, entry.request_id, entry.upstream_request_id) == ("story", "r1", "u1")
    assert (entry.sender, entry.receiver) == (CPO, EMSP)
    assert (entry.sender_platform_id, entry.receiver_platform_id) == ("cpo", "emsp")
    assert (entry.method, entry.path) == ("PUT", "/ocpi/2.2.1/receiver/sessions/NL/CPO/S1")
    assert entry.upstream_path == "/emsp/sessions/NL/CPO/S1"
    assert (entry.source_version, entry.target_version) == (Version.V2_2_1, Version.V2_1_1)
    assert (entry.http_status, entry.ocpi_status) == (200, 1000)
    assert (entry.upstream_http_status, entry.upstream_ocpi_status) == (200, 1000)
    assert (round(entry.hub_ms), round(entry.upstream_ms)) == (10, 40)
    assert entry.losses == (NotedLoss("L-24", "Session", "/currency"),)
    assert (entry.object_type, entry.object_id) == ("session", "S1")
    assert entry.token_hash == noting.vault.uid_hash("0123")
    assert (entry.failure, entry.reason, entry.receivers) == (None, None, None)
    assert noting.metric("ocpi_hub_journal_written_total") == 1


async def test_what_the_receiver_really_said_is_noted_beside_what_the_sender_got(noting: Noting) -> None:
    journal = noting.journal()
    journal.start()
    refused = Reply(401, [], b'{"status_code":2001,"timestamp":"2026-01-01T00:00:00Z"}')
    trace = session_put(
        reply=refused, upstream_http_status=401, upstream_ocpi_status=None, failure=Failure.REFUSES_TOKEN, fault="No"
    )
    journal.note(noted(trace, ocpi_status=4003))
    journal.note(noted(session_put(), ocpi_status=2001))
    journal.note(noted(session_put(call=None, upstream_http_status=None), http_status=404, ocpi_status=2000))
    journal.note(noted(session_put(), ocpi_status=10**12))
    await journal.close()

    entries = await noting.entries()
    assert [(each.upstream_http_status, each.upstream_ocpi_status) for each in entries[:2]] == [
        (401, 2001),
        (200, 1000),
    ]
    assert [each.failure for each in entries[:3]] == [
        Failure.REFUSES_TOKEN,
        Failure.PARTNER_ERROR,
        Failure.REFUSED,
    ]
    assert entries[0].reason == "No"
    assert entries[3].ocpi_status == 99_999


async def test_hundreds_of_losses_are_noted_as_numbers(noting: Noting) -> None:
    before = Lost("Location", False, (Loss("L-06", "/type"),) * 40)
    lost = [before, Lost("Location", True, tuple(Loss("L-06", f"/data/{at}/type") for at in range(210)))]
    journal = noting.journal()
    journal.start()
    journal.note(noted(session_put(losses=lost)))
    await journal.close()

    [entry] = await noting.entries()
    assert sum(each.count for each in entry.losses) == 250
    assert entry.losses[:40] == (NotedLoss("L-06", "Location", "/type"),) * 40
    assert [each.path for each in entry.losses[40:]] == [*(f"/data/{at}/type" for at in range(60)), ""]
    assert entry.losses[-1] == NotedLoss("L-06", "Location", "", True, 150)


async def test_more_than_fits_into_one_writing_is_written(noting: Noting) -> None:
    journal = noting.journal(most=10_000)
    journal.start()
    for number in range(2500):
        journal.note(noted(session_put(f"r{number}")))
    await journal.close()

    assert len({each.request_id for each in await noting.entries()}) == 2500
    assert journal.waiting == 0


async def test_how_far_behind_it_is_is_said_while_it_goes_on_writing(noting: Noting) -> None:
    """A database that is too slow keeps it from ever coming to an end."""
    journal = noting.journal(most=10_000)
    for number in range(11_000):
        journal.note(noted(session_put(f"r{number}")))
        if number % 64 == 0:
            await asyncio.sleep(0)
    journal.start()
    await until(lambda: 0 < noting.metric("ocpi_hub_journal_written_total") < 10_000)

    assert 0 < noting.metric("ocpi_hub_journal_waiting") < 10_000
    await journal.close()
    assert noting.metric("ocpi_hub_journal_waiting") == 0
    noting.events.start()
    await noting.events.close()
    async with noting.database.reading() as session:
        assert (await session.exec(select(EventRow.kind))).all() == [EventKind.JOURNAL_DROPPING]


async def test_what_there_is_no_room_for_is_counted_and_said(noting: Noting) -> None:
    journal = noting.journal(most=100)
    for number in range(300):
        journal.note(noted(session_put(f"r{number}")))
        await asyncio.sleep(0)  # what was noted becomes rows between messages
    dropped = noting.metric("ocpi_hub_journal_dropped_total")
    assert 300 - 100 - 128 < dropped <= 200

    journal.start()
    with capture_logs() as lines:
        await journal.close()

    written = await noting.entries()
    [gap] = await noting.gaps()
    assert len(written) + gap.entries == 300
    assert gap.entries == noting.metric("ocpi_hub_journal_dropped_total") <= 200
    assert gap.since < gap.until <= datetime.now(UTC)
    assert [line["event"] for line in lines] == ["journal_dropped_entries"]


async def test_an_entry_that_cannot_be_made_costs_no_other(noting: Noting) -> None:
    journal = noting.journal()
    journal.start()
    broken = session_put("broken", segments=(5,))
    with capture_logs() as lines:
        for trace in (session_put("before"), broken, session_put("after")):
            journal.note(noted(trace))
        await journal.close()

    assert {each.request_id for each in await noting.entries()} == {"before", "after"}
    assert "journal_entry_failed" in {line["event"] for line in lines}
    assert noting.metric("ocpi_hub_journal_dropped_total") == 1


async def test_texts_no_database_takes_do_not_cost_the_entry(noting: Noting) -> None:
    journal = noting.journal()
    journal.start()
    odd = session_put(
        "odd",
        operation=operation_at(Version.V2_2_1, "cdrs", InterfaceRole.RECEIVER, "POST", ()),
        segments=(),
        members=read_members(b'{"id":"C\\u0000","cdr_token":{"uid":"\\u0000"}}'),
        fault="said \x00 and \ud800 " + "x" * 9000,
        path="/cdrs",
    )
    journal.note(noted(odd, ocpi_status=2001))
    await journal.close()

    [entry] = await noting.entries()
    assert entry.object_id == "C\N{REPLACEMENT CHARACTER}"
    assert entry.reason is not None
    assert len(entry.reason) == 500


async def test_a_capture_is_kept_while_one_of_both_sides_has_it_switched_on(noting: Noting) -> None:
    on = datetime.now(UTC) + timedelta(hours=1)
    journal = noting.journal()
    journal.start()
    answer = Answer(200, 1000, b'{"status_code":1000,"data":{"uid":"0123"}}', EMSP)
    reply = Reply(200, [(b"server", b"x")], b'{"status_code":1000}')
    for number, (source, target) in enumerate(((on, None), (None, on), (on - timedelta(hours=2), None), (None, None))):
        trace = session_put(
            f"r{number}",
            source=connection("cpo", capture_until=source),
            target=connection("emsp", capture_until=target),
            reply=reply,
        )
        journal.note(Noted(Hop.MESSAGE, trace, 200, 1000, trace.started, answer if trace.is_captured else None))
    await journal.close()

    async with noting.database.reading() as session:
        kept = {
            EntryKey(each.time, each.number): each.content for each in (await session.exec(select(CaptureRow))).all()
        }
    captured = {each.request_id: EntryKey.of(each.id) for each in await noting.entries()}
    assert set(kept) == {captured["r0"], captured["r1"]}
    key = captured["r0"]
    assert key is not None
    capture = msgspec.json.decode(noting.vault.unseal(kept[key], capture_context(key)).reveal(), type=Capture)
    assert capture.request_headers == (("authorization", "••••"), ("x-request-id", "r1"))
    assert capture.upstream_request_headers == (("authorization", "••••"),)
    assert capture.upstream_answer_headers == (("server", "x"),)
    assert ("x-correlation-id", "story") in capture.answer_headers
    assert capture.request_body == '{"id":"S1","kwh":4.00,"cdr_token":{"uid":"••••","contract_id":"••••"}}'
    assert capture.upstream_request_body == capture.request_body
    assert capture.upstream_answer_body == '{"status_code":1000}'
    assert capture.answer_body == '{"status_code":1000,"data":{"uid":"••••"}}'


async def test_a_database_that_answers_nothing_delays_no_message_and_gets_all_that_there_was_room_for() -> None:
    with PostgresServer() as server:
        urls = StoreUrls(await server.create_database(), None)
        async with first_process(urls) as store:
            noting = Noting(store)
            journal = noting.journal(most=200)
            journal.start()
            journal.note(noted(session_put("before")))
            await until(lambda: noting.metric("ocpi_hub_journal_written_total") == 1)

            server.freeze()
            turns = 0
            for number in range(1000):
                journal.note(noted(session_put(f"r{number}")))
                await asyncio.sleep(0)
                turns += 1
            assert turns == 1000  # each message took one turn of the loop, as ever
            assert journal.waiting <= 200 + 64
            await until(lambda: noting.metric("ocpi_hub_journal_dropped_total") > 0)
            server.thaw()

            await until(
                lambda: sum(noting.metric(f"ocpi_hub_journal_{end}_total") for end in ("written", "dropped")) == 1001
            )
            await journal.close()
            [gap] = await noting.gaps()
            assert gap.entries == noting.metric("ocpi_hub_journal_dropped_total")
            assert len(await noting.entries()) == 1001 - gap.entries
