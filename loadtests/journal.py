"""How fast the journal is written, and how long an operator waits for an answer of it.

Fills a PostgreSQL of its own with the entries of 30 days, the way a hub writes them, and then asks what operators ask,
with the functions of the operator API. Everything is made from one seed: two runs have the same entries.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import msgspec
from msgspec import Struct
from sqlalchemy import text

from hub.store.database import Database
from hub.store.journal import JournalStore
from hub.store.journal_entries import Failure, Hop
from hub.store.journal_filters import MessageFilter
from hub.store.journal_reads import JournalReads
from hub.store.migrations import migrate
from hub.store.vault import Vault
from routing.vocabulary import Party, Secret, Version
from tests.servers import PostgresServer

DAYS: Final = 30
PLATFORMS: Final = 200
AT_ONCE: Final = 500
TIMES: Final = 100
"""How often each question is asked."""
_MODULES: Final = ("sessions", "locations", "tokens", "cdrs", "commands", "tariffs")
_WEIGHTS: Final = (45, 25, 14, 8, 5, 3)
_KINDS: Final = dict(zip(_MODULES, ("session", "location", "token", "cdr", "location", "tariff"), strict=True))
_FAILURES: Final = (Failure.TIMEOUT, Failure.PARTNER_ERROR, Failure.RECEIVER_OFFLINE, Failure.UNTRANSLATABLE)
_LOSSES: Final = '[{"loss":"L-24","kind":"Session","path":"/currency"},{"loss":"M-33","kind":"Session"}]'
_STATUSES: Final = {Failure.TIMEOUT: 4002, Failure.RECEIVER_OFFLINE: 4003, Failure.UNTRANSLATABLE: 4000}
_FAILED_SHARE: Final = 0.02
_LOSSY_SHARE: Final = 0.15


class Filled(Struct):
    """What there is to ask for, and what it took to write it."""

    entries: int = 0
    seconds: float = 0.0
    """Of the writing alone, as the next is."""
    cpu_s: float = 0.0
    stories: list[str] = []
    objects: list[str] = []


class Sender(NamedTuple):
    """One that sends and receives messages."""

    party: Party
    platform_id: str


class Traffic:
    """Entries as a hub of some hundred partners has them, day by day. A tenth of these has most of the traffic."""

    def __init__(self, seed: int, partners: Sequence[Sender] = ()) -> None:
        """`partners` are those whose messages they are, `PLATFORMS` strangers unless given."""
        self._random = random.Random(seed)  # noqa: S311 - a benchmark
        self.partners = partners or self._strangers()
        self._number = 0

    def _strangers(self) -> Sequence[Sender]:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        return [
            Sender(Party(country, f"{letters[at // 26]}{letters[at % 26]}X"), self._hex(32))
            for country in ("NL", "DE")
            for at in range(PLATFORMS // 2)
        ]

    def day(self, start: datetime, entries: int) -> Iterator[tuple[Any, ...]]:
        """The rows of one day, as they come."""
        step = timedelta(days=1) / entries
        for at in range(entries):
            self._number += 1
            yield self._row(start + at * step)

    def _row(self, at: datetime) -> tuple[Any, ...]:
        pick = self._random
        sender, receiver = self._partner(), self._partner()
        [module] = pick.choices(_MODULES, _WEIGHTS)
        object_id = f"{module[:3].upper()}{pick.randrange(2_000_000):07d}"
        is_translated, failure = pick.random() < _LOSSY_SHARE, self._failure()
        path = f"/ocpi/2.2.1/receiver/{module}/{sender.party.country_code}/{sender.party.party_id}/{object_id}"
        return (
            at,
            self._number,
            Hop.MESSAGE,
            self._hex(32),
            self._hex(32),
            self._hex(32),
            str(sender.party),
            str(receiver.party),
            sender.platform_id,
            receiver.platform_id,
            "direct",
            module,
            "RECEIVER",
            "PUT",
            path,
            f"/ocpi/emsp{path}",
            Version.V2_2_1,
            Version.V2_1_1 if is_translated else Version.V2_2_1,
            200,
            1000 if failure is None else _STATUSES.get(failure, 2001),
            None if failure is Failure.RECEIVER_OFFLINE else 200,
            1000 if failure is None else None,
            int(pick.expovariate(1 / 900)),
            int(pick.expovariate(1 / 60_000)),
            _LOSSES if is_translated else None,
            _KINDS[module],
            None if module == "tokens" else object_id,
            pick.randbytes(32) if module in {"tokens", "sessions", "cdrs"} else None,
            failure,
            None if failure is None else f"{receiver.party} did not take this message",
            None,
            None,
        )

    def _partner(self) -> Sender:
        return self.partners[int(len(self.partners) * self._random.random() ** 3)]

    def _failure(self) -> Failure | None:
        return self._random.choice(_FAILURES) if self._random.random() < _FAILED_SHARE else None

    def _hex(self, digits: int) -> str:
        return f"{self._random.getrandbits(digits * 4):0{digits}x}"


async def fill(store: JournalStore, traffic: Traffic, entries: int, until: datetime) -> Filled:
    """Write the days before `until`."""
    filled, first = Filled(), until - timedelta(days=DAYS)
    rows: list[tuple[Any, ...]] = []
    for day in range(DAYS):
        for row in traffic.day(first + timedelta(days=day), entries // DAYS):
            rows.append(row)
            if len(rows) == AT_ONCE:
                await _write(store, rows, filled)
        click.echo(f"\r  {filled.entries:,} entries", nl=False)
    await _write(store, rows, filled)
    click.echo()
    return filled


async def _write(store: JournalStore, rows: list[tuple[Any, ...]], filled: Filled) -> None:
    if not rows:
        return
    began, cpu = time.perf_counter(), time.process_time()
    refused = await store.append(rows)
    filled.seconds += time.perf_counter() - began
    filled.cpu_s += time.process_time() - cpu
    filled.entries += len(rows) - refused
    filled.stories.append(rows[0][3])
    filled.objects.append(next((row[26] for row in rows if row[26] is not None), ""))
    rows.clear()


class Answered(NamedTuple):
    """How long one kind of question took, in milliseconds."""

    name: str
    p50_ms: float
    p95_ms: float
    longest_ms: float
    found: float
    """Entries in an answer, on average."""


async def _ask(name: str, question: Callable[[random.Random], Awaitable[int]]) -> Answered:
    pick = random.Random(name)  # noqa: S311 - a benchmark
    took, found = [], []
    for _ in range(TIMES):
        began = time.perf_counter()
        found.append(await question(pick))
        took.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(took, n=20)
    return Answered(name, statistics.median(took), cuts[18], max(took), statistics.mean(found))


async def ask(reads: JournalReads, filled: Filled, traffic: Traffic, until: datetime) -> list[Answered]:
    """The questions of an operator, each about something else every time."""

    async def story(pick: random.Random) -> int:
        return len(await reads.of_correlation(pick.choice(filled.stories), scope=None))

    async def page(pick: random.Random, wanted: MessageFilter) -> int:
        end = until - timedelta(days=pick.randrange(DAYS))
        wanted = msgspec.structs.replace(wanted, since=end - timedelta(days=1), until=end)
        return len((await reads.page(wanted, limit=50, cursor=None)).items)

    async def party(pick: random.Random) -> int:
        return await page(pick, MessageFilter(party=pick.choice(traffic.partners).party))

    async def platform(pick: random.Random) -> int:
        return await page(pick, MessageFilter(platform_id=pick.choice(traffic.partners).platform_id))

    async def outcome(pick: random.Random) -> int:
        return await page(pick, MessageFilter(module=pick.choice(_MODULES), failed=True))

    async def everything(pick: random.Random) -> int:
        party, module = pick.choice(traffic.partners).party, pick.choice(_MODULES)
        return await page(pick, MessageFilter(party=party, module=module, failed=True))

    async def about_object(pick: random.Random) -> int:
        return sum(each.messages for each in await reads.with_object(pick.choice(filled.objects), scope=None))

    return [
        await _ask("one correlation id, any time", story),
        await _ask("one party, one day", party),
        await _ask("one platform, one day", platform),
        await _ask("one module, failed, one day", outcome),
        await _ask("party, module, failed, one day", everything),
        await _ask("one object id, any time", about_object),
    ]


async def _run(entries: int) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        click.echo("Starting PostgreSQL …")
        postgres = stack.enter_context(PostgresServer(shared_buffers="256MB", max_wal_size="4GB"))
        url = await postgres.create_database()
        await migrate(url)
        database, vault = Database(url), Vault(Secret("the key of a benchmark"))
        stack.push_async_callback(database.close)
        store, traffic = JournalStore(database, vault, keep_days=DAYS + 1), Traffic(seed=5)
        until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        click.echo(f"Writing {entries:,} entries of {DAYS} days and {PLATFORMS} platforms …")
        filled = await fill(store, traffic, entries, until)
        async with database.alone() as connection:
            size = (await connection.execute(text(_SIZE))).scalar_one()
        click.echo(f"  {filled.entries / filled.seconds:,.0f} entries a second")
        click.echo(f"  {filled.cpu_s / filled.entries * 1e6:.1f} µs of the hub's processor for each")
        click.echo(f"  {size / filled.entries:,.0f} bytes on disk for each, indexes included")
        answers = await ask(JournalReads(database, vault), filled, traffic, until)
    click.echo(f"Asking, {TIMES} times each:")
    click.echo(f"  {'':32}{'p50 ms':>10}{'p95 ms':>10}{'longest':>10}{'entries':>10}")
    for each in answers:
        click.echo(f"  {each.name:32}{each.p50_ms:10.1f}{each.p95_ms:10.1f}{each.longest_ms:10.1f}{each.found:10.1f}")
    written = {"entries": filled.entries, "seconds": filled.seconds, "cpu_s": filled.cpu_s, "bytes": size}
    return {"written": written, "asked": [each._asdict() for each in answers]}


_SIZE: Final = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('journal')"


@click.command("make bench-journal")
@click.option("--entries", default=10_000_000, show_default=True, type=click.IntRange(min=DAYS), help="How many.")
@click.option("--report", type=click.Path(path_type=Path), help="Also write the figures here, as JSON.")
def main(entries: int, report: Path | None) -> None:
    """Measure the journal. Ten million entries take about 15 GB and 10 minutes."""
    figures = asyncio.run(_run(entries))
    if report is not None:
        report.write_text(json.dumps(figures, indent=2, default=float))


if __name__ == "__main__":
    main()
