"""CDRs and tariffs between versions: a posted CDR read back, a PATCH that one version lacks, what must not stay.

OCPI 2.1.1 and 2.2.1, "CDRs" and "Tariffs".
"""

from __future__ import annotations

import time
from itertools import permutations

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from loadtests.simulator.stations import cards, cdr, charging_network, tariff
from routing.vocabulary import Role, Version
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.translated import (
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
from tests.ocpi import check
from tests.partners import new_party, registered

FACES = {V211: "2.1.1/emsp", V22: "2.2/receiver", V221: "2.2.1/receiver", V230: "2.3.0/receiver"}
journeys = pytest.mark.parametrize(
    ("cpo_version", "emsp_version"), [pytest.param(*each, id=" to ".join(each)) for each in permutations(Version, 2)]
)


def problems(version: Version, name: str, value: object) -> list[str]:
    return [str(each) for each in check(version, name, value) if version is not V211 or each.kind != "charset"]


def cdr_of(both: Both, **fields: object) -> Json:
    """A CDR of the CPO for a session the hub has never heard of."""
    version = both.cpo.version
    where = charging_network(both.cpo.party, version, stations=1).locations[0]
    where["evses"] = where["evses"][:1]
    card = cards(both.emsp.party, version, count=1)[0] | {"uid": new_id("UID")}
    return cdr(version, new_id("CDR"), where, card, tariff_of(both)) | fields


def tariff_of(both: Both) -> Json:
    return tariff(both.cpo.party, both.cpo.version, new_id("TARIFF"), seeded())


# --- CDRs


@journeys
def test_a_posted_cdr_is_read_again_in_the_version_of_who_posted_it(
    hub: HubProcess, everyone: Everyone, cpo_version: Version, emsp_version: Version
) -> None:
    both = between(everyone, cpo_version, emsp_version)
    body = cdr_of(both)

    posted = both.cpo.post("cdrs", to=both.emsp.party, json=body)

    assert status(posted) == (201, 1000)
    received = both.emsp.received[0].json()
    assert problems(emsp_version, "CDR", received) == []
    url = posted.header("location") or ""
    assert url.startswith(f"{hub.url}/ocpi/{FACES[cpo_version]}/cdrs/")
    read = both.cpo.get(url)
    assert status(read) == (200, 1000)
    assert both.emsp.received[-1].raw_path.endswith(f"/{body['id']}")
    assert problems(cpo_version, "CDR", read.data) == []
    for name in ("id", "currency", "total_energy", "total_cost", "start_date_time", "last_updated"):
        if name != "total_cost" or V211 not in (cpo_version, emsp_version):
            assert read.data[name] == body[name], name
    if cpo_version is not V211:
        assert (read.data["country_code"], read.data["party_id"]) == both.cpo.party
        assert read.data["cdr_token"]["contract_id"] == body["cdr_token"]["contract_id"]


def test_only_who_posted_a_cdr_reads_it_in_whatever_version(everyone: Everyone) -> None:
    both = between(everyone, V211, V230)
    url = both.cpo.post("cdrs", to=both.emsp.party, json=cdr_of(both)).header("location") or ""

    for stranger in (both.emsp, between(everyone, V221, V22).cpo):
        assert stranger.get(url).http_status in (401, 404)


def credit_of(record: Json) -> Json:
    return record | {"id": new_id("CREDIT"), "credit": True, "credit_reference_id": record["id"]}


@pytest.mark.parametrize("version", [V22, V221, V230])
def test_after_a_credit_that_2_1_1_cannot_express_its_correction_is_held_back(
    everyone: Everyone, version: Version
) -> None:
    both = between(everyone, version, V211)
    record = cdr_of(both, session_id=new_id("S"))
    credit = (
        credit_of(record)
        if version is not V22
        else record | {"id": new_id("CREDIT"), "credit": True, "credit_reference_id": record["id"]}
    )

    said = [
        both.cpo.post("cdrs", to=both.emsp.party, json=each)
        for each in (record, credit, record | {"id": new_id("CDR")}, record, cdr_of(both))
    ]

    assert [status(each) for each in said] == [(201, 1000), (200, 4000), (200, 4000), (201, 1000), (201, 1000)]
    messages = [(each.envelope.status_message or "")[:6] for each in said]
    assert messages == ["", "RF-05:", "RF-18:", "", ""]
    assert len(both.emsp.received) == 3


def test_a_credit_reaches_2_1_1_as_a_negative_total_where_that_was_agreed(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    record = cdr_of(both)
    platform_id = platform_of(hub, both.emsp)
    hub.operator.change(platform_id, credit_as_negative=True, routing_headers_211=True)

    answer = both.cpo.post("cdrs", to=both.emsp.party, json=credit_of(record) | {"total_cost": {"excl_vat": -7.17}})

    hub.operator.change(platform_id, credit_as_negative=False, routing_headers_211=True)
    assert status(answer) == (201, 1000)
    assert both.emsp.received[0].json()["total_cost"] == -7.17


def test_a_cdr_is_read_again_by_a_cpo_that_has_moved_to_another_version(hub: HubProcess, everyone: Everyone) -> None:
    emsp = between(everyone, V221, V211).emsp
    cpo = Partner("mover", {new_party(): [Role.CPO]}, versions=[V221, V230])
    with registered(hub, cpo):
        body = cdr_of(both := Both(cpo, emsp))
        url = both.cpo.post("cdrs", to=emsp.party, json=body).header("location") or ""
        cpo.update(V230)
        read = cpo.get(url.replace("/2.2.1/", "/2.3.0/"))
        posted_again = cpo.post("cdrs", to=emsp.party, json=cdr_of(both))

    assert status(posted_again) == (201, 1000)
    assert status(read) == (200, 1000)
    assert problems(V230, "CDR", read.data) == []


def test_what_was_held_back_and_what_was_shown_is_remembered_by_the_next_process(
    hub: HubProcess, everyone: Everyone
) -> None:
    both = between(everyone, V221, V211)
    record, price = cdr_of(both, session_id=new_id("S")), tariff_of(both)
    pushed(both, price)
    both.cpo.post("cdrs", to=both.emsp.party, json=credit_of(record))

    hub.stop()
    hub.start()

    correction = both.cpo.post("cdrs", to=both.emsp.party, json=record | {"id": new_id("CDR")})
    assert (correction.envelope.status_message or "").startswith("RF-18: ")
    pushed(both, price | {"elements": [{**price["elements"][0], "restrictions": {"max_current": 16}}]})
    assert [request.method for request in both.emsp.received] == ["PUT", "DELETE"]


# --- tariffs


def pushed(both: Both, body: Json) -> Answer:
    return both.cpo.put("tariffs", path_of(both.cpo.party, body["id"]), to=both.emsp.party, json=body)


@pytest.mark.parametrize("version", [V22, V221, V230])
@pytest.mark.parametrize("pushed_before", [True, False], ids=["pushed before", "in the list only"])
def test_a_patch_of_a_tariff_becomes_a_put_of_the_whole_one(
    everyone: Everyone, version: Version, pushed_before: bool
) -> None:
    both = between(everyone, V211, version)
    price = tariff_of(both)
    both.cpo.interfaces.page_size = 2
    both.cpo.hold("tariffs", *(tariff_of(both) for _ in range(3)), price)
    if pushed_before:
        assert status(pushed(both, price)) == (200, 1000)
        both.emsp.received.clear()
    change = {"currency": "GBP", "last_updated": "2026-11-22T10:00:00Z"}
    both.emsp.answers_next(Behaviour(edit=lambda answer: Answer(201, answer.headers, answer.body)))

    answer = both.cpo.patch("tariffs", path_of(both.cpo.party, price["id"]), to=both.emsp.party, json=change)

    assert status(answer) == (200, 1000)
    [received] = both.emsp.received
    assert received.method == "PUT"
    assert problems(version, "Tariff", received.json()) == []
    assert {**received.json(), **change} == received.json()
    assert received.json()["tariff_alt_text"] == price["tariff_alt_text"]
    assert [request.params.get("offset") for request in both.cpo.received] == ([] if pushed_before else [None, "2"])


def test_a_patch_of_a_tariff_nobody_knows_is_answered_so_that_a_put_follows(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)

    answer = both.cpo.patch(
        "tariffs", path_of(both.cpo.party, new_id("T")), to=both.emsp.party, json={"currency": "EUR"}
    )

    assert status(answer) == (404, 2000)
    assert (answer.envelope.status_message or "").startswith("RF-11: ")
    assert not both.emsp.received


def test_a_tariff_that_was_deleted_is_no_base_for_a_patch_any_more(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    price = tariff_of(both)
    path = path_of(both.cpo.party, price["id"])
    both.cpo.put("tariffs", path, to=both.emsp.party, json=price)
    patched = both.cpo.patch("tariffs", path, to=both.emsp.party, json={"currency": "SEK"})
    both.cpo.start("DELETE", "tariffs", path, to=both.emsp.party).result()

    answer = both.cpo.patch("tariffs", path, to=both.emsp.party, json={"currency": "NOK"})

    assert (status(patched), status(answer)) == ((200, 1000), (404, 2000))
    assert [request.method for request in both.emsp.received] == ["PUT", "PUT", "DELETE"]


def test_a_list_that_never_ends_does_not_hold_up_a_patch(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    endless = f'<{both.cpo.base}/2.1.1/tariffs>; rel="next"'
    page = envelope([tariff_of(both)], headers={"link": endless})
    both.cpo.answers_next(Behaviour(answer=page, delay_s=0.25), times=100)
    hub.operator.change(platform_of(hub, both.emsp), timeout_s=2)
    began = time.monotonic()

    answer = both.cpo.patch(
        "tariffs", path_of(both.cpo.party, new_id("T")), to=both.emsp.party, json={"currency": "EUR"}
    )

    hub.operator.change(platform_of(hub, both.emsp), timeout_s=None)
    assert status(answer) == (404, 2000)
    assert time.monotonic() - began < 6, "and not the 25 s that its pages take"


@pytest.mark.parametrize("version", [V22, V221, V230])
def test_a_tariff_that_can_no_longer_be_said_is_withdrawn_where_it_was_shown(
    everyone: Everyone, version: Version
) -> None:
    both = between(everyone, version, V211)
    price = tariff_of(both)
    restricted = price | {"elements": [{**price["elements"][0], "restrictions": {"max_current": 16}}]}

    never_shown = pushed(both, restricted)
    assert (status(never_shown), len(both.emsp.received)) == ((200, 4000), 0)
    assert status(pushed(both, price)) == (200, 1000)
    answer = pushed(both, restricted)

    assert status(answer) == (200, 4000)
    assert (answer.envelope.status_message or "").startswith("RF-06: ")
    shown, withdrawn = both.emsp.received
    assert (withdrawn.method, withdrawn.raw_path, withdrawn.body) == ("DELETE", shown.raw_path, b"")
    assert withdrawn.header("x-correlation-id") == answer.header("x-correlation-id")
    assert withdrawn.header("content-type") is None


def test_a_tariff_that_cannot_be_withdrawn_is_refused_all_the_same(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    price = tariff_of(both)
    pushed(both, price)
    with both.emsp.port_closed():
        answer = pushed(both, price | {"elements": [{**price["elements"][0], "restrictions": {"max_current": 16}}]})

    assert status(answer) == (200, 4000)
    assert (answer.envelope.status_message or "").startswith("RF-06: ")


def test_a_tariff_is_deleted_in_every_version(everyone: Everyone) -> None:
    for cpo_version, emsp_version in permutations(Version, 2):
        both = between(everyone, cpo_version, emsp_version)
        price = tariff_of(both)
        pushed(both, price)

        answer = both.cpo.delete("tariffs", path_of(both.cpo.party, price["id"]), to=both.emsp.party)

        assert status(answer) == (200, 1000)
        assert both.emsp.received[-1].method == "DELETE"
        assert not both.emsp.shelf.pushed["tariffs"]


def test_prices_keep_their_digits(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    path = path_of(both.cpo.party, "EXACT")
    body = (
        b'{"id":"EXACT","currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":0.1000000000000000055'
        b',"step_size":1}]}],"last_updated":"2026-11-22T08:00:00Z","x-own": 12345678901234567890123.450}'
    )

    both.cpo.put("tariffs", path, to=both.emsp.party, body=body)

    received = both.emsp.received[0].body
    assert b"0.1000000000000000055" in received
    assert b"12345678901234567890123.450" in received
