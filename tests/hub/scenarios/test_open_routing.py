"""Messages that name no receiver, or only the hub. OCPI 2.2.1, "Message Routing", Open Routing Request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner
from routing.vocabulary import InterfaceRole, Party, Version
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.translated import made, new_id, status
from tests.partners import CPO, EMSP, location, partner, path_of, registered, token

HUB = Party("EU", "HUB")
NOBODY = Party("ZZ", "NUL")
V22, V221 = Version.V2_2, Version.V2_2_1


@pytest.fixture(scope="module")
def hub(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub of the module's own, on each kind of store."""
    with ForkedHub(tmp_path_factory.mktemp("hub"), {**stores._asdict(), "rate_limit": "off"}) as process:
        yield process


@pytest.fixture(scope="module")
def partners(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    """Those of the usual fixtures, at this hub."""
    with registered(hub, partner(CPO), partner(EMSP), partner(CPO), partner(EMSP)) as [cpo, emsp, cpo2, emsp2]:
        yield {"cpo": cpo, "emsp": emsp, "other_cpo": cpo2, "other_emsp": emsp2}


def start_session(one: Partner, location_id: str, **more: Any) -> Answer:  # noqa: ANN401 - fields of the command
    """START_SESSION at a Location, naming no receiver."""
    body = {"response_url": f"{one.base}/results/{new_id()}", "token": token(one.party), "location_id": location_id}
    return one.post("commands", "START_SESSION", json=body | more)


def cdr(cpo: Partner, card: Json | None, **fields: Any) -> Json:  # noqa: ANN401 - any JSON
    """A CDR of this CPO for this Token, in its version."""
    body = made(cpo.version, "CDR", cpo.party, id=new_id("CDR"), session_id=None, authorization_reference=None)
    body["cdr_token"] = (
        {"uid": "#NA", "type": "OTHER", "contract_id": "#NA"}
        if card is None
        else {name: card[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}
    )
    if cpo.version is V22:
        for name in ("country_code", "party_id"):
            body["cdr_token"].pop(name, None)
    return body | fields


def session(cpo: Partner, card: Json, session_id: str) -> Json:
    """A Session of this CPO for this Token."""
    body = made(cpo.version, "Session", cpo.party, id=session_id, authorization_reference=None)
    body["cdr_token"] = {name: card[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}
    return body


# --- Locations


def test_a_location_that_was_seen_before_is_read_without_naming_its_cpo(
    cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    place = location(cpo.party, new_id("LOC"))
    cpo.hold("locations", place)
    other_emsp.get("locations", place["id"], to=cpo.party)
    cpo.received.clear()

    answer = emsp.get("locations", place["id"])

    assert answer.data == place
    assert (answer.receiver, answer.sender) == (emsp.party, cpo.party)
    [request] = cpo.received
    assert (request.receiver, request.sender) == (cpo.party, emsp.party)


def test_a_single_location_asked_of_the_hub_is_read_at_its_cpo(cpo: Partner, emsp: Partner) -> None:
    place = location(cpo.party, new_id("LOC"))
    cpo.put("locations", path_of(cpo.party, place["id"]), to=emsp.party, json=place)
    cpo.hold("locations", place)

    answer = emsp.get("locations", place["id"], to=HUB)

    assert answer.data == place
    assert answer.sender == cpo.party


def test_a_location_nobody_has_heard_of_is_asked_of_none_of_several_cpos(
    cpo: Partner, other_cpo: Partner, emsp: Partner
) -> None:
    answer = emsp.get("locations", new_id("NEVER"))

    assert status(answer) == (200, 4001)
    assert (answer.receiver, answer.sender) == (emsp.party, HUB)
    assert not cpo.received
    assert not other_cpo.received


def test_a_get_on_a_receiver_interface_is_not_for_the_hub(cpo: Partner) -> None:
    answer = cpo.get("locations", path_of(cpo.party, "LOC1"), to=HUB, interface=InterfaceRole.RECEIVER)

    assert status(answer) == (200, 2001)


def test_a_location_id_of_two_cpos_is_told_apart_by_its_evse(cpo: Partner, other_cpo: Partner, emsp: Partner) -> None:
    location_id, evse_uid = new_id("LOC"), new_id("EVSE")
    for each in (cpo, other_cpo):
        place = location(each.party, location_id)
        each.put("locations", path_of(each.party, location_id), to=emsp.party, json=place)
    evse = {"uid": evse_uid, "status": "AVAILABLE", "connectors": [], "last_updated": "2026-11-22T08:00:00Z"}
    other_cpo.put("locations", path_of(other_cpo.party, location_id, evse_uid), to=emsp.party, json=evse)
    for each in (cpo, other_cpo):
        each.received.clear()

    assert status(start_session(emsp, location_id)) == (200, 4001)
    answer = start_session(emsp, location_id, evse_uid=evse_uid)

    other_cpo.settle()
    assert (answer.status_code, answer.sender) == (1000, other_cpo.party)
    assert not cpo.received


# --- commands and Sessions


def test_a_session_is_stopped_at_the_cpo_that_reported_it(cpo: Partner, emsp: Partner, other_emsp: Partner) -> None:
    card, session_id = token(emsp.party, new_id("UID")), new_id("S")
    cpo.put("sessions", path_of(cpo.party, session_id), to=emsp.party, json=session(cpo, card, session_id))
    cpo.received.clear()
    stop = {"response_url": f"{emsp.base}/results/1", "session_id": session_id}

    answer = emsp.post("commands", "STOP_SESSION", json=stop)

    assert (answer.status_code, answer.sender) == (1000, cpo.party)
    cpo.settle()
    stop["response_url"] = f"{other_emsp.base}/results/1"
    assert status(other_emsp.post("commands", "STOP_SESSION", json=stop)) == (200, 4001)


def test_a_session_follows_the_token_it_names(cpo: Partner, emsp: Partner, other_emsp: Partner) -> None:
    card, session_id = token(emsp.party, new_id("UID")), new_id("S")

    put = cpo.put("sessions", path_of(cpo.party, session_id), json=session(cpo, card, session_id))
    change = {"kwh": 3.5, "last_updated": "2026-11-22T09:00:00Z"}
    patched = cpo.patch("sessions", path_of(cpo.party, session_id), json=change)

    assert [(each.status_code, each.sender) for each in (put, patched)] == [(1000, emsp.party)] * 2
    assert [request.method for request in emsp.received] == ["PUT", "PATCH"]
    assert not other_emsp.received


def test_a_change_of_a_session_nobody_has_heard_of_is_not_found_so_that_it_is_put_instead(cpo: Partner) -> None:
    change = {"kwh": 3.5, "last_updated": "2026-11-22T09:00:00Z"}

    assert cpo.patch("sessions", path_of(cpo.party, new_id("S")), json=change).http_status == 404


# --- CDRs


@pytest.mark.parametrize("to", [None, HUB], ids=["to nobody", "to the hub"])
def test_a_cdr_goes_to_the_emsp_of_its_token_and_to_nobody_else(
    cpo: Partner, emsp: Partner, other_emsp: Partner, to: Party | None
) -> None:
    answer = cpo.post("cdrs", to=to, json=cdr(cpo, token(emsp.party, new_id("UID"))))

    assert (answer.status_code, answer.receiver, answer.sender) == (1000, cpo.party, emsp.party)
    assert len(emsp.received) == 1
    assert not other_emsp.received


def test_a_cdr_of_an_unknown_party_goes_to_nobody_even_when_somebody_has_that_uid(
    cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    card = token(emsp.party, new_id("UID"))
    emsp.put("tokens", path_of(emsp.party, card["uid"]), to=cpo.party, json=card)
    foreign = card | {"country_code": NOBODY.country_code, "party_id": NOBODY.party_id}

    answer = cpo.post("cdrs", json=cdr(cpo, foreign))

    assert status(answer) == (200, 4001)
    assert not emsp.received
    assert not other_emsp.received


def test_a_cdr_without_any_clue_goes_to_nobody(cpo: Partner, emsp: Partner) -> None:
    assert status(cpo.post("cdrs", json=cdr(cpo, None))) == (200, 4001)
    assert not emsp.received


def test_a_second_emsp_that_pushes_the_same_uid_takes_nothing_from_the_first(
    cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    uid = new_id("UID")
    for each in (emsp, other_emsp):
        each.put("tokens", path_of(each.party, uid), to=cpo.party, json=token(each.party, uid))

    answer = cpo.post("cdrs", json=cdr(cpo, token(emsp.party, uid)))

    assert (answer.status_code, answer.sender) == (1000, emsp.party)
    assert not other_emsp.received


def test_a_command_with_the_token_of_another_party_is_refused_and_teaches_nothing(
    cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    place, card = location(cpo.party, new_id("LOC")), token(emsp.party, new_id("UID"))
    cpo.put("locations", path_of(cpo.party, place["id"]), to=other_emsp.party, json=place)

    answer = start_session(other_emsp, place["id"], token=card)
    other_emsp.received.clear()
    own = {name: value for name, value in cdr(cpo, card).items() if name != "cdr_token"}
    own["cdr_token"] = {"uid": card["uid"], "type": "RFID", "contract_id": "#NA", "country_code": "", "party_id": ""}

    assert status(answer) == (200, 2001)
    assert status(cpo.post("cdrs", json=own)) == (200, 4001)
    assert not other_emsp.received


def test_a_cdr_of_2_2_whose_token_has_no_owner_reaches_the_emsp_that_pushed_the_token(
    hub: HubProcess, emsp: Partner, other_emsp: Partner
) -> None:
    with registered(hub, partner(CPO, V22)) as [cpo]:
        card = token(emsp.party, new_id("UID"))
        emsp.put("tokens", path_of(emsp.party, card["uid"]), to=cpo.party, json=card)

        answer = cpo.post("cdrs", json=cdr(cpo, card))

    assert (answer.status_code, answer.sender) == (1000, emsp.party)
    [request] = emsp.received
    named = request.json()["cdr_token"]
    assert (named["country_code"], named["party_id"]) == emsp.party
    assert not other_emsp.received


def test_a_token_without_a_type_in_the_url_is_what_its_body_says(cpo: Partner, emsp: Partner) -> None:
    card = token(emsp.party, new_id("UID")) | {"type": "APP_USER"}
    path = path_of(emsp.party, card["uid"])

    assert emsp.put("tokens", path, to=cpo.party, json=card).status_code == 1000
    assert emsp.put("tokens", path, to=cpo.party, json=card, params={"type": "RFID"}).status_code == 2001
    assert len(cpo.received) == 1


# --- what is learned


@pytest.fixture
def alone(store_urls: StoreUrls, tmp_path: Path) -> Iterator[HubProcess]:
    """A hub with no partners but the test's own, on each kind of store."""
    with ForkedHub(tmp_path, store_urls._asdict()) as process:
        yield process


def test_the_only_cpo_gets_what_could_be_for_nobody_else_until_there_is_a_second(alone: HubProcess) -> None:
    with registered(alone, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        answer = start_session(emsp, new_id("NEVER"))
        cpo.settle()
        assert (answer.status_code, answer.sender) == (1000, cpo.party)

        with registered(alone, partner(CPO)) as [second]:
            assert status(start_session(emsp, new_id("NEVER"))) == (200, 4001)
            assert not second.received


def test_what_was_learned_holds_after_a_restart_and_without_it_only_direct_messages_arrive(alone: HubProcess) -> None:
    with registered(alone, partner(CPO), partner(CPO), partner(EMSP)) as [cpo, other, emsp]:
        place = location(cpo.party, new_id("LOC"))
        cpo.hold("locations", place)
        emsp.get("locations", place["id"], to=cpo.party)
        alone.stop()
        alone.start()

        assert emsp.get("locations", place["id"]).sender == cpo.party
        assert emsp.get("locations", new_id("NEVER"), to=cpo.party).http_status == 404
        assert status(emsp.get("locations", new_id("NEVER"))) == (200, 4001)
        assert not other.received
