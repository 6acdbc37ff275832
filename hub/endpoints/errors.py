"""The one place where an exception becomes an OCPI answer for everything but functional modules.

Functional messages are answered by `routing.outcome.failure`, which knows the requester's version.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from hub.ids import new_id
from hub.observability import FilteringBoundLogger
from routing.envelope import envelope
from routing.errors import HubError, HubFault, InvalidParameters, TooLarge, WrongMethod
from routing.message import MessageIds, first_values, id_headers, read_id
from routing.versions import missing_path

log: FilteringBoundLogger = structlog.get_logger()


def ocpi_response(request: Request[Any, Any, Any], body: bytes, http_status: int = 200) -> Response[bytes]:
    """An answer with this envelope that echoes the request's message ids, or new ones if it had none."""
    raw = list(request.scope["headers"])
    sent = first_values(raw)
    ids = MessageIds(read_id(sent.get(b"x-request-id")) or new_id(), read_id(sent.get(b"x-correlation-id")) or new_id())
    headers = {name.decode(): value.decode() for name, value in id_headers(ids)}
    return Response(body, status_code=http_status, media_type=MediaType.JSON, headers=headers)


def answer_error(request: Request[Any, Any, Any], error: HubError) -> Response[bytes]:
    """A failure the hub knows, as an OCPI answer."""
    body = envelope(error.ocpi_status, datetime.now(UTC), message=str(error))
    response = ocpi_response(request, body, error.http_status)
    response.headers.update(error.answer_headers())
    return response


def answer_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """A failure Litestar found before any handler of ours did."""
    if isinstance(error, NotFoundException):
        return answer_error(request, missing_path(request.scope["path"]))
    if isinstance(error, MethodNotAllowedException):
        allowed = (error.headers or {}).get("allow", "GET")
        return answer_error(request, WrongMethod("This method does not exist here", tuple(allowed.split(", "))))
    if error.status_code == 413:
        return answer_error(request, TooLarge("The body is too large"))
    return answer_error(request, InvalidParameters(error.detail))


def answer_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A bug of ours: the partner learns that it was not their fault, the log has the rest."""
    response = answer_error(request, HubFault("The hub failed to handle this request"))
    correlation_id = response.headers["x-correlation-id"]  # and no path: the id of a callback in it is a secret
    log.error("request_failed", correlation_id=correlation_id, method=request.method, exc_info=error)
    return response


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    HubError: answer_error,
    HTTPException: answer_http_error,
    Exception: answer_bug,
}
