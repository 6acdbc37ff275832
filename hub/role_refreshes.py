"""Partners of 2.3.0 are told in the hub's credentials whom it reaches; this tells them anew. OCPI 2.3.0, "Credentials".

A PUT of credentials gives a partner a fresh token and has it look at the hub's endpoints, so it is not sent for every
change: it takes with it what has changed since the last one, within `credentials_refresh` seconds after the first
change. Whether there is anything to say is found out at the last moment, from a mark of what the partner was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import SystemRandom
from time import monotonic
from typing import Final

import structlog
from msgspec import Struct

from hub.events import EventKind
from hub.hub import Hub
from hub.leadership import Term
from hub.observability import FilteringBoundLogger
from hub.store.single_flight import cancelled
from routing.dialects import DIALECTS, CredentialsShape
from routing.directory import Connection, PartyDirectory, PartyEntry, Platform, PlatformPart
from routing.errors import HubError, HubFault
from routing.vocabulary import ConnectionStatus, Party, Role

log: FilteringBoundLogger = structlog.get_logger()

LOOK_EVERY_S: Final = 0.25
_AT_ONCE: Final = 8
"""Partners told at the same time."""
_EARLIEST, _LATEST = 0.5, 0.9
"""When a partner is told, in parts of the time there is: not all of them together, and never too late."""
_AGAIN_S: Final = 30.0
_AGAIN_AT_MOST_S: Final = 3600.0
"""After a failure the next attempt comes soon, and each further one twice as late."""
_NAMED: Final = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})
_random = SystemRandom()


async def role_refreshes(hub: Hub, term: Term) -> None:  # noqa: ARG001 - as all duties; the store lets one exchange with a partner be under way
    """Keep partners of 2.3.0 told of whom the hub reaches, for as long as this process leads."""
    refreshes = _Refreshes(hub)
    try:
        while True:
            await refreshes.look()
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await cancelled(refreshes.under_way)


class _Due(Struct):
    """When one partner is looked at, as `monotonic` has it."""

    connection: Connection
    at: float


class _Refreshes:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._seen: PartyDirectory | None = None
        self._due: dict[str, _Due] = {}
        self._failures: dict[str, int] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}

    @property
    def under_way(self) -> list[asyncio.Task[None]]:
        """The exchanges that have begun."""
        return list(self._under_way.values())

    async def look(self) -> None:
        """Find out who is to be looked at, and look at those for whom it is time."""
        former, directory = self._seen, self._hub.directory.snapshot
        if directory is not former:
            self._seen = directory
            for connection in await asyncio.to_thread(_concerned, former, directory):
                # At the beginning of a term nobody can tell how long something was not said.
                earliest, latest = (0.0, _EARLIEST) if former is None else (_EARLIEST, _LATEST)
                self._plan(connection, connection.quirks.credentials_refresh * _random.uniform(earliest, latest))
        now = monotonic()
        for due in [each for each in self._due.values() if each.at <= now]:
            if len(self._under_way) < _AT_ONCE and due.connection.id not in self._under_way:
                self._begin(due)

    def _plan(self, connection: Connection, within_s: float) -> None:
        """Look at this partner so soon, or when it is planned already; after a failure nothing makes it sooner."""
        at, known = monotonic() + within_s, self._due.get(connection.id)
        if known is None:
            self._due[connection.id] = _Due(connection, at)
            return
        known.connection = connection
        if connection.id not in self._failures:
            known.at = min(known.at, at)

    def _begin(self, due: _Due) -> None:
        del self._due[due.connection.id]
        if not _is_there(due.connection, self._hub.directory.snapshot):
            return  # when it is back, it is looked at
        task = asyncio.create_task(
            self._refresh(due.connection), name=f"naming roles to {due.connection.platform_name}"
        )
        self._under_way[due.connection.id] = task
        task.add_done_callback(lambda _: self._under_way.pop(due.connection.id, None))

    async def _refresh(self, connection: Connection) -> None:
        of = {"platform": connection.platform_name, "platform_id": connection.platform_id}
        try:
            is_told = await self._hub.initiator.refresh_roles(connection.platform_id, connection.id)
        except HubError as error:
            self._failed(connection, error)
        except Exception as error:  # a bug must not end all later attempts
            log.exception("roles_not_named", **of)
            self._failed(connection, HubFault(repr(error)))
        else:
            self._failures.pop(connection.id, None)
            self._hub.events.over(EventKind.CREDENTIALS_REFRESH_FAILED, platform_id=connection.platform_id)
            if is_told:
                log.info("roles_named", **of)

    def _failed(self, connection: Connection, error: HubError) -> None:
        """The connection stays as it was; the partner knows the roles of before."""
        failures = self._failures.get(connection.id, 0)
        self._failures[connection.id] = failures + 1
        first_s = min(_AGAIN_S, connection.quirks.credentials_refresh)
        pause_s = min(first_s * 2 ** min(failures, 20), _AGAIN_AT_MOST_S)
        log.warning(
            "roles_not_named",
            platform=connection.platform_name,
            platform_id=connection.platform_id,
            reason=str(error),
            next_attempt_s=pause_s,
        )
        self._plan(connection, pause_s)
        if not isinstance(error, HubFault):
            reason = str(error)
            self._hub.events.happened(
                EventKind.CREDENTIALS_REFRESH_FAILED, platform_id=connection.platform_id, reason=reason
            )


def _is_there(connection: Connection, directory: PartyDirectory) -> bool:
    part = directory.parts.get(connection.platform_id)
    return part is not None and any(each.id == connection.id for each in _told_by_credentials(part.platform))


def _told_by_credentials(platform: Platform) -> Iterator[Connection]:
    if platform.status is ConnectionStatus.CONNECTED:
        for connection in platform.connections:
            if DIALECTS[connection.version].credentials is CredentialsShape.HUB_PARTY:
                yield connection


def _concerned(former: PartyDirectory | None, directory: PartyDirectory) -> list[Connection]:
    """Whom there may be something new to tell: everybody in the beginning; those who came, or who see what changed."""
    parts = list(directory.parts.values())
    if former is None or former.agreements is not directory.agreements:
        return [connection for part in parts for connection in _told_by_credentials(part.platform)]
    changed = [part for part in parts if former.parts.get(part.platform.id) is not part]
    news = list(_differently_named(changed, former, directory))
    came = {part.platform.id for part in changed}
    return [
        connection
        for part in (parts if news else changed)
        for connection in _told_by_credentials(part.platform)
        if part.platform.id in came or _sees_any(part.platform, news, former, directory)
    ]


def _differently_named(
    changed: list[PlatformPart], former: PartyDirectory, directory: PartyDirectory
) -> Iterator[PartyEntry]:
    for part in changed:
        for party in (*part.platform.parties, *part.remote):
            entry = directory.entry(party)
            if entry is not None and _named(former, party) != _named(directory, party):
                yield entry


def _named(directory: PartyDirectory, party: Party) -> frozenset[Role]:
    entry = directory.entry(party)
    if entry is None or entry.status not in _NAMED:
        return frozenset()
    return frozenset(each.role for each in entry.roles)


def _sees_any(viewer: Platform, news: list[PartyEntry], former: PartyDirectory, directory: PartyDirectory) -> bool:
    for entry in news:
        for each in (directory, former):
            if each.as_shown_to(viewer, entry) is not None:
                return True
    return False
