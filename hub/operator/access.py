"""Who may use the operator API: whoever presents the operator token. Tokens of partners open nothing here."""

from __future__ import annotations

import hmac
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from routing.vocabulary import Secret


def operators_only(token: Secret) -> Guard:
    """A guard that lets requests with this bearer token pass. RFC 6750, "Authorization Request Header Field"."""
    expected = token.reveal().encode()

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scheme, __, presented = connection.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(presented.strip().encode("utf-8", "surrogateescape"), expected)
        if scheme.lower() != "bearer" or not right:
            raise NotAuthorizedException(
                detail="Send the operator token as the bearer token of the Authorization header; "
                "it is HUB_OPERATOR_TOKEN, or in var/operator-token where the hub was started",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return guard
