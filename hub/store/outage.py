"""Whether a server the hub depends on answers, told to the log once when it stops and once when it starts again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import structlog

from hub.observability import FilteringBoundLogger
from hub.store.database import reason

log: FilteringBoundLogger = structlog.get_logger()

ToBeTold: TypeAlias = Callable[[str, bool], None]
"""Hears which server does not answer, or (False) answers again."""


class Outage:
    """Of one server."""

    def __init__(self, server: str, told: ToBeTold | None = None) -> None:
        self._server = server
        self._told = told
        self.is_on = False

    @property
    def problem(self) -> str:
        """What is wrong while it is on."""
        return f"{self._server} does not answer"

    def begins(self, error: Exception) -> None:
        """The server did not answer."""
        if not self.is_on:
            log.error("store_unreachable", server=self._server, reason=reason(error.__cause__ or error))
            self._tell(True)
        self.is_on = True

    def ends(self) -> None:
        """It answered."""
        if self.is_on:
            log.warning("store_reachable_again", server=self._server)
            self._tell(False)
        self.is_on = False

    def _tell(self, is_away: bool) -> None:
        if self._told is not None:
            self._told(self._server, is_away)
