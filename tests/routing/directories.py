"""Platforms as a directory knows them, in one line each."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from routing.directory import Caller, Connection, CredentialsRole, EndpointKey, PartyEntry, Platform, PlatformPart
from routing.modules import FACE_MODULES, interfaces_of
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Face, Party, Role, Secret, Version

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def connection(
    platform_id: str,
    version: Version = Version.V2_2_1,
    endpoints: Mapping[EndpointKey, str] | None = None,
    *,
    face: Face | None = None,
    quirks: Quirks | None = None,
) -> Connection:
    """A connection of this platform."""
    return Connection(
        id=f"{platform_id}-{version}-{face}",
        platform_id=platform_id,
        platform_name=platform_id.title(),
        version=version,
        face=face,
        versions_url=f"https://{platform_id}.example/versions",
        endpoints=endpoints or {},
        hosts=frozenset({f"{platform_id}.example"}),
        authorization=Secret("Token x"),
        quirks=quirks or Quirks(),
    )


def part(
    platform_id: str,
    *parties: Party,
    status: ConnectionStatus = ConnectionStatus.CONNECTED,
    connections: tuple[Connection, ...] = (),
    quirks: Quirks | None = None,
    callers: Mapping[bytes, Caller] | None = None,
) -> PlatformPart:
    """A platform with these parties, all of one status."""
    platform = Platform(
        id=platform_id,
        name=platform_id.title(),
        status=status,
        parties=parties,
        connections=connections,
        quirks=quirks or Quirks(),
        is_hub=False,
    )
    entries = tuple(PartyEntry(party, platform_id, status, (), LONG_AGO, LONG_AGO) for party in parties)
    return PlatformPart(platform, entries, callers or {})


def hub_part(
    platform_id: str,
    party: Party,
    *behind: Party,
    role: Role = Role.CPO,
    status: ConnectionStatus = ConnectionStatus.CONNECTED,
    connections: tuple[Connection, ...] = (),
    quirks: Quirks | None = None,
) -> PlatformPart:
    """Another hub with these parties behind it, all of one role and status."""
    plain = part(platform_id, party, connections=connections, quirks=quirks)
    roles = (CredentialsRole(role, {}),)
    remote = {each: PartyEntry(each, platform_id, status, roles, LONG_AGO, LONG_AGO, is_remote=True) for each in behind}
    return PlatformPart(replace(plain.platform, is_hub=True), plain.parties, plain.callers, remote)


def offering(
    platform_id: str, version: Version = Version.V2_2_1, modules: Container[str] | None = None
) -> dict[EndpointKey, str]:
    """Both sides of everything the version has, or of some modules."""
    return {
        (module, interface): f"https://{platform_id}.example/{interface.lower()}/{module}"
        for module, interface in interfaces_of(version)
        if modules is None or module in modules
    }


def company(
    platform_id: str,
    roles: Mapping[Party, Collection[Role]],
    version: Version = Version.V2_2_1,
    *,
    status: ConnectionStatus = ConnectionStatus.CONNECTED,
    modules: Container[str] | None = None,
    quirks: Quirks | None = None,
) -> PlatformPart:
    """A platform whose parties have these roles, and which offers both sides of what its version has.

    One of 2.1.1 offers what a partner of the role of its party does.
    """
    if version is Version.V2_1_1:
        ways = tuple(_of_face(platform_id, role, quirks) for each in roles.values() for role in each)
    else:
        ways = (connection(platform_id, version, offering(platform_id, version, modules), quirks=quirks),)
    plain = part(platform_id, *roles, status=status, connections=ways, quirks=quirks)
    entries = (
        replace(entry, roles=tuple(CredentialsRole(role, {}) for role in roles[entry.party])) for entry in plain.parties
    )
    return replace(plain, parties=tuple(entries))


def _of_face(platform_id: str, role: Role, quirks: Quirks | None) -> Connection:
    partner, face = (Face.CPO, Face.EMSP) if role is Role.CPO else (Face.EMSP, Face.CPO)
    endpoints = {key: f"https://{platform_id}.example/{partner}/{key[0]}" for key in FACE_MODULES[partner].items()}
    return connection(platform_id, Version.V2_1_1, endpoints, face=face, quirks=quirks)
