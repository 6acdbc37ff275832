from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import misbehaviour
from routing.vocabulary import Version
from tests.hub.event_waiting import event_of
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered


def names(page: Page) -> list[str]:
    """Of the partners on this page, in their order."""
    return [each.strip() for each in page.locator("tbody th a").all_inner_texts()]


def test_the_partner_with_trouble_comes_first_and_says_how_it_is(console: Page, hub: HubProcess) -> None:
    with registered(hub, partner(CPO), partner(EMSP), partner(CPO, Version.V2_1_1)) as [cpo, emsp, older]:
        emsp.answers_next(misbehaviour.UNAUTHORIZED)
        cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))
        [found] = hub.operator.ask("GET", "/api/v1/platforms", params={"q": str(emsp.party)})["items"]
        event_of(hub, EventKind.PARTNER_REFUSES_TOKEN, found["id"])

        console.goto("/partners?status=CONNECTED")

        row = console.get_by_role("row").filter(has_text=emsp.name)
        expect(row).to_contain_text("1 open event")
        expect(row).to_contain_text("2.2.1")
        assert names(console).index(emsp.name) < names(console).index(older.name)


def test_filters_narrow_the_list_and_stay_in_its_address(console: Page, hub: HubProcess) -> None:
    with registered(hub, partner(CPO), partner(CPO, Version.V2_1_1)) as [cpo, older]:
        console.goto("/partners")
        console.get_by_label("Name or party").fill(str(older.party))
        console.get_by_label("Any version").select_option("2.1.1")
        console.get_by_role("button", name="Show").click()

        assert names(console) == [older.name]
        console.get_by_label("Name or party").fill(str(cpo.party))
        console.get_by_role("button", name="Show").click()
        expect(console.get_by_role("heading", name="No partner is like that")).to_be_visible()
        console.get_by_role("link", name="All of them").first.click()
        expect(console).to_have_url(re.compile("/partners$"))


def test_a_sorted_list_has_each_partner_once_over_all_its_pages(console: Page, hub: HubProcess) -> None:
    mark = f"Mark{new_party()}"
    invited = [f"{mark} {number:03}" for number in range(55)]
    for name in invited:
        hub.operator.invite(name)

    console.goto(f"/partners?name={mark}")
    console.get_by_role("columnheader", name="Partner").get_by_role("link").click()
    expect(console.get_by_role("columnheader", name="Partner")).to_have_attribute("aria-sort", "ascending")
    seen = names(console)
    console.get_by_role("link", name="Next 50").click()
    expect(console.get_by_role("link", name="From the first")).to_be_visible()

    assert seen + names(console) == invited
    expect(console.get_by_role("group", name="Status")).to_contain_text("All 55")
    console.get_by_role("columnheader", name="Partner").get_by_role("link").click()
    expect(console.get_by_role("columnheader", name="Partner")).to_have_attribute("aria-sort", "descending")
    assert names(console) == invited[:4:-1]


def test_a_list_that_cannot_be_had_says_so_and_the_page_stands(console: Page) -> None:
    console.goto("/partners?cursor=made-up")

    expect(console.get_by_role("alert")).to_contain_text("The list of partners cannot be shown")
    expect(console.get_by_role("heading", level=1)).to_have_text("Partners")
