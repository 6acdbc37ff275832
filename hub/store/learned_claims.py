"""What is decided once for all processes, before a message goes on: numbers, references, credits.

Functions are parts of one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.store.learned_tables import CreditRow, ReferenceRow, ReservationRow
from hub.store.learned_writes import insert_into
from hub.store.shelves import Credit, key_of
from routing.errors import HubFault
from routing.translation.commands import reservation_numbers
from routing.vocabulary import Party

REFERENCE_COUNTS: Final = timedelta(hours=24)
"""How long after it was given a Session may begin that a reference is for."""
CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""How much earlier than that it may seem to have begun."""
_ATTEMPTS: Final = 20
_AT_ONCE: Final = 20


class Charge(NamedTuple):
    """A Session, or a CDR without one, that looks for its authorization reference."""

    cpo: Party
    emsp: Party
    token_uid: str
    token_type: str
    session_id: str | None
    start: datetime
    location_id: str | None

    @property
    def key(self) -> str:
        """What its reference is bound to."""
        return key_of(self.session_id) if self.session_id else f"@{self.start.isoformat()}"


async def reservation_number(
    session: AsyncSession, cpo: Party, emsp: Party, reservation_id: str, until: datetime
) -> int:
    """The number of this reservation at this CPO: the one it has, else the first of those it can have that is free.

    Raises:
        HubFault: others were faster, again and again.
    """
    key = key_of(reservation_id)
    its = (col(ReservationRow.cpo) == cpo, col(ReservationRow.emsp) == emsp, col(ReservationRow.reservation_key) == key)
    for _ in range(_ATTEMPTS):
        number = (await session.exec(select(ReservationRow.number).where(*its))).one_or_none()
        if number is not None:
            return number
        number = await _free_number(session, cpo, reservation_numbers(emsp, reservation_id))
        insert = insert_into(ReservationRow, session).on_conflict_do_nothing().returning(col(ReservationRow.number))
        row = {"cpo": cpo, "emsp": emsp, "reservation_key": key, "number": number, "expires_at": until}
        if (await session.exec(insert.values(row))).one_or_none() is not None:
            return number
    raise HubFault("There is no number for this reservation; try again")


async def _free_number(session: AsyncSession, cpo: Party, candidates: Iterator[int]) -> int:
    while some := list(islice(candidates, _AT_ONCE)):
        held = (col(ReservationRow.cpo) == cpo, col(ReservationRow.number).in_(some))
        taken = set((await session.exec(select(ReservationRow.number).where(*held))).all())
        if free := [number for number in some if number not in taken]:
            return free[0]
    raise HubFault(f"All numbers for reservations at {cpo} are taken")


async def bind_reference(session: AsyncSession, charge: Charge) -> str | None:
    """The authorization reference of this charge: the one bound to it, else the newest that fits, bound from now on.

    A reference serves one Session only, so that no two charges can carry one authorization.
    """
    bound = select(ReferenceRow.value).where(*_of(charge), _is_bound_to(charge))
    free = select(ReferenceRow.id).where(*_of(charge), *_is_free_for(charge))
    newest = free.order_by(col(ReferenceRow.given_at).desc()).limit(1)
    for _ in range(_ATTEMPTS):
        value = (await session.exec(bound.limit(1))).first()
        if value is not None:
            return value
        reference = (await session.exec(newest)).first()
        if reference is None:
            return None
        bind = update(ReferenceRow).where(col(ReferenceRow.id) == reference, col(ReferenceRow.bound_to).is_(None))
        values = bind.values(bound_to=charge.key, bound_start=charge.start)
        if (await session.exec(values.returning(col(ReferenceRow.value)))).one_or_none() is not None:
            continue  # read back in the next round
    return None


def _of(charge: Charge) -> tuple[ColumnElement[bool], ...]:
    types = [charge.token_type, "OTHER"]  # what older versions call every type they do not have
    same_type = () if charge.token_type == "OTHER" else (col(ReferenceRow.token_type).in_(types),)  # noqa: S105 - a type
    return (
        col(ReferenceRow.cpo) == charge.cpo,
        col(ReferenceRow.emsp) == charge.emsp,
        col(ReferenceRow.uid_key) == key_of(charge.token_uid),
        *same_type,
    )


def _is_bound_to(charge: Charge) -> ColumnElement[bool]:
    if charge.session_id is None:
        return col(ReferenceRow.bound_start) == charge.start
    return col(ReferenceRow.bound_to) == charge.key


def _is_free_for(charge: Charge) -> tuple[ColumnElement[bool], ...]:
    named = col(ReferenceRow.location_key)
    here: list[ColumnElement[bool]] = [named.is_(None)]
    if charge.location_id is not None:
        here.append(named == key_of(charge.location_id))
    return (
        col(ReferenceRow.bound_to).is_(None),
        col(ReferenceRow.given_at) >= charge.start - REFERENCE_COUNTS,
        col(ReferenceRow.given_at) <= charge.start + CLOCKS_DIFFER,
        or_(*here),
    )


async def note_credit(
    session: AsyncSession, cpo: Party, receiver: Party, credit_id: str, credit: Credit, now: datetime
) -> None:
    """Remember that this credit CDR was held back."""
    row = {
        "cpo": cpo,
        "receiver": receiver,
        "credit_key": key_of(credit_id),
        "cdr_key": credit.cdr_key,
        "session_key": credit.session_key,
        "start": credit.start,
        "uid_key": credit.uid_key,
        "evse_uid_key": credit.evse_uid_key,
        "noted_at": now,
    }
    await session.exec(insert_into(CreditRow, session).on_conflict_do_nothing().values(row))
