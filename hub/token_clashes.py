"""One Token for each card in the list that a 2.1.1 CPO reads: it has no way to keep two of one uid apart.

Two eMSPs can have cards with the same uid. The one that counts is valid, and of those that are the one that changed
last. The others are left out, and the operator hears of it. Pushes are not concerned: their URL says whose they are.
OCPI 2.1.1, "Tokens".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import structlog

from hub.events import EventKind
from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from hub.shown_ids import OwnedObject
from routing.directory import Connection
from routing.shown_ids import is_id
from routing.timestamps import read_timestamp
from routing.translation.crossing import Json
from routing.translation.kinds import Kind
from routing.translation.questions import Question, TokenFacts, TokensOfUid
from routing.translation.tokens import RFID
from routing.vocabulary import ConnectionStatus, ModuleID, Party

log: FilteringBoundLogger = structlog.get_logger()

_LONG_AGO: Final = 0.0


class _Rank(NamedTuple):
    """How much a Token counts: more is more."""

    is_valid: bool
    updated: float
    owner: Party
    """So that it is never undecided."""


async def one_for_each_card(
    objects: Sequence[OwnedObject], kind: Kind, reader: Party, viewer: Connection, hub: Hub
) -> Sequence[OwnedObject]:
    """These objects of a list, in the form of 2.1.1, without Tokens that another counts more than.

    What cannot be told soon is left in.
    """
    if kind is not Kind.TOKEN:
        return objects
    asked = [_question(token) for _, token in objects]
    known = hub.knowledge.known_besides({})
    found: dict[Question[Any], Any] = {each: known[each] for each in asked if each is not None and each in known}
    found |= await hub.knowledge.answers(each for each in asked if each is not None and each not in found)
    winners = [
        _winner(token, owner, reader, () if each is None else found[each], hub)
        for (owner, token), each in zip(objects, asked, strict=True)
    ]
    lost = Counter((owner, winner) for (owner, _), winner in zip(objects, winners, strict=True) if winner != owner)
    for (owner, winner), count in lost.items():
        log.warning("tokens_left_out", platform_id=viewer.platform_id, owner=owner, in_favour_of=winner, tokens=count)
        hub.events.happened(
            EventKind.ID_CLASH,
            platform_id=viewer.platform_id,
            subject=f"tokens of {owner} and {winner}",
            reason=f"{count} tokens of {owner} have uids that {winner} uses, too",
        )
    return [owned for owned, winner in zip(objects, winners, strict=True) if winner == owned[0]]


def _question(token: Json) -> TokensOfUid | None:
    uid = token.get("uid")
    return TokensOfUid(None, uid) if is_id(uid) else None


def _winner(token: Json, owner: Party, reader: Party, known: Sequence[TokenFacts] | None, hub: Hub) -> Party:
    """Whose Token of this uid and type counts most, among those the reader can have."""
    mine = _Rank(token.get("valid") is True, _moment(token.get("last_updated")), owner)
    is_rfid = token.get("type") == RFID
    others = [
        _Rank(each.valid, _moment(each.last_updated), each.owner)
        for each in known or ()
        if each.owner != owner and (each.type == RFID) is is_rfid and _is_listed(each.owner, reader, hub)
    ]
    return max([mine, *others]).owner


def _is_listed(owner: Party, reader: Party, hub: Hub) -> bool:
    directory = hub.directory.snapshot
    entry = directory.entry(owner)
    is_connected = entry is not None and entry.status is ConnectionStatus.CONNECTED
    return is_connected and owner != reader and directory.visible_to(reader, owner, ModuleID.TOKENS)


def _moment(text: Any) -> float:  # noqa: ANN401 - any JSON
    try:
        return read_timestamp(text).timestamp() if type(text) is str else _LONG_AGO
    except (ValueError, OverflowError):
        return _LONG_AGO
