from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import misbehaviour
from tests.console.conftest import sign_in, watched
from tests.hub.event_waiting import event_of
from tests.hub.forked import ForkedHub
from tests.partners import CPO, EMSP, location, partner, path_of, registered


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub without the troubles of other tests."""
    with ForkedHub(tmp_path_factory.mktemp("hub"), {"rate_limit": "off"}) as one:
        yield one


@pytest.fixture(scope="module")
def new_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub nobody has registered at."""
    with ForkedHub(tmp_path_factory.mktemp("hub"), {"name": "New", "rate_limit": "off"}) as one:
        yield one


def test_a_new_hub_offers_an_invitation_and_no_empty_charts(new_hub: HubProcess, browser: Browser) -> None:
    with watched(browser, new_hub) as page:
        sign_in(page, new_hub.operator.token)

        expect(page.get_by_role("heading", level=1)).to_have_text("No partner yet")
        expect(page.get_by_role("link", name="Add a partner")).to_be_visible()
        expect(page.get_by_text("make demo")).to_be_visible()
        expect(page.get_by_role("img")).to_have_count(0)


def test_the_overview_counts_says_who_is_in_trouble_and_refreshes_itself(console: Page, hub: HubProcess) -> None:
    console.clock.install()
    console.goto("/")
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        for _ in range(3):
            cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))
        emsp.answers_next(misbehaviour.UNAUTHORIZED)
        cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))
        event = event_of(hub, EventKind.PARTNER_REFUSES_TOKEN)
        until = time.monotonic() + 10
        while hub.operator.ask("GET", "/api/v1/overview")["last_hour"]["failed"]["partner"] == 0:
            assert time.monotonic() < until
            time.sleep(0.05)

        console.clock.fast_forward(15_000)

        needs_you = console.get_by_role("region", name="Needs you")
        entry = needs_you.get_by_role("listitem").filter(has_text=emsp.name)
        expect(entry).to_contain_text("Do:")
        expect(entry).to_contain_text("since")
        expect(console.get_by_role("heading", level=1)).to_contain_text(re.compile("needs? you"))
        expect(console).to_have_title(re.compile(r"^\([0-9]+\) Overview"))
        figures = console.locator("#figures")
        expect(figures).to_contain_text("of what came to the hub; 1 partner error, 0 hub errors")
        worst = console.get_by_role("region", name="Partners with most errors")
        expect(worst.get_by_role("row").filter(has_text=emsp.name)).to_contain_text("refuses the hub's access token")

        console.clock.resume()
        entry.get_by_role("link", name=event["title"].replace("A partner", emsp.name)).click()
        console.get_by_label("Reason").fill("They know")
        console.get_by_label("Until").fill("2099-01-01T00:00")
        console.get_by_role("button", name="Acknowledge").click()
        expect(console.get_by_text("They know")).to_be_visible()
        console.goto("/")
        expect(console.get_by_role("listitem").filter(has_text=emsp.name)).to_have_count(0)
