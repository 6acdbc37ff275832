"""Lists for operators, page by page, in an order that changes under way do not disturb."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped
from sqlmodel import and_, case, col, func, literal, or_, select, true, tuple_, union_all
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from hub.store.records import LossRecord, Page, PartyRecord, PlatformRecord
from hub.store.tables import ConnectionRow, LossRow, PartyRoleRow, PartyRow, PlatformRow, RemotePartyRow
from hub.store.truth import IS_CURRENT, NEAREST, party_records, platform_row, records_of, remote_records
from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus, Party, Role

Item = TypeVar("Item")
Place = TypeVar("Place")

_STATUSES_OF_FORMER_ROLES: Final = frozenset({None, ConnectionStatus.SUSPENDED})
"""What is asked for when former roles are wanted, too; None is any status."""


async def platforms_page(session: AsyncSession, limit: int, cursor: str | None) -> Page[PlatformRecord]:
    """Platforms in the order of their creation.

    Raises:
        InvalidParameters: the cursor is none of ours.
    """
    query = select(PlatformRow).order_by(col(PlatformRow.created_at), col(PlatformRow.id))
    if cursor is not None:
        created_at, last_id = place_of(cursor, tuple[datetime, str])
        later = col(PlatformRow.created_at) > created_at
        same_moment = and_(col(PlatformRow.created_at) == created_at, col(PlatformRow.id) > last_id)
        query = query.where(or_(later, same_moment))
    rows = (await session.exec(query.limit(limit + 1))).all()
    records = await records_of(session, rows[:limit])
    return Page(
        tuple(records), cursor_to((rows[limit - 1].created_at, rows[limit - 1].id)) if len(rows) > limit else None
    )


class PlatformMoment(StrEnum):
    """What platforms can be put in order by that only the truth knows."""

    CREATED = "created"
    LAST_SEEN = "last_seen"
    TOKENS_SINCE = "tokens_since"
    """The oldest of its tokens."""


async def platform_moments(session: AsyncSession, moment: PlatformMoment) -> dict[str, datetime]:
    """When that was, of each platform that it is known of."""
    row = PlatformRow
    tokens = select(ConnectionRow.platform_id, func.min(ConnectionRow.tokens_since)).group_by(
        col(ConnectionRow.platform_id)
    )
    queries: dict[PlatformMoment, Any] = {
        PlatformMoment.CREATED: select(row.id, row.created_at),
        PlatformMoment.LAST_SEEN: select(row.id, row.last_seen).where(col(row.last_seen).is_not(None)),
        PlatformMoment.TOKENS_SINCE: tokens,
    }
    return dict((await session.exec(queries[moment])).all())


async def parties_page(
    session: AsyncSession,
    *,
    role: Role | None,
    status: ConnectionStatus | None,
    words: str | None,
    limit: int,
    cursor: str | None,
) -> Page[PartyRecord]:
    """Parties in the order of their names. `words` is a part of `NL*ABC` or of the platform's name, in any case.

    Raises:
        InvalidParameters: the cursor is none of ours.
    """
    after = None if cursor is None else place_of(cursor, _Listed)
    both = (_own(role, status, words, after), _remote(role, status, words, after))
    # Each side ends early by itself: the database would count everybody before it puts both together.
    firsts = [side.order_by(*side.selected_columns).limit(limit + 1).subquery() for side in both]
    listed = union_all(*(select(*first.c) for first in firsts)).subquery()
    query = select(*listed.c).order_by(*listed.c).limit(limit + 1)
    found = [_Listed(*row) for row in (await session.exec(query)).all()]
    records = await _party_records(session, found[:limit])
    return Page(
        tuple(records[each] for each in found[:limit]), cursor_to(found[limit - 1]) if len(found) > limit else None
    )


class _Listed(NamedTuple):
    """One party in the list of all; parties of platforms here come before those of the same name behind hubs."""

    country_code: str
    party_id: str
    via: str
    """Id of the hub's platform; empty for a party of a platform here."""


def _own(
    role: Role | None, status: ConnectionStatus | None, words: str | None, after: _Listed | None
) -> Select[str, str, Any]:
    place = (PartyRow.country_code, PartyRow.party_id)
    query: Select[str, str, Any] = select(*place, literal("").label("via"))
    if after is not None:
        query = query.where(tuple_(*map(col, place)) > tuple_(after.country_code, after.party_id))
    has = true() if role is None else _has_role(role, IS_CURRENT)
    found = has if status is None else and_(has, col(PartyRow.status) == status)
    query = query.where(or_(found, _has_role(role, ~IS_CURRENT)) if status in _STATUSES_OF_FORMER_ROLES else found)
    if words:
        query = query.join(PlatformRow, col(PlatformRow.id) == col(PartyRow.platform_id))
        query = query.where(_mentions(words, col(PartyRow.country_code), col(PartyRow.party_id)))
    return query


def _remote(
    role: Role | None, status: ConnectionStatus | None, words: str | None, after: _Listed | None
) -> Select[str, str, Any]:
    """Each party once for each hub that announces it; its status is the nearest of its roles', see `remote_records`."""
    place = (RemotePartyRow.country_code, RemotePartyRow.party_id, RemotePartyRow.platform_id)
    query: Select[str, str, Any] = select(place[0], place[1], col(place[2]).label("via"))
    query = query.group_by(*map(col, place))
    if after is not None:
        query = query.where(tuple_(*map(col, place)) > tuple_(*after))
    is_withdrawn = col(RemotePartyRow.announced) == ConnectionStatus.SUSPENDED
    has = true() if role is None else _any(and_(col(RemotePartyRow.role) == role, ~is_withdrawn))
    nearness = case({each: number for number, each in enumerate(NEAREST)}, value=col(RemotePartyRow.status))
    found = has if status is None else and_(has, func.min(nearness) == NEAREST.index(status))
    withdrawn = _any(is_withdrawn if role is None else and_(col(RemotePartyRow.role) == role, is_withdrawn))
    query = query.having(or_(found, withdrawn) if status in _STATUSES_OF_FORMER_ROLES else found)
    if words:
        query = query.join(PlatformRow, col(PlatformRow.id) == col(RemotePartyRow.platform_id))
        query = query.where(_mentions(words, col(place[0]), col(place[1])))
    return query


async def parties_called(session: AsyncSession, party: Party) -> list[PartyRecord]:
    """Every party of this name: of a platform here, then those behind other hubs."""
    own = await session.get(PartyRow, tuple(party))
    place = (col(RemotePartyRow.country_code), col(RemotePartyRow.party_id))
    remote = select(RemotePartyRow).where(tuple_(*place) == tuple_(*party))
    behind = (await session.exec(remote.order_by(col(RemotePartyRow.platform_id), col(RemotePartyRow.role)))).all()
    here = [] if own is None else await party_records(session, [own])
    return [*here, *await remote_records(session, behind)]


async def _party_records(session: AsyncSession, listed: Sequence[_Listed]) -> dict[_Listed, PartyRecord]:
    own_place = tuple_(col(PartyRow.country_code), col(PartyRow.party_id))
    own = select(PartyRow).where(own_place.in_([each[:2] for each in listed if not each.via]))
    records = await party_records(session, (await session.exec(own)).all())
    remote_place = tuple_(
        col(RemotePartyRow.country_code), col(RemotePartyRow.party_id), col(RemotePartyRow.platform_id)
    )
    remote = select(RemotePartyRow).where(remote_place.in_([tuple(each) for each in listed if each.via]))
    remote = remote.order_by(col(RemotePartyRow.role))
    records_behind = await remote_records(session, (await session.exec(remote)).all())
    return {
        **{_Listed(*each.party, ""): each for each in records},
        **{_Listed(*each.party, each.platform_id): each for each in records_behind},
    }


async def losses_page(session: AsyncSession, platform_id: str, limit: int, cursor: str | None) -> Page[LossRecord]:
    """What went lost to and from one platform, in the order of direction, module, object, loss and other version.

    Raises:
        UnknownPlatform: there is none of this id.
        InvalidParameters: the cursor is none of ours.
    """
    await platform_row(session, platform_id)
    place = (LossRow.direction, LossRow.module, LossRow.kind, LossRow.loss, LossRow.other_version)
    query = select(LossRow).where(col(LossRow.platform_id) == platform_id).order_by(*map(col, place))
    if cursor is not None:
        query = query.where(tuple_(*map(col, place)) > tuple_(*place_of(cursor, tuple[str, str, str, str, str])))
    rows = (await session.exec(query.limit(limit + 1))).all()
    records = tuple(msgspec.convert(row.model_dump(exclude={"platform_id"}), LossRecord) for row in rows[:limit])
    if len(rows) <= limit:
        return Page(records, None)
    last = records[-1]
    return Page(records, cursor_to((last.direction, last.module, last.kind, last.loss, last.other_version)))


def _has_role(role: Role | None, which: ColumnElement[bool]) -> ColumnElement[bool]:
    its_roles = select(PartyRoleRow.id).where(
        col(PartyRoleRow.country_code) == col(PartyRow.country_code),
        col(PartyRoleRow.party_id) == col(PartyRow.party_id),
        which,
    )
    return (its_roles if role is None else its_roles.where(col(PartyRoleRow.role) == role)).exists()


def _any(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether it holds for some row of a group."""
    return func.max(case((condition, 1), else_=0)) == 1


def _mentions(words: str, country_code: Mapped[str], party_id: Mapped[str]) -> ColumnElement[bool]:
    name = country_code + "*" + party_id
    return or_(name.icontains(words, autoescape=True), col(PlatformRow.name).icontains(words, autoescape=True))


def cursor_to(place: object) -> str:
    """What leads to the items after this place."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode()


def place_of(cursor: str, kind: type[Place]) -> Place:
    """The place that a cursor names.

    Raises:
        InvalidParameters: it is none of ours.
    """
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor), type=kind)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise InvalidParameters("The cursor is not one that an earlier answer gave") from error
