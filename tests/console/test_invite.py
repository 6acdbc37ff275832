from __future__ import annotations

import json
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Page, expect

from hub.console.shell_blocks import TOKEN_PLACE, URL_PLACE
from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from routing.vocabulary import Version
from tests.console.test_every_page import RULES
from tests.partners import CPO, partner, registered

NAME = 'L\'Électrique & "Fils" $(id)'


def in_bash(*blocks: str) -> list[Json]:
    """What the commands print, run one after the other in one shell."""
    ran = subprocess.run(["bash", "-e", "-c", "\necho\n".join(blocks)], capture_output=True, check=True)  # noqa: S607 - as an engineer does it
    return [json.loads(line) for line in ran.stdout.decode().splitlines() if line]


def invite(page: Page, one: Partner) -> None:
    """Fill in the form for this partner."""
    page.goto("/partners/new")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Parties and roles").fill(f"{one.party} CPO")
    if one.version is Version.V2_1_1:
        page.get_by_label("Their role, if they speak 2.1.1").select_option("CPO")
    else:
        page.get_by_label("Version", exact=True).select_option(str(one.version))
    page.get_by_role("button", name="Invite").click()


@pytest.mark.parametrize("version", [Version.V2_1_1, Version.V2_2_1, Version.V2_3_0])
def test_the_commands_register_a_partner_as_they_stand_there(console: Page, hub: HubProcess, version: Version) -> None:
    with partner(CPO, version).running() as one:
        invite(console, one)
        look, register = (console.locator(f"#{each}").inner_text() for each in ("c1", "c2"))
        register = register.replace(TOKEN_PLACE, one.invite("their-token-for-us")).replace(URL_PLACE, one.versions_url)

        versions, registered_at = in_bash(look, register)

        assert versions["status_code"] == 1000
        assert str(version) in {each["version"] for each in versions["data"]}
        assert (registered_at["status_code"], bool(registered_at["data"]["token"])) == (1000, True)
        [found] = hub.operator.ask("GET", "/api/v1/platforms", params={"q": str(one.party)})["items"]
        assert (found["status"], found["name"], found["version"]) == ("CONNECTED", NAME, str(version))


def test_the_token_is_in_one_answer_only(console: Page, hub: HubProcess) -> None:
    one = partner(CPO)
    invite(console, one)
    token = console.locator("#tok").inner_text()
    assert Axe().run(console, options=RULES).violations_count == 0

    console.reload()

    expect(console.get_by_role("heading", level=1)).to_have_text(f"{NAME} has not called yet")
    assert token not in console.content()
    found = hub.operator.ask("GET", "/api/v1/platforms", params={"q": str(one.party)})
    assert len(found["items"]) == 1


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(console: Page, hub: HubProcess) -> None:
    with registered(hub, partner(CPO)) as [taken]:
        for typed, said in {
            f"{taken.party} CPO": f"{taken.party} belongs to {taken.name}, here since",
            "ESP*TRS CPO": "ESP",
            "ES*TRS XXL": "XXL",
            "ES*TRS": "The role of ES*TRS is missing",
        }.items():
            console.goto("/partners/new")
            console.get_by_label("Name").fill("Terrasol")
            console.get_by_label("Parties and roles").fill(typed)
            console.get_by_role("button", name="Invite").click()

            field = console.get_by_label("Parties and roles")
            expect(field).to_have_attribute("aria-describedby", "parties-wrong")
            expect(field).to_have_value(typed)
            expect(console.get_by_label("Name")).to_have_value("Terrasol")
            expect(console.locator("#parties-wrong")).to_contain_text(said)
            console.get_by_role("alert").get_by_role("link", name="Parties and roles").click()
            expect(console).to_have_url(hub.operator.url + "/partners/new#parties")
