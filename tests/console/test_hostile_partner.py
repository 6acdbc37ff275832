"""A partner whose every text wants to be more than text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from hub.console.words import partner_text
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner, envelope
from routing.vocabulary import Party
from tests.console.test_live import follow, rows
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.stories import story
from tests.hub.scenarios.translated import new_id
from tests.partners import CPO, EMSP, location, new_party, partner, path_of

TURNED = "\u202e"
HOSTILE = f"<img src=x onerror=alert(1)>{TURNED}gpj.exe"
URL = "javascript:alert(1)"
ESCAPED = "<img src=x onerror=alert(1)>\\u202egpj.exe"
"""In texts that the hub keeps as it would log them."""


class Hostile(NamedTuple):
    """The partner, another one to talk to, and a story of both."""

    platform_id: str
    cpo: Partner
    emsp: Partner


@pytest.fixture(scope="module")
def hostile(hub: HubProcess) -> Iterator[Hostile]:
    """They have registered, and one of their messages was refused with such a text."""
    emsp = partner(EMSP)
    cpo = Partner(HOSTILE, {new_party(): CPO})
    cpo.identity.website = URL
    with emsp.running(), cpo.running():
        hub.operator.registered(emsp)
        platform_id = hub.operator.registered(cpo)
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/capture", json={"hours": 1})
        refuse(cpo, emsp, URL)
        story(hub, URL)
        yield Hostile(platform_id, cpo, emsp)


def refuse(cpo: Partner, emsp: Partner, correlation_id: str) -> None:
    """A message with such an id of an object, and an answer with such a text."""
    emsp.answers_next(envelope(status_code=2001, status_message=HOSTILE), module="locations")
    path, body = path_of(cpo.party, "%E2%80%AEgpj"), location(cpo.party, f"{TURNED}gpj")
    headers = {"x-correlation-id": correlation_id}
    cpo.put("locations", path, to=emsp.party, json={**body, "name": HOSTILE, "address": URL}, headers=headers)


def check(page: Page) -> None:
    """Nothing of it became an element, a link, or the direction of a line."""
    assert TURNED not in page.content(), page.url
    assert page.locator("img[src=x], [onerror], [href^='javascript:' i], [src^='javascript:' i]").count() == 0, page.url


def test_no_page_makes_more_of_a_partners_texts_than_text(console: Page, hub: HubProcess, hostile: Hostile) -> None:
    at, party = f"/partners/{hostile.platform_id}", hostile.cpo.party
    named = (
        "/partners?name=onerror",
        at,
        f"{at}/registration",
        f"{at}/suspend",
        f"{at}/quirks",
        "/network?by=platform",
    )
    others = (f"/client-info?as={platform_of(hub, hostile.emsp)}", f"/audit?object={hostile.platform_id}")
    told = (f"/messages?party={party}", f"/live?party={party}", "/story?id=javascript%3Aalert(1)", f"/search?q={URL}")

    for path in (*named, "/", "/events", *others, *told):
        console.goto(path)
        check(console)
        if path in named:
            expect(console.locator("main")).to_contain_text("<img src=x onerror=alert(1)>U+202Egpj.exe")
        if path in (*others[1:], *told):
            expect(console.locator("main")).to_contain_text(ESCAPED)


def test_what_turns_text_is_shown_as_a_tag_and_what_comes_after_it_is_read_from_left_to_right(
    console: Page, hostile: Hostile
) -> None:
    console.goto(f"/partners/{hostile.platform_id}")
    name = console.get_by_role("heading", level=1)

    expect(name.locator(".rule")).to_have_text("U+202E")
    lefts = name.locator("bdi").evaluate(
        """(name) => [...name.lastChild.data].map((_, at) => {
               const range = document.createRange();
               range.setStart(name.lastChild, at);
               range.setEnd(name.lastChild, at + 1);
               return range.getBoundingClientRect().left; })"""
    )
    assert len(lefts) == len("gpj.exe")
    assert lefts == sorted(lefts)


def followed(page: Page, hostile: Hostile) -> None:
    """Open the page Live, and wait until a message has come."""
    name = new_id("followed")
    follow(page, f"/live?party={hostile.cpo.party}")
    refuse(hostile.cpo, hostile.emsp, name)
    expect(rows(page).first.get_by_role("link").first).to_have_attribute("href", re.compile(name))


def test_rows_that_a_script_adds_are_text_too(console: Page, hostile: Hostile) -> None:
    followed(console, hostile)
    console.get_by_label("Read errors aloud").check()
    refuse(hostile.cpo, hostile.emsp, "hostile-live")

    expect(rows(console).first.get_by_role("link").first).to_have_attribute("href", re.compile("hostile-live"))
    expect(rows(console).first).to_contain_text(ESCAPED)
    expect(console.locator("[aria-live=polite]")).to_contain_text(ESCAPED)
    check(console)
    rows(console).first.get_by_role("link").first.click()
    expect(console.get_by_role("heading", level=1)).to_contain_text("gpj")
    check(console)


def test_rows_that_arrive_stand_still_for_who_wants_no_motion(console: Page, hostile: Hostile) -> None:
    names = []
    followed(console, hostile)
    for motion in ("no-preference", "reduce"):
        console.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
        refuse(hostile.cpo, hostile.emsp, motion)
        new = console.locator(f"#rows tr.new:has(a[href*={motion}]) > td").first
        expect(new).to_be_visible()
        names.append(new.evaluate("(cell) => getComputedStyle(cell).animationName"))

    assert names == ["arrive", "none"]


@pytest.mark.parametrize(
    "hidden", ["\x1b", "\xad", "\u061c", "\u180e", "\u200b", TURNED, "\u2066", "\ufeff", "\U000e0041"]
)
def test_characters_that_show_nothing_or_turn_others_are_named(hidden: str) -> None:
    shown = partner_text(f"a{hidden}<b>")

    assert shown == f'<bdi>a<span class="rule">U+{ord(hidden):04X}</span>&lt;b&gt;</bdi>'


def test_the_file_of_agreements_has_nothing_that_a_spreadsheet_runs_and_no_browser_shows_it(
    hub: HubProcess, hostile: Hostile
) -> None:
    other = Party("NL", '=",')
    agreed = {"a": str(other), "b": str(hostile.cpo.party)}
    made = hub.operator.ask("POST", "/api/v1/agreements", json=agreed)
    try:
        answer = hub.operator.api.get("/api/v1/agreements.csv")
    finally:
        hub.operator.api.delete(f"/api/v1/agreements/{made['id']}")

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    head, *lines = csv.reader(answer.text.splitlines())
    assert head == ["a", "b", "modules", "direction"]
    assert sorted(agreed.values()) in [sorted(line[:2]) for line in lines]
    assert all(cell[:1].isalpha() or not cell for line in lines for cell in line)
