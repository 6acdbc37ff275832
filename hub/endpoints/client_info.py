"""Who is there: the list for every partner, and what other hubs announce. OCPI 2.2.1, "HubClientInfo"."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
import structlog
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from hub.client_infos import client_infos_of
from hub.endpoints.configuration import OCPIRequest, check_method, endpoint, read_body, success
from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from routing.bodies import read_members, without_bom
from routing.client_info import ClientInfo, client_info, page_of, read_client_info
from routing.dialects import DIALECTS
from routing.directory import Caller, Platform, Registered
from routing.errors import InvalidParameters, NoSuchPath, Unauthorized
from routing.paging import read_page_request
from routing.versions import details_path
from routing.vocabulary import ModuleID, Party, Role, Version

log: FilteringBoundLogger = structlog.get_logger()

PAGE_MAX: Final = 100


def _client_info_of(version: Version) -> HTTPRouteHandler:
    """The list as it looks in one version."""
    path = f"{details_path(version)}/hubclientinfo"

    async def client_info(request: OCPIRequest, hub: Hub, caller: Caller) -> Response[bytes]:
        caller = _registered(caller, version)
        check_method(request, "GET")
        wanted = read_page_request(request.scope["query_string"].decode("latin-1"), PAGE_MAX)
        rows = await asyncio.to_thread(client_infos_of, hub.directory.snapshot, caller.platform, DIALECTS[version])
        page = page_of(rows, wanted, hub.settings.public_url + path)
        response = success(request, page.items)
        response.headers.update(page.headers())
        return response

    return endpoint(path, ModuleID.HUB_CLIENT_INFO, version, client_info)


def _announced_of(version: Version) -> HTTPRouteHandler:
    """Where another hub says who is behind it. To anybody else this is no path."""

    async def announced(request: OCPIRequest, hub: Hub, caller: Caller) -> Response[bytes]:
        caller = _registered(caller, version)
        if not caller.platform.is_hub:
            raise NoSuchPath("There is no such path")
        check_method(request, "GET", "PUT")
        party = Party.read(request.path_params["country_code"], request.path_params["party_id"])
        if request.method == "GET":
            return success(request, _announced(party, hub, caller.platform))
        try:
            await _take(await read_body(request, hub), party, hub, caller.platform)
        except InvalidParameters as error:
            of = {"platform": caller.platform.name, "platform_id": caller.platform.id, "party": str(party)}
            log.warning("announcement_refused", **of, reason=str(error))
            raise
        return success(request)

    path = f"{details_path(version)}/hubclientinfo/{{country_code:str}}/{{party_id:str}}"
    return endpoint(path, ModuleID.HUB_CLIENT_INFO, version, announced)


def _announced(party: Party, hub: Hub, platform: Platform) -> dict[str, Any]:
    """What this hub announced of the party.

    Raises:
        NoSuchPath: nothing.
    """
    entry = hub.directory.snapshot.parts[platform.id].remote.get(party)
    if entry is None:
        raise NoSuchPath("This hub has announced no such party")
    return client_info(entry, entry.roles[0].role)


async def _take(body: bytes, party: Party, hub: Hub, platform: Platform) -> None:
    """Believe what another hub says of a party behind it.

    Raises:
        UnreadableBody, InvalidParameters: it is no ClientInfo of this party, or the party is not behind that hub.
    """
    body = without_bom(body)
    read_members(body)
    info = read_client_info(msgspec.json.decode(body))
    if info.party != party:
        raise InvalidParameters("country_code and party_id are not those of the path")
    _check_may_announce(info, hub, platform)
    if await hub.remote_parties.put(platform.id, info):
        log.info("party_announced", platform_id=platform.id, party=str(party), role=info.role, status=info.status)


def _check_may_announce(info: ClientInfo, hub: Hub, platform: Platform) -> None:
    snapshot = hub.directory.snapshot
    if info.role is Role.HUB:
        raise InvalidParameters("A hub announces who is behind it, and no hubs")
    if info.party == hub.party or info.party in platform.parties:
        raise InvalidParameters(f"{info.party} is a hub")
    rival = snapshot.also_claimed(info.party, platform.id)
    if rival is None:
        return
    if not rival.is_remote:
        raise InvalidParameters(f"{info.party} is a party of a platform here")
    if info.party not in snapshot.parts[platform.id].remote:
        raise InvalidParameters(f"{info.party} is behind another hub")


def _registered(caller: Caller, version: Version) -> Registered:
    """The caller itself, when it may ask here.

    Raises:
        Unauthorized: it is not registered.
        NoSuchPath: it is, for another version.
    """
    if not isinstance(caller, Registered):
        raise Unauthorized
    if caller.connection.version is not version:
        spoken = caller.connection.version
        raise NoSuchPath(f"This connection is registered for OCPI {spoken}; see its version details")
    return caller


_VERSIONS: Final = [version for version, dialect in DIALECTS.items() if dialect.client_info]
route_handlers = list(map(_client_info_of, _VERSIONS))
announcements = list(map(_announced_of, _VERSIONS))
"""Those with parameters in their paths, which the framework cannot have beside a mount."""
