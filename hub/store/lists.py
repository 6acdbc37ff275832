"""Lists for operators, page by page, in an order that changes under way do not disturb."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy import ColumnElement
from sqlmodel import and_, col, or_, select, tuple_
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.records import LossRecord, Page, PartyRecord, PlatformRecord
from hub.store.tables import LossRow, PartyRoleRow, PartyRow, PlatformRow
from hub.store.truth import party_records, platform_row, records_of
from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus, Party, Role

Item = TypeVar("Item")
Place = TypeVar("Place")


async def platforms_page(session: AsyncSession, limit: int, cursor: str | None) -> Page[PlatformRecord]:
    """Platforms in the order of their creation.

    Raises:
        InvalidParameters: the cursor is none of ours.
    """
    query = select(PlatformRow).order_by(col(PlatformRow.created_at), col(PlatformRow.id))
    if cursor is not None:
        created_at, last_id = _place(cursor, tuple[datetime, str])
        later = col(PlatformRow.created_at) > created_at
        same_moment = and_(col(PlatformRow.created_at) == created_at, col(PlatformRow.id) > last_id)
        query = query.where(or_(later, same_moment))
    rows = (await session.exec(query.limit(limit + 1))).all()
    records = await records_of(session, rows[:limit])
    return Page(
        tuple(records), _cursor((rows[limit - 1].created_at, rows[limit - 1].id)) if len(rows) > limit else None
    )


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
    query = select(PartyRow).order_by(col(PartyRow.country_code), col(PartyRow.party_id))
    if role is not None:
        query = query.where(_has_role(role))
    if status is not None:
        query = query.where(col(PartyRow.status) == status)
    if words:
        query = query.join(PlatformRow, col(PlatformRow.id) == col(PartyRow.platform_id)).where(_mentions(words))
    if cursor is not None:
        query = query.where(tuple_(col(PartyRow.country_code), col(PartyRow.party_id)) > tuple_(*_place(cursor, Party)))
    rows = (await session.exec(query.limit(limit + 1))).all()
    records = await party_records(session, rows[:limit])
    return Page(tuple(records), _cursor(rows[limit - 1].party) if len(rows) > limit else None)


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
        query = query.where(tuple_(*map(col, place)) > tuple_(*_place(cursor, tuple[str, str, str, str, str])))
    rows = (await session.exec(query.limit(limit + 1))).all()
    records = tuple(msgspec.convert(row.model_dump(exclude={"platform_id"}), LossRecord) for row in rows[:limit])
    if len(rows) <= limit:
        return Page(records, None)
    last = records[-1]
    return Page(records, _cursor((last.direction, last.module, last.kind, last.loss, last.other_version)))


def _has_role(role: Role) -> ColumnElement[bool]:
    its_role = and_(
        col(PartyRoleRow.country_code) == col(PartyRow.country_code),
        col(PartyRoleRow.party_id) == col(PartyRow.party_id),
        col(PartyRoleRow.role) == role,
    )
    return select(PartyRoleRow.id).where(its_role).exists()


def _mentions(words: str) -> ColumnElement[bool]:
    name = col(PartyRow.country_code) + "*" + col(PartyRow.party_id)
    return or_(name.icontains(words, autoescape=True), col(PlatformRow.name).icontains(words, autoescape=True))


def _cursor(place: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _place(cursor: str, kind: type[Place]) -> Place:
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor), type=kind)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise InvalidParameters("The cursor is not one that an earlier answer gave") from error
