"""Signing in and out: a token of the operator API is exchanged for a cookie that only the console takes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit

from litestar import Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType, ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, TooManyRequestsException
from litestar.handlers import BaseRouteHandler
from litestar.params import Body, FromQuery
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.types import Guard
from msgspec import Struct

from hub.console.api import PageRequest
from hub.console.frame import bare_page
from hub.console.safety import HEADERS
from hub.hub import Hub
from hub.operator.access import Access, holder_of, source_of
from hub.operator.platforms import TheHub
from hub.operator.roles import FOR_PARTNERS, OPEN, is_allowed, is_open, needed
from hub.store.console_sessions import LASTS

_LOGIN: Final = "/login"
_START: Final = "/"
_REFUSED: Final = "This token opens nothing here."


class SignIn(Struct, frozen=True):
    """The form."""

    token: str = ""
    next: str = _START


class NotSignedIn(Exception):
    """Nobody is signed in, and the page takes somebody."""


def signed_in_only(hub: Hub) -> Guard:
    """A guard that finds out who is signed in, and whether that role suffices for the page."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        if is_open(handler.opt):
            return
        session = await hub.console_sessions.of(connection.cookies.get(cookie_name(hub), ""))
        if session is None:
            raise NotSignedIn
        me = holder_of(session.token)
        connection.scope["auth"] = me
        if connection.scope["type"] == ScopeType.HTTP and not is_allowed(me, handler.opt):
            raise PermissionDeniedException(
                detail=f"This takes the role {needed(handler.opt)}, and {me.name} has the role {me.role}. Ask an admin."
            )

    return guard


@get(_LOGIN, opt=OPEN, include_in_schema=False)
async def show_sign_in(request: Request[Any, Any, Any], next_page: FromQuery[str] = _START) -> Template:
    """The form."""
    return bare_page(request, "sign_in.html", next_page=_own_page(next_page), refused=None)


def sign_in_with(access: Access) -> Any:  # noqa: ANN401 - a route handler
    """What takes the form."""

    @post(_LOGIN, opt=OPEN, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
    async def sign_in(
        request: Request[Any, Any, Any],
        hub: TheHub,
        data: Annotated[SignIn, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Begin a session, or say no without a hint."""
        token = data.token.strip()
        try:
            await access.whoever_presents(token, source_of(request))
        except (NotAuthorizedException, TooManyRequestsException) as error:
            again = bare_page(request, "sign_in.html", next_page=_own_page(data.next), refused=_words_for(error))
            again.status_code = error.status_code
            again.headers.update({k: v for k, v in (error.headers or {}).items() if k == "Retry-After"})
            return again
        session_id = await hub.console_sessions.begin(token)
        return Redirect(
            _own_page(data.next), status_code=HTTP_303_SEE_OTHER, cookies=[_cookie(hub, session_id.reveal())]
        )

    return sign_in


@post("/logout", opt=FOR_PARTNERS, include_in_schema=False, status_code=HTTPStatus.SEE_OTHER)
async def sign_out(request: Request[Any, Any, Any], hub: TheHub) -> Redirect:
    """End the session."""
    await hub.console_sessions.end(request.cookies[cookie_name(hub)])
    gone = _cookie(hub, "")
    gone.max_age = 0
    return Redirect(_LOGIN, status_code=HTTP_303_SEE_OTHER, cookies=[gone])


async def is_still_signed_in(request: PageRequest, hub: Hub) -> bool:
    """Whether the session goes on in which an answer began that takes long, and is still of the same person.

    Raises:
        HubFault: nobody knows.
    """
    session = await hub.console_sessions.of(request.cookies.get(cookie_name(hub), ""))
    return session is not None and holder_of(session.token) == request.auth


def to_sign_in(request: Request[Any, Any, Any], _: NotSignedIn) -> Redirect:
    """Where somebody is sent who is not signed in; a page that was wanted opens afterwards."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    there = wanted if request.method == "GET" else _START
    url = f"{_LOGIN}?next_page={quote(there, safe='/')}"
    return Redirect(url, status_code=HTTP_303_SEE_OTHER, headers=HEADERS)


def cookie_name(hub: Hub) -> str:
    """That of the session: with the prefix that makes browsers keep it to this host, wherever they need TLS for it."""
    return "__Host-hub" if _is_secure(hub) else "hub"


def _cookie(hub: Hub, value: str) -> Cookie:
    return Cookie(
        cookie_name(hub),
        value=value,
        path="/",
        max_age=int(LASTS.total_seconds()),
        secure=_is_secure(hub),
        httponly=True,
        samesite="lax",
    )


def _is_secure(hub: Hub) -> bool:
    return (hub.settings.console_url or "").startswith("https:")


def _own_page(wanted: str) -> str:
    """A page of the console, never another site."""
    url = urlsplit(wanted)
    is_own = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not url.netloc and not url.scheme
    return wanted if is_own and wanted.isprintable() else _START


def _words_for(error: NotAuthorizedException | TooManyRequestsException) -> str:
    return _REFUSED if error.status_code == HTTPStatus.UNAUTHORIZED else "Too many wrong tokens. Wait a minute."
