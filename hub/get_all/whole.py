"""Lists that can only be read as a whole, and what of them a requester may see.

Those of partners that do not say how long their list is, or whose pages cannot be asked for by their place; and
Sessions and CDRs of a 2.1.1 CPO, of which only those of the requester count. See `hub.spools`.
"""

from __future__ import annotations

import asyncio
from array import array
from hashlib import blake2b
from typing import Final

from hub.get_all.objects import Belonging
from hub.get_all.upstream import ListPage, Upstream
from hub.hub import Hub
from hub.private_lists import is_of_everybody, payers
from hub.spools import Add, Spool
from routing.dialects import DIALECTS
from routing.paging import page_max
from routing.translation import numbers

WITHIN_S: Final = 60.0
"""How long a requester waits for it."""
_PAGE_WITHIN_S: Final = 30.0
_AT_ONCE: Final = 200


async def read(upstream: Upstream, hub: Hub, *, within_s: float = WITHIN_S) -> Spool:
    """The whole list of this partner, which may have been read for somebody else a moment ago.

    Raises:
        HubError: it cannot be read, or takes too long.
    """
    asked, connection = upstream.asked, upstream.connection
    message, _ = await upstream.translation(asked.filters, upstream.own_trace(), hub)
    # Who is told for whom a list is may give everybody another one.
    reader = (*asked.message.sender, *upstream.unit.party) if DIALECTS[connection.version].routing_headers else ()
    key = (connection.id, asked.module, *message.segments, message.query, *reader)

    async def crawl(spool: Spool, add: Add) -> None:
        await _crawl(upstream, spool, add, hub)

    return await hub.spools.of(key, crawl, within_s)


async def _crawl(upstream: Upstream, spool: Spool, add: Add, hub: Hub) -> None:
    most = page_max(upstream.asked.module, hub.settings.page_max)
    link, before = None, b""
    while True:
        page = await upstream.page(len(spool), most, hub, within_s=_PAGE_WITHIN_S, link=link)
        items = [bytes(item) for item in page.items]
        mark = blake2b(b",".join(items)).digest()
        if mark == before:
            return  # it gives the same page whatever it is asked for
        before = mark
        if spool.answered_at is None:
            spool.answered_at = page.answered_at
        await add(items)
        if _is_last(page, len(spool)):
            return
        link = None if page.link is None else upstream.check_link(page.link, hub)


def _is_last(page: ListPage, read_so_far: int) -> bool:
    if page.link is not None:
        return False
    if page.total is not None:
        return not page.items or read_so_far >= page.total
    return len(page.items) < page.limit


async def view(spool: Spool, upstream: Upstream, belonging: Belonging, hub: Hub) -> array[int]:
    """The places of those objects of a whole list that the requester gets.

    Raises:
        HubError: it cannot be told now.
    """
    requester = upstream.asked.message.sender
    if requester not in spool.views:
        places = array("L")
        for start in range(0, len(spool), _AT_ONCE):
            places.extend(
                await _wanted(range(start, min(start + _AT_ONCE, len(spool))), spool, upstream, belonging, hub)
            )
        spool.views[requester] = places
    return spool.views[requester]


async def _wanted(places: range, spool: Spool, upstream: Upstream, belonging: Belonging, hub: Hub) -> list[int]:
    items = dict(zip(places, await asyncio.to_thread(spool.read, places), strict=True))
    wanted = [place for place, item in items.items() if belonging.is_wanted(item)]
    asked, unit, connection = upstream.asked, upstream.unit, upstream.connection
    if asked.kind is None or not is_of_everybody(asked.kind, connection):
        return wanted
    objects = [numbers.read(items[place]) for place in wanted]
    found = await payers(objects, asked.kind, unit.party, connection, hub)
    return [place for place, payer in zip(wanted, found, strict=True) if payer == asked.message.sender]
