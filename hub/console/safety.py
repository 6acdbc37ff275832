"""What browsers may do with the console: which sites may use it, what its pages load, under which names it is met."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from hub.settings import Settings

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content Security Policy Level 3."""
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "",
    "Cache-Control": "no-store",
}
"""Of every page."""
_HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_ANY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised here, not bound
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def with_headers(response: Response[Any]) -> Response[Any]:
    """Add `HEADERS`, as far as the response does not say otherwise."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def way_back(request: Request[Any, Any, Any]) -> str | None:
    """The page of the console that led here; None where it was none of ours, or this one."""
    try:
        came_from = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return None
    is_own = came_from.netloc == request.headers.get("host", "") and came_from.path.startswith("/")
    if not is_own or came_from.path.startswith(("//", "/\\")):
        return None
    there = f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return None if there == here else there


def own_pages_only(settings: Settings) -> Guard:
    """A guard against other sites: one that made its name mean this machine, and one that posts a form to here.

    Without HUB_CONSOLE_URL the console is met under loopback names and the name of its listener.
    """
    url = settings.console_url
    netloc = None if url is None else urlsplit(url).netloc
    names = _HERE | ({settings.operator_host} - _ANY)

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        host = connection.headers.get("host", "")
        known = host == netloc or (netloc is None and urlsplit(f"//{host}").hostname in names)
        if not known:
            raise PermissionDeniedException(
                detail="The console is not met under this name; set HUB_CONSOLE_URL to the URL operators use"
            )
        origin = connection.headers.get("origin")
        is_change = isinstance(connection, Request) and connection.method not in _SAFE
        if is_change and origin is not None and urlsplit(origin).netloc != host:
            raise PermissionDeniedException(detail="This form was not on a page of the console")

    return guard
