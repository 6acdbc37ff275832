"""What watches the hub: alive, ready, metrics; and the way to take it out of service gently."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, Literal

import structlog
from litestar import Response, get, post
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery
from msgspec import Struct

from hub.figures import Counting
from hub.hub import Hub
from hub.observability import FilteringBoundLogger, Metrics
from hub.operator.platforms import TheHub
from hub.operator.problems import MEDIA_TYPE, NotReady, Problem, documented
from hub.operator.roles import FOR_AUDITORS, FOR_OPERATORS
from hub.store.redis import DirectoryCache
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
    return Response(await hub.metrics.exposed(), media_type=Metrics.content_type)


class PartView(Struct, frozen=True):
    """Something the hub depends on, or does once for all its processes."""

    ok: bool
    said: str


class WorkerView(Struct, frozen=True):
    """One process of the hub, as it said a few seconds ago."""

    id: str
    since: datetime
    """When it began."""
    last_at: datetime
    """When it was heard of last."""
    revision: int
    """Of the directory it goes by."""
    directory_age_s: float
    """How long ago that was known to be current."""
    journal_waiting: int
    """Entries that it has not written yet."""
    journal_dropped: int
    """Entries that there was no room for since it began."""
    draining: bool


class HubHealthView(Struct, frozen=True):
    """How the hub is, part by part."""

    ready: bool
    reasons: tuple[str, ...]
    """As at /readyz."""
    database: PartView
    redis: PartView | None
    """Null where there is none."""
    leader: PartView
    revision: int
    """Of the directory of the process that answers."""
    draining: bool
    journal_room: int
    """Entries that each process has room for while the database is away."""
    workers: tuple[WorkerView, ...]
    """The process that answers first. While Redis is away it is the only one."""


@get("/health", tags=["health"], responses=documented(), opt=FOR_AUDITORS)
async def show_hub_health(hub: TheHub) -> HubHealthView:
    """How the hub is: what it depends on, who leads, and each of its processes."""
    await hub.figures.catch_up_here()
    problems = hub.directory.problems()
    of_redis = [each for each in problems if each.startswith(DirectoryCache.name)]
    others = [each for each in problems if each not in of_redis]
    reasons = not_ready(hub)
    return HubHealthView(
        ready=not reasons,
        reasons=tuple(reasons),
        database=PartView(not others, "; ".join(others) or "It answers"),
        redis=None if hub.settings.redis_url is None else PartView(not of_redis, "; ".join(of_redis) or "It answers"),
        leader=_leader(hub),
        revision=hub.directory.snapshot.revision,
        draining=hub.drain.is_draining,
        journal_room=hub.journal.most,
        workers=tuple(map(_worker_view, hub.figures.counting())),
    )


def _leader(hub: Hub) -> PartView:
    if hub.lead.problem is not None:
        return PartView(False, hub.lead.problem)
    here = "This process leads" if hub.lead.term is not None else "Another process leads, or will within seconds"
    return PartView(True, here)


def _worker_view(process: Counting) -> WorkerView:
    state = process.state
    return WorkerView(
        process.worker,
        datetime.fromtimestamp(process.since, UTC),
        datetime.fromtimestamp(process.last_at, UTC),
        state.revision,
        state.age_s,
        state.waiting,
        state.dropped,
        state.is_draining,
    )


@post("/drain", tags=["health"], status_code=HTTPStatus.ACCEPTED, responses=documented(503), opt=FOR_OPERATORS)
async def drain(hub: TheHub) -> Draining:
    """Stop being ready at once and finish the messages in flight. SIGTERM does the same, and then ends the process."""
    hub.drain.begin()
    log.info("drain_begun")
    return Draining()


def not_ready(hub: Hub, *, stores: bool = True) -> list[str]:
    """Why this hub should get no traffic; empty when it should. `stores`: whether theirs are reasons."""
    draining = ["the hub is draining"] if hub.drain.is_draining else []
    of_workers = [] if hub.workers is None else hub.workers.problems()
    return draining + (hub.directory.problems() if stores else []) + of_workers


async def count_events(hub: Hub) -> None:
    """Bring the figures about events up to date. While the database is away they stay as they were."""
    with suppress(HubFault, TimeoutError):
        async with asyncio.timeout(_COUNT_WITHIN_S):
            hub.metrics.events_open(await hub.event_rows.open_by_kind())


def count_vitals(hub: Hub) -> None:
    """Bring the figures about this process up to date. Workers do so themselves, once a second."""
    hub.metrics.vitals.in_flight(hub.drain.in_flight)
    hub.metrics.vitals.tasks(len(asyncio.all_tasks()))
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
