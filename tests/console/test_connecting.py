from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, Page, expect

from hub.console.invitation_form import Called, faults_of_call, faults_of_refused_call
from loadtests.hub_process import HubProcess
from tests.console.conftest import watched
from tests.console.test_every_page import RULES
from tests.partners import CPO, EMSP, partner, registered


def call(page: Page, url: str, token: str) -> None:
    """Fill in what a partner gave, and connect."""
    page.get_by_label("The URL of their versions").fill(url)
    page.get_by_label("The token they gave us").fill(token)
    page.get_by_role("button", name="Connect now").click()


def test_a_partner_that_gave_a_url_and_a_token_is_called_until_it_works_and_no_script_is_needed(
    browser: Browser, hub: HubProcess, signed_in: dict[str, Any]
) -> None:
    with (
        partner(EMSP).running() as one,
        watched(browser, hub, storage_state=signed_in, java_script_enabled=False) as page,
    ):
        token = one.invite("their-token-for-us")
        page.goto("/partners/new")
        page.get_by_role("link", name="We call them").click()
        page.get_by_label("Name").fill("Brightwatt")
        page.get_by_label("Parties and roles").fill(f"{one.party} EMSP")
        call(page, "hub.example", "")
        expect(page.locator("#versions_url-wrong")).to_contain_text("That is no URL")
        expect(page.locator("#token_a-wrong")).to_contain_text("Give the token")
        expect(page.get_by_label("Name")).to_have_value("Brightwatt")

        call(page, one.versions_url, "another-token")
        expect(page.get_by_role("heading", level=1)).to_have_text("Brightwatt is not connected: our call failed")
        expect(page.get_by_role("alert")).to_contain_text("HTTP 401. Step 3 says where it got stuck")
        stuck = page.get_by_role("listitem").filter(has_text="We could not use their versions").last
        expect(stuck).to_contain_text("The token is not the one they gave us")
        expect(page.get_by_label("The URL of their versions")).to_have_value(one.versions_url)

        page.get_by_role("link", name="Their page").click()
        expect(page.locator("main")).to_contain_text("our call failed")
        expect(page.locator("main")).not_to_contain_text("an invitation waits for them")
        page.get_by_role("link", name="The registration, step by step").click()

        call(page, "https://somebody@hub.example/versions", token)
        expect(page.locator("#versions_url-wrong")).to_contain_text("user information")

        call(page, one.versions_url, token)
        expect(page.get_by_role("heading", level=1)).to_have_text("Brightwatt is connected")
        expect(page.locator("#attempts")).to_contain_text("Connected: both sides have their tokens")
        expect(page.get_by_role("heading", name="We register with them")).to_be_visible()


def test_one_that_was_invited_is_called_from_its_own_page(console: Page, hub: HubProcess) -> None:
    invited = hub.operator.invite("Stillvoll")
    with registered(hub, partner(CPO)) as [other], partner(CPO, party=other.party).running() as thief:
        console.goto(f"/partners/{invited.platform_id}")
        console.get_by_role("link", name="Connect to them").click()
        call(console, thief.versions_url, thief.invite("first"))

        expect(console.get_by_role("alert")).to_contain_text(f"{other.party} belongs to {other.name}, here since")
        expect(console).to_have_url(f"{hub.operator.url}/partners/{invited.platform_id}/registration")
        assert Axe().run(console, options=RULES).violations_count == 0


@pytest.mark.parametrize(
    ("url", "token", "wrong"),
    [
        ("https://a.example/versions", "abc", set()),
        ("https://[", "a b", {"versions_url", "token_a"}),
        ("ftp://a.example", "a" * 65, {"versions_url", "token_a"}),
        ("", "", {"versions_url", "token_a"}),
    ],
)
def test_what_shows_of_a_wrong_url_and_a_wrong_token(url: str, token: str, wrong: set[str]) -> None:
    assert set(faults_of_call(Called(versions_url=url, token_a=token))) == wrong


def test_what_the_api_refuses_stands_beside_its_field() -> None:
    about_the_url = "The URL must begin with https://"
    assert faults_of_refused_call(about_the_url, {}) == {"versions_url": about_the_url}
    assert faults_of_refused_call("token is not one", {}) == {"token_a": "token is not one"}
    assert faults_of_refused_call("token_a: no", {"token_a": "no"}) == {"token_a": "no"}
    assert faults_of_refused_call("This platform is registered", {}) == {"": "This platform is registered"}
