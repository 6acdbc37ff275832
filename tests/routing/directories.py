"""Platforms as a directory knows them, in one line each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from routing.directory import Caller, Connection, EndpointKey, PartyEntry, Platform, PlatformPart
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Face, Party, Secret, Version

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
