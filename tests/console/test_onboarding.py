from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, Page, expect

from hub.console.onboarding_words import asked_url, heading, invitation_mail, mail, step_text, we_call
from hub.console.shell_blocks import INVITED_PLACE, blocks
from loadtests.hub_process import HubProcess
from loadtests.simulator import HubRefused
from loadtests.simulator.misbehaviour import UNAUTHORIZED
from tests.console.conftest import watched
from tests.console.test_every_page import RULES
from tests.partners import CPO, partner


def test_a_partner_is_invited_fails_is_helped_and_gets_in_while_somebody_watches(
    console: Page, hub: HubProcess
) -> None:
    with partner(CPO).running() as one:
        console.goto("/partners/new")
        console.get_by_label("Name").fill("Terrasol")
        console.get_by_label("Parties and roles").fill(f"{one.party} CPO")
        console.get_by_role("button", name="Invite").click()
        token = console.locator("#tok").inner_text()
        console.get_by_role("link", name="watch them register").click()
        expect(console.get_by_role("heading", level=1)).to_have_text("Terrasol has not called yet")
        assert token not in console.content()
        console.get_by_text("The commands, with a place for the token").click()
        expect(console.locator("#c1")).to_contain_text(INVITED_PLACE)
        steps = console.get_by_role("listitem").filter(has_text="They register").get_by_role("listitem")
        expect(steps).to_have_count(6)

        one.answers_next(UNAUTHORIZED, module="versions", times=2)
        with pytest.raises(HubRefused):
            one.register(hub.versions_url, token)

        expect(console.get_by_role("heading", level=1)).to_have_text("Terrasol could not be registered")
        stuck = steps.filter(has_text="We could not use their versions")
        expect(stuck).to_contain_text(one.versions_url)
        expect(stuck).to_contain_text("They were told: 3001, “The GET of the versions URL was answered with HTTP 401”")
        expect(stuck).to_contain_text("Base64")
        expect(steps.filter(has_text="They read our versions")).to_contain_text("Done")
        expect(steps.filter(has_text="Connected, and the others")).to_contain_text("To come")
        expect(console.get_by_text("The token of the invitation is still good.").first).to_be_visible()
        expect(console.locator("main")).to_contain_text("They called us, and it failed")
        console.get_by_text("What to write to their engineer").click()
        expect(console.get_by_role("region", name="As a mail")).to_contain_text("try again whenever you like")
        assert Axe().run(console, options=RULES).violations_count == 0

        one.register(hub.versions_url, token)

        expect(console.get_by_role("heading", level=1)).to_have_text("Terrasol is connected")
        expect(steps.filter(has_text="Connected: both sides have their tokens")).to_have_count(1)
        expect(console.get_by_role("link", name="Their messages")).to_be_visible()
        console.get_by_role("link", name="Their page").click()
        expect(console.get_by_role("heading", level=1)).to_have_text("Terrasol")


def test_without_scripts_the_page_is_as_it_is_when_it_is_asked_for(
    browser: Browser, hub: HubProcess, signed_in: dict[str, Any]
) -> None:
    invited = hub.operator.invite("Lindhain")
    with watched(browser, hub, storage_state=signed_in, java_script_enabled=False) as page:
        page.goto(f"/partners/{invited.platform_id}")
        page.get_by_role("link", name="Watch them register").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Lindhain has not called yet")


def test_a_token_that_got_lost_is_replaced_for_a_reason(console: Page, hub: HubProcess) -> None:
    invited = hub.operator.invite("Fjordlad")
    console.goto(f"/partners/{invited.platform_id}/registration")
    console.get_by_text("The token got lost").click()
    console.get_by_label("Reason, for the audit log").fill("their mail server ate it")
    console.get_by_role("button", name="Make a new token").click()

    token = console.locator("#tok").inner_text()
    ask = hub.operator.api.get
    for each, status in ((invited.token_a, 401), (token, 200)):
        assert ask(hub.versions_url, headers={"authorization": f"Token {each}"}).status_code == status
    [line] = hub.operator.ask("GET", "/api/v1/audit", params={"action": "platform.invite"})["items"][:1]
    assert line["reason"] == "their mail server ate it"


def step(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any member of a step
    told = {"status_code": 3001, "status_message": "It was answered with HTTP 401"}
    return {
        "step": name,
        "failed": False,
        "times": 1,
        "version": None,
        "url": None,
        "last_at": "2026-11-22T14:05:48.123456Z",
        "method": None,
        "reason": None,
        "told": None,
        "tell": None,
    } | ({"told": told, "reason": told["status_message"]} | more if more.get("failed") else more)


def test_words_for_steps_and_for_a_mail() -> None:
    assert (
        step_text(step("hub_details_read", version="2.2.1", times=3)) == "They read our endpoints, OCPI 2.2.1, 3 times"
    )
    stuck = step("partner_versions_read", failed=True, url="https://a.example/versions", tell="Decode it first.")
    view = {
        "status": "PLANNED",
        "attempts": [{"begun_by": "partner", "state": "failed", "steps": [stuck]}],
        "invitations": [{"ended": False}],
        "to_come": [],
    }
    assert heading(view, is_registered=False) == "could not be registered"
    connected: dict[str, Any] = {"attempts": [], "to_come": []}
    assert heading(connected, is_registered=True) == "is connected"
    assert heading(connected, is_registered=True, said_of_now="offline now") == "is registered, and offline now"
    assert mail(view, "Tide") == (
        "Your registration at Tide failed at 2026-11-22 14:05:48 UTC.\n\n"
        "What happened: It was answered with HTTP 401\n"
        "What we asked for: https://a.example/versions\n"
        "What we answered you: 3001, It was answered with HTTP 401\n\n"
        "What to do: Decode it first.\n\n"
        "The token of your invitation is still good; try again whenever you like."
    )
    assert mail({**view, "attempts": []}, "Tide") is None


def test_words_for_the_attempts_of_the_hub() -> None:
    stuck = step("partner_versions_read", failed=True, url="https://a.example/versions", tell="Look.", told=None)
    sent = step("credentials_sent", method="POST")
    ours = {"begun_by": "hub", "state": "failed", "steps": [stuck]}
    done = {"begun_by": "hub", "state": "done", "steps": [sent]}
    view = {"status": "PLANNED", "attempts": [ours], "invitations": [{"ended": False}], "to_come": []}
    assert heading(view, is_registered=False) == "is not connected: our call failed"
    assert heading(view, is_registered=True) == "did not take new tokens; the old ones stay"
    assert asked_url(view) == "https://a.example/versions"
    assert we_call(view, is_registered=False)
    assert not we_call(view, is_registered=True)
    assert we_call(view | {"attempts": [ours, done]}, is_registered=True)
    text = mail(view, "Tide") or ""
    assert text.startswith("The registration of Tide at your system failed at 2026-11-22")
    assert text.endswith("What to do: Look.\n\nTell us when we shall try again.")


def test_the_mail_of_an_invitation_says_who_calls_and_has_no_token() -> None:
    parties = [{"country_code": "NL", "party_id": "ABC", "role": "CPO"}]
    asked = {"parties": parties, "require_modules": ["cdrs"], "version": "2.2.1"}
    url = "https://hub.example/ocpi/versions"
    text = invitation_mail(url, asked, blocks(url, INVITED_PLACE, "A", parties, "2.2.1", None))
    assert "It is you who call" in text
    assert (
        f"Our versions: {url}\nYour parties: NL*ABC CPO\nOCPI version: 2.2.1\nModules we need from you: cdrs\n" in text
    )
    assert f"AUTH=$(printf %s '{INVITED_PLACE}' | base64" in text
