"""The credentials endpoint of each version. OCPI 2.2.1, "Credentials"."""

from __future__ import annotations

from typing import Final

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from hub.authentication import presented_token
from hub.endpoints.configuration import (
    OCPIRequest,
    check_method,
    check_version,
    endpoint,
    platform_id_of,
    success,
)
from hub.hub import Hub
from routing.bodies import check_charset
from routing.directory import Caller, Handshaking, Invited, Registered
from routing.errors import AlreadyRegistered, TooLarge, Unauthorized, WrongMethod
from routing.versions import details_path
from routing.vocabulary import ModuleID, Secret, Version

BODY_BYTES: Final = 2 * 1024 * 1024


def _credentials_of(version: Version) -> HTTPRouteHandler:
    """The endpoint of one version; its objects have the form of that version."""

    async def credentials(request: OCPIRequest, hub: Hub, caller: Caller) -> Response[bytes]:
        check_method(request, "GET", "POST", "PUT", "DELETE")
        match request.method, caller:
            case "GET", _:
                return _shown(request, hub, caller, version)
            case "POST", Invited():
                return success(request, await hub.registrar.register(caller, version, await _body(request, hub)))
            case "PUT", Registered():
                return success(request, await hub.registrar.update(caller, version, await _body(request, hub)))
            case "DELETE", Registered():
                await hub.registrar.leave(caller)
                return success(request)
            case "POST", _:
                raise AlreadyRegistered("This platform is registered; PUT changes its credentials", _allowed(caller))
            case _:
                raise WrongMethod("This platform is not registered; POST registers it", _allowed(caller))

    return endpoint(f"{details_path(version)}/credentials", ModuleID.CREDENTIALS, version, credentials)


def _shown(request: OCPIRequest, hub: Hub, caller: Caller, version: Version) -> Response[bytes]:
    """The hub's credentials with the very token the caller uses: the hub itself keeps only a hash of it."""
    check_version(caller, version)
    token = presented_token(hub, list(request.scope["headers"]))
    if token is None:
        raise Unauthorized  # it has been replaced since this request was authenticated
    return success(request, hub.registrar.credentials_for(platform_id_of(caller), version, Secret(token)))


async def _body(request: OCPIRequest, hub: Hub) -> bytes:
    check_charset(request.headers.get("content-type"))
    limit = hub.settings.max_body_bytes or BODY_BYTES
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"The body has more than {limit} bytes")
    return bytes(body)


def _allowed(caller: Caller) -> tuple[str, ...]:
    match caller:
        case Registered():
            return ("GET", "PUT", "DELETE")
        case Invited():
            return ("GET", "POST")
        case Handshaking():
            return ("GET",)


route_handlers = [_credentials_of(version) for version in Version]
