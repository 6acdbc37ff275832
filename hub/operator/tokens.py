"""`/api/v1/me` and `/api/v1/tokens`: who may use this API, and as what."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

import structlog
from litestar import Controller, Response, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from hub.observability import FilteringBoundLogger
from hub.operator.access import OPERATOR, TheCaller
from hub.operator.platforms import Cursor, Limit, TheHub
from hub.operator.problems import Unacceptable, documented
from hub.operator.resources import Moment
from hub.operator.roles import FOR_ADMINS, FOR_PARTNERS, OperatorRole
from hub.store.operator_tokens import OperatorTokenRecord

log: FilteringBoundLogger = structlog.get_logger()

TokenID = FromPath[str]
TokenName = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9@._-]{0,99}$(?!\n)", description="Of a person or program.", examples=["anna"]),
]
_LOCATION = ResponseHeader(name="Location", description="The new token.", documentation_only=True)


class MeView(Struct, frozen=True):
    """Who is asking."""

    name: str
    role: OperatorRole
    platform: str | None
    """Id of the platform whose engineer it is."""
    expires_at: datetime | None


class NewToken(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who shall be able to use this API. A partner's engineer needs the id of the platform."""

    name: TokenName
    role: OperatorRole
    platform: Annotated[str, Meta(max_length=32)] | None = None
    expires_at: Moment | None = None


class TokenView(Struct, frozen=True):
    """Who has a token, and what for."""

    id: str
    name: str
    role: OperatorRole
    platform: str | None
    created_at: datetime
    expires_at: datetime | None


class CreatedToken(Struct, frozen=True):
    """A new token. It is not shown again."""

    id: str
    name: str
    role: OperatorRole
    platform: str | None
    expires_at: datetime | None
    token: str


class TokensView(Struct, frozen=True):
    """Part of the list of tokens."""

    items: tuple[TokenView, ...]
    next_cursor: str | None


@get("/me", tags=["tokens"], responses=documented(503), opt=FOR_PARTNERS)
async def show_me(me: TheCaller) -> MeView:
    """Who the token that was presented belongs to, and what they may do."""
    return MeView(me.name, me.role, me.platform_id, me.expires_at)


class Tokens(Controller):
    """Named tokens. HUB_OPERATOR_TOKEN, which is the admin `operator`, is none of them."""

    path = "/tokens"
    tags = ("tokens",)

    @get(responses=documented(422, 503), opt=FOR_ADMINS)
    async def list_tokens(self, hub: TheHub, limit: Limit = 100, cursor: Cursor = None) -> TokensView:
        """Everybody who has a token, the oldest first."""
        page = await hub.operator_tokens.page(limit=limit, cursor=cursor)
        return TokensView(tuple(map(_view, page.items)), page.next_cursor)

    @get("/{token_id:str}", responses=documented(404, 503), opt=FOR_ADMINS)
    async def show_token(self, hub: TheHub, token_id: TokenID) -> TokenView:
        """One token, by its id or name; not the token itself."""
        return _view(await hub.operator_tokens.get(token_id))

    @post(responses=documented(404, 413, 422, 503), response_headers=[_LOCATION], opt=FOR_ADMINS)
    async def add_token(self, hub: TheHub, data: JSONBody[NewToken]) -> Response[CreatedToken]:
        """Give somebody a token: the answer has it, once."""
        _check(data)
        record, token = await hub.operator_tokens.add(
            data.name, role=data.role, platform_id=data.platform, expires_at=data.expires_at
        )
        log.info("operator_token_created", name=record.name, role=record.role, platform_id=record.platform_id)
        created = CreatedToken(
            record.id, record.name, OperatorRole(record.role), record.platform_id, record.expires_at, token.reveal()
        )
        return Response(created, headers={"Location": f"/api/v1/tokens/{record.id}"})

    @delete("/{token_id:str}", status_code=HTTPStatus.NO_CONTENT, responses=documented(404, 503), opt=FOR_ADMINS)
    async def remove_token(self, hub: TheHub, token_id: TokenID) -> None:
        """Make a token worthless at once, by its id or name."""
        await hub.operator_tokens.remove(token_id)
        log.info("operator_token_removed", token=token_id)


def _check(new: NewToken) -> None:
    if new.name.lower() == OPERATOR:
        raise Unacceptable(detail=f"{OPERATOR} is the name of whoever has HUB_OPERATOR_TOKEN; take another one")
    if (new.platform is None) is (new.role is OperatorRole.PARTNER):
        raise Unacceptable(detail="platform goes with role partner, and with no other: whose engineer it is")
    if new.expires_at is not None and new.expires_at <= datetime.now(UTC):
        raise Unacceptable(detail="expires_at is in the past; leave it out for a token that does not expire")


def _view(record: OperatorTokenRecord) -> TokenView:
    return TokenView(
        record.id, record.name, OperatorRole(record.role), record.platform_id, record.created_at, record.expires_at
    )
