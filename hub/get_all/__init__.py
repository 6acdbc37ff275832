"""A list of everybody's: the lists of many partners, one behind the other, page by page.

OCPI 2.2.1, "Transport and format", GET All via Hubs. Read it in this order:

- `asked`     what the request says
- `counting`  how long everybody's lists are; `routing.joined_lists` makes one of them
- `pages`     one page of that
- `upstream`  one call at one partner
- `objects`   what of its answer the requester gets
- `whole`     lists that cannot be read in pages
- `answer`    what the requester is told about it all
"""

from __future__ import annotations

from hub.get_all.answer import answered, empty
from hub.get_all.asked import Asked, read
from hub.get_all.counting import opened
from hub.get_all.pages import Pages, missing_list
from hub.get_all.upstream import ListPage
from hub.hub import Hub
from hub.private_lists import is_of_everybody
from hub.store.journal_entries import Receivers
from hub.trace import Trace
from routing.directory import Connection
from routing.errors import InvalidParameters, ReceiverTimeout, ReceiverUnreachable
from routing.joined_lists import Part, Snapshot
from routing.message import Answer, Message
from routing.routes import Forward, GetAll, Unit
from routing.translation.kinds import carried_by
from routing.vocabulary import Party

__all__ = ["get_all", "of_one_party"]


def of_one_party(message: Message, route: Forward) -> GetAll | None:
    """A list of one party's of which the requester must not get everything, as the list that it is to get.

    None where the message goes to its receiver as it is.
    """
    kind = carried_by(message.operation, message.segments).answer if message.operation.paged else None
    return GetAll((Unit(route.receiver, route.connection),)) if is_of_everybody(kind, route.connection) else None


async def get_all(
    message: Message, route: GetAll, source: Connection, trace: Trace, hub: Hub, *, named: Party | None = None
) -> Answer:
    """One page of a list of everybody's; of one party's when that is `named`.

    Raises:
        InvalidParameters: something in the query cannot be read, or the link was made for somebody else.
        TooManyRequests: the platform begins to read such lists too often.
        RoutingError: no list can be had, or one cannot and the requester wants all or nothing.
        HubFault: the hub cannot do its part now.
    """
    asked = read(message, route, source, named, hub)
    if not asked.units:
        return empty(asked, hub)
    snapshot, pages, is_new = await _known(asked, hub), dict[Party, ListPage](), False
    if snapshot is None:
        if named is None:
            hub.limits.snapshot_of(source.platform_id)
        parts, pages = await opened(asked, trace, hub)
        _check(parts, asked)
        snapshot, is_new = hub.snapshots.begin(message.sender, source.id, asked.name(hub), parts), True
    elif snapshot.request != asked.name(hub):
        asked = asked.for_one(snapshot.parts[0].parties[0])
    page = await Pages(asked, snapshot, trace, hub, pages).read(asked.page.offset, asked.page.limit)
    await hub.snapshots.keep(snapshot)
    trace.receivers = _receivers(snapshot, asked)
    return answered(asked, snapshot, page, hub, is_begun_anew=is_new and asked.snapshot_id is not None)


def _receivers(snapshot: Snapshot, asked: Asked) -> Receivers:
    """How it went with everybody's lists, as far as these were read."""
    away = sum(unit.is_offline for unit in asked.units.values())
    failed = sum(len(part.parties) for part in snapshot.parts if part.missing)
    told = len(asked.units) - away
    failed = max(failed - away, 0)
    return Receivers(told=told, ok=told - failed, failed=failed, skipped=away)


async def _known(asked: Asked, hub: Hub) -> Snapshot | None:
    """Where this reader was; None when it begins.

    Raises:
        InvalidParameters: the link was made for another reader, or another list.
    """
    if asked.snapshot_id is not None:
        snapshot = await hub.snapshots.get(asked.snapshot_id)
        if snapshot is not None:
            _check_reader(snapshot, asked, hub)
            return snapshot
    if asked.page.offset == 0 and asked.snapshot_id is None:
        return None
    return await hub.snapshots.newest(asked.source.id, asked.name(hub))


def _check_reader(snapshot: Snapshot, asked: Asked, hub: Hub) -> None:
    names = [asked.name(hub)]
    if asked.named is None and len(snapshot.parts) == 1:
        # A link is followed without naming the receiver again.
        names.append(asked.for_one(snapshot.parts[0].parties[0]).name(hub))
    is_theirs = (snapshot.requester, snapshot.connection_id) == (asked.message.sender, asked.source.id)
    if not is_theirs or snapshot.request not in names:
        raise InvalidParameters("snapshot was made for another requester or another list; begin with the first page")


def _check(parts: list[Part], asked: Asked) -> None:
    """Refuse to begin without those lists that the requester has to have.

    Raises:
        RoutingError: one of them, or every one, cannot be had.
    """
    missing = [part for part in parts if part.missing]
    if len(missing) == len(parts):
        late = all(part.missing == ReceiverTimeout.ocpi_status for part in missing)
        if asked.named is not None:
            raise missing_list(asked.named, missing[0].missing)
        kind = ReceiverTimeout if late else ReceiverUnreachable
        raise kind("The lists of all parties did not come in time" if late else "No party's list can be had at present")
    if not asked.is_partial_allowed:
        for part in missing:
            unit = asked.units[part.parties[0]]
            if not unit.is_offline:
                raise missing_list(unit.party, part.missing)
