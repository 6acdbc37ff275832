"""`/api/v1/parties`: every party the hub knows, whatever its status."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import FromQuery, QueryParameter

from hub.operator.platforms import Cursor, Limit, TheHub
from hub.operator.problems import documented
from hub.operator.resources import PartiesView, party_views
from routing.vocabulary import ConnectionStatus, Role

Words = Annotated[str | None, QueryParameter(max_length=100, description="Part of NL*ABC, or of a name; in any case.")]


@get("/parties", tags=["parties"], responses=documented(422, 503))
async def list_parties(
    hub: TheHub,
    role: FromQuery[Role | None] = None,
    status: FromQuery[ConnectionStatus | None] = None,
    q: Words = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> PartiesView:
    """Parties, one item for each role of each."""
    page = await hub.platforms.parties(role=role, status=status, q=q, limit=limit, cursor=cursor)
    items = [view for party in page.items for view in party_views(party) if role in {None, view.role}]
    return PartiesView(tuple(items), page.next_cursor)
