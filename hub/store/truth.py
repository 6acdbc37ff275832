"""Reading the truth: tables become records. Functions use the transaction of whoever asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar, cast

from sqlmodel import and_, col, func, literal, select, tuple_
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.agreement_tables import AGREEMENT_COLUMNS, AgreementChangesRow, AgreementRow, agreement_of
from hub.store.database import Database
from hub.store.records import (
    Changes,
    ConnectionRecord,
    HandshakeRecord,
    InvitationRecord,
    LearnedEncoding,
    PartnerEndpoint,
    PartyRecord,
    PlatformRecord,
    ReplacedToken,
)
from hub.store.tables import (
    ConnectionRow,
    DirectoryRow,
    EndpointRow,
    HandshakeRow,
    InvitationRow,
    PartyRoleRow,
    PartyRow,
    PlatformRow,
    RemotePartyRow,
    ReplacedTokenRow,
)
from hub.store.vault import VaultError
from routing.agreements import Agreement
from routing.directory import CredentialsRole, FormerRole
from routing.errors import NoSuchPath
from routing.vocabulary import ConnectionStatus, InterfaceRole, Party, Role

NEAREST: Final = (
    ConnectionStatus.CONNECTED,
    ConnectionStatus.OFFLINE,
    ConnectionStatus.PLANNED,
    ConnectionStatus.SUSPENDED,
)
"""Statuses, the nearer to a message first."""
_AGREEMENTS_AT_ONCE: Final = 1_000
"""Of one step; between two steps the event loop does other work."""
_LAST_ID: Final = "g"
"""Greater than every id, which are hexadecimal digits."""
IS_CURRENT: Final = col(PartyRoleRow.former_since).is_(None)
"""A role that its party has, had when it left, or is invited in."""
_OWN_ROLE: Final = and_(
    col(PartyRow.country_code) == col(PartyRoleRow.country_code), col(PartyRow.party_id) == col(PartyRoleRow.party_id)
)
_PARTY_COLUMNS: Final = tuple(col(getattr(PartyRow, name)) for name in PartyRow.model_fields)
_REVISIONS: Final = select(
    DirectoryRow.identity,
    select(func.coalesce(func.max(PlatformRow.revision), 0)).scalar_subquery(),
    func.coalesce(select(AgreementChangesRow.revision).scalar_subquery(), 0),
)
"""Asked twice a second by each process, so it is made once."""
_AUTH_ENCODINGS: dict[str | None, LearnedEncoding | None] = {None: None, "base64": "base64", "plain": "plain"}


class Revisions(NamedTuple):
    """Up to where the truth is."""

    identity: str
    """Of the directory."""
    platforms: int
    """Of the platform that changed last; 0 without platforms."""
    agreements: int
    """Of the agreement that changed last."""


class DirectoryTruth:
    """The truth as a source of the directory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.name = database.name

    async def open(self, key_mark: bytes, other_mark: bytes | None = None) -> str:
        """The identity of this directory, once it is sure that its tokens were written with our key, or the other one.

        Raises:
            HubFault: the database does not answer.
            VaultError: they were written with a third.
        """
        async with self._database.writing() as session:
            row = await session.get_one(DirectoryRow, 1)
            row.key_mark = row.key_mark or key_mark
            if row.key_mark not in (key_mark, other_mark):
                raise VaultError(
                    "The secret key is not the one this database was written with; set HUB_SECRET_KEY to it, "
                    "or HUB_OTHER_SECRET_KEY while a new one replaces it"
                )
            return row.identity

    async def revisions(self) -> Revisions:
        """What there is at this moment."""
        async with self._database.reading() as session:
            return Revisions(*(await session.exec(_REVISIONS)).one())

    async def changes(self, since: int, limit: int) -> Changes:
        """Platforms changed after a revision, those that changed first."""
        query = select(PlatformRow).where(col(PlatformRow.revision) > since).order_by(col(PlatformRow.revision))
        async with self._database.reading() as session:
            records = await records_of(session, (await session.exec(query.limit(limit))).all())
        return Changes(tuple(records), records[-1].revision if records else since)

    async def agreements(self, since: int) -> list[Agreement]:
        """Agreements made, changed or ended after a revision; what happens while they are read may be among them."""
        place = (col(AgreementRow.revision), col(AgreementRow.id))
        query = select(*AGREEMENT_COLUMNS).order_by(*place).limit(_AGREEMENTS_AT_ONCE)
        found: list[Agreement] = []
        last: tuple[int, str] = (since, _LAST_ID)
        while True:
            async with self._database.reading() as session:
                rows = (await session.exec(query.where(tuple_(*place) > tuple_(*map(literal, last))))).all()
            found += map(agreement_of, rows)
            if len(rows) < _AGREEMENTS_AT_ONCE:
                return found
            last = found[-1].revision, found[-1].id


class UnknownPlatform(NoSuchPath):
    """No platform has this id."""

    def __init__(self) -> None:
        super().__init__("No platform has this id")


class UnknownParty(NoSuchPath):
    """The hub knows no party of this name."""

    def __init__(self) -> None:
        super().__init__("The hub knows no party of this name; names are like NL*ABC")


async def platform_row(session: AsyncSession, platform_id: str) -> PlatformRow:
    """The row of a platform.

    Raises:
        UnknownPlatform: there is none.
    """
    row = await session.get(PlatformRow, platform_id)
    if row is None:
        raise UnknownPlatform
    return row


async def record_of(session: AsyncSession, platform: PlatformRow) -> PlatformRecord:
    """Everything that belongs to one platform."""
    [record] = await records_of(session, [platform])
    return record


async def records_of(session: AsyncSession, platforms: Sequence[PlatformRow]) -> list[PlatformRecord]:
    """Everything that belongs to these platforms, in their order."""
    ids = [platform.id for platform in platforms]
    parties = await _parties_of(session, ids)
    connections = await _connections_of(session, ids)
    invitations = _grouped(
        (await session.exec(select(InvitationRow).where(col(InvitationRow.platform_id).in_(ids)))).all(),
        lambda row: row.platform_id,
    )
    handshakes = _grouped(
        (await session.exec(select(HandshakeRow).where(col(HandshakeRow.platform_id).in_(ids)))).all(),
        lambda row: row.platform_id,
    )
    remote = await _remote_parties_of(session, [platform.id for platform in platforms if platform.is_hub])
    return [
        PlatformRecord(
            id=row.id,
            name=row.name,
            revision=row.revision,
            planned=row.planned,
            suspended=row.suspended,
            allow_hub=row.allow_hub,
            is_hub=row.is_hub,
            version=row.version,
            quirks=row.quirks,
            require_modules=row.require_modules,
            invited_parties=row.invited_parties,
            created_at=row.created_at,
            last_seen=row.last_seen,
            parties=tuple(parties[row.id]),
            connections=tuple(connections[row.id]),
            invitations=tuple(_invitation(each, row) for each in invitations[row.id]),
            handshakes=tuple(map(_handshake, handshakes[row.id])),
            remote=tuple(remote[row.id]),
            unreachable_since=row.unreachable_since,
            connected_since=row.connected_since,
            capture_until=row.capture_until,
        )
        for row in platforms
    ]


async def party_records(session: AsyncSession, rows: Sequence[PartyRow]) -> list[PartyRecord]:
    """These parties with their roles, in their order."""
    platform_ids = list({row.platform_id for row in rows})
    roles, former = await _roles_of(session, platform_ids), await _former_roles_of(session, platform_ids)
    named = ((Party(row.country_code, row.party_id), row) for row in rows)
    return [
        PartyRecord(
            party=party,
            platform_id=row.platform_id,
            status=row.status,
            suspended=row.suspended,
            roles=tuple(roles[party].values()),
            created_at=row.created_at,
            last_updated=row.last_updated,
            shown_revision=row.shown_revision,
            here_since=row.here_since,
            former_roles=former[party],
        )
        for party, row in named
    ]


async def remote_records(session: AsyncSession, rows: Sequence[RemotePartyRow]) -> list[PartyRecord]:
    """The parties behind other hubs that these rows are about, in their order."""
    hubs = await _hub_parties(session, {row.platform_id for row in rows})
    grouped: dict[tuple[str, Party], list[RemotePartyRow]] = defaultdict(list)
    for row in rows:
        grouped[row.platform_id, row.party].append(row)
    return [_remote_record(group, hubs.get(platform_id)) for (platform_id, _), group in grouped.items()]


def _remote_record(rows: list[RemotePartyRow], hub: Party | None) -> PartyRecord:
    """One party. It is there when one of its roles is, and has those that are not withdrawn; all, when all are."""
    first = rows[0]
    present = [row for row in rows if row.announced is not ConnectionStatus.SUSPENDED]
    withdrawn = [row for row in rows if row.announced is ConnectionStatus.SUSPENDED] if present else []
    former = (FormerRole(row.role, row.last_updated, row.shown_revision) for row in withdrawn)
    return PartyRecord(
        party=first.party,
        platform_id=first.platform_id,
        status=min((row.status for row in rows), key=NEAREST.index),
        suspended=False,
        roles=tuple(CredentialsRole(row.role, dict(row.business_details)) for row in present or rows),
        created_at=min(row.created_at for row in rows),
        last_updated=max(row.last_updated for row in rows),
        reachable_via=hub,
        shown_revision=max(row.shown_revision for row in rows),
        here_since=max(row.here_since for row in rows),
        former_roles=_in_order(former),
    )


async def _hub_parties(session: AsyncSession, platform_ids: Collection[str]) -> dict[str, Party]:
    """The party that each of these hubs has for itself."""
    if not platform_ids:
        return {}
    query = select(PartyRow).join(PartyRoleRow, _OWN_ROLE).where(col(PartyRoleRow.role) == Role.HUB, IS_CURRENT)
    rows = (await session.exec(query.where(col(PartyRow.platform_id).in_(platform_ids)))).all()
    # One that it had before stays listed, suspended.
    return {row.platform_id: row.party for row in sorted(rows, key=lambda row: -NEAREST.index(row.status))}


async def _remote_parties_of(session: AsyncSession, platform_ids: Sequence[str]) -> dict[str, list[PartyRecord]]:
    if not platform_ids:
        return defaultdict(list)
    place = (col(RemotePartyRow.country_code), col(RemotePartyRow.party_id), col(RemotePartyRow.role))
    query = select(RemotePartyRow).where(col(RemotePartyRow.platform_id).in_(platform_ids)).order_by(*place)
    rows = (await session.exec(query)).all()
    return _grouped(await remote_records(session, rows), lambda record: record.platform_id)


async def roles_of_platform(session: AsyncSession, platform_id: str) -> dict[Party, list[CredentialsRole]]:
    """Every party of a platform that has roles, with each role once."""
    roles = await _roles_of(session, [platform_id])
    return {party: list(own.values()) for party, own in roles.items()}


async def _parties_of(session: AsyncSession, platform_ids: Sequence[str]) -> dict[str, list[PartyRecord]]:
    query = (
        select(*_PARTY_COLUMNS)
        .where(col(PartyRow.platform_id).in_(platform_ids))
        .order_by(col(PartyRow.created_at), col(PartyRow.country_code), col(PartyRow.party_id))
    )
    rows = cast("Sequence[PartyRow]", (await session.exec(query)).all())  # with the same names, in half the time
    return _grouped(await party_records(session, rows), lambda record: record.platform_id)


async def _roles_of(session: AsyncSession, platform_ids: Sequence[str]) -> dict[Party, dict[Role, CredentialsRole]]:
    columns = (PartyRoleRow.country_code, PartyRoleRow.party_id, PartyRoleRow.role, PartyRoleRow.business_details)
    query = select(*columns).join(PartyRow, _OWN_ROLE).where(col(PartyRow.platform_id).in_(platform_ids), IS_CURRENT)
    roles: dict[Party, dict[Role, CredentialsRole]] = defaultdict(dict)
    for country_code, party_id, word, business_details in await session.exec(query.order_by(col(PartyRoleRow.id))):
        role = Role(word)
        roles[Party(country_code, party_id)].setdefault(role, CredentialsRole(role, dict(business_details)))
    return roles


async def _former_roles_of(session: AsyncSession, platform_ids: Sequence[str]) -> dict[Party, tuple[FormerRole, ...]]:
    query = select(PartyRoleRow).join(PartyRow, _OWN_ROLE).where(col(PartyRow.platform_id).in_(platform_ids))
    rows = (await session.exec(query.where(~IS_CURRENT))).all()
    former: dict[Party, list[FormerRole]] = defaultdict(list)
    for row in rows:
        if row.former_since is not None:
            ended = FormerRole(row.role, row.former_since, row.former_revision)
            former[Party(row.country_code, row.party_id)].append(ended)
    return defaultdict(tuple, {party: _in_order(roles) for party, roles in former.items()})


def _in_order(former: Iterable[FormerRole]) -> tuple[FormerRole, ...]:
    return tuple(sorted(former, key=lambda each: (each.revision, each.role)))


async def _connections_of(session: AsyncSession, platform_ids: Sequence[str]) -> dict[str, list[ConnectionRecord]]:
    query = select(ConnectionRow).where(col(ConnectionRow.platform_id).in_(platform_ids))
    rows = (await session.exec(query.order_by(col(ConnectionRow.created_at), col(ConnectionRow.id)))).all()
    ids = [row.id for row in rows]
    endpoints = await _endpoints_of(session, ids)
    replaced = _grouped(
        (await session.exec(select(ReplacedTokenRow).where(col(ReplacedTokenRow.connection_id).in_(ids)))).all(),
        lambda row: row.connection_id,
    )
    records: dict[str, list[ConnectionRecord]] = defaultdict(list)
    for row in rows:
        records[row.platform_id].append(_connection(row, endpoints[row.id], replaced[row.id]))
    return records


async def _endpoints_of(session: AsyncSession, connection_ids: Sequence[str]) -> dict[str, list[PartnerEndpoint]]:
    query = select(EndpointRow.connection_id, EndpointRow.module, EndpointRow.interface, EndpointRow.url)
    ordered = query.order_by(col(EndpointRow.module), col(EndpointRow.interface))
    endpoints: dict[str, list[PartnerEndpoint]] = defaultdict(list)
    rows = await session.exec(ordered.where(col(EndpointRow.connection_id).in_(connection_ids)))
    for connection_id, module, interface, url in rows:
        endpoints[connection_id].append(PartnerEndpoint(module, InterfaceRole(interface), url))
    return endpoints


def _connection(
    row: ConnectionRow, endpoints: Iterable[PartnerEndpoint], replaced: Iterable[ReplacedTokenRow]
) -> ConnectionRecord:
    return ConnectionRecord(
        id=row.id,
        version=row.version,
        face_in_2_1_1=row.face,
        versions_url=row.versions_url,
        endpoints=tuple(endpoints),
        token_hash=row.token_hash,
        our_token=row.our_token,
        auth_encoding=_AUTH_ENCODINGS[row.auth_encoding],
        replaced_tokens=tuple(ReplacedToken(each.token_hash, each.not_after) for each in replaced),
        tokens_since=row.tokens_since,
        shown=row.shown,
        created_at=row.created_at,
    )


def _invitation(row: InvitationRow, platform: PlatformRow) -> InvitationRecord:
    return InvitationRecord(
        id=row.id,
        token_hash=row.token_hash,
        face=row.face,
        version=platform.version,
        parties=platform.invited_parties,
        expires_at=row.expires_at,
        created_at=row.created_at,
    )


def _handshake(row: HandshakeRow) -> HandshakeRecord:
    return HandshakeRecord(
        id=row.id,
        token_hash=row.token_hash,
        face=row.face,
        connection_id=row.connection_id,
        not_after=row.not_after,
        created_at=row.created_at,
    )


Element = TypeVar("Element")


def _grouped(elements: Iterable[Element], key: Callable[[Element], str]) -> dict[str, list[Element]]:
    groups: dict[str, list[Element]] = defaultdict(list)
    for element in elements:
        groups[key(element)].append(element)
    return groups
