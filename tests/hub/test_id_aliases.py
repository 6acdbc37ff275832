from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner, envelope
from loadtests.simulator.stations import cards, cdr, charging_network, session
from routing.translation.identifiers import alias_of
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.hub.failures.waiting import eventually
from tests.partners import CPO, EMSP, new_party, partner, path_of, registered, token

RECEIVER, SENDER = InterfaceRole.RECEIVER, InterfaceRole.SENDER
LONG_ID = "STATION-AT-THE-VERY-LONG-QUAY-NUMBER-1"
LONG_UID = "EVSE-AT-THE-VERY-LONG-QUAY-NUMBER-0001"


@contextmanager
def older(hub: HubProcess, roles: list[Role], **settings: Any) -> Iterator[Partner]:  # noqa: ANN401 - any setting
    """A partner of 2.1.1 that says for whom its messages are."""
    party = new_party("NL" if Role.CPO in roles else "DE")
    one = Partner(f"2.1.1 {party}", {party: roles}, version=Version.V2_1_1, routing_headers_211=True)
    with one.running():
        platform_id = hub.operator.registered(one)
        hub.operator.change(platform_id, routing_headers_211=True, **settings)
        one.received.clear()
        yield one


@pytest.fixture
def older_cpo(hub: HubProcess) -> Iterator[Partner]:
    """A CPO of 2.1.1 with ids that are too long for later versions, which agreed to aliases."""
    with older(hub, CPO, id_alias=True) as one:
        yield one


def place(owner: Party) -> Json:
    """A Location of 2.1.1 whose id and EVSE have 38 characters."""
    found = charging_network(owner, Version.V2_1_1, stations=1).locations[0] | {"id": LONG_ID}
    found["evses"] = [found["evses"][0] | {"uid": LONG_UID}]
    return found


def pushed(cpo: Partner, emsp: Partner) -> Json:
    """What the CPO pushed, and the eMSP took."""
    location = place(cpo.party)
    answer = cpo.put("locations", path_of(cpo.party, LONG_ID), to=emsp.party, json=location)
    assert answer.status_code == 1000, answer.body
    return location


def test_a_location_arrives_under_an_alias_and_its_owner_reads_it_under_its_own_ids(
    older_cpo: Partner, emsp: Partner
) -> None:
    location = pushed(older_cpo, emsp)

    arrived = emsp.received[-1]
    assert arrived.place.path == (*older_cpo.party, alias_of(LONG_ID))
    assert arrived.json()["id"] == alias_of(LONG_ID)
    assert arrived.json()["evses"][0]["uid"] == alias_of(LONG_UID)
    where = path_of(older_cpo.party, LONG_ID)
    read = older_cpo.get("locations", where, to=emsp.party, interface=RECEIVER)
    assert read.data["id"] == LONG_ID
    assert read.data["evses"][0]["uid"] == LONG_UID
    part = older_cpo.get("locations", f"{where}/{LONG_UID}", to=emsp.party, interface=RECEIVER)
    assert part.data["uid"] == LONG_UID
    assert part.data["connectors"] == location["evses"][0]["connectors"]


def test_a_change_of_an_evse_finds_it_under_its_alias(older_cpo: Partner, emsp: Partner) -> None:
    pushed(older_cpo, emsp)

    where = path_of(older_cpo.party, LONG_ID, LONG_UID)
    answer = older_cpo.patch("locations", where, to=emsp.party, json={"status": "BLOCKED"})

    assert answer.status_code == 1000
    assert emsp.received[-1].place.path[2:] == (alias_of(LONG_ID), alias_of(LONG_UID))
    [location] = emsp.shelf.pushed["locations"].values()
    assert [evse["status"] for evse in location["evses"]] == ["BLOCKED"]


def test_a_reader_finds_a_location_and_its_evse_by_their_aliases(older_cpo: Partner, emsp: Partner) -> None:
    older_cpo.hold("locations", place(older_cpo.party))
    [listed] = emsp.get("locations", to=older_cpo.party).data
    assert (listed["id"], listed["evses"][0]["uid"]) == (alias_of(LONG_ID), alias_of(LONG_UID))

    one = emsp.get("locations", listed["id"], to=older_cpo.party)
    evse = emsp.get("locations", f"{listed['id']}/{listed['evses'][0]['uid'].lower()}", to=older_cpo.party)

    assert one.data == listed
    assert evse.data == listed["evses"][0]
    assert [asked.place.path for asked in older_cpo.received.of("locations")] == [(), (LONG_ID,), (LONG_ID, LONG_UID)]


@pytest.mark.parametrize("command", ["START_SESSION", "RESERVE_NOW", "UNLOCK_CONNECTOR"])
def test_a_command_for_an_alias_reaches_its_owner_with_its_own_ids(
    older_cpo: Partner, emsp: Partner, command: str
) -> None:
    pushed(older_cpo, emsp)
    body = {
        "response_url": f"{emsp.base}/results/1",
        "token": token(emsp.party),
        "location_id": alias_of(LONG_ID),
        "evse_uid": alias_of(LONG_UID),
        "connector_id": "1",
        "reservation_id": "7",
        "expiry_date": "2030-01-01T00:00:00Z",
    }

    assert emsp.post("commands", command, to=older_cpo.party, json=body).data["result"] == "ACCEPTED"

    arrived = older_cpo.received.of("commands")[-1].json()
    assert (arrived["location_id"], arrived["evse_uid"]) == (LONG_ID, LONG_UID)
    older_cpo.settle()


def test_a_session_is_read_back_with_the_ids_of_its_owner(older_cpo: Partner, emsp: Partner) -> None:
    card = cards(emsp.party, Version.V2_1_1, count=1)[0]
    known = {**cards(emsp.party, Version.V2_2_1, count=1)[0], "valid": True}
    assert emsp.put("tokens", path_of(emsp.party, known["uid"]), to=older_cpo.party, json=known).status_code == 1000
    location = pushed(older_cpo, emsp)
    where = path_of(older_cpo.party, "S1")

    under_way = session(Version.V2_1_1, "S1", location, card)
    assert older_cpo.put("sessions", where, to=emsp.party, json=under_way).status_code == 1000

    held = emsp.received.of("sessions")[-1].json()
    assert (held["location_id"], held["evse_uid"]) == (alias_of(LONG_ID), alias_of(LONG_UID))
    read = older_cpo.get("sessions", where, to=emsp.party, interface=RECEIVER).data["location"]
    assert (read["id"], read["evses"][0]["uid"]) == (LONG_ID, LONG_UID)
    assert read["city"] == location["city"]


def test_an_authorization_for_an_alias_names_the_ids_of_the_owner(older_cpo: Partner, emsp: Partner) -> None:
    there = {"location_id": alias_of(LONG_ID), "evse_uids": [alias_of(LONG_UID), "another"]}
    emsp.answers_next(envelope({"allowed": "ALLOWED", "token": token(emsp.party), "location": there}), module="tokens")
    asked = {"location_id": LONG_ID, "evse_uids": [LONG_UID]}

    answer = older_cpo.post("tokens", "0102030405/authorize", to=emsp.party, json=asked)

    assert emsp.received[-1].json() == there | {"evse_uids": [alias_of(LONG_UID)]}
    assert answer.data["location"] == {"location_id": LONG_ID, "evse_uids": [LONG_UID, "another"]}


def test_a_cdr_with_a_long_id_is_read_again_under_it(hub: HubProcess, cpo: Partner) -> None:
    network = charging_network(cpo.party, Version.V2_2_1, stations=1)
    with older(hub, EMSP, id_alias=True) as emsp:
        card = cards(emsp.party, Version.V2_2_1, count=1)[0]
        bill = cdr(Version.V2_2_1, f"CDR-{LONG_UID[:35]}", network.locations[0], card, network.tariffs[0])

        posted = cpo.post("cdrs", to=emsp.party, json=bill)
        assert posted.status_code == 1000, posted.body
        assert emsp.received[-1].json()["id"] == alias_of(bill["id"])
        location = posted.header("location")
        assert location is not None
        emsp.answers_next(envelope(emsp.received[-1].json()), module="cdrs", method="GET")
        read = cpo.get(location, to=emsp.party)

        assert read.data["id"] == bill["id"]
        assert len(bill["id"]) == 39


def test_a_path_with_a_long_id_is_refused_without_aliases(hub: HubProcess, emsp: Partner) -> None:
    with older(hub, CPO) as cpo:
        where = path_of(cpo.party, "EVSE-IN-A-PLACE", LONG_UID)
        answer = cpo.patch("locations", where, to=emsp.party, json={"status": "BLOCKED"})

    assert answer.status_code == 3000
    assert "RF-01: evse_uid has 38 characters" in str(answer.envelope.status_message)
    assert not emsp.received


def test_what_only_looks_like_an_alias_arrives_as_it_is(older_cpo: Partner, emsp: Partner) -> None:
    pushed(older_cpo, emsp)

    emsp.get("locations", alias_of("L" * 39), to=older_cpo.party)

    assert older_cpo.received[-1].place.path == (alias_of("L" * 39),)


def test_aliases_outlive_a_restart(hub_on_each_store: HubProcess) -> None:
    hub = hub_on_each_store
    with older(hub, CPO, id_alias=True) as cpo, registered(hub, partner(EMSP)) as [emsp]:
        pushed(cpo, emsp)
        cpo.hold("locations", place(cpo.party))

        hub.stop()
        hub.start()

        # What the store does not say in half a second the hub does without.
        eventually(lambda: emsp.get("locations", alias_of(LONG_ID), to=cpo.party).status_code == 1000)
        assert cpo.received[-1].place.path == (LONG_ID,)
