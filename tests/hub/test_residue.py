from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hub.learning import MOST_RESIDUE
from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from loadtests.simulator.stations import cards, charging_network, session
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.hub.failures.waiting import eventually
from tests.partners import CPO, EMSP, partner, path_of, registered

RECEIVER = InterfaceRole.RECEIVER
LATER = "2027-01-01T00:00:00Z"


@pytest.fixture
def older_emsp(hub: HubProcess) -> Iterator[Partner]:
    with registered(hub, partner(EMSP, Version.V2_1_1)) as [one]:
        yield one


@contextmanager
def wanting(hub: HubProcess, roles: list[Role], version: Version = Version.V2_2_1) -> Iterator[Partner]:
    """A partner that wants back what 2.1.1 takes away."""
    with partner(roles, version).running() as one:
        platform_id = hub.operator.registered(one)
        hub.operator.change(platform_id, residue=True, notify_losses=True)
        yield one


@pytest.fixture
def careful_cpo(hub: HubProcess) -> Iterator[Partner]:
    with wanting(hub, CPO) as one:
        yield one


def place(owner: Party, **more: Any) -> Json:  # noqa: ANN401 - any member of a Location
    """A Location of 2.2.1 with some things that 2.1.1 does not have, and of its inside nothing that it has not."""
    found = charging_network(owner, Version.V2_2_1, stations=1).locations[0]
    for evse in found["evses"]:
        evse["connectors"] = [{**each, "max_electric_power": None} for each in evse["connectors"]]
        for each in evse["connectors"]:
            del each["max_electric_power"]
    own = {"state": "Utrecht", "parking_type": "ON_DRIVEWAY", "publish_allowed_to": [{"uid": "1", "type": "RFID"}]}
    return found | own | more


def pushed(by: Partner, to: Partner, module: str, thing: Json) -> str:
    """The path of an object that was pushed and taken."""
    where = path_of(by.party, thing.get("id") or thing["uid"])
    answer = by.put(module, where, to=to.party, json=thing)
    assert answer.status_code == 1000, answer.body
    return where


def comes_back(by: Partner, of: Partner, module: str, where: str, thing: Json) -> None:
    """Wait for it: what the store does not say in half a second the hub does without."""
    eventually(lambda: read_back(by, of, module, where) == thing)


def read_back(by: Partner, of: Partner, module: str, where: str) -> Json:
    answer = by.get(module, where, to=of.party, interface=RECEIVER)
    assert answer.status_code == 1000, answer.body
    found: Json = answer.data
    return found


@pytest.mark.parametrize("version", [Version.V2_2_1, Version.V2_3_0])
def test_an_owner_reads_back_what_it_pushed(hub: HubProcess, older_emsp: Partner, version: Version) -> None:
    with wanting(hub, CPO, version) as cpo:
        location = place(cpo.party)
        where = pushed(cpo, older_emsp, "locations", location)
        assert "state" not in older_emsp.received[-1].json()

        comes_back(cpo, older_emsp, "locations", where, location)
        assert cpo.sent[-1].answer.header("translation-loss") is None


def test_it_is_so_for_the_parts_of_a_location_too(careful_cpo: Partner, older_emsp: Partner) -> None:
    location = place(careful_cpo.party)
    evse = location["evses"][0]
    connector = {**evse["connectors"][0], "max_electric_power": 22000, "terms_and_conditions": "https://example.org"}
    where = pushed(careful_cpo, older_emsp, "locations", location)
    part = f"{where}/{evse['uid']}/{connector['id']}"

    assert careful_cpo.put("locations", part, to=older_emsp.party, json=connector).status_code == 1000

    assert "max_electric_power" not in older_emsp.received[-1].json()
    comes_back(careful_cpo, older_emsp, "locations", part, connector)


def test_it_is_so_for_tariffs_and_for_the_tokens_of_an_emsp(hub: HubProcess, careful_cpo: Partner) -> None:
    [tariff] = charging_network(careful_cpo.party, Version.V2_2_1, stations=1).tariffs[:1]
    tariff = tariff | {"type": "REGULAR", "min_price": {"excl_vat": 1.50, "incl_vat": 1.82}}
    for component in tariff["elements"][0]["price_components"]:
        del component["vat"]
    with (
        registered(hub, partner(EMSP, Version.V2_1_1), partner(CPO, Version.V2_1_1)) as [older_emsp, older_cpo],
        wanting(hub, EMSP) as emsp,
    ):
        card = cards(emsp.party, Version.V2_2_1, count=1)[0] | {"group_id": "FLEET", "default_profile_type": "GREEN"}

        of_tariff = pushed(careful_cpo, older_emsp, "tariffs", tariff)
        of_card = pushed(emsp, older_cpo, "tokens", card)

        comes_back(careful_cpo, older_emsp, "tariffs", of_tariff, tariff)
        comes_back(emsp, older_cpo, "tokens", of_card, card)


def test_an_object_that_was_updated_since_is_left_as_it_is(careful_cpo: Partner, older_emsp: Partner) -> None:
    where = pushed(careful_cpo, older_emsp, "locations", place(careful_cpo.party))
    [held] = older_emsp.shelf.pushed["locations"].values()
    held["last_updated"] = LATER

    read = read_back(careful_cpo, older_emsp, "locations", where)

    assert "state" not in read
    assert read["last_updated"] == LATER


def test_the_last_push_counts_also_when_it_lost_nothing_or_was_a_change(
    careful_cpo: Partner, older_emsp: Partner
) -> None:
    location = place(careful_cpo.party)
    where = pushed(careful_cpo, older_emsp, "locations", location)

    bare = {name: value for name, value in location.items() if name not in {"state", "publish_allowed_to"}}
    pushed(careful_cpo, older_emsp, "locations", bare)
    comes_back(careful_cpo, older_emsp, "locations", where, bare)

    pushed(careful_cpo, older_emsp, "locations", location)
    change = {"state": None, "last_updated": location["last_updated"]}
    assert careful_cpo.patch("locations", where, to=older_emsp.party, json=change).status_code == 1000
    assert "state" not in read_back(careful_cpo, older_emsp, "locations", where)


def test_each_receiver_has_its_own(hub: HubProcess, careful_cpo: Partner, older_emsp: Partner) -> None:
    with registered(hub, partner(EMSP, Version.V2_1_1)) as [other]:
        where = pushed(careful_cpo, older_emsp, "locations", place(careful_cpo.party, state="Utrecht"))
        pushed(careful_cpo, other, "locations", place(careful_cpo.party, state="Gelderland"))

        for receiver, state in [(older_emsp, "Utrecht"), (other, "Gelderland")]:
            comes_back(careful_cpo, receiver, "locations", where, place(careful_cpo.party, state=state))


def test_what_is_too_large_is_not_remembered(careful_cpo: Partner, older_emsp: Partner) -> None:
    location = place(careful_cpo.party, state="U" * MOST_RESIDUE)
    where = pushed(careful_cpo, older_emsp, "locations", location)

    assert "state" not in read_back(careful_cpo, older_emsp, "locations", where)


def test_sessions_are_not_remembered(careful_cpo: Partner, older_emsp: Partner) -> None:
    card = cards(older_emsp.party, Version.V2_2_1, count=1)[0]
    under_way = session(Version.V2_2_1, "S1", place(careful_cpo.party), card)
    under_way |= {"authorization_reference": "REF-1"}
    where = pushed(careful_cpo, older_emsp, "sessions", under_way)

    assert "authorization_reference" not in read_back(careful_cpo, older_emsp, "sessions", where)


def test_without_the_setting_nothing_comes_back(cpo: Partner, older_emsp: Partner) -> None:
    where = pushed(cpo, older_emsp, "locations", place(cpo.party))

    assert "state" not in read_back(cpo, older_emsp, "locations", where)


def test_it_outlives_a_restart(hub_on_each_store: HubProcess) -> None:
    hub = hub_on_each_store
    with registered(hub, partner(EMSP, Version.V2_1_1)) as [older_emsp], wanting(hub, CPO) as cpo:
        location = place(cpo.party)
        where = pushed(cpo, older_emsp, "locations", location)

        hub.stop()
        hub.start()

        comes_back(cpo, older_emsp, "locations", where, location)
