"""Where a posted CDR can be read again: the receiver's Location, made to lead through the hub.

OCPI 2.2.1, "CDRs", POST and GET on the Receiver interface.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urljoin

import structlog

from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from hub.partners.urls import LINK_LENGTH, check_partner_url
from hub.store.return_addresses import CdrProxy
from routing.directory import Connection
from routing.errors import HubError, InvalidParameters, NoSuchPath, NotRoutable
from routing.links import host_of
from routing.message import Message, RawHeaders, Reply
from routing.modules import CDR_PROXY_ID
from routing.receivers import emsp_connection
from routing.routes import Forward
from routing.vocabulary import ModuleID

log: FilteringBoundLogger = structlog.get_logger()

_CREATED: Final = range(200, 300)


async def follow(message: Message, platform_id: str, hub: Hub) -> Forward | None:
    """The way of a GET on a Location the hub gave out; None for any other message.

    Raises:
        NoSuchPath: no such CDR, or another platform posted it.
        InvalidParameters: OCPI-to names somebody else than its receiver or the hub.
        RoutingError: the receiver cannot be asked.
    """
    if message.operation.hub_made != CDR_PROXY_ID:
        return None
    proxy = await hub.return_addresses.cdr_proxy(message.segments[-1])
    if proxy is None or proxy.poster_platform_id != platform_id:
        raise NoSuchPath("There is no such CDR")
    if message.receiver not in (None, hub.party, proxy.receiver):
        raise InvalidParameters("OCPI-to is not the party this CDR was sent to")
    connection = emsp_connection(proxy.receiver, message.version, hub.directory.snapshot)
    return Forward(proxy.receiver, connection, _callable(proxy, connection, hub), given=True)


def _callable(proxy: CdrProxy, connection: Connection, hub: Hub) -> str:
    allow_private = hub.settings.allow_private_partners
    try:
        check_partner_url(proxy.receiver_url, allow_private=allow_private, max_length=LINK_LENGTH)
    except InvalidParameters as error:
        raise NotRoutable(f"{proxy.receiver} gave a Location that cannot be asked: {error}") from error
    if host_of(proxy.receiver_url) not in connection.hosts:
        raise NotRoutable(f"{proxy.receiver} gave a Location at a host that is not its own")
    return proxy.receiver_url


async def location(
    message: Message, route: Forward, reply: Reply, platform_id: str, own_url: str, hub: Hub
) -> RawHeaders:
    """The Location header for who posted a CDR. `own_url` is the endpoint it was posted to.

    A Location the hub would never call is kept and rewritten all the same: the CDR was accepted.
    """
    posted = message.operation.module == ModuleID.CDRS and message.operation.method == "POST"
    if not posted or reply.http_status not in _CREATED:
        return []
    target = reply.header(b"location")
    if target is None:
        log.info("cdr_without_location")
        return []
    url = _absolute(route.url, target)
    if url is None:
        log.warning("cdr_location_unusable")
        return []
    proxy = CdrProxy(
        id=secrets.token_hex(16),
        receiver=route.receiver,
        receiver_url=url,
        poster_platform_id=platform_id,
        poster=message.sender,
        created_at=datetime.now(UTC),
    )
    try:
        await hub.return_addresses.put_cdr_proxy(proxy)
    except HubError:
        # The receiver has the CDR. An error here would make the poster send it once more.
        log.exception("cdr_location_not_kept")
        return []
    return [(b"location", f"{own_url}/{proxy.id}".encode("ascii"))]


def _absolute(posted_to: str, target: str) -> str | None:
    """The Location as a whole URL; None when it is none, or too long to be kept."""
    try:
        url = urljoin(posted_to, target)
    except ValueError:
        return None
    return url if len(url) <= LINK_LENGTH else None
