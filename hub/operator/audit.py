"""`/api/v1/audit`: what operators did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct

from hub.hub import Hub
from hub.operator.access import TheCaller
from hub.operator.platforms import Cursor, Limit, TheHub
from hub.operator.problems import Unacceptable, documented
from hub.operator.roles import FOR_AUDITORS, FOR_PARTNERS, Me, OperatorRole
from hub.store.audit import AuditRecord, AuditSearch, Outcome

Actor = Annotated[str | None, QueryParameter(max_length=100, description="Name of the token that was presented.")]
Action = Annotated[
    str | None, QueryParameter(max_length=100, description="`platform.suspend`, or `platform` for all of these.")
]
Object = Annotated[str | None, QueryParameter(max_length=300, description="A part of it: an id.")]
Since = Annotated[datetime | None, QueryParameter(description="RFC 3339, with an offset or Z.")]
Until = Annotated[datetime | None, QueryParameter(description="RFC 3339; before that.")]


class AuditView(Struct, frozen=True):
    """One action, from its beginning to its end."""

    id: str
    """The number of its first line in the log."""
    at: datetime
    ended_at: datetime | None
    """Null while it is not known how it ended: it is under way, or its process ended meanwhile."""
    actor: str
    """Name of the token that was presented."""
    role: str
    source: str
    """Program and address: `cli 127.0.0.1`."""
    action: str
    object: str
    platform_id: str | None
    platform: str | None
    """Its name, as it is called now."""
    outcome: Outcome
    status: int | None
    """Of the answer."""
    reason: str | None
    """As the actor gave it."""
    detail: str | None
    """Why it was refused, or failed; of a look at a partner that did not answer as it should, what was found."""
    asked: dict[str, Any] | None
    """The body of the request, without secrets."""
    before: dict[str, Any] | None
    """What of the object was different before; all of it, where it is gone now."""
    after: dict[str, Any] | None
    """The same after the action; all of it, where the object is new."""


class AuditPageView(Struct, frozen=True):
    """Part of the log."""

    items: tuple[AuditView, ...]
    next_cursor: str | None


class VerificationView(Struct, frozen=True):
    """Whether the log is as it was written."""

    verifies: bool
    lines: int
    """How many are right, counted from the first."""
    broken_at: str | None
    """Number of the first line that is not as it was written, or is missing."""
    number: int
    """Of the last line."""
    hash: str
    """Of the last line. The hub's own log has number and hash of every line, as `audited`."""


class Audit(Controller):
    """The audit log."""

    path = "/audit"
    tags = ("audit",)

    @get(responses=documented(422, 503), opt=FOR_PARTNERS)
    async def list_audit(
        self,
        hub: TheHub,
        me: TheCaller,
        actor: Actor = None,
        action: Action = None,
        object: Object = None,  # noqa: A002 - the name of the query parameter
        since: Since = None,
        until: Until = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> AuditPageView:
        """What was done, the newest first. Operators see their own actions, engineers of a platform those on it."""
        for name, moment in (("since", since), ("until", until)):
            if moment is not None and moment.tzinfo is None:
                raise Unacceptable(detail=f"{name} has no offset; write it like 2026-12-31T00:00:00Z")
        if me.role is OperatorRole.OPERATOR and actor not in {None, me.name}:
            return AuditPageView((), None)
        search = AuditSearch(
            actor=me.name if me.role is OperatorRole.OPERATOR else actor,
            action=action,
            object=object,
            platform_id=me.only_platform,
            since=since,
            until=until,
        )
        page = await hub.audit.page(search, limit=limit, cursor=cursor)
        return AuditPageView(tuple(_view(each, me, hub) for each in page.items), page.next_cursor)

    @get("/verification", responses=documented(503), opt=FOR_AUDITORS)
    async def verify_audit(self, hub: TheHub) -> VerificationView:
        """Read the whole log, and say whether every line is as it was written."""
        found = await hub.audit.verify()
        return VerificationView(found.verifies, found.lines, found.broken_at, found.number, found.hash)


def _view(record: AuditRecord, me: Me, hub: Hub) -> AuditView:
    line = record.line
    part = None if line.platform_id is None else hub.directory.snapshot.parts.get(line.platform_id)
    return AuditView(
        id=record.id,
        at=record.at,
        ended_at=record.ended_at,
        actor=line.actor,
        role=line.role,
        source="" if me.only_platform is not None and line.actor != me.name else line.source,
        action=line.action,
        object=line.object,
        platform_id=line.platform_id,
        platform=None if part is None else part.platform.name,
        outcome=line.outcome,
        status=line.status,
        reason=line.reason,
        detail=line.detail,
        asked=_object(line.asked),
        before=_object(line.before),
        after=_object(line.after),
    )


def _object(text: str | None) -> dict[str, Any] | None:
    return None if text is None else msgspec.json.decode(text, type=dict[str, Any])
