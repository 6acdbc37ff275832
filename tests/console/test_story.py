from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from loadtests.hub_process import HubProcess
from loadtests.simulator import Behaviour, Partner, envelope
from loadtests.simulator.messages import Answer
from routing.vocabulary import InterfaceRole, Party
from tests.console.conftest import sign_in, watched
from tests.console.told import command, kobalt_and_lindhain, put_location
from tests.hub.failures.waiting import eventually
from tests.hub.operator.people import new_token
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.stories import story
from tests.hub.scenarios.translated import V211, made, new_id
from tests.partners import CPO, EMSP, partner, path_of, registered

HUB = Party("EU", "HUB")
STARTED = "start/?#%2F\"'"


@pytest.fixture(scope="module")
def pair(hub: HubProcess) -> Iterator[tuple[Partner, Partner]]:
    """An eMSP on 2.2.1 and a CPO on 2.1.1, captured, between whom a command went."""
    with kobalt_and_lindhain(hub) as (emsp, cpo):
        command(hub, emsp, cpo, STARTED)
        yield emsp, cpo


@pytest.fixture(scope="module")
def equals(hub: HubProcess) -> Iterator[tuple[Partner, Partner]]:
    """A CPO and an eMSP on 2.2.1."""
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        yield cpo, emsp


@pytest.fixture
def started(console: Page, pair: tuple[Partner, Partner]) -> Page:
    """The page of that command's story."""
    assert pair
    console.goto(at(STARTED))
    return console


def at(correlation_id: str) -> str:
    return f"/story?id={quote(correlation_id, safe='')}"


def hops(page: Page) -> Locator:
    return page.get_by_role("list", name="Hops").get_by_role("listitem")


def lines(table: Locator) -> dict[str, str]:
    """What a diff says of why, by the line as it was received, or else as it was sent."""
    rows = [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]
    return {left.strip() or right.strip(): why for left, right, why in rows}


def test_a_story_says_who_asked_whom_and_lists_every_hop_in_order(started: Page, pair: tuple[Partner, Partner]) -> None:
    emsp, cpo = (str(each.party) for each in pair)

    expect(started.get_by_role("heading", level=1)).to_have_text("START_SESSION: done, and its result came")
    expect(started.locator("main")).to_contain_text(
        re.compile(rf"{re.escape(emsp)} asked .* {re.escape(cpo)} for START_SESSION")
    )
    told = [text for text in hops(started).all_inner_texts() if " to " in text]
    for text, words in zip(
        told,
        (
            rf"{emsp} to EU\*HUB: POST",
            rf"EU\*HUB to {cpo}: POST",
            rf"{cpo} to EU\*HUB: answer 1000",
            rf"EU\*HUB to {emsp}: answer 1000",
            rf"{cpo} to EU\*HUB: POST result",
            rf"EU\*HUB to {emsp}: POST result",
            rf"{emsp} to EU\*HUB: answer 1000",
            rf"EU\*HUB to {cpo}: answer 1000",
        ),
        strict=True,
    ):
        assert re.search(words.replace("NL*", r"NL\*").replace("DE*", r"DE\*"), " ".join(text.split())), (text, words)


def test_the_diff_says_of_each_line_which_rule_changed_it(started: Page) -> None:
    table = started.get_by_role("table", name="Request as received").first
    said = lines(table)

    def why(member: str) -> str:
        return next(why for line, why in said.items() if line.startswith(f'"{member}"'))

    assert why("connector_id").startswith("Dropped L-81")
    assert "L-06" in why("country_code")
    assert "L-70" in why("type")
    assert "Renamed" in why("contract_id")
    assert "no loss" in why("contract_id")
    assert "Replaced" in why("response_url")
    assert "••••" in next(line for line in said if line.startswith('"response_url"'))
    assert "UID0042" not in started.content()
    assert [head.inner_text()[:8] for head in table.get_by_role("columnheader").all()] == [
        "Received",
        "Sent to ",
        "Rule and",
    ]
    added = lines(started.get_by_role("table", name="Answer as received").first)
    assert "L-83" in next(why for line, why in added.items() if "timeout" in line)


def test_the_sum_above_a_diff_counts_its_lines(hub: HubProcess, started: Page) -> None:
    use = story(hub, STARTED)["use"]
    translation = hub.operator.ask("GET", f"/api/v1/messages/{use}")["translation"]
    dropped = sum(rule["action"] == "Dropped" and not rule["in_answer"] for rule in translation["rules"])

    box = started.locator(".diff").filter(has=started.get_by_role("table", name="Request as received")).first
    summary = box.locator("header .dim").inner_text()

    assert f"{dropped} dropped" in summary
    assert re.search(r"\d+ unchanged", summary)


def test_losses_are_counted_alike_wherever_they_stand_and_each_is_explained(
    hub: HubProcess, started: Page, pair: tuple[Partner, Partner]
) -> None:
    assert pair
    told = story(hub, STARTED)
    rules = [each["loss"] for each in told["summary"]["losses"]]

    section = started.get_by_role("region", name=f"{len(rules)} losses")
    assert section.get_by_role("term").get_by_role("link").all_inner_texts() == rules
    expect(section).to_contain_text("connector")
    for each in told["messages"]:
        number = len({lost["loss"] for lost in each["losses"]})
        said = f"{number} loss" if number else "ms"
        expect(hops(started).filter(has=started.locator(f"a[href='#m-{each['id']}']"))).to_contain_text(said)
    noted = {lost["loss"] for each in told["messages"] for lost in each["losses"]}
    assert {each.inner_text() for each in started.locator(".leg .diff .why a.rule").all()} == noted == set(rules)


def test_a_loss_that_there_would_be_today_is_not_taken_for_one_of_then(hub: HubProcess, console: Page) -> None:
    with registered(hub, partner(CPO), partner(EMSP, V211)) as [cpo, emsp]:
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_of(hub, emsp)}/capture", json={"hours": 1})
        cpo.hold("locations", made(cpo.version, "Location", cpo.party, id="HELD"))
        session = made(cpo.version, "Session", cpo.party, emsp=emsp.party, id="S1", location_id="HELD")
        headers = {"x-correlation-id": "held"}
        cpo.put("sessions", path_of(cpo.party, "S1"), to=emsp.party, json=session, headers=headers)
        noted = {each["loss"] for each in story(hub, "held")["summary"]["losses"]}
        console.goto(at("held"))

    expect(console.locator("main")).to_contain_text("What the hub knows has changed since")
    assert {each.inner_text() for each in console.locator(".leg .diff .why a.rule").all()} == noted
    assert "L-35" in noted


@pytest.mark.parametrize("scripts", [True, False])
def test_unchanged_lines_can_be_hidden_with_and_without_scripts(
    browser: Browser, hub: HubProcess, signed_in: dict[str, Any], pair: tuple[Partner, Partner], scripts: bool
) -> None:
    assert pair
    with watched(browser, hub, storage_state=signed_in, java_script_enabled=scripts) as page:
        page.goto(at(STARTED))
        same = page.get_by_role("table", name="Request as received").first.locator("tr.same-line")
        expect(same.first).to_be_visible()

        page.get_by_label("Changes only").first.check()

        expect(same.first).to_be_hidden()


def test_on_a_telephone_hops_are_a_list_and_nothing_goes_sideways(
    browser: Browser, hub: HubProcess, signed_in: dict[str, Any], pair: tuple[Partner, Partner]
) -> None:
    emsp, _ = pair
    with watched(browser, hub, storage_state=signed_in, viewport={"width": 390, "height": 800}) as page:
        page.goto(at(STARTED))

        expect(page.get_by_text(f"{emsp.party} to EU*HUB:").first).to_be_in_viewport(ratio=0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_story_can_be_copied_as_text(hub: HubProcess, started: Page, pair: tuple[Partner, Partner]) -> None:
    emsp, _ = pair
    started.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub.operator.url)
    started.get_by_text("As text", exact=True).click()
    started.get_by_role("button", name="Copy as text").click()

    text = started.evaluate("navigator.clipboard.readText()")

    assert STARTED in text
    assert str(emsp.party) in text
    assert "L-81" in text
    assert "UID0042" not in text


def test_looking_at_what_was_captured_is_said_and_noted(hub: HubProcess, started: Page) -> None:
    expect(started.locator("main")).to_contain_text("noted in the audit log")
    lately = hub.operator.ask("GET", "/api/v1/audit", params={"limit": 20})["items"]
    assert story(hub, STARTED)["use"] in str(lately)


def test_an_auditor_sees_the_rules_and_no_values(
    browser: Browser, hub: HubProcess, pair: tuple[Partner, Partner]
) -> None:
    assert pair
    with watched(browser, hub) as page:
        sign_in(page, new_token(hub, "auditor")["token"])
        page.goto(at(STARTED))

        expect(page.locator("main")).to_contain_text("Auditors see no bodies")
        assert "/token/type" in page.get_by_role("table", name="Request as received").first.inner_text()
        assert '"AD_HOC_USER"' not in page.locator("main").inner_text()


def test_an_engineer_of_one_partner_sees_its_own_side(
    browser: Browser, hub: HubProcess, pair: tuple[Partner, Partner]
) -> None:
    emsp, _ = pair
    platform_id = hub.operator.ask("GET", f"/api/v1/parties/{emsp.party}")["items"][0]["platform_id"]
    with watched(browser, hub) as page:
        sign_in(page, new_token(hub, "partner", platform=platform_id)["token"])
        page.goto(at(STARTED))

        expect(page.get_by_role("heading", level=1)).to_contain_text("START_SESSION")
        assert "/emsp/2.1.1" not in page.content()
        assert hub.operator.ask("GET", "/api/v1/stories", params={"correlation_id": STARTED})["hops"][2][
            "path"
        ] not in (page.content())


def test_a_command_that_the_hub_answered_itself_was_not_done(
    hub: HubProcess, console: Page, pair: tuple[Partner, Partner]
) -> None:
    emsp, cpo = pair
    url = emsp.url("commands", InterfaceRole.SENDER, "CANCEL_RESERVATION", new_id())
    body = {"response_url": url, "reservation_id": "R1"}
    asked = {"x-correlation-id": "cancelled"}
    emsp.post("commands", "CANCEL_RESERVATION", to=cpo.party, json=body, headers=asked)
    assert story(hub, "cancelled")["summary"]["failure"] == "untranslatable"
    console.goto(at("cancelled"))

    expect(console.get_by_role("heading", level=1)).to_have_text("CANCEL_RESERVATION: cannot be said in its version")
    expect(console.locator("main")).to_contain_text("Not carried out")
    expect(console.locator("main")).to_contain_text("NOT_SUPPORTED: RF-10")
    expect(console.locator("main")).not_to_contain_text("went well")
    console.goto("/messages?outcome=refused")
    expect(console.get_by_role("link", name="POST commands").first).to_be_visible()


def test_without_capture_rules_and_places_are_told_without_a_value(hub: HubProcess, console: Page) -> None:
    with registered(hub, partner(EMSP), partner(CPO, V211)) as [emsp, cpo]:
        command(hub, emsp, cpo, "not-captured")
        console.goto(at("not-captured"))

    table = console.get_by_role("table", name="Request as received").first
    expect(table).to_contain_text("/connector_id")
    expect(console.locator("main")).to_contain_text("it helps from then on")
    assert '"AD_HOC_USER"' not in console.locator("main").inner_text()


def test_between_equal_versions_nothing_is_translated_and_that_is_said(
    hub: HubProcess, console: Page, equals: tuple[Partner, Partner]
) -> None:
    cpo, emsp = equals
    console.goto(at(put_location(hub, cpo, emsp.party)))

    expect(console.locator("main")).to_contain_text("byte for byte")
    expect(console.get_by_label("Changes only")).to_have_count(0)


def test_no_answer_ends_in_a_cross_and_says_what_to_do(
    hub: HubProcess, console: Page, equals: tuple[Partner, Partner]
) -> None:
    cpo, emsp = equals
    with emsp.port_closed():
        correlation_id = put_location(hub, cpo, emsp.party)
    console.goto(at(correlation_id))

    expect(console.get_by_role("heading", level=1)).to_contain_text("no connection")
    expect(hops(console).filter(has_text="no answer").first).to_be_visible()
    main = console.locator("main")
    expect(main).to_contain_text(f"Not delivered; the hub sends nothing again; {cpo.name} has to send it again")
    expect(main).to_contain_text(f"Do: Ask {emsp.name} whether")
    expect(main).to_contain_text(re.compile(r"[0-9]+ \w+ 20[0-9]{2}, [0-9:]{8} UTC\. "))
    expect(main.get_by_role("link", name=emsp.name).first).to_have_attribute("href", re.compile("^/partners/"))


def test_what_the_hub_refused_is_told_as_the_sender_was(
    hub: HubProcess, console: Page, equals: tuple[Partner, Partner]
) -> None:
    cpo, _ = equals
    console.goto(at(put_location(hub, cpo, Party("XX", "NOP"))))

    expect(console.get_by_role("heading", level=1)).to_contain_text("no such receiver")
    expect(console.locator("main")).to_contain_text("Nothing was sent on")
    expect(console.get_by_text("The sender was told")).to_be_visible()


def test_a_broadcast_is_a_table_of_its_receivers_with_those_that_failed_first(hub: HubProcess, console: Page) -> None:
    with registered(hub, partner(CPO), partner(EMSP), partner(EMSP)) as [cpo, _, other]:
        other.behaves(Behaviour(answer=envelope(status_code=2001, status_message="no")))
        correlation_id = put_location(hub, cpo, HUB, messages=3)
        eventually(lambda: str(other.party) in str(story(hub, correlation_id)["messages"]))
        console.goto(at(correlation_id))

    table = console.get_by_role("region", name="Receivers")
    rows = table.get_by_role("row").all_inner_texts()[1:]
    answers = [row.split("\t")[1] for row in rows]
    assert "2001" in answers[rows.index(next(row for row in rows if str(other.party) in row))]
    assert answers == [*(each for each in answers if each != "1000"), *(each for each in answers if each == "1000")]
    expect(console.get_by_role("heading", name=re.compile(r"\d+ told, \d+ well, \d+ failed"))).to_be_visible()
    table.get_by_role("link", name=str(other.party)).click()
    expect(console.get_by_role("heading", name=re.compile("The call"))).to_be_visible()


def test_a_result_that_comes_late_is_seen_without_asking_for_it(
    hub: HubProcess, console: Page, pair: tuple[Partner, Partner]
) -> None:
    emsp, cpo = pair
    cpo.command_result = None
    try:
        command(hub, emsp, cpo, "late")
        console.goto(at("late"))
        expect(console.get_by_role("heading", level=1)).to_contain_text("waiting for the result")
        expect(console.get_by_role("status")).to_contain_text("Waiting for the result")
        cpo.post(cpo.received.of("commands")[-1].json()["response_url"], json={"result": "ACCEPTED"})
        expect(console.get_by_role("heading", level=1)).to_contain_text("its result came")
    finally:
        cpo.command_result = {"result": "ACCEPTED"}


def test_an_id_used_again_is_said_and_every_use_has_its_story(
    hub: HubProcess, console: Page, equals: tuple[Partner, Partner]
) -> None:
    cpo, emsp = equals
    correlation_id = new_id("again")
    for name in ("ONE", "TWO"):
        put_location(hub, cpo, emsp.party, correlation_id, messages=1, name=name)
    eventually(lambda: story(hub, correlation_id)["used_times"] == 2)
    console.goto(at(correlation_id))

    expect(console.locator("main")).to_contain_text("This id was used for 2 messages")
    uses = console.get_by_role("group").get_by_role("listitem")
    expect(uses).to_have_count(2)
    uses.nth(1).get_by_role("link").click()
    expect(console.get_by_role("heading", level=1)).to_contain_text("Location ONE")


def test_an_answer_that_is_no_json_is_text_and_short(
    hub: HubProcess, console: Page, pair: tuple[Partner, Partner]
) -> None:
    emsp, cpo = pair
    page = b"<script>document.title='x'</script>" + b"<b>bad</b>" * 4000
    cpo.behaves(Behaviour(answer=Answer(500, (("content-type", "text/html"),), page)))
    emsp.get("locations", "NOWHERE", to=cpo.party, headers={"x-correlation-id": "html"})
    cpo.script.clear()
    story(hub, "html")
    console.goto(at("html"))

    expect(console.locator("pre").first).to_contain_text("<script>")
    expect(console.locator("pre").first).to_contain_text(f"{len(page)} bytes")
    assert len(console.content()) < 100_000
    assert console.title() != "x"


def test_other_stories_of_the_same_object_are_a_click_away(
    hub: HubProcess, console: Page, equals: tuple[Partner, Partner]
) -> None:
    cpo, emsp = equals
    first, second = (put_location(hub, cpo, emsp.party, name="TWICE") for _ in range(2))
    console.goto(at(second))

    section = console.get_by_role("region", name="Other stories of Location TWICE")
    section.get_by_role("listitem").get_by_role("link").click()

    expect(console).to_have_url(re.compile(f"id={first}"))
