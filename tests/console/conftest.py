"""A hub on PostgreSQL and Redis, and browsers in front of it that forgive nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from loadtests.hub_process import HubProcess
from tests.console.browser import ARGUMENTS, chromium
from tests.hub.forked import ForkedHub
from tests.migrated import MigratedDatabase
from tests.servers import Postgres, RedisServer

expect.set_options(timeout=20_000)
"""Milliseconds until what a page should show is given up: only a failing test takes them, on a busy machine too."""
_HINTS = "[DOM]"
"""How advice of the browser begins, which is no error."""


@pytest.fixture(scope="session")
def hub(
    postgres_server: Postgres, migrated_database: MigratedDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HubProcess]:
    """The hub whose console is looked at. Partners of other tests may be registered there."""
    with on_servers(postgres_server, migrated_database, tmp_path_factory.mktemp("hub")) as process:
        yield process


@contextmanager
def on_servers(postgres_server: Postgres, migrated: MigratedDatabase, folder: Path) -> Iterator[HubProcess]:
    """A hub on PostgreSQL and Redis. The Redis is its own, as other tests empty the one that all share."""
    database_url = asyncio.run(migrated.copied())
    with RedisServer() as redis:
        settings = {"database_url": database_url, "redis_url": redis.url, "rate_limit": "off", "name": "Tide"}
        with ForkedHub(folder, settings) as process:
            yield process
    asyncio.run(postgres_server.drop_database(database_url))


@pytest.fixture(scope="module")
def browser(hub: HubProcess) -> Iterator[Browser]:  # noqa: ARG001 - see below
    """A browser without a window.

    While there is one its event loop runs in this thread, and no other can: so it ends with the module, and whatever
    outlives that is there before.
    """
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield one
        one.close()


@contextmanager
def watched(browser: Browser, hub: HubProcess, **choices: Any) -> Iterator[Page]:  # noqa: ANN401 - any option of a context
    """A page of its own. In the end nothing was violated, nothing failed, and nobody else was asked for anything."""
    context: BrowserContext = browser.new_context(
        **({"base_url": hub.operator.url, "viewport": {"width": 1440, "height": 900}} | choices)
    )
    context.set_default_timeout(10_000)
    wrong: list[str] = []

    def noted(message: ConsoleMessage) -> None:
        is_ours = message.type in {"error", "warning"} and not message.text.startswith(_HINTS)
        if is_ours and "status of 4" not in message.text:  # a refusal that a test asks for
            wrong.append(f"console: {message.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith((hub.operator.url, "data:")):
            wrong.append(f"asked: {request.url}")

    page = context.new_page()
    page.on("console", noted)
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    page.on("request", asked)
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective))"
    )
    yield page
    context.close()
    assert wrong == []


def sign_in(page: Page, token: str, to: str = "/") -> None:
    """As a person does it."""
    page.goto(to)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def page(browser: Browser, hub: HubProcess) -> Iterator[Page]:
    """A page of somebody who is not signed in."""
    with watched(browser, hub) as one:
        yield one


@pytest.fixture(scope="module")
def signed_in(browser: Browser, hub: HubProcess) -> dict[str, Any]:
    """The cookies of an admin, for many pages."""
    with watched(browser, hub) as one:
        sign_in(one, hub.operator.token)
        state: Any = one.context.storage_state()
        return dict(state)


@pytest.fixture
def console(browser: Browser, hub: HubProcess, signed_in: dict[str, Any]) -> Iterator[Page]:
    """A page of an admin who is signed in."""
    with watched(browser, hub, storage_state=signed_in) as one:
        yield one
