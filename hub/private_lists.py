"""Sessions and CDRs in the lists of 2.1.1 CPOs, which know the hub as one eMSP: each is for the eMSP that pays only.

Nothing in such an object says who that is. A contract that the CPO was shown is its owner's for certain; any other is
looked for as if the CPO had pushed the object, see `routing.records`. What leads to nobody is for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Raw

from hub.hub import Hub
from routing.bodies import Members
from routing.clues import Clues
from routing.dialects import DIALECTS
from routing.directory import Connection
from routing.matrix import Lead, row_of
from routing.modules import OWNER, operation_at
from routing.records import Record, emsp_of, record_in
from routing.shown_ids import ids_in
from routing.translation import numbers
from routing.translation.crossing import Json
from routing.translation.kinds import Kind
from routing.translation.questions import Question
from routing.vocabulary import Face, InterfaceRole, ModuleID, Party, Version

_OLDER: Final = Version.V2_1_1
_TELLING: Final = ("id", "session_id", "auth_id", "start_date_time", "location")


def _leads(module: ModuleID, method: str, *path: str) -> tuple[Lead, ...]:
    row = row_of(_OLDER, operation_at(_OLDER, module, InterfaceRole.RECEIVER, method, path))
    return () if row is None else row.leads


_LEADS: Final[Mapping[Kind, tuple[Lead, ...]]] = {
    Kind.CDR: _leads(ModuleID.CDRS, "POST"),
    Kind.SESSION: _leads(ModuleID.SESSIONS, "PUT", *OWNER, "{session_id}"),
}
"""As of one that is pushed."""


def is_of_everybody(kind: Kind | None, at: Connection) -> bool:
    """Whether a list of such objects, at this partner, has those of all eMSPs in it."""
    return at.face is Face.EMSP and kind in _LEADS


async def payers(objects: Sequence[Json], kind: Kind, cpo: Party, at: Connection, hub: Hub) -> list[Party | None]:
    """For whom each of these objects of this CPO is, as its list has them; None is nobody.

    Raises:
        HubFault: it cannot be told now which contracts the CPO was shown.
        UnreadableBody: one of them can be understood in two ways.
    """
    contracts = [next(iter(ids_in(body, kind, Face.EMSP)), None) for body in objects]
    shown = await hub.shown_ids.owned(at.platform_id, {each for each in contracts if each is not None})
    found = [None if each is None or each not in shown else shown[each].owner for each in contracts]
    unknown = [_record(body, kind, cpo) for body, payer in zip(objects, found, strict=True) if payer is None]
    searched = iter(await _searched(unknown, _LEADS[kind], cpo, hub))
    return [payer or next(searched) for payer in found]


def _record(body: Json, kind: Kind, cpo: Party) -> Record:
    members: Members = {name: Raw(numbers.write(body[name])) for name in _TELLING if name in body}
    return record_in(members, cpo, DIALECTS[_OLDER], is_cdr=kind is Kind.CDR)


async def _searched(records: Sequence[Record], leads: tuple[Lead, ...], cpo: Party, hub: Hub) -> list[Party | None]:
    answers: dict[Question[Any], Any] = {}
    while True:
        clues = Clues(hub.knowledge.known_besides(answers))
        found = [emsp_of(record, cpo, leads, hub.directory.snapshot, clues) for record in records]
        if not clues.asked:
            return found
        answers |= await hub.knowledge.answers(clues.asked)
