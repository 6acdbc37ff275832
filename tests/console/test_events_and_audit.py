from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import misbehaviour
from tests.hub.event_waiting import event_of
from tests.hub.scenarios.conftest import platform_of
from tests.partners import CPO, EMSP, location, partner, path_of, registered


def test_a_partner_that_refuses_our_token_needs_somebody_until_it_is_acknowledged(
    console: Page, hub: HubProcess
) -> None:
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        emsp.answers_next(misbehaviour.UNAUTHORIZED)
        cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))
        event = event_of(hub, EventKind.PARTNER_REFUSES_TOKEN, platform_of(hub, emsp))

        console.goto("/events?state=open")
        expect(console).to_have_title(re.compile(r"^\([0-9]+\) "))
        entry = console.get_by_role("listitem").filter(has_text=f"{emsp.party} can be reached, but refuses")
        expect(entry).to_contain_text("Do:")
        entry.get_by_role("link", name=event["title"].replace("A partner", emsp.name)).click()
        console.get_by_label("Reason").fill("They know, ticket 7")
        console.get_by_role("button", name="Acknowledge").click()

        expect(console.get_by_text("They know, ticket 7")).to_be_visible()
        [line] = hub.operator.ask("GET", "/api/v1/audit", params={"action": "event.acknowledge"})["items"][:1]
        assert (line["actor"], line["source"][:7]) == ("operator", "console")

        expect(console.locator("main")).to_contain_text("the hub sends nothing again: the senders have to")
        console.get_by_role("link", name="Those messages").click()
        expect(console.get_by_role("link", name="PUT locations")).to_have_count(1)

        console.goto(f"/partners/{event['platform_id']}/registration")
        heading = console.get_by_role("heading", level=1)
        expect(heading).to_have_text(f"{emsp.name} is registered, and takes no messages now")
        expect(console.get_by_role("link", name="refuses the hub's access token")).to_be_visible()


def test_what_comes_of_one_cause_stands_with_it_and_is_known_with_it(console: Page, hub: HubProcess) -> None:
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        emsp.behaves(misbehaviour.UNAUTHORIZED)
        cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_of(hub, cpo)}/suspend")
        missed = event_of(hub, EventKind.CLIENT_INFO_MISSED, platform_of(hub, emsp))
        refuses = event_of(hub, EventKind.PARTNER_REFUSES_TOKEN, platform_of(hub, emsp))

        entry = console.get_by_role("listitem").filter(has_text=emsp.name)
        for path in ("/", "/events"):
            console.goto(path)
            expect(entry).to_have_count(1)
            expect(entry.get_by_role("heading")).to_have_text(f"{emsp.name} refuses the hub's access token")
            expect(entry).to_contain_text("Therefore it does not take client info, since")
        entry.get_by_role("link", name="does not take client info").click()
        console.get_by_role("link", name=f"{emsp.name} refuses the hub's access token").click()
        expect(console.locator("main")).to_contain_text("and so does what comes of it now")
        console.get_by_label("Reason").fill("Ticket 9")
        console.get_by_role("button", name="Acknowledge").click()

        expect(console.get_by_text("Ticket 9")).to_be_visible()
        for each in (refuses, missed):
            known = hub.operator.ask("GET", f"/api/v1/events/{each['id']}")["acknowledged"]
            assert known["reason"] == "Ticket 9"


def test_what_cannot_be_acknowledged_says_why_and_keeps_what_was_typed(console: Page, hub: HubProcess) -> None:
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        emsp.answers_next(misbehaviour.UNAUTHORIZED)
        cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))
        event = event_of(hub, EventKind.PARTNER_REFUSES_TOKEN, platform_of(hub, emsp))
        console.goto(f"/events/{event['id']}")

        console.get_by_label("Reason").fill("Too late")
        console.get_by_label("Until").fill("2020-01-01T00:00")
        console.get_by_role("button", name="Acknowledge").click()

        expect(console.get_by_role("alert")).to_contain_text("in the past")
        expect(console.get_by_label("Reason")).to_have_value("Too late")


def test_the_log_says_whether_it_is_as_it_was_written(console: Page) -> None:
    console.goto("/audit")
    console.get_by_role("link", name="Is it as it was written?").click()
    expect(console.locator("main")).to_contain_text("lines are as they were written")
