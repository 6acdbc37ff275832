"""Who may talk to whom, where a hub lets nobody talk without an agreement: on every way a message can take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner, Received
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.translated import made, new_id, status
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token

HUB = Party("EU", "HUB")
AGREEMENTS = "/api/v1/agreements"
SENDER = InterfaceRole.SENDER


class Market(NamedTuple):
    """A hub where agreements are required, two CPOs, and eMSPs on 2.2.1 and 2.3.0."""

    hub: HubProcess
    cpo: Partner
    other_cpo: Partner
    emsp: Partner
    newer_emsp: Partner

    @property
    def partners(self) -> tuple[Partner, ...]:
        """All but the hub."""
        return self[1:]

    def agree(self, a: Partner, b: Partner, **terms: Any) -> Json:  # noqa: ANN401 - any terms
        """A new agreement."""
        return self.hub.operator.ask("POST", AGREEMENTS, json={"a": str(a.party), "b": str(b.party), **terms})

    def end(self, agreement: Json) -> None:
        """No agreement any more."""
        self.hub.operator.ask("DELETE", f"{AGREEMENTS}/{agreement['id']}")


@contextmanager
def market(folder_of: pytest.TempPathFactory, **settings: str | None) -> Iterator[Market]:
    parts = (partner(CPO), partner(CPO), partner(EMSP), partner(EMSP, Version.V2_3_0))
    required = {"agreements": "required", "rate_limit": "off", **settings}
    with ForkedHub(folder_of.mktemp("hub"), required) as hub, registered(hub, *parts) as everybody:
        yield Market(hub, *everybody)


@pytest.fixture(scope="module")
def hidden_market(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with market(tmp_path_factory, **stores._asdict()) as running:
        yield running


@pytest.fixture(scope="module")
def planned_market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with market(tmp_path_factory, no_agreement_view="planned") as running:
        yield running


@pytest.fixture
def at(hidden_market: Market) -> Market:
    """Without an agreement nobody knows of anybody."""
    return without_agreements(hidden_market)


@pytest.fixture
def planning(planned_market: Market) -> Market:
    """Without an agreement everybody is PLANNED."""
    return without_agreements(planned_market)


def without_agreements(running: Market) -> Market:
    running.hub.operator.ask("POST", f"{AGREEMENTS}/import?replace=true", content=b"a,b\n")
    for each in running.partners:
        each.script.clear()
        each.shelf.own.clear()
        each.shelf.pushed.clear()
        each.ledger.clear()
        each.received.clear()
    return running


def pushed(cpo: Partner, *, to: Party | None) -> Answer:
    """A Location that nobody has heard of before."""
    place = location(cpo.party, new_id("LOC"))
    return cpo.put("locations", path_of(cpo.party, place["id"]), to=to, json=place)


def got(one: Partner) -> list[Received]:
    """Messages of others that a partner received; what the hub itself tells it comes when it comes."""
    return [each for each in one.received if each.place.module != ModuleID.HUB_CLIENT_INFO]


def told(viewer: Partner) -> dict[Party, str]:
    """Everybody that a partner is told of, and how."""
    infos = [each for page in viewer.pages("hubclientinfo") for each in page.data]
    return {Party(each["country_code"], each["party_id"]): each["status"] for each in infos}


def named(viewer: Partner) -> set[Party]:
    """Everybody whom the hub names to a partner of 2.3.0 in its own credentials."""
    roles = viewer.get("credentials").data["roles"]
    return {Party(each["country_code"], each["party_id"]) for each in roles}


# ---------------------------------------------------------------------------------------------------------- directly


def test_without_an_agreement_a_party_is_answered_like_one_that_does_not_exist(at: Market) -> None:
    hidden, unknown = pushed(at.cpo, to=at.emsp.party), pushed(at.cpo, to=new_party("XX"))

    assert status(hidden) == status(unknown) == (200, 4001)
    assert hidden.envelope.status_message == unknown.envelope.status_message
    assert not got(at.emsp)


def test_an_agreement_lets_messages_through_both_ways_until_it_ends(at: Market) -> None:
    agreement = at.agree(at.cpo, at.emsp)
    at.cpo.hold("locations", location(at.cpo.party))

    assert status(pushed(at.cpo, to=at.emsp.party)) == (200, 1000)
    assert status(at.emsp.get("locations", "LOC1", to=at.cpo.party)) == (200, 1000)

    at.end(agreement)
    assert status(pushed(at.cpo, to=at.emsp.party)) == (200, 4001)
    assert status(at.emsp.get("locations", "LOC1", to=at.cpo.party)) == (200, 4001)


def test_a_module_outside_the_agreement_is_4000(at: Market) -> None:
    agreement = at.agree(at.cpo, at.emsp, modules=["tokens"])
    card = token(at.emsp.party, new_id("T"))

    answer = pushed(at.cpo, to=at.emsp.party)
    assert status(answer) == (200, 4000)
    assert "locations" in (answer.envelope.status_message or "")
    put = at.emsp.put("tokens", path_of(at.emsp.party, card["uid"]), to=at.cpo.party, json=card)
    assert status(put) == (200, 1000)
    assert not got(at.emsp)

    at.hub.operator.ask("PATCH", f"{AGREEMENTS}/{agreement['id']}", json={"modules": ["locations"]})
    assert status(pushed(at.cpo, to=at.emsp.party)) == (200, 1000)


def test_where_only_one_may_send_the_other_does_not_even_know_of_it(at: Market) -> None:
    at.agree(at.cpo, at.emsp, direction="a_to_b")

    assert status(pushed(at.cpo, to=at.emsp.party)) == (200, 1000)
    assert status(at.emsp.get("locations", to=at.cpo.party)) == (200, 4001)
    assert told(at.cpo) == {at.emsp.party: "CONNECTED"}
    assert told(at.emsp) == {}


def test_the_result_of_a_command_reaches_its_giver_though_the_cpo_may_not_write_to_it(at: Market) -> None:
    agreement = at.agree(at.emsp, at.cpo, direction="a_to_b", modules=["commands"])
    url = at.emsp.url("commands", SENDER, "START_SESSION", new_id("R"))
    body = {"response_url": url, "token": token(at.emsp.party), "location_id": "LOC1"}

    assert at.emsp.post("commands", "START_SESSION", to=at.cpo.party, json=body).data["result"] == "ACCEPTED"
    at.end(agreement)
    at.cpo.settle()

    assert [each.json() for each in got(at.emsp)] == [at.cpo.command_result]


# ------------------------------------------------------------------------------------------------ without a receiver


def test_a_session_reaches_the_emsp_of_its_token_only_if_the_two_agreed_on_sessions(at: Market) -> None:
    card = token(at.emsp.party, new_id("T"))
    body = made(Version.V2_2_1, "Session", at.cpo.party, id=new_id("S"), authorization_reference=None)
    body["cdr_token"] = {name: card[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}
    path = path_of(at.cpo.party, body["id"])

    agreement = at.agree(at.cpo, at.emsp, modules=["tokens"])
    assert status(at.cpo.put("sessions", path, json=body)) == (200, 4001)
    assert not got(at.emsp)

    at.end(agreement)
    at.agree(at.cpo, at.emsp, modules=["sessions"])
    assert status(at.cpo.put("sessions", path, json=body)) == (200, 1000)
    assert len(got(at.emsp)) == 1


def test_what_was_learned_under_an_agreement_leads_to_nobody_without_one(at: Market) -> None:
    agreement = at.agree(at.cpo, at.emsp)
    place = location(at.cpo.party, new_id("LOC"))
    at.cpo.hold("locations", place)
    assert status(at.emsp.get("locations", place["id"], to=at.cpo.party)) == (200, 1000)
    assert at.emsp.get("locations", place["id"]).data == place

    at.end(agreement)

    assert status(at.emsp.get("locations", place["id"])) == (200, 4001)


def test_a_broadcast_goes_only_to_those_its_owner_agreed_on_the_module_with(at: Market) -> None:
    at.agree(at.cpo, at.emsp, modules=["tokens"])
    at.agree(at.cpo, at.newer_emsp, modules=["locations"])

    assert status(pushed(at.cpo, to=HUB)) == (200, 1000)

    eventually(lambda: len(got(at.newer_emsp)) == 1)
    assert not got(at.emsp)


def test_a_list_of_everybodys_has_only_those_its_reader_agreed_on_the_module_with(at: Market) -> None:
    for owner in (at.cpo, at.other_cpo):
        owner.hold("locations", location(owner.party, new_id("LOC")))
    at.agree(at.emsp, at.cpo, modules=["locations"])
    agreement = at.agree(at.emsp, at.other_cpo, modules=["tariffs"])

    def owners() -> set[str]:
        pages = at.emsp.pages("locations", to=HUB, params={"mark": new_id("mark")})
        return {each["party_id"] for page in pages for each in page.data}

    assert owners() == {at.cpo.party.party_id}
    at.hub.operator.ask("PATCH", f"{AGREEMENTS}/{agreement['id']}", json={"modules": None})
    assert owners() == {at.cpo.party.party_id, at.other_cpo.party.party_id}


def test_a_token_is_asked_about_only_where_its_asker_agreed_on_tokens(at: Market) -> None:
    at.agree(at.cpo, at.emsp, modules=["tokens"])
    at.agree(at.cpo, at.newer_emsp, modules=["cdrs"])

    at.cpo.post("tokens", f"{new_id('T')}/authorize")

    assert [each.method for each in got(at.emsp)] == ["POST"]
    assert not got(at.newer_emsp)


# ---------------------------------------------------------------------------------------------------- who is shown


def test_a_partner_is_told_of_those_it_may_send_to_and_of_nobody_else(at: Market) -> None:
    assert told(at.emsp) == {}
    assert named(at.newer_emsp) == {HUB}, "some role there must be"

    at.agree(at.emsp, at.cpo)
    at.agree(at.newer_emsp, at.other_cpo, modules=["cdrs"])

    assert told(at.emsp) == {at.cpo.party: "CONNECTED"}
    assert told(at.newer_emsp) == {at.other_cpo.party: "CONNECTED"}
    assert named(at.newer_emsp) == {at.other_cpo.party}


def test_a_new_agreement_is_news_to_a_partner_that_asks_what_changed(at: Market) -> None:
    at.agree(at.emsp, at.cpo)
    [first] = at.emsp.get("hubclientinfo").data

    since = first["last_updated"]
    assert at.emsp.get("hubclientinfo", params={"date_from": since}).data == [first]
    at.agree(at.emsp, at.other_cpo)
    [later] = [each for each in at.emsp.get("hubclientinfo", params={"date_from": since}).data if each != first]
    assert later["party_id"] == at.other_cpo.party.party_id
    assert later["last_updated"] > since


def test_in_the_planned_view_a_party_without_agreement_is_planned_and_traffic_to_it_4003(planning: Market) -> None:
    at = planning
    newcomer = partner(CPO)
    with registered(at.hub, newcomer):
        assert told(at.emsp)[newcomer.party] == "PLANNED"
        answer = at.emsp.get("locations", to=newcomer.party)
        assert status(answer) == (200, 4003)
        assert not got(newcomer)
        assert newcomer.party not in named(at.newer_emsp)

        agreement = at.agree(at.emsp, newcomer)
        assert told(at.emsp)[newcomer.party] == "CONNECTED"
        assert status(at.emsp.get("locations", to=newcomer.party)) == (200, 1000)

        at.end(agreement)
        assert told(at.emsp)[newcomer.party] == "SUSPENDED", "who was shown once never is PLANNED again"
        assert told(at.other_cpo)[newcomer.party] == "PLANNED"
        assert status(at.emsp.get("locations", to=newcomer.party)) == (200, 4003)
        assert status(at.emsp.get("locations", to=new_party("XX"))) == (200, 4001)

        at.agree(at.emsp, newcomer)
        assert told(at.emsp)[newcomer.party] == "CONNECTED"
        newcomer.unregister()


def test_in_the_planned_view_nothing_is_sent_to_everybody_either(planning: Market) -> None:
    at = planning
    at.agree(at.cpo, at.emsp)

    assert status(pushed(at.cpo, to=HUB)) == (200, 1000)

    eventually(lambda: len(got(at.emsp)) == 1)
    assert not got(at.newer_emsp)
    assert at.cpo.get("tokens", to=HUB, params={"mark": new_id("mark")}).data == []


def test_roles_do_not_matter_for_an_agreement(at: Market) -> None:
    at.agree(at.cpo, at.other_cpo)

    assert told(at.cpo) == {at.other_cpo.party: "CONNECTED"}
    assert Role.CPO in at.other_cpo.parties[at.other_cpo.party]
    assert status(pushed(at.cpo, to=at.other_cpo.party)) == (200, 4000), "it has no such interface"
