from __future__ import annotations

from typing import Any

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from routing.vocabulary import Party, Role
from tests.partners import new_party


def parties(hub: HubProcess, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - query parameters
    found: list[dict[str, Any]] = hub.operator.ask("GET", "/api/v1/parties", params=query)["items"]
    return found


def invited(hub: HubProcess, *roles: Role) -> Party:
    party = new_party()
    hub.operator.invite(f"Platform of {party.party_id}", parties={party: list(roles)})
    return party


def test_a_party_is_listed_with_its_platform_and_status(hub: HubProcess, cpo: Partner) -> None:
    [party] = parties(hub, q=str(cpo.party).lower())

    assert (party["country_code"], party["party_id"], party["role"]) == (*cpo.party, "CPO")
    assert (party["id"], party["status"], party["name"]) == (str(cpo.party), "CONNECTED", cpo.name)
    assert hub.operator.platform(party["platform_id"])["name"] == cpo.name
    assert party["last_updated"].endswith("Z")


def test_a_party_with_two_roles_is_two_items(hub: HubProcess) -> None:
    party = invited(hub, Role.CPO, Role.EMSP)

    assert sorted(item["role"] for item in parties(hub, q=str(party))) == ["CPO", "EMSP"]
    assert [item["role"] for item in parties(hub, q=str(party), role="EMSP")] == ["EMSP"]


def test_a_role_that_a_party_has_no_longer_is_a_suspended_item(hub: HubProcess, cpo: Partner) -> None:
    cpo.parties = {cpo.party: [Role.CPO, Role.EMSP]}
    cpo.update()
    cpo.parties = {cpo.party: [Role.EMSP]}
    cpo.update()

    listed = [(item["role"], item["status"]) for item in parties(hub, q=str(cpo.party))]
    assert listed == [("EMSP", "CONNECTED"), ("CPO", "SUSPENDED")]
    assert [item["role"] for item in parties(hub, q=str(cpo.party), status="SUSPENDED")] == ["CPO"]
    assert [item["role"] for item in parties(hub, q=str(cpo.party), status="CONNECTED")] == ["EMSP"]


def test_filters_narrow_the_list(hub: HubProcess, emsp: Partner) -> None:
    planned = invited(hub, Role.CPO)

    by_status = {item["id"] for item in parties(hub, status="PLANNED", limit=200)}
    by_role = {item["id"] for item in parties(hub, role="EMSP", limit=200)}
    by_name = {item["id"] for item in parties(hub, q=f"platform OF {planned.party_id}")}
    assert str(planned) in by_status - by_role
    assert str(emsp.party) in by_role - by_status
    assert by_name == {str(planned)}
    assert parties(hub, q="100%") == parties(hub, q="a_b") == []


def test_parties_are_listed_page_by_page(hub: HubProcess) -> None:
    names = {str(invited(hub, Role.CPO)) for _ in range(4)}
    listed: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = hub.operator.ask("GET", "/api/v1/parties", params=query)
        listed += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert listed == sorted(listed)
    assert names <= set(listed)
