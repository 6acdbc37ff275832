"""Whatever is asked for beside the pages of the console: a page that says so, with the way to those that there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

from litestar import HttpMethod, Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler

from hub.console.sign_in import NotSignedIn, to_sign_in
from hub.operator.problems import problem
from hub.operator.roles import FOR_PARTNERS

_REST: Final = "{rest:path}"


def elsewhere(pages: Iterable[HTTPRouteHandler]) -> HTTPRouteHandler:
    """The page of every address that is none of these pages'. Who is not signed in signs in first, as everywhere."""

    @get(
        _beside(list(pages)),
        opt=FOR_PARTNERS,
        include_in_schema=False,
        exception_handlers={NotSignedIn: _nobody_is_there},
    )
    async def show_nothing() -> None:
        raise NotFoundException(detail="The console has no page of this address.")

    return show_nothing


def _nobody_is_there(request: Request[Any, Any, Any], error: NotSignedIn) -> Response[Any]:
    """A program that has the address of a call, or of a probe, wrong is not to take a form for an answer."""
    if "text/html" in request.headers.get("accept", ""):
        return to_sign_in(request, error)
    return problem(HTTPStatus.NOT_FOUND, f"There is nothing at {request.url.path}; GET /schema describes what there is")


def _beside(pages: Sequence[HTTPRouteHandler]) -> list[str]:
    """What only takes forms; and below each part of all paths everything else, if that part has no other meaning."""
    forms = {path for page in pages for path in page.paths}
    forms -= {path for page in pages if HttpMethod.GET in page.http_methods for path in page.paths}
    all_parts = [tuple(filter(None, path.split("/"))) for page in pages for path in page.paths]
    places = {parts[:end] for parts in all_parts for end in range(len(parts) + 1)}
    taken = {parts[:-1] for parts in places if parts and parts[-1].startswith("{")}
    return [*sorted(forms), *("/".join(("", *parts, _REST)) for parts in sorted(places - taken))]
