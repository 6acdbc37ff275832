"""Who may use the operator listener: who presents the operator token, or a named one. Partners' tokens open nothing."""

from __future__ import annotations

import hmac
import math
from typing import Any, Final

from litestar import Request
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, TooManyRequestsException
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation
from litestar.types import Guard

from hub.events import EventKind
from hub.hub import Hub
from hub.limits import FAILED_AUTHENTICATIONS, Buckets, neighbourhood
from hub.operator.inside import Connection, caller
from hub.operator.roles import Me, OperatorRole, is_allowed, needed
from hub.store.operator_tokens import PREFIX, OperatorTokenRecord
from hub.store.truth import UnknownPlatform

OPERATOR: Final = "operator"
"""The name of whoever has HUB_OPERATOR_TOKEN."""
_LONGEST: Final = 256
_WRONG: Final = (
    "Send the operator token as the bearer token of the Authorization header; "
    "it is HUB_OPERATOR_TOKEN, or in var/operator-token where the hub was started, or one that an admin gave you"
)

TheCaller = NamedDependency[SkipValidation[Me]]
"""Who is asking: a parameter `me` of a route handler."""


def the_caller(request: Request[Me, Any, Any]) -> Me:
    """Who is asking."""
    me: Me = request.auth
    return me


class Access:
    """Tells who presents a token. An address that presents wrong ones has to wait before it is heard again."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._failures = Buckets(FAILED_AUTHENTICATIONS)

    async def whoever_presents(self, token: str | None, source: str) -> Me:
        """Who this is.

        Raises:
            NotAuthorizedException: nobody.
            TooManyRequestsException: the address has to wait.
            HubFault: the database, which knows named tokens, does not answer.
        """
        hub = self._hub
        if token is not None and hmac.compare_digest(_bytes(token), _bytes(hub.settings.operator_token.reveal())):
            return holder_of(None)
        key = neighbourhood(source)
        if wait := self._failures.wait(key):
            hub.events.happened(EventKind.AUTH_FAILURES, subject=source, listener="operator")
            raise TooManyRequestsException(
                detail="Too many requests without a valid token from this address; wait",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        if token is not None and token.startswith(PREFIX) and len(token) <= _LONGEST:
            known = await hub.operator_tokens.known(token)
            if known is not None:
                return holder_of(known)
        self._failures.take(key)
        raise NotAuthorizedException(detail=_WRONG, headers={"WWW-Authenticate": "Bearer"})


def holder_of(token: OperatorTokenRecord | None) -> Me:
    """Who has this named token, or the operator token."""
    if token is None:
        return Me(OPERATOR, OperatorRole.ADMIN)
    return Me(token.name, OperatorRole(token.role), token.platform_id, token.expires_at)


def operators_only(access: Access) -> Guard:
    """A guard that lets requests pass whose bearer token is known, and whose role suffices for the route.

    RFC 6750, "Authorization Request Header Field". An engineer of a platform sees nothing of others, not even whether
    there are any. Calls that the console makes for somebody who is signed in there carry no token: see `inside`.
    """

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        me = caller(connection)
        if me is None:
            me = await access.whoever_presents(_token_in(connection), source_of(connection))
        connection.scope["auth"] = me
        if connection.scope["type"] == ScopeType.HTTP and connection.scope["method"] == "OPTIONS":
            return  # the framework's own, which says what methods there are
        if not is_allowed(me, handler.opt):
            needs = needed(handler.opt)
            raise PermissionDeniedException(
                detail=f"This takes the role {needs}; the token of {me.name} has the role {me.role}. Ask an admin"
            )
        platform_id = connection.path_params.get("platform_id")
        if platform_id is not None and me.only_platform not in (None, platform_id):
            raise UnknownPlatform

    return guard


def source_of(connection: Connection) -> str:
    """The address a request came from."""
    client = connection.client
    return "unknown" if client is None else client.host


def _token_in(connection: Connection) -> str | None:
    scheme, _, presented = connection.headers.get("authorization", "").partition(" ")
    return presented.strip() if scheme.lower() == "bearer" else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
