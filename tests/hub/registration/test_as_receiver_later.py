"""Partners that are registered: GET, PUT and DELETE credentials."""

from __future__ import annotations

import base64

import pytest

from loadtests.simulator import Answer, HubRefused, Partner
from loadtests.simulator.misbehaviour import HTML
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, Party, Role, Version
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, new_party, partner

CONNECTED, SUSPENDED = ConnectionStatus.CONNECTED, ConnectionStatus.SUSPENDED
SENDER = InterfaceRole.SENDER


def statuses(hub: RunningHub, platform_id: str) -> dict[Party, ConnectionStatus]:
    """The platform's parties in the directory."""
    entries = hub.hub.directory.snapshot.parties.values()
    return {entry.party: entry.status for entry in entries if entry.platform_id == platform_id}


def update_refused(one: Partner, version: Version | None = None) -> Answer:
    """The hub's answer to an update that it must refuse."""
    with pytest.raises(HubRefused) as refusal:
        one.update(version)
    return refusal.value.answer


# --- GET


@pytest.mark.parametrize("version", [Version.V2_2, Version.V2_2_1])
def test_to_a_2_2_platform_the_hub_is_one_role_and_echoes_its_token(
    hub: RunningHub, version: Version, emsp: Partner
) -> None:
    hub.registered(emsp)
    with partner(CPO, version).running() as cpo:
        hub.registered(cpo)
        token = cpo.connection.our_token

        answer = hub.ask("GET", f"/ocpi/{version}/credentials", token)

    assert answer.data == {
        "token": token,
        "url": hub.versions_url,
        "roles": [{"role": "HUB", "country_code": "EU", "party_id": "HUB", "business_details": {"name": "OCPI hub"}}],
    }


def test_to_a_2_1_1_platform_the_hub_is_a_flat_party(hub: RunningHub) -> None:
    with partner(CPO, Version.V2_1_1).running() as cpo:
        hub.registered(cpo)
        token = cpo.connection.our_token

        answer = hub.ask("GET", "/ocpi/2.1.1/credentials", token)

    assert answer.data == {
        "token": token,
        "url": hub.versions_url,
        "country_code": "EU",
        "party_id": "HUB",
        "business_details": {"name": "OCPI hub"},
    }


def test_to_a_2_3_0_platform_the_hub_lists_the_parties_it_reaches(
    fresh_hub: RunningHub, cpo: Partner, emsp: Partner
) -> None:
    with partner(EMSP, Version.V2_3_0).running() as viewer:
        alone = fresh_hub.invite().token_a
        answer = viewer.register(fresh_hub.versions_url, alone)
        assert answer.data["hub_party_id"] == "EUHUB"
        assert [(each["role"], each["party_id"]) for each in answer.data["roles"]] == [("OTHER", "HUB")]

        fresh_hub.registered(cpo)
        left = fresh_hub.registered(emsp)
        fresh_hub.invite(parties=[(new_party(), Role.CPO)])
        token = viewer.connection.our_token
        data = fresh_hub.ask("GET", "/ocpi/2.3.0/credentials", token).data

        assert (data["token"], data["url"], data["hub_party_id"]) == (token, fresh_hub.versions_url, "EUHUB")
        listed = [(each["role"], Party(each["country_code"], each["party_id"])) for each in data["roles"]]
        assert listed == [("CPO", cpo.party), ("EMSP", emsp.party)]
        assert data["roles"][0]["business_details"]["name"] == cpo.name

        emsp.unregister()
        data = fresh_hub.ask("GET", "/ocpi/2.3.0/credentials", token).data
        assert [each["party_id"] for each in data["roles"]] == [cpo.party.party_id]
        assert statuses(fresh_hub, left) == {emsp.party: SUSPENDED}


def test_who_is_only_invited_sees_the_hub_with_the_token_it_has(hub: RunningHub) -> None:
    token_a = hub.invite().token_a

    answer = hub.ask("GET", "/ocpi/2.2.1/credentials", token_a)

    assert answer.data["token"] == token_a
    assert hub.ask("GET", "/ocpi/2.2.1/credentials", token_a).data == answer.data


@pytest.mark.parametrize("spelling", ["base64", "with a newline", "plain", "lower case", "with blanks"])
def test_a_token_is_known_and_echoed_in_every_spelling(hub: RunningHub, cpo: Partner, spelling: str) -> None:
    hub.registered(cpo)
    token = cpo.connection.our_token
    encoded = base64.b64encode(token.encode()).decode()
    value = {
        "base64": f"Token {encoded}",
        "with a newline": "Token " + base64.b64encode(f"{token}\n".encode()).decode(),
        "plain": f"Token {token}",
        "lower case": f"token {encoded}",
        "with blanks": f"Token   {encoded}",
    }[spelling]

    answer = hub.ask("GET", "/ocpi/2.2.1/credentials", "", headers={"authorization": value})

    assert answer.data["token"] == token


# --- PUT


def test_an_update_replaces_tokens_and_endpoints_at_once(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    old_token, [before] = cpo.connection.our_token, hub.record(platform_id).connections
    cpo.modules = frozenset({("locations", SENDER)})
    cpo.ledger.clear()

    answer = cpo.update()

    assert (answer.http_status, answer.status_code) == (200, 1000)
    new_token = answer.data["token"]
    assert new_token != old_token
    assert [each.module for each in cpo.ledger] == ["versions", "details"]
    assert hub.ask("GET", "/ocpi/2.2.1/credentials", old_token).http_status == 401
    assert hub.ask("GET", "/ocpi/2.2.1/credentials", new_token).data["token"] == new_token
    [connection] = hub.hub.directory.snapshot.platform(platform_id).connections
    assert connection.id == before.id
    assert set(connection.endpoints) == {("credentials", SENDER), ("locations", SENDER)}
    [our_token] = cpo.registration.their_tokens
    assert connection.authorization.reveal() == "Token " + base64.b64encode(our_token.encode()).decode()


def test_an_update_may_switch_the_version_up_and_down(hub: RunningHub) -> None:
    parties = {new_party(): CPO}
    with Partner("switching", parties, versions=[Version.V2_2_1, Version.V2_3_0]).running() as cpo:
        platform_id = hub.registered(cpo)
        for version in (Version.V2_3_0, Version.V2_2_1):
            assert cpo.update(version).status_code == 1000
            [connection] = hub.record(platform_id).connections
            assert connection.version is version


def test_a_2_1_1_platform_may_switch_to_a_newer_version_and_back(hub: RunningHub) -> None:
    parties = {new_party(): CPO}
    versions = [Version.V2_1_1, Version.V2_2_1]
    with Partner("old", parties, version=Version.V2_1_1, versions=versions).running() as cpo:
        platform_id = hub.registered(cpo)
        for version in (Version.V2_2_1, Version.V2_1_1):
            assert cpo.update(version).status_code == 1000
            [connection] = hub.hub.directory.snapshot.platform(platform_id).connections
            assert connection.version is version
            assert connection.face is (Face.EMSP if version is Version.V2_1_1 else None)
            assert connection.endpoints[("locations", SENDER)].endswith("locations" if connection.face else "sender")


def test_a_platform_without_a_face_cannot_switch_to_2_1_1(hub: RunningHub, cpo: Partner) -> None:
    hub.registered(cpo)
    body = cpo.registration.credentials(Version.V2_1_1, cpo.invite("token-of-an-update"))

    answer = hub.ask("PUT", "/ocpi/2.1.1/credentials", cpo.connection.our_token, json=body)

    assert (answer.http_status, answer.status_code) == (200, 3002)


def test_a_failed_update_leaves_both_tokens_working(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    token, before = cpo.connection.our_token, hub.record(platform_id)
    cpo.answers_next(HTML, module="versions")

    answer = update_refused(cpo)

    assert (answer.http_status, answer.status_code) == (200, 3001)
    assert hub.ask("GET", "/ocpi/2.2.1/credentials", token).data["token"] == token
    assert hub.record(platform_id) == before


def test_an_update_is_checked_like_a_registration(hub: RunningHub, cpo: Partner, emsp: Partner) -> None:
    hub.registered(emsp)
    platform_id = hub.registered(cpo, require_modules=["cdrs"])
    own = dict(cpo.parties)

    cpo.parties = {emsp.party: CPO}
    assert update_refused(cpo).status_code == 2001
    cpo.parties = {hub.hub.party: CPO}
    assert update_refused(cpo).status_code == 2001
    cpo.parties = {next(iter(own)): [Role.HUB]}
    assert update_refused(cpo).status_code == 2001
    cpo.parties = own
    cpo.modules = frozenset({("locations", SENDER)})
    assert update_refused(cpo).status_code == 3003
    cpo.identity.versions = (Version.V2_2,)
    assert update_refused(cpo).status_code == 3002

    assert statuses(hub, platform_id) == dict.fromkeys(own, CONNECTED)
    assert cpo.get(hub.versions_url).status_code == 1000


def test_parties_that_an_update_drops_are_suspended_and_new_ones_are_connected(hub: RunningHub) -> None:
    stays, goes, comes = new_party(), new_party(), new_party()
    with Partner("changing", {stays: CPO, goes: CPO}).running() as cpo:
        platform_id = hub.registered(cpo)
        cpo.parties = {stays: CPO, comes: EMSP}
        cpo.update()
        assert statuses(hub, platform_id) == {stays: CONNECTED, goes: SUSPENDED, comes: CONNECTED}

        cpo.parties = {stays: CPO, goes: CPO}
        cpo.update()
        assert statuses(hub, platform_id) == {stays: CONNECTED, goes: CONNECTED, comes: SUSPENDED}


# --- DELETE


def test_a_platform_that_leaves_is_forgotten_with_its_tokens(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    token = cpo.connection.our_token

    answer = cpo.unregister()

    assert (answer.http_status, answer.json().keys()) == (200, {"status_code", "timestamp"})
    for path in ("versions", "2.2.1", "2.2.1/credentials", "2.2.1/hubclientinfo"):
        for method in ("GET", "DELETE"):
            assert hub.ask(method, f"/ocpi/{path}", token).http_status == 401
    assert hub.record(platform_id).connections == ()
    assert statuses(hub, platform_id) == {cpo.party: SUSPENDED}


def test_a_platform_that_left_comes_back_with_a_new_invitation(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    cpo.unregister()

    token_a = hub.do(hub.hub.platforms.invite(platform_id, None)).reveal()
    cpo.register(hub.versions_url, token_a)

    assert statuses(hub, platform_id) == {cpo.party: CONNECTED}
    assert cpo.get("hubclientinfo").status_code == 1000
