"""What a process notices of whether partners are there: signs of life, and reasons to look.

It decides nothing about them. The process that leads looks at partners and settles their status, see `hub.probing`.
Both methods that messages call only put an id into a set.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from hub.observability import FilteringBoundLogger
from hub.store.platforms import Platforms
from hub.store.redis import CacheUnreachable
from hub.store.single_flight import LAST_WRITING_S
from hub.store.wanted_probes import WantedProbes
from routing.directory import Connection
from routing.errors import HubError

log: FilteringBoundLogger = structlog.get_logger()

NOTE_EVERY_S: Final = 10.0
"""Between two writings of what was heard; a platform's `last_seen` is that much behind at most."""
_WANT_EVERY_S: Final = 0.5
"""Between two times that the leading process is told which partners to look at."""


class Presence:
    """Collects what is noticed in this process, and passes it on from time to time."""

    def __init__(self, platforms: Platforms, wanted: WantedProbes, *, note_every_s: float = NOTE_EVERY_S) -> None:
        self._platforms = platforms
        self._wanted_probes = wanted
        self._note_every_s = note_every_s
        self.refusing: set[str] = set()
        """Platforms that refused the hub's token, and took none of its messages since."""
        self._seen: set[str] = set()
        self._wanted: set[str] = set()
        self._wants = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to pass on."""
        self._tasks = [
            asyncio.create_task(self._note_for_ever(), name="noting signs of life"),
            asyncio.create_task(self._want_for_ever(), name="asking for still alive checks"),
        ]

    def seen(self, connection_id: str) -> None:
        """A sign of life came through this connection: a request, or a complete answer."""
        self._seen.add(connection_id)

    def check_soon(self, connection: Connection) -> None:
        """Have this partner looked at, within a second, without waiting for the result.

        However often this is called, the partner is looked at every few seconds at most.
        """
        self._wanted.add(connection.platform_id)
        self._wants.set()

    async def note_at_once(self) -> None:
        """Pass on the signs of life that were noticed until now."""
        await self._note()

    async def close(self) -> None:
        """Pass on what was noticed until now, and stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(LAST_WRITING_S):
                await self._note()
        except TimeoutError:
            log.warning("signs_of_life_not_noted", reason="the database does not answer")

    async def _note_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._note_every_s)
            await self._note()

    async def _note(self) -> None:
        if not self._seen:
            return
        seen, self._seen = self._seen, set()
        try:
            await self._platforms.seen(seen)
        except HubError as error:
            log.warning("signs_of_life_not_noted", reason=str(error))
            self._seen |= seen
        except asyncio.CancelledError:
            self._seen |= seen  # `close` notes them
            raise
        except Exception:  # a bug in one round must not end all later ones
            log.exception("signs_of_life_not_noted")

    async def _want_for_ever(self) -> None:
        while True:
            await self._wants.wait()
            self._wants.clear()
            wanted, self._wanted = self._wanted, set()
            try:
                await self._wanted_probes.want(wanted)
            except CacheUnreachable:  # nobody leads then, and whoever will looks at those who are silent
                log.debug("probes_not_asked_for", platforms=len(wanted))
            except Exception:  # as above
                log.exception("probes_not_asked_for")
            await asyncio.sleep(_WANT_EVERY_S)
