"""The credentials endpoint of each version. OCPI 2.2.1, "Credentials"."""

from __future__ import annotations

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from hub.authentication import presented_token
from hub.endpoints.configuration import (
    OCPIRequest,
    check_method,
    check_version,
    endpoint,
    platform_id_of,
    read_body,
    success,
)
from hub.hub import Hub
from hub.store.registration_steps import Begun, Step, StepFacts
from routing.directory import Caller, Handshaking, Invited, Registered
from routing.errors import AlreadyRegistered, HubError, Unauthorized, WrongMethod
from routing.versions import details_path
from routing.vocabulary import ModuleID, Secret, Version


def _credentials_of(version: Version) -> HTTPRouteHandler:
    """The endpoint of one version; its objects have the form of that version."""

    async def credentials(request: OCPIRequest, hub: Hub, caller: Caller) -> Response[bytes]:
        check_method(request, "GET", "POST", "PUT", "DELETE")
        match request.method, caller:
            case "GET", _:
                return await _shown(request, hub, caller, version)
            case "POST", Invited():
                return success(request, await hub.registrar.register(caller, version, await read_body(request, hub)))
            case "PUT", Registered():
                return success(request, await hub.registrar.update(caller, version, await read_body(request, hub)))
            case "DELETE", Registered():
                await hub.registrar.leave(caller)
                return success(request)
            case "POST", _:
                text = "This platform is registered; PUT changes its credentials"
                raise _noted(AlreadyRegistered(text, _allowed(caller)), request.method, hub, caller, version)
            case _:
                text = "This platform is not registered; POST registers it"
                raise _noted(WrongMethod(text, _allowed(caller)), request.method, hub, caller, version)

    return endpoint(f"{details_path(version)}/credentials", ModuleID.CREDENTIALS, version, credentials)


async def _shown(request: OCPIRequest, hub: Hub, caller: Caller, version: Version) -> Response[bytes]:
    """The hub's credentials with the very token the caller uses: the hub itself keeps only a hash of it."""
    check_version(caller, version)
    token = presented_token(hub, list(request.scope["headers"]))
    if token is None:
        raise Unauthorized  # it has been replaced since this request was authenticated
    return success(request, await hub.registrar.show(platform_id_of(caller), version, Secret(token)))


def _noted(error: HubError, method: str, hub: Hub, caller: Caller, version: Version) -> HubError:
    """The error, once those who help the partner can see it."""
    facts = StepFacts(method=method, version=version)
    hub.steps.note(platform_id_of(caller), Step.CREDENTIALS_RECEIVED, Begun.PARTNER, facts, error=error)
    return error


def _allowed(caller: Caller) -> tuple[str, ...]:
    match caller:
        case Registered():
            return ("GET", "PUT", "DELETE")
        case Invited():
            return ("GET", "POST")
        case Handshaking():
            return ("GET",)


route_handlers = [_credentials_of(version) for version in Version]
