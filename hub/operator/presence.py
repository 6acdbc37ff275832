"""`/api/v1/platforms/{id}/…`: whether a platform is there, and since when."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

import structlog
from litestar import get, post
from msgspec import Struct

from hub.observability import FilteringBoundLogger
from hub.operator.platforms import Cursor, Limit, PlatformID, TheHub
from hub.operator.problems import Unacceptable, documented
from hub.operator.roles import FOR_OPERATORS, FOR_PARTNERS
from hub.probing.probes import Probe, is_there, look
from hub.store.records import StatusCause, StatusRecord
from hub.store.truth import UnknownPlatform
from routing.vocabulary import ConnectionStatus, Version

log: FilteringBoundLogger = structlog.get_logger()


class ProbeView(Struct, frozen=True):
    """What came of one look at a partner's versions endpoint."""

    id: str
    """Of the connection."""
    version: Version
    answered: bool
    seconds: float
    http_status: int | None
    """None where there was no answer at all."""
    ocpi_status: int | None
    reason: str | None
    """Why it did not count as an answer."""


class PlatformProbe(Struct, frozen=True):
    """Whether a platform answers now. One that answers through any of its connections is there."""

    answered: bool
    connections: tuple[ProbeView, ...]


class StatusView(Struct, frozen=True):
    """A time in which a platform had one status."""

    id: str
    status: ConnectionStatus
    cause: StatusCause
    """Why it began."""
    why: str | None
    """What the last look at the platform found, where no answer was the cause."""
    since: datetime
    until: datetime | None
    """Null for the present one."""


class StatusesView(Struct, frozen=True):
    """Part of the list of a platform's statuses."""

    items: tuple[StatusView, ...]
    next_cursor: str | None


@post(
    "/platforms/{platform_id:str}/probe",
    status_code=HTTPStatus.OK,
    responses=documented(404, 422, 503),
    tags=["platforms"],
    opt=FOR_OPERATORS,
)
async def probe_platform(hub: TheHub, platform_id: PlatformID) -> PlatformProbe:
    """GET the versions endpoint of a platform. When that finds its status wrong, the hub looks again and changes it."""
    part = hub.directory.snapshot.parts.get(platform_id)
    if part is None:
        raise UnknownPlatform
    platform = part.platform
    if platform.status not in (ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE):
        raise Unacceptable(detail=f"The platform is {platform.status}: only one that is registered can be looked at")
    probes = await look(platform, hub)
    await hub.presence.note_at_once()
    answered = is_there(probes)
    log.info("platform_probed", platform_id=platform_id, answered=answered)
    if answered is not (platform.status is ConnectionStatus.CONNECTED):
        hub.presence.check_soon(platform.connections[0])
    return PlatformProbe(answered, tuple(map(_probe_view, probes)))


@get(
    "/platforms/{platform_id:str}/status-history",
    responses=documented(404, 422, 503),
    tags=["platforms"],
    opt=FOR_PARTNERS,
)
async def list_statuses(
    hub: TheHub, platform_id: PlatformID, limit: Limit = 100, cursor: Cursor = None
) -> StatusesView:
    """The statuses a platform has had, the present one first."""
    page = await hub.reachability.history(platform_id, limit=limit, cursor=cursor)
    return StatusesView(tuple(map(_status_view, page.items)), page.next_cursor)


def _probe_view(probe: Probe) -> ProbeView:
    return ProbeView(
        id=probe.connection_id,
        version=probe.version,
        answered=probe.answered,
        seconds=round(probe.seconds, 6),
        http_status=probe.http_status,
        ocpi_status=probe.ocpi_status,
        reason=probe.reason,
    )


def _status_view(record: StatusRecord) -> StatusView:
    return StatusView(
        id=str(record.revision),
        status=record.status,
        cause=record.cause,
        why=record.why,
        since=record.since,
        until=record.until,
    )
