"""`/api/v1/events`: what an operator should know of, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from hub.event_kinds import KINDS, EventKind, Severity, sentence, what_to_do
from hub.hub import Hub
from hub.operator.access import TheCaller
from hub.operator.platforms import Cursor, Limit, TheHub
from hub.operator.problems import Unacceptable, documented
from hub.operator.resources import Moment
from hub.operator.roles import FOR_OPERATORS, FOR_PARTNERS, Me
from hub.store.events import EventRecord
from routing.errors import NoSuchPath

EventID = FromPath[str]
Reason = Annotated[str, Meta(min_length=1, max_length=500, examples=["They replace their servers until Friday"])]


class EventState(StrEnum):
    """Whether its cause is still there."""

    OPEN = "open"
    CLOSED = "closed"


State = Annotated[EventState | None, QueryParameter(name="state")]
"""The framework has another use for a parameter of this name."""


class Acknowledgement(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody knows of it."""

    reason: Reason
    until: Moment | None = None
    """When it is to be shown as new again; never when it is left out."""


class AcknowledgedView(Struct, frozen=True):
    """Who knows of it, and until when it need not be shown as new."""

    by: str
    at: datetime
    until: datetime | None
    reason: str


class EventView(Struct, frozen=True):
    """One event."""

    id: str
    kind: EventKind
    severity: Severity
    title: str
    sentence: str
    do: str
    """What to do about it."""
    ends: str
    """When it is closed."""
    state: EventState
    platform_id: str | None
    platform: str | None
    """Its name."""
    subject: str
    """What exactly it is about, where there can be several of this kind about one platform."""
    count: int
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    last_correlation_id: str | None
    """Of a message that led to it."""
    acknowledged: AcknowledgedView | None


class EventsView(Struct, frozen=True):
    """Part of the list of events."""

    items: tuple[EventView, ...]
    next_cursor: str | None


class Events(Controller):
    """Events, by id."""

    path = "/events"
    tags = ("events",)

    @get(responses=documented(422, 503), opt=FOR_PARTNERS)
    async def list_events(
        self,
        hub: TheHub,
        me: TheCaller,
        its_state: State = None,
        kind: FromQuery[EventKind | None] = None,
        platform: FromQuery[str | None] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> EventsView:
        """Events, the newest first. An engineer of a platform sees those about it."""
        if platform is not None and me.only_platform not in (None, platform):
            return EventsView((), None)
        page = await hub.event_rows.page(
            is_open=None if its_state is None else its_state is EventState.OPEN,
            kind=kind,
            platform_id=me.only_platform or platform,
            limit=limit,
            cursor=cursor,
        )
        return EventsView(tuple(event_view(each, hub) for each in page.items), page.next_cursor)

    @get("/{event_id:str}", responses=documented(404, 503), opt=FOR_PARTNERS)
    async def show_event(self, hub: TheHub, me: TheCaller, event_id: EventID) -> EventView:
        """One event."""
        return event_view(_seen_by(me, await hub.event_rows.get(event_id)), hub)

    @post(
        "/{event_id:str}/acknowledge",
        status_code=HTTPStatus.OK,
        responses=documented(404, 413, 422, 503),
        opt=FOR_OPERATORS,
    )
    async def acknowledge_event(
        self, hub: TheHub, me: TheCaller, event_id: EventID, data: JSONBody[Acknowledgement]
    ) -> EventView:
        """Say that somebody knows of it. It stays in the list, and closes as ever."""
        if data.until is not None and data.until <= datetime.now(UTC):
            raise Unacceptable(detail="until is in the past; leave it out to acknowledge the event for good")
        record = await hub.event_rows.acknowledge(event_id, by=me.name, until=data.until, reason=data.reason)
        return event_view(record, hub)


def event_view(record: EventRecord, hub: Hub) -> EventView:
    """The event, in words."""
    about = KINDS[record.kind]
    part = None if record.platform_id is None else hub.directory.snapshot.parts.get(record.platform_id)
    name = None if part is None else part.platform.name
    said = sentence(
        record.kind,
        platform=name or record.platform_id,
        subject=record.subject,
        count=record.count,
        facts=record.facts,
    )
    known = record.acknowledged
    return EventView(
        id=record.id,
        kind=record.kind,
        severity=about.severity,
        title=about.title,
        sentence=said,
        do=what_to_do(record.kind, record.facts),
        ends=about.ends,
        state=EventState.OPEN if record.closed_at is None else EventState.CLOSED,
        platform_id=record.platform_id,
        platform=name,
        subject=record.subject,
        count=record.count,
        opened_at=record.opened_at,
        last_at=record.last_at,
        closed_at=record.closed_at,
        last_correlation_id=record.last_correlation_id,
        acknowledged=None if known is None else AcknowledgedView(known.by, known.at, known.until, known.reason),
    )


def _seen_by(me: Me, record: EventRecord) -> EventRecord:
    if me.only_platform not in (None, record.platform_id):
        raise NoSuchPath("There is no event of this id")
    return record
