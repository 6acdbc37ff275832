from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, Page, expect

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import HubRefused, misbehaviour
from routing.vocabulary import Party
from tests.console.conftest import watched
from tests.console.told import command, kobalt_and_lindhain
from tests.hub.event_waiting import event_of
from tests.hub.operator.people import new_token
from tests.hub.scenarios.stories import story
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered

PAGES = [
    "/login",
    "/messages?range=all",
    "/live",
    "/messages?outcome=timeout&lossy=true",
    "/search?q=nobody-used-this",
    "/story?id=every-page",
    "/story?id=every-page-plain",
    "/rules/L-81",
    "/events",
    "/events?state=closed&kind=partner_offline",
    "/audit",
    "/network",
    "/broadcasts",
    "/client-info",
    "/agreements",
    "/agreements/new?a=NL*ABC",
    "/agreements/import",
    "/settings",
    "/tokens/new",
    "/help",
    "/nothing",
]
PARTNER_PAGES = ["/", "/partners", "/partners?name=nobody", "/partners/new", "/partners/new?way=we-call"]
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""Those of them that a dark scheme can break."""


@pytest.fixture(scope="module", autouse=True)
def pages(hub: HubProcess) -> list[str]:
    """All pages, and on them: lines in the audit log, a partner with trouble, an event, and messages."""
    bold = hub.operator.invite("<b>Bold</b>", parties={new_party(): CPO})
    with partner(CPO).running() as other, pytest.raises(HubRefused):
        other.register(bold.versions_url, bold.token_a)  # as a party that is not invited
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        cpo.put("locations", path_of(cpo.party, "LOC2"), to=Party("EU", "HUB"), json=location(cpo.party, "LOC2"))
        emsp.ledger.wait_for(lambda request: request.module == "locations")
        for _ in range(20):
            cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))
        emsp.answers_next(misbehaviour.UNAUTHORIZED)
        cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))
        event = event_of(hub, EventKind.PARTNER_REFUSES_TOKEN)
        [found] = hub.operator.ask("GET", "/api/v1/platforms", params={"q": str(emsp.party)})["items"]
        hub.operator.change(found["id"], timeout_s=12)
    with kobalt_and_lindhain(hub) as (emsp, cpo):
        command(hub, emsp, cpo, "every-page")
        with cpo.port_closed():
            emsp.get("locations", "NOWHERE", to=cpo.party, headers={"x-correlation-id": "every-page-plain"})
            story(hub, "every-page-plain")
    a, b = str(new_party()), str(new_party())
    agreement = hub.operator.ask("POST", "/api/v1/agreements", json={"a": a, "b": b, "modules": ["locations"]})
    agreed = f"/agreements/{agreement['id']}"
    token = f"/tokens/{new_token(hub, 'auditor')['id']}/remove"
    at = f"/partners/{found['id']}"
    of_partner = [at, *(f"{at}/{page}" for page in ("suspend", "remove", "capture", "quirks", "registration"))]
    others = [f"/client-info?as={found['id']}", f"/partners/{bold.platform_id}/registration", f"/events/{event['id']}"]
    return [*PAGES, *PARTNER_PAGES, *of_partner, *others, agreed, f"{agreed}/end", token]


@pytest.mark.parametrize("half", [0, 1])
def test_every_page_can_be_used_by_everybody(
    browser: Browser, hub: HubProcess, pages: list[str], signed_in: dict[str, Any], half: int
) -> None:
    with watched(browser, hub, storage_state=signed_in, color_scheme="light") as page:
        for path in pages[half::2]:
            answer = page.goto(path)
            assert answer is not None
            assert len(answer.body()) < 100_000, path
            page.set_viewport_size({"width": 320, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
            page.evaluate(Axe().axe_script)
            for width in (390, 1440):
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme="light")
                assert violations(page, RULES) == [], f"{path} at {width}"
                page.emulate_media(color_scheme="dark")
                assert violations(page, COLOURS) == [], f"{path} at {width}, dark"
            assert page.evaluate("document.documentElement.scrollWidth") <= 1440, path


def violations(page: Page, rules: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """What axe finds: the rule, and the elements that break it."""
    found = page.evaluate("(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'] })", rules)["violations"]
    return [(each["help"], [node["html"] for node in each["nodes"]]) for each in found]


def test_without_scripts_everything_is_there(
    browser: Browser, hub: HubProcess, pages: list[str], signed_in: dict[str, Any]
) -> None:
    with watched(browser, hub, storage_state=signed_in, java_script_enabled=False) as page:
        for path in pages[1:]:
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.get_by_role("navigation", name="Console")).to_be_visible()


def test_theme_and_zone_are_kept_and_drawn_by_the_server(
    browser: Browser, hub: HubProcess, signed_in: dict[str, Any]
) -> None:
    choices = {"storage_state": signed_in, "timezone_id": "Asia/Kathmandu", "color_scheme": "light"}
    with watched(browser, hub, **choices) as page:
        page.goto("/audit")
        moment = page.locator("time").first
        utc = moment.inner_text()

        page.get_by_role("button", name="UTC").click()
        expect(page.get_by_role("button", name="Asia/Kat")).to_be_visible()
        page.get_by_role("button", name="Switch between light and dark").click()
        page.goto("/audit")

        assert page.locator("html").get_attribute("data-theme") == "dark"
        assert page.locator("time").first.inner_text() != utc
        assert str(page.locator("time").first.get_attribute("datetime")).endswith("Z")


def test_keys_lead_to_pages_but_not_inside_fields(console: Page) -> None:
    console.goto("/audit")
    console.get_by_label("Who").focus()
    console.keyboard.type("ge")
    expect(console.get_by_label("Who")).to_have_value("ge")

    console.locator("main").focus()
    console.keyboard.press("g")
    console.keyboard.press("e")

    expect(console).to_have_url(re.compile("/events$"))


def test_the_first_stop_of_the_keyboard_leads_past_the_navigation(console: Page) -> None:
    console.goto("/audit")
    console.keyboard.press("Tab")
    expect(console.get_by_role("link", name="Skip to content")).to_be_focused()
    console.keyboard.press("Enter")
    expect(console.locator("main")).to_be_focused()
