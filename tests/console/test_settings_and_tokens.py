from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from loadtests.hub_process import HubProcess
from tests.console.conftest import sign_in, watched
from tests.console.test_partner import confirm
from tests.hub.operator.people import new_token


def test_settings_say_where_they_come_from_and_no_secret(console: Page, hub: HubProcess) -> None:
    console.goto("/settings")

    expect(console.get_by_role("heading", level=1)).to_have_text(re.compile("^[0-9]+ of [0-9]+ settings differ"))
    row = console.get_by_role("row").filter(has_text="HUB_NAME")
    expect(row).to_contain_text("Tide")
    expect(row).to_contain_text("default OCPI hub")
    expect(row).to_contain_text("environment")
    expect(console.get_by_role("row").filter(has_text="HUB_OPERATOR_TOKEN").get_by_role("cell").first).to_have_text(
        "set"
    )
    expect(console.get_by_role("region", name="What runs")).to_contain_text("2.3.0")
    console.get_by_text("All settings as text").click()
    expect(console.get_by_role("region", name="All settings as text")).to_contain_text("HUB_SECRET_KEY=set")
    assert hub.operator.token not in console.content()


def test_a_token_is_given_shown_once_and_taken_away(browser: Browser, console: Page, hub: HubProcess) -> None:
    console.goto("/settings")
    console.get_by_role("link", name="Give a token…").click()
    console.get_by_label("Name").fill("operator")
    console.get_by_label("Reason").fill("Ticket 7")
    console.get_by_role("button", name="Give the token").click()
    expect(console.get_by_role("alert")).to_contain_text("take another one")
    console.get_by_label("Name").fill("mira")
    console.get_by_label("Role").select_option("auditor")
    console.get_by_role("button", name="Give the token").click()

    expect(console.get_by_role("heading", level=1)).to_have_text("A token for mira")
    token = console.locator("#tok").inner_text()
    assert token.startswith("ohk_")
    console.reload()
    assert token not in console.content()

    with watched(browser, hub) as page:
        sign_in(page, token, "/settings")
        expect(page.get_by_role("heading", level=1)).to_contain_text("settings differ")
        expect(page.get_by_role("heading", name="Tokens of people and programs")).to_have_count(0)

        console.goto("/settings")
        console.get_by_role("row").filter(has_text="mira").get_by_role("link", name="Take away…").click()
        confirm(console, "Take away")
        expect(console.get_by_role("row").filter(has_text="mira")).to_have_count(0)
        page.goto("/settings")
        expect(page.get_by_label("Token")).to_be_visible()


def test_a_partners_engineer_has_no_settings(browser: Browser, hub: HubProcess) -> None:
    platform = hub.operator.invite("Ampere").platform_id
    with watched(browser, hub) as page:
        sign_in(page, new_token(hub, "partner", platform=platform)["token"], "/help")

        expect(page.get_by_role("link", name="Settings")).to_have_count(0)
        page.goto("/settings")
        expect(page.get_by_role("heading", level=1)).to_have_text("Forbidden")
