"""The operator API, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from litestar import Litestar, Router
from litestar.config.csrf import CSRFConfig
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.template import TemplateConfig
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from hub.hub import Hub
from hub.operator.access import Access, operators_only, the_caller
from hub.operator.agreements import Agreements, export_agreements
from hub.operator.audit import Audit
from hub.operator.audit_hook import note_beginnings, note_ends
from hub.operator.broadcasts import list_broadcasts, show_broadcast
from hub.operator.captures import capture_platform, stop_capturing_platform
from hub.operator.client_info import show_client_info
from hub.operator.etags import only_as_seen
from hub.operator.events import Events
from hub.operator.health import drain, healthz, metrics, readyz, show_hub_health
from hub.operator.impact import show_impact
from hub.operator.live import follow_messages
from hub.operator.messages import list_messages, show_message, show_story
from hub.operator.overview import show_overview
from hub.operator.parties import list_parties, resume_party, show_party, suspend_party
from hub.operator.platform_health import list_errors, show_health
from hub.operator.platforms import Platforms
from hub.operator.presence import list_statuses, probe_platform
from hub.operator.problems import EXCEPTION_HANDLERS, with_headers
from hub.operator.quirks import list_quirks
from hub.operator.registration import show_registration
from hub.operator.reload import reload, show_reload
from hub.operator.rules import show_rule
from hub.operator.search import resolve
from hub.operator.seen_quirks import list_platform_quirks
from hub.operator.settings import show_settings
from hub.operator.silent_pairs import list_silent_pairs
from hub.operator.tokens import Tokens, show_me
from hub.operator.traffic import show_matrix, show_series
from hub.version import VERSION

MOST_BODY_BYTES = 1024 * 1024

_DESCRIPTION = """\
The operator's side of the hub. Lists are `{"items": […], "next_cursor": …}`; the next part is at
`?cursor=<next_cursor>`. Times are RFC 3339 in UTC, durations are seconds. Every error is a problem document (RFC 9457)
whose `detail` says what to do. Tokens are shown once, in the answer that creates them. Every change is noted in the
audit log; the header `Hub-Reason`, or `?reason=`, says there why it was made."""


class Pages(NamedTuple):
    """What people see in a browser, beside the API."""

    routes: Router
    templates: TemplateConfig[Any]
    forms: CSRFConfig


def create_operator_app(hub: Hub, pages: Callable[[Hub, Access], Pages]) -> Litestar:
    """The app of the operator listener.

    The description at /schema needs no token: it is the same for every hub of this version and holds no secret.
    """
    access = Access(hub)
    console = pages(hub, access)
    return Litestar(
        route_handlers=[
            console.routes,
            healthz,
            readyz,
            metrics,
            Router(
                "/api/v1",
                route_handlers=[
                    Platforms,
                    probe_platform,
                    list_statuses,
                    capture_platform,
                    stop_capturing_platform,
                    show_impact,
                    show_registration,
                    list_quirks,
                    list_platform_quirks,
                    show_health,
                    list_errors,
                    show_overview,
                    show_series,
                    show_matrix,
                    list_silent_pairs,
                    show_hub_health,
                    list_parties,
                    show_party,
                    suspend_party,
                    resume_party,
                    Agreements,
                    export_agreements,
                    Events,
                    Audit,
                    Tokens,
                    show_me,
                    list_messages,
                    follow_messages,
                    show_message,
                    show_story,
                    list_broadcasts,
                    show_broadcast,
                    show_client_info,
                    resolve,
                    show_rule,
                    show_settings,
                    drain,
                    reload,
                    show_reload,
                ],
                guards=[operators_only(access), note_beginnings(hub), only_as_seen(hub)],
                middleware=[note_ends(hub)],
                security=[{"operatorToken": []}],
            ),
        ],
        dependencies={
            "hub": Provide(lambda: hub, sync_to_thread=False),
            "me": Provide(the_caller, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        after_request=with_headers,
        request_max_body_size=MOST_BODY_BYTES,
        logging_config=None,
        openapi_config=_description(),
        template_config=console.templates,
        csrf_config=console.forms,
    )


def _description() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="OCPI hub, operator API",
        version=VERSION,
        description=_DESCRIPTION,
        path="/schema",
        operation_id_creator=_operation_id,
        render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "operatorToken": SecurityScheme(
                    type="http", scheme="bearer", description="HUB_OPERATOR_TOKEN, or a named token"
                )
            }
        ),
    )


def _operation_id(handler: HTTPRouteHandler, _: Method, __: list[str | PathParameterDefinition]) -> str:
    return handler.handler_name
