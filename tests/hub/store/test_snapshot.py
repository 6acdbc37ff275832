from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.store.records import (
    ConnectionRecord,
    HandshakeRecord,
    InvitationRecord,
    LearnedEncoding,
    PartnerEndpoint,
    PartyRecord,
    PlatformRecord,
    ReplacedToken,
    decoded,
    encoded,
)
from hub.store.snapshot import platform_part
from hub.store.vault import Vault
from routing.directory import Connection, CredentialsRole, Handshaking, Invitation, Invited, Registered
from routing.quirks import AuthEncoding, Quirks
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, Party, Role, Secret, Version

VAULT = Vault(Secret("key material"))
NOW = datetime.now(UTC)


def _connection(**changes: Any) -> ConnectionRecord:  # noqa: ANN401 - whatever the field takes
    values: dict[str, Any] = {
        "id": "connection",
        "version": Version.V2_2_1,
        "face_in_2_1_1": None,
        "versions_url": "https://Partner.example.com/ocpi/versions",
        "endpoints": (
            PartnerEndpoint("locations", InterfaceRole.SENDER, "https://partner.example.com:8443/locations"),
        ),
        "token_hash": b"theirs",
        "our_token": VAULT.seal(Secret("ours"), "connection"),
        "auth_encoding": None,
        "replaced_tokens": (),
        "tokens_since": NOW,
        "shown": b"",
        "created_at": NOW,
    }
    return ConnectionRecord(**(values | changes))


def _record(**changes: Any) -> PlatformRecord:  # noqa: ANN401 - whatever the field takes
    values: dict[str, Any] = {
        "id": "platform",
        "name": "Volt",
        "revision": 1,
        "planned": False,
        "suspended": False,
        "allow_hub": False,
        "is_hub": False,
        "version": None,
        "quirks": Quirks(),
        "require_modules": ("cdrs",),
        "invited_parties": (),
        "created_at": NOW,
        "last_seen": None,
        "parties": (),
        "connections": (_connection(),),
        "invitations": (),
        "handshakes": (),
    }
    return PlatformRecord(**(values | changes))


def _only_connection(record: PlatformRecord) -> Connection:
    [connection] = platform_part(record, VAULT).platform.connections
    return connection


@pytest.mark.parametrize(
    ("setting", "learned", "version", "value"),
    [
        ("auto", None, Version.V2_2_1, "Token b3Vycw=="),
        ("auto", None, Version.V2_1_1, "Token ours"),
        ("auto", "plain", Version.V2_2_1, "Token ours"),
        ("auto", "base64", Version.V2_1_1, "Token b3Vycw=="),
        ("plain", "base64", Version.V2_2_1, "Token ours"),
        ("base64", "plain", Version.V2_1_1, "Token b3Vycw=="),
    ],
)
def test_our_token_is_spelled_as_set_else_as_learned_else_as_the_version_says(
    setting: AuthEncoding, learned: LearnedEncoding | None, version: Version, value: str
) -> None:
    record = _record(
        quirks=Quirks(auth_encoding=setting), connections=(_connection(version=version, auth_encoding=learned),)
    )

    assert _only_connection(record).authorization == Secret(value)


def test_our_token_may_go_to_the_hosts_a_partner_registered_and_to_those_of_its_settings() -> None:
    record = _record(quirks=Quirks(hosts_allowed=("Files.example.com:444",)))

    assert _only_connection(record).hosts == {
        "partner.example.com",
        "partner.example.com:8443",
        "files.example.com:444",
    }


@pytest.mark.parametrize(("version", "face"), [(Version.V2_1_1, Face.CPO), (Version.V2_2_1, None)])
def test_only_a_2_1_1_connection_has_a_face(version: Version, face: Face | None) -> None:
    record = _record(connections=(_connection(version=version, face_in_2_1_1=Face.CPO),))

    assert _only_connection(record).face is face


def test_every_valid_token_leads_to_its_caller() -> None:
    record = _record(
        allow_hub=True,
        connections=(_connection(replaced_tokens=(ReplacedToken(b"former", NOW),)),),
        invitations=(InvitationRecord("i", b"invitation", None, Version.V2_3_0, (Party("NL", "VLT"),), NOW, NOW),),
        handshakes=(
            HandshakeRecord("h1", b"replacing", None, "connection", None, NOW),
            HandshakeRecord("h2", b"abandoned", None, "connection", NOW, NOW),
            HandshakeRecord("h3", b"new", Face.EMSP, None, NOW, NOW),
        ),
    )

    part = platform_part(record, VAULT)

    connection = part.platform.connections[0]
    callers = dict(part.callers)
    for token, not_after in [(b"theirs", None), (b"former", NOW), (b"replacing", None)]:
        caller = callers.pop(token)
        assert isinstance(caller, Registered)
        assert (caller.platform, caller.connection, caller.not_after) == (part.platform, connection, not_after)
    for token, face in [(b"abandoned", None), (b"new", Face.EMSP)]:
        handshaking = callers.pop(token)
        assert isinstance(handshaking, Handshaking)
        assert (handshaking.platform_id, handshaking.face, handshaking.not_after) == ("platform", face, NOW)
    invited = callers.pop(b"invitation")
    assert isinstance(invited, Invited)
    assert invited.invitation == Invitation(
        "i", "platform", None, Version.V2_3_0, (Party("NL", "VLT"),), ("cdrs",), allow_hub=True, expires_at=NOW
    )
    assert callers == {}


def test_a_suspended_platform_has_no_callers_and_stays_listed() -> None:
    party = PartyRecord(
        party=Party("NL", "VLT"),
        platform_id="platform",
        status=ConnectionStatus.SUSPENDED,
        suspended=False,
        roles=(CredentialsRole(Role.CPO, {"name": "Volt"}),),
        created_at=NOW,
        last_updated=NOW,
    )

    part = platform_part(_record(suspended=True, parties=(party,)), VAULT)

    assert dict(part.callers) == {}
    assert part.platform.status is ConnectionStatus.SUSPENDED
    [entry] = part.parties
    assert (entry.party, entry.status, entry.roles) == (party.party, party.status, party.roles)


def test_a_connection_that_cannot_be_opened_is_left_out() -> None:
    record = _record(connections=(_connection(our_token=b"junk"), _connection(id="other", token_hash=b"other")))

    part = platform_part(record, VAULT)

    assert part.platform.connections == ()
    assert dict(part.callers) == {}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, ConnectionStatus.CONNECTED),
        ({"suspended": True}, ConnectionStatus.SUSPENDED),
        ({"connections": (), "planned": True}, ConnectionStatus.PLANNED),
        ({"connections": (), "planned": False}, ConnectionStatus.SUSPENDED),
    ],
)
def test_the_status_of_a_platform_follows_from_what_it_has(changes: dict[str, Any], status: ConnectionStatus) -> None:
    assert _record(**changes).status is status


def test_a_record_survives_the_way_through_redis() -> None:
    record = _record(quirks=Quirks(timeout_s=2.5, hosts_allowed=("a",)), last_seen=NOW)

    assert decoded(encoded(record)) == record
