"""Unmodified partners of 2.1.1, without routing headers: what they see of everybody, and who hears what they say.

CPOs call what they have alike here, as CPOs do: the first is shown under its own ids, the second under aliases.
OCPI 2.1.1, all modules.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from loadtests.hub_process import HubFailed, HubProcess
from loadtests.simulator import Answer, Json, Partner, envelope
from loadtests.simulator.stations import cards, cdr, charging_network, session
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.translated import new_id, status
from tests.partners import CPO, EMSP, new_party, partner, path_of, registered, token

HUB = Party("EU", "HUB")
V211, V22, V221, V230 = Version
RECEIVER, SENDER = InterfaceRole.RECEIVER, InterfaceRole.SENDER
CODES = ("country_code", "party_id")
SINCE = {"date_from": "2020-01-01T00:00:00Z"}


class Scene(NamedTuple):
    """Everybody at one hub."""

    hub: HubProcess
    cpo: Partner
    cpo_2: Partner
    """On 2.3.0."""
    emsp: Partner
    emsp_2: Partner
    """On 2.3.0."""
    older_cpo: Partner
    older_emsp: Partner

    @property
    def partners(self) -> tuple[Partner, ...]:
        """All but the hub."""
        return self[1:]


@pytest.fixture(scope="module")
def house(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A hub with a CPO and an eMSP on 2.1.1, and two of each on later versions."""
    parts = (partner(CPO), partner(CPO, V230), partner(EMSP), partner(EMSP, V230), partner(CPO, V211))
    settings = {**stores._asdict(), "rate_limit": "off", "log_level": "debug"}
    with (
        ForkedHub(tmp_path_factory.mktemp("hub"), settings) as hub,
        registered(hub, *parts, partner(EMSP, V211)) as everybody,
    ):
        yield Scene(hub, *everybody)


@pytest.fixture
def at(house: Scene) -> Scene:
    """The same, everybody well-behaved and with empty hands."""
    for each in house.partners:
        each.script.clear()
        each.shelf.own.clear()
        each.shelf.pushed.clear()
        each.ledger.clear()
        each.received.clear()
        each.command_result = {"result": "ACCEPTED"}
    return house


def place(owner: Partner, location_id: str = "LOC1", tariff_id: str = "T1") -> Json:
    """A Location with one EVSE, in its owner's version."""
    found = charging_network(owner.party, owner.version, stations=1).locations[0] | {"id": location_id}
    evse = found["evses"][0]
    priced = {"tariff_id": tariff_id} if owner.version is V211 else {"tariff_ids": [tariff_id]}
    found["evses"] = [evse | {"connectors": [evse["connectors"][0] | priced]}]
    return found


def price(owner: Partner, tariff_id: str = "T1") -> Json:
    """A Tariff."""
    return charging_network(owner.party, owner.version, stations=1).tariffs[0] | {"id": tariff_id}


def card(owner: Partner, contract: str, uid: str | None = None) -> Json:
    """A Token that its owner can be sure to be believed about."""
    found = cards(owner.party, owner.version, count=1)[0] | {"uid": uid or new_id("UID"), "valid": True}
    return found | {"auth_id" if owner.version is V211 else "contract_id": contract}


def pushes(owner: Partner, to: Partner, location_id: str, tariff_id: str) -> None:
    """Both go to this one partner, as a CPO of a later version may wish."""
    for module, body in (("tariffs", price(owner, tariff_id)), ("locations", place(owner, location_id, tariff_id))):
        answer = owner.put(module, path_of(owner.party, body["id"]), to=to.party, json=body)
        assert status(answer) == (200, 1000), answer.body


def tariffs_in(location: Json) -> set[str]:
    """Those of its connectors."""
    return {connector["tariff_id"] for evse in location["evses"] for connector in evse["connectors"]}


def start(at: Scene, location_id: str) -> Answer:
    """The eMSP of 2.1.1 wants to charge there."""
    body = {
        "response_url": at.older_emsp.url("commands", SENDER, "result"),
        "token": card(at.older_emsp, new_id("C")),
        "location_id": location_id,
    }
    return at.older_emsp.post("commands", "START_SESSION", json=body)


def stop(at: Scene, session_id: str) -> Answer:
    """The eMSP of 2.1.1 wants to end that."""
    body = {"response_url": at.older_emsp.url("commands", SENDER, "result"), "session_id": session_id}
    return at.older_emsp.post("commands", "STOP_SESSION", json=body)


# ------------------------------------------------------------------------------------------------ what an eMSP sees


def test_an_emsp_reads_everybodys_locations_in_one_list(at: Scene) -> None:
    location_id, tariff_id = new_id("L"), new_id("T")
    for owner in (at.cpo, at.cpo_2, at.older_cpo):
        owner.hold("locations", place(owner, location_id, tariff_id), place(owner, new_id("L"), tariff_id))

    pages = list(at.older_emsp.pages("locations", params={"limit": "2"}))

    found = [each for page in pages for each in page.data]
    assert len(found) == len({each["id"] for each in found}) == 6
    assert {each["id"] for each in found} >= {location_id}
    assert not any("country_code" in each or "publish" in each for each in found)
    assert all(tariffs_in(each) for each in found)
    assert len(set.union(*map(tariffs_in, found))) == 3
    assert all(page.next_url.startswith(f"{at.hub.url}/ocpi/2.1.1/cpo/locations") for page in pages if page.next_url)
    assert {page.header("x-total-count") for page in pages} == {"6"}
    assert not any(name.startswith("ocpi-") for page in pages for name, _ in page.headers)


def test_a_second_owner_of_an_id_is_shown_under_an_alias_everywhere(at: Scene) -> None:
    location_id, tariff_id = new_id("L"), new_id("T")
    emsp, first, second = at.older_emsp, at.cpo, at.cpo_2
    alias, tariff_alias = f"{''.join(second.party)}-{location_id}", f"{''.join(second.party)}-{tariff_id}"

    for owner in (first, second, first, second):
        pushes(owner, emsp, location_id, tariff_id)

    assert [each.place.path for each in emsp.received.of("locations")[:2]] == [
        (*first.party, location_id),
        (*second.party, alias),
    ]
    kept = {path: each for path, each in emsp.shelf.pushed["locations"].items() if location_id in path[2]}
    assert sorted(each["id"] for each in kept.values()) == sorted((location_id, alias))
    assert [tariffs_in(kept[*second.party, alias.upper()]), tariffs_in(kept[*first.party, location_id.upper()])] == [
        {tariff_alias},
        {tariff_id},
    ]
    assert {each["id"] for each in emsp.shelf.pushed["tariffs"].values()} >= {tariff_id, tariff_alias}
    evse = place(second, location_id, tariff_id)["evses"][0]
    where = path_of(second.party, location_id, evse["uid"])
    change = {"status": "BLOCKED", "last_updated": "2026-11-22T09:00:00Z"}
    assert status(second.patch("locations", where, to=emsp.party, json=change)) == (200, 1000)
    assert emsp.received[-1].place.path == (*second.party, alias, evse["uid"])


def test_what_its_owner_reads_at_an_emsp_has_the_owners_ids(at: Scene) -> None:
    location_id, tariff_id = new_id("L"), new_id("T")
    for owner in (at.cpo, at.cpo_2):
        pushes(owner, at.older_emsp, location_id, tariff_id)

    where = path_of(at.cpo_2.party, location_id)
    read = at.cpo_2.get("locations", where, to=at.older_emsp.party, interface=RECEIVER).data

    assert read["id"] == location_id
    assert read["evses"][0]["connectors"][0]["tariff_ids"] == [tariff_id]
    assert status(at.cpo_2.delete("tariffs", path_of(at.cpo_2.party, tariff_id), to=at.older_emsp.party)) == (200, 1000)
    assert at.older_emsp.received[-1].place.path == (*at.cpo_2.party, f"{''.join(at.cpo_2.party)}-{tariff_id}")


def test_what_an_emsp_reads_by_its_alias_is_read_at_its_owner(at: Scene) -> None:
    location_id, tariff_id = new_id("L"), new_id("T")
    for owner in (at.cpo, at.cpo_2):
        pushes(owner, at.older_emsp, location_id, tariff_id)
        owner.hold("locations", place(owner, location_id, tariff_id))
    alias = f"{''.join(at.cpo_2.party)}-{location_id}"
    evse_uid = place(at.cpo_2)["evses"][0]["uid"]

    one, evse = at.older_emsp.get("locations", alias), at.older_emsp.get("locations", f"{alias}/{evse_uid}")
    other = at.older_emsp.get("locations", location_id)

    assert (one.data["id"], evse.data["uid"], other.data["id"]) == (alias, evse_uid, location_id)
    assert tariffs_in(one.data) == {f"{''.join(at.cpo_2.party)}-{tariff_id}"}
    assert [each.place.path for each in at.cpo_2.received] == [(location_id,), (location_id, evse_uid)]
    assert [each.place.path for each in at.cpo.received] == [(location_id,)]


def test_a_location_that_nobody_has_is_not_found(at: Scene) -> None:
    assert status(at.older_emsp.get("locations", new_id("UNKNOWN"))) == (404, 2003)


def test_a_command_finds_its_cpo_by_the_id_that_the_emsp_was_shown(at: Scene) -> None:
    location_id, tariff_id = new_id("L"), new_id("T")
    for owner in (at.cpo, at.cpo_2):
        pushes(owner, at.older_emsp, location_id, tariff_id)

    for shown, taker in ((f"{''.join(at.cpo_2.party)}-{location_id}", at.cpo_2), (location_id, at.cpo)):
        assert start(at, shown).data == {"result": "ACCEPTED"}
        taker.settle()
        [command] = taker.received.of("commands")
        assert command.json()["location_id"] == location_id
        assert command.sender == at.older_emsp.party
        assert command.receiver == taker.party
        [result] = at.older_emsp.received.wait_for("commands")
        assert result.json() == {"result": "ACCEPTED"}
        assert result.raw_path == "/2.1.1/commands/result"
        at.older_emsp.received.clear()


def test_a_command_for_what_nobody_has_says_so(at: Scene) -> None:
    assert status(start(at, new_id("UNKNOWN"))) == (200, 2003)
    answer = stop(at, new_id("UNKNOWN"))
    assert (status(answer), answer.data["result"]) == ((200, 1000), "UNKNOWN_SESSION")


def test_the_id_of_an_owner_that_has_left_is_nobody_elses(house: Scene, at: Scene) -> None:
    location_id = new_id("L")
    with registered(house.hub, partner(CPO)) as [leaving]:
        pushes(leaving, at.older_emsp, location_id, new_id("T"))
        leaving.unregister()

    pushes(at.cpo, at.older_emsp, location_id, new_id("T"))

    assert at.older_emsp.received[-1].json()["id"] == f"{''.join(at.cpo.party)}-{location_id}"
    assert status(start(at, location_id)) == (200, 3000)
    assert not at.cpo.received.of("commands")


def test_sessions_and_cdrs_of_two_cpos_with_one_id_are_told_apart(at: Scene) -> None:
    session_id, cdr_id, location_id, tariff_id = (new_id(start) for start in ("S", "C", "L", "T"))
    emsp, contract = at.older_emsp, new_id("C")
    for owner in (at.cpo, at.cpo_2):
        owner.hold("locations", place(owner, location_id, tariff_id))
        paid = card(emsp, contract)
        newer = {
            "uid": paid["uid"],
            "type": "RFID",
            "contract_id": contract,
            **dict(zip(CODES, emsp.party, strict=True)),
        }
        where = place(owner, location_id, tariff_id)
        under_way = session(owner.version, session_id, where, newer)
        bill = cdr(owner.version, cdr_id, where, newer, price(owner, tariff_id))

        assert status(owner.put("sessions", path_of(owner.party, session_id), json=under_way)) == (200, 1000)
        posted = owner.post("cdrs", json=bill)
        assert status(posted) == (201, 1000)
        assert owner.get(posted.header("location") or "").data["id"] == cdr_id

    prefix = f"{''.join(at.cpo_2.party)}-"
    for module, object_id in (("sessions", session_id), ("cdrs", cdr_id)):
        first, second = (each.json() for each in emsp.received.of(module) if each.method in ("PUT", "POST"))
        assert (first["id"], first["location"]["id"]) == (object_id, location_id)
        assert (second["id"], second["location"]["id"]) == (prefix + object_id, prefix + location_id)
        assert second["auth_id"] == contract
    [bill] = [each.json() for each in emsp.received.of("cdrs", "POST")][1:]
    assert [each["id"] for each in bill["tariffs"]] == [prefix + tariff_id]
    assert stop(at, prefix + session_id).data == {"result": "ACCEPTED"}
    assert at.cpo_2.received.of("commands")[-1].json()["session_id"] == session_id
    at.cpo_2.settle()


def test_a_change_of_a_session_with_an_alias_looks_at_the_emsps_own_copy(at: Scene) -> None:
    """To add periods, the hub reads what the eMSP has, under the id that the eMSP knows."""
    session_id, contract = new_id("S"), new_id("C")
    for owner in (at.cpo, at.cpo_2):
        where = place(owner, new_id("L"))
        owner.hold("locations", where)
        paid = token(at.older_emsp.party) | {"contract_id": contract}
        under_way = session(owner.version, session_id, where, paid)
        assert status(owner.put("sessions", path_of(owner.party, session_id), json=under_way)) == (200, 1000)
    periods = [{"start_date_time": "2026-11-22T09:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 1.5}]}]
    change = {"charging_periods": periods, "kwh": 1.5, "last_updated": "2026-11-22T09:00:00Z"}

    for _ in range(2):
        path = path_of(at.cpo_2.party, session_id)
        assert status(at.cpo_2.patch("sessions", path, json=change)) == (200, 1000)

    asked = [each.place.path for each in at.older_emsp.received.of("sessions", "GET")]
    assert asked == [(*at.cpo_2.party, f"{''.join(at.cpo_2.party)}-{session_id}")] * 2
    assert len(at.older_emsp.received[-1].json()["charging_periods"]) == 2


def test_a_list_is_of_what_changed_since_a_moment_inclusively(at: Scene) -> None:
    before, then, later = (
        place(at.cpo, new_id("L")) | {"last_updated": f"2026-11-0{day}T00:00:00Z"} for day in (1, 2, 3)
    )
    at.cpo.hold("locations", before, then, later)

    found = at.older_emsp.get("locations", params={"date_from": "2026-11-02T00:00:00Z"}).data

    assert [each["id"] for each in found] == [then["id"], later["id"]]


# ------------------------------------------------------------------------------------------------ what a CPO does


def test_a_location_of_an_older_cpo_arrives_everywhere_as_its_own(at: Scene) -> None:
    pushed = place(at.older_cpo, new_id("L"), new_id("T"))

    assert status(at.older_cpo.put("locations", path_of(at.older_cpo.party, pushed["id"]), json=pushed)) == (200, 1000)

    for emsp in (at.emsp, at.emsp_2):
        [arrived] = emsp.received.wait_for("locations")
        assert arrived.place.path == (*at.older_cpo.party, pushed["id"])
        assert [arrived.json()[code] for code in CODES] == list(at.older_cpo.party)
        assert arrived.json()["publish"] is True
        assert arrived.sender == HUB
    [arrived] = at.older_emsp.received.wait_for("locations")
    assert arrived.place.path == (*at.older_cpo.party, pushed["id"])
    assert arrived.json() == pushed
    assert arrived.sender is None


def test_a_cdr_goes_to_whom_its_contract_is(at: Scene) -> None:
    contract = new_id("HOUSE")
    mine, others = card(at.emsp_2, contract), card(at.emsp, new_id("HOUSE"))
    for owner, its in ((at.emsp_2, mine), (at.emsp, others)):
        owner.put("tokens", path_of(owner.party, its["uid"]), to=HUB, json=its)
    at.older_cpo.received.wait_for("tokens", count=2)
    where, price_there = place(at.older_cpo, new_id("L")), price(at.older_cpo)

    posted = at.older_cpo.post("cdrs", json=cdr(V211, new_id("C"), where, {"auth_id": contract}, price_there))

    assert status(posted) == (201, 1000)
    [arrived] = at.emsp_2.received.of("cdrs")
    names = ("country_code", "party_id", "uid", "type", "contract_id")
    assert arrived.json()["cdr_token"] == {name: mine[name] for name in names}
    assert not at.emsp.received.of("cdrs")
    location = posted.header("location")
    assert location is not None
    assert location.startswith(f"{at.hub.url}/ocpi/2.1.1/emsp/cdrs/")
    read = at.older_cpo.get(location)
    assert (read.data["id"], read.data["auth_id"]) == (arrived.json()["id"], contract)


def test_a_cdr_of_an_unknown_contract_goes_to_whom_it_names_or_to_nobody(at: Scene) -> None:
    where, price_there = place(at.older_cpo, new_id("L")), price(at.older_cpo)
    named = f"{'-'.join(at.emsp.party)}-C{new_id('0000')}-X"

    posted = at.older_cpo.post("cdrs", json=cdr(V211, new_id("C"), where, {"auth_id": named}, price_there))
    lost = cdr(V211, new_id("LOST"), where, {"auth_id": new_id("HOUSE")}, price_there)
    refused = at.older_cpo.post("cdrs", json=lost)

    assert status(posted) == (201, 1000)
    assert len(at.emsp.received.of("cdrs")) == 1
    assert status(refused) == (200, 2002)
    assert refused.header("location") is None
    assert not any(each.received.of("cdrs") for each in (at.emsp_2, at.older_emsp))
    eventually(lambda: f'"cdr_id":"{lost["id"]}"' in at.hub.log.read_text())


def test_contracts_of_two_emsps_with_one_id_are_told_apart(at: Scene) -> None:
    contract = new_id("HOUSE")
    alias = f"{''.join(at.emsp_2.party)}-{contract}"
    for owner in (at.emsp, at.emsp_2):
        its = card(owner, contract)
        assert status(owner.put("tokens", path_of(owner.party, its["uid"]), to=at.older_cpo.party, json=its)) == (
            200,
            1000,
        )

    first, second = at.older_cpo.received.of("tokens")

    assert (first.json()["auth_id"], second.json()["auth_id"]) == (contract, alias)
    assert second.json()["uid"] == second.place.path[2]
    where, price_there = place(at.older_cpo, new_id("L")), price(at.older_cpo)
    for shown, owner, other in ((alias, at.emsp_2, at.emsp), (contract, at.emsp, at.emsp_2)):
        under_way = session(V211, new_id("S"), where, {"auth_id": shown})
        path = path_of(at.older_cpo.party, under_way["id"])
        assert status(at.older_cpo.put("sessions", path, json=under_way)) == (200, 1000)
        bill = cdr(V211, new_id("C"), where, {"auth_id": shown}, price_there)
        posted = at.older_cpo.post("cdrs", json=bill)
        assert [each.json()["cdr_token"]["contract_id"] for each in owner.received] == [contract] * 2
        assert not other.received
        read = at.older_cpo.get("sessions", path, interface=RECEIVER)
        assert read.data["auth_id"] == shown
        assert at.older_cpo.get(posted.header("location") or "").data["auth_id"] == shown
        owner.received.clear()
    command = {
        "response_url": f"{at.emsp_2.base}/results/1",
        "token": card(at.emsp_2, contract),
        "location_id": where["id"],
    }
    assert at.emsp_2.post("commands", "START_SESSION", to=at.older_cpo.party, json=command).data["result"] == "ACCEPTED"
    assert at.older_cpo.received[-1].json()["token"]["auth_id"] == alias
    at.older_cpo.settle()


def test_a_change_of_an_unknown_session_is_refused_so_that_it_is_put(at: Scene) -> None:
    contract = f"{'-'.join(at.emsp.party)}-C{new_id('0000')}-X"
    under_way = session(V211, new_id("S"), place(at.older_cpo, new_id("L")), {"auth_id": contract})
    path = path_of(at.older_cpo.party, under_way["id"])

    assert at.older_cpo.patch("sessions", path, json={"kwh": 2.5}).http_status == 404
    assert status(at.older_cpo.put("sessions", path, json=under_way)) == (200, 1000)
    assert status(at.older_cpo.patch("sessions", path, json={"kwh": 2.5})) == (200, 1000)

    put, patch = at.emsp.received
    assert (put.method, patch.method, patch.json()["kwh"]) == ("PUT", "PATCH", 2.5)
    assert "last_updated" in patch.json()


def test_an_emsp_reads_of_an_older_cpo_only_what_is_its_own(at: Scene) -> None:
    mine, others, nobodys = (new_id(each) for each in ("MINE", "OTHERS", "NOBODYS"))
    for owner, contract in ((at.emsp, mine), (at.emsp_2, others)):
        its = card(owner, contract)
        owner.put("tokens", path_of(owner.party, its["uid"]), to=at.older_cpo.party, json=its)
    where, price_there = place(at.older_cpo, new_id("L")), price(at.older_cpo)
    for contract in (mine, others, nobodys, mine):
        at.older_cpo.hold("sessions", session(V211, new_id("S"), where, {"auth_id": contract}))
        at.older_cpo.hold("cdrs", cdr(V211, new_id("C"), where, {"auth_id": contract}, price_there))

    for module in ("sessions", "cdrs"):
        for to in (at.older_cpo.party, HUB, None):
            found = at.emsp.get(module, to=to, params=SINCE)
            assert status(found) == (200, 1000), found.body
            assert [each["cdr_token"]["contract_id"] for each in found.data] == [mine, mine]
            assert found.header("x-total-count") == "2"
        assert at.older_emsp.get(module, params=SINCE).data == []


def test_a_change_of_a_tariff_reaches_later_versions_as_the_whole_tariff(at: Scene) -> None:
    its = price(at.older_cpo, new_id("T"))
    path = path_of(at.older_cpo.party, its["id"])
    unknown = path_of(at.older_cpo.party, new_id("T"))
    assert status(at.older_cpo.patch("tariffs", unknown, json={"currency": "SEK"})) == (404, 2000)
    assert status(at.older_cpo.put("tariffs", path, json=its)) == (200, 1000)
    at.emsp.received.wait_for("tariffs")
    at.older_emsp.received.wait_for("tariffs")

    assert status(at.older_cpo.patch("tariffs", path, json={"currency": "SEK"})) == (200, 1000)

    _, whole = at.emsp.received.wait_for("tariffs", count=2)
    assert (whole.method, whole.json()["currency"], whole.json()["id"]) == ("PUT", "SEK", its["id"])
    assert whole.json()["elements"]
    _, change = at.older_emsp.received.wait_for("tariffs", count=2)
    assert change.json()["currency"] == "SEK"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "commands/CANCEL_RESERVATION", (200, 1000, "NOT_SUPPORTED")),
        ("PUT", "chargingprofiles/S1", (200, 1000, "NOT_SUPPORTED")),
        ("PUT", "sessions/S1/charging_preferences", (404, 2001, None)),
    ],
)
def test_what_an_older_cpo_has_no_word_for_is_answered_by_the_hub(
    at: Scene, method: str, path: str, expected: tuple[int, int, str | None]
) -> None:
    module, _, rest = path.partition("/")
    body: Json = {
        "response_url": f"{at.emsp.base}/results/1",
        "reservation_id": "R1",
        "profile_type": "FAST",
        "charging_profile": {"charging_rate_unit": "W", "charging_profile_period": []},
    }
    interface = SENDER if module == "sessions" else RECEIVER

    answer = at.emsp.start(method, module, rest, to=at.older_cpo.party, json=body, interface=interface).result()

    assert status(answer) == expected[:2]
    if expected[2] is not None:
        assert (answer.data["result"], answer.data["timeout"]) == (expected[2], 0)
    assert not at.older_cpo.received


def test_a_reservation_has_one_number_at_an_older_cpo(at: Scene) -> None:
    body = {
        "response_url": f"{at.emsp.base}/results/1",
        "token": card(at.emsp, new_id("C")),
        "expiry_date": "2030-01-01T00:00:00Z",
        "reservation_id": new_id("res-abc-"),
        "location_id": "LOC1",
    }

    for _ in range(2):
        answer = at.emsp.post("commands", "RESERVE_NOW", to=at.older_cpo.party, json=body)
        assert answer.data["result"] == "ACCEPTED", answer.body
    body |= {"response_url": f"{at.emsp_2.base}/results/1", "token": card(at.emsp_2, new_id("C"))}
    other = at.emsp_2.post("commands", "RESERVE_NOW", to=at.older_cpo.party, json=body)

    assert other.data["result"] == "ACCEPTED"
    first, again, others = (each.json()["reservation_id"] for each in at.older_cpo.received.of("commands"))
    assert type(first) is int
    assert first == again != others
    at.older_cpo.settle()


def test_an_owner_reads_back_what_it_pushed(at: Scene) -> None:
    where, its = place(at.older_cpo, new_id("L")), price(at.older_cpo, new_id("T"))
    paid = card(at.older_emsp, new_id("C"))
    for owner, module, body, object_id in (
        (at.older_cpo, "locations", where, where["id"]),
        (at.older_cpo, "tariffs", its, its["id"]),
        (at.older_emsp, "tokens", paid, paid["uid"]),
    ):
        path = path_of(owner.party, object_id)
        assert status(owner.put(module, path, json=body)) == (200, 1000)

        read = owner.get(module, path, interface=RECEIVER)

        assert (status(read), read.data) == ((200, 1000), body)
        missing = 2003 if module == "locations" else 2000
        for unknown in (path_of(owner.party, new_id("X")), f"{path}/X" if module == "locations" else path + "X"):
            assert status(owner.get(module, unknown, interface=RECEIVER)) == (404, missing)
        assert status(owner.patch(module, path_of(owner.party, new_id("X")), json={"name": "x"})) == (404, missing)
    evse = where["evses"][0]
    path = path_of(at.older_cpo.party, where["id"], evse["uid"])
    connector = evse["connectors"][0]
    assert at.older_cpo.get("locations", path, interface=RECEIVER).data == evse
    assert at.older_cpo.get("locations", f"{path}/{connector['id']}", interface=RECEIVER).data == connector
    assert status(at.older_cpo.patch("locations", path, json={"status": "BLOCKED"})) == (200, 1000)
    changed = at.older_cpo.get("locations", path_of(at.older_cpo.party, where["id"]), interface=RECEIVER).data
    assert changed["evses"][0]["status"] == "BLOCKED"


def test_a_cpo_reads_one_token_for_each_card(at: Scene) -> None:
    uid, contract = new_id("UID"), new_id("HOUSE")
    old, new = "2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z"
    clashing = {
        at.emsp: card(at.emsp, contract, uid) | {"last_updated": old},
        at.emsp_2: card(at.emsp_2, contract, uid) | {"last_updated": new},
        at.older_emsp: card(at.older_emsp, contract, uid) | {"last_updated": new, "valid": False},
    }
    at.emsp.hold("tokens", card(at.emsp, contract))
    for owner, its in clashing.items():
        owner.hold("tokens", its)
        to = None if owner.version is V211 else HUB
        assert status(owner.put("tokens", path_of(owner.party, uid), to=to, json=its)) == (200, 1000)
    pushed = at.older_cpo.received.wait_for("tokens", count=3)
    assert {each.place.path for each in pushed} == {(*owner.party, uid) for owner in clashing}

    found = at.older_cpo.get("tokens").data

    [clash] = [each for each in found if each["uid"] == uid]
    assert (clash["last_updated"], clash["valid"]) == (new, True)
    assert len(found) == 2
    assert len({each["auth_id"] for each in found}) == 2
    eventually(lambda: "tokens_left_out" in at.hub.log.read_text())


def test_a_real_time_authorization_finds_the_emsp_or_asks_all(at: Scene) -> None:
    known, unknown = card(at.emsp, new_id("C")), new_id("NOBODYS")
    at.emsp.put("tokens", path_of(at.emsp.party, known["uid"]), to=HUB, json=known)
    at.older_cpo.received.wait_for("tokens")
    at.emsp.hold("tokens", known)
    secret = card(at.emsp_2, new_id("C"))
    at.emsp_2.hold("tokens", secret)

    asked = at.older_cpo.post("tokens", f"{known['uid']}/authorize", json={"location_id": "LOC1"})
    assert asked.data["allowed"] == "ALLOWED"
    assert [len(each.received.of("tokens")) for each in (at.emsp, at.emsp_2, at.older_emsp)] == [1, 0, 0]
    assert at.older_cpo.post("tokens", f"{secret['uid']}/authorize").data["allowed"] == "ALLOWED"
    assert at.older_emsp.received.wait_for("tokens")
    assert status(at.older_cpo.post("tokens", f"{unknown}/authorize")) == (404, 2000)


def test_an_authorization_names_the_location_as_the_emsp_knows_it(at: Scene) -> None:
    location_id, contract = new_id("L"), new_id("C")
    for owner in (at.cpo, at.cpo_2):
        pushes(owner, at.older_emsp, location_id, new_id("T"))
    paid = card(at.older_emsp, contract)
    alias = f"{''.join(at.cpo_2.party)}-{location_id}"
    said = {"allowed": "ALLOWED", "location": {"location_id": alias, "evse_uids": ["E1"]}}
    at.older_emsp.answers_next(envelope(said), module="tokens")

    where = {"location_id": location_id, "evse_uids": ["E1"]}
    answer = at.cpo_2.post("tokens", f"{paid['uid']}/authorize", to=at.older_emsp.party, json=where)

    assert at.older_emsp.received[-1].json() == said["location"]
    assert answer.data["location"] == where


# ------------------------------------------------------------------------------------------------ settings


@pytest.fixture
def strict_emsp(house: Scene) -> Iterator[Partner]:
    """An eMSP of 2.1.1 that takes nothing of owners it has no credentials of."""
    with registered(house.hub, partner(EMSP, V211)) as [one]:
        yield one


def test_a_partner_that_knows_only_the_hub_gets_everything_as_the_hubs(at: Scene, strict_emsp: Partner) -> None:
    location_id = new_id("L")
    where = place(at.cpo, location_id)
    path = path_of(at.cpo.party, location_id)
    refused = envelope(status_code=2000, http_status=404)
    strict_emsp.answers_next(refused, module="locations", times=10)
    for _ in range(10):
        assert at.cpo.put("locations", path, to=strict_emsp.party, json=where).http_status == 404
    eventually(lambda: "first_pushes_all_refused" in at.hub.log.read_text())

    at.hub.operator.change(platform_of(at.hub, strict_emsp), owner_mode="hub")
    eventually(lambda: at.cpo.put("locations", path, to=strict_emsp.party, json=where).status_code == 1000)

    def is_the_hubs() -> bool:
        at.cpo.put("locations", path, to=strict_emsp.party, json=where)
        return strict_emsp.received[-1].place.path[:2] == HUB

    eventually(is_the_hubs)
    alias = f"{''.join(at.cpo.party)}-{location_id}"
    assert strict_emsp.received[-1].place.path == (*HUB, alias)
    assert strict_emsp.received[-1].json()["id"] == alias
    at.cpo.hold("locations", where)
    assert strict_emsp.get("locations", alias).data["id"] == alias
    assert [each["id"] for each in strict_emsp.get("locations").data] == [alias]


def test_a_partner_may_want_aliases_always_and_owners_named(at: Scene, strict_emsp: Partner) -> None:
    at.hub.operator.change(platform_of(at.hub, strict_emsp), id_mode="always", operator_owner_id=True)
    location_id = new_id("L")
    where = place(at.cpo, location_id) | {"operator": {"name": "Volt", "website": "https://volt.example"}}

    def is_an_alias() -> bool:
        at.cpo.put("locations", path_of(at.cpo.party, location_id), to=strict_emsp.party, json=where)
        return strict_emsp.received[-1].place.path == (*at.cpo.party, f"{''.join(at.cpo.party)}-{location_id}")

    eventually(is_an_alias)
    name = "-".join(at.cpo.party)
    assert strict_emsp.received[-1].json()["operator"] == {"name": name, "website": "https://volt.example"}
    at.older_cpo.hold("locations", place(at.older_cpo, location_id))
    [listed] = strict_emsp.get("locations").data
    assert (listed["id"], listed["operator"]["name"]) == (
        f"{''.join(at.older_cpo.party)}-{location_id}",
        "-".join(at.older_cpo.party),
    )


def test_routing_headers_of_an_older_partner_count_only_where_that_is_agreed(house: Scene, at: Scene) -> None:
    party = new_party("NL")
    loud = Partner(f"2.1.1 {party}", {party: [Role.CPO]}, version=V211, routing_headers_211=True)
    contract = f"{'-'.join(at.emsp.party)}-C{new_id('0000')}-X"
    with registered(house.hub, loud):

        def reports() -> Partner | None:
            under_way = session(V211, new_id("S"), place(loud, "LOC1"), {"auth_id": contract})
            path = path_of(party, under_way["id"])
            assert status(loud.put("sessions", path, to=at.emsp_2.party, json=under_way)) == (200, 1000)
            return next((each for each in (at.emsp, at.emsp_2) if each.received.of("sessions")), None)

        assert reports() is at.emsp
        house.hub.operator.change(platform_of(house.hub, loud), routing_headers_211=True)
        at.emsp.received.clear()

        def is_followed() -> bool:
            at.emsp.received.clear()
            return reports() is at.emsp_2

        eventually(is_followed)


def test_a_page_of_one_cpo_has_an_alias_where_another_has_the_id(house: Scene, at: Scene) -> None:
    party, location_id, own_id, tariff_id = new_party(), new_id("L"), new_id("L"), new_id("T")
    choosy = Partner(f"2.1.1 {party}", {party: [Role.EMSP]}, version=V211, routing_headers_211=True)
    with registered(house.hub, choosy):
        house.hub.operator.change(platform_of(house.hub, choosy), routing_headers_211=True)
        at.cpo.hold("locations", place(at.cpo))
        eventually(lambda: not choosy.get("locations", to=at.cpo_2.party).data)
        pushes(at.cpo, choosy, location_id, tariff_id)
        found = [7, place(at.cpo_2, own_id, new_id("T")), None, place(at.cpo_2, location_id, tariff_id)]
        at.cpo_2.answers_next(envelope(found), module="locations")

        page = choosy.get("locations", to=at.cpo_2.party)

    shown = [each["id"] if isinstance(each, dict) else each for each in page.data]
    assert shown == [7, own_id, None, f"{''.join(at.cpo_2.party)}-{location_id}"]
    assert tariffs_in(page.data[3]) == {f"{''.join(at.cpo_2.party)}-{tariff_id}"}


def test_a_company_with_both_roles_gets_each_message_on_the_right_side(at: Scene) -> None:
    party = new_party()
    cpo_side = Partner("CPO side", {party: [Role.CPO]}, version=V211)
    emsp_side = Partner("eMSP side", {party: [Role.EMSP]}, version=V211)
    with cpo_side.running(), emsp_side.running():
        platform_id = at.hub.operator.registered(cpo_side)
        invitation = at.hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/invite", json={"face": "EMSP"})
        emsp_side.register(invitation["versions_url"], invitation["token_a"])
        cpo_side.received.clear()
        paid = card(emsp_side, f"{'-'.join(party)}-C{new_id('0000')}-X")
        assert status(emsp_side.put("tokens", path_of(party, paid["uid"]), json=paid)) == (200, 1000)
        at.older_cpo.received.wait_for("tokens")
        at.cpo.received.wait_for("tokens")

        bill = cdr(V211, new_id("C"), place(at.older_cpo, new_id("L")), paid, price(at.older_cpo))
        assert status(at.older_cpo.post("cdrs", json=bill)) == (201, 1000)
        newer = token(party, paid["uid"]) | {"contract_id": paid["auth_id"]}
        other_bill = cdr(V221, new_id("C"), place(at.cpo, new_id("L")), newer, price(at.cpo))
        del other_bill["cdr_token"]["country_code"], other_bill["cdr_token"]["party_id"]
        assert status(at.cpo.post("cdrs", json=other_bill)) == (201, 1000)

        assert [each.json()["id"] for each in emsp_side.received.of("cdrs")] == [bill["id"], other_bill["id"]]
        assert not cpo_side.received.of("cdrs")
        sold = card(at.emsp, new_id("C"))
        assert status(at.emsp.put("tokens", path_of(at.emsp.party, sold["uid"]), to=HUB, json=sold)) == (200, 1000)
        cpo_side.received.wait_for("tokens")
        assert not emsp_side.received.of("tokens")


def test_2_1_1_has_two_roles_and_no_hubs(house: Scene) -> None:
    for role in (Role.NSP, Role.NAP, Role.SCSP, Role.OTHER, Role.HUB):
        with pytest.raises(HubFailed, match=f"OCPI 2.1.1 has no role {role}"):
            house.hub.operator.invite("two roles", parties={new_party(): [role]}, version="2.1.1", face=Role.EMSP)
    with pytest.raises(HubFailed, match="knows no hubs"):
        house.hub.operator.invite("a hub", face=Role.CPO, allow_hub=True)


# ------------------------------------------------------------------------------------------------ stores


def test_aliases_are_the_same_at_every_worker_and_after_a_restart(tmp_path: Path, store_urls: StoreUrls) -> None:
    """Two CPOs with the same ids push all at once to one eMSP; on PostgreSQL there are two workers."""
    workers = {} if store_urls.redis_url is None else {"workers": "2"}
    parts = (partner(CPO), partner(CPO), partner(EMSP, V211))
    ids = [f"LOC{number}" for number in range(12)]
    with (
        ForkedHub(tmp_path, {**store_urls._asdict(), **workers, "rate_limit": "off"}) as hub,
        registered(hub, *parts) as [first, second, emsp],
    ):

        def are_taken() -> bool:
            answers = [
                each.start(
                    "PUT", "locations", path_of(each.party, location_id), to=emsp.party, json=place(each, location_id)
                )
                for location_id in ids
                for each in (first, second)
            ]
            return {status(answer.result()) for answer in answers} == {(200, 1000)}

        def push_all() -> dict[tuple[Party, str], str]:
            emsp.received.clear()
            eventually(are_taken, within_s=5)  # the other worker hears a moment later of who has registered
            return {
                (Party(*each.place.path[:2]), each.json()["id"].rpartition("-")[2]): each.json()["id"]
                for each in emsp.received.of("locations")
            }

        shown = push_all()
        assert len(shown) == len(set(shown.values())) == 24
        assert {location_id for location_id in shown.values() if "-" not in location_id} == set(ids)
        assert push_all() == shown

        hub.stop()
        hub.start()

        assert push_all() == shown
        (owner, real), alias = next((key, each) for key, each in shown.items() if "-" in each)
        body = {"response_url": emsp.url("commands", SENDER, "r"), "location_id": alias, "token": card(emsp, "C")}
        for _ in range(6):
            assert emsp.post("commands", "START_SESSION", json=body).data["result"] == "ACCEPTED"
        taker = first if owner == first.party else second
        assert [each.json()["location_id"] for each in taker.received.of("commands")] == [real] * 6
        taker.settle()
