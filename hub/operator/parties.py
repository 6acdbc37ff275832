"""`/api/v1/parties`: every party the hub knows, whatever its status."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import structlog
from litestar import get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from hub.observability import FilteringBoundLogger
from hub.operator.platforms import Cursor, Limit, TheHub
from hub.operator.problems import documented
from hub.operator.resources import PartiesView, party_views
from hub.operator.roles import FOR_AUDITORS, FOR_OPERATORS
from hub.store.records import PartyRecord
from hub.store.truth import UnknownParty
from routing.vocabulary import ConnectionStatus, Party, Role

log: FilteringBoundLogger = structlog.get_logger()

Named = FromPath[str]
Words = Annotated[str | None, QueryParameter(max_length=100, description="Part of NL*ABC, or of a name; in any case.")]


@get("/parties", tags=["parties"], responses=documented(422, 503), opt=FOR_AUDITORS)
async def list_parties(
    hub: TheHub,
    role: FromQuery[Role | None] = None,
    status: FromQuery[ConnectionStatus | None] = None,
    q: Words = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> PartiesView:
    """Parties, one item for each role of each."""
    page = await hub.parties.list(role=role, status=status, q=q, limit=limit, cursor=cursor)
    views = (view for party in page.items for view in party_views(party))
    items = [view for view in views if role in {None, view.role} and status in {None, view.status}]
    return PartiesView(tuple(items), page.next_cursor)


@get("/parties/{party:str}", tags=["parties"], responses=documented(404, 503), opt=FOR_AUDITORS)
async def show_party(hub: TheHub, party: Named) -> PartiesView:
    """One party, such as NL*ABC: one item for each of its roles, wherever it is."""
    records = await hub.parties.known_as(_name(party))
    if not records:
        raise UnknownParty
    return _views(*records)


@post(
    "/parties/{party:str}/suspend",
    tags=["parties"],
    status_code=HTTPStatus.OK,
    responses=documented(404, 422, 503),
    opt=FOR_OPERATORS,
)
async def suspend_party(hub: TheHub, party: Named) -> PartiesView:
    """Refuse one party and everything for it, until it is resumed. The others of its platform go on."""
    record = await hub.parties.suspend(_name(party))
    log.info("party_suspended", party=str(record.party), platform_id=record.platform_id)
    return _views(record)


@post(
    "/parties/{party:str}/resume",
    tags=["parties"],
    status_code=HTTPStatus.OK,
    responses=documented(404, 422, 503),
    opt=FOR_OPERATORS,
)
async def resume_party(hub: TheHub, party: Named) -> PartiesView:
    """Let a suspended party take part again."""
    record = await hub.parties.resume(_name(party))
    log.info("party_resumed", party=str(record.party), platform_id=record.platform_id)
    return _views(record)


def _name(text: str) -> Party:
    """The party of this name.

    Raises:
        UnknownParty: no party can have it.
    """
    country_code, star, party_id = text[:2], text[2:3], text[3:]
    if star != "*" or len(country_code) != 2 or not 1 <= len(party_id) <= 3:
        raise UnknownParty
    return Party.read(country_code, party_id)


def _views(*records: PartyRecord) -> PartiesView:
    return PartiesView(tuple(view for record in records for view in party_views(record)), None)
