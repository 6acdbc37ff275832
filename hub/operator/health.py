"""What watches the hub: alive, ready, metrics; and the way to take it out of service gently."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from typing import Final, Literal

import structlog
from litestar import Response, get, post
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery
from msgspec import Struct

from hub.hub import Hub
from hub.observability import FilteringBoundLogger, Metrics
from hub.operator.platforms import TheHub
from hub.operator.problems import MEDIA_TYPE, NotReady, Problem, documented
from hub.operator.roles import FOR_OPERATORS
from routing.errors import HubFault

_COUNT_WITHIN_S: Final = 1.0

log: FilteringBoundLogger = structlog.get_logger()


class Alive(Struct, frozen=True):
    """The process answers."""

    alive: bool = True


class Ready(Struct, frozen=True):
    """The hub takes messages."""

    ready: bool = True
    reasons: tuple[str, ...] = ()


class Draining(Struct, frozen=True):
    """The hub takes no new messages."""

    draining: bool = True


@get("/healthz", tags=["health"], security=[])
async def healthz() -> Alive:
    """200 while the process answers at all. Restart it when it does not."""
    return Alive()


@get(
    "/readyz",
    tags=["health"],
    security=[],
    responses=documented(422)
    | {
        503: ResponseSpec(
            Problem, description="Not now; see `reasons`.", media_type=MEDIA_TYPE, generate_examples=False
        )
    },
)
async def readyz(hub: TheHub, without: FromQuery[Literal["stores"] | None] = None) -> Ready:
    """200 while the hub should get traffic, else 503 with the reasons.

    With `?without=stores` PostgreSQL and Redis do not matter: messages go on without them, so a load balancer that
    looked at them would turn their outage into one of all replicas at once.
    """
    reasons = not_ready(hub, stores=without is None)
    if reasons:
        raise NotReady(reasons)
    return Ready()


@get("/metrics", tags=["health"], security=[], media_type="text/plain")
async def metrics(hub: TheHub) -> Response[bytes]:
    """Everything Prometheus wants to know."""
    count_directory(hub)
    count_vitals(hub)
    await count_events(hub)
    return Response(hub.metrics.exposition(), media_type=Metrics.content_type)


@post("/drain", tags=["health"], status_code=HTTPStatus.ACCEPTED, responses=documented(503), opt=FOR_OPERATORS)
async def drain(hub: TheHub) -> Draining:
    """Stop being ready at once and finish the messages in flight. SIGTERM does the same, and then ends the process."""
    hub.drain.begin()
    log.info("drain_begun")
    return Draining()


def not_ready(hub: Hub, *, stores: bool = True) -> list[str]:
    """Why this hub should get no traffic; empty when it should. `stores`: whether theirs are reasons."""
    draining = ["the hub is draining"] if hub.drain.is_draining else []
    return draining + (hub.directory.problems() if stores else []) + hub.problems_elsewhere()


async def count_events(hub: Hub) -> None:
    """Bring the figures about events up to date. While the database is away they stay as they were."""
    with suppress(HubFault, TimeoutError):
        async with asyncio.timeout(_COUNT_WITHIN_S):
            hub.metrics.events_open(await hub.event_rows.open_by_kind())


def count_vitals(hub: Hub) -> None:
    """Bring the figures about this process up to date. Workers do so themselves, once a second."""
    hub.metrics.vitals.in_flight(hub.drain.in_flight)
    hub.metrics.vitals.ready(ready=not not_ready(hub))


def count_directory(hub: Hub) -> None:
    """Bring the figures about the directory up to date."""
    snapshot = hub.directory.snapshot
    hub.metrics.directory(
        Counter(part.platform.status for part in snapshot.parts.values()),
        Counter(entry.status for entry in snapshot.parties.values()),
        age_s=hub.directory.age_s,
        reloads=hub.directory.reloads,
    )
    hub.metrics.leads(leads=hub.lead.term is not None)
