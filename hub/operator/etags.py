"""Which state of an object somebody saw: the `ETag` of its GET, and `If-Match` at whatever changes it.

RFC 9110, "If-Match". A tag stands for everything that an operator, or the partner by registering, can change. What
changes by itself is not in it, such as when a partner was seen last: who fills in a form is not disturbed by that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from litestar.datastructures import ResponseHeader
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter
from litestar.types import Guard

from hub.hub import Hub
from hub.operator.inside import Connection
from hub.store.audit import AuditRecord, AuditSearch, Outcome
from hub.store.records import PlatformRecord
from routing.agreements import Agreement

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        max_length=1000,
        description="The ETag of the object as it was seen: 412 if it has changed since, and nothing is done.",
    ),
]
ETAG: Final = ResponseHeader(name="ETag", description="Of this state, for If-Match.", documentation_only=True)

_DIGITS: Final = 32
_LINES: Final = 20
_NOTHING: Final = frozenset({None, "{}"})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_AGAIN: Final = "Nothing was done; read it again, and send If-Match with the ETag it has now"


class Outdated(HTTPException):
    """The object is not what the caller saw."""

    status_code = HTTPStatus.PRECONDITION_FAILED


def tag_of_platform(record: PlatformRecord) -> str:
    """The ETag of a platform."""
    return _tag(
        record.name,
        record.suspended,
        record.planned,
        record.allow_hub,
        record.quirks,
        record.capture_until,
        [(each.party, each.suspended) for each in record.parties],
        [(each.id, each.token_hash) for each in record.connections],
        [each.id for each in record.invitations],
    )


def tag_of_agreement(agreement: Agreement) -> str:
    """The ETag of an agreement."""
    return _tag(agreement.id, agreement.revision)


def check(if_match: str | None, tag: str) -> None:
    """Make sure, in the very transaction of a change, that the object still is what the caller saw.

    Raises:
        Outdated: it is not.
    """
    if if_match is not None and not _fits(if_match, tag):
        raise Outdated(detail=f"It was changed at this very moment by somebody else. {_AGAIN}")


def only_as_seen(hub: Hub) -> Guard:
    """A guard that refuses, with who changed it meanwhile, what is asked for an object as it is not any more.

    Raises:
        Outdated: it does.
    """

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        if_match = connection.headers.get("if-match")
        if if_match is None or connection.scope.get("method") in _READING:
            return
        platform_id, agreement_id = (connection.path_params.get(name) for name in ("platform_id", "agreement_id"))
        if platform_id is not None:
            record = await hub.platforms.get(platform_id)
            if not _fits(if_match, tag_of_platform(record)):
                registered_at = max((each.tokens_since for each in record.connections), default=None)
                searches = [AuditSearch(object=platform_id)]
                raise Outdated(detail=await _what_happened(hub, searches, registered_at))
        elif agreement_id is not None and not _fits(if_match, tag_of_agreement(await hub.agreements.get(agreement_id))):
            searches = [AuditSearch(object=agreement_id), AuditSearch(action="agreement.import")]
            raise Outdated(detail=await _what_happened(hub, searches))

    return guard


async def _what_happened(hub: Hub, searches: Iterable[AuditSearch], registered_at: datetime | None = None) -> str:
    """What changed it last: an operator, of whom the audit log knows, or its partner, which registered."""
    pages = [await hub.audit.page(search, limit=_LINES, cursor=None) for search in searches]
    lines = (next(filter(_has_changed, page.items), None) for page in pages)
    last = max((line for line in lines if line is not None), key=lambda line: line.at, default=None)
    if last is None or (registered_at is not None and registered_at > (last.ended_at or last.at)):
        return f"It was changed meanwhile: its partner registered anew. {_AGAIN}"
    who = f"{last.line.action} by {last.line.actor} at {_written(last.at)}"
    return f"It was changed meanwhile. The last change is {who}. {_AGAIN}"


def _written(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _has_changed(record: AuditRecord) -> bool:
    line = record.line
    return line.outcome is Outcome.DONE and not {line.before, line.after} <= _NOTHING


def _fits(if_match: str, tag: str) -> bool:
    """Weak tags never do."""
    return any(each.strip() in {tag, "*"} for each in if_match.split(","))


def _tag(*parts: Any) -> str:  # noqa: ANN401 - anything that is JSON
    return f'"{hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:_DIGITS]}"'
