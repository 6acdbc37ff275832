"""Every change to who is connected to the hub, and every question about it. Single parties: `hub.store.parties`.

Each method is one transaction on the truth. When it returns, the change is in the directory of this
process and on its way to all others. When it raises, nothing is stored; a HubFault says that the
database does not answer, which takes a few seconds at most.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeAlias

from sqlmodel import col, select

from hub.store.changes import Change, changing, note_last_seen, settling
from hub.store.database import Database
from hub.store.handshakes import (
    abandon_exchange,
    exchange_under_way,
    new_from_exchange,
    open_exchange,
    renewed_by_exchange,
)
from hub.store.lists import PlatformMoment, platform_moments, platforms_page
from hub.store.live_directory import LiveDirectory
from hub.store.ownership import plan_parties
from hub.store.records import Page, PlatformRecord, Registration
from hub.store.registrations import (
    check_invited,
    check_room,
    connection_row,
    drop_connection,
    drop_everything,
    end_old_tokens,
    new_connection,
    new_id,
    redeem,
    renew_connection,
    store_registration,
    withdraw_invitations,
)
from hub.store.tables import ConnectionRow, HandshakeRow, InvitationRow, PlatformRow
from hub.store.told_roles import note_told_roles, told_roles
from hub.store.truth import UnknownPlatform, platform_row, record_of, records_of
from hub.store.vault import Vault
from routing.directory import Invitation
from routing.errors import InvalidParameters, Unauthorized
from routing.quirks import Quirks
from routing.vocabulary import Face, Party, Role, Secret, Version

__all__ = ["NewQuirks", "Platforms", "UnknownPlatform"]

NewQuirks: TypeAlias = Callable[[PlatformRecord], Quirks]
"""What the quirks of a platform become. What it raises keeps everything as it is."""


class Platforms:
    """The platforms in the truth."""

    def __init__(self, database: Database, vault: Vault, directory: LiveDirectory, hub_party: Party) -> None:
        self._database = database
        self._vault = vault
        self._directory = directory
        self._hub_party = hub_party

    # ------------------------------------------------------------ questions

    async def get(self, platform_id: str) -> PlatformRecord:
        """One platform.

        Raises:
            UnknownPlatform: there is none of this id.
        """
        async with self._database.reading() as session:
            return await record_of(session, await platform_row(session, platform_id))

    async def list(self, *, limit: int, cursor: str | None) -> Page[PlatformRecord]:
        """Platforms in the order of their creation.

        Raises:
            InvalidParameters: the cursor is none of ours.
        """
        async with self._database.reading() as session:
            return await platforms_page(session, limit, cursor)

    async def some(self, platform_ids: Sequence[str]) -> tuple[PlatformRecord, ...]:
        """Those of these platforms that there are, in this order."""
        async with self._database.reading() as session:
            found = await session.exec(select(PlatformRow).where(col(PlatformRow.id).in_(platform_ids)))
            rows = {row.id: row for row in found.all()}
            return tuple(await records_of(session, [rows[each] for each in platform_ids if each in rows]))

    async def moments(self, moment: PlatformMoment) -> dict[str, datetime]:
        """When something was, of each platform that it is known of."""
        async with self._database.reading() as session:
            return await platform_moments(session, moment)

    # ------------------------------------------------------------ invitations

    async def create(
        self,
        name: str,
        *,
        parties: Sequence[tuple[Party, Role]] = (),
        face: Face | None = None,
        version: Version | None = None,
        require_modules: Sequence[str] = (),
        allow_hub: bool = False,
        expires_at: datetime | None = None,
    ) -> tuple[PlatformRecord, Secret]:
        """A new platform with the parties it is expected to have, and the TOKEN_A it may register with.

        Raises:
            InvalidParameters: a party is the hub's, or belongs to another platform.
        """
        token = self._vault.new_token()
        async with self._change() as change:
            row = PlatformRow(
                id=new_id(),
                name=name,
                revision=change.revision,
                planned=True,
                suspended=False,
                allow_hub=allow_hub,
                is_hub=False,
                version=version,
                quirks=Quirks(),
                require_modules=tuple(require_modules),
                invited_parties=tuple(dict.fromkeys(party for party, _ in parties)),
                created_at=change.now,
                last_seen=None,
            )
            change.session.add(row)
            await change.session.flush()
            async with settling(change, row.id) as platform:
                await plan_parties(change, platform, parties, self._hub_party)
                change.session.add(
                    _invitation(change, platform, self._vault.token_hash(token.reveal()), face, expires_at)
                )
            record = await record_of(change.session, platform)
        return record, token

    async def invite(self, platform_id: str, face: Face | None) -> Secret:
        """A new TOKEN_A; an unused one of the same face is withdrawn.

        For a platform that is not connected, or for the other face of a 2.1.1 company that is both CPO and eMSP.

        Raises:
            UnknownPlatform: there is none of this id.
            AlreadyRegistered: it is connected, and not only with the other face.
            InvalidParameters: it is suspended, or its version needs a face.
        """
        token = self._vault.new_token()
        async with self._change() as change, settling(change, platform_id) as platform:
            _check_not_suspended(platform)
            await check_room(change, platform, face)
            await withdraw_invitations(change, platform, face)
            change.session.add(_invitation(change, platform, self._vault.token_hash(token.reveal()), face, None))
        return token

    # ------------------------------------------------------------ the partner registers

    async def register(self, invitation: Invitation, registration: Registration) -> Secret:
        """Use up the invitation and connect the platform. Returns the token the partner will use.

        Raises:
            AlreadyRegistered: another registration was faster.
            Unauthorized: the invitation was withdrawn or has expired, or the platform is suspended.
            InvalidParameters: a party is taken, the hub's or not invited, or peering is not allowed.
        """
        token = self._vault.new_token()
        async with self._change() as change, settling(change, invitation.platform_id) as platform:
            invited = await redeem(change, invitation.id, platform)
            await check_room(change, platform, invited.face)
            await check_invited(change, platform, registration)
            token_hash = self._vault.token_hash(token.reveal())
            connection = new_connection(change, platform, registration, token_hash, invited.face, self._vault)
            await store_registration(change, platform, connection, registration, self._hub_party)
        return token

    async def reregister(self, connection_id: str, registration: Registration) -> Secret:
        """Replace everything the connection has, version and tokens included. Returns the token the partner will use.

        The partner's old token is dead at once, and so are those of exchanges under way with it.

        Raises:
            Unauthorized: the connection is gone, or the platform is suspended.
            InvalidParameters: a party is taken or the hub's, or peering is not allowed.
        """
        token = self._vault.new_token()
        async with self._change() as change:
            connection = await connection_row(change, connection_id)
            async with settling(change, connection.platform_id) as platform:
                if platform.suspended:
                    raise Unauthorized
                await end_old_tokens(change, connection)
                token_hash = self._vault.token_hash(token.reveal())
                renew_connection(change, connection, registration, token_hash, self._vault)
                await store_registration(change, platform, connection, registration, self._hub_party)
        return token

    async def leave(self, connection_id: str) -> None:
        """Forget a connection with its tokens; its parties become SUSPENDED. Nothing happens when it is gone."""
        async with self._change() as change:
            connection = await change.session.get(ConnectionRow, connection_id)
            if connection is None:
                return
            async with settling(change, connection.platform_id) as platform:
                await drop_connection(change, platform, connection)

    # ------------------------------------------------------------ the hub registers

    async def open_handshake(
        self, platform_id: str, *, face: Face | None, connection_id: str | None
    ) -> tuple[str, Secret]:
        """Begin an exchange with a partner: its id, and the TOKEN_B that the partner will use.

        For an existing connection the token counts like the connection's own. For a new one it opens versions,
        details and credentials only.

        Raises:
            UnknownPlatform: there is none of this id.
            AlreadyRegistered: it is connected, and this is to be a new connection.
            Unauthorized: the connection is gone.
            InvalidParameters: the platform is suspended.
            HubFault: another exchange for this connection is under way.
        """
        token = self._vault.new_token()
        async with self._change() as change, settling(change, platform_id) as platform:
            _check_not_suspended(platform)
            token_hash = self._vault.token_hash(token.reveal())
            handshake_id = await open_exchange(change, platform, token_hash, face=face, connection_id=connection_id)
        return handshake_id, token

    async def close_handshake(
        self, handshake_id: str, registration: Registration, *, grace_s: float = 0.0
    ) -> PlatformRecord:
        """Complete an exchange: its TOKEN_B becomes the connection's token.

        The connection's former token dies, after `grace_s` seconds.

        Raises:
            HubFault: another exchange with this platform overtook it.
            AlreadyRegistered: the partner registered by itself meanwhile.
            Unauthorized: the connection is gone.
            InvalidParameters: a party is taken, the hub's or not invited, or peering is not allowed.
        """
        async with self._change() as change:
            handshake = await exchange_under_way(change, handshake_id)
            async with settling(change, handshake.platform_id) as platform:
                if handshake.connection_id is None:
                    connection = await new_from_exchange(change, platform, handshake, registration, self._vault)
                else:
                    connection = await renewed_by_exchange(
                        change, handshake.connection_id, handshake, registration, self._vault, grace_s
                    )
                await store_registration(change, platform, connection, registration, self._hub_party)
            return await record_of(change.session, platform)

    async def abandon_handshake(self, handshake_id: str, *, grace_s: float) -> None:
        """Give up an exchange. Its token is dead, after `grace_s` seconds in which it opens no functional module."""
        async with self._change() as change:
            handshake = await change.session.get(HandshakeRow, handshake_id)
            if handshake is None:
                return
            async with settling(change, handshake.platform_id):
                await abandon_exchange(change, handshake, grace_s)

    # ------------------------------------------------------------ the operator decides

    async def change(
        self, platform_id: str, *, name: str | None = None, quirks: Quirks | NewQuirks | None = None
    ) -> PlatformRecord:
        """Another name, other quirks, or both. Quirks may follow from what the platform is at that moment.

        Raises:
            UnknownPlatform: there is none of this id.
        """
        async with self._change() as change:
            async with settling(change, platform_id) as platform:
                if callable(quirks):
                    quirks = quirks(await record_of(change.session, platform))
                platform.name = platform.name if name is None else name
                platform.quirks = platform.quirks if quirks is None else quirks
            return await record_of(change.session, platform)

    async def capture(self, platform_id: str, until: datetime | None) -> PlatformRecord:
        """Have the journal keep what is in the platform's messages until then, or no more.

        Raises:
            UnknownPlatform: there is none of this id.
        """
        async with self._change() as change:
            async with settling(change, platform_id) as platform:
                platform.capture_until = until
            return await record_of(change.session, platform)

    async def suspend(self, platform_id: str) -> PlatformRecord:
        """Let nothing the platform presents open anything, and show its parties as SUSPENDED.

        Raises:
            UnknownPlatform: there is none of this id.
        """
        return await self._set_suspended(platform_id, suspended=True)

    async def resume(self, platform_id: str) -> PlatformRecord:
        """End the suspension. Parties it is registered with are CONNECTED again, unless suspended themselves.

        Raises:
            UnknownPlatform: there is none of this id.
        """
        return await self._set_suspended(platform_id, suspended=False)

    async def remove(self, platform_id: str) -> PlatformRecord:
        """Forget all connections, invitations and exchanges. The platform and its parties stay listed, SUSPENDED.

        Raises:
            UnknownPlatform: there is none of this id.
        """
        async with self._change() as change:
            async with settling(change, platform_id) as platform:
                platform.planned = False
                await drop_everything(change, platform)
            return await record_of(change.session, platform)

    # ------------------------------------------------------------ what the hub notices

    async def note_told_roles(self, token: Secret, mark: bytes) -> None:
        """Note which roles were named to the partner that presents this token. This is no change of the directory."""
        async with self._database.writing() as session:
            await note_told_roles(session, self._vault.token_hash(token.reveal()), mark)

    async def told_roles(self, connection_id: str) -> bytes | None:
        """The mark of the roles that were named through this connection last; None when that is not known."""
        async with self._database.reading() as session:
            return await told_roles(session, connection_id)

    async def seen(self, connection_ids: Collection[str]) -> None:
        """Note that the platforms of these connections were heard of just now. This is no change of the directory."""
        async with self._database.writing() as session:
            await note_last_seen(session, connection_ids)

    # ------------------------------------------------------------ what they have in common

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[Change]:
        async with changing(self._database) as change:
            yield change
        await self._directory.announce()

    async def _set_suspended(self, platform_id: str, *, suspended: bool) -> PlatformRecord:
        async with self._change() as change:
            async with settling(change, platform_id) as platform:
                platform.suspended = suspended
                platform.unreachable_since = None  # when it is resumed, whether it answers is found out anew
            return await record_of(change.session, platform)


def _check_not_suspended(platform: PlatformRow) -> None:
    if platform.suspended:
        raise InvalidParameters("The platform is suspended; resume it first")


def _invitation(
    change: Change, platform: PlatformRow, token_hash: bytes, face: Face | None, expires_at: datetime | None
) -> InvitationRow:
    return InvitationRow(
        id=new_id(),
        platform_id=platform.id,
        token_hash=token_hash,
        face=face,
        expires_at=expires_at,
        created_at=change.now,
    )
