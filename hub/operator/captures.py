"""`/api/v1/platforms/{id}/capture`: whether the journal keeps what is in a platform's messages, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final

import structlog
from litestar import delete, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from hub.observability import FilteringBoundLogger
from hub.operator.platforms import PlatformID, TheHub, view_of
from hub.operator.problems import documented
from hub.operator.resources import PlatformView
from hub.operator.roles import FOR_OPERATORS
from hub.store.journal import CAPTURE_DAYS

log: FilteringBoundLogger = structlog.get_logger()

_MOST_HOURS: Final = CAPTURE_DAYS * 24


class NewCapture(Struct, frozen=True, forbid_unknown_fields=True):
    """For how long."""

    hours: Annotated[float, Meta(gt=0, le=_MOST_HOURS, description="At most seven days.", examples=[24])] = 24


@post(
    "/platforms/{platform_id:str}/capture",
    status_code=HTTPStatus.OK,
    responses=documented(404, 412, 413, 503),
    opt=FOR_OPERATORS,
    tags=["platforms"],
)
async def capture_platform(hub: TheHub, platform_id: PlatformID, data: JSONBody[NewCapture]) -> PlatformView:
    """From now on keep headers and bodies of messages to and from a platform, masked, for seven days each."""
    until = datetime.now(UTC) + timedelta(hours=data.hours)
    record = await hub.platforms.capture(platform_id, until)
    log.info("capture_begun", platform_id=platform_id, until=until.isoformat())
    return await view_of(record, hub)


@delete(
    "/platforms/{platform_id:str}/capture",
    status_code=HTTPStatus.OK,
    responses=documented(404, 412, 503),
    opt=FOR_OPERATORS,
    tags=["platforms"],
)
async def stop_capturing_platform(hub: TheHub, platform_id: PlatformID) -> PlatformView:
    """Keep no more of them. What was kept stays until it is seven days old."""
    record = await hub.platforms.capture(platform_id, None)
    log.info("capture_ended", platform_id=platform_id)
    return await view_of(record, hub)
