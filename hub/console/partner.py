"""One partner: how it is, and what can be changed about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Template

from hub.console.api import Api, Json, PageRequest
from hub.console.audit import changes_of
from hub.console.charts import Interval, bar, share_of_time, strip
from hub.console.frame import Same, page
from hub.console.onboarding_words import we_call
from hub.console.partner_words import odd_settings, parties_of
from hub.console.pieces import Piece, piece
from hub.console.troubles import troubles_of, worst_first
from hub.operator.roles import FOR_ADMINS, FOR_OPERATORS, FOR_OPERATORS_AND_OWN, FOR_PARTNERS, Me, is_allowed

_WEEK: Final = timedelta(days=7)
_BY_THE_MINUTE: Final = timedelta(days=2)
_AXIS_STEPS: Final = 4
_KINDS: Final = 12
_LOSSES: Final = 12
_LINES: Final = 10
_CHANGES: Final = 5
_MOST: Final = 200
_REGISTERED: Final = frozenset({"CONNECTED", "OFFLINE"})


@get("/partners/{platform_id:str}", opt=FOR_PARTNERS, include_in_schema=False)
async def show_partner(request: PageRequest, platform_id: FromPath[str]) -> Template:
    """The page."""
    return await partner_page(request, platform_id)


@post("/partners/{platform_id:str}/probe", opt=FOR_OPERATORS, include_in_schema=False, status_code=HTTPStatus.OK)
async def probe(request: PageRequest, platform_id: FromPath[str]) -> Template:
    """The page, with what came of a look at the partner now."""
    return await partner_page(request, platform_id, await piece(Api(request).post(f"/platforms/{platform_id}/probe")))


async def partner_page(request: PageRequest, platform_id: str, probed: Piece | None = None) -> Template:
    """Everything about a partner. What cannot be had is said in its place; without the partner there is no page."""
    api, at = Api(request), f"/platforms/{platform_id}"
    platform = await api.get(at)
    health, statuses, circuits, errors, losses, catalogue, history, events, registration = await asyncio.gather(
        piece(api.get(f"{at}/health", window="1h")),
        piece(api.get(f"{at}/status-history", limit=_MOST)),
        piece(api.get("/events", platform=platform_id, kind="circuit_open", limit=_MOST)),
        piece(api.get(f"{at}/errors", window="24h")),
        piece(api.get(f"{at}/losses", limit=_MOST)),
        piece(api.get("/quirks")),
        piece(api.get("/audit", object=platform_id, limit=_LINES)),
        piece(api.get("/events", platform=platform_id, state="open")),
        _registration(api, platform),
    )
    return await page(
        request,
        "partner.html",
        at="partners",
        same=Same(f"GET /api/v1{at}, {at}/health, …/errors, …/losses", f"ocpi-hub platform show {platform_id}"),
        platform=platform,
        parties=parties_of(platform["parties"], _MOST),
        health=health,
        statuses=statuses,
        reach=_reachability(statuses.items(), circuits.items()),
        errors=errors,
        losses=losses,
        worst_losses=sorted(losses.items(), key=lambda each: -int(each["count"]))[:_LOSSES],
        catalogue=catalogue,
        odd=odd_settings(platform["settings"], catalogue.items()),
        history=history,
        lines=[{**line, "changes": changes_of(line)[:_CHANGES]} for line in history.items()],
        kinds=_kinds(health),
        open_events=events.items(),
        troubles=worst_first(troubles_of(events.items())),
        probed=probed,
        attempt=_newest(registration),
        may=_may(request.auth),
    )


async def _registration(api: Api, platform: Json) -> Piece:
    """How far one is that is not registered."""
    if platform["connections"]:
        return Piece(None)
    return await piece(api.get(f"/platforms/{platform['id']}/registration"))


def _newest(registration: Piece) -> Json | None:
    """The last try to register, and which side began it."""
    view = registration.found
    if not view or not view["attempts"]:
        return None
    newest: Json = view["attempts"][0]
    return {**newest, "is_ours": we_call(view, is_registered=False)}


def _may(me: Me) -> dict[str, bool]:
    """What the reader may do."""
    return {
        "change": is_allowed(me, FOR_OPERATORS),
        "rotate": is_allowed(me, FOR_OPERATORS_AND_OWN),
        "remove": is_allowed(me, FOR_ADMINS),
    }


def _reachability(statuses: Sequence[Json], circuits: Sequence[Json]) -> Json:
    """Seven days as a strip, or all since it registered; and which share of them the partner was there."""
    now = datetime.now(UTC)
    spans = [_interval(each, each["status"], "since", "until") for each in statuses]
    registered = min((each.since for each in spans if each.kind in _REGISTERED), default=None)
    since = max(now - _WEEK, registered or now - _WEEK)
    opened = [_interval(each, "circuit", "opened_at", "closed_at") for each in circuits]
    return {
        "spans": strip([*spans, *opened], since, now),
        "share": None if registered is None else share_of_time(spans, "CONNECTED", since, now),
        "was_registered": registered is not None,
        "axis": [since + step * (now - since) / _AXIS_STEPS for step in range(_AXIS_STEPS)],
        "since": since if now - since < _WEEK else None,
        "by_the_minute": now - since < _BY_THE_MINUTE,
        "changes": statuses[:5],
    }


def _interval(found: Json, kind: str, since: str, until: str) -> Interval:
    end = found[until]
    return Interval(datetime.fromisoformat(found[since]), None if end is None else datetime.fromisoformat(end), kind)


def _kinds(health: Piece) -> list[dict[str, Any]]:
    """Calls at the partner by module and method, with the parts of their time as bars of one scale."""
    kinds = [each for each in (health.found or {}).get("kinds", ()) if each["direction"] == "out"][:_KINDS]

    def whole(each: Json) -> float:
        return (each["hub"]["p95_ms"] or 0) + (each["partner"]["p95_ms"] or 0)

    most = max(map(whole, kinds), default=0)
    return [
        {
            **each,
            "hub_bar": bar(each["hub"]["p95_ms"], most),
            "whole_bar": bar(whole(each), most),
        }
        for each in kinds
    ]
