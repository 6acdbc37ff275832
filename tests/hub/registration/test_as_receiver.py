"""Partners register at the hub: POST credentials."""

from __future__ import annotations

import base64
from concurrent.futures import Future
from typing import Any

import pytest

from loadtests.simulator import Answer, Behaviour, HubRefused, Json, Partner, envelope
from loadtests.simulator.misbehaviour import DEAD, HTML, RESETTING
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, Role, Version
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, new_party, partner

CONNECTED, SUSPENDED, PLANNED = ConnectionStatus.CONNECTED, ConnectionStatus.SUSPENDED, ConnectionStatus.PLANNED


def credentials(of: Partner, version: Version = Version.V2_2_1, **changes: Any) -> Json:  # noqa: ANN401 - any JSON
    """What this partner would send. The hub may call back with the token in it."""
    token = of.invite(changes.pop("token", "token-b-of-this-test"))
    return of.registration.credentials(version, token) | changes


def refused(hub: RunningHub, of: Partner, token_a: str) -> Answer:
    """The hub's answer to a registration that it must refuse."""
    with pytest.raises(HubRefused) as refusal:
        of.register(hub.versions_url, token_a)
    return refusal.value.answer


# --- POST


@pytest.mark.parametrize("version", [Version.V2_2, Version.V2_2_1, Version.V2_3_0])
def test_a_platform_registers_and_gets_a_token_of_its_own(hub: RunningHub, version: Version) -> None:
    invited = hub.invite()
    with partner(CPO, version).running() as one:
        answer = one.register(hub.versions_url, invited.token_a)

        assert (answer.http_status, answer.status_code) == (200, 1000)
        token_c = answer.data["token"]
        assert token_c != invited.token_a
        assert 22 <= len(token_c) <= 64
        assert [(each.module, each.method) for each in one.ledger] == [("versions", "GET"), ("details", "GET")]
        assert {each.header("authorization") for each in one.ledger} == {
            "Token " + base64.b64encode(next(iter(one.registration.their_tokens)).encode()).decode()
        }

    record = hub.record(invited.platform_id)
    [connection] = record.connections
    assert (record.status, connection.version) == (CONNECTED, version)
    assert {entry.party: entry.status for entry in record.parties} == {one.party: CONNECTED}
    assert hub.ask("GET", "/ocpi/versions", token_c).status_code == 1000
    for path in ("/ocpi/versions", f"/ocpi/{version}", f"/ocpi/{version}/credentials"):
        assert hub.ask("GET", path, invited.token_a).http_status == 401


@pytest.mark.parametrize(("face", "role"), [(Face.EMSP, Role.CPO), (Face.CPO, Role.EMSP)])
def test_a_2_1_1_platform_registers_in_the_role_opposite_to_the_face(hub: RunningHub, face: Face, role: Role) -> None:
    invited = hub.invite(face=face)
    with partner([role], Version.V2_1_1).running() as one:
        answer = one.register(hub.versions_url, invited.token_a)

        assert answer.data.keys() == {"token", "url", "business_details", "party_id", "country_code"}
        assert {each.header("authorization") for each in one.ledger} == {
            "Token " + next(iter(one.registration.their_tokens))
        }
    [entry] = hub.record(invited.platform_id).parties
    assert (entry.party, [each.role for each in entry.roles]) == (one.party, [role])


def test_a_platform_that_is_registered_cannot_register_again(hub: RunningHub, cpo: Partner) -> None:
    hub.registered(cpo)
    token = cpo.connection.our_token

    answer = hub.ask("POST", "/ocpi/2.2.1/credentials", token, json=credentials(cpo))

    assert answer.http_status == 405
    assert answer.header("allow") == "GET, PUT, DELETE"
    assert hub.ask("GET", "/ocpi/2.2.1/credentials", token).data["token"] == token


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_who_is_only_invited_cannot_update_or_leave(hub: RunningHub, cpo: Partner, method: str) -> None:
    invited = hub.invite()

    answer = hub.ask(method, "/ocpi/2.2.1/credentials", invited.token_a, json=credentials(cpo))

    assert answer.http_status == 405
    assert answer.header("allow") == "GET, POST"
    assert not cpo.ledger


def test_credentials_cannot_be_patched(hub: RunningHub) -> None:
    answer = hub.ask("PATCH", "/ocpi/2.2.1/credentials", hub.invite().token_a, json={})

    assert answer.http_status == 405
    assert answer.header("allow") == "GET, POST, PUT, DELETE"


@pytest.mark.parametrize("module", ["versions", "details"])
@pytest.mark.parametrize(
    "fault",
    [
        RESETTING,
        HTML,
        Behaviour(answer=envelope(http_status=500, status_code=3000)),
        Behaviour(answer=envelope(status_code=2000, status_message="not you")),
        Behaviour(answer=envelope({"version": "2.2.1"})),
        Behaviour(answer=Answer(302, (("location", "https://elsewhere.example"),), b"")),
    ],
    ids=["closes the connection", "is a web page", "is HTTP 500", "is an OCPI error", "has other data", "redirects"],
)
def test_a_partner_whose_lists_cannot_be_read_is_not_registered_and_may_try_again(
    hub: RunningHub, cpo: Partner, module: str, fault: Behaviour
) -> None:
    invited = hub.invite()
    cpo.answers_next(fault, module=module, times=2)  # a GET is tried once more after a broken connection

    answer = refused(hub, cpo, invited.token_a)

    cpo.script.clear()
    expected = 3003 if module == "details" and fault.answer and fault.answer.body.count(b'"version"') else 3001
    assert (answer.http_status, answer.status_code) == (200, expected)
    [presented] = {each.header("authorization") for each in cpo.ledger}
    assert base64.b64decode((presented or "").split()[1]) not in answer.body
    assert hub.record(invited.platform_id).connections == ()
    assert cpo.register(hub.versions_url, invited.token_a).status_code == 1000


def test_a_partner_that_cannot_be_reached_is_not_registered(hub: RunningHub, cpo: Partner) -> None:
    invited, body = hub.invite(), credentials(cpo)
    with cpo.port_closed():
        answer = hub.ask("POST", "/ocpi/2.2.1/credentials", invited.token_a, json=body)

    assert (answer.http_status, answer.status_code) == (200, 3001)
    assert "versions URL" in (answer.envelope.status_message or "")
    assert hub.record(invited.platform_id).status is PLANNED


def test_a_partner_with_a_bad_certificate_is_not_registered(hub: RunningHub, untrusted: Partner) -> None:
    body = credentials(untrusted)

    answer = hub.ask("POST", "/ocpi/2.2.1/credentials", hub.invite().token_a, json=body)

    assert (answer.http_status, answer.status_code) == (200, 3001)


def test_a_partner_that_answers_too_slowly_is_refused_in_time_and_nobody_else_waits(
    hub: RunningHub, cpo: Partner
) -> None:
    invited, other = hub.invite(), hub.invite()
    cpo.answers_next(DEAD, module="versions")
    registration: Future[Answer] = cpo.start(
        "POST", f"{hub.url}/ocpi/2.2.1/credentials", token=invited.token_a, json=credentials(cpo), sender=None
    )
    cpo.ledger.wait_for("versions")

    with partner(EMSP).running() as quick:
        assert quick.register(hub.versions_url, other.token_a).status_code == 1000
    assert not registration.done()
    answer = registration.result(hub.callbacks_within_s + 5)
    assert (answer.http_status, answer.status_code) == (200, 3001)
    assert hub.record(invited.platform_id).status is PLANNED


def test_a_partner_without_the_version_of_the_url_gets_3002(hub: RunningHub) -> None:
    with Partner("old", {new_party(): CPO}, version=Version.V2_2_1, versions=[Version.V2_1_1]).running() as old:
        answer = refused(hub, old, hub.invite().token_a)

    assert (answer.http_status, answer.status_code) == (200, 3002)


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        ([], "no credentials endpoint"),
        (["locations", "cdrs"], "no credentials endpoint"),
        (["credentials"], "no endpoint of a module that the hub shares"),
        (["credentials", "locations"], "lack modules that are required: cdrs"),
    ],
)
def test_a_partner_without_the_endpoints_that_are_needed_gets_3003(
    hub: RunningHub, cpo: Partner, endpoints: list[str], said: str
) -> None:
    listed = [{"identifier": name, "role": "SENDER", "url": f"{cpo.base}/{name}"} for name in endpoints]
    cpo.answers_next(Behaviour(answer=envelope({"version": "2.2.1", "endpoints": listed})), module="details")

    answer = refused(hub, cpo, hub.invite(require_modules=["cdrs"]).token_a)

    assert (answer.http_status, answer.status_code) == (200, 3003)
    assert said in (answer.envelope.status_message or "")


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": None},
        {"roles": []},
        {"token": "x" * 65},
        {"token": "with blank"},
        {"url": None},
        {"url": "not a URL"},
        {"url": "ftp://volt.example/versions"},
        {"url": "https://user:secret@volt.example/versions"},
    ],
)
def test_a_broken_credentials_object_gets_2001_and_no_call(hub: RunningHub, cpo: Partner, changes: Json) -> None:
    answer = hub.ask("POST", "/ocpi/2.2.1/credentials", hub.invite().token_a, json=credentials(cpo) | changes)

    assert (answer.http_status, answer.status_code) == (200, 2001)
    assert not cpo.ledger


def test_the_same_role_twice_gets_2001(hub: RunningHub, cpo: Partner) -> None:
    body = credentials(cpo)

    answer = hub.ask("POST", "/ocpi/2.2.1/credentials", hub.invite().token_a, json=body | {"roles": body["roles"] * 2})

    assert (answer.http_status, answer.status_code) == (200, 2001)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"", 400), (b'{"token": "a", "token": "b"}', 400), (b"[]", 200), (b"\xff", 400)],
)
def test_a_body_that_cannot_be_read_is_refused(hub: RunningHub, body: bytes, status: int) -> None:
    answer = hub.ask("POST", "/ocpi/2.2.1/credentials", hub.invite().token_a, body=body)

    assert (answer.http_status, answer.status_code) == (status, 2001)


def test_a_body_that_is_too_large_is_refused(hub: RunningHub) -> None:
    answer = hub.ask("POST", "/ocpi/2.2.1/credentials", hub.invite().token_a, body=b" " * (2 * 1024 * 1024 + 1))

    assert (answer.http_status, answer.status_code) == (413, 2001)


def test_a_party_of_another_platform_cannot_be_taken_and_keeps_its_owner(hub: RunningHub, cpo: Partner) -> None:
    owner = hub.registered(cpo)
    with Partner("thief", {cpo.party: EMSP}).running() as thief:
        invited = hub.invite()
        answer = refused(hub, thief, invited.token_a)

    assert (answer.http_status, answer.status_code) == (200, 2001)
    assert str(cpo.party) in (answer.envelope.status_message or "")
    assert hub.hub.directory.snapshot.parties[cpo.party].platform_id == owner
    assert hub.record(owner).status is CONNECTED
    assert hub.record(invited.platform_id).parties == ()
    assert cpo.get(hub.versions_url).status_code == 1000


def test_the_party_of_the_hub_cannot_be_claimed(hub: RunningHub) -> None:
    with Partner("imitator", {hub.hub.party: CPO}).running() as imitator:
        answer = refused(hub, imitator, hub.invite().token_a)

    assert (answer.http_status, answer.status_code) == (200, 2001)


def test_an_invitation_is_for_the_parties_it_names(hub: RunningHub, cpo: Partner) -> None:
    welcome = new_party()
    invited = hub.invite(parties=[(welcome, Role.CPO)])
    assert hub.hub.directory.snapshot.parties[welcome].status is PLANNED

    answer = refused(hub, cpo, invited.token_a)
    assert (answer.http_status, answer.status_code) == (200, 2001)

    cpo.parties = {welcome: CPO}
    assert cpo.register(hub.versions_url, invited.token_a).status_code == 1000
    assert hub.hub.directory.snapshot.parties[welcome].status is CONNECTED


def test_of_two_registrations_with_one_token_one_succeeds(hub: RunningHub, cpo: Partner) -> None:
    invited = hub.invite()
    with cpo.pausing(module="details", times=2):
        answers = [
            cpo.start(
                "POST", f"{hub.url}/ocpi/2.2.1/credentials", token=invited.token_a, json=credentials(cpo), sender=None
            )
            for _ in range(2)
        ]
        cpo.ledger.wait_for("details", count=2)

    statuses = sorted(answer.result().http_status for answer in answers)
    assert statuses in ([200, 405], [200, 401])
    assert len(hub.record(invited.platform_id).connections) == 1


@pytest.mark.parametrize("version", [Version.V2_2, Version.V2_2_1, Version.V2_3_0])
def test_an_object_of_2_1_1_is_refused_by_newer_versions(hub: RunningHub, cpo: Partner, version: Version) -> None:
    body = credentials(cpo, Version.V2_1_1)

    answer = hub.ask("POST", f"/ocpi/{version}/credentials", hub.invite().token_a, json=body)

    assert (answer.http_status, answer.status_code) == (200, 2001)


def test_an_object_with_roles_is_refused_by_2_1_1(hub: RunningHub, cpo: Partner) -> None:
    token_a = hub.invite(face=Face.EMSP).token_a

    answer = hub.ask("POST", "/ocpi/2.1.1/credentials", token_a, json=credentials(cpo))

    assert (answer.http_status, answer.status_code) == (200, 2001)


@pytest.mark.parametrize(
    ("choices", "version"),
    [({}, Version.V2_1_1), ({"version": Version.V2_2_1}, Version.V2_3_0)],
    ids=["2.1.1 without a face", "another version than the invitation's"],
)
def test_a_version_that_is_not_offered_gets_3002(
    hub: RunningHub, cpo: Partner, choices: dict[str, Any], version: Version
) -> None:
    answer = hub.ask(
        "POST", f"/ocpi/{version}/credentials", hub.invite(**choices).token_a, json=credentials(cpo, version)
    )

    assert (answer.http_status, answer.status_code) == (200, 3002)
    assert not cpo.ledger


@pytest.mark.parametrize("version", [Version.V2_2_1, Version.V2_3_0])
def test_a_hub_registers_only_with_leave_to_peer(hub: RunningHub, version: Version) -> None:
    with Partner("peer", {new_party(): [Role.HUB]}, version=version).running() as peer:
        answer = refused(hub, peer, hub.invite().token_a)
        assert (answer.http_status, answer.status_code) == (200, 2001)
        assert "Peering between hubs is not allowed" in (answer.envelope.status_message or "")

        invited = hub.invite(allow_hub=True)
        assert peer.register(hub.versions_url, invited.token_a).status_code == 1000
    record = hub.record(invited.platform_id)
    assert record.is_hub
    assert [(each.party, [role.role for role in each.roles]) for each in record.parties] == [(peer.party, [Role.HUB])]


def test_what_the_hub_does_not_know_at_a_partner_is_passed_over(hub: RunningHub, cpo: Partner) -> None:
    versions = [
        {"version": "9.0", "url": f"{cpo.base}/9.0"},
        {"version": "2.3.0", "url": f"{cpo.base}/2.3.0", "colour": "red"},
    ]
    names = [("credentials", "RECEIVER"), ("xxabc-foo", "SENDER"), ("Booking", "SENDER"), ("LOCATIONS", "SENDER")]
    endpoints = [{"identifier": name, "role": role, "url": f"{cpo.base}/{name}/"} for name, role in names]
    cpo.answers_next(envelope(versions), module="versions")
    cpo.answers_next(envelope({"version": "2.3.0", "endpoints": endpoints}), module="details")
    invited = hub.invite()

    answer = hub.ask("POST", "/ocpi/2.3.0/credentials", invited.token_a, json=credentials(cpo, Version.V2_3_0))

    assert answer.status_code == 1000
    [connection] = hub.hub.directory.snapshot.platform(invited.platform_id).connections
    sender = InterfaceRole.SENDER
    assert connection.endpoints == {
        ("credentials", sender): f"{cpo.base}/credentials/",
        ("bookings", sender): f"{cpo.base}/Booking/",
        ("locations", sender): f"{cpo.base}/LOCATIONS/",
    }


def test_a_partner_that_wants_plain_tokens_gets_them_from_the_second_call_on(hub: RunningHub, cpo: Partner) -> None:
    cpo.registration.spelling = "plain"
    platform_id = hub.registered(cpo)

    spelled = [each.header("authorization") for each in cpo.ledger]
    [token] = cpo.registration.their_tokens
    assert spelled == ["Token " + base64.b64encode(token.encode()).decode(), f"Token {token}", f"Token {token}"]
    [connection] = hub.hub.directory.snapshot.platform(platform_id).connections
    assert connection.authorization.reveal() == f"Token {token}"


# --- where the hub lets itself be sent


@pytest.mark.parametrize(
    "url",
    [
        "http://volt.example/versions",
        "https://127.0.0.1/versions",
        "https://10.1.2.3/versions",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/versions",
        "https://[::ffff:10.0.0.1]/versions",
        "https://2130706433/versions",
        "https://localhost/versions",
        "https://volt.example:5432/versions",
    ],
)
def test_a_versions_url_that_is_not_public_gets_2001(public_hub: RunningHub, cpo: Partner, url: str) -> None:
    answer = public_hub.ask(
        "POST", "/ocpi/2.2.1/credentials", public_hub.invite().token_a, json=credentials(cpo, url=url)
    )

    assert (answer.http_status, answer.status_code) == (200, 2001)


def test_the_hub_does_not_call_itself(hub: RunningHub, cpo: Partner) -> None:
    invited = hub.invite()
    body = credentials(cpo, url=hub.versions_url)

    answer = hub.ask("POST", "/ocpi/2.2.1/credentials", invited.token_a, json=body)

    assert (answer.http_status, answer.status_code) == (200, 2001)
    assert "leads to the hub itself" in (answer.envelope.status_message or "")


def test_a_list_that_leads_to_the_hub_is_not_followed(hub: RunningHub, cpo: Partner) -> None:
    cpo.answers_next(envelope([{"version": "2.2.1", "url": f"{hub.url}/ocpi/2.2.1"}]), module="versions")
    answer = refused(hub, cpo, hub.invite().token_a)
    assert (answer.http_status, answer.status_code) == (200, 3001)

    listed = [{"identifier": name, "role": "SENDER", "url": f"{hub.url}/{name}"} for name in ("credentials", "cdrs")]
    cpo.answers_next(envelope({"version": "2.2.1", "endpoints": listed}), module="details")
    answer = refused(hub, cpo, hub.invite().token_a)
    assert (answer.http_status, answer.status_code) == (200, 3001)


def test_no_log_line_has_a_token(hub: RunningHub, cpo: Partner, capfd: pytest.CaptureFixture[str]) -> None:
    invited = hub.invite()
    cpo.answers_next(HTML, module="versions")
    refused(hub, cpo, invited.token_a)
    cpo.register(hub.versions_url, invited.token_a)
    tokens = {invited.token_a, cpo.connection.our_token, *cpo.registration.their_tokens}
    cpo.update()
    tokens |= {cpo.connection.our_token, *cpo.registration.their_tokens}
    hub.do(hub.hub.initiator.rotate(invited.platform_id))
    tokens |= {cpo.connection.our_token, *cpo.registration.their_tokens}

    written = "".join(capfd.readouterr())
    assert "platform_registered" in written
    assert len(tokens) == 7
    for token in tokens:
        assert token not in written
        assert base64.b64encode(token.encode()).decode() not in written
