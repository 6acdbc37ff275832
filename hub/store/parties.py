"""The parties of all platforms, here and behind other hubs: who there is, and who may take part."""

from __future__ import annotations

from collections.abc import Sequence

from hub.store.changes import Change, changing, settling
from hub.store.database import Database
from hub.store.lists import parties_called, parties_page
from hub.store.live_directory import LiveDirectory
from hub.store.records import Page, PartyRecord
from hub.store.tables import PartyRow
from hub.store.truth import UnknownParty, party_records
from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus, Party, Role


class Parties:
    """The parties in the truth. Which there are, their platforms decide: see `hub.store.platforms`.

    Each method is one transaction; what changed is in the directory of this process when it returns.
    """

    def __init__(self, database: Database, directory: LiveDirectory) -> None:
        self._database = database
        self._directory = directory

    async def list(
        self,
        *,
        role: Role | None = None,
        status: ConnectionStatus | None = None,
        q: str | None = None,
        limit: int,
        cursor: str | None,
    ) -> Page[PartyRecord]:
        """Parties in the order of their names. `q` is a part of `NL*ABC` or of the platform's name, in any case.

        Raises:
            InvalidParameters: the cursor is none of ours.
        """
        async with self._database.reading() as session:
            return await parties_page(session, role=role, status=status, words=q, limit=limit, cursor=cursor)

    async def known_as(self, party: Party) -> Sequence[PartyRecord]:
        """Every party of this name: of a platform here, and behind other hubs."""
        async with self._database.reading() as session:
            return await parties_called(session, party)

    async def suspend(self, party: Party) -> PartyRecord:
        """Show one party as SUSPENDED; the others of its platform go on.

        Raises:
            UnknownParty: there is none of this name.
            InvalidParameters: it is behind another hub.
        """
        return await self._set_suspended(party, suspended=True)

    async def resume(self, party: Party) -> PartyRecord:
        """End the suspension of one party.

        Raises:
            UnknownParty: there is none of this name.
            InvalidParameters: it is behind another hub.
        """
        return await self._set_suspended(party, suspended=False)

    async def _set_suspended(self, party: Party, *, suspended: bool) -> PartyRecord:
        async with changing(self._database) as change:
            row = await change.session.get(PartyRow, tuple(party))
            if row is None:
                raise await _no_party_here(change, party)
            async with settling(change, row.platform_id):
                row.suspended = suspended
            [record] = await party_records(change.session, [row])
        await self._directory.announce()
        return record


async def _no_party_here(change: Change, party: Party) -> UnknownParty | InvalidParameters:
    elsewhere = await parties_called(change.session, party)
    if not elsewhere:
        return UnknownParty()
    hub = elsewhere[0].reachable_via or "another hub"
    return InvalidParameters(
        f"{party} is behind {hub}, which says how it is; suspend the platform of {hub}, or end an agreement"
    )
