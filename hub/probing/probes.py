"""One look at a partner: GET its versions endpoint. OCPI 2.2.1, "HubClientInfo", Still alive check."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import monotonic
from typing import Final

from msgspec import Struct

from hub.hub import Hub
from hub.ids import new_ids
from hub.partners.client import CallLimits
from routing.bodies import without_bom
from routing.directory import Connection, Platform
from routing.envelope import SUCCESS, read_envelope
from routing.errors import HubError
from routing.message import Call, Reply, id_headers
from routing.outcome import refuses_our_token
from routing.vocabulary import Version

_WITHIN_S: Final = 10.0
_ANSWER_BYTES: Final = 1024 * 1024


class Probe(Struct, frozen=True):
    """What came of one look through one connection."""

    connection_id: str
    version: Version
    answered: bool
    """With HTTP 200 and a status code that says success."""
    seconds: float
    http_status: int | None = None
    ocpi_status: int | None = None
    reason: str | None = None
    """Why this is no answer."""
    refused: bool = False
    """It no longer accepts the hub's token."""


async def look(platform: Platform, hub: Hub) -> tuple[Probe, ...]:
    """Look at a platform through each of its connections, at the same time.

    Nearly always there is one. A 2.1.1 company that is both CPO and eMSP has two.
    """
    return tuple(await asyncio.gather(*(_probe(each, hub) for each in platform.connections)))


def is_there(probes: Iterable[Probe]) -> bool:
    """Whether a platform is reachable that was found like this: through any connection.

    All its parties have one status. Were one connection enough to make it OFFLINE, messages to the other one would be
    lost that would have arrived; as it is, those to the dead one fail, each with an answer that says so.
    """
    return any(each.answered for each in probes)


async def _probe(connection: Connection, hub: Hub) -> Probe:
    began = monotonic()
    authorization = (b"authorization", connection.authorization.reveal().encode("ascii"))
    headers = [authorization, *id_headers(new_ids()), (b"connection", b"close")]  # the next look is minutes away
    call = Call("GET", connection.versions_url, headers)
    try:
        reply = await hub.partners.call(call, _limits(connection, hub))
    except HubError as error:
        return Probe(connection.id, connection.version, answered=False, seconds=monotonic() - began, reason=str(error))
    hub.presence.seen(connection.id)
    return _read(reply, connection, monotonic() - began)


def _limits(connection: Connection, hub: Hub) -> CallLimits:
    return CallLimits(
        total_s=_WITHIN_S,
        connect_s=hub.settings.connect_timeout_s,
        max_answer_bytes=_ANSWER_BYTES,
        concurrency=1,
        platform_id=f"{connection.id}/probe",  # a lane of its own: that of the messages may be full
        allow_private=hub.settings.allow_private_partners,
    )


def _read(reply: Reply, connection: Connection, seconds: float) -> Probe:
    head = read_envelope(without_bom(reply.body))
    reason = None
    is_refused = refuses_our_token(reply)
    if is_refused:
        reason = f"It can be reached, but refuses the hub's access token: HTTP {reply.http_status}"
    elif reply.http_status != 200:
        reason = f"It answers HTTP {reply.http_status}"
    elif head is None:
        reason = "It answers with something else than an OCPI response"
    elif head.status_code // 1000 != SUCCESS // 1000:
        reason = f"It answers with status code {head.status_code}"
    return Probe(
        connection.id,
        connection.version,
        answered=reason is None,
        seconds=seconds,
        http_status=reply.http_status,
        ocpi_status=None if head is None else head.status_code,
        reason=reason,
        refused=is_refused,
    )
