"""How far the platforms have been told of what changed, so that nobody is told twice.

There are two things to be told of: parties that changed, and agreements, which change what one platform sees of a
party. What changed has an order in each: by the revision of the change, then by the name of the party and by role. A
mark says up to where a platform was told, or its telling was at least begun; the row of the directory says it of
everybody. A mark is written before what it marks is sent: whoever goes on after a process that died leaves out what
may have arrived, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy import BigInteger
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, and_, col, delete, or_, select, update

from hub.store.columns import ID_LENGTH, Row, Words, one_of
from hub.store.database import Database
from hub.store.tables import DirectoryRow
from hub.store.terms import check_term

_PLACE_LENGTH: Final = 20


class Subject(StrEnum):
    """What platforms are told of."""

    PARTIES = "parties"
    AGREEMENTS = "agreements"


class Place(NamedTuple):
    """Where something stands in the order of all changes."""

    revision: int
    name: str = ""
    """`NLABC CPO`; empty before everything of this revision."""


class Mark(NamedTuple):
    """Whose mark it is, and of what."""

    platform_id: str
    subject: Subject


class TellingMarkRow(Row, table=True):
    """How far one platform was told of one subject."""

    __tablename__ = "telling_marks"
    __table_args__ = (one_of("subject", Subject),)

    platform_id: str = Field(primary_key=True, foreign_key="platforms.id", max_length=ID_LENGTH)
    subject: Subject = Field(primary_key=True, sa_type=Words(Subject))
    revision: int = Field(sa_type=BigInteger)
    place: str = Field(max_length=_PLACE_LENGTH)


class Told(Struct, frozen=True):
    """Up to where everybody was told, and up to where those that were told more."""

    everybody: Mapping[Subject, int]
    marks: Mapping[Mark, Place]


class TellingMarks:
    """The marks of one hub. Every method raises HubFault when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._moved = _moved(database.engine.dialect.name)

    async def told(self) -> Told:
        """What was marked last."""
        columns = (TellingMarkRow.platform_id, TellingMarkRow.subject, TellingMarkRow.revision, TellingMarkRow.place)
        async with self._database.reading() as session:
            everybody = (await session.exec(select(DirectoryRow.told_parties, DirectoryRow.told_agreements))).one()
            rows = (await session.exec(select(*columns))).all()
        marks = {Mark(id_, Subject(subject)): Place(revision, name) for id_, subject, revision, name in rows}
        return Told(dict(zip(Subject, everybody, strict=True)), marks)

    async def move(self, marks: Mapping[Mark, Place], term: int) -> None:
        """Move these marks on, some hundreds at most.

        Raises:
            TermOver: another process leads, and moves them.
        """
        rows = [
            {**mark._asdict(), "revision": place.revision, "place": place.name} for mark, place in sorted(marks.items())
        ]
        async with self._database.writing() as session:
            await check_term(session, term)
            await (await session.connection()).execute(self._moved, rows)

    async def all_told(self, upto: Mapping[Subject, int], term: int) -> None:
        """Everybody was told of everything up to these revisions, so that nobody needs a mark of its own.

        Raises:
            TermOver: another process leads.
        """
        subject, revision = col(TellingMarkRow.subject), col(TellingMarkRow.revision)
        told = {f"told_{each}": last for each, last in upto.items()}
        passed = (and_(subject == each, revision <= last) for each, last in upto.items())
        async with self._database.writing() as session:
            await check_term(session, term)
            await session.exec(update(DirectoryRow).values(told))
            await session.exec(delete(TellingMarkRow).where(or_(*passed)))


def _moved(dialect: str) -> postgresql.Insert | sqlite.Insert:
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(TellingMarkRow.__table__)  # type: ignore[attr-defined]  # sqlmodel makes it
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["platform_id", "subject"], set_={"revision": new.revision, "place": new.place}
    )
