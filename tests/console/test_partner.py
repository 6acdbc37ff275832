from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner, misbehaviour
from tests.console.conftest import sign_in, watched
from tests.hub.event_waiting import event_of
from tests.hub.failures.waiting import eventually
from tests.hub.operator.people import new_token
from tests.partners import CPO, EMSP, location, partner, path_of, registered


class Two(NamedTuple):
    """Two partners, and where the page of the second one is."""

    cpo: Partner
    emsp: Partner
    id: str

    def counted(self, hub: HubProcess, number: int) -> None:
        """Wait until so many messages to the eMSP are in the figures."""
        until = time.monotonic() + 10
        while hub.operator.ask("GET", f"/api/v1/platforms/{self.id}/health")["out"]["messages"] < number:
            assert time.monotonic() < until
            time.sleep(0.05)

    def push(self) -> int:
        """A location for the eMSP; returns the status of the answer."""
        where = path_of(self.cpo.party, "LOC1")
        return self.cpo.put("locations", where, to=self.emsp.party, json=location(self.cpo.party)).status_code


@pytest.fixture
def two(hub: HubProcess) -> Iterator[Two]:
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        [found] = hub.operator.ask("GET", "/api/v1/platforms", params={"q": str(emsp.party)})["items"]
        yield Two(cpo, emsp, found["id"])


def confirm(page: Page, button: str, **fields: str) -> None:
    """Answer the question of a confirmation page."""
    for label, text in {"Reason": "Ticket 7", **fields}.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name=button).click()


def test_a_partners_page_says_how_it_is_and_what_to_do(console: Page, hub: HubProcess, two: Two) -> None:
    for _ in range(20):
        two.push()
    two.emsp.answers_next(misbehaviour.UNAUTHORIZED)
    two.push()
    two.counted(hub, 21)

    console.goto(f"/partners/{two.id}")

    expect(console.get_by_role("heading", level=1)).to_have_text(two.emsp.name)
    now = console.get_by_role("region", name="Now")
    expect(now).to_contain_text("0 from them, 21 to them")
    expect(now).to_contain_text("1 error of theirs")
    error = console.get_by_role("row").filter(has_text="refuses the hub's access token")
    expect(error).to_contain_text(f"Ask {two.emsp.name} to send the hub their credentials again")
    expect(error).to_contain_text(f"ocpi-hub platform rotate {two.id}")
    expect(error.get_by_role("link", name="Rotate token…")).to_have_attribute("href", f"/partners/{two.id}/rotate")
    [sender] = hub.operator.ask("GET", "/api/v1/platforms", params={"q": str(two.cpo.party)})["items"]
    times = console.get_by_role("region", name="Where the time goes, last hour")
    expect(times.get_by_role("img")).to_have_attribute("aria-label", re.compile("^hub [0-9.]+ ms, partner [0-9.]+ ms"))
    expect(console.get_by_role("region", name="Versions and endpoints")).to_contain_text(two.emsp.versions_url)
    expect(console.get_by_role("region", name="Reachability")).to_contain_text(
        "connected 100 % of the time since it registered"
    )

    console.goto(f"/partners/{sender['id']}")

    error = console.get_by_role("row").filter(has_text=f"{two.emsp.name}: receiver refuses the hub's access token")
    expect(error).to_contain_text(f"nothing for {two.cpo.name} to repair: {two.emsp.name} is the cause")
    expect(error.get_by_role("link", name=two.emsp.name).first).to_have_attribute("href", f"/partners/{two.id}#errors")


def test_settings_that_differ_come_first_and_all_are_there(console: Page, hub: HubProcess, two: Two) -> None:
    hub.operator.change(two.id, timeout_s=12)

    console.goto(f"/partners/{two.id}")

    quirks = console.get_by_role("region", name="Quirks")
    row = quirks.get_by_role("row").filter(has_text="timeout_s")
    expect(row).to_contain_text("12")
    expect(row).to_contain_text("How long this partner may take")
    quirks.get_by_text(re.compile("^All [0-9]+$")).click()
    expect(quirks.get_by_text("trailing_slash", exact=True)).to_be_visible()
    expect(console.get_by_role("region", name="History")).to_contain_text("timeout_s: 12")


def test_suspending_says_in_numbers_what_happens_and_does_it(console: Page, hub: HubProcess, two: Two) -> None:
    console.goto(f"/partners/{two.id}")
    console.get_by_role("link", name="Suspend…").click()
    expect(console.get_by_label("Reason")).to_be_focused()
    impact = hub.operator.ask("GET", f"/api/v1/platforms/{two.id}/impact", params={"action": "suspend"})
    expect(console.locator("main")).to_contain_text(re.compile(rf"Partners who see that\s*{impact['peers']}"))
    console.keyboard.press("Escape")
    expect(console).to_have_url(re.compile(f"/partners/{two.id}$"))
    assert hub.operator.platform(two.id)["status"] == "CONNECTED"

    console.get_by_role("link", name="Suspend…").click()
    confirm(console, "Suspend")

    expect(console.locator("main")).to_contain_text("suspended by an operator")
    assert hub.operator.platform(two.id)["status"] == "SUSPENDED"
    assert two.push() == 4003
    expect(console.get_by_role("region", name="History")).to_contain_text("suspended it, “Ticket 7”")

    console.get_by_role("link", name="Resume…").click()
    confirm(console, "Resume")
    expect(console.get_by_role("link", name="Suspend…")).to_be_visible()
    assert two.push() == 1000


def test_without_a_reason_nothing_is_done(browser: Browser, hub: HubProcess, two: Two) -> None:
    with watched(browser, hub, java_script_enabled=False) as page:
        sign_in(page, hub.operator.token, f"/partners/{two.id}/suspend")
        confirm(page, "Suspend", Reason="  ")

        expect(page.get_by_role("alert")).to_contain_text("Say why")
        assert hub.operator.platform(two.id)["status"] == "CONNECTED"


def test_rotating_changes_the_fingerprint_or_says_why_not(console: Page, hub: HubProcess, two: Two) -> None:
    [before] = hub.operator.platform(two.id)["connections"]
    two.emsp.answers_next(misbehaviour.HTML)
    console.goto(f"/partners/{two.id}/rotate")
    confirm(console, "Rotate")
    expect(console.get_by_role("alert")).to_be_visible()
    expect(console.get_by_label("Reason")).to_have_value("Ticket 7")
    assert hub.operator.platform(two.id)["connections"] == [before]
    assert two.push() == 1000

    confirm(console, "Rotate")

    [after] = hub.operator.platform(two.id)["connections"]
    assert after["fingerprint"] != before["fingerprint"]
    expect(console.get_by_role("region", name="Access")).to_contain_text(after["fingerprint"])


def test_removing_takes_the_name(console: Page, hub: HubProcess, two: Two) -> None:
    console.goto(f"/partners/{two.id}/remove")
    field = {"Type the partner": "Somebody else"}
    confirm(console, "Remove", **field)
    expect(console.get_by_role("alert")).to_contain_text("nothing was done")
    assert hub.operator.platform(two.id)["status"] == "CONNECTED"

    confirm(console, "Remove", **{"Type the partner": two.emsp.name})

    expect(console.get_by_role("heading", level=1)).to_have_text(two.emsp.name)
    assert hub.operator.platform(two.id)["status"] == "SUSPENDED"
    assert [each.method for each in two.emsp.ledger][-1] == "DELETE"

    expect(console.locator("main")).to_contain_text("its registration has ended")
    console.get_by_role("link", name="Invite them again").click()
    console.get_by_label("Reason, for the audit log").fill("Ticket 8")
    console.get_by_role("button", name="Make a new token").click()
    two.emsp.register(hub.versions_url, console.locator("#tok").inner_text())
    assert hub.operator.platform(two.id)["status"] == "CONNECTED"
    assert two.push() == 1000


def test_who_is_suspended_without_a_registration_is_resumed_before_it_is_invited(
    console: Page, hub: HubProcess
) -> None:
    invited = hub.operator.invite("Stillvoll")
    console.goto(f"/partners/{invited.platform_id}")
    expect(console.get_by_role("region", name="Now")).to_contain_text("nothing is sent to them")
    for action in ("suspend", "remove"):
        console.goto(f"/partners/{invited.platform_id}/{action}")
        if action == "remove":
            expect(console.locator("main")).to_contain_text("not registered, so nobody is called")
            expect(console.locator("main")).to_contain_text("deletes no partner for good")
        confirm(console, action.capitalize(), **({"Type the partner": "Stillvoll"} if action == "remove" else {}))
    expect(console.get_by_role("link", name="Invite them again")).to_have_count(0)
    expect(console.locator("main")).to_contain_text("removed before it registered")
    expect(console.get_by_role("region", name="Reachability")).not_to_contain_text("since it registered")

    console.get_by_role("link", name="Resume…").click()
    confirm(console, "Resume")

    expect(console.get_by_role("link", name="Invite them again")).to_be_visible()
    assert not hub.operator.platform(invited.platform_id)["suspended"]


def test_capture_is_turned_on_for_a_time_and_off(console: Page, hub: HubProcess, two: Two) -> None:
    console.goto(f"/partners/{two.id}/capture")
    console.get_by_label("For", exact=True).select_option("an hour")
    confirm(console, "Capture")
    access = console.get_by_role("region", name="Access")
    expect(access).to_contain_text("captured, personal fields masked, until")

    access.get_by_role("link", name="Capture off…").click()
    confirm(console, "Stop")

    expect(access).to_contain_text("not kept")
    assert hub.operator.platform(two.id)["capture_until"] is None


def test_a_look_and_an_open_circuit(console: Page, hub: HubProcess, two: Two) -> None:
    registered_at = hub.operator.platform(two.id)["last_seen"]
    console.goto(f"/partners/{two.id}")
    console.get_by_role("button", name="Probe now").click()
    expect(console.get_by_role("status")).to_contain_text("They answer.")
    assert hub.operator.platform(two.id)["last_seen"] > registered_at

    two.emsp.answers_next(misbehaviour.UNAUTHORIZED, module="versions")
    console.get_by_role("button", name="Probe now").click()
    refused = "It can be reached, but refuses the hub's access token: HTTP 401"
    expect(console.get_by_role("region", name="History")).to_contain_text(f"looked whether it answers: {refused}")
    console.get_by_role("link", name="All in audit").click()
    line = console.get_by_role("row").filter(has_text=refused)
    expect(line.get_by_role("link", name=two.emsp.name)).to_be_visible()

    with two.emsp.port_closed():
        eventually(lambda: two.push() and hub.operator.platform(two.id)["circuit"]["state"] != "closed")
        event_of(hub, EventKind.CIRCUIT_OPEN, two.id)
        console.goto(f"/partners/{two.id}")
        expect(console.get_by_role("region", name="Now")).to_contain_text(
            re.compile("[0-9]+ calls in a row without an answer of theirs; opens at 5")
        )
        expect(console.get_by_role("row").filter(has_text="no connection")).to_be_visible()
        console.locator("#now").get_by_role("link", name="Close circuit…").click()
    confirm(console, "Close")

    expect(console.get_by_role("region", name="History")).to_contain_text("closed its circuit")
    assert hub.operator.platform(two.id)["circuit"]["state"] == "closed"


def test_an_auditor_sees_it_without_buttons(browser: Browser, hub: HubProcess, two: Two) -> None:
    with watched(browser, hub) as page:
        sign_in(page, new_token(hub, "auditor")["token"], f"/partners/{two.id}")

        expect(page.get_by_role("heading", level=1)).to_have_text(two.emsp.name)
        for role in ("link", "button"):
            expect(page.get_by_role(role, name=re.compile("Suspend|Rotate|Remove|Capture|Probe"))).to_have_count(0)


def test_an_engineer_of_a_partner_is_led_there_and_sees_no_other(browser: Browser, hub: HubProcess, two: Two) -> None:
    other = hub.operator.invite("Other").platform_id
    with watched(browser, hub) as page:
        sign_in(page, new_token(hub, "partner", platform=two.id)["token"], "/")

        expect(page).to_have_url(re.compile(f"/partners/{two.id}$"))
        expect(page.get_by_role("heading", level=1)).to_have_text(two.emsp.name)
        expect(page.get_by_role("link", name="Rotate token…")).to_be_visible()
        page.goto(f"/partners/{other}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
