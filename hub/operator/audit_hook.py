"""What writes the audit log: a hook around every route of the operator API that changes something.

Nothing is done whose beginning could not be written: the request is refused with 503 before its handler runs. What
the object looked like before and after is read with the API's own GET of it, so a new route needs nothing of its own
to be noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, cast

import msgspec
import structlog
from litestar import Litestar, Request
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Guard, HTTPScope, Message, Receive, Scope, Send
from msgspec import Struct
from msgspec.structs import replace

from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from hub.operator.access import source_of
from hub.operator.audited import action_of, as_text, changes, found_wrong, masked, object_path, reason_of, resource_of
from hub.operator.client import CLI_AGENT
from hub.operator.inside import Connection, ask, caller
from hub.operator.roles import Me, is_audited_read, is_to_be_tried
from hub.plain_text import readable
from hub.store.administration_tables import ACTION_LENGTH, DETAIL_LENGTH, OBJECT_LENGTH, SOURCE_LENGTH
from hub.store.audit import AuditLine, Outcome
from hub.store.columns import ID_LENGTH
from routing.errors import HubError

log: FilteringBoundLogger = structlog.get_logger()

API: Final = "/api/v1"
_STATE: Final = "audited"
_TRIED: Final = "tried"
"""Nothing is changed: what would come of it is asked."""
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON_BYTES: Final = 256 * 1024
"""Of a body, as far as the log is interested in it."""

Json = dict[str, Any]


class _Begun(Struct):
    number: int
    line: AuditLine
    path: str | None
    """Where the object can be read."""
    before: Json | None


def note_beginnings(hub: Hub) -> Guard:
    """A guard that notes what is about to be done.

    Raises:
        HubFault: it cannot be noted now, so it must not be done.
    """

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        if _method(connection.scope) in _READING and not is_audited_read(handler.opt):
            return
        if is_to_be_tried(handler.opt) and connection.query_params.getall("dry_run", []) == ["true"]:
            connection.scope["state"][_TRIED] = True
            return
        asked = await _body_of(connection)
        path = object_path(connection.scope["path"], template_of(connection.scope), _readable_paths(connection.app))
        before = await _read(connection, path)
        line = _line(connection, Outcome.BEGUN, asked)
        connection.scope["state"][_STATE] = _Begun(await hub.audit.append(line), line, path, before)

    return guard


def note_ends(hub: Hub) -> Callable[[ASGIApp], ASGIApp]:
    """A middleware that notes how it ended, before the caller hears of it; and what a role did not suffice for."""

    def around(app: ASGIApp) -> ASGIApp:
        async def audited(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            await app(scope, receive, _Answer(scope, receive, send, hub).take)

        return audited

    return around


class _Answer:
    """The answer of one request, kept back until the log has its end."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, hub: Hub) -> None:
        self._scope, self._receive, self._send, self._hub = scope, receive, send, hub
        self._kept: list[Message] = []

    async def take(self, message: Message) -> None:
        scope = self._scope
        begun: _Begun | None = scope["state"].get(_STATE)
        is_reading = _method(scope) in _READING
        if begun is None and (is_reading or scope.get("auth") is None or scope["state"].get(_TRIED)):
            await self._send(message)
            return
        self._kept.append(message)
        if is_reading or (message["type"] == "http.response.body" and not message.get("more_body")):
            scope["state"].pop(_STATE, None)
            await self._note(begun)
            kept, self._kept = self._kept, []
            for each in kept:
                await self._send(each)

    async def _note(self, begun: _Begun | None) -> None:
        start = self._kept[0]
        if start["type"] != "http.response.start":
            return
        status = start["status"]
        body = _content(self._kept)
        connection: Connection = Request(self._scope, self._receive, self._send)
        try:
            if begun is None:
                await self._hub.audit.append(_ended(_line(connection, Outcome.REFUSED, None), status, body))
            else:
                await self._hub.audit.append(await _whole(connection, begun, status, body), of=begun.number)
        except HubError as error:
            # Its beginning is in the log, which says "begun" of it for ever.
            log.error("audit_end_not_written", number=begun and begun.number, status=status, reason=str(error))  # noqa: TRY400 - the reason says all


async def _whole(connection: Connection, begun: _Begun, status: int, body: bytes) -> AuditLine:
    """The line of the end: how it ended, and what is different now."""
    ended = _ended(begun.line, status, body)
    if ended.outcome is not Outcome.DONE or _method(connection.scope) in _READING:
        return ended
    if begun.path is None:
        made = _json(body)
        id_ = None if made is None else made.get("id")
        is_platform = isinstance(id_, str) and begun.line.object == "platforms"
        return replace(
            ended,
            object=f"{begun.line.object}/{id_}"[:OBJECT_LENGTH] if isinstance(id_, str) else begun.line.object,
            platform_id=id_ if is_platform else begun.line.platform_id,
            after=as_text(masked(made)),
        )
    now = await _read(connection, begun.path)
    of = (now or begun.before or {}).get("platform_id")
    before, after = changes(begun.before, now)
    platform_id = begun.line.platform_id or (of if isinstance(of, str) else None)
    return replace(ended, platform_id=platform_id, before=as_text(before), after=as_text(after))


def _line(connection: Connection, outcome: Outcome, asked: Json | None) -> AuditLine:
    me: Me = connection.scope["auth"]
    method, path, template = _method(connection.scope), connection.scope["path"], template_of(connection.scope)
    reason = reason_of(connection.headers.get("hub-reason"), connection.query_params.get("reason"), asked)
    platform_id = connection.path_params.get("platform_id")
    return AuditLine(
        actor=me.name,
        role=me.role,
        source=f"{_program(connection)} {source_of(connection)}"[:SOURCE_LENGTH],
        action=action_of(method, template.removeprefix(API))[:ACTION_LENGTH],
        object=readable(resource_of(path.removeprefix(API), template.removeprefix(API)), OBJECT_LENGTH),
        platform_id=platform_id if platform_id is None or len(platform_id) <= ID_LENGTH else None,
        outcome=outcome,
        reason=reason,
        asked=as_text(masked(asked)),
    )


def _program(connection: Connection) -> str:
    if caller(connection) is not None:
        return "console"
    return "cli" if connection.headers.get("user-agent", "").startswith(CLI_AGENT) else "api"


def _ended(line: AuditLine, status: int, body: bytes) -> AuditLine:
    if status < HTTPStatus.BAD_REQUEST:
        found = found_wrong(_json(body))
        return replace(line, outcome=Outcome.DONE, status=status, detail=found and readable(found, DETAIL_LENGTH))
    said = (_json(body) or {}).get("detail")
    detail = readable(said, DETAIL_LENGTH) if isinstance(said, str) else None
    is_refusal = status < HTTPStatus.INTERNAL_SERVER_ERROR
    return replace(line, outcome=Outcome.REFUSED if is_refusal else Outcome.FAILED, status=status, detail=detail)


def template_of(scope: Scope) -> str:
    """The path of the route, with the names of its parameters in braces."""
    template: str = scope["path_template"]
    return template


@lru_cache(maxsize=8)
def _readable_paths(app: Litestar) -> frozenset[str]:
    """Every path that has a GET which nobody has to hear of."""
    return frozenset(
        route.path_format
        for route in app.routes
        if isinstance(route, HTTPRoute) and "GET" in route.route_handler_map
        if not is_audited_read(route.route_handler_map["GET"][0].opt)
    )


async def _read(connection: Connection, path: str | None) -> Json | None:
    """The object at this path, as whoever asks may see it; None where there is none."""
    if path is None:
        return None
    headers = {name: value for name, value in connection.scope["headers"] if name == b"authorization"}
    answer = await ask(connection, "GET", path, headers=headers, me=caller(connection))
    if answer.status != HTTPStatus.OK:
        return None
    found = _json(answer.body)
    return None if found is None else masked(found)


async def _body_of(connection: Connection) -> Json | None:
    """What was sent, where it is a JSON object of a reasonable size. The handler reads it again."""
    length = connection.headers.get("content-length", "0")
    if not isinstance(connection, Request) or not length.isdecimal() or not 0 < int(length) <= _JSON_BYTES:
        return None
    return _json(await connection.body())


def _content(messages: Iterable[Message]) -> bytes:
    return b"".join(each["body"] for each in messages if each["type"] == "http.response.body")


def _method(scope: Scope) -> str:
    return cast("HTTPScope", scope)["method"]


def _json(body: bytes) -> Json | None:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):  # the handler says what is wrong with it
        return None
    return found if isinstance(found, dict) else None
