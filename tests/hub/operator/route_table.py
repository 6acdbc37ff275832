"""Every route of the operator API, as the app itself has it."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, cast

from jinja2 import Environment
from litestar import Router
from litestar.config.csrf import CSRFConfig
from litestar.handlers import HTTPRouteHandler
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.routes import HTTPRoute
from litestar.template import TemplateConfig

from hub.hub import Hub
from hub.operator.access import Access
from hub.operator.app import Pages, create_operator_app

API = "/api/v1/"


class ApiRoute(NamedTuple):
    """One method of one path below /api/v1."""

    method: str
    path: str
    handler: HTTPRouteHandler

    @property
    def opt(self) -> dict[str, Any]:
        return dict(self.handler.opt)

    def at(self, **names: str) -> str:
        """The path with these in it; `x` for what is not named."""
        path = self.path
        for part in path.split("/"):
            if part.startswith("{"):
                path = path.replace(part, names.get(part.strip("{}"), "x"))
        return path


def _no_pages(_: Hub, __: Access) -> Pages:
    engine = JinjaTemplateEngine.from_environment(Environment())  # noqa: S701 - there are no templates
    return Pages(Router("/", route_handlers=[]), TemplateConfig(instance=engine), CSRFConfig(secret="none"))


@cache
def api_routes() -> tuple[ApiRoute, ...]:
    """All of them. No hub is needed to know which there are."""
    app = create_operator_app(cast("Hub", None), _no_pages)
    return tuple(
        ApiRoute(method, route.path_format, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path_format.startswith(API)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods)
        if method not in {"OPTIONS", "HEAD"}
    )
