"""Steps of partners on their way into the hub, for those who help one that is stuck."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Index
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.columns import ID_LENGTH, Json, Row, Words, between, one_of
from hub.store.database import Database

MOST_KEPT: Final = 200
"""Steps of one platform; older ones go."""
MOST_AT_ONCE: Final = 500
_LAST: Final = timedelta(days=30)
_STEP_ID_LENGTH: Final = 36
_STEP_LENGTH: Final = 40


class Begun(StrEnum):
    """Who began an exchange of credentials."""

    PARTNER = "partner"
    HUB = "hub"


class Step(StrEnum):
    """One of them; an exchange that the hub begins has those from `PARTNER_VERSIONS` on."""

    HUB_VERSIONS = "hub_versions_read"
    HUB_DETAILS = "hub_details_read"
    CREDENTIALS_RECEIVED = "credentials_received"
    PARTNER_VERSIONS = "partner_versions_read"
    PARTNER_DETAILS = "partner_details_read"
    CREDENTIALS_SENT = "credentials_sent"
    CONNECTED = "connected"


class StepFacts(Struct, frozen=True, omit_defaults=True):
    """What else is known of a step."""

    version: str | None = None
    method: str | None = None
    """Of the request for the credentials."""
    url: str | None = None
    """What the hub asked the partner for."""
    source: str | None = None
    """The address the partner asked from."""
    told_status: int | None = None
    """The OCPI status with which the hub refused the partner; `reason` is the message."""
    reason: str | None = None
    cause: str | None = None
    """Why it most likely failed, see `hub.registration.causes`."""


class StepRecord(Struct, frozen=True):
    """A step, or the same one again and again."""

    id: str
    platform_id: str
    step: Step
    begun_by: Begun
    failed: bool
    times: int
    at: datetime
    last_at: datetime
    facts: StepFacts


class RegistrationStepRow(Row, table=True):
    """What a partner, or the hub, did to get it registered."""

    __tablename__ = "registration_steps"
    __table_args__ = (
        between("id", _STEP_ID_LENGTH, _STEP_ID_LENGTH),
        between("platform_id", 1, ID_LENGTH),
        between("step", 1, _STEP_LENGTH),
        one_of("begun_by", Begun),
        Index(None, "platform_id", "at"),
        Index(None, "last_at"),
    )

    id: str = Field(primary_key=True, max_length=_STEP_ID_LENGTH)
    platform_id: str = Field(max_length=ID_LENGTH)
    step: str = Field(max_length=_STEP_LENGTH)
    begun_by: Begun = Field(sa_type=Words(Begun))
    failed: bool
    times: int
    at: datetime
    last_at: datetime
    facts: StepFacts = Field(sa_type=Json(StepFacts))


class RegistrationSteps:
    """The table. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, steps: Collection[StepRecord]) -> None:
        """Add these, MOST_AT_ONCE at most; of one that is there already, how often and when it was last.

        Rows are written in one order, so that processes which do so at once cannot block each other.
        """
        rows = [asdict(each) for each in sorted(steps, key=lambda each: each.id)]
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        adding = insert(RegistrationStepRow).values(rows)
        later: dict[str, Any] = {name: adding.excluded[name] for name in ("times", "last_at")}
        async with self._database.writing() as session:
            await session.exec(adding.on_conflict_do_update(index_elements=["id"], set_=later))
            for platform_id in sorted({each.platform_id for each in steps}):
                await _forget_the_oldest(session, platform_id)

    async def of(self, platform_id: str) -> tuple[StepRecord, ...]:
        """Those of one platform, the oldest first."""
        async with self._database.reading() as session:
            rows = (await session.exec(_newest_first(platform_id).limit(MOST_KEPT))).all()
        return tuple(map(_record, reversed(rows)))

    async def drop_old(self, now: datetime) -> None:
        """Forget those of a month ago."""
        async with self._database.writing() as session:
            before = now - _LAST
            await session.exec(delete(RegistrationStepRow).where(col(RegistrationStepRow.last_at) < before))


def _newest_first(platform_id: str) -> Any:  # noqa: ANN401 - SQLAlchemy's Select of a row
    at, id_ = col(RegistrationStepRow.at), col(RegistrationStepRow.id)
    its = col(RegistrationStepRow.platform_id) == platform_id
    return select(RegistrationStepRow).where(its).order_by(at.desc(), id_.desc())


async def _forget_the_oldest(session: AsyncSession, platform_id: str) -> None:
    its = col(RegistrationStepRow.platform_id) == platform_id
    at = col(RegistrationStepRow.at)
    kept = select(at).where(its).order_by(at.desc()).offset(MOST_KEPT - 1).limit(1).scalar_subquery()
    await session.exec(delete(RegistrationStepRow).where(its, at < kept))


def _record(row: RegistrationStepRow) -> StepRecord:
    return StepRecord(
        id=row.id,
        platform_id=row.platform_id,
        step=Step(row.step),
        begun_by=row.begun_by,
        failed=row.failed,
        times=row.times,
        at=row.at,
        last_at=row.last_at,
        facts=row.facts,
    )
