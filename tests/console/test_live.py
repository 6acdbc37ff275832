from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner, misbehaviour
from routing.vocabulary import Party
from tests.console.conftest import sign_in, watched
from tests.console.test_sign_in import posted, token_of_form
from tests.console.told import put_location
from tests.hub.forked import ForkedHub
from tests.hub.operator.people import client_from_elsewhere
from tests.hub.scenarios.translated import new_id
from tests.partners import CPO, EMSP, partner, registered

NOBODY = Party("BE", "999")
KEPT = 200
STREAM = {"accept": "text/event-stream"}


@pytest.fixture(scope="module")
def pair(hub: HubProcess) -> Iterator[tuple[Partner, Partner]]:
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        yield cpo, emsp


@pytest.fixture
def live(console: Page, pair: tuple[Partner, Partner]) -> Page:
    """The page of what one party does, open, with a row."""
    cpo, _ = pair
    name = new_id("live")
    follow(console, f"/live?party={cpo.party}")
    send(*pair, name)
    expect(rows(console).first.get_by_role("link").first).to_have_attribute("href", re.compile(name))
    return console


def follow(page: Page, path: str) -> None:
    """Open the page, and wait until it follows."""
    with page.expect_response(lambda answer: "/live/rows" in answer.url):
        page.goto(path)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def rows(page: Page) -> Locator:
    return page.locator("#rows tr")


def send(cpo: Partner, emsp: Partner, *names: str) -> None:
    """A message for each of these correlation ids; nobody waits for the journal."""
    for name in names:
        cpo.get("tokens", to=emsp.party, headers={"x-correlation-id": name})


def fail(pair: tuple[Partner, Partner], name: str) -> None:
    """A message to somebody nobody knows."""
    pair[0].get("tokens", to=NOBODY, headers={"x-correlation-id": name})


def hide(page: Page, hidden: bool) -> None:
    """Have the page believe that its tab is hidden, or seen."""
    page.evaluate(
        """(hidden) => { Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
                         document.dispatchEvent(new Event("visibilitychange")); }""",
        hidden,
    )


def first(page: Page) -> str:
    """The correlation id of the first row."""
    return str(rows(page).first.get_by_role("link").first.get_attribute("href"))


def test_each_message_comes_on_top_when_it_has_ended(live: Page, pair: tuple[Partner, Partner]) -> None:
    send(*pair, "live-1", "live-2", "live-3")

    expect(rows(live).first.get_by_role("link").first).to_have_attribute("href", re.compile("live-3"))
    assert "live-2" in str(rows(live).nth(1).get_by_role("link").first.get_attribute("href"))
    expect(live.get_by_text(re.compile(r"messages/s, showing all, 0 left out"))).to_be_visible()


def test_paused_rows_stand_still_and_are_counted_until_somebody_goes_on(
    live: Page, pair: tuple[Partner, Partner]
) -> None:
    live.locator("main").focus()
    live.keyboard.press("p")
    before, there = rows(live).count(), first(live)
    send(*pair, "paused-1", "paused-2")
    expect(live.get_by_role("button", name="Resume, 2 new")).to_be_visible()
    assert (rows(live).count(), first(live)) == (before, there)

    live.get_by_role("button", name="Resume, 2 new").click()

    expect(rows(live)).to_have_count(before + 2)
    assert "paused-2" in first(live)
    expect(live.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "false")


def test_a_row_that_somebody_is_at_stands_still(live: Page, pair: tuple[Partner, Partner]) -> None:
    at = rows(live).first.get_by_role("link").first
    at.focus()
    send(*pair, "focused-1")
    expect(live.get_by_text("1 waiting until the row is left")).to_be_visible()
    expect(at).to_be_focused()

    live.locator("main").focus()

    expect(rows(live).first.get_by_role("link").first).to_have_attribute("href", re.compile("focused-1"))


def test_errors_are_read_aloud_to_who_wants_that_and_one_at_a_time(live: Page, pair: tuple[Partner, Partner]) -> None:
    aloud = live.locator("[aria-live=polite]")
    fail(pair, "quiet-1")
    expect(rows(live).first).to_contain_text("names no party")
    assert aloud.inner_text() == ""

    live.get_by_label("Read errors aloud").check()
    fail(pair, "loud-1")
    expect(aloud).to_contain_text("names no party")
    said = aloud.inner_text()
    fail(pair, "loud-2")
    expect(rows(live).first.get_by_role("link").first).to_have_attribute("href", re.compile("loud-2"))
    assert aloud.inner_text() == said


def test_the_newest_two_hundred_rows_are_kept(live: Page, pair: tuple[Partner, Partner]) -> None:
    live.evaluate(
        """() => { const rows = document.querySelector("#rows");
                   while (rows.rows.length < 250) rows.append(rows.rows[0].cloneNode(true)); }"""
    )
    send(*pair, "kept-1")

    expect(rows(live)).to_have_count(KEPT)
    assert "kept-1" in first(live)
    live.get_by_role("button", name="Clear").click()
    expect(rows(live)).to_have_count(0)


def test_a_hidden_tab_follows_nothing_and_has_missed_nothing_when_it_is_seen_again(
    live: Page, pair: tuple[Partner, Partner]
) -> None:
    send(*pair, "seen-1")
    expect(rows(live).first.get_by_role("link").first).to_have_attribute("href", re.compile("seen-1"))
    hide(live, True)
    send(*pair, "hidden-1", "hidden-2")
    live.wait_for_timeout(700)
    assert "seen-1" in first(live)

    hide(live, False)

    expect(rows(live).first.get_by_role("link").first).to_have_attribute("href", re.compile("hidden-2"))
    assert "hidden-1" in str(rows(live).nth(1).get_by_role("link").first.get_attribute("href"))


def test_filters_are_in_the_address_and_hold_for_what_comes(
    browser: Browser, hub: HubProcess, signed_in: dict[str, Any], pair: tuple[Partner, Partner]
) -> None:
    cpo, emsp = pair
    with watched(browser, hub, storage_state=signed_in) as page:
        follow(page, "/live")
        page.get_by_label("Partner, or party such as NL*ABC").fill(str(cpo.party))
        page.get_by_label("Any outcome").select_option("failed")
        page.get_by_role("button", name="Show").click()
        expect(page).to_have_url(re.compile(r"party=.*outcome=failed"))
        expect(page.get_by_role("link", name="Remove filter failed")).to_be_visible()
        expect(page.locator("footer")).to_contain_text("ocpi-hub messages --follow --party")
        page.wait_for_timeout(700)  # until it follows, and the page has looked for what it may have missed
        send(cpo, emsp, "well-1")
        fail(pair, "badly-1")
        expect(rows(page).first.get_by_role("link").first).to_have_attribute("href", re.compile("badly-1"))
        assert page.locator("#rows a[href*=well-1]").count() == 0


def test_without_a_script_the_last_fifty_are_there_and_a_link_that_loads_them_again(
    browser: Browser, hub: HubProcess, signed_in: dict[str, Any], pair: tuple[Partner, Partner]
) -> None:
    put_location(hub, pair[0], pair[1].party, "plain-1")
    with watched(browser, hub, storage_state=signed_in, java_script_enabled=False) as page:
        page.goto(f"/live?party={pair[0].party}")
        assert "plain-1" in first(page)
        assert rows(page).count() <= 50
        expect(page.get_by_role("button", name="Pause")).to_be_hidden()
        page.get_by_role("link", name="Load again").click()
        expect(page).to_have_url(re.compile(r"/live\?party="))


def test_a_stream_ends_with_its_session(hub: HubProcess) -> None:
    with client_from_elsewhere(hub) as client:
        posted(client, hub.operator.token)
        form = {"_csrf_token": token_of_form(client, "/help")}
        with client.stream("GET", "/live/rows", headers=STREAM) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "retry: 1000"
            with client_from_elsewhere(hub) as other:
                other.cookies.update(client.cookies)
                assert other.post("/logout", data=form).status_code == 303
            assert "event: over" in list(lines)
        assert client.get("/live/rows").status_code == 303


def test_when_the_hub_restarts_the_page_says_so_goes_on_and_says_what_it_did_not_follow(
    browser: Browser, tmp_path: Path
) -> None:
    with ForkedHub(tmp_path) as hub, registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        page = browser.new_page(base_url=hub.operator.url)
        sign_in(page, hub.operator.token, "/live")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.wait_for_timeout(700)
        send(cpo, emsp, "before-1")
        expect(rows(page)).to_have_count(1)
        hub.stop()
        expect(page.get_by_role("status")).to_have_text(re.compile(r"Stopped at \d\d:\d\d:\d\d, trying again\."))
        hub.start()

        send(cpo, emsp, "unseen-1")
        expect(page.get_by_role("row").filter(has_text="Not followed from")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("")
        send(cpo, emsp, "after-1")

        expect(page.locator("#rows a[href*=after-1]").first).to_be_visible()
        expect(page.locator("#rows a[href*=unseen-1]").first).to_be_visible()
        page.get_by_role("link", name="look at all of it").click()
        expect(page).to_have_url(re.compile(r"/messages\?since="))
        page.context.close()


def test_all_columns_fit_on_a_usual_screen(live: Page, pair: tuple[Partner, Partner]) -> None:
    cpo, emsp = pair
    emsp.answers_next(misbehaviour.UNAUTHORIZED)
    send(cpo, emsp, new_id("refused"))
    expect(rows(live).first).to_contain_text("receiver refuses the hub's access token")

    table = live.get_by_role("region", name="Messages, newest first")
    assert table.evaluate("table => table.scrollWidth - table.clientWidth") == 0
