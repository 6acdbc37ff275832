"""`/api/v1/platforms`: who is connected to the hub, and everything an operator does with them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import structlog
from litestar import Controller, Response, delete, get, patch, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, SkipValidation

from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from hub.operator.access import TheCaller
from hub.operator.etags import ETAG, IfMatch, check, tag_of_platform
from hub.operator.owners import owner_named
from hub.operator.platform_list import Sort, Words, platforms_page
from hub.operator.platform_rows import Order, Wanted
from hub.operator.problems import Unacceptable, documented
from hub.operator.resources import (
    Connect,
    CreatedPlatform,
    Invite,
    Invited,
    LossesView,
    NewPlatform,
    PlatformChange,
    PlatformsView,
    PlatformView,
    hub_face,
    loss_view,
    platform_view,
    versions_url,
)
from hub.operator.roles import FOR_ADMINS, FOR_OPERATORS, FOR_OPERATORS_AND_OWN, FOR_PARTNERS, may_be_tried
from hub.store.records import PlatformRecord
from routing.dialects import DIALECTS
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Role, Secret, Version

log: FilteringBoundLogger = structlog.get_logger()

TheHub = NamedDependency[SkipValidation[Hub]]
PlatformID = FromPath[str]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="Most items of one answer.")]
DryRun = Annotated[bool, QueryParameter(description="Only say what would come of it: nothing is changed.")]
Cursor = Annotated[str | None, QueryParameter(max_length=500, description="`next_cursor` of the answer before.")]


LOCATION = ResponseHeader(name="Location", description="The new platform.", documentation_only=True)


class Platforms(Controller):
    """Platforms, by id."""

    path = "/platforms"
    tags = ("platforms",)

    @post(responses=documented(413, 422, 503), response_headers=[LOCATION], opt=FOR_OPERATORS)
    async def add_platform(self, hub: TheHub, data: JSONBody[NewPlatform]) -> Response[CreatedPlatform]:
        """Invite a platform: the answer has the TOKEN_A it may register with, once."""
        _check(data)
        async with owner_named(hub):
            record, token = await hub.platforms.create(
                data.name,
                parties=[(each.party, each.role) for each in data.parties],
                face=hub_face(data.face),
                version=data.version,
                require_modules=[module.lower() for module in data.require_modules],
                allow_hub=data.allow_hub,
                expires_at=data.expires_at,
            )
        log.info("platform_created", platform_id=record.id, parties=[str(each.party) for each in data.parties])
        created = CreatedPlatform(record.id, record.name, record.status, token.reveal(), versions_url(hub.settings))
        return Response(created, headers={"Location": f"/api/v1/platforms/{record.id}"})

    @get(responses=documented(422, 503), opt=FOR_PARTNERS)
    async def list_platforms(
        self,
        hub: TheHub,
        me: TheCaller,
        status: FromQuery[ConnectionStatus | None] = None,
        role: FromQuery[Role | None] = None,
        version: FromQuery[Version | None] = None,
        q: Words = None,
        sort: Sort = Order.CREATED,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> PlatformsView:
        """Platforms, the oldest first unless sorted otherwise. An engineer of a platform sees that one."""
        if me.only_platform is not None:
            view = await view_of(await hub.platforms.get(me.only_platform), hub)
            return PlatformsView((view,), None, {str(view.status): 1}, 1)
        return await platforms_page(Wanted(status, role, version, q), sort, hub, limit=limit, cursor=cursor)

    @get("/{platform_id:str}", responses=documented(404, 503), response_headers=[ETAG], opt=FOR_PARTNERS)
    async def show_platform(self, hub: TheHub, platform_id: PlatformID) -> Response[PlatformView]:
        """One platform."""
        return await _tagged(await hub.platforms.get(platform_id), hub)

    @patch(
        "/{platform_id:str}",
        responses=documented(404, 412, 413, 503),
        response_headers=[ETAG],
        opt=may_be_tried(FOR_OPERATORS),
    )
    async def change_platform(
        self,
        hub: TheHub,
        platform_id: PlatformID,
        data: JSONBody[PlatformChange],
        if_match: IfMatch = None,
        dry_run: DryRun = False,
    ) -> Response[PlatformView]:
        """Rename a platform or change its settings. Keys that are not named stay as they are."""

        def quirks(now: PlatformRecord) -> Quirks:
            check(if_match, tag_of_platform(now))
            return changed_quirks(now.quirks, data.settings)

        if dry_run:
            held = await hub.platforms.get(platform_id)
            would_be = msgspec.structs.replace(held, name=data.name or held.name, quirks=quirks(held))
            return await _tagged(would_be, hub)
        record = await hub.platforms.change(platform_id, name=data.name, quirks=quirks)
        log.info("platform_changed", platform_id=platform_id, settings=sorted(data.settings))
        return await _tagged(record, hub)

    @post(
        "/{platform_id:str}/connect",
        status_code=HTTPStatus.OK,
        responses=documented(404, 409, 412, 413, 422, 502, 503),
        opt=FOR_OPERATORS,
    )
    async def connect_platform(self, hub: TheHub, platform_id: PlatformID, data: JSONBody[Connect]) -> PlatformView:
        """Register the hub at a partner that gave the operator a TOKEN_A. OCPI 2.2.1, "Credentials", Registration."""
        async with owner_named(hub):
            record = await hub.initiator.connect(platform_id, data.versions_url, Secret(data.token_a))
        return await view_of(record, hub)

    @post(
        "/{platform_id:str}/invite",
        status_code=HTTPStatus.OK,
        responses=documented(404, 409, 412, 413, 422, 503),
        opt=FOR_OPERATORS,
    )
    async def invite_platform(
        self, hub: TheHub, platform_id: PlatformID, data: JSONBody[Invite | None] = None
    ) -> Invited:
        """Give a new TOKEN_A to a platform that left, or for the other face of a 2.1.1 company that has both."""
        token = await hub.platforms.invite(platform_id, hub_face(data.face if data else None))
        log.info("platform_invited", platform_id=platform_id)
        return Invited(token.reveal(), versions_url(hub.settings))

    @post(
        "/{platform_id:str}/rotate",
        status_code=HTTPStatus.OK,
        responses=documented(404, 409, 412, 422, 502, 503),
        opt=FOR_OPERATORS_AND_OWN,
    )
    async def rotate_platform(self, hub: TheHub, platform_id: PlatformID) -> PlatformView:
        """PUT credentials at the partner with a fresh token; both old tokens are dead once it has answered."""
        return await view_of(await hub.initiator.rotate(platform_id), hub)

    @post(
        "/{platform_id:str}/suspend", status_code=HTTPStatus.OK, responses=documented(404, 412, 503), opt=FOR_OPERATORS
    )
    async def suspend_platform(self, hub: TheHub, platform_id: PlatformID) -> PlatformView:
        """Refuse a platform and everything for it, until it is resumed. Its registration stays."""
        record = await hub.platforms.suspend(platform_id)
        log.info("platform_suspended", platform_id=platform_id)
        return await view_of(record, hub)

    @post(
        "/{platform_id:str}/resume", status_code=HTTPStatus.OK, responses=documented(404, 412, 503), opt=FOR_OPERATORS
    )
    async def resume_platform(self, hub: TheHub, platform_id: PlatformID) -> PlatformView:
        """Let a suspended platform take part again."""
        record = await hub.platforms.resume(platform_id)
        log.info("platform_resumed", platform_id=platform_id)
        return await view_of(record, hub)

    @post(
        "/{platform_id:str}/circuit/close",
        status_code=HTTPStatus.OK,
        responses=documented(404, 412, 503),
        opt=FOR_OPERATORS,
    )
    async def close_circuit(self, hub: TheHub, platform_id: PlatformID) -> PlatformView:
        """Call a platform again at once, from every process. Its circuit opens again if it still does not answer."""
        record = await hub.platforms.get(platform_id)
        await hub.circuits.close(platform_id)
        return await view_of(record, hub)

    @get("/{platform_id:str}/losses", responses=documented(404, 422, 503), opt=FOR_PARTNERS)
    async def list_losses(
        self, hub: TheHub, platform_id: PlatformID, limit: Limit = 100, cursor: Cursor = None
    ) -> LossesView:
        """What was lost, replaced, assumed or refused in objects that changed their version, to and from a platform."""
        page = await hub.loss_counts.page(platform_id, limit=limit, cursor=cursor)
        return LossesView(tuple(map(loss_view, page.items)), page.next_cursor)

    @delete("/{platform_id:str}", responses=documented(404, 412, 503), opt=FOR_ADMINS)
    async def remove_platform(self, hub: TheHub, platform_id: PlatformID, if_match: IfMatch = None) -> None:  # noqa: ARG002 - a guard reads it; here it is described
        """DELETE credentials at the partner and, whatever it answers, here. The platform stays listed, SUSPENDED."""
        await hub.initiator.remove(platform_id)


async def _tagged(record: PlatformRecord, hub: Hub) -> Response[PlatformView]:
    return Response(await view_of(record, hub), headers={"ETag": tag_of_platform(record)})


async def view_of(record: PlatformRecord, hub: Hub) -> PlatformView:
    """A platform as an operator sees it now."""
    return platform_view(record, hub.settings, await hub.circuits.now())


def _check(new: NewPlatform) -> None:
    """Refuse invitations nobody could use."""
    if new.version is not None:
        needs_face = not DIALECTS[new.version].interface_roles
        if needs_face and new.face is None:
            raise Unacceptable(detail=f"face is required with version {new.version}: the partner's role, CPO or EMSP")
        if not needs_face and new.face is not None:
            raise Unacceptable(detail=f"face is for 2.1.1 only; leave it out, or leave out version {new.version}")
        odd = next((each for each in new.parties if needs_face and each.role not in DIALECTS[new.version].roles), None)
        if odd is not None:
            raise Unacceptable(detail=f"OCPI {new.version} has no role {odd.role}; {odd.party} may be a CPO or an EMSP")
    if new.allow_hub and new.face is not None:
        raise Unacceptable(detail="allow_hub is for later versions than 2.1.1, which knows no hubs; leave out face")
    if new.expires_at is not None and new.expires_at <= datetime.now(UTC):
        raise Unacceptable(detail="expires_at is in the past; leave it out for an invitation that does not expire")
    for (party, role), count in Counter((each.party, each.role) for each in new.parties).items():
        if count > 1:
            raise Unacceptable(detail=f"parties has {party} as {role} {count} times; name it once")


def changed_quirks(quirks: Quirks, change: dict[str, Any]) -> Quirks:
    """These settings with the change applied; None means the default.

    Raises:
        ClientException: a key is unknown, or its value is not what it takes.
    """
    known = Quirks.__struct_fields__
    for key in change:
        if key not in known:
            raise ClientException(detail=f"settings.{key} is unknown; the settings are {', '.join(sorted(known))}")
    values = {key: value for key, value in (msgspec.to_builtins(quirks) | change).items() if value is not None}
    try:
        return msgspec.convert(values, Quirks)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$.")
        raise ClientException(detail=f"settings.{path.rstrip('`')}: {text}") from error
