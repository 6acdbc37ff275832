"""To whom a party belongs that somebody asks for. Operators are told; partners are not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.hub import Hub
from hub.operator.problems import Owned, Owner, status_of
from hub.store.ownership import PartyTaken
from routing.errors import HubError
from routing.vocabulary import ConnectionStatus


@asynccontextmanager
async def owner_named(hub: Hub) -> AsyncIterator[None]:
    """Say of what fails in here because a party belongs to another platform, which platform that is.

    Raises:
        Owned: in place of such an error.
    """
    try:
        yield
    except HubError as error:
        taken = _taken(error)
        if taken is None:
            raise
        record = await hub.platforms.get(taken.platform_id)
        owner = Owner(str(taken.party), record.id, record.name, record.status, record.created_at)
        raise Owned(status_of(error), f"{error}: {_text(owner)}", owner) from error


def _text(owner: Owner) -> str:
    since = "invited" if owner.status is ConnectionStatus.PLANNED else "here since"
    return f"{owner.name} ({owner.platform_id}), {since} {owner.since:%Y-%m-%d %H:%M} UTC"


def _taken(error: BaseException | None) -> PartyTaken | None:
    while error is not None and not isinstance(error, PartyTaken):
        error = error.__cause__
    return error
