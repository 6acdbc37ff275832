"""What the configuration modules have in common: versions, credentials and hubclientinfo are spoken with the hub.

They have static paths, and one handler for all methods of a path: a caller is known before it is told what
does not exist. Routing headers are neither read nor written ("Message Routing": functional modules only).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final, TypeAlias, assert_never

import structlog
from litestar import Request, Response, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from msgspec import UNSET

from hub.authentication import authenticate
from hub.endpoints.errors import answer_error, ocpi_response
from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from routing.bodies import check_charset
from routing.directory import Caller, Handshaking, Invited, Registered
from routing.envelope import SUCCESS, envelope
from routing.errors import HubError, Overloaded, TooLarge, UnsupportedVersion, WrongMethod
from routing.message import header
from routing.versions import versions_for
from routing.vocabulary import Version

OCPIRequest: TypeAlias = Request[Any, Any, Any]
Answering: TypeAlias = Callable[[OCPIRequest, Hub, Caller], Awaitable[Response[bytes]]]

MOST_BODY_BYTES: Final = 16 * 1024 * 1024
"""What an operator may raise the limit for bodies to."""

_BODY_BYTES: Final = 2 * 1024 * 1024

log: FilteringBoundLogger = structlog.get_logger()


def endpoint(path: str, module: str, version: Version | None, answering: Answering) -> HTTPRouteHandler:
    """The handler of one path. `answering` gets every request of a caller the hub knows, whatever its method."""

    @route(path, http_method=tuple(HttpMethod), include_in_schema=False, request_max_body_size=MOST_BODY_BYTES)
    async def answer(request: OCPIRequest) -> Response[bytes]:
        began, caller, failure = monotonic(), None, None
        hub: Hub = request.app.state.hub
        try:
            caller = await _caller(request, hub)
            response = await answering(request, hub, caller)
        except HubError as error:
            response, failure = answer_error(request, error), error
        _record(request, hub, module, version, caller, failure, response, monotonic() - began)
        return response

    return answer


async def _caller(request: OCPIRequest, hub: Hub) -> Caller:
    if hub.drain.is_refusing:
        raise Overloaded("This hub is about to stop", retry_after_s=1)
    source = request.client.host if request.client else ""
    caller = await authenticate(hub, list(request.scope["headers"]), source)
    hub.limits.message_of(platform_id_of(caller))
    return caller


def platform_id_of(caller: Caller) -> str:
    """The platform that is calling, or is about to become one."""
    match caller:
        case Registered(platform=platform):
            return platform.id
        case Invited(invitation=invitation):
            return invitation.platform_id
        case Handshaking(platform_id=platform_id):
            return platform_id
        case unhandled:
            assert_never(unhandled)


def check_method(request: OCPIRequest, *allowed: str) -> None:
    """Refuse every other method, HEAD included.

    Raises:
        WrongMethod: it is another.
    """
    if request.method not in allowed:
        raise WrongMethod(f"{request.method} does not exist here", allowed)


def check_version(caller: Caller, version: Version) -> None:
    """Refuse a version that does not exist for this caller.

    Raises:
        UnsupportedVersion: it is not among those the versions list shows it.
    """
    if version not in versions_for(caller):
        raise UnsupportedVersion(f"OCPI {version} is not offered to this connection")


async def read_body(request: OCPIRequest, hub: Hub) -> bytes:
    """The body of a request.

    Raises:
        InvalidParameters: it is in a character set that JSON cannot be in.
        TooLarge: it is longer than the hub takes.
    """
    check_charset(header(list(request.scope["headers"]), b"content-type"))
    limit = hub.settings.max_body_bytes or _BODY_BYTES
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"The body has more than {limit} bytes")
    return bytes(body)


def success(request: OCPIRequest, data: Any = UNSET) -> Response[bytes]:  # noqa: ANN401 - any JSON
    """An answer with this data, or without any."""
    return ocpi_response(request, envelope(SUCCESS, datetime.now(UTC), data=data))


def _record(
    request: OCPIRequest,
    hub: Hub,
    module: str,
    version: Version | None,
    caller: Caller | None,
    failure: HubError | None,
    response: Response[bytes],
    seconds: float,
) -> None:
    """Say and count what was answered."""
    ocpi_status = SUCCESS if failure is None else failure.ocpi_status
    hub.metrics.message(
        route="hub",
        module=module,
        method=request.method,
        source_version=version,
        target_version=None,
        ocpi_status=ocpi_status,
        seconds=seconds,
    )
    log.info(
        "request_answered",
        correlation_id=response.headers["x-correlation-id"],
        request_id=response.headers["x-request-id"],
        platform_id=None if caller is None else platform_id_of(caller),
        module=module,
        method=request.method,
        version=version,
        http_status=response.status_code,
        ocpi_status=ocpi_status,
        reason=failure and str(failure),
        hub_ms=round(seconds * 1000, 3),
    )
