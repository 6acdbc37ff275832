"""The link to the next page of a partner's list, made to lead through the hub. See `routing.links`."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from hub.figures import Habit
from hub.hub import Hub
from hub.partners.urls import LINK_LENGTH, check_partner_url
from hub.store.vault import VaultError
from routing.decision import direct
from routing.directory import Connection
from routing.errors import InvalidParameters, NotRoutable
from routing.links import (
    HUB_NEXT,
    NextPage,
    host_of,
    in_terms_of,
    link_header,
    next_link,
    parameter,
    standard_query,
    with_sealed,
)
from routing.message import Message, RawHeaders, Reply
from routing.paging import page_max, read_limit, with_limit
from routing.receivers import url_at
from routing.routes import Forward
from routing.vocabulary import Secret

_VALID_S: Final = 24 * 3600
_CONTEXT: Final = "link to the next page"
_decoder = msgspec.json.Decoder(NextPage)


def follow(message: Message, hub: Hub) -> Forward | None:
    """The way of a request for a page that the hub handed out a sealed link to; None for any other request.

    Raises:
        InvalidParameters: the link was changed, is too old, or was made for somebody else.
        RoutingError: the receiver cannot be asked, or no longer has the host of the link.
    """
    if not message.operation.paged or HUB_NEXT not in message.query:
        return None
    sealed = parameter(message.query, HUB_NEXT)
    if sealed is None:
        return None
    page = _open(sealed, hub)
    if page.requester != message.sender or message.receiver not in (None, page.receiver):
        raise InvalidParameters(f"{HUB_NEXT} was made for another requester or receiver")
    if page.expires < datetime.now(UTC).timestamp():
        raise InvalidParameters(f"{HUB_NEXT} is too old; begin again with the first page")
    route = direct(msgspec.structs.replace(message, receiver=page.receiver), page.receiver, hub.directory.snapshot)
    if host_of(page.url) not in route.connection.hosts:
        raise NotRoutable(f"{page.receiver} no longer has the host of this page; begin again with the first one")
    return Forward(route.receiver, route.connection, page.url, given=True)


def _open(sealed: str, hub: Hub) -> NextPage:
    try:
        raw = base64.urlsafe_b64decode(sealed.encode("ascii"))
        return _decoder.decode(hub.vault.unseal(raw, _CONTEXT).reveal())
    except (ValueError, VaultError) as error:
        raise InvalidParameters(f"{HUB_NEXT} is not what the hub made it") from error


def longest(module: str, connection: Connection, hub: Hub) -> int:
    """The longest page of a list that this partner is asked for."""
    most = page_max(module, hub.settings.page_max)
    return min(most, connection.quirks.max_page or most)


def in_bounds(message: Message, route: Forward, hub: Hub) -> tuple[Message, Forward]:
    """A request for a list with no more of it than its receiver is asked for.

    Raises:
        InvalidParameters: its offset or its limit is none.
    """
    asked, most = read_limit(message.query), longest(message.operation.module, route.connection, hub)
    if asked is None or asked <= most:
        return message, route
    message = msgspec.structs.replace(message, query=with_limit(message.query, most))
    return message, msgspec.structs.replace(route, url=url_at(route.connection, message))


def limit(route: Forward, reply: Reply) -> RawHeaders:
    """X-Limit for the requester where the receiver left it out: the limit it was asked for."""
    asked = parameter(urlsplit(route.url).query, "limit") or ""
    said = reply.header(b"x-limit") is not None
    return [] if said or not (asked.isascii() and asked.isdigit()) else [(b"x-limit", asked.encode("ascii"))]


def next_page(message: Message, outgoing: Message, route: Forward, reply: Reply, own_url: str, hub: Hub) -> RawHeaders:
    """The Link header for the requester, if the receiver's list goes on. `own_url` is the endpoint it called.

    `outgoing` is the message as the receiver got it, whose filters may be spelled differently.

    Raises:
        NotRoutable: the list goes on at a host that is not the receiver's. Leaving the link out would make the
            list look complete.
    """
    settings = hub.settings
    try:
        link = next_link(reply.headers, route.url)
        if link is None:
            return []
        check_partner_url(link, allow_private=settings.allow_private_partners, max_length=LINK_LENGTH)
    except (ValueError, InvalidParameters) as error:
        raise NotRoutable(f"{route.receiver} links to a next page that cannot be asked for: {error}") from error
    if host_of(link) not in route.connection.hosts:
        hub.figures.habits.saw(route.connection.platform_id, Habit.FOREIGN_HOST)
        raise NotRoutable(f"{route.receiver} links to a next page at a host that is not its own")
    query = standard_query(link, url_at(route.connection, outgoing))
    if query is not None and outgoing.query != message.query:
        query = in_terms_of(message.query, outgoing.query, query)
    if query is None:
        expires = int(datetime.now(UTC).timestamp()) + _VALID_S
        page = NextPage(link, route.receiver, message.sender, expires)
        sealed = hub.vault.seal(Secret(msgspec.json.encode(page).decode()), _CONTEXT)
        query = with_sealed(message.query, base64.urlsafe_b64encode(sealed).decode("ascii"))
    return [link_header(own_url, query)]
