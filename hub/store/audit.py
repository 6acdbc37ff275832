"""The audit log: what operators did, line by line, each bound to the one before it.

Every line carries a keyed hash of itself and of the hash before it. The key is not in the database: who changes,
removes or adds a line there cannot make the hashes fit again. Only the end of the log could be cut off together with
`audit_head`; the hub's own log has number and hash of every line, to compare.

An action has two lines: that it began, written before anything happens, and how it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select

from hub.observability import FilteringBoundLogger
from hub.store.administration_tables import AuditHeadRow, AuditRow
from hub.store.clock import database_time
from hub.store.database import Database
from hub.store.lists import cursor_to, place_of
from hub.store.records import Page
from hub.store.vault import Vault

log: FilteringBoundLogger = structlog.get_logger()

_AT_ONCE: Final = 1000


class Outcome(StrEnum):
    """What became of an action."""

    BEGUN = "begun"
    """Its end is not known: it is under way, or its process ended meanwhile."""
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class AuditLine(Struct, frozen=True, kw_only=True):
    """What one line says. `asked`, `before` and `after` are JSON texts without secrets."""

    actor: str
    role: str
    source: str
    action: str
    object: str
    platform_id: str | None
    outcome: Outcome
    status: int | None = None
    reason: str | None = None
    detail: str | None = None
    asked: str | None = None
    before: str | None = None
    after: str | None = None


class AuditRecord(Struct, frozen=True):
    """One action, from its beginning to its end."""

    id: str
    at: datetime
    ended_at: datetime | None
    line: AuditLine


class Verification(Struct, frozen=True):
    """Whether the log is as it was written."""

    verifies: bool
    lines: int
    """That were read, up to the first one that is wrong."""
    broken_at: str | None
    """Number of the first line that is not as it was written, or is missing."""
    number: int
    """Of the last line."""
    hash: str
    """Of the last line, to compare with what the hub's log says of it."""


class AuditSearch(Struct, frozen=True, kw_only=True):
    """Which actions are asked for. What is None does not matter."""

    actor: str | None = None
    action: str | None = None
    """The whole of it, or a part up to a dot: `platform`."""
    object: str | None = None
    """A part of it."""
    platform_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLog:
    """The log of one hub. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def append(self, line: AuditLine, *, of: int | None = None) -> int:
        """Write a line, the end of another one where `of` says so. Returns its number.

        Whoever writes waits for those who are writing, so that each line follows one other.
        """
        async with self._database.writing() as session:
            head = (await session.exec(select(AuditHeadRow).with_for_update())).one()
            row = AuditRow(number=head.number + 1, of=of, at=await database_time(session), mac=b"", **_columns(line))
            row.mac = self._vault.chained(head.mac, _content(row))
            head.number, head.mac = row.number, row.mac
            session.add(row)
            session.add(head)
            number, mac = row.number, row.mac
        log.info(
            "audited",
            number=number,
            hash=mac.hex(),
            actor=line.actor,
            action=line.action,
            object=line.object,
            outcome=line.outcome,
        )
        return number

    async def page(self, search: AuditSearch, *, limit: int, cursor: str | None) -> Page[AuditRecord]:
        """Actions, the newest first.

        Raises:
            InvalidParameters: the cursor is none of ours.
        """
        end = aliased(AuditRow)
        query = select(AuditRow, end).outerjoin(end, col(end.of) == col(AuditRow.number))
        query = query.where(col(AuditRow.of).is_(None), *_conditions(search, end))
        if cursor is not None:
            query = query.where(col(AuditRow.number) < place_of(cursor, int))
        query = query.order_by(col(AuditRow.number).desc()).limit(limit + 1)
        async with self._database.reading() as session:
            rows = (await session.exec(query)).all()
        following = cursor_to(rows[limit - 1][0].number) if len(rows) > limit else None
        return Page(tuple(_record(begun, ended) for begun, ended in rows[:limit]), following)

    async def verify(self) -> Verification:
        """Read the whole log and see whether it is as it was written."""
        async with self._database.reading() as session:
            head = (await session.exec(select(AuditHeadRow))).one()
        number, mac = 0, bytes(len(head.mac))
        while number < head.number:
            rows = await self._after(number, head.number)
            for row in rows:
                if row.number != number + 1 or not self._vault.has_chained(row.mac, mac, _content(row)):
                    return Verification(False, number, str(number + 1), head.number, head.mac.hex())
                number, mac = row.number, row.mac
            if not rows:
                break
        is_whole = number == head.number and mac == head.mac
        return Verification(is_whole, number, None if is_whole else str(number + 1), head.number, head.mac.hex())

    async def _after(self, number: int, upto: int) -> Sequence[AuditRow]:
        at = col(AuditRow.number)
        query = select(AuditRow).where(at > number, at <= upto).order_by(at).limit(_AT_ONCE)
        async with self._database.reading() as session:
            return (await session.exec(query)).all()


def _columns(line: AuditLine) -> dict[str, Any]:
    return asdict(line) | {"outcome": line.outcome.value}


def _content(row: AuditRow) -> bytes:
    """Everything a line says, in one way only."""
    columns = row.model_dump(exclude={"mac"})
    columns["at"] = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    return msgspec.json.encode(sorted(columns.items()))


def _record(begun: AuditRow, ended: AuditRow | None) -> AuditRecord:
    last = ended or begun
    line = AuditLine(
        actor=begun.actor,
        role=begun.role,
        source=begun.source,
        action=begun.action,
        object=last.object,
        platform_id=last.platform_id,
        outcome=Outcome(last.outcome),
        status=last.status,
        reason=begun.reason,
        detail=last.detail,
        asked=begun.asked,
        before=last.before,
        after=last.after,
    )
    is_over = ended is not None or begun.outcome != Outcome.BEGUN
    return AuditRecord(str(begun.number), begun.at, last.at if is_over else None, line)


def _conditions(search: AuditSearch, end: type[AuditRow]) -> list[ColumnElement[bool]]:
    """Of an action that makes something, only the end knows what."""
    conditions: list[ColumnElement[bool]] = []
    if search.actor is not None:
        conditions.append(col(AuditRow.actor) == search.actor)
    if search.action is not None:
        action = col(AuditRow.action)
        conditions.append(or_(action == search.action, action.startswith(f"{search.action}.", autoescape=True)))
    if search.object is not None:
        conditions.append(or_(*(col(row.object).contains(search.object, autoescape=True) for row in (AuditRow, end))))
    if search.platform_id is not None:
        conditions.append(or_(*(col(row.platform_id) == search.platform_id for row in (AuditRow, end))))
    if search.since is not None:
        conditions.append(col(AuditRow.at) >= search.since)
    if search.until is not None:
        conditions.append(col(AuditRow.at) < search.until)
    return conditions
