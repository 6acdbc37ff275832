from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from hub.console.words import UNKNOWN
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.console.conftest import sign_in, watched
from tests.console.test_partner import confirm
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.operator.people import new_token
from tests.partners import CPO, EMSP, location, partner, path_of, registered, token

AGREEMENTS = "/api/v1/agreements"


class Market(NamedTuple):
    """A hub where agreements are required, and two who have none."""

    hub: HubProcess
    cpo: Partner
    emsp: Partner

    def push(self) -> int:
        """A location for the eMSP."""
        where = path_of(self.cpo.party, "LOC1")
        return self.cpo.put("locations", where, to=self.emsp.party, json=location(self.cpo.party)).status_code

    def hand_out(self) -> int:
        """A token for the CPO."""
        where = path_of(self.emsp.party, "UID1")
        return self.emsp.put("tokens", where, to=self.cpo.party, json=token(self.emsp.party, "UID1")).status_code

    def counted(self) -> int:
        """How many messages are in the figures."""
        cells = self.hub.operator.ask("GET", "/api/v1/traffic/matrix", params={"window": "24h"})["cells"]
        return sum(each["n"] for each in cells)

    def listed(self) -> list[dict[str, Any]]:
        """All agreements."""
        found: list[dict[str, Any]] = self.hub.operator.ask("GET", AGREEMENTS)["items"]
        return found


@contextmanager
def opened(folder: Path) -> Iterator[Market]:
    """A new one."""
    settings = {"agreements": "required", "rate_limit": "off"}
    with ForkedHub(folder, settings) as hub, registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        yield Market(hub, cpo, emsp)


@pytest.fixture(scope="module")
def market_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with opened(tmp_path_factory.mktemp("hub")) as market:
        yield market


@pytest.fixture
def market(market_of_all: Market) -> Market:
    """Where nobody has agreed on anything."""
    for each in market_of_all.listed():
        market_of_all.hub.operator.ask("DELETE", f"{AGREEMENTS}/{each['id']}")
    return market_of_all


@pytest.fixture(scope="module")
def browser_of_market(market_of_all: Market, browser: Browser) -> Iterator[Page]:
    """The page of an admin of that hub, for all tests of this module."""
    with watched(browser, market_of_all.hub) as page:
        sign_in(page, market_of_all.hub.operator.token)
        yield page


def test_an_agreement_is_made_changed_and_ended_and_comes_true(market: Market, browser_of_market: Page) -> None:
    page, pair = browser_of_market, f"{market.cpo.party} and {market.emsp.party}"
    before = market.counted()
    assert (market.push(), market.hand_out()) == (4001, 4001)
    eventually(lambda: market.counted() == before + 2)
    page.goto("/agreements")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nobody may talk to anybody yet")
    tried = page.get_by_role("row").filter(has_text=str(market.cpo.party)).filter(has_text="Let them…").first
    expect(tried).to_contain_text("1")

    page.get_by_role("table").first.get_by_role("link", name=UNKNOWN).click()
    expect(page.get_by_label("The first")).to_have_value(str(market.cpo.party))
    page.get_by_label("only these:").check()
    page.get_by_label("locations").check()
    page.get_by_role("button", name="Review").click()
    expect(page.locator("main")).to_contain_text("1 of them, which were refused for want of an agreement")
    expect(page.get_by_role("listitem").filter(has_text=market.cpo.name)).to_contain_text(
        f"sees {market.emsp.party}: not at all → Connected, and is told so at once"
    )
    assert market.listed() == []
    confirm(page, "Agree")

    expect(page.get_by_role("heading", level=1)).to_have_text(pair)
    assert (market.push(), market.hand_out()) == (1000, 4000)
    expect(page.get_by_role("region", name="History")).to_contain_text("“Ticket 7”")
    eventually(lambda: market.counted() == before + 4)

    page.get_by_role("radio", name="everything").check()
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator("main")).to_contain_text("locations → everything")
    confirm(page, "Change")
    assert market.hand_out() == 1000
    eventually(lambda: market.counted() == before + 5)

    page.get_by_role("link", name="End…").click()
    expect(page.locator("main")).to_contain_text("2 of them, which went through")
    confirm(page, "End")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nobody may talk to anybody yet")
    assert (market.push(), market.hand_out()) == (4001, 4001)


def test_of_two_admins_the_second_is_told_and_overwrites_nothing(market: Market, browser_of_market: Page) -> None:
    page, operator = browser_of_market, market.hub.operator
    made = operator.ask("POST", AGREEMENTS, json={"a": str(market.cpo.party), "b": str(market.emsp.party)})
    page.goto(f"/agreements/{made['id']}/end")
    operator.ask("PATCH", f"{AGREEMENTS}/{made['id']}", json={"modules": ["cdrs"]})
    confirm(page, "End")

    expect(page.get_by_role("alert")).to_contain_text("The last change is agreement.change by operator")
    expect(page.locator("main")).to_contain_text("cdrs")
    assert [each["modules"] for each in market.listed()] == [["cdrs"]]
    page.get_by_role("button", name="End").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nobody may talk to anybody yet")


def test_a_file_is_reviewed_taken_over_and_given_back(market: Market, browser_of_market: Page) -> None:
    page = browser_of_market
    page.goto("/agreements/import")
    wrong = FilePayload(name="wrong.csv", mimeType="text/csv", buffer=b"a,b\nNLAAA,NL*BBB\n")
    page.get_by_label("CSV file").set_input_files(wrong)
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("alert")).to_contain_text("line 2: 'NLAAA' is no party")

    page.get_by_label("or its text").fill("a,b,modules,direction\nNL*AAA,NL*BBB,cdrs tokens,a_to_b\n")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("main")).to_contain_text(re.compile(r"New\s*1"))
    assert market.listed() == []
    confirm(page, "Take over")

    expect(page.get_by_role("heading", level=1)).to_have_text("1 pair may talk to each other")
    expect(page.get_by_role("row").filter(has_text="NL*AAA and NL*BBB")).to_contain_text("only NL*AAA")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert download.value.path().read_text() == "a,b,modules,direction\nNL*AAA,NL*BBB,cdrs tokens,a_to_b\n"
    [line] = market.hub.operator.ask("GET", "/api/v1/audit", params={"action": "agreement.import"})["items"]
    assert (line["reason"], line["after"]["added"]) == ("Ticket 7", 1)


def test_where_everybody_may_talk_only_exceptions_are_agreed_on(console: Page) -> None:
    console.goto("/agreements")

    expect(console.get_by_role("heading", level=1)).to_contain_text("Everybody may talk to everybody")


def test_what_cannot_be_agreed_on_is_said_beside_the_form(browser_of_market: Page) -> None:
    page = browser_of_market
    page.goto("/agreements/new?a=NL*AAA")
    page.get_by_label("The second").fill("NLBBB")
    page.get_by_role("button", name="Review").click()

    expect(page.get_by_role("alert")).to_contain_text("'NLBBB' is no party")
    expect(page.get_by_label("The first")).to_have_value("NL*AAA")


def test_an_auditor_sees_agreements_and_changes_none(market: Market, browser: Browser) -> None:
    with watched(browser, market.hub, java_script_enabled=False) as page:
        sign_in(page, new_token(market.hub, "auditor")["token"], "/agreements")

        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("New agreement|Import|Let them"))).to_have_count(0)


def test_pairs_that_agreed_and_are_silent_are_told_as_far_as_the_hub_knows(tmp_path: Path, browser: Browser) -> None:
    with opened(tmp_path) as market, watched(browser, market.hub) as page:
        hub = market.hub
        pairs = [("NL*AAA", "DE*BBB"), (str(market.cpo.party), str(market.emsp.party)), ("NL*AAA", "FR*CCC")]
        for a, b in pairs:
            hub.operator.ask("POST", AGREEMENTS, json={"a": a, "b": b})
        assert silent(market)["count"] == 0  # an agreement of today is not silent for a week
        hub.stop()
        hub.start()

        begun = silent(market)
        assert [(each["a"], each["b"], each["last_at"]) for each in begun["items"]] == [(*pair, None) for pair in pairs]
        assert begun["since"] == begun["covers"]["since"]
        assert market.push() == 1000
        eventually(lambda: silent(market)["count"] == 2)
        first = silent(market, limit=1)
        assert [first["of"], first["count"], *(each["b"] for each in first["items"])] == [3, 2, "DE*BBB"]
        rest = silent(market, limit=1, cursor=first["next_cursor"])
        assert [each["b"] for each in rest["items"]] == ["FR*CCC"]
        assert rest["next_cursor"] is None
        assert silent(market, party="fr*ccc")["of"] == 1

        sign_in(page, hub.operator.token)
        page.goto("/network")
        part = page.get_by_role("region", name="Agreed, and silent")
        expect(part).to_contain_text("2 of 3 pairs with an agreement. The hub has counted for no longer than that")
        expect(part.get_by_role("row").nth(2)).to_contain_text("NL*AAA and FR*CCC")
        part.get_by_role("link", name="NL*AAA and DE*BBB").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("NL*AAA and DE*BBB")


def silent(market: Market, **query: Any) -> dict[str, Any]:  # noqa: ANN401 - query parameters
    found: dict[str, Any] = market.hub.operator.ask("GET", "/api/v1/traffic/silent", params=query)
    return found
