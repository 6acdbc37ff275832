"""What cannot be said in the receiver's version: the hub answers, with the rule in front, and nothing is forwarded."""

from __future__ import annotations

from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner
from loadtests.simulator.stations import cards, cdr, charging_network, session, tariff
from routing.vocabulary import Role, Version
from tests.hub.scenarios.translated import (
    RECEIVER,
    SENDER,
    V22,
    V211,
    V221,
    V230,
    Both,
    Everyone,
    between,
    new_id,
    path_of,
    seeded,
    status,
)
from tests.partners import CPO, new_party, registered
from tests.partners import partner as partner_of

NEWER = [V22, V221, V230]
newer = pytest.mark.parametrize("version", NEWER)


def refused(answer: Answer, rule: str) -> tuple[int, int]:
    """Both statuses of a refusal by this rule."""
    assert (answer.envelope.status_message or "").startswith(f"{rule}: "), answer.body
    assert "data" not in answer.json()
    return status(answer)


def place_of(cpo: Partner, *standards: str) -> Json:
    """A location the hub has never heard of, with one EVSE that has connectors of these standards."""
    place = charging_network(cpo.party, cpo.version, stations=1).locations[0]
    evse = place["evses"][0]
    connectors = [evse["connectors"][0] | {"id": str(n), "standard": each} for n, each in enumerate(standards, start=1)]
    return place | {"id": new_id("LOC"), "evses": [evse | {"connectors": connectors or evse["connectors"]}]}


def push(both: Both, module: str, body: Json, *ids: str, method: str = "PUT", **options: Any) -> Answer:  # noqa: ANN401 - as for start
    path = path_of(both.cpo.party, *ids)
    return both.cpo.start(method, module, path, to=both.emsp.party, json=body, **options).result()


# --- locations


@newer
def test_a_location_that_is_not_published_does_not_reach_2_1_1(everyone: Everyone, version: Version) -> None:
    both = between(everyone, version, V211)
    place = place_of(both.cpo) | {"publish": False}
    evse = place["evses"][0]
    where = place["id"], evse["uid"]

    assert refused(push(both, "locations", place, place["id"]), "RF-03") == (200, 4000)
    assert refused(push(both, "locations", evse, *where), "RF-03") == (200, 4000)
    change = {"status": "CHARGING", "last_updated": "2026-11-22T10:00:00Z"}
    assert refused(push(both, "locations", change, *where, method="PATCH"), "RF-03") == (200, 4000)
    assert not both.emsp.received


@newer
def test_a_location_that_is_not_published_does_not_exist_for_2_1_1(everyone: Everyone, version: Version) -> None:
    both = between(everyone, version, V211)
    place = place_of(both.cpo) | {"publish": False}
    both.cpo.hold("locations", place)

    answer = both.emsp.get("locations", place["id"], to=both.cpo.party)

    assert status(answer) == (404, 2003)
    assert place["address"] not in answer.body.decode()


@newer
def test_a_location_that_was_shown_goes_from_2_1_1_when_it_is_no_longer_published(
    everyone: Everyone, version: Version
) -> None:
    both = between(everyone, version, V211)
    place = place_of(both.cpo)
    both.cpo.hold("locations", place)
    assert status(push(both, "locations", place, place["id"])) == (200, 1000)
    both.emsp.received.clear()

    change = {"publish": False, "last_updated": "2026-11-22T10:00:00Z"}
    answer = push(both, "locations", change, place["id"], method="PATCH")

    assert status(answer) == (200, 1000)
    [received] = both.emsp.received
    assert received.method == "PUT"
    assert {each["status"] for each in received.json()["evses"]} == {"REMOVED"}


@pytest.mark.parametrize(
    ("here", "there", "standard", "rule"),
    [
        (V221, V211, "CHAOJI", "RF-04"),
        (V221, V22, "CHAOJI", "M-35"),
        (V230, V221, "MCS", "M-35"),
        (V230, V22, "MCS", "M-35"),
        (V230, V211, "PANTOGRAPH_TOP_DOWN", "RF-04"),
    ],
)
def test_an_evse_of_connectors_without_a_name_is_refused(
    everyone: Everyone, here: Version, there: Version, standard: str, rule: str
) -> None:
    both = between(everyone, here, there)
    place = place_of(both.cpo, standard)
    evse = place["evses"][0]
    ids = place["id"], evse["uid"], evse["connectors"][0]["id"]

    assert refused(push(both, "locations", evse, *ids[:2]), rule) == (200, 4000)
    assert refused(push(both, "locations", evse["connectors"][0], *ids), rule) == (200, 4000)
    change = {"standard": standard, "last_updated": "2026-11-22T10:00:00Z"}
    assert refused(push(both, "locations", change, *ids, method="PATCH"), rule) == (200, 4000)
    assert not both.emsp.received


@pytest.mark.parametrize(
    ("here", "there", "standard"), [(V221, V211, "CHAOJI"), (V221, V22, "GBT_AC"), (V230, V221, "MCS")]
)
def test_a_location_arrives_without_the_connectors_that_have_no_name(
    everyone: Everyone, here: Version, there: Version, standard: str
) -> None:
    both = between(everyone, here, there)
    for standards, left in (([standard, "CHADEMO"], [["CHADEMO"]]), ([standard], [])):
        place = place_of(both.cpo, *standards)

        assert status(push(both, "locations", place, place["id"])) == (200, 1000)
        found = both.emsp.received[-1].json()["evses"]
        assert [[each["standard"] for each in evse["connectors"]] for evse in found] == left


@pytest.mark.parametrize("version", [V22, V221, V230])
def test_an_id_that_is_too_long_for_later_versions_is_refused_to_2_1_1(everyone: Everyone, version: Version) -> None:
    both = between(everyone, V211, version)
    place = place_of(both.cpo) | {"id": "L" * 39}

    assert refused(push(both, "locations", place, place["id"]), "RF-01") == (200, 3000)
    assert not both.emsp.received


# --- what 2.1.1 does not have


@newer
def test_2_1_1_has_no_charging_preferences(everyone: Everyone, version: Version) -> None:
    both = between(everyone, V211, version)

    answer = both.emsp.put(
        "sessions", "S1/charging_preferences", to=both.cpo.party, json={"profile_type": "GREEN"}, interface=SENDER
    )

    assert refused(answer, "RF-07") == (404, 2001)
    assert not both.cpo.received


@newer
def test_2_1_1_has_no_charging_profiles(everyone: Everyone, version: Version) -> None:
    both = between(everyone, V211, version)
    url = both.emsp.url("chargingprofiles", SENDER, "result")
    profile = {"charging_profile": {"charging_rate_unit": "W"}, "response_url": url}
    query = {"response_url": url, "duration": "900"}

    answers = [
        both.emsp.get("chargingprofiles", "S1", to=both.cpo.party, params=query, interface=RECEIVER),
        both.emsp.put("chargingprofiles", "S1", to=both.cpo.party, json=profile, interface=RECEIVER),
        both.emsp.delete("chargingprofiles", "S1", to=both.cpo.party, params=query, interface=RECEIVER),
    ]

    assert [(status(each), each.data) for each in answers] == [
        ((200, 1000), {"result": "NOT_SUPPORTED", "timeout": 0})
    ] * 3
    assert not both.cpo.received


@newer
def test_2_1_1_gets_no_charging_profiles_either(everyone: Everyone, version: Version) -> None:
    both = between(everyone, version, V211)
    profile = {"start_date_time": "2026-11-22T10:00:00Z", "charging_profile": {"charging_rate_unit": "W"}}

    answer = both.cpo.put("chargingprofiles", "S1", to=both.emsp.party, json=profile, interface=SENDER)

    assert refused(answer, "RF-09") == (200, 4000)
    assert not both.emsp.received


@newer
def test_2_1_1_cancels_no_reservations(everyone: Everyone, version: Version) -> None:
    both = between(everyone, V211, version)
    body = {"response_url": both.emsp.url("commands", SENDER, "1"), "reservation_id": "R1"}

    answer = both.emsp.post("commands", "CANCEL_RESERVATION", to=both.cpo.party, json=body)

    assert status(answer) == (200, 1000)
    [message] = answer.data["message"]
    assert answer.data == {"result": "NOT_SUPPORTED", "timeout": 0, "message": [message]}
    assert message["text"].startswith("RF-10: ")
    assert not both.cpo.received


@pytest.mark.parametrize("version", [V211, V22, V221])
def test_commands_beyond_those_of_older_versions_are_not_supported_there(everyone: Everyone, version: Version) -> None:
    both = between(everyone, version, V230)
    body = {"response_url": both.emsp.url("commands", SENDER, "1")}

    answer = both.emsp.post("commands", "OPEN_THE_BARRIER", to=both.cpo.party, json=body)

    assert (status(answer), answer.data) == ((200, 1000), {"result": "NOT_SUPPORTED", "timeout": 0})
    assert not both.cpo.received


def test_later_versions_patch_no_tariffs(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)

    answer = push(both, "tariffs", {"currency": "EUR"}, "T1", method="PATCH")

    assert status(answer) == (405, 2000)
    assert not both.emsp.received


# --- cards


@newer
def test_another_card_of_one_uid_does_not_take_the_place_of_the_first_in_2_1_1(
    everyone: Everyone, version: Version
) -> None:
    both = between(everyone, V211, version)
    card = cards(both.emsp.party, version, count=1)[0] | {"uid": new_id("UID"), "type": "RFID", "valid": False}
    path = path_of(both.emsp.party, card["uid"])
    to: Any = {"to": both.cpo.party}
    assert status(both.emsp.put("tokens", path, json=card, **to)) == (200, 1000)
    both.cpo.received.clear()
    app = card | {"type": "APP_USER", "valid": True}
    change = {"valid": True, "last_updated": "2026-11-22T10:00:00Z"}
    options: Any = {"params": {"type": "APP_USER"}, **to}

    assert refused(both.emsp.put("tokens", path, json=app, **options), "RF-12") == (200, 4000)
    assert refused(both.emsp.patch("tokens", path, json=change, **options), "RF-12") == (200, 4000)
    assert refused(both.emsp.get("tokens", path, interface=RECEIVER, **options), "RF-12") == (404, 4000)
    assert not both.cpo.received
    assert status(both.emsp.patch("tokens", path, json=change, **to)) == (200, 1000)


# --- prices, and whose card it was


BAD_PRICES: list[tuple[Version, Version, Any]] = [
    (V230, V221, {"before_taxes": "1.00"}),
    (V230, V22, {"taxes": []}),
    (V230, V221, {"before_taxes": 1, "taxes": [{"amount": "x"}]}),
    (V221, V230, {"excl_vat": "1.00"}),
    (V22, V230, {"incl_vat": 5}),
]


@pytest.mark.parametrize(("here", "there", "price"), BAD_PRICES)
def test_an_amount_that_cannot_be_read_is_the_senders_fault(
    everyone: Everyone,
    here: Version,
    there: Version,
    price: Any,  # noqa: ANN401 - any JSON
) -> None:
    both = between(everyone, here, there)
    where = charging_network(both.cpo.party, here, stations=1).locations[0]
    card = cards(both.emsp.party, here, count=1)[0]
    under_way = session(here, new_id("S"), where, card) | {"total_cost": price}
    record = cdr(here, new_id("CDR"), where, card, tariff(both.cpo.party, here, "T1", seeded())) | {"total_cost": price}

    assert refused(push(both, "sessions", under_way, under_way["id"]), "M-03") == (200, 2001)
    change = {"total_cost": price, "last_updated": "2026-11-22T10:00:00Z"}
    assert refused(push(both, "sessions", change, under_way["id"], method="PATCH"), "M-03") == (200, 2001)
    assert refused(both.cpo.post("cdrs", to=both.emsp.party, json=record), "M-03") == (200, 2001)
    assert not both.emsp.received


@newer
def test_a_session_of_2_1_1_without_a_place_is_the_senders_fault(everyone: Everyone, version: Version) -> None:
    both = between(everyone, V211, version)
    where = charging_network(both.cpo.party, V211, stations=1).locations[0]
    under_way = session(V211, new_id("S"), where, cards(both.emsp.party, V211, count=1)[0])
    del under_way["location"]

    assert refused(push(both, "sessions", under_way, under_way["id"]), "RF-02") == (200, 2001)
    assert not both.emsp.received


@pytest.mark.parametrize("version", [V221, V230])
def test_a_card_of_2_2_needs_an_emsp_whose_it_can_be(hub: HubProcess, everyone: Everyone, version: Version) -> None:
    grid = Partner("grid", {new_party(): [Role.SCSP]}, version=version)
    cpo = between(everyone, V22, V22).cpo
    with registered(hub, grid):
        both = Both(cpo, grid)
        where = charging_network(cpo.party, V22, stations=1).locations[0]
        card = cards(everyone[Role.EMSP, V22].party, V22, count=1)[0] | {"uid": new_id("UID")}
        known = session(V22, new_id("S"), where, card)
        assert status(push(both, "sessions", known, known["id"])) == (200, 1000)
        token = grid.received[0].json()["cdr_token"]
        assert (token["country_code"], token["party_id"]) == everyone[Role.EMSP, V22].party
        grid.received.clear()
        under_way = session(V22, new_id("S"), where, card | {"contract_id": "XXNOBC00000001"})

        assert refused(push(both, "sessions", under_way, under_way["id"]), "M-81") == (200, 4000)
        assert not grid.received


def test_a_module_the_receiver_lacks_is_3000_for_2_1_1(hub: HubProcess, everyone: Everyone) -> None:
    few = Partner("few", {new_party(): [Role.EMSP]}, modules={("tokens", SENDER), ("locations", RECEIVER)})
    both = between(everyone, V211, V221)._replace(emsp=few)
    with registered(hub, few):
        answer = push(both, "tariffs", {"id": "T1"}, "T1")

    assert status(answer) == (200, 3000)
    assert (answer.envelope.status_message or "").startswith("[4000] ")


def test_modules_of_2_3_0_do_not_reach_older_versions(hub: HubProcess, everyone: Everyone) -> None:
    newest = partner_of(CPO, V230)
    newest.modules = frozenset(
        {("locations", SENDER), ("invoicereconciliation", SENDER), ("invoicereconciliation", RECEIVER)}
    )
    with registered(hub, newest):
        emsp = between(everyone, V221, V221).emsp
        answer = newest.post("invoicereconciliation", to=emsp.party, json={"id": "I1"}, interface=RECEIVER)

    assert status(answer) == (200, 4000)
    assert not emsp.received
