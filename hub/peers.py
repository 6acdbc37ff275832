"""Other hubs, and who is behind them: their ClientInfo lists, read from time to time. OCPI 2.2.1, "HubClientInfo".

A list is read when a process begins to lead, when the hub connects anew, and every six hours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from random import SystemRandom
from time import monotonic
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from hub.events import EventKind
from hub.hub import Hub
from hub.ids import new_ids
from hub.leadership import Term
from hub.observability import FilteringBoundLogger
from hub.partners.client import CallLimits
from hub.partners.urls import LINK_LENGTH, check_partner_url
from routing.bodies import without_bom
from routing.client_info import ClientInfo, read_client_info
from routing.dialects import DIALECTS, CredentialsShape
from routing.directory import Connection, EndpointKey, PartyDirectory, Platform, PlatformPart
from routing.envelope import SUCCESS, read_envelope
from routing.errors import HubError, InvalidParameters, NotRoutable
from routing.links import host_of, next_link
from routing.message import Call, Reply, id_headers
from routing.vocabulary import ConnectionStatus, InterfaceRole, ModuleID, Party, Role, Secret

log: FilteringBoundLogger = structlog.get_logger()

LOOK_EVERY_S: Final = 1.0
"""Between two looks at the directory for hubs that connected."""
_EVERY_S: Final = 6 * 3600.0
_SPLAY: Final = 0.1
"""So that hubs which started together do not go on asking together."""
_AGAIN_S: Final = 2.0
_AGAIN_AT_MOST_S: Final = 600.0
"""After a failure the next attempt comes soon, and each further one twice as late."""
_PAGE_BYTES: Final = 4 * 1024 * 1024
_PAGES: Final = 1000
_MOST: Final = 50_000
"""ClientInfo objects of one hub."""
_CLAIMED: Final = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})
_NAMED_IN_LOG: Final = 20
_LIST: Final[EndpointKey] = (ModuleID.HUB_CLIENT_INFO, InterfaceRole.SENDER)
_random = SystemRandom()


class _Schedule(Struct):
    """When the list of one hub is read."""

    registered: tuple[Secret, str]
    """Our token and the URL of the list: others after it connected anew."""
    due_at: float = 0.0
    failures: int = 0
    is_reading: bool = False


async def following_hubs(hub: Hub, _: Term) -> None:
    """Keep up with who is behind other hubs. What it writes may be written twice: only what is new changes anything."""
    following = _Following(hub)
    try:
        await following.follow()
    finally:
        for each in following.readings:
            each.cancel()
        await asyncio.gather(*following.readings, return_exceptions=True)


class _Following:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._seen: PartyDirectory | None = None
        self._connections: dict[str, Connection] = {}
        self._schedules: dict[str, _Schedule] = {}
        self._conflicts: dict[str, frozenset[Party]] = {}
        self.readings: set[asyncio.Task[None]] = set()

    async def follow(self) -> None:
        while True:
            try:
                self._look()
            except Exception:  # a bug in one look must not end all later ones
                log.exception("following_hubs_failed")
            await asyncio.sleep(LOOK_EVERY_S)

    def _look(self) -> None:
        snapshot = self._hub.directory.snapshot
        if snapshot is not self._seen:
            self._seen = snapshot
            self._connections = {each.id: each for part in snapshot.parts.values() for each in _lists_of(part.platform)}
            self._schedules = {
                id_: self._schedules.get(id_) or _Schedule(_registered(each)) for id_, each in self._connections.items()
            }
            self._report_conflicts(snapshot)
        for id_, connection in self._connections.items():
            self._read_when_due(self._schedules[id_], connection)

    def _read_when_due(self, schedule: _Schedule, connection: Connection) -> None:
        if schedule.registered != _registered(connection):
            schedule.registered, schedule.due_at = _registered(connection), 0.0
        if not schedule.is_reading and monotonic() >= schedule.due_at:
            schedule.is_reading = True
            name = f"reading who is behind {connection.platform_name}"
            task = asyncio.create_task(self._read(schedule, connection), name=name)
            self.readings.add(task)
            task.add_done_callback(self.readings.discard)

    async def _read(self, schedule: _Schedule, connection: Connection) -> None:
        of = {"platform": connection.platform_name, "platform_id": connection.platform_id}
        schedule.due_at = monotonic() + min(_AGAIN_S * 2**schedule.failures, _AGAIN_AT_MOST_S)
        schedule.failures = min(schedule.failures + 1, 20)
        try:
            infos = acceptable(await _listed(connection, self._hub), connection, self._hub)
            # A 2.3.0 hub has named them all when it registered; the list says how they are.
            is_complete = DIALECTS[connection.version].credentials is not CredentialsShape.HUB_PARTY
            is_new = await self._hub.remote_parties.listed(connection.platform_id, infos, is_complete=is_complete)
        except HubError as error:
            log.warning("hub_client_info_not_read", **of, reason=str(error))
        except Exception:  # a bug must not end all later readings
            log.exception("hub_client_info_not_read", **of)
        else:
            schedule.failures = 0
            schedule.due_at = monotonic() + _EVERY_S * _random.uniform(1 - _SPLAY, 1 + _SPLAY)
            log.info("hub_client_info_read", **of, parties=len(infos), is_new=is_new)
        finally:
            if schedule.registered != _registered(connection):
                schedule.due_at = 0.0
            schedule.is_reading = False

    def _report_conflicts(self, snapshot: PartyDirectory) -> None:
        """Say which announced parties somebody else has, too; once, and again when they are others."""
        conflicts = {part.platform.id: _conflicts(part, snapshot) for part in snapshot.hubs}
        for part in snapshot.hubs:
            found = conflicts[part.platform.id]
            if found and found != self._conflicts.get(part.platform.id):
                names = sorted(map(str, found))
                log.warning(
                    "remote_parties_in_conflict",
                    platform=part.platform.name,
                    platform_id=part.platform.id,
                    parties=names[:_NAMED_IN_LOG],
                    count=len(names),
                    advice="each is a party of a platform here, or of another hub as well; see the list of parties",
                )
                self._hub.events.happened(
                    EventKind.REMOTE_PARTY_CONFLICT,
                    platform_id=part.platform.id,
                    number=len(names),
                    parties=", ".join(names[:_NAMED_IN_LOG]),
                )
            elif found != self._conflicts.get(part.platform.id):
                self._hub.events.over(EventKind.REMOTE_PARTY_CONFLICT, platform_id=part.platform.id)
        for platform_id in self._conflicts.keys() - conflicts.keys():  # it is no hub any more
            self._hub.events.over(EventKind.REMOTE_PARTY_CONFLICT, platform_id=platform_id)
        self._conflicts = conflicts


def _lists_of(platform: Platform) -> Iterable[Connection]:
    if not platform.is_hub or platform.status is not ConnectionStatus.CONNECTED:
        return ()
    return (connection for connection in platform.connections if _LIST in connection.endpoints)


def _registered(connection: Connection) -> tuple[Secret, str]:
    return connection.authorization, connection.endpoints[_LIST]


def _conflicts(part: PlatformPart, snapshot: PartyDirectory) -> frozenset[Party]:
    """What this hub says it has, and somebody else has as well."""
    claimed = (party for party, entry in part.remote.items() if entry.status in _CLAIMED)
    return frozenset(party for party in claimed if snapshot.also_claimed(party, part.platform.id) is not None)


def acceptable(infos: Iterable[ClientInfo], connection: Connection, hub: Hub) -> list[ClientInfo]:
    """What of a hub's list is about parties behind it: neither hubs, nor this one, nor itself."""
    own = {hub.party, *hub.directory.snapshot.platform(connection.platform_id).parties}
    return [info for info in infos if info.role is not Role.HUB and info.party not in own]


async def _listed(connection: Connection, hub: Hub) -> list[ClientInfo]:
    """The whole ClientInfo list of a hub. Entries that cannot be read are left out, and counted in the log.

    Raises:
        HubError: it cannot be read.
    """
    url: str | None = connection.endpoints[_LIST]
    infos: list[ClientInfo] = []
    unreadable = 0
    for _ in range(_PAGES):
        if url is None:
            break
        reply = await hub.partners.call(_call(connection, url), _limits(connection, hub))
        for entry in _data(reply):
            try:
                infos.append(read_client_info(entry))
            except InvalidParameters:
                unreadable += 1
        url = _next(reply, url, connection, hub)
        if len(infos) + unreadable > _MOST:
            raise NotRoutable(f"The list has more than {_MOST} entries")
    if unreadable:
        log.warning("hub_client_info_unreadable", platform_id=connection.platform_id, entries=unreadable)
    return infos


def _call(connection: Connection, url: str) -> Call:
    authorization = (b"authorization", connection.authorization.reveal().encode("ascii"))
    return Call("GET", url, [authorization, *id_headers(new_ids())])


def _limits(connection: Connection, hub: Hub) -> CallLimits:
    settings, quirks = hub.settings, connection.quirks
    return CallLimits(
        total_s=quirks.timeout_s or settings.forward_timeout_s,
        connect_s=settings.connect_timeout_s,
        max_answer_bytes=_PAGE_BYTES,
        concurrency=quirks.concurrency,
        platform_id=connection.platform_id,
        allow_private=settings.allow_private_partners,
    )


def _data(reply: Reply) -> list[Any]:
    head = read_envelope(without_bom(reply.body))
    if reply.http_status != 200 or head is None or head.status_code // 1000 != SUCCESS // 1000:
        said = "" if head is None else f" and status code {head.status_code}"
        raise NotRoutable(f"The list was answered with HTTP {reply.http_status}{said}")
    try:
        return msgspec.json.decode(head.data, type=list[Any])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotRoutable("The answer is no list") from error


def _next(reply: Reply, url: str, connection: Connection, hub: Hub) -> str | None:
    """Where the list goes on, if it does."""
    try:
        link = next_link(reply.headers, url)
        if link is not None:
            allow_private = hub.settings.allow_private_partners
            check_partner_url(link, allow_private=allow_private, max_length=LINK_LENGTH)
    except (ValueError, InvalidParameters) as error:
        raise NotRoutable(f"The list goes on where it cannot be asked for: {error}") from error
    if link is not None and (link == url or host_of(link) not in connection.hosts):
        raise NotRoutable("The list goes on at a host that is not the partner's own, or nowhere")
    return link
