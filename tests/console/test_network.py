"""Network, broadcasts, client info: what the pages show is what the journal has and what partners get."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from hub.cli import commands
from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from loadtests.simulator.misbehaviour import FAST, HTML, Behaviour
from routing.vocabulary import ModuleID, Party, Version
from tests.console.conftest import on_servers
from tests.console.told import put_location
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.operator.people import somebody
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.translated import new_id
from tests.migrated import MigratedDatabase
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token
from tests.servers import Postgres

HUB = Party("EU", "HUB")
SENT = 12
FAILED = 3
AGAIN = re.compile(r"GET /api/v1(\S+)")


class World(NamedTuple):
    """A CPO whose Locations went to one eMSP, of which some were not taken, and one to everybody."""

    hub: HubProcess
    cpo: Partner
    emsp: Partner
    newer: Partner
    broken: Partner
    spread: str
    """The correlation id of what everybody was told."""

    def ask(self, path: str, **query: Any) -> Json:  # noqa: ANN401 - query parameters
        found: Json = self.hub.operator.ask("GET", f"/api/v1{path}", **({"params": query} if query else {}))
        return found

    def run(self, command: str) -> str:
        """What the command of a page's last line prints."""
        environment = {
            "HUB_OPERATOR_TOKEN": self.hub.operator.token,
            "HUB_OPERATOR_PORT": str(self.hub.operator_port),
        }
        result = CliRunner().invoke(commands, shlex.split(command)[1:], env=environment)
        assert result.exit_code == 0, result.output
        return result.output


def made(hub: HubProcess, cpo: Partner, emsp: Partner, newer: Partner, broken: Partner) -> World:
    """The messages of the world, once the journal has them."""
    for number in range(SENT):
        with emsp.behaving(HTML if number < FAILED else FAST):
            cpo.put("locations", path_of(cpo.party, "L1"), to=emsp.party, json=location(cpo.party, "L1"))
    with broken.behaving(HTML):
        spread = put_location(hub, cpo, HUB, new_id("a/b?c"), messages=4)
    party = new_party("XX")
    with newer.behaving(HTML):
        hub.operator.invite("Newcomer", parties={party: CPO})
        eventually(lambda: missed(hub, newer, party))
    return World(hub, cpo, emsp, newer, broken, spread)


def missed(hub: HubProcess, viewer: Partner, party: Party) -> bool:
    found = hub.operator.ask("GET", "/api/v1/client-info", params={"as": platform_of(hub, viewer)})
    return str(party) in {each["party"] for each in found["missed"]}


@pytest.fixture(scope="module")
def hub(
    postgres_server: Postgres, migrated_database: MigratedDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HubProcess]:
    """A hub with no other partners: they would get broadcasts, too."""
    with on_servers(postgres_server, migrated_database, tmp_path_factory.mktemp("hub")) as process:
        yield process


@pytest.fixture(scope="module")
def shown(hub: HubProcess) -> Iterator[World]:
    """The world that the pages show."""
    with registered(hub, partner(CPO), partner(EMSP), partner(EMSP, Version.V2_3_0), partner(EMSP)) as partners:
        yield made(hub, *partners)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same at a hub without PostgreSQL and Redis."""
    with (
        ForkedHub(tmp_path_factory.mktemp("hub"), {"rate_limit": "off"}) as hub,
        registered(hub, partner(CPO), partner(EMSP), partner(EMSP, Version.V2_3_0), partner(EMSP)) as partners,
    ):
        yield made(hub, *partners)


@pytest.fixture(params=["shown", "embedded"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


def counted(world: World) -> Json:
    """The figures, once they have everything: those of other processes are some seconds late."""
    found: Json = {}

    def has_everything() -> bool:
        found.update(world.ask("/traffic/matrix", window="24h", party=str(world.cpo.party)))
        return bool(sum(each["n"] for each in found["cells"]) >= SENT + 3)

    eventually(has_everything)
    return found


def test_a_cell_of_the_matrix_equals_the_journal_and_leads_to_its_messages(world: World) -> None:
    sender, receiver = str(world.cpo.party), str(world.emsp.party)
    found = counted(world)

    [cell] = [each for each in found["cells"] if each["receiver"] == receiver]
    assert (cell["n"], cell["errors"], cell["mostly"]) == (SENT + 1, FAILED, "not_ocpi")  # and one delivery
    one_way = {"party": sender, "peer": receiver, "one_way": True}
    assert world.ask("/messages", **one_way)["count"] == SENT + 1
    assert world.ask("/messages", **one_way, outcome="failed")["count"] == FAILED
    assert world.ask("/messages", party=receiver, peer=sender, one_way=True)["count"] == 0
    worst = [each for each in found["worst"] if (each["sender"], each["receiver"]) == (sender, receiver)]
    assert [(each["errors"], each["agreement"]) for each in worst] == [(FAILED, "none")]
    about = found["about"][receiver]
    assert (about["platform"], about["name"], about["roles"]) == (
        platform_of(world.hub, world.emsp),
        world.emsp.name,
        ["EMSP"],
    )


def test_a_broadcast_says_who_took_it_and_who_did_not_and_why(world: World) -> None:
    found = world.ask("/broadcasts", party=str(world.cpo.party))

    [one] = found["items"]
    assert (one["correlation_id"], one["told"], one["delivered"], one["failed"]) == (world.spread, 3, 2, 1)
    assert (one["skipped"], one["waiting"], one["unknown"]) == (0, 0, 0)
    assert one["reasons"] == [{"outcome": "failed", "why": "not_ocpi", "count": 1}]
    assert one["versions"] == ["2.2.1", "2.3.0"]
    assert 0 < one["until_last_ms"] < 30_000
    details = world.ask(f"/broadcasts/{quote(world.spread, safe='')}")
    assert {name: details[name] for name in one if name != "until_last_ms"} == {
        name: value for name, value in one.items() if name != "until_last_ms"
    }
    assert details["until_last_ms"] == pytest.approx(one["until_last_ms"], abs=1)
    ends = [(each["party"], each["outcome"], each["failure"]) for each in details["receivers"]]
    assert ends[0] == (str(world.broken.party), "failed", "not_ocpi")
    assert set(ends[1:]) == {(str(each.party), "delivered", None) for each in (world.emsp, world.newer)}
    assert world.ask(f"/broadcasts/{quote(world.spread, safe='')}", limit=1)["next_cursor"] == "1"


def test_while_a_broadcast_runs_it_is_told_where_it_still_is(world: World) -> None:
    name, gate = new_id("runs"), Future[None]()
    with world.cpo.behaving(Behaviour(until=gate)):
        try:
            spread_token(world, name)
            found = world.ask(f"/broadcasts/{name}")
        finally:
            gate.set_result(None)
    assert (found["told"], found["delivered"], found["waiting"]) == (1, 0, 1)
    assert found["under_way"] == [{"party": str(world.cpo.party), "platform": platform_of(world.hub, world.cpo)}]

    eventually(lambda: world.ask(f"/broadcasts/{name}")["waiting"] == 0)
    assert world.ask(f"/broadcasts/{name}")["under_way"] == []


def spread_token(world: World, name: str) -> None:
    """A token for everybody, who is the CPO; returns once the journal has it, and maybe nothing of its delivery."""
    card, ids = token(world.newer.party, "RUNS"), {"x-correlation-id": name}
    world.newer.put("tokens", path_of(world.newer.party, "RUNS"), to=HUB, json=card, headers=ids)
    eventually(lambda: world.ask("/messages", correlation_id=name)["count"])


@pytest.mark.parametrize(("outcome", "count"), [("missed", 1), ("ok", 0), ("refused", 0)])
def test_broadcasts_are_found_by_what_came_of_them(world: World, outcome: str, count: int) -> None:
    found = world.ask("/broadcasts", party=str(world.cpo.party), outcome=outcome, module="locations")

    assert (len(found["items"]), found["count"]) == (count, count)


def test_of_broadcasts_that_share_their_ids_each_is_told_apart_by_its_message(world: World) -> None:
    correlation_id = new_id("twice")
    for uid in ("UID1", "UID2"):
        card = token(world.broken.party, uid)
        ids = {"x-correlation-id": correlation_id, "x-request-id": "again"}
        world.broken.put("tokens", path_of(world.broken.party, uid), to=HUB, json=card, headers=ids)
    eventually(lambda: world.ask("/messages", correlation_id=correlation_id)["count"] == 4)

    found = world.ask("/broadcasts", party=str(world.broken.party))["items"]
    assert [(each["told"], each["delivered"]) for each in found] == [(1, None), (1, None)]
    last = world.ask(f"/broadcasts/{correlation_id}", use=found[0]["id"])
    assert (last["id"], last["used_times"]) == (found[0]["id"], 2)
    assert last["receivers"][-1]["outcome"] == "delivered"


def test_the_list_is_the_one_a_partner_gets_and_says_what_it_missed(world: World) -> None:
    for viewer in (world.emsp, world.newer):
        gets = [info for page in viewer.pages(ModuleID.HUB_CLIENT_INFO) for info in page.json()["data"]]
        found = world.ask("/client-info", **{"as": platform_of(world.hub, viewer)}, limit=200)

        assert [each["info"] for each in found["items"]] == gets
        assert (found["version"], found["total"], found["is_told"]) == (viewer.version, len(gets), True)
        assert not any(each["differs"] for each in found["items"])
        newest = found["items"][-1]
        how = ("refused", "PLANNED", False) if viewer is world.newer else ("delivered", "PLANNED", True)
        assert (newest["told"]["outcome"], newest["told"]["status"], newest["is_current"]) == how
        assert found["last_told"] == newest["told"]
        assert (newest["told"] in found["missed"]) is (viewer is world.newer)


def test_an_engineer_sees_the_own_list_and_not_what_the_partner_is_not_shown(world: World) -> None:
    own, other = platform_of(world.hub, world.emsp), platform_of(world.hub, world.newer)
    with somebody(world.hub, "partner", platform=own) as paul:
        found = paul.get("/api/v1/client-info").json()
        assert found["platform"] == own
        assert {each["here"] for each in found["items"]} == {None}
        assert paul.get("/api/v1/client-info", params={"as": other}).status_code == 404
        assert paul.get("/api/v1/broadcasts").status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/client-info", 422),
        ("/client-info?as=nobody", 404),
        ("/client-info?as=nobody&cursor=x", 404),
        ("/broadcasts?cursor=nonsense", 422),
        ("/broadcasts/nobody-used-this", 404),
        ("/messages?one_way=true", 422),
    ],
)
def test_what_cannot_be_answered_says_why(hub: HubProcess, path: str, status: int) -> None:
    answer = hub.operator.api.get(f"/api/v1{path}")

    assert answer.status_code == status
    assert answer.json()["detail"]


# ---------------------------------------------------------------- pages


def same(page: Page) -> list[str]:
    """The call and the command in the last line of a page."""
    return page.get_by_role("contentinfo").locator("code").all_inner_texts()


def test_the_network_shows_the_share_of_errors_and_leads_to_exactly_those_messages(shown: World, console: Page) -> None:
    sender, receiver = str(shown.cpo.party), str(shown.emsp.party)
    counted(shown)
    console.goto(f"/network?party={sender}")
    row = (
        console.get_by_role("table").first.get_by_role("row").filter(has=console.get_by_role("rowheader", name=sender))
    )

    [link] = row.get_by_role("link").filter(has_text="23 % errors").all()
    expect(link).to_contain_text(f"{SENT + 1}")
    pairs = console.get_by_role("region", name="Pairs with most errors").get_by_role("row")
    expect(pairs.filter(has_text=f"{sender} → {receiver}")).to_contain_text("no answer of OCPI")
    call_, command = same(console)
    assert shown.ask(AGAIN.findall(call_)[0])["cells"]
    assert receiver in shown.run(command)
    link.click()

    expect(console.get_by_role("heading", level=1)).to_have_text(f"{SENT + 1} messages")
    console.get_by_role("link", name=f"Remove filter party {sender}").click()
    expect(console).not_to_have_url(re.compile("one_way"))


def test_a_broadcast_that_somebody_missed_says_so_and_leads_to_its_story(shown: World, console: Page) -> None:
    console.goto(f"/broadcasts?party={shown.cpo.party}&outcome=missed")

    row = console.get_by_role("row").filter(has_text=str(shown.cpo.party))
    expect(row).to_contain_text("3 told, 2 took it, 1 failed")
    expect(row).to_contain_text("1 no answer of OCPI")
    call_, command = same(console)
    assert len(shown.ask(AGAIN.findall(call_)[0])["items"]) == 1
    assert "1 not_ocpi" in shown.run(command)
    assert str(shown.broken.party) in shown.run(f"ocpi-hub broadcasts {shlex.quote(shown.spread)}")
    row.get_by_role("link", name="PUT Location").click()
    expect(console).to_have_url(re.compile("/story"))


def test_the_story_of_a_broadcast_that_runs_says_where_it_still_is_until_it_is_done(
    shown: World, console: Page
) -> None:
    name, gate = new_id("a/b?c"), Future[None]()
    part = console.get_by_role("region", name="Under way to 1 of 1")
    with shown.cpo.behaving(Behaviour(until=gate)):
        try:
            spread_token(shown, name)
            console.goto(f"/story?id={quote(name)}")
            expect(part.get_by_role("link", name=str(shown.cpo.party))).to_be_visible()
        finally:
            gate.set_result(None)

    eventually(lambda: shown.ask("/messages", correlation_id=name)["count"] == 2)
    console.evaluate("again()")
    expect(part).to_have_count(0)
    expect(console.get_by_role("region", name="Receivers")).to_contain_text(str(shown.cpo.party))


def test_client_info_is_chosen_by_name_and_puts_what_did_not_arrive_on_top(shown: World, console: Page) -> None:
    console.goto("/client-info")
    console.get_by_label("Name or party").fill(str(shown.newer.party))
    console.keyboard.press("Enter")

    expect(console.get_by_role("heading", level=1)).to_have_text(re.compile("did not arrive"))
    missed_ = console.get_by_role("region", name="Pushes that did not arrive").get_by_role("row")
    expect(missed_.nth(1)).to_contain_text("XX*")
    expect(missed_.nth(1)).to_contain_text("the answer is no OCPI envelope")
    console.get_by_label("Party", exact=False).last.fill("nonsense")
    console.get_by_role("button", name="Show").click()
    expect(console.get_by_role("alert")).to_contain_text("party")
    console.get_by_label("Party", exact=False).last.fill(str(shown.cpo.party))
    console.get_by_role("button", name="Show").click()
    seen = console.get_by_role("region", name="What it sees").get_by_role("row").filter(has_text=str(shown.cpo.party))
    expect(seen).to_contain_text("Connected")
    call_, command = same(console)
    assert [each["info"]["status"] for each in shown.ask(AGAIN.findall(call_)[0])["items"]] == ["CONNECTED"]
    assert "CONNECTED" in shown.run(command)
