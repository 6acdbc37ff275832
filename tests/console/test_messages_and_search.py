from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.console.conftest import watched
from tests.console.told import command, kobalt_and_lindhain, put_location
from tests.hub.failures.waiting import eventually
from tests.hub.operator.people import client_from_elsewhere
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.stories import story
from tests.hub.scenarios.translated import new_id
from tests.partners import CPO, EMSP, partner, registered

UID = "04A2B3C4D5E6"


@pytest.fixture(scope="module")
def pair(hub: HubProcess) -> Iterator[tuple[Partner, Partner]]:
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        yield cpo, emsp


@pytest.fixture(scope="module")
def sent(hub: HubProcess, pair: tuple[Partner, Partner]) -> str:
    """The correlation id of a Location that was pushed."""
    cpo, emsp = pair
    return put_location(hub, cpo, emsp.party, "sent-1", name="SEARCHED-1")


def search(page: Page, text: str) -> None:
    if page.url == "about:blank":
        page.goto("/help")
    box = page.get_by_label("Find a message, partner or object by any id")
    box.fill(text)
    box.press("Enter")


def test_any_id_of_a_message_leads_to_its_story(hub: HubProcess, console: Page, sent: str) -> None:
    [message] = story(hub, sent)["messages"]
    for pasted in (f' "{sent}" ', message["request_id"], message["upstream_request_id"]):
        search(console, pasted)
        expect(console).to_have_url(re.compile(f"/story\\?id={sent}"))
        expect(console.get_by_role("heading", level=1)).to_contain_text("Location SEARCHED-1")
    assert console.url.endswith(f"#m-{message['id']}")


@pytest.mark.parametrize("spelling", ["{0}*{1}", "{0}-{1}", "{0}{1}", "{0} {1}"])
def test_a_party_in_any_spelling_leads_to_its_partner(
    hub: HubProcess, console: Page, pair: tuple[Partner, Partner], spelling: str
) -> None:
    cpo, _ = pair
    with client_from_elsewhere(hub) as client:
        client.cookies.update({each["name"]: each["value"] for each in console.context.cookies()})
        answer = client.get("/search", params={"q": spelling.format(*cpo.party).lower()})

    assert (answer.status_code, answer.headers["location"]) == (303, f"/partners/{platform_of(hub, cpo)}")


def test_an_object_leads_to_its_messages_and_says_what_it_is(
    hub: HubProcess, console: Page, pair: tuple[Partner, Partner], sent: str
) -> None:
    cpo, emsp = pair
    assert sent
    put_location(hub, cpo, emsp.party, name="SEARCHED-1")

    search(console, "SEARCHED-1")

    expect(console.get_by_role("heading", level=1)).to_have_text("2 messages")
    expect(console.locator("main")).to_contain_text("SEARCHED-1, location in messages between")
    expect(console.get_by_label("Find a message")).to_have_value("SEARCHED-1")
    times = console.get_by_role("table").locator("time").all()
    assert [each.get_attribute("datetime") for each in times] == sorted(
        (each.get_attribute("datetime") or "" for each in times), reverse=True
    )


def test_a_card_leads_to_its_messages_and_is_itself_in_no_link(hub: HubProcess, console: Page) -> None:
    with kobalt_and_lindhain(hub) as (emsp, cpo):
        command(hub, emsp, cpo, new_id("card"), uid=UID)
        search(console, UID)

    expect(console.get_by_role("heading", level=1)).to_have_text("1 message")
    assert UID not in console.url + console.content()
    assert UID not in hub.log.read_text()
    assert UID not in str(hub.operator.ask("GET", "/api/v1/audit"))


def test_a_rule_and_a_status_have_their_pages(console: Page) -> None:
    search(console, "l-81")
    expect(console.get_by_role("heading", level=1)).to_contain_text("L-81: lost")
    console.get_by_role("link", name="Messages with it").click()
    expect(console).to_have_url(re.compile(r"/messages\?loss=L-81"))

    search(console, "4003")
    expect(console).to_have_url(re.compile(r"/messages\?ocpi_status=4003"))


def test_an_id_that_nobody_used_says_how_far_back_was_looked_and_why_that_may_be(console: Page, sent: str) -> None:
    assert sent
    search(console, "nobody-used-this")

    expect(console.get_by_role("heading", level=1)).to_have_text("No message has this id")
    expect(console.locator("main")).to_contain_text("looked at back to")
    expect(console.get_by_role("link", name="refused for their token")).to_be_visible()
    expect(console.get_by_label("Find a message")).to_have_value("nobody-used-this")


def test_what_means_several_things_is_a_choice(hub: HubProcess, console: Page, pair: tuple[Partner, Partner]) -> None:
    cpo, emsp = pair
    put_location(hub, cpo, emsp.party, "TWOFOLD", name="TWOFOLD")
    search(console, "TWOFOLD")

    choices = console.locator("main").get_by_role("listitem")
    expect(choices).to_have_count(2)
    expect(choices.first).to_contain_text("Correlation id TWOFOLD")


@pytest.mark.parametrize("correlation_id", ["a/b?c#d%2Fe", "'\"><b>x</b>&amp;", "x" * 128])
def test_every_correlation_id_has_a_link_that_leads_to_its_story(
    hub: HubProcess, console: Page, pair: tuple[Partner, Partner], correlation_id: str
) -> None:
    cpo, emsp = pair
    put_location(hub, cpo, emsp.party, correlation_id)
    console.set_viewport_size({"width": 390, "height": 800})
    console.goto(f"/messages?correlation_id={quote(correlation_id, safe='')}")
    console.get_by_role("table").get_by_role("link", name=correlation_id, exact=True).click()

    expect(console.locator("#hops")).to_contain_text(correlation_id)
    assert console.evaluate("document.documentElement.scrollWidth") <= 390


def test_filters_are_in_the_address_and_each_is_a_chip_that_removes_itself(
    browser: Browser, hub: HubProcess, signed_in: dict[str, object], pair: tuple[Partner, Partner], sent: str
) -> None:
    cpo, emsp = pair
    assert sent
    with watched(browser, hub, storage_state=signed_in) as page:
        page.goto("/messages")
        page.get_by_label("Partner, or party such as NL*ABC").fill(str(cpo.party))
        page.get_by_label("The other partner or party").fill(str(emsp.party))
        page.get_by_label("Any module").select_option("locations")
        page.get_by_label("Any outcome").select_option("ok")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("link", name=sent, exact=True)).to_be_visible()
        url, shown = page.url, page.get_by_role("row").count()

        with watched(browser, hub, storage_state=signed_in) as other:
            other.goto(url)
            assert other.get_by_role("row").count() == shown
        page.get_by_role("link", name="Remove filter locations").click()

        assert "module" not in page.url
        assert "outcome=ok" in page.url
        page.go_back()
        expect(page).to_have_url(url)


def test_names_of_partners_leave_room_for_the_message(console: Page, sent: str) -> None:
    assert sent
    console.set_viewport_size({"width": 1280, "height": 800})
    console.goto("/messages?range=all")

    box = console.get_by_role("region", name="Messages").get_by_role("rowheader").nth(1).bounding_box()
    assert box is not None
    assert box["width"] >= 200


def test_older_pages_hold_every_message_once_though_new_ones_arrive(hub: HubProcess, console: Page) -> None:
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        headers = [{"x-correlation-id": f"page-{number}"} for number in range(120)]
        for each in headers:
            cpo.get("tokens", to=emsp.party, headers=each)
        query = {"party": str(cpo.party), "limit": 1}
        eventually(lambda: hub.operator.ask("GET", "/api/v1/messages", params=query)["count"] == 120)
        console.goto(f"/messages?party={quote(str(cpo.party))}")
        expect(console.get_by_role("heading", level=1)).to_have_text("120 messages")
        seen: list[str] = []
        while True:
            seen += console.locator("tr.day a").all_inner_texts()
            older = console.get_by_role("link", name="Older")
            if not older.count():
                break
            cpo.get("tokens", to=emsp.party, headers={"x-correlation-id": new_id("meanwhile")})
            older.click()

    assert sorted(seen) == sorted(each["x-correlation-id"] for each in headers)


def test_nothing_found_says_which_filter_to_drop_for_how_many(
    console: Page, pair: tuple[Partner, Partner], sent: str
) -> None:
    cpo, _ = pair
    assert sent
    console.goto(f"/messages?party={quote(str(cpo.party))}&lossy=true&min_ms=0")

    expect(console.get_by_role("heading", name="Nothing matches")).to_be_visible()
    console.get_by_role("link", name=re.compile("Without lossy only there")).click()
    expect(console.get_by_role("table")).to_be_visible()


def test_a_filter_that_cannot_be_is_explained_beside_what_was_typed(console: Page) -> None:
    for query, said in (
        ("party=Nobody+at+all", "No partner is called “Nobody at all”, and it is no party."),
        ("min_ms=ten", "“From ms” takes a number of milliseconds, such as 2000."),
    ):
        for page in ("messages", "live"):
            console.goto(f"/{page}?{query}")
            expect(console.get_by_role("alert")).to_contain_text(said)
    console.goto("/messages?party=Nobody+at+all")
    expect(console.get_by_label("Partner, or party such as NL*ABC")).to_have_value("Nobody at all")


@pytest.mark.parametrize("page", ["messages", "live"])
def test_a_partner_is_filtered_by_its_name_and_rows_have_the_names_beside_the_codes(
    console: Page, pair: tuple[Partner, Partner], sent: str, page: str
) -> None:
    cpo, emsp = pair
    assert sent
    console.goto(f"/{page}")
    console.get_by_label("Partner, or party such as NL*ABC").fill(cpo.name.upper())
    console.get_by_label("The other partner or party").fill(emsp.name)
    console.get_by_role("button", name="Show").click()

    expect(console.get_by_role("link", name=f"Remove filter partner {cpo.name}")).to_be_visible()
    expect(console.get_by_role("link", name=f"Remove filter with {emsp.name}")).to_be_visible()
    row = console.get_by_role("row").filter(has_text=f"{cpo.party} → {emsp.party}").first
    expect(row).to_contain_text(f"{cpo.name} → {emsp.name}")


def test_an_id_in_another_case_is_offered_and_so_is_a_partner_by_part_of_its_name(
    console: Page, pair: tuple[Partner, Partner], sent: str
) -> None:
    cpo, _ = pair
    assert sent
    search(console, "searched-1")
    expect(console.get_by_role("heading", level=1)).to_have_text("Did you mean SEARCHED-1?")
    console.get_by_role("link", name="Object SEARCHED-1").click()
    expect(console.get_by_role("heading", level=1)).to_contain_text("message")

    search(console, cpo.name[1:])  # the last character is all in which many differ
    expect(console.get_by_role("heading", level=1)).to_contain_text("Did you mean")
    expect(console.get_by_role("listitem").filter(has_text=cpo.name).first).to_be_visible()


def test_slash_goes_to_the_search_box_but_not_from_a_field(console: Page) -> None:
    console.goto("/search?q=nobody-used-this")
    box = console.get_by_label("Find a message")
    console.locator("main").focus()
    console.keyboard.press("/")
    expect(box).to_be_focused()
    assert console.evaluate("getSelection().toString()") == "nobody-used-this"
    console.keyboard.press("/")
    expect(box).to_have_value("/")


def test_a_message_by_its_own_id_is_its_story(hub: HubProcess, console: Page, sent: str) -> None:
    use = story(hub, sent)["use"]
    console.goto(f"/messages/{use}")

    expect(console).to_have_url(re.compile(f"/story.*#m-{use}"))
