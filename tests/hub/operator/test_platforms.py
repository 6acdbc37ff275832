from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from loadtests.simulator.misbehaviour import DEAD, UNAUTHORIZED
from routing.quirks import Quirks
from routing.vocabulary import Role, Version
from tests.partners import CPO, new_party, partner, registered

PLATFORMS = "/api/v1/platforms"


def moment(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


def shown(hub: HubProcess, platform_id: str) -> dict[str, Any]:
    return hub.operator.platform(platform_id)


def test_a_new_platform_is_planned_and_its_token_is_shown_once(hub: HubProcess) -> None:
    party = new_party()
    body = {
        "name": "Volt",
        "parties": [{"country_code": party.country_code.lower(), "party_id": party.party_id.lower(), "role": "CPO"}],
        "require_modules": ["Locations"],
        "expires_at": "2036-01-01T00:00:00+01:00",
    }
    answer = hub.operator.api.post(PLATFORMS, json=body)

    created = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{PLATFORMS}/{created['id']}"
    assert created == {
        "id": created["id"],
        "name": "Volt",
        "status": "PLANNED",
        "token_a": created["token_a"],
        "versions_url": hub.versions_url,
    }
    assert len(created["token_a"]) >= 22
    platform = hub.operator.api.get(f"{PLATFORMS}/{created['id']}")
    assert created["token_a"] not in platform.text
    found = platform.json()
    [known] = found["parties"]
    assert (known["id"], known["role"], known["status"]) == (str(party), "CPO", "PLANNED")
    assert (known["country_code"], known["party_id"]) == party
    assert found["require_modules"] == ["locations"]
    assert found["invitations"][0]["expires_at"] == "2035-12-31T23:00:00Z"
    assert found["version"] is None
    assert found["endpoints"] == []
    assert found["last_seen"] is None
    assert datetime.now(UTC) - moment(found["created_at"]) < timedelta(minutes=5)


def test_a_party_of_another_platform_cannot_be_invited(hub: HubProcess, cpo: Partner) -> None:
    party = {"country_code": cpo.party.country_code, "party_id": cpo.party.party_id, "role": "CPO"}
    answer = hub.operator.api.post(PLATFORMS, json={"name": "Thief", "parties": [party]})

    assert answer.status_code == 422
    assert str(cpo.party) in answer.json()["detail"]


def test_a_registered_platform_shows_what_it_registered(hub: HubProcess) -> None:
    with partner(CPO).running() as cpo:
        platform = shown(hub, hub.operator.registered(cpo))

        assert platform["status"] == "CONNECTED"
        assert platform["version"] == "2.2.1"
        assert platform["name"] == cpo.name
        assert platform["invitations"] == []
        [party] = platform["parties"]
        assert (party["id"], party["status"], party["name"]) == (str(cpo.party), "CONNECTED", cpo.name)
        locations = next(each for each in platform["endpoints"] if each["module"] == "locations")
        assert (locations["interface"], locations["face"]) == ("SENDER", None)
        assert locations["url"].startswith(cpo.base)
        assert cpo.connection.our_token not in str(platform)


@pytest.mark.parametrize(("face", "roles"), [("CPO", [Role.CPO]), ("EMSP", [Role.EMSP])])
def test_the_face_of_an_older_partner_is_its_own_role(hub: HubProcess, face: str, roles: list[Role]) -> None:
    with partner(roles, Version.V2_1_1).running() as older:
        invitation = hub.operator.invite(older.name, face=Role(face), version="2.1.1")
        assert shown(hub, invitation.platform_id)["invitations"][0]["face"] == face
        older.register(invitation.versions_url, invitation.token_a)
        platform = shown(hub, invitation.platform_id)

        assert [party["role"] for party in platform["parties"]] == [face]
        assert {endpoint["face"] for endpoint in platform["endpoints"]} == {face}


def test_effective_settings_are_shown_with_their_defaults(hub: HubProcess) -> None:
    platform = shown(hub, hub.operator.invite("Volt").platform_id)

    assert set(platform["settings"]) == set(Quirks.__struct_fields__)
    assert platform["settings"]["auth_encoding"] == "auto"
    assert platform["settings"]["timeout_s"] == 30
    assert platform["settings"]["hosts_allowed"] == []


def test_settings_change_by_key_and_go_back_by_null(hub: HubProcess) -> None:
    path = f"{PLATFORMS}/{hub.operator.invite('Volt').platform_id}"
    hub.operator.ask("PATCH", path, json={"settings": {"timeout_s": 2.5, "strict_ids": True}})
    hub.operator.ask("PATCH", path, json={"settings": {"hosts_allowed": ["cdn.example.com"]}, "name": "Volt 2"})
    platform = hub.operator.ask("PATCH", path, json={"settings": {"timeout_s": None}})

    assert platform == hub.operator.ask("GET", path)
    assert platform["name"] == "Volt 2"
    assert platform["settings"]["timeout_s"] == 30
    assert platform["settings"]["strict_ids"] is True
    assert platform["settings"]["hosts_allowed"] == ["cdn.example.com"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"speed": 1}, "the settings are additive, ascii_only"),
        ({"timeout_s": "fast"}, "settings.timeout_s"),
        ({"timeout_s": 0}, "settings.timeout_s"),
        ({"timeout_s": 1e300}, "settings.timeout_s"),
        ({"concurrency": 1.5}, "settings.concurrency"),
        ({"auth_encoding": "rot13"}, "settings.auth_encoding"),
        ({"hosts_allowed": "example.com"}, "settings.hosts_allowed"),
        ({"hosts_allowed": [""]}, "settings.hosts_allowed[0]"),
    ],
)
def test_a_setting_that_is_none_is_refused_and_nothing_changes(
    hub: HubProcess, settings: dict[str, Any], said: str
) -> None:
    path = f"{PLATFORMS}/{hub.operator.invite('Volt').platform_id}"
    before = hub.operator.ask("GET", path)
    answer = hub.operator.api.patch(path, json={"name": "Other", "settings": settings})

    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert hub.operator.ask("GET", path) == before


def test_platforms_are_listed_page_by_page_the_oldest_first(hub: HubProcess) -> None:
    made = [hub.operator.invite(f"P{number}").platform_id for number in range(5)]
    listed: list[str] = []
    cursor = None
    while True:
        page = hub.operator.ask("GET", PLATFORMS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        assert set(page) == {"items", "next_cursor", "counts", "matched"}
        assert len(page["items"]) <= 2
        listed += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert listed[-5:] == made
    assert len(set(listed)) == len(listed)


def test_the_hub_registers_at_a_partner(hub: HubProcess) -> None:
    with partner(CPO).running() as cpo:
        platform = shown(hub, hub.operator.connected(cpo))

        assert platform["status"] == "CONNECTED"
        assert [party["id"] for party in platform["parties"]] == [str(cpo.party)]


def test_a_refusal_of_the_partner_is_passed_on_with_its_reason(hub: HubProcess) -> None:
    with partner(CPO).running() as cpo:
        platform_id = hub.operator.invite(cpo.name).platform_id
        cpo.behaves(UNAUTHORIZED)
        body = {"versions_url": cpo.versions_url, "token_a": "token-of-the-partner"}
        answer = hub.operator.api.post(f"{PLATFORMS}/{platform_id}/connect", json=body)

    assert answer.status_code == 502
    assert "401" in answer.json()["detail"]
    assert "token-of-the-partner" not in answer.text
    assert shown(hub, platform_id)["status"] == "PLANNED"


def test_a_partner_that_is_not_there_is_reported(hub: HubProcess) -> None:
    platform_id = hub.operator.invite("Gone").platform_id
    with partner(CPO).running() as cpo, cpo.port_closed():
        body = {"versions_url": cpo.versions_url, "token_a": "x"}
        answer = hub.operator.api.post(f"{PLATFORMS}/{platform_id}/connect", json=body)

    assert answer.status_code == 502


def test_a_registered_platform_is_not_connected_or_invited_again(hub: HubProcess) -> None:
    with partner(CPO).running() as cpo:
        platform_id = hub.operator.registered(cpo)
        body = {"versions_url": cpo.versions_url, "token_a": "x"}

        assert hub.operator.api.post(f"{PLATFORMS}/{platform_id}/connect", json=body).status_code == 409
        assert hub.operator.api.post(f"{PLATFORMS}/{platform_id}/invite").status_code == 409


def test_rotating_gives_both_sides_new_tokens(hub: HubProcess) -> None:
    with partner(CPO).running() as cpo:
        platform_id = hub.operator.registered(cpo)
        before = cpo.connection.our_token
        platform = hub.operator.ask("POST", f"{PLATFORMS}/{platform_id}/rotate")

        assert platform["status"] == "CONNECTED"
        assert cpo.connection.our_token != before
        assert cpo.get(hub.versions_url).http_status == 200


def test_rotating_what_is_not_registered_is_refused(hub: HubProcess) -> None:
    platform_id = hub.operator.invite("Volt").platform_id

    assert hub.operator.api.post(f"{PLATFORMS}/{platform_id}/rotate").status_code == 422


def test_a_suspended_platform_is_refused_until_it_is_resumed(hub: HubProcess) -> None:
    with partner(CPO).running() as cpo:
        platform_id = hub.operator.registered(cpo)
        suspended = hub.operator.ask("POST", f"{PLATFORMS}/{platform_id}/suspend")
        refused = cpo.get(hub.versions_url)
        resumed = hub.operator.ask("POST", f"{PLATFORMS}/{platform_id}/resume")
        accepted = cpo.get(hub.versions_url)

    assert (suspended["status"], resumed["status"]) == ("SUSPENDED", "CONNECTED")
    assert [party["status"] for party in suspended["parties"]] == ["SUSPENDED"]
    assert (refused.http_status, accepted.http_status) == (401, 200)


def test_a_removed_platform_stays_listed_and_can_be_invited_again(hub: HubProcess) -> None:
    with partner(CPO).running() as cpo:
        platform_id = hub.operator.registered(cpo)
        answer = hub.operator.api.delete(f"{PLATFORMS}/{platform_id}")
        removed = shown(hub, platform_id)
        invited = hub.operator.ask("POST", f"{PLATFORMS}/{platform_id}/invite", json={})
        cpo.register(invited["versions_url"], invited["token_a"])

        assert (answer.status_code, answer.content) == (204, b"")
        assert removed["status"] == "SUSPENDED"
        assert [party["status"] for party in removed["parties"]] == ["SUSPENDED"]
        assert removed["endpoints"] == []
        assert shown(hub, platform_id)["status"] == "CONNECTED"


def test_a_platform_is_removed_even_if_it_does_not_answer(hub: HubProcess) -> None:
    with partner(CPO).running() as cpo:
        platform_id = hub.operator.registered(cpo)
        cpo.answers_next(DEAD, module="credentials", method="DELETE")
        answer = hub.operator.api.delete(f"{PLATFORMS}/{platform_id}")

        assert answer.status_code == 204
        assert shown(hub, platform_id)["status"] == "SUSPENDED"


def test_names_of_partners_come_back_as_data(hub: HubProcess) -> None:
    name = "<script>alert('x')</script>\u202e"
    platform_id = hub.operator.invite(name).platform_id
    answer = hub.operator.api.get(f"{PLATFORMS}/{platform_id}")

    assert answer.json()["name"] == name
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_catalogue_of_settings_has_every_one_with_its_default_and_what_it_is_for(hub: HubProcess) -> None:
    items = hub.operator.ask("GET", "/api/v1/quirks")["items"]
    settings = shown(hub, hub.operator.invite("Untouched").platform_id)["settings"]

    assert {each["id"]: each["default"] for each in items} == settings
    assert all(each["text"].endswith((".", "`.")) for each in items)


def test_the_fingerprint_of_a_token_changes_with_the_token(hub: HubProcess) -> None:
    with registered(hub, partner(CPO)) as [cpo]:
        [platform_id] = [each["id"] for each in hub.operator.platforms() if each["name"] == cpo.name]
        [before] = shown(hub, platform_id)["connections"]
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/rotate")
        [after] = shown(hub, platform_id)["connections"]

        assert before["versions_url"] == after["versions_url"] == cpo.versions_url
        assert before["fingerprint"] != after["fingerprint"]
        assert before["tokens_since"] < after["tokens_since"]
