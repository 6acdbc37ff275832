"""Exchanges of credentials that the hub begins, in the truth. OCPI 2.2.1, "Credentials", Registration.

Functions here are parts of one transaction, like those of `registrations`.
"""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, delete, select

from hub.store.changes import Change
from hub.store.records import Registration
from hub.store.registrations import (
    check_invited,
    check_room,
    connection_row,
    end_old_tokens,
    new_connection,
    new_id,
    renew_connection,
    withdraw_invitations,
)
from hub.store.tables import ConnectionRow, HandshakeRow, PlatformRow, ReplacedTokenRow
from hub.store.vault import Vault
from routing.errors import HubFault
from routing.vocabulary import Face

LIFE_S = 600.0
"""How long an exchange counts when nobody ends it: for a new connection its token, for another its being under way."""


async def open_exchange(
    change: Change, platform: PlatformRow, token_hash: bytes, *, face: Face | None, connection_id: str | None
) -> str:
    """Begin an exchange, for a new connection or for one that exists. Returns its id.

    Raises:
        AlreadyRegistered: a new connection, and there is one already.
        Unauthorized: the connection is gone.
        HubFault: another exchange for this connection is under way.
    """
    if connection_id is None:
        await check_room(change, platform, face)
    else:
        await _check_alone(change, await connection_row(change, connection_id))
    expired = (col(HandshakeRow.platform_id) == platform.id, col(HandshakeRow.not_after) <= change.now)
    await change.session.exec(delete(HandshakeRow).where(*expired))
    handshake = HandshakeRow(
        id=new_id(),
        platform_id=platform.id,
        connection_id=connection_id,
        token_hash=token_hash,
        face=face,
        not_after=change.now + timedelta(seconds=LIFE_S) if connection_id is None else None,
        created_at=change.now,
    )
    change.session.add(handshake)
    return handshake.id


async def _check_alone(change: Change, connection: ConnectionRow) -> None:
    """Refuse a second exchange beside another, maybe of another process.

    The partner could take the tokens of one of them and the hub those of the other. An exchange that is older than
    `LIFE_S` was left behind by a process that died.
    """
    own = (col(HandshakeRow.connection_id) == connection.id, col(HandshakeRow.not_after).is_(None))
    recent = col(HandshakeRow.created_at) > change.now - timedelta(seconds=LIFE_S)
    if (await change.session.exec(select(HandshakeRow.id).where(*own, recent))).first() is not None:
        raise HubFault("The tokens of this platform are being replaced already; look at it and try again")


async def exchange_under_way(change: Change, handshake_id: str) -> HandshakeRow:
    """The exchange of this id.

    Raises:
        HubFault: it is over.
    """
    row = await change.session.get(HandshakeRow, handshake_id)
    if row is None:
        raise HubFault("Another registration of this platform was faster; look at it and try again")
    return row


async def new_from_exchange(
    change: Change, platform: PlatformRow, handshake: HandshakeRow, registration: Registration, vault: Vault
) -> ConnectionRow:
    """The connection the exchange leads to. The invitation that is not needed any more is withdrawn.

    Raises:
        AlreadyRegistered: the partner registered by itself meanwhile.
        InvalidParameters: not what the operator wanted.
    """
    await check_room(change, platform, handshake.face)
    await check_invited(change, platform, registration)
    await withdraw_invitations(change, platform, handshake.face)
    await _end_exchanges_for_new(change, platform)
    return new_connection(change, platform, registration, handshake.token_hash, handshake.face, vault)


async def renewed_by_exchange(
    change: Change,
    connection_id: str,
    handshake: HandshakeRow,
    registration: Registration,
    vault: Vault,
    grace_s: float,
) -> ConnectionRow:
    """The connection with the tokens of the exchange; its former one counts for `grace_s` seconds more.

    Raises:
        Unauthorized: the connection is gone.
    """
    connection = await connection_row(change, connection_id)
    await end_old_tokens(change, connection)
    if grace_s > 0:
        end = change.now + timedelta(seconds=grace_s)
        former = ReplacedTokenRow(token_hash=connection.token_hash, connection_id=connection.id, not_after=end)
        change.session.add(former)
    renew_connection(change, connection, registration, handshake.token_hash, vault)
    return connection


async def abandon_exchange(change: Change, handshake: HandshakeRow, grace_s: float) -> None:
    """Let the token of the exchange open nothing, or for `grace_s` seconds versions, details and credentials."""
    if grace_s > 0:
        handshake.not_after = change.now + timedelta(seconds=grace_s)
    else:
        await change.session.delete(handshake)


async def _end_exchanges_for_new(change: Change, platform: PlatformRow) -> None:
    of_platform = col(HandshakeRow.platform_id) == platform.id
    await change.session.exec(delete(HandshakeRow).where(of_platform, col(HandshakeRow.connection_id).is_(None)))
