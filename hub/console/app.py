"""The console, put together: its pages, and what is true of all of them."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar import Request, Router
from litestar.config.csrf import CSRFConfig
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template

from hub.console import (
    agreeing,
    agreement_file,
    agreements,
    audit,
    broadcasts,
    client_info,
    connecting,
    events,
    help,  # noqa: A004 - the page of that name
    invite,
    live,
    messages,
    network,
    onboarding,
    overview,
    partner,
    partner_actions,
    partners,
    quirks,
    rules,
    search,
    settings,
    sign_in,
    story,
    tokens,
)
from hub.console.api import Refused
from hub.console.assets import show_asset
from hub.console.elsewhere import elsewhere
from hub.console.frame import refusal_page, templates
from hub.console.safety import own_pages_only, way_back, with_headers
from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from hub.operator.access import Access
from hub.operator.app import Pages
from routing.errors import HubError, HubFault

log: FilteringBoundLogger = structlog.get_logger()

_NOT_OURS: Final = ["^/api/", "^/schema", "^/metrics$", "^/healthz$", "^/readyz$", "^/assets/"]


def console(hub: Hub, access: Access) -> Pages:
    """All pages. Nobody gets past the door without a session, and no other site through it."""
    return Pages(_routes(hub, access), templates(hub.settings), _forms(hub))


def _routes(hub: Hub, access: Access) -> Router:
    pages: list[HTTPRouteHandler] = [
        overview.show_overview,
        partners.show_partners,
        invite.show_form,
        invite.create,
        connecting.connect,
        onboarding.show_registration,
        onboarding.invite_again,
        partner.show_partner,
        partner.probe,
        *partner_actions.HANDLERS,
        quirks.show_quirks,
        quirks.review_quirks,
        quirks.save_quirks,
        sign_in.show_sign_in,
        sign_in.sign_in_with(access),
        sign_in.sign_out,
        messages.show_messages,
        live.show_live,
        live.follow,
        search.show_search,
        story.show_story,
        story.show_message,
        network.show_network,
        broadcasts.show_broadcasts,
        client_info.show_client_info,
        rules.show_rule,
        events.show_events,
        events.show_event,
        events.acknowledge,
        audit.show_audit,
        agreements.show_agreements,
        agreements.export_agreements,
        agreement_file.show_import,
        agreement_file.import_agreements,
        agreeing.show_agreement_form,
        agreeing.agree,
        agreeing.show_agreement,
        agreeing.change_agreement,
        agreeing.ask_to_end,
        agreeing.end_agreement,
        settings.show_settings,
        tokens.show_token_form,
        tokens.create_token,
        tokens.ask_to_remove_token,
        tokens.remove_token,
        help.show_help,
        show_asset,
    ]
    return Router(
        "/",
        route_handlers=[*pages, elsewhere(pages)],
        guards=[own_pages_only(hub.settings), sign_in.signed_in_only(hub)],
        exception_handlers={
            sign_in.NotSignedIn: sign_in.to_sign_in,
            Refused: _refused,
            HTTPException: _http_refused,
            HubError: _hub_refused,
            Exception: bug_page,
        },
        after_request=with_headers,
        include_in_schema=False,
    )


def _forms(hub: Hub) -> CSRFConfig:
    """What makes forms the console's own."""
    is_secure = (hub.settings.console_url or "").startswith("https:")
    return CSRFConfig(
        secret=hub.vault.forms_key.reveal(),
        cookie_name="__Host-hub-form" if is_secure else "hub-form",
        cookie_secure=is_secure,
        cookie_httponly=True,
        cookie_samesite="strict",
        exclude=_NOT_OURS,
    )


def _refused(request: Request[Any, Any, Any], error: Refused) -> Template:
    return _page(request, error.status, error.detail)


def _http_refused(request: Request[Any, Any, Any], error: HTTPException) -> Template:
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return bug_page(request, error)
    return _page(request, error.status_code, error.detail)


def _hub_refused(request: Request[Any, Any, Any], error: HubError) -> Template:
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, HubFault) else HTTPStatus.UNPROCESSABLE_ENTITY
    return _page(request, status, str(error))


def bug_page(request: Request[Any, Any, Any], error: Exception) -> Template:
    """What should not have happened: the log gets everything, the reader an id by which it is found there."""
    fault_id = secrets.token_hex(4)
    path = request.url.path
    log.error("console_request_failed", fault_id=fault_id, method=request.method, path=path, exc_info=error)
    return _page(request, 500, "The hub met a bug and could not make this page.", fault_id)


def _page(request: Request[Any, Any, Any], status: int, detail: str, fault_id: str | None = None) -> Template:
    title = HTTPStatus(status).phrase.capitalize()
    may_retry = request.method == "GET" and status >= HTTPStatus.INTERNAL_SERVER_ERROR
    ways = {"fault_id": fault_id, "back": way_back(request), "may_retry": may_retry}
    page = refusal_page(request, title=title, detail=detail, **ways)
    page.status_code = status
    page.headers.update(with_headers(page).headers)
    return page
