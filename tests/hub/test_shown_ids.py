"""What a 2.1.1 partner is shown and what it means, seen from inside of a hub: bytes, stores that fail, alarms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest
from structlog.testing import capture_logs

from hub.first_pushes import ENOUGH
from loadtests.simulator import Partner, envelope
from routing.vocabulary import Version
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, partner, path_of

V211 = Version.V2_1_1
BODY = b'{ "id":"LOC1","name" : "as it is", "coordinates":{"latitude":1.50}, "evses":[] }'


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub shared by the tests of this module."""
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


class Parts(NamedTuple):
    """Two on 2.1.1, and a CPO of a later version, which says whom it means."""

    cpo: Partner
    emsp: Partner
    newer_cpo: Partner

    def pushes(self, location_id: str) -> int:
        """Push a Location to the eMSP; the status of the answer."""
        where = path_of(self.newer_cpo.party, location_id)
        return self.newer_cpo.put("locations", where, to=self.emsp.party, json={"id": location_id}).status_code


@pytest.fixture
def older(hub: RunningHub) -> Iterator[Parts]:
    """Registered for one test."""
    parts = Parts(partner(CPO, V211), partner(EMSP, V211), partner(CPO))
    with ExitStack() as stack:
        for each in parts:
            stack.enter_context(each.running())
            hub.registered(each)
        for each in parts:
            each.received.clear()
        yield parts


def test_bytes_between_two_partners_of_2_1_1_stay_as_they_are_while_no_id_is_another(older: Parts) -> None:
    path = path_of(older.cpo.party, "LOC1")

    assert older.cpo.put("locations", path, body=BODY).status_code == 1000

    [arrived] = older.emsp.received.wait_for("locations")
    assert arrived.body == BODY


def test_of_a_body_with_an_alias_nothing_else_is_changed(older: Parts) -> None:
    assert older.pushes("LOC1") == 1000
    older.emsp.received.clear()

    assert older.cpo.put("locations", path_of(older.cpo.party, "LOC1"), body=BODY).status_code == 1000

    [arrived] = older.emsp.received.wait_for("locations")
    alias = f"{''.join(older.cpo.party)}-LOC1"
    assert arrived.place.path[2] == alias
    assert arrived.body == (
        f'{{"id":"{alias}","name":"as it is","coordinates":{{"latitude":1.50}},"evses":[]}}'.encode()
    )


def test_without_a_store_nothing_new_is_shown_and_what_is_known_goes_on(hub: RunningHub, older: Parts) -> None:
    assert older.pushes("KNOWN") == 1000
    body = {
        "response_url": f"{older.emsp.base}/results/1",
        "location_id": "KNOWN",
        "token": {"uid": "U", "auth_id": "C", "type": "RFID"},
    }
    assert older.emsp.post("commands", "START_SESSION", json=body).status_code == 1000
    older.newer_cpo.settle()
    older.emsp.received.clear()

    hub.in_database("ALTER TABLE shown_ids RENAME TO elsewhere")
    assert older.pushes("NEW") == 3000
    assert older.emsp.received.of("locations") == []
    assert older.emsp.post("commands", "START_SESSION", json=body | {"location_id": "NEW"}).status_code == 3000
    assert older.emsp.get("locations", "NEW").status_code == 3000
    assert older.pushes("KNOWN") == 1000
    assert len(older.emsp.received.of("locations")) == 1
    hub.in_database("ALTER TABLE elsewhere RENAME TO shown_ids")
    assert older.pushes("NEW") == 1000


def test_ids_of_another_kind_than_they_should_be_are_not_looked_up(older: Parts) -> None:
    body = {"response_url": f"{older.emsp.base}/results/1", "session_id": 7}

    answer = older.emsp.post("commands", "STOP_SESSION", json=body)

    assert (answer.status_code, answer.data["result"]) == (1000, "UNKNOWN_SESSION")
    assert older.emsp.get("locations", "x" * 100).status_code == 2003


def test_the_operator_hears_of_a_partner_that_takes_nothing_of_others_once(older: Parts) -> None:
    older.emsp.answers_next(envelope(status_code=2000, http_status=404), module="locations", times=2 * ENOUGH)

    with capture_logs() as logs:
        for number in range(2 * ENOUGH):
            older.pushes(f"L{number}")

    [alarm] = [line for line in logs if line["event"] == "first_pushes_all_refused"]
    assert alarm["log_level"] == "warning"
    assert "owner_mode" in alarm["advice"]


def test_a_partner_that_took_one_push_is_no_reason_for_an_alarm(older: Parts) -> None:
    with capture_logs() as logs:
        older.pushes("FIRST")
        older.emsp.answers_next(envelope(status_code=2000, http_status=404), module="locations", times=2 * ENOUGH)
        for number in range(2 * ENOUGH):
            older.pushes(f"L{number}")

    assert not [line for line in logs if line["event"] == "first_pushes_all_refused"]


def test_partners_of_later_versions_cost_no_look_at_the_store(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.hub.shown_ids, "shown", None)
    monkeypatch.setattr(hub.hub.shown_ids, "owned", None)
    cpo, emsp = partner(CPO), partner(EMSP)
    with cpo.running(), emsp.running():
        for each in (cpo, emsp):
            hub.registered(each)
        answer = cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json={"id": "LOC1"})

    assert answer.status_code == 1000
