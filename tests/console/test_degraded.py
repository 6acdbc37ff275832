"""A store goes away while somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from playwright.sync_api import Browser, Page, expect

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.console.conftest import sign_in, watched
from tests.hub.forked import ForkedHub
from tests.migrated import MigratedDatabase
from tests.partners import CPO, EMSP, location, partner, path_of, registered
from tests.servers import PostgresServer, RedisServer


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def own_database_url(postgres: PostgresServer) -> str:
    """A database with all tables on that server."""
    return asyncio.run(MigratedDatabase(postgres).copied())


@pytest.fixture(scope="module")
def hub(redis: RedisServer, own_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub on servers that may be hurt."""
    settings = {"database_url": own_database_url, "redis_url": redis.url, "rate_limit": "off"}
    with ForkedHub(tmp_path_factory.mktemp("hub"), settings) as one:
        yield one


@pytest.fixture(scope="module")
def pair(hub: HubProcess) -> Iterator[tuple[Partner, Partner]]:
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        yield cpo, emsp


def in_sql(url: str, statement: str) -> None:
    """In a thread of its own: this one belongs to the browser's loop."""

    async def run() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute(statement)
        await connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


def push(pair: tuple[Partner, Partner]) -> int:
    cpo, emsp = pair
    where = path_of(cpo.party, "LOC1")
    return cpo.put("locations", where, to=emsp.party, json=location(cpo.party)).status_code


def shows_banner(page: Page, text: str) -> None:
    """Reload until the banner is there: the hub notices within seconds."""
    banner = page.get_by_role("status").filter(has_text=text)
    for _ in range(40):
        page.goto("/")
        if banner.count():
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"no banner says {text}")


def test_without_redis_pages_open_and_say_so_until_it_is_back(
    browser: Browser, hub: HubProcess, pair: tuple[Partner, Partner], redis: RedisServer
) -> None:
    with watched(browser, hub) as page:
        sign_in(page, hub.operator.token)
        redis.kill()
        shows_banner(page, "Redis is away")
        for path in ("/", "/partners", "/events", "/audit"):
            page.goto(path)
            expect(page.get_by_role("status")).to_contain_text("Rate limits count by process")
        assert push(pair) == 1000

        page.clock.install()
        page.goto("/")
        redis.start()
        for _ in range(40):
            page.clock.fast_forward(15_000)
            if not page.get_by_role("status").count():
                break
            page.wait_for_timeout(250)
        expect(page.get_by_role("status")).to_have_count(0)


def test_without_the_database_nothing_can_be_changed_and_the_overview_works(
    browser: Browser, hub: HubProcess, pair: tuple[Partner, Partner], postgres: PostgresServer
) -> None:
    with watched(browser, hub) as page:
        sign_in(page, hub.operator.token)
        postgres.kill()
        try:
            shows_banner(page, "The database is away")
            expect(page.get_by_role("button", name="Add a partner")).to_be_disabled()
            expect(page.get_by_role("heading", level=1)).to_contain_text("The database is away")
            expect(page.get_by_role("region", name="The hub itself")).to_contain_text("Away")
            assert push(pair) == 1000
        finally:
            postgres.start()


def test_a_part_that_fails_leaves_the_others(
    browser: Browser, hub: HubProcess, pair: tuple[Partner, Partner], own_database_url: str
) -> None:
    cpo, _ = pair
    [found] = hub.operator.ask("GET", "/api/v1/platforms", params={"q": str(cpo.party)})["items"]
    with watched(browser, hub) as page:
        sign_in(page, hub.operator.token)
        in_sql(own_database_url, "ALTER TABLE losses RENAME TO losses_gone")
        try:
            page.goto(f"/partners/{found['id']}")
        finally:
            in_sql(own_database_url, "ALTER TABLE losses_gone RENAME TO losses")

        expect(page.get_by_role("region", name="Losses")).to_contain_text("Losses cannot be shown")
        expect(page.get_by_role("region", name="Access")).to_contain_text("fingerprint")
        page.get_by_role("link", name="Try again").click()
        expect(page.get_by_role("region", name="Losses")).to_contain_text("None.")
