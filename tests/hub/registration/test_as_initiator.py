"""The hub registers at partners, replaces tokens there, and leaves: what an operator starts."""

from __future__ import annotations

import base64
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.registration import PartnerRefused
from hub.store.records import PlatformRecord
from loadtests.simulator import Answer, Behaviour, Partner, Received, envelope
from loadtests.simulator.misbehaviour import DEAD, HTML, UNAUTHORIZED
from routing.errors import (
    AlreadyRegistered,
    CannotUsePartnerAPI,
    InvalidParameters,
    MissingEndpoints,
    NoCommonVersion,
)
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, Role, Secret, Version
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, new_party, partner

CONNECTED, SUSPENDED, PLANNED = ConnectionStatus.CONNECTED, ConnectionStatus.SUSPENDED, ConnectionStatus.PLANNED
TOKEN_A = "token-a-of-the-partner"


def connect(hub: RunningHub, to: Partner, **choices: Any) -> PlatformRecord:  # noqa: ANN401 - as for `invite`
    """Let the hub register at this partner."""
    return connect_as(hub, to, hub.invite(**choices).platform_id)


def connect_as(hub: RunningHub, to: Partner, platform_id: str) -> PlatformRecord:
    to.invite(TOKEN_A)
    return hub.do(hub.hub.initiator.connect(platform_id, to.versions_url, Secret(TOKEN_A)))


def statuses_during(hub: RunningHub, of: Partner, request_of: str, *paths: str) -> list[int]:
    """HTTP statuses that the token in the hub's POST or PUT gets on these paths while its answer is awaited."""
    [request] = of.ledger.wait_for(lambda request: request.module == "credentials" and request.method == request_of)
    token = request.json()["token"]
    return [hub.ask("GET", path, token).http_status for path in paths]


def token_in(request: Received) -> str:
    token: str = request.json()["token"]
    return token


# --- connect


def test_the_hub_registers_at_a_partner_on_the_newest_version_both_have(hub: RunningHub) -> None:
    versions = [Version.V2_1_1, Version.V2_2, Version.V2_2_1]
    with Partner("asked", {new_party(): CPO}, version=Version.V2_2_1, versions=versions).running() as asked:
        record = connect(hub, asked)

        [connection] = record.connections
        assert (record.status, connection.version) == (CONNECTED, Version.V2_2_1)
        assert [each.party for each in record.parties] == [asked.party]
        assert (record.invitations, record.handshakes) == ((), ())
        assert [(each.module, each.method) for each in asked.ledger] == [
            ("versions", "GET"),
            ("details", "GET"),
            ("credentials", "POST"),
        ]
        encoded = base64.b64encode(TOKEN_A.encode()).decode()
        assert {each.header("authorization") for each in asked.ledger} == {f"Token {encoded}"}
        ids = [each.header(name) for each in asked.ledger for name in ("x-request-id", "x-correlation-id")]
        assert len({*ids} - {None}) == 6
        assert asked.connection.credentials["roles"][0]["role"] == "HUB"
        assert asked.get(hub.versions_url).status_code == 1000
        [known] = hub.hub.directory.snapshot.platform(record.id).connections
        [token_c] = asked.registration.their_tokens
        assert known.authorization.reveal() == "Token " + base64.b64encode(token_c.encode()).decode()


@pytest.mark.parametrize(("face", "role"), [(Face.EMSP, Role.CPO), (Face.CPO, Role.EMSP)])
def test_the_hub_registers_at_a_2_1_1_partner_with_plain_tokens(hub: RunningHub, face: Face, role: Role) -> None:
    with partner([role], Version.V2_1_1).running() as old:
        old.registration.spelling = "plain"
        record = connect(hub, old, face=face)

        [entry] = record.parties
        assert [each.role for each in entry.roles] == [role]
        assert old.connection.credentials["party_id"] == "HUB"


def test_an_operator_may_pin_the_version(hub: RunningHub) -> None:
    versions = [Version.V2_2, Version.V2_2_1]
    with Partner("asked", {new_party(): CPO}, versions=versions).running() as asked:
        record = connect(hub, asked, version=Version.V2_2)

    assert record.connections[0].version is Version.V2_2


def test_without_a_common_version_nothing_is_posted(hub: RunningHub) -> None:
    invited = hub.invite()
    with Partner("old", {new_party(): CPO}, version=Version.V2_1_1).running() as old:
        old.registration.spelling = "plain"
        with pytest.raises(NoCommonVersion, match=r"lists 2\.1\.1"):
            connect_as(hub, old, invited.platform_id)

        assert not old.ledger.of("credentials")
    assert hub.record(invited.platform_id).status is PLANNED


def test_without_an_endpoint_the_operator_demands_nothing_is_posted(hub: RunningHub, cpo: Partner) -> None:
    with pytest.raises(MissingEndpoints, match="lack modules that are required: payments"):
        connect(hub, cpo, require_modules=["payments"])

    assert not cpo.ledger.of("credentials")


def test_during_the_post_its_token_opens_versions_details_and_credentials_only(hub: RunningHub, cpo: Partner) -> None:
    invited = hub.invite()
    cpo.invite(TOKEN_A)
    paths = ["/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.2.1/credentials"]
    closed = ["/ocpi/2.2.1/hubclientinfo"]
    with cpo.pausing(module="credentials"):
        connecting = hub.start(hub.hub.initiator.connect(invited.platform_id, cpo.versions_url, Secret(TOKEN_A)))

        assert statuses_during(hub, cpo, "POST", *paths, *closed) == [200, 200, 200, 401]
        [request] = cpo.ledger.of("credentials")
        for method in ("POST", "PUT", "DELETE"):
            assert hub.ask(method, "/ocpi/2.2.1/credentials", token_in(request), json={}).http_status == 405
        assert not connecting.done()
    connecting.result(10)
    assert statuses_during(hub, cpo, "POST", *paths, *closed) == [200] * 4


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (envelope(status_code=3001, status_message="we cannot reach you"), "status code 3001: we cannot reach you"),
        (envelope(status_code=3002), "status code 3002"),
        (envelope(status_code=3003), "status code 3003"),
        (envelope(status_code=2001, status_message=f"bad {TOKEN_A}"), r"status code 2001: bad \*\*\*"),
        (envelope(http_status=405, status_code=2000), "HTTP 405: to it, this hub is registered there already"),
        (envelope(http_status=500, status_code=3000), "HTTP 500"),
        (Answer(200, (), b"<html>"), "no OCPI envelope"),
        (envelope({"token": "x"}), "no Credentials object: url is missing"),
        (envelope(), "no Credentials object"),
    ],
)
def test_a_partner_that_refuses_leaves_nothing_behind_and_its_reason_is_told(
    hub: RunningHub, cpo: Partner, answer: Answer, said: str
) -> None:
    invited = hub.invite()
    cpo.answers_next(answer, module="credentials")

    with pytest.raises(PartnerRefused, match=said):
        connect_as(hub, cpo, invited.platform_id)

    [request] = cpo.ledger.of("credentials")
    for path in ("/ocpi/versions", "/ocpi/2.2.1/credentials"):
        assert hub.ask("GET", path, token_in(request)).http_status == 401
    record = hub.record(invited.platform_id)
    assert (record.status, record.connections, record.handshakes) == (PLANNED, (), ())
    assert connect_as(hub, cpo, invited.platform_id).status is CONNECTED


def test_a_partner_that_does_not_answer_in_time_may_look_for_a_while_and_no_more(hub: RunningHub, cpo: Partner) -> None:
    invited = hub.invite()
    cpo.answers_next(DEAD, module="credentials")

    with pytest.raises(PartnerRefused, match="did not answer in time"):
        connect_as(hub, cpo, invited.platform_id)

    [request] = cpo.ledger.of("credentials")
    token = token_in(request)
    assert hub.ask("GET", "/ocpi/2.2.1", token).http_status == 200
    assert hub.ask("GET", "/ocpi/2.2.1/hubclientinfo", token).http_status == 401
    record = hub.record(invited.platform_id)
    [handshake] = record.handshakes
    assert handshake.not_after is not None
    assert timedelta(minutes=4) < handshake.not_after - datetime.now(UTC) <= timedelta(minutes=5)
    assert record.connections == ()


@pytest.mark.parametrize("module", ["versions", "details"])
def test_a_partner_whose_lists_cannot_be_read_gets_no_post(hub: RunningHub, cpo: Partner, module: str) -> None:
    cpo.answers_next(HTML, module=module)

    with pytest.raises(CannotUsePartnerAPI, match="no OCPI envelope"):
        connect(hub, cpo)

    assert not cpo.ledger.of("credentials")


def test_a_party_that_is_taken_is_not_accepted_and_the_partner_is_told(hub: RunningHub, cpo: Partner) -> None:
    owner = hub.registered(cpo)
    invited = hub.invite()
    with Partner("thief", {cpo.party: EMSP}).running() as thief:
        with pytest.raises(PartnerRefused, match=f"{cpo.party.party_id} belongs to another platform"):
            connect_as(hub, thief, invited.platform_id)

        assert thief.ledger.wait_for(lambda request: request.method == "DELETE")
        assert thief.registration.connection is None
    assert hub.hub.directory.snapshot.parties[cpo.party].platform_id == owner
    assert hub.record(invited.platform_id).connections == ()


def test_a_partner_that_names_the_hub_itself_is_not_accepted(hub: RunningHub) -> None:
    with (
        Partner("imitator", {hub.hub.party: CPO}).running() as imitator,
        pytest.raises(PartnerRefused, match="is the party of this hub"),
    ):
        connect(hub, imitator)


def test_the_hub_does_not_register_at_itself(hub: RunningHub) -> None:
    invited = hub.invite()
    with pytest.raises(InvalidParameters, match="leads to the hub itself"):
        hub.do(hub.hub.initiator.connect(invited.platform_id, hub.versions_url, Secret(invited.token_a)))


@pytest.mark.parametrize("token_a", ["", "two words", "line\nbreak", "naïve", "x" * 65])
def test_a_token_that_cannot_be_one_is_not_sent(hub: RunningHub, cpo: Partner, token_a: str) -> None:
    invited = hub.invite()
    with pytest.raises(InvalidParameters, match="token is not"):
        hub.do(hub.hub.initiator.connect(invited.platform_id, cpo.versions_url, Secret(token_a)))

    assert not cpo.ledger


def test_2_1_1_takes_an_invitation_that_says_the_role(hub: RunningHub, cpo: Partner) -> None:
    with pytest.raises(InvalidParameters, match="which role the partner has"):
        connect(hub, cpo, version=Version.V2_1_1)


def test_a_partner_may_answer_the_post_with_201(hub: RunningHub, cpo: Partner) -> None:
    cpo.answers_next(Behaviour(edit=lambda answer: Answer(201, answer.headers, answer.body)), module="credentials")

    assert connect(hub, cpo).status is CONNECTED


def test_a_registered_platform_is_not_connected_twice(hub: RunningHub, cpo: Partner) -> None:
    record = connect(hub, cpo)

    with pytest.raises(AlreadyRegistered):
        connect_as(hub, cpo, record.id)


def test_a_2_1_1_company_with_both_roles_has_a_connection_for_each(hub: RunningHub) -> None:
    party = new_party()
    with (
        Partner("as a CPO", {party: CPO}, version=Version.V2_1_1).running() as as_cpo,
        Partner("as an eMSP", {party: EMSP}, version=Version.V2_1_1).running() as as_emsp,
    ):
        record = connect(hub, as_cpo, face=Face.EMSP)
        hub.do(hub.hub.platforms.invite(record.id, Face.CPO))
        record = connect_as(hub, as_emsp, record.id)

    assert {connection.face for connection in record.connections} == {Face.CPO, Face.EMSP}
    [entry] = record.parties
    assert {each.role for each in entry.roles} == {Role.CPO, Role.EMSP}


# --- how the token is spelled


def test_a_partner_that_wants_plain_tokens_is_asked_once_more_and_remembered(hub: RunningHub, cpo: Partner) -> None:
    cpo.registration.spelling = "plain"

    record = connect(hub, cpo)

    spelled = [each.header("authorization") for each in cpo.ledger]
    encoded = base64.b64encode(TOKEN_A.encode()).decode()
    assert spelled == [f"Token {encoded}", *[f"Token {TOKEN_A}"] * 3]
    assert record.connections[0].auth_encoding == "plain"
    cpo.ledger.clear()
    hub.do(hub.hub.initiator.rotate(record.id))
    assert [each.module for each in cpo.ledger] == ["versions", "details", "credentials"]


def test_only_two_spellings_are_ever_tried(hub: RunningHub, cpo: Partner) -> None:
    cpo.behaves(UNAUTHORIZED)

    with pytest.raises(CannotUsePartnerAPI, match="HTTP 401"):
        connect(hub, cpo)

    assert len(cpo.ledger) == 2


def test_the_spelling_an_operator_sets_is_the_only_one(hub: RunningHub, cpo: Partner) -> None:
    invited = hub.invite()
    hub.do(hub.hub.platforms.change(invited.platform_id, quirks=Quirks(auth_encoding="plain")))
    cpo.registration.spelling = "base64"

    with pytest.raises(CannotUsePartnerAPI, match="HTTP 401"):
        connect_as(hub, cpo, invited.platform_id)

    assert [each.header("authorization") for each in cpo.ledger] == [f"Token {TOKEN_A}"]


# --- rotate


def test_rotating_replaces_the_tokens_of_both_directions(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    old_token, [old_ours] = cpo.connection.our_token, cpo.registration.their_tokens
    cpo.ledger.clear()

    hub.do(hub.hub.initiator.rotate(platform_id))

    assert [(each.module, each.method) for each in cpo.ledger] == [
        ("versions", "GET"),
        ("details", "GET"),
        ("credentials", "PUT"),
    ]
    new_token, [new_ours] = cpo.connection.our_token, cpo.registration.their_tokens
    assert old_token != new_token
    assert old_ours != new_ours
    assert hub.ask("GET", "/ocpi/versions", old_token).http_status == 401
    assert hub.ask("GET", "/ocpi/2.2.1/hubclientinfo", new_token).http_status == 200
    [connection] = hub.hub.directory.snapshot.platform(platform_id).connections
    assert connection.authorization.reveal() == "Token " + base64.b64encode(new_ours.encode()).decode()


def test_both_tokens_are_valid_until_the_partner_has_answered(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    old_token = cpo.connection.our_token
    with cpo.pausing(module="credentials"):
        rotating = hub.start(hub.hub.initiator.rotate(platform_id))

        assert statuses_during(hub, cpo, "PUT", "/ocpi/versions", "/ocpi/2.2.1/hubclientinfo") == [200, 200]
        assert hub.ask("GET", "/ocpi/2.2.1/hubclientinfo", old_token).http_status == 200
        assert not rotating.done()
    rotating.result(10)
    assert hub.ask("GET", "/ocpi/2.2.1/hubclientinfo", old_token).http_status == 401


def test_new_endpoints_of_the_partner_are_found_when_rotating(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    cpo.modules = frozenset({("locations", InterfaceRole.SENDER)})

    record = hub.do(hub.hub.initiator.rotate(platform_id))

    assert sorted(each.module for each in record.connections[0].endpoints) == ["credentials", "locations"]


def test_the_hub_may_move_a_partner_to_another_version(hub: RunningHub) -> None:
    versions = [Version.V2_2_1, Version.V2_3_0]
    with Partner("moving", {new_party(): CPO}, versions=versions).running() as moving:
        platform_id = hub.registered(moving)
        record = hub.do(hub.hub.initiator.rotate(platform_id, Version.V2_3_0))

        assert record.connections[0].version is Version.V2_3_0
        assert moving.connection.version is Version.V2_3_0
        with pytest.raises(InvalidParameters, match="takes an invitation"):
            hub.do(hub.hub.initiator.rotate(platform_id, Version.V2_1_1))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (envelope(http_status=405, status_code=2000), "not registered there"),
        (envelope(status_code=3001), "3001"),
        (Behaviour(reset=True), "without an answer"),
    ],
    ids=["says it knows no registration", "cannot look at the hub", "hangs up"],
)
def test_a_partner_that_refuses_new_tokens_keeps_the_old_ones_and_gets_no_post(
    hub: RunningHub, cpo: Partner, fault: Answer | Behaviour, said: str
) -> None:
    platform_id = hub.registered(cpo)
    before, token = hub.record(platform_id), cpo.connection.our_token
    cpo.answers_next(fault, module="credentials")

    with pytest.raises(PartnerRefused, match=said):
        hub.do(hub.hub.initiator.rotate(platform_id))

    assert [each.method for each in cpo.ledger.of("credentials")] == ["PUT"]
    after = hub.record(platform_id)
    assert (after.connections, after.handshakes) == (before.connections, ())
    assert hub.ask("GET", "/ocpi/2.2.1/hubclientinfo", token).http_status == 200
    assert hub.do(hub.hub.initiator.rotate(platform_id)).status is CONNECTED


def test_a_platform_that_is_not_registered_has_no_token_to_rotate(hub: RunningHub) -> None:
    with pytest.raises(InvalidParameters, match="not registered"):
        hub.do(hub.hub.initiator.rotate(hub.invite().platform_id))


# --- remove


def test_a_removed_platform_is_told_and_forgotten(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    token = cpo.connection.our_token

    hub.do(hub.hub.initiator.remove(platform_id))

    [farewell] = cpo.ledger.of("credentials")
    assert farewell.method == "DELETE"
    assert cpo.registration.connection is None
    assert hub.ask("GET", "/ocpi/versions", token).http_status == 401
    record = hub.record(platform_id)
    assert (record.status, record.connections) == (SUSPENDED, ())
    assert [entry.status for entry in record.parties] == [SUSPENDED]


@pytest.mark.parametrize("fault", [DEAD, UNAUTHORIZED, HTML], ids=["silent", "refusing", "a web page"])
def test_a_platform_is_removed_whatever_the_partner_answers(hub: RunningHub, cpo: Partner, fault: Behaviour) -> None:
    platform_id = hub.registered(cpo)
    cpo.behaves(fault)

    hub.do(hub.hub.initiator.remove(platform_id))

    assert hub.record(platform_id).status is SUSPENDED


def test_a_platform_whose_partner_is_gone_is_removed(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    with cpo.port_closed():
        hub.do(hub.hub.initiator.remove(platform_id))

    assert hub.record(platform_id).connections == ()


def test_a_platform_whose_token_cannot_be_read_any_more_is_removed(fresh_hub: RunningHub, cpo: Partner) -> None:
    platform_id = fresh_hub.registered(cpo)
    with sqlite3.connect(fresh_hub.database_file) as database:
        database.execute("UPDATE connections SET our_token = x'00'")
    database.close()

    fresh_hub.do(fresh_hub.hub.initiator.remove(platform_id))

    assert fresh_hub.record(platform_id).connections == ()
    assert not cpo.ledger.of("credentials")


def test_an_invitation_that_is_removed_opens_nothing_any_more(hub: RunningHub) -> None:
    invited = hub.invite()

    hub.do(hub.hub.initiator.remove(invited.platform_id))

    assert hub.ask("GET", "/ocpi/versions", invited.token_a).http_status == 401
