"""`/api/v1/platforms/{platform_id}/registration`: how a platform gets along with its registration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.openapi import ResponseSpec
from litestar.response import ServerSentEvent, ServerSentEventMessage
from msgspec import Struct

from hub.hub import Hub
from hub.operator.platforms import PlatformID, TheHub
from hub.operator.problems import documented
from hub.operator.resources import versions_url
from hub.operator.roles import FOR_PARTNERS
from hub.registration.attempts import Attempt, AttemptState, attempts_of, plan_of
from hub.registration.causes import Cause, advice_on
from hub.store.records import PlatformRecord
from hub.store.registration_steps import Begun, Step, StepRecord
from routing.errors import HubError, Overloaded
from routing.vocabulary import ConnectionStatus, Version

_MOST_ATTEMPTS: Final = 20
_LOOK_EVERY_S: Final = 1.0
_LASTS_S: Final = 900.0
_MOST_WATCHING: Final = 50
_EVENT_STREAM: Final = "text/event-stream"


class ToldView(Struct, frozen=True):
    """What the partner was answered."""

    status_code: int
    status_message: str


class StepView(Struct, frozen=True):
    """One step, or the same one several times."""

    step: Step
    failed: bool
    at: datetime
    last_at: datetime
    times: int
    version: Version | None
    method: str | None
    """Of the request for the credentials."""
    url: str | None
    """What the hub asked the partner for."""
    source: str | None
    """The address the partner asked from."""
    told: ToldView | None
    """With what the partner was refused; null where the hub had asked, or all went well."""
    reason: str | None
    """Why it failed."""
    cause: Cause | None
    likely: str | None
    """What is most likely wrong."""
    tell: str | None
    """What to tell the partner's engineer."""


class AttemptView(Struct, frozen=True):
    """One try."""

    id: str
    begun_by: Begun
    state: AttemptState
    began_at: datetime
    last_at: datetime
    steps: tuple[StepView, ...]
    to_come: tuple[Step, ...]
    """The steps that are missing."""


class OpenInvitationView(Struct, frozen=True):
    """A TOKEN_A that has not been used."""

    created_at: datetime
    expires_at: datetime | None
    ended: bool


class RegistrationView(Struct, frozen=True):
    """How far a platform is."""

    id: str
    name: str
    status: ConnectionStatus
    invitations: tuple[OpenInvitationView, ...]
    attempts: tuple[AttemptView, ...]
    """The newest first; those of the last 30 days, and no more than 20."""
    to_come: tuple[Step, ...]
    """The steps of the attempt that is awaited; of none where the platform is registered."""
    versions_url: str
    """Of this hub: where the platform begins, when it registers by itself."""


@get(
    "/platforms/{platform_id:str}/registration",
    tags=["platforms"],
    responses={
        200: ResponseSpec(RegistrationView, generate_examples=False, description="Also the data of each event."),
        **documented(404, 503),
    },
    opt=FOR_PARTNERS,
)
async def show_registration(
    hub: TheHub, request: Request[Any, Any, Any], platform_id: PlatformID
) -> Response[RegistrationView] | ServerSentEvent:
    """Attempts of a partner to register, and the hub's at the partner, step by step.

    With `Accept: text/event-stream` this is sent as `event: registration`, now and at each change, for 15 minutes.
    """
    view = await _view(hub, platform_id)
    if _EVENT_STREAM not in request.headers.get("accept", ""):
        return Response(view)
    if not _watching.may_begin():
        raise Overloaded(f"{_MOST_WATCHING} others watch already; ask without Accept: {_EVENT_STREAM}", retry_after_s=5)
    return ServerSentEvent(_watching.changes(hub, platform_id, view))


class _Watching:
    """Those who follow a registration in this process. Each looks at the database once a second."""

    def __init__(self) -> None:
        self._now = 0

    def may_begin(self) -> bool:
        """Whether there is room for one more."""
        return self._now < _MOST_WATCHING

    async def changes(
        self, hub: Hub, platform_id: str, view: RegistrationView
    ) -> AsyncIterator[ServerSentEventMessage]:
        """How it is, at each change."""
        ends, before = monotonic() + _LASTS_S, b""
        self._now += 1
        try:
            while monotonic() < ends and not hub.drain.is_draining:
                now = msgspec.json.encode(view)
                if now != before:
                    yield ServerSentEventMessage(now.decode(), event="registration")
                before = now
                await asyncio.sleep(_LOOK_EVERY_S)
                view = await _view_or(view, hub, platform_id)
        finally:
            self._now -= 1


_watching = _Watching()


async def _view_or(last: RegistrationView, hub: Hub, platform_id: str) -> RegistrationView:
    try:
        return await _view(hub, platform_id)
    except HubError:  # the database is away; the next look may find it
        return last


async def _view(hub: Hub, platform_id: str) -> RegistrationView:
    unwritten = hub.steps.unwritten(platform_id)
    record, written = await asyncio.gather(hub.platforms.get(platform_id), hub.registration_steps.of(platform_id))
    steps = {each.id: each for each in (*written, *unwritten)}.values()
    return registration_view(record, attempts_of(steps), datetime.now(UTC), versions_url(hub.settings))


def registration_view(
    record: PlatformRecord, attempts: list[Attempt], now: datetime, our_versions_url: str
) -> RegistrationView:
    """Of a platform with these attempts, the newest first."""
    is_awaited = bool(record.invitations) and (not attempts or attempts[0].state is not AttemptState.OPEN)
    return RegistrationView(
        id=record.id,
        name=record.name,
        status=record.status,
        invitations=tuple(
            OpenInvitationView(
                each.created_at, each.expires_at, ended=each.expires_at is not None and each.expires_at <= now
            )
            for each in record.invitations
        ),
        attempts=tuple(map(_attempt_view, attempts[:_MOST_ATTEMPTS])),
        to_come=plan_of(Begun.PARTNER) if is_awaited else (),
        versions_url=our_versions_url,
    )


def _attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        id=attempt.steps[0].id,
        begun_by=attempt.begun_by,
        state=attempt.state,
        began_at=attempt.began_at,
        last_at=attempt.last_at,
        steps=tuple(_step_view(each) for each in attempt.steps),
        to_come=attempt.to_come,
    )


def _step_view(record: StepRecord) -> StepView:
    facts = record.facts
    cause = Cause(facts.cause) if facts.cause in set(Cause) else None
    advice = None if cause is None else advice_on(cause, record.begun_by)
    was_told = record.begun_by is Begun.PARTNER and facts.told_status is not None
    return StepView(
        step=record.step,
        failed=record.failed,
        at=record.at,
        last_at=record.last_at,
        times=record.times,
        version=Version(facts.version) if facts.version in set(Version) else None,
        method=facts.method,
        url=facts.url,
        source=facts.source,
        told=ToldView(facts.told_status or 0, facts.reason or "") if was_told else None,
        reason=facts.reason,
        cause=cause,
        likely=advice and advice.likely,
        tell=advice and advice.tell,
    )
