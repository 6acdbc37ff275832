"""How large the pages of the console are, and how long the hub takes for each, in a large and busy network.

A hub on PostgreSQL and Redis, whose database has thousands of platforms and a journal of 30 days. Some of the partners
send messages, which nobody takes, so that there are figures and events. Then one operator asks for every page, again
and again, and for something else each time.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

import asyncpg
import click
import httpx

from hub.store.database import Database
from hub.store.journal import JournalStore
from hub.store.vault import Vault
from loadtests.hub_process import HubFailed, HubProcess
from loadtests.journal import DAYS, Filled, Sender, Traffic, fill
from loadtests.population import KEY, Settler, settle, token_of
from loadtests.scale import MODULES
from loadtests.simulator.stock import numbered_party
from routing.authorization import authorization_value
from routing.vocabulary import Role, Secret
from tests.servers import Postgres, PostgresServer, RedisServer

MOST_BYTES: Final = 100_000
MOST_MS: Final = 80.0
MOST_STORY_MS: Final = 200.0
_COUNTRIES: Final = ("AT", "BE", "CH")
_BUSY: Final = 200
"""Platforms whose messages the journal has."""
_CALLERS: Final = 40
_NAVIGATION: Final = re.compile(r'<nav class="side".*?</nav>', re.DOTALL)
_LINK: Final = re.compile(r'href="(/[^"#]*)"')
_NEXT: Final = re.compile(r'<a[^>]*href="([^"]+)"[^>]*rel="next"')
_FORM: Final = re.compile(r'name="_csrf_token" value="([^"]+)"')

Ask = Callable[[random.Random], str]
"""The path of a page about one thing or another."""


class Known(NamedTuple):
    """What can be asked for."""

    senders: Sequence[Sender]
    platforms: int
    filled: Filled


class Measured(NamedTuple):
    """One page. Milliseconds are from the request to the last byte of the answer, on one connection of this machine."""

    page: str
    bytes: int
    """Of the largest."""
    p50_ms: float
    p95_ms: float
    most_ms: float

    @property
    def verdict(self) -> str:
        """What is wrong with it."""
        too = [
            word for word, is_so in (("large", self.bytes > MOST_BYTES), ("slow", self.p95_ms > self.most_ms)) if is_so
        ]
        return f"too {' and '.join(too)}" if too else "ok"


@click.command("make bench-console")
@click.option("--platforms", default=10_000, show_default=True, type=click.IntRange(min=4), help="Registered ones.")
@click.option("--entries", default=10_000_000, show_default=True, type=click.IntRange(min=DAYS), help="Of the journal.")
@click.option("--times", default=40, show_default=True, type=click.IntRange(min=2), help="How often each is asked for.")
@click.option("--report", type=click.Path(path_type=Path), help="Also write the figures here, as JSON.")
def main(platforms: int, entries: int, times: int, report: Path | None) -> None:
    """Measure every page of the console. Ten million entries take about 15 GB and 15 minutes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ocpi-hub-console-")))
        postgres = stack.enter_context(PostgresServer(shared_buffers="256MB", max_wal_size="4GB"))
        redis = stack.enter_context(RedisServer())
        measured = measure(postgres, redis.url, folder, platforms=platforms, entries=entries, times=times)
    click.echo(table(measured))
    if report is not None:
        report.write_text(json.dumps([{**each._asdict(), "verdict": each.verdict} for each in measured], indent=2))
    sys.exit(any(each.verdict != "ok" for each in measured))


def measure(
    postgres: Postgres,
    redis_url: str,
    folder: Path,
    *,
    platforms: int,
    entries: int,
    times: int,
    callers: int = _CALLERS,
) -> list[Measured]:
    """Measure with a hub of its own. Raises HubFailed."""
    database_url = asyncio.run(postgres.create_database())
    settings = {"database_url": database_url, "redis_url": redis_url, "secret_key": KEY.reveal(), "rate_limit": "off"}
    hub = HubProcess(folder, settings | {"alive_after_s": "86400"})
    known = asyncio.run(_populate(database_url, hub.url, platforms, entries))
    with hub, httpx.Client(base_url=hub.operator.url, trust_env=False, timeout=60) as client:
        _make_trouble(hub, known, callers)
        _sign_in(client, hub.operator.token)
        click.echo(f"Asking for each page, {times} times …", err=True)
        return [_measured(client, page, ask, times) for page, ask in _pages(client, known)]


def table(measured: Sequence[Measured]) -> str:
    """For people."""
    lines = [f"{'page':<52}{'kB':>8}{'p50 ms':>10}{'p95 ms':>10}  verdict"]
    for each in measured:
        figures = f"{each.bytes / 1000:8.1f}{each.p50_ms:10.1f}{each.p95_ms:10.1f}"
        lines.append(f"{each.page:<52}{figures}  {each.verdict}")
    return "\n".join(lines)


async def _populate(database_url: str, hub_url: str, platforms: int, entries: int) -> Known:
    click.echo(f"Writing {platforms:,} platforms and {entries:,} entries …", err=True)
    now, settlers = datetime.now(UTC), []
    for number in range(platforms):
        role = (Role.CPO, Role.EMSP)[number % 2]
        parties = [numbered_party(country, number) for country in _COUNTRIES]
        settlers.append(Settler(f"Platform {number}", parties, role, "http://127.0.0.1:1", MODULES[role], now))
    await settle(database_url, hub_url, settlers)
    busy = settlers[:_BUSY]
    senders = [Sender(settler.parties[0], f"{number:032x}") for number, settler in enumerate(busy)]
    database = Database(database_url)
    try:
        store = JournalStore(database, Vault(KEY), keep_days=DAYS + 1)
        filled = await fill(store, Traffic(7, senders), entries, now + timedelta(hours=1))
    finally:
        await database.close()
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await connection.execute("ANALYZE")
    await connection.close()
    return Known(senders, platforms, filled)


def _make_trouble(hub: HubProcess, known: Known, callers: int) -> None:
    """Messages to partners that do not answer, and one invitation."""
    hub.operator.invite("Late")
    with httpx.Client(base_url=hub.url, trust_env=False, timeout=30) as client:
        for number in range(min(callers, known.platforms)):
            sender, receiver = known.senders[number].party, known.senders[number ^ 1].party
            role = "sender" if number % 2 else "receiver"
            token = authorization_value(Secret(token_of(number)), "base64").reveal()
            headers = {"authorization": token, "ocpi-from-country-code": sender.country_code}
            headers |= {"ocpi-from-party-id": sender.party_id, "ocpi-to-country-code": receiver.country_code}
            client.get(f"/ocpi/2.2.1/{role}/locations", headers=headers | {"ocpi-to-party-id": receiver.party_id})
    hub.calm()  # one that has just started writes its directory to Redis, and considers everybody for a look


def _sign_in(client: httpx.Client, token: str) -> None:
    found = _FORM.search(client.get("/login").text)
    if found is None:
        raise HubFailed("the page to sign in has no form")
    answer = client.post("/login", data={"_csrf_token": found[1], "token": token, "next": "/"})
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise HubFailed(f"nobody can sign in: HTTP {answer.status_code}")


def _pages(client: httpx.Client, known: Known) -> Iterator[tuple[str, Ask]]:
    """All pages: what the navigation leads to, and what is behind that."""
    navigation = _NAVIGATION.search(client.get("/").text)
    links = _LINK.findall(navigation[0]) if navigation else []
    for link in dict.fromkeys(["/", *links]):
        yield link, _always(link)
    senders, filled = known.senders, known.filled
    hours = [datetime.now(UTC) - timedelta(hours=number) for number in range(DAYS * 24)]
    yield "/messages, everything", _always("/messages?range=all")
    yield "/messages of a party", lambda pick: f"/messages?party={quote(str(pick.choice(senders).party))}"
    yield (
        "/messages of a party, failed, any time",
        lambda pick: f"/messages?range=all&outcome=failed&party={quote(str(pick.choice(senders).party))}",
    )
    yield "/messages, lossy", _always("/messages?lossy=true")
    yield "/messages, an hour of the past", lambda pick: _hour(pick.choice(hours))
    yield "/search, an object", lambda pick: f"/search?q={pick.choice(filled.objects)}"
    yield "/search, a correlation id", lambda pick: f"/search?q={pick.choice(filled.stories)}"
    yield "/search, nothing", lambda pick: f"/search?q=nobody-{pick.random()}"
    yield "/story", lambda pick: f"/story?id={pick.choice(filled.stories)}"
    for query in ("sort=name", "sort=-p95_ms", "status=CONNECTED&role=CPO&version=2.2.1", "name=99"):
        yield f"/partners, {query}", _always(f"/partners?{query}")
    later = _NEXT.search(client.get("/partners").text)
    if later is not None:
        yield "/partners, the second page", _always(later[1].replace("&amp;", "&"))
    yield "/partners/ID", lambda pick: f"/partners/{pick.choice(senders).platform_id}"
    yield "/partners/ID/registration", lambda pick: f"/partners/{pick.choice(senders).platform_id}/registration"
    yield "/partners/ID/suspend", lambda pick: f"/partners/{pick.choice(senders).platform_id}/suspend"
    yield "/partners/new", _always("/partners/new")
    yield "/events, closed", _always("/events?state=closed")
    yield "/rules/L-81", _always("/rules/L-81")


def _always(path: str) -> Ask:
    return lambda _: path


def _hour(until: datetime) -> str:
    since = until - timedelta(hours=1)
    return f"/messages?from={since:%Y-%m-%dT%H:%M}&to={until:%Y-%m-%dT%H:%M}"


def _measured(client: httpx.Client, page: str, ask: Ask, times: int) -> Measured:
    pick, took, sizes = random.Random(page), [], []  # noqa: S311 - a benchmark
    for number in range(times + 1):  # the first finds neither templates nor plans of queries
        path = ask(pick)
        began = time.perf_counter()
        answer = client.get(path)
        seconds = time.perf_counter() - began
        if answer.status_code not in {httpx.codes.OK, httpx.codes.SEE_OTHER, httpx.codes.FOUND}:
            raise HubFailed(f"{path}: HTTP {answer.status_code}")
        sizes.append(len(answer.content))
        if number:
            took.append(seconds * 1000)
    most_ms = MOST_STORY_MS if page.startswith("/story") else MOST_MS
    p95 = statistics.quantiles(took, n=20, method="inclusive")[18]
    return Measured(page, max(sizes), statistics.median(took), p95, most_ms)


if __name__ == "__main__":
    main()
