from __future__ import annotations

import time
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.hub.scenarios.conftest import platform_of

SESSION = {
    "start_date_time": "2026-11-22T08:00:00Z",
    "kwh": 1.5,
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": "E1",
    "connector_id": "1",
    "currency": "EUR",
    "last_updated": "2026-11-22T08:00:00Z",
}


def impact(hub: HubProcess, platform_id: str, action: str) -> dict[str, Any]:
    found: dict[str, Any] = hub.operator.ask(
        "GET", f"/api/v1/platforms/{platform_id}/impact", params={"action": action}
    )
    return found


def session(cpo: Partner, emsp: Partner, id_: str, status: str) -> dict[str, Any]:
    """A Session of a driver of the eMSP's at the CPO."""
    token = {
        "country_code": emsp.party.country_code,
        "party_id": emsp.party.party_id,
        "uid": "0102030405",
        "type": "RFID",
        "contract_id": f"{emsp.party.country_code}{emsp.party.party_id}C1",
    }
    owner = {"country_code": cpo.party.country_code, "party_id": cpo.party.party_id}
    return {**owner, "id": id_, "status": status, "cdr_token": token, **SESSION}


def test_numbers_say_what_an_action_is_about(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    own = platform_of(hub, cpo)
    for id_, status in (("S1", "ACTIVE"), ("S2", "PENDING"), ("S3", "COMPLETED")):
        body = session(cpo, emsp, id_, status)
        assert cpo.put("sessions", f"{'/'.join(cpo.party)}/{id_}", to=emsp.party, json=body).http_status == 200

    until = time.monotonic() + 10  # what the hub has seen is written a moment later
    while (before := impact(hub, own, "suspend"))["sessions"] != 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert (before["parties"], before["peers"], before["told"]) == (1, 1, 1)
    assert before["sessions"] == 2
    assert impact(hub, platform_of(hub, emsp), "remove")["sessions"] == 2
    assert impact(hub, own, "resume")["parties"] == 0
    assert impact(hub, own, "rotate") == {**before, "action": "rotate", "parties": 0, "peers": 0, "told": 0}
    assert hub.operator.ask("GET", f"/api/v1/platforms/{own}")["status"] == "CONNECTED"

    hub.operator.ask("POST", f"/api/v1/platforms/{own}/suspend")
    assert impact(hub, own, "suspend")["parties"] == 0
    assert impact(hub, own, "resume")["parties"] == 1


@pytest.mark.parametrize(("path", "status"), [("x/impact?action=suspend", 404), ("x/impact?action=eat", 400)])
def test_what_there_is_no_impact_of_is_a_problem(hub: HubProcess, path: str, status: int) -> None:
    answer = hub.operator.api.get(f"/api/v1/platforms/{path}")

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
