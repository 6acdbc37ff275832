"""Versions and version details. OCPI 2.2.1, "Versions"."""

from __future__ import annotations

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from hub.endpoints.configuration import (
    OCPIRequest,
    check_method,
    check_version,
    endpoint,
    platform_id_of,
    success,
)
from hub.hub import Hub
from hub.store.registration_steps import Begun, Step, StepFacts
from routing.directory import Caller, Handshaking, Invited
from routing.errors import HubError
from routing.versions import (
    VERSIONS_PATH,
    details_path,
    face_for,
    may_be_hub,
    version_details,
    versions_for,
    versions_list,
)
from routing.vocabulary import Version


async def _versions(request: OCPIRequest, hub: Hub, caller: Caller) -> Response[bytes]:
    """The versions the caller may use, each with the URL of its details."""
    check_method(request, "GET")
    _note_look(request, hub, caller, Step.HUB_VERSIONS)
    return success(request, versions_list(hub.settings.public_url, versions_for(caller)))


def _details_of(version: Version) -> HTTPRouteHandler:
    """The details of one version."""

    async def details(request: OCPIRequest, hub: Hub, caller: Caller) -> Response[bytes]:
        check_method(request, "GET")
        try:
            check_version(caller, version)
        except HubError as error:
            _note_look(request, hub, caller, Step.HUB_DETAILS, version, error)
            raise
        _note_look(request, hub, caller, Step.HUB_DETAILS, version)
        quirks = hub.directory.snapshot.platform(platform_id_of(caller)).quirks
        base, face, is_hub = hub.settings.public_url, face_for(caller), may_be_hub(caller)
        found = version_details(base, version, face, quirks.custom_modules, is_hub=is_hub)
        return success(request, found)

    return endpoint(details_path(version), "versions", version, details)


def _note_look(
    request: OCPIRequest,
    hub: Hub,
    caller: Caller,
    step: Step,
    version: Version | None = None,
    error: HubError | None = None,
) -> None:
    """Note what a partner does that is about to be registered. Those who are look whenever they like."""
    if isinstance(caller, Invited | Handshaking):
        begun_by = Begun.PARTNER if isinstance(caller, Invited) else Begun.HUB
        facts = StepFacts(version=version, source=request.client.host if request.client else None)
        hub.steps.note(platform_id_of(caller), step, begun_by, facts, error=error)


route_handlers = [endpoint(VERSIONS_PATH, "versions", None, _versions), *map(_details_of, Version)]
