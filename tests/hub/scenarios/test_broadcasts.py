"""Pushes to everybody: who gets them, in which order, and what the sender hears."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner, envelope
from loadtests.simulator.misbehaviour import DEAD, HTML
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.logs import conversation, log_lines
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token

HUB = Party("EU", "HUB")
EVSE: Json = {"uid": "E1", "status": "AVAILABLE", "connectors": [], "last_updated": "2026-11-22T08:00:00Z"}
TIMEOUT_S = 1
A_LONG_TIME_S = 30
SHARED = {"locations", "tariffs", "tokens"}


@pytest.fixture(scope="module")
def hub(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub of its own: what is broadcast comes to everybody there is."""
    settings = {
        "rate_limit": "off",
        "log_level": "debug",
        "forward_timeout_s": f"{TIMEOUT_S}",
        "connect_timeout_s": "1",
    }
    with ForkedHub(tmp_path_factory.mktemp("hub"), {**stores._asdict(), **settings}) as process:
        yield process


@pytest.fixture(scope="module")
def company(hub: HubProcess) -> Iterator[dict[str, Partner]]:
    """One of every kind, by the name it has in the tests. The CPO has a sibling that is an eMSP."""
    cpo = Partner("C1", {new_party("NL"): CPO, new_party("NL"): EMSP})
    others = {
        "other cpo": partner(CPO),
        "emsp": partner(EMSP),
        "other emsp": partner(EMSP),
        "nsp": partner([Role.NSP]),
        "nap": partner([Role.NAP]),
        "other": partner([Role.OTHER]),
        "scsp": partner([Role.SCSP]),
    }
    with registered(hub, cpo, *others.values()):
        yield {"cpo": cpo, **others}


@pytest.fixture
def everybody(hub: HubProcess, company: dict[str, Partner]) -> dict[str, Partner]:
    """The same, well-behaved, with nothing on its way to them."""
    for each in company.values():
        each.script.clear()
    idle(hub)
    for each in company.values():
        each.shelf.pushed.clear()
        each.ledger.clear()
        each.received.clear()
    return company


def idle(hub: HubProcess, *, within_s: float = 10) -> None:
    """Wait until no delivery is under way."""
    deadline = time.monotonic() + within_s
    while figure(hub, "ocpi_hub_broadcast_inflight") > 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def figure(hub: HubProcess, name: str, *labels: str) -> float:
    """The sum of a metric, over the lines with all of these labels."""
    lines = hub.operator.api.get("/metrics").text.splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith((f"{name} ", f"{name}{{")) and all(label in line for label in labels)
    )


def broadcast(sender: Partner, method: str, where: str, ids: str, body: Json | None = None, **options: Any) -> Answer:  # noqa: ANN401 - as for `start`
    """Push something of the sender's own to the hub, which says that it has it."""
    content = {} if body is None else {"json": body}
    pushed: Any = sender.start(method, where, path_of(sender.party, ids), **{"to": HUB, **content, **options})
    answer: Answer = pushed.result()
    assert (answer.http_status, answer.status_code, answer.data) == (200, 1000, None), answer.body
    assert (answer.receiver, answer.sender) == (sender.party, HUB)
    return answer


@contextmanager
def guests(hub: HubProcess, *some: Partner) -> Iterator[None]:
    """These take part while the block lasts."""
    with registered(hub, *some):
        try:
            yield
        finally:
            for each in some:
                each.script.clear()
                each.unregister()


def deliveries(hub: HubProcess, answer: Answer) -> dict[str, Json]:
    """What became of a broadcast, by receiver, as soon as it is done with all of them."""
    correlation_id = answer.header("x-correlation-id")
    count = int(str(answer.envelope.status_message).split()[2])

    def fits(line: Json) -> bool:
        return line.get("correlation_id") == correlation_id and "outcome" in line

    return {line["receiver"]: line for line in log_lines(hub, fits, count=count)}


def outcomes(hub: HubProcess, answer: Answer) -> dict[str, str]:
    """The same in a word."""
    return {receiver: line["outcome"] for receiver, line in deliveries(hub, answer).items()}


def getting(everybody: dict[str, Partner]) -> set[str]:
    """Who has got a push of what is shared."""
    return {name for name, each in everybody.items() if any(got.module in SHARED for got in each.received)}


def tariff(owner: Party, tariff_id: str = "T1") -> Json:
    component = {"type": "ENERGY", "price": 0.25, "vat": 21.0, "step_size": 1}
    return {
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "id": tariff_id,
        "currency": "EUR",
        "elements": [{"price_components": [component]}],
        "last_updated": "2026-11-22T08:00:00Z",
    }


def test_a_cpos_location_comes_to_all_who_have_a_use_for_it(hub: HubProcess, everybody: dict[str, Partner]) -> None:
    cpo = everybody["cpo"]
    answer = broadcast(cpo, "PUT", "locations", "LOC1", location(cpo.party))
    for line in deliveries(hub, answer).values():
        assert line["outcome"] == "delivered"

    assert getting(everybody) == {"emsp", "other emsp", "nsp", "nap", "other"}
    assert answer.envelope.status_message == "accepted for 5 receivers"
    for name in getting(everybody):
        [got] = everybody[name].received
        assert (got.method, got.place.path) == ("PUT", (*cpo.party, "LOC1"))
        assert (got.receiver, got.sender) == (everybody[name].party, HUB)
        assert got.json() == location(cpo.party)


def test_cards_come_to_cpos_and_whoever_has_none_to_push_is_refused(
    hub: HubProcess, everybody: dict[str, Partner]
) -> None:
    emsp, other, cpo, nsp = (everybody[name] for name in ("emsp", "other", "cpo", "nsp"))
    for sender in (emsp, other):
        answer = broadcast(sender, "PUT", "tokens", "0102030405", token(sender.party))
        assert outcomes(hub, answer) == {
            str(cpo.party): "delivered",
            str(everybody["other cpo"].party): "delivered",
        }
    idle(hub)
    assert getting(everybody) == {"cpo", "other cpo"}

    receiver = InterfaceRole.RECEIVER
    pushed = token(cpo.party)
    answers = [
        cpo.put("tokens", path_of(cpo.party, "0102030405"), to=HUB, json=pushed, interface=receiver),
        nsp.put("locations", path_of(nsp.party, "LOC1"), to=HUB, json=location(nsp.party), interface=receiver),
    ]
    assert [answer.status_code for answer in answers] == [2000, 2000]
    assert all(len(everybody[name].received) == (2 if "cpo" in name else 0) for name in everybody)


def test_a_national_access_point_pushes_to_readers_and_not_to_cpos(
    hub: HubProcess, everybody: dict[str, Partner]
) -> None:
    nap = everybody["nap"]
    _, sibling = everybody["cpo"].parties
    answer = broadcast(nap, "PUT", "locations", "LOC1", location(nap.party), interface=InterfaceRole.RECEIVER)

    readers = [everybody[name].party for name in ("emsp", "other emsp", "nsp", "other")]
    assert deliveries(hub, answer).keys() == set(map(str, [*readers, sibling]))


def test_everybody_gets_a_push_in_the_version_it_speaks(hub: HubProcess, everybody: dict[str, Partner]) -> None:
    cpo, newer_cpo = everybody["cpo"], partner(CPO, Version.V2_3_0)
    terminals, newer, older = (
        partner([Role.PTP], Version.V2_3_0),
        partner(EMSP, Version.V2_3_0),
        partner(EMSP, Version.V2_1_1),
    )
    with guests(hub, newer_cpo, terminals, newer, older):
        answer = broadcast(cpo, "PUT", "tariffs", "T1", tariff(cpo.party))
        assert set(outcomes(hub, answer).values()) == {"delivered"}
        for each in (terminals, newer):
            [got] = each.received
            assert got.place.version is Version.V2_3_0
            assert "taxes" in str(got.json()) or "tax_included" in got.json()
        [got] = older.received
        assert got.place.path == (*cpo.party, "T1")
        assert got.sender is None
        assert "country_code" not in got.json()
        assert everybody["emsp"].received[0].body == _sent(cpo)

        newest = tariff(newer_cpo.party) | {"tax_included": "NO"}
        answer = broadcast(newer_cpo, "PUT", "tariffs", "T1", newest)
        assert str(terminals.party) in outcomes(hub, answer)
        assert terminals.received[-1].json() == newest
    idle(hub)


def _sent(by: Partner) -> bytes:
    return by.sent[-1].body


def test_one_receiver_it_cannot_be_said_to_is_skipped_and_the_others_get_it(
    hub: HubProcess, everybody: dict[str, Partner]
) -> None:
    cpo, older = everybody["cpo"], partner(EMSP, Version.V2_1_1)
    with guests(hub, older):
        answer = broadcast(cpo, "PUT", "locations", "LONG", location(cpo.party, "LONG") | {"publish": False})
        found = outcomes(hub, answer)
        assert found.pop(str(older.party)) == "untranslatable"
        assert set(found.values()) == {"delivered"}
        assert not older.received


def test_bad_receivers_are_neither_waited_for_nor_tried_again_nor_heard_of(
    hub: HubProcess, everybody: dict[str, Partner]
) -> None:
    cpo, dead, refusing, slow = (everybody[name] for name in ("cpo", "emsp", "nsp", "other"))
    rude = everybody["nap"]
    without = Partner("no locations", {new_party("DE"): EMSP}, modules={(ModuleID.TOKENS, InterfaceRole.SENDER)})
    dead.behaves(DEAD)
    refusing.answers_next(envelope(status_code=2001, status_message="No"), module="locations")
    rude.answers_next(HTML, module="locations")
    with guests(hub, without):
        answer = broadcast(cpo, "PUT", "locations", "LOC1", location(cpo.party))
        [other], [waiting] = (each.received.wait_for("locations") for each in (everybody["other emsp"], dead))
        assert (other.at - waiting.at).total_seconds() < TIMEOUT_S

        found = deliveries(hub, answer)
        assert {receiver: line["outcome"] for receiver, line in found.items()} == {
            str(dead.party): "timeout",
            str(refusing.party): "refused",
            str(rude.party): "failed",
            str(slow.party): "delivered",
            str(everybody["other emsp"].party): "delivered",
        }
        assert found[str(refusing.party)]["ocpi_status"] == 2001
        assert found[str(dead.party)]["ocpi_status"] == 4002
        assert {line["upstream_request_id"] for line in found.values()} == {
            each.received[0].header("x-request-id") for each in (dead, refusing, rude, slow, everybody["other emsp"])
        }
        assert not without.received
    assert [len(each.received) for each in (dead, refusing, rude, slow)] == [1, 1, 1, 1]


def test_a_push_that_nobody_has_a_use_for_is_accepted_all_the_same(
    hub: HubProcess, everybody: dict[str, Partner]
) -> None:
    cpo = everybody["cpo"]
    for each in everybody.values():
        if each is not cpo:
            hub.operator.ask("POST", f"/api/v1/platforms/{platform_of(hub, each)}/suspend")
    try:
        answer = broadcast(cpo, "PUT", "locations", "LOC1", location(cpo.party))
    finally:
        for each in everybody.values():
            if each is not cpo:
                hub.operator.ask("POST", f"/api/v1/platforms/{platform_of(hub, each)}/resume")

    assert answer.envelope.status_message == "accepted for 0 receivers"
    [line] = conversation(hub, str(answer.header("x-correlation-id")))
    assert line["event"] == "broadcast_accepted"


def test_every_receiver_gets_pushes_of_one_object_in_their_order(everybody: dict[str, Partner]) -> None:
    cpo = everybody["cpo"]
    location_path, evse_path = path_of(cpo.party, "LOC1"), path_of(cpo.party, "loc1", "E1")
    assert cpo.put("locations", location_path, to=HUB, json=location(cpo.party)).status_code == 1000
    assert cpo.put("locations", evse_path, to=HUB, json=EVSE).status_code == 1000
    for number in range(20):
        patch = {"physical_reference": str(number), "last_updated": f"2026-11-22T08:00:{number:02d}Z"}
        assert cpo.patch("locations", evse_path, to=HUB, json=patch).status_code == 1000

    for name in ("emsp", "other emsp", "nsp", "nap", "other"):
        got = everybody[name].received.wait_for("locations", count=22)
        assert [each.method for each in got] == ["PUT"] * 2 + ["PATCH"] * 20
        assert [each.json().get("physical_reference") for each in got[2:]] == [str(number) for number in range(20)]


def test_puts_that_wait_behind_each_other_become_the_newest_and_patches_do_not(
    hub: HubProcess, everybody: dict[str, Partner]
) -> None:
    cpo, slow = everybody["cpo"], everybody["emsp"]
    hub.operator.change(platform_of(hub, slow), timeout_s=A_LONG_TIME_S)
    with slow.pausing(module="locations"):
        for number in range(4):
            body = location(cpo.party) | {"name": f"{number}"}
            broadcast(cpo, "PUT", "locations", "LOC1", body)
        patches = [
            broadcast(cpo, "PATCH", "locations", "LOC1", {"name": f"p{number}", "last_updated": "2026-11-22T08:00:00Z"})
            for number in range(2)
        ]
    deliveries(hub, patches[-1])
    hub.operator.change(platform_of(hub, slow), timeout_s=None)

    assert [got.json()["name"] for got in slow.received] == ["0", "3", "p0", "p1"]
    assert figure(hub, "ocpi_hub_broadcast_deliveries_total", 'module="locations"', 'outcome="merged"') >= 2


def test_each_receiver_has_a_request_id_of_its_own_and_all_have_the_correlation_id(
    hub: HubProcess, everybody: dict[str, Partner]
) -> None:
    cpo = everybody["cpo"]
    answer = broadcast(
        cpo, "PUT", "locations", "LOC1", location(cpo.party), headers={"x-correlation-id": "all-of-them"}
    )
    deliveries(hub, answer)
    got = [request for each in everybody.values() for request in each.received]

    assert len({request.header("x-request-id") for request in got} | {answer.header("x-request-id")}) == 6
    assert {request.header("x-correlation-id") for request in got} == {"all-of-them"}


def test_a_tariff_is_taken_back_everywhere_and_a_push_may_leave_the_receiver_out(
    hub: HubProcess, everybody: dict[str, Partner]
) -> None:
    cpo = everybody["cpo"]
    deliveries(hub, broadcast(cpo, "PUT", "tariffs", "T1", tariff(cpo.party)))
    deliveries(hub, broadcast(cpo, "DELETE", "tariffs", "T1"))
    deliveries(hub, broadcast(cpo, "PUT", "locations", "LOC1", location(cpo.party), to=None))

    for name in ("emsp", "other emsp", "nsp", "nap", "other"):
        each = everybody[name]
        put, deleted, unaddressed = each.received
        assert [(got.method, got.module) for got in (put, deleted, unaddressed)] == [
            ("PUT", "tariffs"),
            ("DELETE", "tariffs"),
            ("PUT", "locations"),
        ]
        assert not deleted.body
        assert {(got.receiver, got.sender) for got in (put, deleted, unaddressed)} == {(each.party, HUB)}


def test_a_receiver_that_has_left_loses_what_waits_for_it(hub: HubProcess, everybody: dict[str, Partner]) -> None:
    cpo, leaving = everybody["cpo"], partner(EMSP)
    with guests(hub, leaving):
        hub.operator.change(platform_of(hub, leaving), timeout_s=A_LONG_TIME_S)
        with leaving.pausing(module="locations"):
            broadcast(cpo, "PUT", "locations", "LOC1", location(cpo.party))
            update = {"name": "A", "last_updated": "2026-11-22T08:00:00Z"}
            waiting = broadcast(cpo, "PATCH", "locations", "LOC1", update)
            leaving.received.wait_for("locations")
            hub.operator.ask("POST", f"/api/v1/platforms/{platform_of(hub, leaving)}/suspend")

        assert outcomes(hub, waiting)[str(leaving.party)] == "offline"
        assert len(leaving.received) == 1
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_of(hub, leaving)}/resume")


def test_a_receiver_that_has_renewed_its_tokens_gets_what_waits_with_the_new_one(
    hub: HubProcess, everybody: dict[str, Partner]
) -> None:
    cpo, renewing = everybody["cpo"], partner(EMSP)
    with guests(hub, renewing):
        hub.operator.change(platform_of(hub, renewing), timeout_s=A_LONG_TIME_S)
        with renewing.pausing(module="locations"):
            broadcast(cpo, "PUT", "locations", "LOC1", location(cpo.party))
            renewing.received.wait_for("locations")  # before that, the newer one would go in its place
            waiting = broadcast(cpo, "PUT", "locations", "LOC1", location(cpo.party) | {"name": "newer"})
            renewing.update()

        assert outcomes(hub, waiting)[str(renewing.party)] == "delivered"
        assert renewing.received[-1].json()["name"] == "newer"


def test_what_belongs_to_two_parties_is_never_broadcast(everybody: dict[str, Partner]) -> None:
    cpo, emsp = everybody["cpo"], everybody["emsp"]
    session = {**_record(cpo, emsp.party, "S1"), "status": "ACTIVE"}
    answers = [
        cpo.put("sessions", path_of(cpo.party, "S1"), to=HUB, json=session),
        cpo.post("cdrs", to=HUB, json=_record(cpo, emsp.party, "CDR1")),
    ]
    assert [(answer.status_code, answer.sender) for answer in answers] == [(1000, emsp.party)] * 2
    assert [got.module for got in emsp.received] == ["sessions", "cdrs"]
    assert all(not each.received for each in everybody.values() if each is not emsp)


def test_a_cdr_of_nobody_is_sent_to_nobody(everybody: dict[str, Partner]) -> None:
    cpo = everybody["cpo"]
    answer = cpo.post("cdrs", json=_record(cpo, Party("DE", "NIX"), "CDR2"))

    assert answer.status_code == 4001
    assert all(not each.received for each in everybody.values())


def _record(cpo: Partner, emsp: Party, record_id: str) -> Json:
    used = {"country_code": emsp.country_code, "party_id": emsp.party_id, "uid": "01", "type": "RFID"}
    return {
        "country_code": cpo.party.country_code,
        "party_id": cpo.party.party_id,
        "id": record_id,
        "start_date_time": "2026-11-22T08:00:00Z",
        "cdr_token": used | {"contract_id": "DEROMC00000001"},
        "last_updated": "2026-11-22T09:00:00Z",
    }
