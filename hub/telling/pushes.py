"""One PUT: a platform is told of one role of one party. OCPI 2.2.1, "HubClientInfo", PUT of the receiver interface."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import msgspec
import structlog
from msgspec import Struct

from hub.events import EventKind
from hub.hub import Hub
from hub.ids import new_ids
from hub.observability import FilteringBoundLogger
from hub.partners.client import CallLimits
from hub.store.told_lately import Telling
from hub.telling.receivers import Push
from routing.bodies import without_bom
from routing.directory import Connection
from routing.envelope import SUCCESS, read_envelope
from routing.errors import HubError, ReceiverTimeout, ReceiverUnreachable
from routing.message import JSON, Call, MessageIds, Reply, id_headers
from routing.receivers import spelled, url_of
from routing.telling import TOLD_AT
from routing.vocabulary import Party

log: FilteringBoundLogger = structlog.get_logger()

_WITHIN_S: Final = 10.0
"""The time for one; less than for a message, as nobody waits for it but those behind it."""
_ANSWER_BYTES: Final = 64 * 1024


class _Told(Struct):
    role: str
    status: str


_read_told: Final = msgspec.json.Decoder(_Told).decode


async def tell(push: Push, hub: Hub) -> bool:
    """Send it, once. Whether the platform answers at all."""
    connection = push.receiver.connection
    answers = True
    for body in push.bodies:
        ids = new_ids()
        try:
            reply = await hub.circuits.call(
                connection, _call(push.party, body, connection, ids), _limits(connection, hub)
            )
        except HubError as error:
            _missed(push, body, ids, (_outcome(error), str(error)), hub)
            answers = not isinstance(error, ReceiverTimeout | ReceiverUnreachable)
            if not answers:
                hub.presence.check_soon(connection)
            break
        hub.presence.seen(connection.id)
        if (reason := _refusal(reply)) is None:
            _arrived(push, body, ids, hub)
        else:
            _missed(push, body, ids, ("refused", reason), hub)
    return answers


def _call(party: Party, body: bytes, connection: Connection, ids: MessageIds) -> Call:
    segments = _segments(spelled(party, connection))
    headers = [(b"authorization", connection.authorization.reveal().encode("ascii")), *id_headers(ids), JSON]
    return Call("PUT", url_of(connection, *TOLD_AT, segments), headers, body)


@lru_cache(maxsize=4096)
def _segments(party: Party) -> list[str]:
    return [quote(segment, safe="") for segment in party]


def _limits(connection: Connection, hub: Hub) -> CallLimits:
    settings, quirks = hub.settings, connection.quirks
    return CallLimits(
        total_s=min(quirks.timeout_s or settings.forward_timeout_s, _WITHIN_S),
        connect_s=settings.connect_timeout_s,
        max_answer_bytes=_ANSWER_BYTES,
        concurrency=quirks.concurrency,
        platform_id=connection.platform_id,
        allow_private=settings.allow_private_partners,
    )


def _refusal(reply: Reply) -> str | None:
    """What is wrong with an answer; None for success. Many partners answer a PUT with no body at all."""
    head = read_envelope(without_bom(reply.body))
    if not 200 <= reply.http_status < 300:
        return f"HTTP {reply.http_status}" + ("" if head is None else f", status code {head.status_code}")
    if head is None:
        return "the answer is no OCPI envelope" if reply.body else None
    return None if head.status_code // 1000 == SUCCESS // 1000 else f"status code {head.status_code}"


def _arrived(push: Push, body: bytes, ids: MessageIds, hub: Hub) -> None:
    hub.metrics.client_info_push("delivered")
    _note(push, body, ids, ("delivered", None), hub)
    if push.receiver.may_have_missed:
        push.receiver.may_have_missed = False
        hub.events.over(EventKind.CLIENT_INFO_MISSED, platform_id=push.receiver.platform.id)
    log.debug("client_info_pushed", **_named(push, ids))


def _missed(push: Push, body: bytes, ids: MessageIds, why: tuple[str, str], hub: Hub) -> None:
    """It is not sent again: the platform can read the list."""
    outcome, reason = why
    hub.metrics.client_info_push(outcome)
    _note(push, body, ids, why, hub)
    push.receiver.may_have_missed = True
    log.warning("client_info_missed", **_named(push, ids), outcome=outcome, reason=reason)
    hub.events.happened(
        EventKind.CLIENT_INFO_MISSED,
        platform_id=push.receiver.platform.id,
        correlation_id=ids.correlation_id,
        reason=reason,
    )


def _note(push: Push, body: bytes, ids: MessageIds, ended: tuple[str, str | None], hub: Hub) -> None:
    told = _read_told(body)
    telling = Telling(datetime.now(UTC), str(push.party), told.role, told.status, *ended, ids.correlation_id)
    hub.told_lately.note(push.receiver.platform.id, telling)


def _outcome(error: HubError) -> str:
    match error:
        case ReceiverTimeout():
            return "timeout"
        case ReceiverUnreachable():
            return "unreachable"
        case _:
            return "failed"


def _named(push: Push, ids: MessageIds) -> dict[str, str]:
    return {
        "platform": push.receiver.platform.name,
        "platform_id": push.receiver.platform.id,
        "party": str(push.party),
        "correlation_id": ids.correlation_id,
        "request_id": ids.request_id,
    }
