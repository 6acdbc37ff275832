"""Every error of the operator API, as a problem document. RFC 9457.

400  the request cannot be read, or has not the form that /schema describes
401  no operator token
403  the role of the token does not suffice
404  nothing here, or no platform of this id
405  not with this method
406  a stream, and the caller does not say that it takes one
409  the platform is in a state in which this cannot be done, or a party belongs to somebody else
412  the object is not any more what If-Match says
413  the body is too large
429  this address presented too many wrong tokens
422  in the right form, and not acceptable: a URL the hub may not call, a face that is missing
502  the partner refused, or did not answer as OCPI demands
503  the hub cannot do this now; the same request may work later
500  a bug
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException
from litestar.openapi import ResponseSpec
from litestar.types import ExceptionHandlersMap
from msgspec import Meta, Struct

from hub.observability import FilteringBoundLogger
from hub.plain_text import readable
from routing.errors import (
    AlreadyRegistered,
    HubError,
    HubFault,
    NoSuchPath,
    Overloaded,
    RegistrationError,
    RoutingError,
    Unauthorized,
)
from routing.vocabulary import ConnectionStatus

log: FilteringBoundLogger = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Of every answer: some hold tokens, and none is meant to be taken for a page."""
_DETAIL_LIMIT = 1_000
_GONE = "The registration ended while this was under way; look at the platform and try again"
_BODY = "data"
"""What the framework calls the body as a whole."""


class Fault(Struct, omit_defaults=True):
    """What is wrong with one part of a request."""

    message: str
    key: str
    """Where in the body, or which parameter."""


class Owner(Struct):
    """The platform that a party belongs to."""

    party: str
    platform_id: str
    name: str
    status: ConnectionStatus
    since: datetime
    """When the platform was invited or added."""


class Problem(Struct, omit_defaults=True):
    """RFC 9457, "Members of a Problem Details Object". `detail` says what to do."""

    title: str
    status: int
    detail: str
    type: Annotated[str, Meta(description="Always about:blank: `status` says which kind of problem it is.")] = (
        "about:blank"
    )
    errors: list[Fault] = []
    reasons: Annotated[list[str], Meta(description="Of /readyz: why the hub is not ready.")] = []
    owner: Annotated[Owner | None, Meta(description="Who has the party that was asked for.")] = None


class Conflict(HTTPException):
    """The request does not fit the state in which things are."""

    status_code = HTTPStatus.CONFLICT


class Unacceptable(HTTPException):
    """The request has the right form and asks for something that cannot be."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY


class NotAcceptable(HTTPException):
    """The answer would be of a kind that the caller does not take."""

    status_code = HTTPStatus.NOT_ACCEPTABLE


class Faulty(Unacceptable):
    """Several parts of what was sent cannot be. `errors` has each."""

    def __init__(self, detail: str, faults: list[Fault]) -> None:
        super().__init__(detail=detail)
        self.faults = faults


class Owned(HTTPException):
    """Somebody else has a party that was asked for."""

    def __init__(self, status: int, detail: str, owner: Owner) -> None:
        super().__init__(detail=detail, status_code=status)
        self.owner = owner


class NotReady(HTTPException):
    """The hub should get no traffic now."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(detail="; ".join(reasons))
        self.reasons = reasons


_MEANINGS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read, or has not the form described here.",
    HTTPStatus.UNAUTHORIZED: "The operator token is missing or wrong.",
    HTTPStatus.FORBIDDEN: "The role of the token does not suffice for this.",
    HTTPStatus.NOT_FOUND: "There is nothing of this id that the caller may see.",
    HTTPStatus.NOT_ACCEPTABLE: "The answer is a stream, and the caller does not say that it takes one.",
    HTTPStatus.CONFLICT: "It cannot be done in the state in which the platform or the party is.",
    HTTPStatus.PRECONDITION_FAILED: "If-Match does not fit: the object was changed meanwhile; `detail` says by whom.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "In the right form, and not acceptable.",
    HTTPStatus.TOO_MANY_REQUESTS: "This address presented too many wrong tokens; see Retry-After.",
    HTTPStatus.BAD_GATEWAY: "The partner refused, or did not answer as OCPI demands; `detail` has the reason.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now; the same request may work later.",
}


_ALWAYS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """What the OpenAPI description says about these statuses, and about those that any route may answer."""
    return {
        int(status): ResponseSpec(
            Problem, description=_MEANINGS[status], media_type=MEDIA_TYPE, generate_examples=False
        )
        for status in sorted({*_ALWAYS, *statuses})
    }


def problem(status: int, detail: str, **more: Any) -> Response[Problem]:  # noqa: ANN401 - further members of Problem
    """A problem document. Text in it may come from partners; it is cut, and free of secrets."""
    status = HTTPStatus(status)
    content = Problem(title=status.phrase, status=int(status), detail=readable(detail, _DETAIL_LIMIT), **more)
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=HEADERS)


def http_problem(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """What the framework refuses, and what our own code refuses in its words."""
    if isinstance(error, NotReady):
        return problem(error.status_code, error.detail, reasons=error.reasons)
    if isinstance(error, Owned):
        return problem(error.status_code, error.detail, owner=error.owner)
    if isinstance(error, Faulty):
        return problem(error.status_code, error.detail, errors=error.faults)
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return bug(request, error)
    faults = _faults(error.extra)
    answer = problem(error.status_code, _detail(request, error, faults), errors=faults)
    answer.headers.update(error.headers or {})
    return answer


def hub_problem(_: Request[Any, Any, Any], error: HubError) -> Response[Problem]:
    """What the hub's own parts refuse."""
    text = _GONE if isinstance(error, Unauthorized) else str(error)
    answer = problem(status_of(error), text)
    if isinstance(error, HubFault | Overloaded):
        answer.headers["Retry-After"] = "5"
    return answer


def too_deep(_: Request[Any, Any, Any], __: RecursionError) -> Response[Problem]:
    """A body of brackets within brackets."""
    return problem(HTTPStatus.BAD_REQUEST, "The body is nested too deeply; GET /schema describes the form")


def bug(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """What should not have happened: the log gets everything, the caller nothing of it."""
    log.error("operator_request_failed", method=request.method, path=request.url.path, exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "The hub met a bug; its log has the details, as operator_request_failed"
    )


def status_of(error: HubError) -> int:
    """With which status an error is answered."""
    match error:
        case AlreadyRegistered() | Unauthorized():
            return HTTPStatus.CONFLICT
        case NoSuchPath():
            return HTTPStatus.NOT_FOUND
        case RegistrationError() | RoutingError():
            return HTTPStatus.BAD_GATEWAY
        case HubFault() | Overloaded():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            return HTTPStatus.UNPROCESSABLE_ENTITY


def _faults(extra: object) -> list[Fault]:
    """The framework's list of what is wrong with a request."""
    found = extra if isinstance(extra, list) else []
    return [_fault(str(each.get("message", "")), str(each.get("key", ""))) for each in found if isinstance(each, dict)]


def _fault(message: str, key: str) -> Fault:
    if key != _BODY:
        return Fault(readable(message), readable(key))
    return Fault("a JSON object is needed" if message == repr(_BODY) else readable(message), "body")


def _detail(request: Request[Any, Any, Any], error: HTTPException, faults: list[Fault]) -> str:
    if faults:
        return "; ".join(f"{fault.key}: {fault.message}" for fault in faults) + ". GET /schema describes the form"
    match error.status_code:
        case HTTPStatus.NOT_FOUND if error.detail == HTTPStatus.NOT_FOUND.phrase:
            return f"There is nothing at {request.url.path}; GET /schema describes what there is"
        case HTTPStatus.BAD_REQUEST if isinstance(error.__cause__, SerializationException):
            return f"The body is not JSON: {error.detail}"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return f"{request.method} is not possible here; GET /schema describes what is"
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return "The body is larger than anything this API takes; send less at once"
        case _:
            return error.detail


def with_headers(answer: Response[Any]) -> Response[Any]:
    """An answer that is no problem, with the headers every answer has."""
    if answer.status_code == HTTPStatus.NOT_FOUND:  # the framework's own page for what is not there below /schema
        return problem(HTTPStatus.NOT_FOUND, "There is nothing here; GET /schema describes what there is")
    answer.headers.update(HEADERS)
    return answer


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    HTTPException: http_problem,
    HubError: hub_problem,
    RecursionError: too_deep,
    Exception: bug,
}
