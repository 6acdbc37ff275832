"""From what the hub knows of a platform to what it contributes to the directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import urlsplit

import structlog

from hub.observability import FilteringBoundLogger
from hub.store.records import ConnectionRecord, HandshakeRecord, InvitationRecord, PartyRecord, PlatformRecord
from hub.store.vault import Vault, VaultError
from routing.authorization import authorization_value, spellings
from routing.dialects import DIALECTS
from routing.directory import (
    Caller,
    Connection,
    Handshaking,
    Invitation,
    Invited,
    PartyEntry,
    Platform,
    PlatformPart,
    Registered,
)
from routing.vocabulary import Party, Secret

log: FilteringBoundLogger = structlog.get_logger()


def platform_part(record: PlatformRecord, vault: Vault) -> PlatformPart:
    """Everything this platform contributes to the directory.

    A connection whose token cannot be opened is left out, and logged: it must not take others with it.
    """
    connections = tuple(_readable_connections(record, vault))
    platform = Platform(
        id=record.id,
        name=record.name,
        status=record.status,
        parties=tuple(each.party for each in record.parties),
        connections=connections,
        quirks=record.quirks,
        is_hub=record.is_hub,
        connected_since=record.connected_since,
    )
    callers = {} if record.suspended else dict(_callers(record, platform))
    return PlatformPart(platform, tuple(_entries(record)), MappingProxyType(callers), _remote(record))


def authorization(record: PlatformRecord, connection: ConnectionRecord, our_token: Secret) -> Secret:
    """The Authorization value for a partner: what its settings say, else what it accepted, else what its version says.

    OCPI 2.2.1, "Transport and format", Authorization header.
    """
    dialect = DIALECTS[connection.version]
    spelling, *_ = spellings(dialect, record.quirks.auth_encoding, connection.auth_encoding)
    return authorization_value(our_token, spelling)


def hosts(record: PlatformRecord, connection: ConnectionRecord) -> frozenset[str]:
    """Hosts that may be sent our token: those it registered with, and those its settings add."""
    urls = [connection.versions_url, *(each.url for each in connection.endpoints)]
    return frozenset([*map(_host, urls), *(host.lower() for host in record.quirks.hosts_allowed)])


def _readable_connections(record: PlatformRecord, vault: Vault) -> Iterator[Connection]:
    for connection in record.connections:
        try:
            our_token = vault.unseal(connection.our_token, connection.id)
        except VaultError:
            log.exception("connection_unreadable", platform_id=record.id, connection_id=connection.id)
            continue
        yield Connection(
            id=connection.id,
            platform_id=record.id,
            platform_name=record.name,
            version=connection.version,
            face=connection.face,
            versions_url=connection.versions_url,
            endpoints=MappingProxyType({(each.module, each.interface): each.url for each in connection.endpoints}),
            hosts=hosts(record, connection),
            authorization=authorization(record, connection, our_token),
            quirks=record.quirks,
            face_in_2_1_1=connection.face_in_2_1_1,
            is_hub=record.is_hub,
            capture_until=record.capture_until,
        )


def _entries(record: PlatformRecord) -> Iterator[PartyEntry]:
    for party in record.parties:
        yield _entry(party, is_remote=False)


def _remote(record: PlatformRecord) -> Mapping[Party, PartyEntry]:
    return MappingProxyType({party.party: _entry(party, is_remote=True) for party in record.remote})


def _entry(party: PartyRecord, *, is_remote: bool) -> PartyEntry:
    return PartyEntry(
        party=party.party,
        platform_id=party.platform_id,
        status=party.status,
        roles=party.roles,
        created_at=party.created_at,
        last_updated=party.last_updated,
        is_remote=is_remote,
        shown_revision=party.shown_revision,
        here_since=party.here_since,
        former_roles=party.former_roles,
    )


def _callers(record: PlatformRecord, platform: Platform) -> Iterator[tuple[bytes, Caller]]:
    connections = {each.id: each for each in platform.connections}
    for connection in record.connections:
        if connection.id in connections:
            yield connection.token_hash, Registered(platform, connections[connection.id])
            for former in connection.replaced_tokens:
                yield former.token_hash, Registered(platform, connections[connection.id], former.not_after)
    for handshake in record.handshakes:
        yield handshake.token_hash, _handshaking(handshake, record, platform, connections)
    for invitation in record.invitations:
        yield invitation.token_hash, Invited(_invitation(record, invitation))


def _handshaking(
    handshake: HandshakeRecord, record: PlatformRecord, platform: Platform, connections: dict[str, Connection]
) -> Caller:
    """In an exchange that renews a connection the new token counts at once, until the exchange is given up."""
    if handshake.not_after is None and handshake.connection_id in connections:
        return Registered(platform, connections[handshake.connection_id])
    return Handshaking(platform.id, handshake.face, handshake.not_after, record.allow_hub)


def _invitation(record: PlatformRecord, invitation: InvitationRecord) -> Invitation:
    return Invitation(
        id=invitation.id,
        platform_id=record.id,
        face=invitation.face,
        version=invitation.version,
        parties=invitation.parties,
        require_modules=record.require_modules,
        allow_hub=record.allow_hub,
        expires_at=invitation.expires_at,
    )


def _host(url: str) -> str:
    """The host of a URL in lower case, with the port where the URL names one."""
    return _host_of_origin("/".join(url.split("/", 3)[:3]))


@lru_cache(maxsize=4096)
def _host_of_origin(url: str) -> str:
    """The same for a URL without its path: a platform has many URLs, and nearly always one origin."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()
