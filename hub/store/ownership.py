"""Which party belongs to which platform, and in which roles. OCPI 2.2.1, "Credentials".

A party belongs to the platform that named it first, in an invitation or in a registration, for as long
as the hub exists. What names a party of somebody else is refused before anything is stored. A party behind another hub
becomes a platform's here only when the operator invites it by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement
from sqlmodel import col, select, tuple_, update

from hub.store.changes import Change
from hub.store.records import RegisteredParty
from hub.store.remote_parties import is_remote
from hub.store.tables import PartyRoleRow, PartyRow, PlatformRow
from routing.directory import CredentialsRole
from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus, Party, Role


class PartyTaken(InvalidParameters):
    """A party belongs to another platform. The text, which partners read, does not say to which."""

    def __init__(self, party: Party, platform_id: str) -> None:
        super().__init__(f"{party} belongs to another platform")
        self.party, self.platform_id = party, platform_id


async def plan_parties(
    change: Change, platform: PlatformRow, invited: Collection[tuple[Party, Role]], hub_party: Party
) -> None:
    """Give the platform the parties its invitation names.

    Raises:
        PartyTaken: a party belongs to another platform.
        InvalidParameters: a party is the hub's.
    """
    await _own(change, platform, [party for party, _ in invited], hub_party, is_invited=True)
    change.session.add_all(_role_row(party, CredentialsRole(role, {}), None) for party, role in dict.fromkeys(invited))


async def claim_parties(
    change: Change, platform: PlatformRow, connection_id: str, named: Collection[RegisteredParty], hub_party: Party
) -> None:
    """Make these the parties of the connection, in the roles given here.

    Raises:
        PartyTaken: a party belongs to another platform.
        InvalidParameters: a party is the hub's, or is another hub's and no invitation names it.
    """
    parties = [each.party for each in named]
    await _own(change, platform, parties, hub_party, is_invited=False)
    await release_parties(change, connection_id)
    change.session.add_all(_role_row(each.party, role, connection_id) for each in named for role in each.roles)
    await _end_roles(change, parties)


async def release_parties(change: Change, connection_id: str) -> None:
    """Let the connection name no party any more. One that no other connection names keeps its roles on record."""
    ours = col(PartyRoleRow.connection_id) == connection_id
    query = select(PartyRoleRow.country_code, PartyRoleRow.party_id).where(ours)
    parties = {Party(*row) for row in (await change.session.exec(query)).all()}
    await change.session.exec(update(PartyRoleRow).where(ours).values(connection_id=None))
    await _end_roles(change, parties)


async def _end_roles(change: Change, parties: Collection[Party]) -> None:
    """Of those of these parties that are registered: the roles that no connection names become former ones.

    OCPI 2.2.1, "HubClientInfo": what is invalidated is not deleted.
    """
    if not parties:
        return
    await change.session.flush()
    query = select(PartyRoleRow).where(_is_any_of(parties)).order_by(col(PartyRoleRow.id).desc())
    rows = (await change.session.exec(query)).all()
    known = {_named(row) for row in rows if row.connection_id is not None}
    registered = {party for party, _ in known}
    for row in rows:
        party, role = _named(row)
        if row.connection_id is not None or party not in registered:
            continue
        if (party, role) in known:
            await change.session.delete(row)
        elif row.former_since is None:
            row.former_since, row.former_revision = change.now, change.revision
        known.add((party, role))
    await change.session.flush()


def _named(row: PartyRoleRow) -> tuple[Party, Role]:
    return Party(row.country_code, row.party_id), row.role


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
            raise PartyTaken(party, row.platform_id)
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


def _is_any_of(parties: Iterable[Party]) -> ColumnElement[bool]:
    return tuple_(col(PartyRoleRow.country_code), col(PartyRoleRow.party_id)).in_([tuple(party) for party in parties])
