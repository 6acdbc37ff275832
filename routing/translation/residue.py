"""What an older version took away from an object, for its owner to find again. OCPI 2.2.1, "Client Owned Objects", GET.

An owner that reads back what it pushed, and finds it changed, may push it again and again. So, for an owner that wants
it, the members of its object that 2.1.1 does not have, or has in another form, are put back as they were, for as long
as the object has not been updated since. What is inside of lists and objects is not; neither are Sessions and CDRs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from routing.timestamps import read_timestamp
from routing.translation.crossing import Crossing, Json, Loss
from routing.translation.kinds import Kind
from routing.translation.questions import Residue, ResidueOf
from routing.vocabulary import Version

KINDS: Final = frozenset({Kind.CONNECTOR, Kind.EVSE, Kind.LOCATION, Kind.TARIFF, Kind.TOKEN})
_IN_2_1_1: Final = {"parking_type": "type"}
"""What is called otherwise there, where its loss on the way back is told."""


def residue_of(before: Json, after: Json, losses: Iterable[Loss]) -> Residue | None:
    """What the translation of a pushed object took away; None when that is nothing, or nobody could tell its age."""
    names = dict.fromkeys(loss.pointer[1:] for loss in losses)
    members = {name: before[name] for name in names if name in before}
    last_updated = after.get("last_updated")
    if not members or type(last_updated) is not str or _moment(last_updated) is None:
        return None
    return Residue(last_updated, members)


def with_residue(answered: Json, after: Json, kind: Kind, crossing: Crossing) -> Json:
    """The object its owner reads back, complete again. `answered` is what the receiver said, `after` what became of it.

    What is put back is no loss.
    """
    if not crossing.destination.quirks.residue or kind not in KINDS or not _is_read_back(crossing):
        return after
    question = ResidueOf(crossing.owner, kind, crossing.object_ids, crossing.origin.party)
    residue = crossing.ask(question)
    if residue is None or _moment(answered.get("last_updated")) != _moment(residue.last_updated):
        return after
    put_back = {f"/{called}" for name in residue.members for called in (name, _IN_2_1_1.get(name, name))}
    crossing.losses[:] = [loss for loss in crossing.losses if loss.pointer not in put_back]
    return {**after, **residue.members}


def _is_read_back(crossing: Crossing) -> bool:
    is_owner_asking = crossing.owner != crossing.origin.party
    return crossing.origin.version is Version.V2_1_1 and is_owner_asking and bool(crossing.object_ids)


def _moment(text: Any) -> datetime | None:  # noqa: ANN401 - any JSON
    try:
        return read_timestamp(text) if type(text) is str else None
    except (ValueError, OverflowError):
        return None
