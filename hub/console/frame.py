"""What every page has around it: who is signed in, where one is, what needs an operator."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import jinja2
from litestar import Request
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template import TemplateConfig

from hub.console.agreement_words import FILTERS as AGREEMENT_FILTERS
from hub.console.api import Api, Json, PageRequest, Refused
from hub.console.assets import asset
from hub.console.message_words import FILTERS as MESSAGE_FILTERS
from hub.console.network_words import FILTERS as NETWORK_FILTERS
from hub.console.onboarding_words import FILTERS as ONBOARDING_FILTERS
from hub.console.partner_words import FILTERS as PARTNER_FILTERS
from hub.console.partner_words import banners_of, no_changes
from hub.console.troubles import Trouble, needs_somebody, troubles_of, worst_first
from hub.console.words import FILTERS, ZONE_COOKIE, zone_named
from hub.operator.roles import Me
from hub.settings import Settings
from hub.version import VERSION

THEME_COOKIE: Final = "theme"
_THEMES: Final = frozenset({"light", "dark"})
_MOST_COUNTED: Final = 200
_FOLDER: Final = Path(__file__).parent / "templates"
_SOURCES: Final = {
    path.name: path.read_text(encoding="utf-8") for path in _FOLDER.iterdir() if path.suffix in {".html", ".svg"}
}
"""Read once: a newer version that is put in its place while the hub runs must not be mixed with this one."""


class Same(NamedTuple):
    """The same data for programs: a call of the API, and a command."""

    call: str
    command: str | None = None


def templates(settings: Settings) -> TemplateConfig[JinjaTemplateEngine]:
    """The templates, in which nothing is taken for markup that does not say so, and nothing may be missing."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        auto_reload=False,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS | AGREEMENT_FILTERS | MESSAGE_FILTERS | NETWORK_FILTERS)
    environment.filters.update(ONBOARDING_FILTERS | PARTNER_FILTERS)
    environment.globals.update(
        asset=asset,
        version=VERSION,
        hub_name=settings.name,
        hub_party=f"{settings.country_code}*{settings.party_id}",
    )
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


def _source(name: str) -> tuple[str, str, None] | None:
    """The text of a template, and where tracebacks find its lines."""
    text = _SOURCES.get(name)
    return None if text is None else (text, str(_FOLDER / name), None)


async def page(request: PageRequest, name: str, *, at: str, same: Same | None = None, **values: Any) -> Template:  # noqa: ANN401 - whatever the template shows
    """A page in its frame. `at` is the page in the navigation that is open."""
    api = Api(request)
    troubles, health = await asyncio.gather(_troubles(api), _health(api))
    frame = {"me": request.auth, "at": at, "same": same, "needs_you": troubles}
    frame["searched"] = request.query_params.get("q", "")
    state = {"banners": [] if health is None else banners_of(health), "no_changes": no_changes(health)}
    return Template(template_name=name, context=reader_of(request) | frame | state | values)


def bare_page(request: Request[Any, Any, Any], name: str, **values: Any) -> Template:  # noqa: ANN401 - as above
    """A page for somebody who is not signed in."""
    return Template(template_name=name, context=reader_of(request) | values)


def refusal_page(request: Request[Any, Any, Any], **values: Any) -> Template:  # noqa: ANN401 - as above
    """Why there is no page: in the frame for somebody who is signed in, with nothing in it that has to be asked for."""
    me = request.scope.get("auth")
    if not isinstance(me, Me):
        return bare_page(request, "refused.html", framed=False, **values)
    frame = {"me": me, "at": "", "same": None, "needs_you": [], "searched": ""}
    return bare_page(request, "refused.html", framed=True, banners=[], no_changes=None, **frame, **values)


async def _troubles(api: Api) -> list[Trouble]:
    """Those that nobody knows of, the worst first; none while they cannot be read, which a banner says."""
    try:
        found = await api.get("/events", state="open", limit=_MOST_COUNTED)
    except Refused:
        return []
    now = datetime.now(UTC)
    return worst_first(troubles_of(each for each in found["items"] if needs_somebody(each, now)))


async def _health(api: Api) -> Json | None:
    """How the hub is; None for somebody who is not to know."""
    try:
        return await api.get("/health")
    except Refused:
        return None


def reader_of(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """What the reader chose, in cookies anybody may have written."""
    theme = request.cookies.get(THEME_COOKIE)
    return {"zone": zone_named(request.cookies.get(ZONE_COOKIE)).key, "theme": theme if theme in _THEMES else None}
