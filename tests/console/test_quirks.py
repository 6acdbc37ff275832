from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from loadtests.hub_process import HubProcess
from routing.vocabulary import Version
from tests.console.conftest import sign_in, watched
from tests.console.test_partner import Two, confirm, two
from tests.hub.failures.waiting import eventually
from tests.hub.operator.people import new_token, somebody
from tests.partners import CPO, location, partner, path_of, registered

__all__ = ["two"]


def settings_of(hub: HubProcess, two: Two) -> dict[str, object]:
    found: dict[str, object] = hub.operator.platform(two.id)["settings"]
    return found


def test_a_quirk_is_reviewed_changed_and_counts_from_the_next_message_on(
    console: Page, hub: HubProcess, two: Two
) -> None:
    two.push()
    console.goto(f"/partners/{two.id}")
    console.get_by_role("link", name="Change quirks…").click()
    console.get_by_label("no_patch").select_option("on")
    console.get_by_label("max_page").fill("many")
    console.get_by_role("button", name="Review changes").click()
    expect(console.get_by_role("alert")).to_contain_text("max_page")
    expect(console.get_by_label("no_patch")).to_have_value("on")
    console.get_by_label("max_page").fill("7")
    console.get_by_role("button", name="Review changes").click()

    row = console.get_by_role("row").filter(has_text="no_patch")
    expect(row.get_by_role("cell").nth(0)).to_have_text("off")
    expect(row.get_by_role("cell").nth(1)).to_have_text("on")
    expect(row).to_contain_text("it gets the whole object in a PUT")
    assert settings_of(hub, two)["no_patch"] is False
    confirm(console, "Change")

    expect(console).to_have_url(re.compile(f"/partners/{two.id}#quirks$"))
    expect(console.get_by_role("region", name="History")).to_contain_text("no_patch")
    assert (settings_of(hub, two)["no_patch"], settings_of(hub, two)["max_page"]) == (True, 7)
    whole = location(two.cpo.party)
    two.cpo.hold("locations", whole)
    change = {"name": "Oudegracht", "last_updated": "2026-11-23T08:00:00Z"}
    two.cpo.patch("locations", path_of(two.cpo.party, "LOC1"), to=two.emsp.party, json=change)
    sent = two.emsp.received[-1]
    assert (sent.method, sent.json()) == ("PUT", whole | change)


@pytest.mark.usefixtures("two")
def test_what_a_partner_was_seen_to_do_stands_beside_the_setting_that_is_for_it(console: Page, hub: HubProcess) -> None:
    with registered(hub, partner(CPO, Version.V2_1_1)) as [older]:
        [found] = hub.operator.ask("GET", "/api/v1/platforms", params={"q": str(older.party)})["items"]
        moment = "2026-11-22T08:00:00"
        evse = {"status": "AVAILABLE", "connectors": [], "last_updated": moment}
        for number in range(3):
            place = location(older.party, f"LOC{number}") | {
                "type": "OTHER",
                "postal_code": "1",
                "last_updated": moment,
            }
            place |= {"evses": [evse | {"uid": f"E{each}"} for each in range(99)]}
            where = path_of(older.party, place["id"])
            assert older.put("locations", where, json=place).status_code == 1000
        counted(hub, found["id"], "dates_without_z", 300)

        console.goto(f"/partners/{found['id']}/quirks")

        def seen(quirk: str) -> Locator:
            return (
                console.get_by_role("row").filter(has=console.get_by_label(quirk, exact=True)).get_by_role("cell").last
            )

        expect(seen("dates_without_z")).to_contain_text("seen 300 in 24 h")
        expect(seen("dates_without_z")).to_contain_text("moments without a zone")
        expect(seen("default_time_zone")).to_have_text(re.compile("^not seen"))
        expect(seen("notify_losses")).to_have_text("")
        expect(console.get_by_role("contentinfo")).to_contain_text(f"GET /api/v1/platforms/{found['id']}/quirks")


def counted(hub: HubProcess, platform_id: str, quirk: str, times: int) -> None:
    """Wait until it was seen so often."""

    def seen() -> dict[str, Any]:
        items = hub.operator.ask("GET", f"/api/v1/platforms/{platform_id}/quirks")["items"]
        found: dict[str, Any] = next(item for item in items if item["id"] == quirk)["seen"]
        return found

    eventually(lambda: seen()["count"] == times)


def test_of_two_operators_the_second_sees_both_values_and_overwrites_nothing_unseen(
    browser: Browser, hub: HubProcess, two: Two
) -> None:
    """Without scripts, too."""
    with watched(browser, hub, java_script_enabled=False) as page, somebody(hub, "operator") as anna:
        name = anna.get("/api/v1/me").json()["name"]
        sign_in(page, new_token(hub, "operator")["token"], f"/partners/{two.id}/quirks")
        anna.patch(f"/api/v1/platforms/{two.id}", json={"settings": {"max_page": 5, "trailing_slash": True}})
        page.get_by_label("max_page").fill("9")
        page.get_by_role("button", name="Review changes").click()
        expect(page.get_by_role("alert")).to_contain_text(f"platform.change by {name}")
        row = page.get_by_role("row").filter(has_text="max_page")
        expect(row).to_contain_text("changed meanwhile; it was none")
        expect(row.get_by_role("cell").nth(1)).to_have_text("9")
        expect(page.get_by_role("row").filter(has_text="trailing_slash")).to_have_count(0)

        anna.patch(f"/api/v1/platforms/{two.id}", json={"settings": {"max_page": 6}})
        confirm(page, "Change")
        expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
        expect(row.get_by_role("cell").nth(0)).to_contain_text("6")
        expect(page.get_by_label("Reason")).to_have_value("Ticket 7")
        assert settings_of(hub, two)["max_page"] == 6

        page.get_by_role("button", name="Change").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(two.emsp.name)
        assert (settings_of(hub, two)["max_page"], settings_of(hub, two)["trailing_slash"]) == (9, True)


def test_a_question_about_a_partner_that_somebody_else_changed_is_asked_again(
    console: Page, hub: HubProcess, two: Two
) -> None:
    console.goto(f"/partners/{two.id}/suspend")
    hub.operator.change(two.id, timeout_s=12)
    confirm(console, "Suspend")

    expect(console.get_by_role("alert")).to_contain_text("The last change is platform.change by operator")
    assert hub.operator.platform(two.id)["status"] == "CONNECTED"
    console.get_by_role("button", name="Suspend").click()
    expect(console.get_by_role("heading", level=1)).to_have_text(two.emsp.name)
    assert hub.operator.platform(two.id)["status"] == "SUSPENDED"
