"""Which party belongs to which platform, and in which roles. OCPI 2.2.1, "Credentials".

A party belongs to the platform that named it first, in an invitation or in a registration, for as long
as the hub exists. What names a party of somebody else is refused before anything is stored. A party behind another hub
becomes a platform's here only when the operator invites it by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement
from sqlmodel import and_, col, delete, select, tuple_, update
from sqlmodel.sql.expression import SelectOfScalar

from hub.store.changes import Change
from hub.store.records import RegisteredParty
from hub.store.remote_parties import is_remote
from hub.store.tables import PartyRoleRow, PartyRow, PlatformRow
from routing.directory import CredentialsRole
from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus, Party, Role


async def plan_parties(
    change: Change, platform: PlatformRow, invited: Collection[tuple[Party, Role]], hub_party: Party
) -> None:
    """Give the platform the parties its invitation names.

    Raises:
        InvalidParameters: a party is the hub's, or belongs to another platform.
    """
    await _own(change, platform, [party for party, _ in invited], hub_party, is_invited=True)
    change.session.add_all(_role_row(party, CredentialsRole(role, {}), None) for party, role in dict.fromkeys(invited))


async def claim_parties(
    change: Change, platform: PlatformRow, connection_id: str, named: Collection[RegisteredParty], hub_party: Party
) -> None:
    """Make these the parties of the connection, in the roles given here.

    Raises:
        InvalidParameters: a party is the hub's, or belongs to another platform, or is another hub's and no invitation
            names it.
    """
    parties = [each.party for each in named]
    await _own(change, platform, parties, hub_party, is_invited=False)
    await release_parties(change, connection_id)
    if parties:
        left_over = and_(col(PartyRoleRow.connection_id).is_(None), _is_any_of(parties))
        await change.session.exec(delete(PartyRoleRow).where(left_over))
    change.session.add_all(_role_row(each.party, role, connection_id) for each in named for role in each.roles)


async def release_parties(change: Change, connection_id: str) -> None:
    """Let the connection name no party any more. One that no other connection names keeps its roles on record."""
    ours = (await change.session.exec(_roles_of(connection_id))).all()
    parties = {Party(row.country_code, row.party_id) for row in ours}
    if not parties:
        return
    elsewhere = select(PartyRoleRow.country_code, PartyRoleRow.party_id).where(
        _is_any_of(parties), col(PartyRoleRow.connection_id) != connection_id
    )
    shared = {Party(*row) for row in (await change.session.exec(elsewhere)).all()}
    if shared:
        ours_too = and_(col(PartyRoleRow.connection_id) == connection_id, _is_any_of(shared))
        await change.session.exec(delete(PartyRoleRow).where(ours_too))
    kept = update(PartyRoleRow).where(col(PartyRoleRow.connection_id) == connection_id)
    await change.session.exec(kept.values(connection_id=None))


async def own_parties(change: Change, platform: PlatformRow) -> set[Party]:
    """Every party that belongs to the platform, whatever its status."""
    query = select(PartyRow.country_code, PartyRow.party_id).where(col(PartyRow.platform_id) == platform.id)
    return {Party(*row) for row in (await change.session.exec(query)).all()}


async def _own(
    change: Change, platform: PlatformRow, parties: Iterable[Party], hub_party: Party, *, is_invited: bool
) -> None:
    for party in dict.fromkeys(parties):
        if party == hub_party:
            raise InvalidParameters(f"{party} is the hub itself")
        row = await change.session.get(PartyRow, tuple(party))
        if row is None:
            if not is_invited and await is_remote(change, party):
                raise InvalidParameters(f"{party} is a party of another hub; an invitation has to name it")
            change.session.add(_party_row(party, platform, change))
        elif row.platform_id != platform.id:
            raise InvalidParameters(f"{party} belongs to another platform")
    await change.session.flush()


def _party_row(party: Party, platform: PlatformRow, change: Change) -> PartyRow:
    return PartyRow(
        country_code=party.country_code,
        party_id=party.party_id,
        platform_id=platform.id,
        status=ConnectionStatus.PLANNED,
        suspended=False,
        created_at=change.now,
        last_updated=change.now,
        shown_revision=change.revision,
    )


def _role_row(party: Party, role: CredentialsRole, connection_id: str | None) -> PartyRoleRow:
    return PartyRoleRow(
        country_code=party.country_code,
        party_id=party.party_id,
        connection_id=connection_id,
        role=role.role,
        business_details=role.business_details,
    )


def _roles_of(connection_id: str) -> SelectOfScalar[PartyRoleRow]:
    return select(PartyRoleRow).where(col(PartyRoleRow.connection_id) == connection_id)


def _is_any_of(parties: Iterable[Party]) -> ColumnElement[bool]:
    return tuple_(col(PartyRoleRow.country_code), col(PartyRoleRow.party_id)).in_([tuple(party) for party in parties])
