"""What a completed credentials exchange changes in the truth. OCPI 2.2.1, "Credentials".

Functions here are parts of one transaction: they check first, and whatever they raise rolls all of it back.
"""

from __future__ import annotations

from uuid import uuid4

from sqlmodel import col, delete, or_

from hub.store.changes import Change, connections_of
from hub.store.ownership import claim_parties, own_parties, release_parties
from hub.store.records import RegisteredParty, Registration
from hub.store.remote_parties import announce_roles, withdraw_everybody
from hub.store.tables import (
    CallbackRow,
    ConnectionRow,
    EndpointRow,
    HandshakeRow,
    InvitationRow,
    PlatformRow,
    ReplacedTokenRow,
)
from hub.store.vault import Vault
from routing.dialects import DIALECTS
from routing.directory import CredentialsRole
from routing.errors import AlreadyRegistered, InvalidParameters, Unauthorized
from routing.vocabulary import Face, Party, Role

_OPPOSITE: dict[Face, Role] = {Face.EMSP: Role.CPO, Face.CPO: Role.EMSP}
_ALLOWED_WHEN_REGISTERED = ("GET", "PUT", "DELETE")


async def redeem(change: Change, invitation_id: str, platform: PlatformRow) -> InvitationRow:
    """Use up an invitation.

    Raises:
        AlreadyRegistered: another registration used it first.
        Unauthorized: it was withdrawn or has expired, or the platform is suspended.
    """
    invitation = await change.session.get(InvitationRow, invitation_id)
    if invitation is None:
        if await connections_of(change, platform):
            raise already_registered()
        raise Unauthorized
    if platform.suspended or (invitation.expires_at is not None and invitation.expires_at <= change.now):
        raise Unauthorized
    await change.session.delete(invitation)
    await change.session.flush()
    return invitation


async def connection_row(change: Change, connection_id: str) -> ConnectionRow:
    """The connection of this id.

    Raises:
        Unauthorized: it is gone, so whoever spoke for it does so no longer.
    """
    row = await change.session.get(ConnectionRow, connection_id)
    if row is None:
        raise Unauthorized
    return row


async def check_room(change: Change, platform: PlatformRow, face: Face | None) -> None:
    """Refuse a second connection, except the other side of a 2.1.1 company that is both CPO and eMSP.

    Raises:
        AlreadyRegistered: there is a connection already.
    """
    present = await connections_of(change, platform)
    if present and (face is None or any(each.face in {None, face} for each in present)):
        raise already_registered()


async def check_invited(change: Change, platform: PlatformRow, registration: Registration) -> None:
    """Refuse what the operator did not invite.

    Raises:
        InvalidParameters: another version, or a party that was not named.
    """
    if platform.version not in {None, registration.version}:
        raise InvalidParameters(f"The invitation is for version {platform.version}")
    if platform.invited_parties:
        welcome = {*platform.invited_parties, *await own_parties(change, platform)}
        for each in registration.parties:
            if each.party not in welcome:
                raise InvalidParameters(f"{each.party} is not among the parties the invitation is for")


def new_connection(
    change: Change,
    platform: PlatformRow,
    registration: Registration,
    token_hash: bytes,
    face: Face | None,
    vault: Vault,
) -> ConnectionRow:
    """A connection as registered, not stored yet. The invitation's face counts more than the registration's."""
    connection_id = new_id()
    return ConnectionRow(
        id=connection_id,
        platform_id=platform.id,
        version=registration.version,
        face=face or registration.face,
        versions_url=registration.versions_url,
        token_hash=token_hash,
        our_token=vault.seal(registration.our_token, connection_id),
        auth_encoding=registration.auth_encoding,
        tokens_since=change.now,
        shown=registration.shown,
        created_at=change.now,
    )


def renew_connection(
    change: Change, connection: ConnectionRow, registration: Registration, token_hash: bytes, vault: Vault
) -> ConnectionRow:
    """The same connection as registered again. Its id stays, so whatever was stored for it stays valid."""
    connection.version = registration.version
    connection.face = connection.face or registration.face
    connection.versions_url = registration.versions_url
    connection.token_hash = token_hash
    connection.our_token = vault.seal(registration.our_token, connection.id)
    connection.auth_encoding = registration.auth_encoding
    connection.tokens_since = change.now
    connection.shown = registration.shown
    return connection


async def store_registration(
    change: Change, platform: PlatformRow, connection: ConnectionRow, registration: Registration, hub_party: Party
) -> None:
    """Store the connection with the endpoints and parties that the registration names.

    Raises:
        InvalidParameters: a party is taken or the hub's, peering is not allowed, or a 2.1.1 face is missing.
    """
    _check_peering(platform, registration)
    parties = _with_roles(registration, connection.face)
    platform.planned = False
    platform.unreachable_since = None  # it has just been called, and answered
    platform.last_seen = change.now
    change.session.add_all((platform, connection))
    await change.session.flush()
    await change.session.exec(delete(EndpointRow).where(col(EndpointRow.connection_id) == connection.id))
    change.session.add_all(
        EndpointRow(connection_id=connection.id, module=each.module, interface=each.interface, url=each.url)
        for each in registration.endpoints
    )
    await claim_parties(change, platform, connection.id, parties, hub_party)
    await _store_remote(change, platform, registration, hub_party)


async def _store_remote(change: Change, platform: PlatformRow, registration: Registration, hub_party: Party) -> None:
    if not platform.is_hub:
        await withdraw_everybody(change, platform)
    elif registration.remote is not None:
        named = {
            (each.party, role.role): role.business_details
            for each in registration.remote
            for role in each.roles
            if each.party != hub_party
        }
        await announce_roles(change, platform, named)


async def drop_connection(change: Change, platform: PlatformRow, connection: ConnectionRow) -> None:
    """Forget a connection with its tokens. The parties stay, and so do the CDRs that can be read again."""
    await release_parties(change, connection.id)
    await change.session.exec(delete(ConnectionRow).where(col(ConnectionRow.id) == connection.id))
    if not await connections_of(change, platform):
        platform.unreachable_since = None
        ends_here = or_(
            col(CallbackRow.originator_platform_id) == platform.id,
            col(CallbackRow.receiver_platform_id) == platform.id,
        )
        await change.session.exec(delete(CallbackRow).where(ends_here))


async def drop_everything(change: Change, platform: PlatformRow) -> None:
    """Forget every connection, invitation and exchange of the platform."""
    for connection in await connections_of(change, platform):
        await drop_connection(change, platform, connection)
    await change.session.exec(delete(InvitationRow).where(col(InvitationRow.platform_id) == platform.id))
    await change.session.exec(delete(HandshakeRow).where(col(HandshakeRow.platform_id) == platform.id))


async def withdraw_invitations(change: Change, platform: PlatformRow, face: Face | None) -> None:
    """Withdraw the platform's unused invitations for this face."""
    same_face = col(InvitationRow.face).is_(None) if face is None else col(InvitationRow.face) == face
    await change.session.exec(delete(InvitationRow).where(col(InvitationRow.platform_id) == platform.id, same_face))


async def end_old_tokens(change: Change, connection: ConnectionRow) -> None:
    """Let no token of the connection count but the one in its row: none of an exchange under way, none replaced."""
    await change.session.exec(delete(HandshakeRow).where(col(HandshakeRow.connection_id) == connection.id))
    await change.session.exec(delete(ReplacedTokenRow).where(col(ReplacedTokenRow.connection_id) == connection.id))


def new_id() -> str:
    """A random id for a row: 32 hexadecimal digits."""
    return uuid4().hex


def already_registered() -> AlreadyRegistered:
    """The refusal of a second registration."""
    return AlreadyRegistered("This platform is registered already", _ALLOWED_WHEN_REGISTERED)


def _check_peering(platform: PlatformRow, registration: Registration) -> None:
    roles = {role.role for each in registration.parties for role in each.roles}
    is_hub = registration.is_hub or Role.HUB in roles
    if is_hub and not platform.allow_hub:
        raise InvalidParameters("Peering is not allowed: this platform may not register as a hub")
    platform.is_hub = is_hub


def _with_roles(registration: Registration, face: Face | None) -> tuple[RegisteredParty, ...]:
    """The parties with their roles. In 2.1.1 nobody names a role; the partner's is the opposite of the face."""
    if DIALECTS[registration.version].interface_roles:
        return registration.parties
    if face is None:
        raise InvalidParameters(
            f"Version {registration.version} needs an invitation that says which role the partner has"
        )
    return tuple(
        RegisteredParty(
            each.party, (CredentialsRole(_OPPOSITE[face], each.roles[0].business_details if each.roles else {}),)
        )
        for each in registration.parties
    )
