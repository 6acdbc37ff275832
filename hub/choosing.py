"""Where a message goes, with what the hub knows of earlier ones. The rules are in `routing.decision`."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import structlog

from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from routing.bodies import Members, text
from routing.clues import Clues
from routing.decision import decide
from routing.errors import HubError, UnknownReceiver
from routing.message import Message
from routing.routes import Route
from routing.translation.crossing import AnsweredByHub
from routing.translation.questions import Question
from routing.vocabulary import ModuleID, Party

log: FilteringBoundLogger = structlog.get_logger()


def choose_at_once(message: Message, members: Members, own: Container[Party], hub: Hub) -> Route | None:
    """As `choose`; None where that has to ask a store."""
    clues = Clues(hub.knowledge.known)
    route = _decided(message, members, own, hub, clues)
    return None if clues.asked else route


async def choose(message: Message, members: Members, own: Container[Party], hub: Hub) -> Route:
    """Choose the way of a message. `members` are those of its body, `own` whom its sender may speak for.

    A choice that had to ask is made again with the answers. What cannot be told soon is unknown.

    Raises:
        HubError: there is none, see `routing.decision.decide`.
        AnsweredByHub: the hub has the answer itself.
    """
    answers: dict[Question[Any], Any] = {}
    while True:
        clues = Clues(hub.knowledge.known_besides(answers))
        route = _decided(message, members, own, hub, clues)
        if route is not None and not clues.asked:
            return route
        answers |= await hub.knowledge.answers(clues.asked)


def _decided(message: Message, members: Members, own: Container[Party], hub: Hub, clues: Clues) -> Route | None:
    """The choice with these clues; only an idea, or None, when they were asked for what they do not know."""
    try:
        return decide(message, members, own, hub.directory.snapshot, hub.party, hub.rules, clues)
    except (HubError, AnsweredByHub) as error:
        if clues.asked:
            return None
        _say_if_lost(message, members, error)
        raise


def _say_if_lost(message: Message, members: Members, error: Exception) -> None:
    """Tell the operator of a CDR that is for nobody: its two sides have to settle it by other means.

    The hub keeps no copy.
    """
    if isinstance(error, UnknownReceiver) and message.operation.module == ModuleID.CDRS:
        log.warning("cdr_undeliverable", sender=message.sender, cdr_id=text(members, "id"), reason=str(error))
