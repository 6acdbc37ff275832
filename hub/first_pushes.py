"""Whether a 2.1.1 partner takes objects of owners that it has no credentials of.

Some answer 404 to everybody but the party they registered with, which is the hub. No error of one push says that: the
operator has to hear of it, and to decide whether that partner is to see the hub as the owner of everything.
"""

from __future__ import annotations

from typing import Final

import structlog

from hub.observability import FilteringBoundLogger
from routing.directory import Connection
from routing.message import Message, Reply

log: FilteringBoundLogger = structlog.get_logger()

ENOUGH: Final = 10
"""Pushes that all ended in 404 before one was taken."""
_TAKEN: Final = -1


class FirstPushes:
    """The first ones to each connection, of this process."""

    def __init__(self) -> None:
        self._refused: dict[str, int] = {}

    def note(self, pushed: Message, viewer: Connection, reply: Reply) -> None:
        """A partner has answered. What is put is there afterwards, so 404 is an odd answer to it."""
        if pushed.operation.method != "PUT" or not pushed.operation.owned:
            return
        refused = self._refused.get(viewer.id, 0)
        if refused == _TAKEN:
            return
        if reply.http_status != 404:
            self._refused[viewer.id] = _TAKEN
            return
        self._refused[viewer.id] = refused + 1
        if refused + 1 == ENOUGH and viewer.quirks.owner_mode != "hub":
            log.warning(
                "first_pushes_all_refused",
                platform_id=viewer.platform_id,
                pushes=ENOUGH,
                advice="it may take objects of the hub's party only; see the setting owner_mode",
            )
