"""The HubClientInfo list: whom a platform may talk to, and who of them is there. OCPI 2.2.1, "HubClientInfo"."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Final

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from hub.endpoints.configuration import OCPIRequest, check_method, endpoint, success
from hub.hub import Hub
from routing.client_info import client_infos, page_of, read_page_request
from routing.dialects import DIALECTS, Dialect
from routing.directory import Caller, PartyDirectory, PartyEntry, Platform, Registered
from routing.errors import NoSuchPath, Unauthorized
from routing.versions import details_path
from routing.vocabulary import ModuleID, Role, Version

PAGE_MAX: Final = 100


def _client_info_of(version: Version) -> HTTPRouteHandler:
    """The list as it looks in one version."""
    path = f"{details_path(version)}/hubclientinfo"

    async def client_info(request: OCPIRequest, hub: Hub, caller: Caller) -> Response[bytes]:
        if not isinstance(caller, Registered):
            raise Unauthorized
        if caller.connection.version is not version:
            spoken = caller.connection.version
            raise NoSuchPath(f"This connection is registered for OCPI {spoken}; see its version details")
        check_method(request, "GET")
        wanted = read_page_request(request.scope["query_string"].decode("latin-1"), PAGE_MAX)
        # In a thread: with 100,000 parties it takes a good part of a second, which messages must not wait for.
        rows = await asyncio.to_thread(_rows, hub.directory.snapshot, caller.platform, DIALECTS[version])
        page = page_of(rows, wanted, hub.settings.public_url + path)
        response = success(request, page.items)
        response.headers.update(page.headers())
        return response

    return endpoint(path, ModuleID.HUB_CLIENT_INFO, version, client_info)


@lru_cache(maxsize=4)
def _rows(directory: PartyDirectory, viewer: Platform, dialect: Dialect) -> list[tuple[PartyEntry, Role]]:
    """The whole list, kept while partners follow its pages: a hub of 100,000 parties should not sort them for each."""
    return client_infos(directory, viewer, dialect)


route_handlers = [_client_info_of(version) for version, dialect in DIALECTS.items() if dialect.client_info]
